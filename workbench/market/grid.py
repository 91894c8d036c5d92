"""The grid: every base interval inside sessions, whether or not anything traded in it (rules B1, B2, B3, B7).

Intervals are anchored to the session's open, not to the clock. Interval k of a session covers
``[open + k * length, open + (k + 1) * length)``; it exists when it overlaps trading, that is unless a pause covers it
whole. It closes at its end, at the session's close, or at the start of the pause in which its end falls,
whichever is first. A daily grid has one interval a session.

Everything that happens in a backtest happens at an instant of this grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from workbench.errors import ConfigError
from workbench.market.calendar import Calendar
from workbench.market.grid_kernels import find, group, lay_out
from workbench.market.sessions import Bool, Int32, Int64, SessionTable
from workbench.market.timeframe import DAY_NS, Timeframe

_NEVER = np.iinfo(np.int64).max
_BEYOND_SESSIONS = 1000 * DAY_NS


class Grid:
    """Base intervals from one instant to another; make it with ``build_grid``.

    Attributes
    ----------
    calendar : Calendar
        Whose sessions.
    timeframe : Timeframe
        Length of an interval.
    sessions : SessionTable
        The sessions touched; ``session`` holds rows of it.
    """

    def __init__(self, calendar: Calendar, timeframe: Timeframe, sessions: SessionTable) -> None:
        self.calendar, self.timeframe, self.sessions = calendar, timeframe, sessions
        self._pause = _pauses_in_intervals(sessions, timeframe)
        #: First interval of each session, counted over the whole sessions, and one beyond the last.
        self._first = np.concatenate([[0], np.cumsum(self._count())])
        self._low, self._high = 0, int(self._first[-1])

    def __len__(self) -> int:
        return self._high - self._low

    def __repr__(self) -> str:
        return f"Grid({self.calendar.name}, {self.timeframe}, {len(self)} intervals, {len(self.sessions)} sessions)"

    def _count(self) -> Int64:
        if self.timeframe.is_daily:
            return np.ones(len(self.sessions), np.int64)
        length = self.sessions.close_ns - self.sessions.open_ns
        removed = np.concatenate([[0], np.cumsum(self._pause[1] - self._pause[0])])
        return -(-length // self.timeframe.ns) - np.diff(removed[self.sessions.pause_first])

    def trimmed(self, first_ns: int, last_ns: int) -> Grid:
        """The part from the interval holding ``first_ns`` through the one holding ``last_ns``.

        The instants lie in the first and the last session, or outside all of them. An instant outside every interval
        starts the part at the next one, or ends it at the previous one.
        """
        part = Grid(self.calendar, self.timeframe, self.sessions)
        rows = len(self.sessions)
        if not rows:
            return part
        # Only the two outer sessions are laid out here: a stray stamp in 1970 must not cost a grid of fifty years.
        one = self.sessions.rows
        head, tail = (Grid(self.calendar, self.timeframe, one(row, row + 1)) for row in (0, rows - 1))
        part._low = int(np.searchsorted(head.close_ns, first_ns, side="right"))
        part._high = int(self._first[-2] + np.searchsorted(tail.open_ns, last_ns, side="right"))
        part._high = max(part._low, part._high)
        return part

    @property
    def session(self) -> Int32:
        """int32[m], row of ``sessions`` that each interval belongs to."""
        return self._whole[0][self._low : self._high]

    @property
    def open_ns(self) -> Int64:
        """int64[m], first instant of each interval (for a daily grid, the session's open)."""
        return self._whole[1][self._low : self._high]

    @property
    def close_ns(self) -> Int64:
        """int64[m], instant at which each interval closes."""
        return self._whole[2][self._low : self._high]

    @property
    def following(self) -> tuple[int, int] | None:
        """Open and close of the interval after the last, if that is in the same session; None otherwise.

        A grid may end inside a session: this tells whether its last coarser bar is complete.
        """
        session, opens, closes = self._whole
        after = self._high
        if not len(self) or after >= len(opens) or session[after] != session[after - 1]:
            return None
        return int(opens[after]), int(closes[after])

    @cached_property
    def _whole(self) -> tuple[Int32, Int64, Int64]:
        """Session, open and close of every interval of the whole sessions."""
        sessions, size = self.sessions, int(self._first[-1])
        if self.timeframe.is_daily:
            return np.arange(size, dtype=np.int32), sessions.open_ns, sessions.close_ns
        session, opens, closes = np.empty(size, np.int32), np.empty(size, np.int64), np.empty(size, np.int64)
        lay_out(sessions.open_ns, sessions.close_ns, sessions.pause_first, self._pause, sessions.pause_start_ns,
                sessions.pause_end_ns, self.timeframe.ns, (session, opens, closes))
        return session, opens, closes

    def locate(self, ts_ns: npt.ArrayLike) -> Int32:
        """Positions of bars in the grid.

        Parameters
        ----------
        ts_ns : int64[n]
            Opening stamps of bars; for a daily grid, 00:00 UTC date labels.

        Returns
        -------
        int32[n]
            Index of the interval with that opening; -1 for a stamp that is none.
        """
        ts = np.ascontiguousarray(ts_ns, dtype=np.int64)
        if not ts.flags.writeable:
            ts = ts.copy()  # kernels know one type of array, and this is another
        at = np.full(len(ts), -1, np.int32)
        sessions = self.sessions
        if self.timeframe.is_daily:
            row = np.searchsorted(sessions.date, ts // DAY_NS)
            inside = np.flatnonzero(row < len(sessions))
            label = sessions.date[row[inside]].astype(np.int64) * DAY_NS
            at[inside] = np.where(label == ts[inside], row[inside], -1)
        elif len(self):
            find(ts, sessions.open_ns, sessions.close_ns, sessions.pause_first, self._pause, self._first,
                 (self.timeframe.ns, self._low, self._high), at)
        return at


def _pauses_in_intervals(sessions: SessionTable, timeframe: Timeframe) -> Int64:
    """int64[2, pauses]: intervals ``[0]`` to ``[1] - 1``, counted from the session's open, lie wholly in the pause."""
    opens = np.repeat(sessions.open_ns, np.diff(sessions.pause_first))
    first = -(-(sessions.pause_start_ns - opens) // timeframe.ns)
    stop = (sessions.pause_end_ns - opens) // timeframe.ns
    return np.ascontiguousarray([first, np.maximum(first, stop)], dtype=np.int64)


def build_grid(calendar: Calendar, timeframe: Timeframe | str, first_ns: int, last_ns: int) -> Grid:
    """Every base interval from the one holding ``first_ns`` through the one holding ``last_ns``.

    Parameters
    ----------
    calendar : Calendar
        Whose sessions.
    timeframe : Timeframe or str
        Length of an interval; ``1d`` gives one a session.
    first_ns, last_ns : int
        Instants in nanoseconds UTC; for ``1d``, 00:00 UTC date labels.

    Returns
    -------
    Grid
    """
    timeframe = Timeframe.parse(timeframe)
    if timeframe.is_daily:
        return Grid(calendar, timeframe, calendar.table(first_ns // DAY_NS, last_ns // DAY_NS))
    return Grid(calendar, timeframe, calendar.covering(first_ns, last_ns)).trimmed(first_ns, last_ns)


@dataclass(frozen=True)
class Buckets:
    """Which coarser bar each base interval belongs to.

    Attributes
    ----------
    timeframe : Timeframe
        Of the coarser bars.
    bucket : int32[m]
        Ordinal of the coarser bar, from 0 and without holes; -1 for an interval after the proxy cut.
    final : bool[m]
        This interval's close makes its bucket final.
    count : int
        Number of coarser bars, the unfinished last one included.
    """

    timeframe: Timeframe
    bucket: Int32
    final: Bool
    count: int


def buckets(grid: Grid, timeframe: Timeframe | str, cut_at_proxy: bool = False) -> Buckets:
    """Group base intervals into coarser bars, anchored to each session's open (rules B2, B3).

    Parameters
    ----------
    grid : Grid
        Base intervals.
    timeframe : Timeframe or str
        Of the coarser bars; the grid's own is allowed.
    cut_at_proxy : bool
        Only with ``1d``: bars hold the intervals that close at or before the proxy close, and are final there (B4).

    Raises
    ------
    ConfigError
        The base does not divide the coarser timeframe, or the cut is asked of another timeframe or of daily bars.
    """
    timeframe = Timeframe.parse(timeframe)
    if not grid.timeframe.divides(timeframe):
        raise ConfigError(f"bars of {timeframe} cannot be built from bars of {grid.timeframe}: they are no multiple.")
    if cut_at_proxy and (not timeframe.is_daily or grid.timeframe.is_daily):
        raise ConfigError("the proxy close cuts 1d bars built from intraday bars; these are "
                          f"{timeframe} bars built from {grid.timeframe}.")
    size = len(grid)
    if timeframe == grid.timeframe and not cut_at_proxy:
        return Buckets(timeframe, np.arange(size, dtype=np.int32), np.ones(size, np.bool_), size)
    if not size:
        return Buckets(timeframe, np.zeros(0, np.int32), np.zeros(0, np.bool_), 0)
    bucket, final = np.empty(size, np.int32), np.empty(size, np.bool_)
    proxy = grid.sessions.proxy_close_ns if cut_at_proxy else np.full(len(grid.sessions), _NEVER)
    length = _BEYOND_SESSIONS if timeframe.is_daily else timeframe.ns
    count = group(grid.session, grid.open_ns, grid.close_ns, (grid.sessions.open_ns, proxy), length,
                  grid.following or (_NEVER, _NEVER), (bucket, final))
    return Buckets(timeframe, bucket, final, int(count))
