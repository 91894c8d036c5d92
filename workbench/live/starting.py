"""Where the decisions of a deployment begin, as it is asked for (rule B8): the same words as in a backtest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from workbench.engine.records import Instant
from workbench.errors import ConfigError
from workbench.live.schedule import schedule_of
from workbench.market.calendar import Calendar
from workbench.market.grid import Grid
from workbench.market.timeframe import DAY_NS
from workbench.strategy import Strategy

#: How a person asks for an entry at the next open, if it is true at the last bar so far.
NOW = "at once"

#: Days within which the next session of a calendar is looked for.
_DAYS_AHEAD = 40


def start_ns_of(start: Any, grid: Grid) -> int:
    """The instant from which decisions begin.

    Parameters
    ----------
    start : date, timestamp, str or None
        A date stands for the open of the first session at or after it; an instant has a zone. None is the end of the
        history: its last bar is the last that is not decided on.
    grid : Grid
        Of the history.

    Raises
    ------
    ConfigError
        It is neither a date nor an instant.
    """
    if start is None:
        return int(grid.close_ns[-1])
    return instant_of(start, grid.calendar, is_daily=grid.timeframe.is_daily)


def is_now(start: Any) -> bool:
    """Whether a person asks to enter at once."""
    return isinstance(start, str) and start.strip().lower() == NOW


def last_bar_of(strategy: Strategy, grid: Grid) -> int:
    """The opening instant of the last strategy bar that is final at the end of a history.

    Decisions that begin there begin with what that bar says, as if the deployment had been there already.

    Raises
    ------
    ConfigError
        No strategy bar is final.
    """
    schedule, end_ns = schedule_of(grid.calendar, grid.timeframe), int(grid.close_ns[-1])
    at_ns = end_ns
    while at_ns > int(grid.open_ns[0]):
        day = schedule.day_after(at_ns - 1)
        if day is None:
            break
        closes, flags = day.grid.close_ns, day.times(strategy).flags
        final = np.flatnonzero(((flags & Instant.STRATEGY_CLOSE) != 0) & (closes <= end_ns))
        if len(final):
            first = int(final[-2]) + 1 if len(final) > 1 else 0
            return int(day.grid.open_ns[first])
        # The session before: what closes before this one opens.
        earlier = grid.close_ns[grid.close_ns <= day.grid.open_ns[0]]
        if not len(earlier):
            break
        at_ns = int(earlier[-1])
    raise ConfigError(f"no bar of {strategy.timeframe} is final in the history of {strategy.name}: give more bars.")


def instant_of(start: Any, calendar: Calendar, is_daily: bool = False) -> int:
    """A date as the open of the first session at or after it, an instant as it is; nanoseconds.

    Parameters
    ----------
    start : date, timestamp or str
        What a person wrote.
    calendar : Calendar
        Whose sessions.
    is_daily : bool
        Whether bars are daily: then midnight UTC is a date, the stamp of such a bar (B1).

    Raises
    ------
    ConfigError
        It is neither, or no session follows within weeks.
    """
    try:
        stamp = pd.Timestamp(start).as_unit("ns")
    except (ValueError, TypeError, AttributeError, OverflowError) as error:  # NaT has no unit
        raise ConfigError(f"start={start!r} is neither a date nor an instant; write 2024-06-30.") from error
    if pd.isna(stamp):
        raise ConfigError(f"start={start!r} is a missing time; write 2024-06-30, or leave it out.")
    if is_daily and stamp.tzinfo is not None and stamp == stamp.tz_convert("UTC").normalize():
        stamp = stamp.tz_convert("UTC").tz_localize(None)
    if stamp.tzinfo is not None:
        return int(stamp.tz_convert("UTC").value)
    if stamp != stamp.normalize():
        raise ConfigError(f"start={start} has a time but no zone; write a date, or a time with its zone.")
    day = stamp.value // DAY_NS
    table = calendar.table(day, day + _DAYS_AHEAD)
    rows = np.flatnonzero(table.date >= day)
    if not len(rows):
        raise ConfigError(f"start={start}: calendar {calendar.name} knows no session within weeks of it.")
    return int(table.open_ns[rows[0]])
