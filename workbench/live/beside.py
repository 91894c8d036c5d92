"""Positions beside a deployment: what its owner holds of the same instruments in other ways, and what follows.

Pyramiding is nobody's mistake; not knowing of it is. So what others hold is told, while it is so, with its price and
with the exposure of all together; and a deployment that may only hold the other side begins paused, for a person to
choose (``resolving``).

On paper every deployment has an account of its own, and what is beside it is what other deployments of its owner hold
in the same mode. A real broker's positions come the same way: as ``Held``, with an empty ``holder`` when taken by hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from workbench.journal import tables
from workbench.live.given import Given
from workbench.live.holdings import is_flat, stored_books
from workbench.live.words import figure
from workbench.tolerance import equal

#: The state of a deployment that waits for a person to choose.
MISMATCH = "PAUSED_DIRECTION_MISMATCH"

_OF_STATE = [tables.deployment_states.c[name] for name in ("status", "records", "layout")]
#: More instruments than this are not named in a query.
_NAMED = 50


class Held(NamedTuple):
    """A position that is not the deployment's own.

    Attributes
    ----------
    instrument : str
        Of what.
    qty, price, mark : float
        Signed units, their average entry price, and their last close.
    holder : str
        Name of the deployment that holds it; empty for a position that was taken by hand.
    is_managed : bool
        Whether somebody can close it: a deployment that is stopped cannot.
    """

    instrument: str
    qty: float
    price: float
    mark: float
    holder: str
    is_managed: bool


#: Where positions beside a deployment come from: a reading transaction and the deployment.
Elsewhere = Callable[[sa.Connection, Given], list[Held]]


def held_by_others(connection: sa.Connection, given: Given) -> list[Held]:
    """What other deployments of the same owner and mode hold of a deployment's instruments, by instrument and name."""
    table, states = tables.deployments, tables.deployment_states
    wanted = (
        sa.select(table.c.name, table.c.instruments, table.c.initial_cash, *_OF_STATE)
        .join(states, states.c.deployment_id == table.c.id)
        .where(table.c.owner == given.owner, table.c.mode == given.mode, table.c.id != given.id)
        .where(sa.func.length(states.c.records) > 0)
    )
    if len(given.names) <= _NAMED:
        wanted = wanted.where(sa.or_(*(table.c.instruments.contains(f'"{name}"') for name in given.names)))
    found = []
    for row in connection.execute(wanted).mappings():
        if is_flat(row["records"], row["layout"]):
            continue
        names = [one["name"] for one in json.loads(row["instruments"])]
        books = stored_books(row["records"], row["layout"], names, row["initial_cash"])
        for one in () if books is None else books.holdings:
            if one.instrument in given.names:
                managed = row["status"] != "STOPPED"
                found.append(Held(one.instrument, one.qty, one.entry_price, one.mark, row["name"], managed))
    return sorted(found)


class Beside(NamedTuple):
    """All that is held beside a deployment of one instrument.

    Attributes
    ----------
    instrument : str
        Of what.
    held : tuple of Held
        Each position.
    """

    instrument: str
    held: tuple[Held, ...]

    @property
    def qty(self) -> float:
        """Net units, signed."""
        return sum(one.qty for one in self.held)

    @property
    def price(self) -> float:
        """Average entry price of the positions on the side of the net."""
        net = self.qty
        same = [one for one in self.held if one.qty * net > 0.0] or list(self.held)
        return sum(abs(one.qty) * one.price for one in same) / sum(abs(one.qty) for one in same)

    @property
    def mark(self) -> float:
        """Last close."""
        return self.held[-1].mark

    def against(self, direction: str) -> tuple[Held, ...]:
        """Positions that somebody manages and that a deployment of a direction may not hold, if they outweigh others.

        Parameters
        ----------
        direction : str
            LONG, SHORT or BOTH, which may hold either.
        """
        managed = [one for one in self.held if one.is_managed]
        side = {"LONG": 1, "SHORT": -1}.get(direction, 0)
        net = sum(one.qty for one in managed)
        if side * net >= 0.0 or equal(net, 0.0):
            return ()
        return tuple(one for one in managed if side * one.qty < 0.0)

    def words(self) -> str:
        """In words, without an end: ``short 50 NSE:INFY at 1,431.5 (swing)``."""
        holders = ", ".join(one.words() for one in self._holders())
        net = self.qty
        if equal(net, 0.0):
            return f"as much long as short of {self.instrument} ({holders})"
        side = "long" if net > 0.0 else "short"
        return f"{side} {figure(abs(net))} {self.instrument} at {figure(self.price)} ({holders})"

    def _holders(self) -> list[_Holder]:
        several = len(self.held) > 1
        return [_Holder(one, several) for one in self.held]


class _Holder(NamedTuple):
    """Who holds, and how much of several."""

    held: Held
    is_one_of_several: bool

    def words(self) -> str:
        one = self.held
        name = one.holder or "by hand"
        stopped = "" if one.is_managed else ", which is stopped"
        return f"{figure(one.qty)} {name}{stopped}" if self.is_one_of_several else f"{name}{stopped}"


def beside(held: Iterable[Held]) -> list[Beside]:
    """Positions by instrument."""
    by_name: dict[str, list[Held]] = {}
    for one in held:
        by_name.setdefault(one.instrument, []).append(one)
    return [Beside(name, tuple(by_name[name])) for name in sorted(by_name)]


def against(found: Iterable[Beside], direction: str) -> list[Held]:
    """Every position that a deployment of a direction may not hold."""
    return [one for instrument in found for one in instrument.against(direction)]


def facts_beside(found: Iterable[Beside], own: Mapping[str, float]) -> list[dict[str, Any]]:
    """As plain data, with the exposure of all together; ``own`` is what the deployment holds, signed units."""
    rows = []
    for one in found:
        combined = one.qty + own.get(one.instrument, 0.0)
        rows.append(
            {
                "instrument": one.instrument,
                "qty": one.qty,
                "price": one.price,
                "deployments": [held.holder for held in one.held],
                "combined_qty": combined,
                "combined_notional": combined * one.mark,
            }
        )
    return rows


def warning(row: Mapping[str, Any], found: Beside) -> str:
    """The lasting warning about one instrument, from a row of ``facts_beside``."""
    return (
        f"Beside this deployment you hold {found.words()}. Together {figure(row['combined_qty'])} "
        f"{row['instrument']}, {figure(round(row['combined_notional'], 2))} at the last close."
    )


def mismatch_words(name: str, direction: str, found: Iterable[Beside]) -> str:
    """Why a deployment waits, and what can be chosen."""
    held = "; ".join(one.words() for one in found if one.against(direction))
    return (
        f"you hold {held}, and this deployment is {direction}. Choose: workbench resolve {name} adopt (it takes the "
        "position over and only exits), flatten (close the position, then go on) or stay (stay paused)"
    )
