"""Instants to come: base intervals of one calendar and timeframe, session by session (rules B1, B2, C1, C5).

The grid of a live session is the grid of a backtest over that session. A session is named by its date, a number that
stays the same wherever history begins.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from workbench.engine.records import Times
from workbench.engine.timetable import timetable
from workbench.market.calendar import Calendar
from workbench.market.grid import Grid, buckets, build_grid
from workbench.market.timeframe import DAY_NS, Timeframe
from workbench.strategy import Strategy

#: How far ahead sessions are looked for: longer than any holiday.
DAYS_AHEAD = 40


class Interval(NamedTuple):
    """One base interval: its session's date (days since 1970-01-01), its number in it, and its two ends."""

    day: int
    at: int
    ts_ns: int  # the stamp of its bar (B1)
    open_ns: int
    close_ns: int


class Day:
    """One session's base intervals.

    Attributes
    ----------
    day : int
        The session's date, days since 1970-01-01.
    grid : Grid
        All of its intervals.
    known : bool
        Whether the calendar knows the day (C3).
    """

    def __init__(self, calendar: Calendar, timeframe: Timeframe, day: int) -> None:
        self.day = day
        row = calendar.table(day, day)
        opens, closes = int(row.open_ns[0]), int(row.close_ns[0])
        first, last = (day * DAY_NS, day * DAY_NS) if timeframe.is_daily else (opens, closes - 1)
        self.grid: Grid = build_grid(calendar, timeframe, first, last)
        self.known = bool(row.known[0])
        self._opens, self._closes = self.grid.open_ns.tolist(), self.grid.close_ns.tolist()
        self._daily = timeframe.is_daily
        self._times: dict[object, tuple[Times, np.ndarray[tuple[int], np.dtype[np.int32]]]] = {}

    def __len__(self) -> int:
        return len(self._opens)

    def interval(self, at: int) -> Interval:
        """One of its intervals by number."""
        opens = self._opens[at]
        return Interval(self.day, at, self.day * DAY_NS if self._daily else opens, opens, self._closes[at])

    def first_after(self, ns: int) -> int:
        """Number of its first interval that closes after an instant; its length if there is none."""
        return bisect_right(self._closes, ns)

    def covers(self, ns: int) -> bool:
        """Whether an instant lies in it, before its close."""
        return bool(self._opens[0] <= ns < self._closes[-1])

    def times(self, strategy: Strategy) -> Times:
        """Its instants with the flags of a strategy; the session's number is the day."""
        return self._laid(strategy)[0]

    def first_of_bar_from(self, strategy: Strategy, ns: int) -> int:
        """Number of the interval that opens its first strategy bar at or after an instant; its length if none (B8)."""
        bucket = self._laid(strategy)[1]
        opens = np.append(True, bucket[1:] != bucket[:-1]) & (bucket >= 0)
        found = np.flatnonzero(opens & (self.grid.open_ns >= ns))
        return int(found[0]) if len(found) else len(self)

    def _laid(self, strategy: Strategy) -> tuple[Times, np.ndarray[tuple[int], np.dtype[np.int32]]]:
        own = strategy.bar_timeframe
        hours = (own, strategy.product, strategy.execution, strategy.exit_time, strategy.entry_window)
        if hours not in self._times:
            groups = buckets(self.grid, own, strategy.execution == "proxy_close" and own.is_daily)
            times = timetable(strategy, self.grid, groups)
            numbered = times._replace(session=np.full(len(self), self.day, np.int32))
            self._times[hours] = numbered, groups.bucket
        return self._times[hours]


class Schedule:
    """The sessions of one calendar, laid out on one base timeframe, as they come.

    Parameters
    ----------
    calendar : Calendar
        Whose.
    timeframe : Timeframe
        Of the base bars.
    """

    def __init__(self, calendar: Calendar, timeframe: Timeframe) -> None:
        self.calendar, self.timeframe = calendar, timeframe
        self._day = lru_cache(maxsize=8)(self._laid_out)
        self._latest: Day | None = None

    def day(self, day: int) -> Day:
        """The session of a date, which must be one."""
        return self._day(day)

    def _laid_out(self, day: int) -> Day:
        return Day(self.calendar, self.timeframe, day)

    def day_after(self, ns: int) -> Day | None:
        """The first session that closes after an instant; None when none is known within ``DAYS_AHEAD``."""
        if self._latest is not None and self._latest.covers(ns):
            return self._latest
        today = ns // DAY_NS
        table = self.calendar.table(today - 2, today + DAYS_AHEAD)
        row = int(np.searchsorted(table.close_ns, ns, side="right"))
        self._latest = self.day(int(table.date[row])) if row < len(table) else None
        return self._latest

    def after(self, ns: int) -> Interval | None:
        """The first interval that closes after an instant."""
        day = self.day_after(ns)
        return None if day is None else day.interval(day.first_after(ns))


@lru_cache(maxsize=64)
def schedule_of(calendar: Calendar, timeframe: Timeframe) -> Schedule:
    """The schedule of a calendar and timeframe; sessions are laid out once for all deployments."""
    return Schedule(calendar, timeframe)
