"""What a deployment leaves behind when it pauses or stops: what is kept, and orders that are cancelled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from workbench.engine.records import Action, action_dtype
from workbench.live.holdings import Holding, books_of
from workbench.live.page import Page
from workbench.live.said import Said
from workbench.live.standing import Known, Standing
from workbench.schema import OrderKind, Reason


class Kept(NamedTuple):
    """What stays in force.

    Attributes
    ----------
    holdings : tuple of Holding
        Positions with the levels that protect them.
    exits : tuple of str
        Instruments that an exit is on its way out of.
    entries : tuple of str
        Instruments with an entry at the broker, which may still fill.
    flattens : bool
        Whether the strategy flattens at a time of the session.
    """

    holdings: tuple[Holding, ...]
    exits: tuple[str, ...]
    entries: tuple[str, ...]
    flattens: bool

    def plain(self) -> dict[str, Any]:
        """As plain data, for the journal."""
        return {
            "positions": [
                {
                    "instrument": one.instrument,
                    "qty": one.qty,
                    "entry_price": one.entry_price,
                    "stop": one.stop,
                    "target": one.target,
                    "resting": one.is_resting,
                }
                for one in self.holdings
            ],
            "exits": list(self.exits),
            "entries": list(self.entries),
            "forced_flatten": self.flattens,
        }

    def words(self) -> str:
        """In words, without an end."""
        parts = [one.words() for one in self.holdings] or ["no position"]
        parts += [f"the exit of {name} that is at the broker" for name in self.exits]
        parts += [f"the entry of {name} that is at the broker and may still fill" for name in self.entries]
        if self.flattens and self.holdings:
            parts.append("the forced flatten")
        return "; ".join(parts)


def kept_of(standing: Standing) -> Kept:
    """What a deployment has in force now."""
    deployed, strategy = standing.deployed, standing.deployed.given.strategy
    books = books_of(deployed.desk.account, deployed.desk.positions, deployed.names)
    known = standing.known
    entries = [known[order].instrument for order in entries_of(standing) if order not in standing.held]
    exits = [known[order].instrument for order in reducing_of(standing) if known[order].kind == "open"]
    flattens = strategy.product == "MIS" or strategy.exit_time is not None
    return Kept(books.holdings, tuple(exits), tuple(entries), flattens)


def entries_of(standing: Standing) -> list[int]:
    """Numbers of its working entries, those that wait for an exit too."""
    return [order for order, known in standing.known.items() if is_entry(known)]


def reducing_of(standing: Standing) -> list[int]:
    """Numbers of its working exits, stops and targets."""
    return [order for order, known in standing.known.items() if not is_entry(known)]


def is_entry(known: Known) -> bool:
    """Whether an order opens a position."""
    return known.reason == Reason.ENTRY_SIGNAL.name


def flattened(standing: Standing, before: Kept, n_entries: int) -> str:
    """What was done when a person asked to flatten, in words."""
    held = "; ".join(one.words() for one in before.holdings) or "no position"
    entries = f" Entries taken back: {n_entries}." if n_entries else ""
    return (
        f"the exits of {standing.deployed.given.name} are on their way and fill at the next open: {held}. Stops and "
        f"targets stay until then.{entries} It is paused and enters nothing until it is resumed."
    )


def write_down(page: Page, standing: Standing, now_ns: int, kind: str, body: dict[str, Any]) -> None:
    """Write what happened to a deployment into its journal, at the last instant that passed, and where it stands."""
    standing.write(page, standing.deployed.passed_ns, now_ns, kind, body)
    standing.keep(page, now_ns)


def cancel_orders(said: Said, orders: Iterable[int]) -> None:
    """Take orders back, in the engine and at the broker; what was not sent yet never is.

    Parameters
    ----------
    said : Said
        Writes what follows; its intents are to be sent when it is committed.
    orders : iterable of int
        Numbers of working orders.
    """
    standing = said.standing
    deployed, at_ns = standing.deployed, standing.deployed.passed_ns
    for order in orders:
        known = standing.known[order]
        k = deployed.number[known.instrument]
        deployed.withdraw(k, order, at_ns)
        rows = deployed.taken()["actions"]
        if not len(rows):
            # The engine says nothing of a protective order or an exit that it forgets.
            rows = np.zeros(1, action_dtype)
            rows[0] = (
                at_ns, order, k, int(Action.CANCEL), int(OrderKind[known.kind.upper()]), int(Reason[known.reason]),
                known.side, known.qty, np.nan,
            )  # fmt: skip
        said.actions(rows)
