"""Which interval of the grid an instant lies in, asked one instant at a time (rules B1, B2; pure).

The grid is laid out for the days around the instant that was asked for and kept until one beyond them is asked for: a
feed asks for instants that are close to each other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from workbench.market.calendar import Calendar
from workbench.market.grid import build_grid
from workbench.market.timeframe import DAY_NS, Timeframe

#: A session's date is at most a day off the UTC date of its instants; a third day keeps the ends of the grid away.
_AROUND_DAYS, _ANSWERED_DAYS = 3, 1


class Interval(NamedTuple):
    """One interval of the grid: the stamp of its bar, its first instant, and the instant at which it closes."""

    ts_ns: int
    open_ns: int
    close_ns: int


class Intervals:
    """Intervals of one calendar and timeframe.

    Parameters
    ----------
    calendar : Calendar
        Whose sessions.
    timeframe : Timeframe
        Length of an interval; ``1d`` is a session.
    """

    def __init__(self, calendar: Calendar, timeframe: Timeframe) -> None:
        self._calendar, self._timeframe = calendar, timeframe
        self._answered = range(0)
        self._last: Interval | None = None

    def holding(self, ns: int) -> Interval | None:
        """The interval that trades at an instant; None outside every session and inside a pause.

        Parameters
        ----------
        ns : int
            Nanoseconds UTC. An interval holds its first instant and not the one at which it closes.
        """
        last = self._last
        if last is not None and last.open_ns <= ns < last.close_ns and not len(self._pause_start):
            return last
        if not (self._answered.start <= ns < self._answered.stop):
            self._lay_out(ns // DAY_NS)
        at = int(self._open.searchsorted(ns, "right")) - 1
        if at < 0 or ns >= self._close[at] or self._paused(ns):
            return None
        self._last = Interval(int(self._ts[at]), int(self._open[at]), int(self._close[at]))
        return self._last

    def _paused(self, ns: int) -> bool:
        at = int(self._pause_start.searchsorted(ns, "right")) - 1
        return at >= 0 and ns < int(self._pause_end[at])

    def _lay_out(self, day: int) -> None:
        first_ns, last_ns = (day - _AROUND_DAYS) * DAY_NS, (day + _AROUND_DAYS) * DAY_NS
        grid = build_grid(self._calendar, self._timeframe, first_ns, last_ns)
        sessions = grid.sessions
        self._open, self._close = grid.open_ns, grid.close_ns
        self._ts = sessions.date.astype(np.int64) * DAY_NS if self._timeframe.is_daily else grid.open_ns
        self._pause_start, self._pause_end = sessions.pause_start_ns, sessions.pause_end_ns
        self._answered = range((day - _ANSWERED_DAYS) * DAY_NS, (day + 1 + _ANSWERED_DAYS) * DAY_NS)
        self._last = None
