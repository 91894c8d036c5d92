"""Times of a chart: wall times of the exchange, and what is cut out of the time axis (rule B2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from workbench.market.bars import Bars
    from workbench.research.result import Result


@dataclass(frozen=True)
class Clock:
    """Times of one result as a chart shows them: in the exchange's zone, and days only where bars are daily.

    Parameters
    ----------
    bars : Bars
        Any instrument's; they share calendar and timeframe.
    """

    bars: Bars

    def opens(self, bars: Bars) -> pd.DatetimeIndex:
        """Opening instant of each bar, or its session's date."""
        return bars.index.tz_localize(None) if self.bars.timeframe.is_daily else self.wall(bars.index)

    def wall(self, ts: pd.DatetimeIndex) -> pd.DatetimeIndex:
        """Instants as wall time, or as the date of the session they lie in."""
        if not self.bars.timeframe.is_daily:
            return ts.tz_convert(str(self.bars.calendar.zone)).tz_localize(None)
        # Sessions are named by the calendar, not by the date of an instant: an FX session opens the day before.
        first, last = ts.min(), ts.max()
        if ts.empty or pd.isna(first):
            return pd.DatetimeIndex(np.full(len(ts), np.datetime64("NaT", "ns")))
        table = self.bars.calendar.covering(first.value - 1, last.value + 1)
        row = np.searchsorted(table.close_ns, ts.as_unit("ns").asi8).clip(max=len(table) - 1)
        dates = table.date[row].astype("datetime64[D]").astype("datetime64[ns]")
        return pd.DatetimeIndex(np.where(ts.isna(), np.datetime64("NaT", "ns"), dates))

    def breaks(self) -> list[dict[str, Any]]:
        """Stretches of every week and day in which no session has an interval, for a plotly axis."""
        grid = self.bars.grid
        opens, closes = (self.wall(pd.DatetimeIndex(ns, tz="UTC")) for ns in (grid.open_ns, grid.close_ns))
        return breaks_between(opens, closes, self.bars.timeframe.is_daily)

    @property
    def pattern(self) -> str:
        """Format of times in hovers."""
        return "%d %b %Y" if self.bars.timeframe.is_daily else "%d %b %Y %H:%M"


def breaks_between(opens: pd.DatetimeIndex, closes: pd.DatetimeIndex, is_daily: bool) -> list[dict[str, Any]]:
    """What is cut out of a time axis: the days and hours in which nothing opens, for plotly.

    Parameters
    ----------
    opens, closes : DatetimeIndex
        Ends of intervals or of sessions, wall time.
    is_daily : bool
        Whether points are days, which have no hours.
    """
    found: list[dict[str, Any]] = []
    if not (opens.day_of_week >= 5).any():
        found.append({"bounds": ["sat", "mon"]})
    if not is_daily:
        first = float((opens.hour + opens.minute / 60).min())
        last = float((closes.hour + closes.minute / 60).max())
        same_day = bool((opens.normalize() == (closes - pd.Timedelta(1, unit="ns")).normalize()).all())
        if same_day and 0 < first < last:
            # Equity is stamped at the close, and what lies on the edge of a break is not drawn.
            found.append({"bounds": [last + 0.02, first], "pattern": "hour"})
    return found


def clock_of(result: Result) -> Clock:
    """The times of a result, whose instruments share calendar and timeframe."""
    return Clock(next(iter(result.bars.values())))
