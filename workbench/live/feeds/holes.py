"""Intervals without a bar between bars that are there (rule B7; pure)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from workbench.market.calendar import Calendar
from workbench.market.grid import build_grid
from workbench.market.sessions import Int64, date_of
from workbench.market.timeframe import DAY_NS, Timeframe


class EmptyStretch(NamedTuple):
    """Intervals without a bar that follow each other in one session.

    Attributes
    ----------
    ts_ns : int
        The stamp that a bar of the first one would have.
    what : str
        How many there are, and from when to when in the exchange's zone.
    """

    ts_ns: int
    what: str


def empty_stretches(ts_ns: Int64, timeframe: Timeframe, calendar: Calendar) -> list[EmptyStretch]:
    """The intervals between the first and the last of some bars in which none of them lies.

    Parameters
    ----------
    ts_ns : int64[n]
        Stamps of the bars, at least one, ascending, all on the grid.
    timeframe, calendar
        Of the bars.
    """
    grid = build_grid(calendar, timeframe, int(ts_ns[0]), int(ts_ns[-1]))
    empty = np.ones(len(grid), np.bool_)
    empty[grid.locate(ts_ns)] = False
    at = np.flatnonzero(empty)
    if not len(at):
        return []
    if timeframe.is_daily:
        days = grid.sessions.date[at].tolist()
        return [EmptyStretch(day * DAY_NS, f"no bar of the session of {date_of(day)}") for day in days]
    broken = (np.diff(at) != 1) | (np.diff(grid.session[at]) != 0)
    first = np.flatnonzero(np.r_[True, broken])
    found = []
    for low, high in zip(at[first].tolist(), at[np.r_[first[1:], len(at)] - 1].tolist(), strict=True):
        start, end = (pd.Timestamp(int(ns), tz="UTC").tz_convert(calendar.zone)
                      for ns in (grid.open_ns[low], grid.close_ns[high]))
        until = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
        count = "1 interval" if low == high else f"{high - low + 1} intervals"
        found.append(EmptyStretch(int(grid.open_ns[low]), f"no bar in {count} of {timeframe}, from "
                                                          f"{start:%Y-%m-%d %H:%M} to {until} {calendar.zone}"))
    return found
