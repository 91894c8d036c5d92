"""What a deployment holds and what protects it, as plain data and in words; from memory or from a stored row."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.engine.records import Records, account_dtype, position_dtype
from workbench.live.deployed import layout
from workbench.live.words import figure


class Holding(NamedTuple):
    """One position.

    Attributes
    ----------
    instrument : str
        Of what.
    qty : float
        Units, negative when short.
    entry_price, mark : float
        What a unit was bought or sold at, and its last close.
    entry_charges : float
        Money paid to enter.
    stop, target : float or None
        Levels in force; the stop is the better one of the fixed and the trailing one.
    is_resting : bool
        Whether a stop or a target rests at the broker; levels that do not are watched by the runner at its closes.
    """

    instrument: str
    qty: float
    entry_price: float
    mark: float
    entry_charges: float
    stop: float | None
    target: float | None
    is_resting: bool

    @property
    def unrealised_pnl(self) -> float:
        """Money that it would gain at its last close, net of the charges of its entry."""
        return self.qty * (self.mark - self.entry_price) - self.entry_charges

    @property
    def notional(self) -> float:
        """Money that it stands for at its last close, negative when short."""
        return self.qty * self.mark

    def words(self) -> str:
        """In words, without an end: ``long 120 NSE:AAA at 2,931.4, stop 2,871 at the broker, no target``."""
        levels = [f"stop {figure(self.stop)}"] if self.stop is not None else []
        levels += [f"target {figure(self.target)}"] if self.target is not None else []
        where = "at the broker" if self.is_resting else "watched by the runner"
        protected = f"{' and '.join(levels)} {where}" if levels else "no stop and no target"
        side = "long" if self.qty > 0 else "short"
        return f"{side} {figure(abs(self.qty))} {self.instrument} at {figure(self.entry_price)}, {protected}"


class Books(NamedTuple):
    """The account of a deployment: what its records hold."""

    cash: float
    holdings: tuple[Holding, ...]

    @property
    def equity(self) -> float:
        """Cash and positions at their last closes, money."""
        return self.cash + sum(one.notional for one in self.holdings)


def books_of(account: Records, positions: Records, names: Sequence[str]) -> Books:
    """What account and positions of the engine say.

    Parameters
    ----------
    account, positions
        Records of ``account_dtype`` and ``position_dtype``.
    names : sequence of str
        Of the instruments, in the order of the positions.
    """
    held = [_holding(name, row) for name, row in zip(names, positions, strict=True) if row["qty"] != 0.0]
    return Books(float(account[0]["cash"]), tuple(held))


def stored_books(records: bytes, kept_layout: str, names: Sequence[str], initial_cash: float) -> Books | None:
    """The same from a row of ``deployment_states``; None when another version of the engine wrote it."""
    if not records:
        return Books(initial_cash, ())
    if kept_layout != layout():
        return None
    size = account_dtype.itemsize
    account = np.frombuffer(records[:size], account_dtype)
    return books_of(account, np.frombuffer(records[size:], position_dtype), names)


def exposure_of(held: Iterable[tuple[str, Books | None]]) -> list[dict[str, Any]]:
    """What deployments hold together, by instrument: units, money, and who; of their names and what each holds."""
    total: dict[str, dict[str, Any]] = {}
    for holder, books in held:
        for one in () if books is None else books.holdings:
            entry = total.setdefault(one.instrument, {"qty": 0.0, "notional": 0.0, "deployments": []})
            entry["qty"] += one.qty
            entry["notional"] += one.notional
            entry["deployments"].append(holder)
    return [{"instrument": name, **total[name]} for name in sorted(total)]


def is_flat(records: bytes, kept_layout: str) -> bool:
    """Whether a row of ``deployment_states`` surely holds nothing, at a glance."""
    if kept_layout != layout():
        return False
    return not np.frombuffer(records[: account_dtype.itemsize], account_dtype)["n_positions"][0]


def _holding(name: str, row: Any) -> Holding:
    qty = float(row["qty"])
    levels = [float(row[one]) for one in ("stop", "trail") if not math.isnan(row[one])]
    better = max if qty > 0 else min
    return Holding(
        instrument=name,
        qty=qty,
        entry_price=float(row["entry_price"]),
        mark=float(row["mark"]),
        entry_charges=float(row["entry_charges"]),
        stop=better(levels) if levels else None,
        target=None if math.isnan(row["target"]) else float(row["target"]),
        is_resting=bool(row["stop_order"] >= 0 or row["target_order"] >= 0),
    )
