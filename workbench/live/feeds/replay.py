"""Stored bars in virtual time: the feed of paper trading on held-out bars and of every simulation (rules B1, B5).

The bars of all followed instruments are merged once, by the instant at which they close on their grid; ``take`` moves
an index along that order and makes the bars that it passes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from workbench.errors import ConfigError
from workbench.live.feed import ClosedBar, Gap
from workbench.market.bars import Bars
from workbench.market.calendar import Calendar
from workbench.market.sessions import Int32, Int64
from workbench.market.timeframe import Timeframe


class _Followed:
    """One instrument that is followed; its bars one by one, as numbers of Python."""

    def __init__(self, instrument: str, bars: Bars) -> None:
        self.instrument, self.bars, self.timeframe = instrument, bars, bars.timeframe.text
        self.close_ns: Int64 = bars.grid.close_ns[bars.at]
        # A memoryview gives a number three times as fast as an array does, and copies nothing either.
        columns = (bars.ts_ns, bars.open, bars.high, bars.low, bars.close, bars.volume)
        self._columns: list[Any] = [column.data for column in columns]

    def bar(self, row: int) -> ClosedBar:
        """The bar of a row."""
        ts, opens, high, low, close, volume = self._columns
        return ClosedBar(self.instrument, self.timeframe, ts[row], opens[row], high[row], low[row], close[row],
                         volume[row])


class _Order(NamedTuple):
    """Bars in the order of their close: when each closes, whose it is (a number), and its row there."""

    close_ns: Int64
    whose: Int32
    row: Int32


class ReplayFeed:
    """A feed of bars that are there already, handed over as if they closed now.

    A bar closes where its interval does on the calendar's grid: after its timeframe, at the session's close, or at the
    start of a pause; a daily bar with its session. Bars of one instant come in the order of their instruments' names.

    Parameters
    ----------
    data : mapping of str to Bars
        Instrument to its bars. They are read, never copied.
    """

    def __init__(self, data: Mapping[str, Bars]) -> None:
        self._data = dict(data)
        self._followed: dict[str, _Followed] = {}
        self._new: dict[str, int] = {}
        self._end_ns = max((int(one.grid.close_ns[one.at[-1]]) for one in self._data.values()), default=0)
        self._now_ns = 0
        self._at = 0
        self._hold(_Order(np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32)), [])

    def follow(self, instrument: str, timeframe: str, calendar: Calendar, since_ns: int) -> None:
        """Begin to hand over the bars of an instrument that close after ``since_ns``; asking again changes nothing.

        Raises
        ------
        ConfigError
            There are no bars of the instrument, or they are of another timeframe or calendar.
        """
        bars, asked = self._data.get(instrument), Timeframe.parse(timeframe)
        if bars is None:
            there = ", ".join(sorted(self._data)) or "none"
            raise ConfigError(f"there are no bars of {instrument} to replay; there are those of {there}.")
        if bars.timeframe != asked:
            raise ConfigError(f"the bars of {instrument} to replay are {bars.timeframe} bars, not {asked}. Follow "
                              f"{bars.timeframe}, or load {asked} bars.")
        if bars.calendar.name != calendar.name:
            raise ConfigError(f"the bars of {instrument} to replay are on the calendar {bars.calendar.name}, not "
                              f"{calendar.name}. Follow them on {bars.calendar.name}.")
        if instrument not in self._followed:
            self._followed[instrument] = _Followed(instrument, bars)
            self._new[instrument] = since_ns

    def take(self, now_ns: int) -> list[ClosedBar]:
        """Bars that closed at or before ``now_ns`` and were not handed over, in the order of their close."""
        if self._new:
            self._merge()
        if now_ns > self._now_ns:
            self._now_ns = now_ns
        first = self._at
        if first == len(self._close_ns) or self._close_ns[first] > now_ns:
            return []
        self._at = stop = bisect_right(self._close_ns, now_ns, first)
        return [self._numbered[self._whose[at]].bar(self._row[at]) for at in range(first, stop)]

    def through_ns(self, instrument: str, timeframe: str) -> int:
        """The last instant that was asked for, at most the close of the last bar of any instrument; 0 if not known.

        What is replayed is there whole: an instrument whose bars end before those of others was traded no more, as a
        backtest takes it, and nothing of it is missing.
        """
        one = self._followed.get(instrument)
        if one is None or instrument in self._new:
            return 0
        if timeframe != one.timeframe and Timeframe.parse(timeframe) != one.bars.timeframe:
            return 0
        return min(self._now_ns, self._end_ns)

    def next_ns(self, now_ns: int) -> int | None:
        """Close of the next bar that was not handed over, of any instrument; None at the end."""
        if self._new:
            self._merge()
        return self._close_ns[self._at] if self._at < len(self._close_ns) else None

    def gaps(self) -> list[Gap]:
        """Nothing: the bars were checked when they were read."""
        return []

    def _merge(self) -> None:
        """Put what is left of the order and the instruments that are new into one order."""
        numbered = sorted(self._followed.values(), key=lambda one: one.instrument)
        number = {one.instrument: at for at, one in enumerate(numbered)}
        renumbered = np.array([number[one.instrument] for one in self._numbered], np.int32)
        kept, left = self._order, slice(self._at, None)
        parts = [_Order(kept.close_ns[left], renumbered[kept.whose[left]], kept.row[left])]
        for instrument, since_ns in self._new.items():
            close_ns = self._followed[instrument].close_ns
            row = np.arange(int(close_ns.searchsorted(since_ns, "right")), len(close_ns), dtype=np.int32)
            parts.append(_Order(close_ns[row], np.full(len(row), number[instrument], np.int32), row))
        whole = _Order(np.concatenate([part.close_ns for part in parts]),
                       np.concatenate([part.whose for part in parts]), np.concatenate([part.row for part in parts]))
        by_close = np.lexsort((whole.whose, whole.close_ns))
        self._at = 0
        self._hold(_Order(whole.close_ns[by_close], whole.whose[by_close], whole.row[by_close]), numbered)
        self._new.clear()

    def _hold(self, order: _Order, numbered: list[_Followed]) -> None:
        self._order, self._numbered = order, numbered
        self._close_ns, self._whose, self._row = order.close_ns.data, order.whose.data, order.row.data
