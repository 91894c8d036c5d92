"""One deployment in memory: its desk, its expressions, and the instants that pass through them.

The engine decides; this hands it one instant at a time and holds what it says until it is written down. Everything
here can be made again from the database: account and positions are stored at every instant, the memory of the
expressions now and then, and bars since then are fed again.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.engine import records
from workbench.engine.desk import grown, new_desk
from workbench.engine.one_instant import OneInstant
from workbench.expressions.stepper import Snapshot, Stepper
from workbench.live.given import Given
from workbench.live.schedule import Day, Interval
from workbench.schema import Signal

#: Rows the engine's buffers have room for besides those of one instant.
ROWS = 16
OUTPUTS = ("actions", "fills", "trades", "decisions", "notes")
NOTHING = {
    "actions": np.empty(0, records.action_dtype),
    "fills": np.empty(0, records.fill_dtype),
    "trades": np.empty(0, records.trade_dtype),
    "decisions": np.empty(0, records.decision_dtype),
    "notes": np.empty(0, records.note_dtype),
}
_PLACES = [records.account_dtype.fields[f"n_{name}"][1] for name in OUTPUTS]  # type: ignore[index]
_FIRST_COUNT = _PLACES[0]
assert list(range(_FIRST_COUNT, _FIRST_COUNT + 8 * len(OUTPUTS), 8)) == _PLACES, "the counts stand side by side"

_ROOTS = {
    "entry": Signal.ENTRY,
    "exit": Signal.EXIT,
    "short_entry": Signal.SHORT_ENTRY,
    "short_exit": Signal.SHORT_EXIT,
}

#: Roots whose values the step reads as numbers, in the order of its signals.
_NUMBERS = ("rank", "stop_atr")

BAR = int(Signal.BAR)  # looked up once: an enum's attribute is a call

Bar = tuple[float, float, float, float, float]


@cache
def layout() -> str:
    """Hash of the types of account and positions: stored bytes of another layout must not be read."""
    described = repr((records.account_dtype.descr, records.position_dtype.descr))
    return hashlib.blake2b(described.encode(), digest_size=8).hexdigest()


class Deployed:
    """A deployment at work.

    Parameters
    ----------
    given : Given
        What it is.
    day : Day
        The session in which its history begins.

    Attributes
    ----------
    passed_ns : int
        Close of the last interval that passed; 0 before the first.
    deciding : bool
        Whether decisions have begun (B8).
    """

    def __init__(self, given: Given, day: Day) -> None:
        self.given, self.names = given, given.names
        self.number = {name: k for k, name in enumerate(self.names)}
        roots = given.strategy.program.roots
        numbers = [root if root in roots else None for root in _NUMBERS]
        desk = new_desk(given.strategy, given.instruments, given.costs, given.initial_cash, rows=ROWS)
        self.one = OneInstant(desk, *(root is not None for root in numbers))
        cut = given.strategy.execution == "proxy_close"
        self.steppers = [Stepper([given.strategy.program], day.grid, cut) for _ in self.names]
        bits = {root: int(bit) for root, bit in _ROOTS.items() if root in roots}
        for stepper in self.steppers:
            stepper.watch(given.strategy.bar_timeframe, bits, numbers)
        #: Rows in each output buffer, in the order of ``OUTPUTS``: a view of the account, which never moves.
        self._counts = desk.account.view(np.uint8)[_FIRST_COUNT : _FIRST_COUNT + 8 * len(OUTPUTS)].view(np.int64)
        self._positions = desk.account["n_positions"]  # a view too
        self.passed_ns, self.deciding, self._is_warm = 0, False, False
        self.day = day
        self.times = day.times(given.strategy)
        self.from_at = 0

    # --- what it remembers -------------------------------------------------------------------------------------------

    def state(self) -> bytes:
        """Account and positions as bytes, the counts of what was handed over at zero."""
        return bytes(self.desk.account.tobytes() + self.desk.positions.tobytes())

    def restore(self, content: bytes) -> None:
        """Go on from account and positions that ``state`` gave."""
        size = self.desk.account.nbytes
        self.desk.account.view(np.uint8)[:] = np.frombuffer(content[:size], np.uint8)
        self.desk.positions.view(np.uint8).reshape(-1)[:] = np.frombuffer(content[size:], np.uint8)

    @property
    def desk(self) -> records.Desk:
        """The engine's records."""
        return self.one.desk

    @property
    def is_in_position(self) -> bool:
        """Whether the engine holds a position."""
        return bool(self._positions.item(0))

    @property
    def is_warm(self) -> bool:
        """Whether the expressions of every instrument are warm (E7); what is warm stays so."""
        if not self._is_warm:
            self._is_warm = all(one.is_warm() for one in self.steppers)
        return self._is_warm

    # --- instants ----------------------------------------------------------------------------------------------------

    def enter(self, day: Day) -> None:
        """Go on to another session."""
        self.day = day
        self.times = day.times(self.given.strategy)
        for stepper in self.steppers:
            stepper.use(day.grid)

    def decides_at(self, interval: Interval) -> bool:
        """Whether decisions have begun when an interval closes (B8)."""
        start = self.given.start_ns
        if not self.deciding and (start == 0 or interval.at >= self.day.first_of_bar_from(self.given.strategy, start)):
            self.deciding = True
        return self.deciding

    def report(self, fill: tuple[int, int, int, float, float, float], day: int) -> bool:
        """Book a reported fill (instrument, order, ns, qty, price, charges); whether such an order works."""
        row = self.one.reported[0]
        row["instrument"], row["order"], row["ns"], row["qty"], row["price"], row["charges"] = fill
        return self._again(lambda: self.one.report(day)) == 1

    def drop_waiting(self, k: int, ns: int) -> bool:
        """D8: drop the entry of an instrument whose own bar opened while an exit it named still works."""
        return self._again(lambda: self.one.drop_waiting(k, ns)) == 1

    def withdraw(self, k: int, order: int, ns: int) -> bool:
        """Forget an order that a broker refused."""
        return self._again(lambda: self.one.withdraw(k, order, ns)) == 1

    def _again(self, call: Any) -> int:
        """Call the engine, with larger buffers if one is too full."""
        while (answer := int(call())) < 0:
            self.one.use(grown(self.desk))
        return answer

    # --- what it said ------------------------------------------------------------------------------------------------

    def taken(self) -> dict[str, records.Records]:
        """What the engine wrote since this was last asked, by name of the buffer; copies."""
        desk, counts = self.desk, self._counts
        written = counts.tolist()
        if not any(written):
            return NOTHING
        counts[:] = 0
        found = NOTHING.copy()
        for name, n in zip(OUTPUTS, written, strict=True):
            if n:
                found[name] = getattr(desk, name)[:n].copy()
        return found

    def working_entries(self) -> list[int]:
        """Instruments with a working entry, in the order of sending."""
        desk = self.desk
        if desk.account[0]["n_entries"] == 0:
            return []
        found = np.flatnonzero(desk.positions["pending_side"])
        return sorted(found.tolist(), key=lambda k: int(desk.positions[k]["pending_order"]))


def values_of(deployed: Deployed) -> list[list[float]]:
    """Latest value of every node of the expressions, an instrument after the other; NaN is missing."""
    return [one.batch.values.tolist() for one in deployed.steppers]


def memory_of(deployed: Deployed) -> bytes:
    """What the expressions remember at the end of a session, as bytes."""
    return b"".join(part.tobytes() for one in deployed.steppers for part in _parts(one.save()))


def remember(deployed: Deployed, content: bytes) -> None:
    """Let the expressions go on from a memory of the same engine."""
    at = 0
    for stepper in deployed.steppers:
        snapshot = stepper.save()
        for part in _parts(snapshot):
            part.view(np.uint8)[:] = np.frombuffer(content[at : at + part.nbytes], np.uint8)
            at += part.nbytes
        stepper.restore(snapshot)


def _parts(snapshot: Snapshot) -> tuple[npt.NDArray[Any], ...]:
    """The arrays of a snapshot, whose sizes the program fixes."""
    return snapshot.state, snapshot.values, snapshot.seen, snapshot.partials


def digest_of(prices: npt.NDArray[np.float64]) -> str:
    """Hash of the bars of one instant, float64[instruments, 5] with NaN where there is none."""
    return hashlib.blake2b(prices.tobytes(), digest_size=8).hexdigest()

