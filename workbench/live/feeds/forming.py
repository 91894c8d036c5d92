"""Bars in the making: ticks of one instrument, put into the intervals of one timeframe (rules B1, B2, B5, B7; pure)."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from workbench.live.feed import ClosedBar, Gap
from workbench.live.feeds.intervals import Interval, Intervals
from workbench.market.calendar import Calendar
from workbench.market.checks import PRICE_LIMIT
from workbench.market.sessions import day_number
from workbench.market.timeframe import DAY_NS, Timeframe

#: A quantity of this much or more is no quantity.
QTY_LIMIT = 1e18
#: The end of a hole that has not ended.
NEVER_NS = 2**63 - 1
_LATEST_NS = day_number("2200-01-01") * DAY_NS

#: From when to when no ticks came.
Hole = tuple[int, int]


class TickCount(NamedTuple):
    """What became of the ticks of one instrument and timeframe.

    Attributes
    ----------
    used : int
        Went into a bar.
    late : int
        Came when the bar of their interval was final.
    outside : int
        Lay outside every session, or in a pause.
    refused : int
        Had a price, a quantity or a time that cannot be.
    """

    used: int = 0
    late: int = 0
    outside: int = 0
    refused: int = 0


class FormingBar:
    """The bar of an interval that is not final, from the ticks seen so far.

    Parameters
    ----------
    interval : Interval
        Of the grid.
    ns : int
        When its first tick to arrive was traded.
    price : float
        Of that tick, which is then added like the others.
    """

    def __init__(self, interval: Interval, ns: int, price: float) -> None:
        self.interval = interval
        self._first_ns, self._last_ns = ns, ns
        self._open = self._high = self._low = self._close = price
        # All of them, and not their sum: a sum that is rounded tick by tick depends on the order of arrival.
        self._qty = array("d")

    def __len__(self) -> int:
        return len(self._qty)

    def add(self, ns: int, price: float, qty: float) -> None:
        """Take a tick; of two at one instant the one that arrived first is the earlier."""
        if ns < self._first_ns:
            self._first_ns, self._open = ns, price
        if ns >= self._last_ns:
            self._last_ns, self._close = ns, price
        if price > self._high:
            self._high = price
        elif price < self._low:
            self._low = price
        self._qty.append(qty)

    def closed(self, instrument: str, timeframe: str) -> ClosedBar:
        """The bar as it stands; its volume is the exact sum of the quantities, rounded once."""
        return ClosedBar(instrument, timeframe, self.interval.ts_ns, self._open, self._high, self._low, self._close,
                         math.fsum(self._qty))


class Building:
    """Bars in the making of one instrument and timeframe.

    Parameters
    ----------
    instrument, timeframe, calendar
        Whose bars.
    since_ns : int
        Bars that close at or before it are not made.
    """

    def __init__(self, instrument: str, timeframe: Timeframe, calendar: Calendar, since_ns: int) -> None:
        self.instrument, self.timeframe = instrument, timeframe.text
        self.through_ns = 0
        self._final_ns = since_ns
        self._intervals = Intervals(calendar, timeframe)
        self._forming: dict[int, FormingBar] = {}
        self._used = self._late = self._outside = self._refused = 0
        self._told: list[Gap] = []
        self._late_by_ts: dict[int, int] = {}
        self._refused_told, self._first_refused = 0, (0, "")

    @property
    def count(self) -> TickCount:
        """What became of the ticks so far."""
        return TickCount(self._used, self._late, self._outside, self._refused)

    def add(self, ns: int, price: float, qty: float) -> None:
        """Put a tick into its interval, or count why not."""
        if not (0 < price < PRICE_LIMIT and 0 <= qty < QTY_LIMIT and 0 < ns < _LATEST_NS):
            if self._refused == self._refused_told:
                self._first_refused = ns, f"price {float(price)!r}, quantity {float(qty)!r}: {_refusal(price, qty)}"
            self._refused += 1
            return
        interval = self._intervals.holding(ns)
        if interval is None:
            self._outside += 1
        elif interval.close_ns <= self._final_ns:
            self._late += 1
            self._late_by_ts[interval.ts_ns] = self._late_by_ts.get(interval.ts_ns, 0) + 1
        else:
            forming = self._forming.get(interval.ts_ns)
            if forming is None:
                forming = self._forming[interval.ts_ns] = FormingBar(interval, ns, float(price))
            forming.add(ns, float(price), qty)
            self._used += 1

    def closed(self, final_ns: int, holes: Sequence[Hole]) -> list[tuple[int, ClosedBar]]:
        """Bars of intervals that closed by ``final_ns``, each with its close.

        Parameters
        ----------
        final_ns : int
            From now on nothing is added to intervals that closed at or before it.
        holes : sequence of (int, int)
            When no ticks came: an interval that shares an instant with one gets no bar, and that is told.
        """
        self.through_ns = max(self.through_ns, final_ns)
        self._final_ns = max(self._final_ns, final_ns)
        due = [ts for ts, forming in self._forming.items() if forming.interval.close_ns <= final_ns]
        found = []
        for forming in map(self._forming.pop, due):
            at = forming.interval
            missed = [hole for hole in holes if hole[0] < at.close_ns and hole[1] > at.open_ns]
            if missed:
                self.tell(at.ts_ns, f"no bar is made of {_ticks(len(forming))}: others were missed "
                                    f"{' and '.join(map(stretch, missed))}")
            else:
                found.append((at.close_ns, forming.closed(self.instrument, self.timeframe)))
        return found

    def closes(self) -> list[int]:
        """When the intervals close that have ticks and are not final."""
        return [forming.interval.close_ns for forming in self._forming.values()]

    def tell(self, ts_ns: int, what: str) -> None:
        """Keep something for whoever asks next."""
        self._told.append(self._gap(ts_ns, what))

    def told(self) -> list[Gap]:
        """What went wrong since this was last asked; late ticks of one interval, and refused ones, are one gap."""
        told, self._told = self._told, []
        for ts_ns, n in self._late_by_ts.items():
            told.append(self._gap(ts_ns, f"{_ticks(n)} came when the bar was final, and changed nothing"))
        if new := self._refused - self._refused_told:
            ns, why = self._first_refused
            told.append(self._gap(ns, f"{_ticks(new)} refused, the first for {why}"))
        self._late_by_ts, self._refused_told = {}, self._refused
        return told

    def _gap(self, ts_ns: int, what: str) -> Gap:
        return Gap(self.instrument, self.timeframe, ts_ns, what)


def stretch(hole: Hole) -> str:
    """A hole in words."""
    start, end = (pd.Timestamp(ns, tz="UTC") if 0 < ns < _LATEST_NS else None for ns in hole)
    words = [f"from {start}"] if start is not None else []
    return " ".join([*words, f"until {end}"] if end is not None else words)


def _ticks(n: int) -> str:
    return f"{n:,} tick{'s' if n != 1 else ''}"


def _refusal(price: float, qty: float) -> str:
    """Why a tick is refused."""
    if not 0 < price < PRICE_LIMIT:
        return f"a price is above 0 and below {PRICE_LIMIT:g}"
    if not 0 <= qty < QTY_LIMIT:
        return f"a quantity is at least 0 and below {QTY_LIMIT:g}"
    return "a time lies between 1970 and 2200, in nanoseconds"
