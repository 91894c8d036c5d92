"""Facts of every instant that the calendar and the strategy fix beforehand, as flags (rules C3, C4, D6, X1, X2, X4).

Nothing here knows a price. The flags of an instant depend on its session alone, never on where the data
begins or ends, so that a run over a prefix of the data sees the same flags (P2).
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.engine.records import Instant, Times
from workbench.errors import StrategyError
from workbench.jit import njit
from workbench.market.grid import Buckets, Grid
from workbench.market.sessions import DayKind, wall_ns
from workbench.market.timeframe import DAY_NS, MINUTE_NS
from workbench.strategy import Strategy

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

NEVER = np.iinfo(np.int64).max


def timetable(strategy: Strategy, grid: Grid, strategy_bars: Buckets) -> Times:
    """The instants of a grid with their flags; all but these are the columns of the grid.

    Parameters
    ----------
    strategy : Strategy
        Its windows, product and execution.
    grid : Grid
        Base intervals, m of them.
    strategy_bars : Buckets
        Which of them close a strategy bar.

    Returns
    -------
    Times
        Columns of length m.

    Raises
    ------
    StrategyError
        MIS or proxy_close on a base timeframe without an instant exactly at the proxy close of a normal session (X2).
    """
    if strategy.product == "MIS" or strategy.execution == "proxy_close":
        _require_proxy_instant(strategy, grid)
    sessions = grid.sessions
    flatten = flatten_instants(strategy, grid)
    no_entry = flatten.copy()
    if strategy.product == "MIS":
        no_entry = np.minimum(no_entry, sessions.proxy_close_ns)
    if strategy.execution == "proxy_close":
        no_entry = np.minimum(no_entry, sessions.close_ns)
    facts = Facts(
        sessions.open_ns, sessions.close_ns, sessions.sell_end_ns, flatten, no_entry, sessions.known,
        strategy_bars.final, inside_entry_window(strategy, grid),
    )  # fmt: skip
    times = Times(grid.open_ns, grid.close_ns, grid.session, np.empty(len(grid), np.uint8))
    mark(times, facts)
    return times


class Facts(NamedTuple):
    """What flags are made of: one value a session, but for ``final`` and ``in_window``, one an instant."""

    opens: Int64
    closes: Int64
    sell_ends: Int64
    flattens: Int64
    no_entries: Int64
    known: Bool
    final: Bool
    in_window: Bool  # empty when there is no entry window


@njit
def mark(times, facts):  # type: ignore[no-untyped-def]
    """Write the flags of every instant, in one pass."""
    everywhere = len(facts.in_window) == 0
    for i in range(len(times.flags)):
        s = times.session[i]
        close = times.close_ns[i]
        flags = 0
        if times.open_ns[i] == facts.opens[s]:
            flags |= Instant.FIRST.value
        if close == facts.closes[s]:
            flags |= Instant.LAST.value
        if facts.final[i]:
            flags |= Instant.STRATEGY_CLOSE.value
        if close >= facts.flattens[s]:
            flags |= Instant.FLATTEN.value
        if close >= facts.no_entries[s]:
            flags |= Instant.NO_ENTRY.value
        if close <= facts.sell_ends[s]:
            flags |= Instant.SELL_WINDOW.value
        if not facts.known[s]:
            flags |= Instant.UNKNOWN.value
        if everywhere or facts.in_window[i]:
            flags |= Instant.ENTRY_WINDOW.value
        times.flags[i] = flags


def _whole_sessions(grid: Grid) -> Grid:
    """The grid over all of its first and last session, whatever part of them the data covers."""
    return Grid(grid.calendar, grid.timeframe, grid.sessions)


def last_instant_by(grid: Grid, limit_ns: Int64) -> Int64:
    """Of each session, its last base instant at or before ``limit_ns`` (int64[sessions]); its first one if none is."""
    whole = _whole_sessions(grid)
    if not len(whole):
        return np.zeros(0, np.int64)
    first = np.searchsorted(whole.session, np.arange(len(limit_ns)), side="left")
    found = np.searchsorted(whole.close_ns, limit_ns, side="right") - 1
    return np.asarray(whole.close_ns[np.maximum(found, first)], np.int64)


def _require_proxy_instant(strategy: Strategy, grid: Grid) -> None:
    sessions = grid.sessions
    normal = sessions.kind == DayKind.NORMAL
    misses = normal & (last_instant_by(grid, sessions.proxy_close_ns) != sessions.proxy_close_ns)
    if misses.any():
        row = int(np.flatnonzero(misses)[0])
        zone = grid.calendar.zone
        proxy = grid.sessions.session(row, grid.calendar.name, zone).proxy_close
        what = "product MIS" if strategy.product == "MIS" else 'execution "proxy_close"'
        raise StrategyError(
            f"strategy {strategy.name!r}: {what} acts at the proxy close ({proxy:%H:%M} on {proxy:%Y-%m-%d}), "
            f"but no bar of {grid.timeframe} closes then. Run it on base bars that do, for example 5m."
        )


def flatten_instants(strategy: Strategy, grid: Grid) -> Int64:
    """When FORCED_FLATTEN begins in each session, int64[sessions]; NEVER where it does not (X2, X4)."""
    sessions = grid.sessions
    flatten = np.full(len(sessions), NEVER)
    if strategy.product == "MIS":
        flatten = last_instant_by(grid, sessions.proxy_close_ns)
    if strategy.exit_time is not None:
        flatten = np.minimum(flatten, exit_instants(strategy.exit_time, grid))
    return flatten


def exit_instants(exit_time: str, grid: Grid) -> Int64:
    """X4: the wanted instant in each session, int64[sessions]; NEVER where a wall time falls outside it.

    The first grid instant at or after it is the first whose close is not before it, so no rounding is needed.
    """
    sessions = grid.sessions
    before = re.fullmatch(r"-(\d+)m", exit_time)
    if before:
        return np.maximum(sessions.close_ns - int(before[1]) * MINUTE_NS, sessions.open_ns)
    minute = _minute(exit_time)
    at_open = np.full(len(sessions), NEVER)
    found = at_open.copy()
    # A session may run over midnight, named by the day on which it closes (FX) or opens.
    for days_off in (-1, 0, 1):
        wall = wall_ns(sessions.date.astype(np.int64) + days_off, minute, grid.calendar.zone)
        inside = (wall > sessions.open_ns) & (wall <= sessions.close_ns)
        found = np.where(inside, np.minimum(found, wall), found)
        at_open = np.where(wall == sessions.open_ns, wall, at_open)
    # Of a session of 24 hours the wall time of its open is also that of its close, which is meant.
    return np.where(found == NEVER, at_open, found)


def inside_entry_window(strategy: Strategy, grid: Grid) -> Bool:
    """D6: whether each instant lies in the local window ``[a, b)``; no values when there is none."""
    if strategy.entry_window is None:
        return np.empty(0, np.bool_)
    start, stop = (_minute(text) for text in strategy.entry_window)
    day = grid.sessions.date.astype(np.int64)
    midnight = wall_ns(day, np.zeros(len(day), np.int64), grid.calendar.zone)
    minute = ((grid.close_ns - midnight[grid.session]) % DAY_NS) // MINUTE_NS
    if start <= stop:
        return np.asarray((minute >= start) & (minute < stop))
    return np.asarray((minute >= start) | (minute < stop))


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return 60 * int(hour) + int(minute)
