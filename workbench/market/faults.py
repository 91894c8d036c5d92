"""Why a bar is refused, and how to say so when it lies in the wrong place (rules B2, B6; pure)."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.market.calendar import Calendar
from workbench.market.sessions import Int64, date_of
from workbench.market.timeframe import DAY_NS, Timeframe


class Fault(IntEnum):
    """Why a row is refused, or what was done to it."""

    NONE = 0
    STAMP = 1
    PRICE = 2
    RANGE = 3
    VOLUME = 4
    CONFLICT = 5
    DUPLICATE = 6
    CLOSED = 7
    OUTSIDE = 8
    GRID = 9
    JUMP = 10


def place_reasons(ts: Int64, fault: npt.NDArray[np.int8], timeframe: Timeframe, calendar: Calendar) -> list[str]:
    """Where misplaced bars lie, and where bars could lie.

    Parameters
    ----------
    ts : int64[n]
        Stamps that open no interval.
    fault : int8[n]
        ``CLOSED``, ``OUTSIDE`` or ``GRID`` for each.
    timeframe, calendar
        Of the bars.
    """
    if timeframe.is_daily:
        return [f"{calendar.name} is closed on {date_of(int(stamp) // DAY_NS)}" if kind == Fault.CLOSED
                else "a daily bar is stamped 00:00 UTC of its session's date, or at the session's open"
                for stamp, kind in zip(ts, fault, strict=True)]
    if not len(ts):
        return []
    table = calendar.table(int(ts.min() // DAY_NS) - 2, int(ts.max() // DAY_NS) + 2)
    row = np.searchsorted(table.open_ns, ts, side="right") - 1
    starts = pd.DatetimeIndex(table.open_ns, tz="UTC").tz_convert(calendar.zone)
    ends = pd.DatetimeIndex(table.close_ns, tz="UTC").tz_convert(calendar.zone)
    hours = {date_of(day).isoformat(): f", {start:%a %H:%M} to {end:%a %H:%M}"
             for day, start, end in zip(table.date, starts, ends, strict=True)}
    local = pd.DatetimeIndex(ts, tz="UTC").tz_convert(calendar.zone)
    told = []
    for stamp, kind, session, text in zip(ts, fault, row, local.strftime("%Y-%m-%d %a %H:%M:%S"), strict=True):
        date, day, clock = text.split(" ")
        if kind == Fault.CLOSED:
            told.append(f"{calendar.name} is closed on {date} (the bar is at {clock[:5]} local)")
        elif kind == Fault.GRID:
            told.append(f"{clock} local is no opening of a {timeframe} bar: they are counted from "
                        f"{starts[session]:%H:%M}")
        elif session >= 0 and stamp < table.close_ns[session]:
            told.append(f"{day} {clock[:5]} local lies in a pause of the session of {date}")
        else:
            told.append(f"{day} {clock[:5]} local is outside the session of {date}{hours.get(date, '')}")
    return told
