"""Bars and expressions laid on the base grid: what the engine reads, as arrays (rules B3, B4, B8).

Nothing here decides: an instant's flags come from the timetable, a signal from the expressions, a price from its
bar.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.engine.records import Market, Signals
from workbench.engine.timetable import timetable
from workbench.errors import ConfigError
from workbench.expressions.evaluate import evaluate_arrays
from workbench.market.bars import Bars
from workbench.market.grid import Buckets, Grid, buckets
from workbench.market.resample import Columns, resample
from workbench.market.timeframe import DAY_NS, Timeframe
from workbench.research.packing import pack_bars, pack_condition, rows_of
from workbench.schema import Signal
from workbench.strategy import Strategy

_ROOT_SIGNALS = {
    "entry": Signal.ENTRY,
    "exit": Signal.EXIT,
    "short_entry": Signal.SHORT_ENTRY,
    "short_exit": Signal.SHORT_EXIT,
}


class Laid:
    """Bars of some instruments laid on their common grid.

    Parameters
    ----------
    strategy : Strategy
        Whose expressions are evaluated.
    data : mapping of str to Bars
        Sorted by name.
    grid : Grid
        Common to all.
    """

    def __init__(self, strategy: Strategy, data: Mapping[str, Bars], grid: Grid) -> None:
        self.strategy, self.data, self.grid = strategy, data, grid
        self._at = {name: item.at if grid is item.grid else grid.locate(item.ts_ns) for name, item in data.items()}
        proxy = strategy.execution == "proxy_close"
        self._buckets: dict[Timeframe, Buckets] = {}
        for timeframe in {*strategy.program.timeframes, strategy.bar_timeframe}:
            self._buckets[timeframe] = buckets(grid, timeframe, cut_at_proxy=proxy and timeframe.is_daily)
        self.strategy_bars = self._buckets[strategy.bar_timeframe]
        self.times = timetable(strategy, grid, self.strategy_bars)

    def first_instant(self, start: Any) -> int:
        """Index of the interval that opens the first strategy bar at or after ``start`` (B8)."""
        if start is None:
            return 0
        try:
            stamp = pd.Timestamp(start)
        except (ValueError, TypeError) as error:
            raise ConfigError(f"start={start!r} is neither a date nor an instant; write 2024-06-30.") from error
        if self.grid.timeframe.is_daily and stamp.tzinfo is not None and stamp == stamp.tz_convert("UTC").normalize():
            stamp = stamp.tz_convert("UTC").tz_localize(None)  # the stamp of a daily bar is a date label (B1)
        if stamp.tzinfo is None and stamp == stamp.normalize():
            row = int(np.searchsorted(self.grid.sessions.date, stamp.value // DAY_NS))
            if row >= len(self.grid.sessions):
                raise ConfigError(f"start={start} is after the last bar.")
            since = int(self.grid.sessions.open_ns[row])
        elif stamp.tzinfo is None:
            raise ConfigError(f"start={start} has a time but no zone; write a date, or a time with its zone.")
        else:
            since = stamp.tz_convert("UTC").value
        bucket = self.strategy_bars.bucket
        # What follows the proxy close belongs to no bar (-1), and opens none.
        opens = np.append(True, bucket[1:] != bucket[:-1]) & (bucket >= 0)
        opens[0] &= self._first_bar_opens() >= since
        found = np.flatnonzero(opens & (self.grid.open_ns >= since))
        if not len(found):
            raise ConfigError(f"start={start} is after the last bar.")
        return int(found[0])

    def _first_bar_opens(self) -> int:
        """When the first strategy bar opens by the calendar: before the data, if they begin inside it."""
        opened, length = int(self.grid.sessions.open_ns[self.grid.session[0]]), self.strategy.bar_timeframe
        if length.is_daily:
            return opened
        return opened + (int(self.grid.open_ns[0]) - opened) // length.ns * length.ns

    def market(self, first: int) -> Market:
        """Instants and prices from ``first`` on; float64 of shape (instants, instruments), NaN without a bar."""
        prices = [self._prices(name)[first:] for name in ("open", "high", "low", "close")]
        return Market(self.times.part(first), *prices)

    def _prices(self, column: str) -> npt.NDArray[np.float64]:
        m, n = len(self.grid), len(self.data)
        if n == 1:
            item = next(iter(self.data.values()))
            values = getattr(item, column)
            if len(values) == m:
                return np.asarray(values.reshape(m, 1))
        laid = np.full((m, n), np.nan)
        for k, (name, item) in enumerate(self.data.items()):
            laid[self._at[name], k] = getattr(item, column)
        return laid

    def columns(self, name: str) -> dict[Timeframe, Columns]:
        """Closed bars of one instrument on every timeframe that the strategy reads."""
        item = self.data[name]
        return {
            timeframe: resample(item, self._at[name], self.grid, found) for timeframe, found in self._buckets.items()
        }

    def signals(self, first: int) -> Signals:
        """What the expressions say at strategy closes from instant ``first`` on."""
        final = self.strategy_bars.final
        closes, n = int(final.sum()), len(self.data)
        program = self.strategy.program
        flags = np.zeros((closes, n), np.uint8)
        rank = np.full((closes if "rank" in program.roots else 0, n), np.nan)
        atr = np.full((closes if "stop_atr" in program.roots else 0, n), np.nan)
        for k, name in enumerate(self.data):
            columns = self.columns(name)
            found = evaluate_arrays(program, columns)
            closed_at = columns[self.strategy.bar_timeframe].closed_at
            at = np.empty(len(closed_at), np.int32)
            rows_of(final, closed_at, at)
            pack_bars(at, found.warm, flags, k)
            for root, bit in _ROOT_SIGNALS.items():
                if root in found.values:
                    pack_condition(found.values[root], at, int(bit), flags, k)
            if len(rank):
                rank[at, k] = found.values["rank"]
            if len(atr):
                atr[at, k] = found.values["stop_atr"]
        skipped = int(final[:first].sum())
        return Signals(flags[skipped:], rank[skipped:], atr[skipped:])
