"""The sessions that folds are made of: those in which something traded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.engine.fitting import common_grid
from workbench.errors import ConfigError
from workbench.market.bars import Bars
from workbench.market.timeframe import DAY_NS


class Timeline(NamedTuple):
    """Sessions in which something traded, and the base intervals.

    Attributes
    ----------
    sessions : int32[n]
        Days since 1970-01-01.
    close_ns : int64[m]
        Closes of the base intervals in which an instrument has a bar.
    days : int32[m]
        Of their sessions.
    """

    sessions: npt.NDArray[np.int32]
    close_ns: npt.NDArray[np.int64]
    days: npt.NDArray[np.int32]

    def day(self, number: int) -> pd.Timestamp:
        """Date of a session by its position."""
        return pd.Timestamp(int(self.sessions[number]) * DAY_NS)

    def window(self, sessions: range) -> slice:
        """The intervals of a stretch of sessions."""
        ends = np.searchsorted(self.days, self.sessions[[sessions.start, sessions.stop - 1]])
        return slice(int(ends[0]), int(np.searchsorted(self.days, self.sessions[sessions.stop - 1], side="right")))


def timeline_of(data: Mapping[str, Bars], start: Any) -> Timeline:
    """Sessions with a bar of any instrument, from the date ``start`` on."""
    grid = common_grid(data)
    present = np.zeros(len(grid), np.bool_)
    for item in data.values():
        present[grid.locate(item.ts_ns)] = True
    days = grid.sessions.date[grid.session[present]]
    close_ns = grid.close_ns[present]
    if start is not None:
        try:
            since = pd.Timestamp(start)
        except (ValueError, TypeError) as error:
            raise ConfigError(f"start={start!r} is no date; write 2024-06-30.") from error
        if since.tzinfo is not None or since != since.normalize():
            raise ConfigError(f"start={start!r} is an instant; folds are made of sessions: write a date, 2024-06-30.")
        kept = days >= since.value // DAY_NS
        days, close_ns = days[kept], close_ns[kept]
    return Timeline(np.unique(days), close_ns, days)
