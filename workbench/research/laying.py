"""Bars and expressions laid on the base grid: what the engine reads, as arrays (rules B3, B4, B8).

Nothing here decides: an instant's flags come from the timetable, a signal from the expressions, a price from its
bar.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from workbench.engine.records import Market, Signals
from workbench.errors import ConfigError
from workbench.expressions.evaluate import Evaluated, evaluate_arrays
from workbench.market.grid import Grid
from workbench.market.timeframe import DAY_NS
from workbench.research.ground import Ground
from workbench.research.packing import pack_bars, pack_condition, rows_of
from workbench.schema import Signal
from workbench.strategy import Strategy

_ROOT_SIGNALS = {
    "entry": Signal.ENTRY,
    "exit": Signal.EXIT,
    "short_entry": Signal.SHORT_ENTRY,
    "short_exit": Signal.SHORT_EXIT,
}


class Input(NamedTuple):
    """What the engine reads, from instant ``first`` of the grid on."""

    grid: Grid
    first: int
    market: Market
    signals: Signals


class Laid:
    """A strategy laid on its ground: what it says, where and when.

    Parameters
    ----------
    strategy : Strategy
        Whose expressions are evaluated.
    ground : Ground
        The bars.
    """

    def __init__(self, strategy: Strategy, ground: Ground) -> None:
        self.strategy, self.ground, self.grid = strategy, ground, ground.grid
        self._cut = strategy.execution == "proxy_close"
        self.strategy_bars = ground.buckets(strategy.bar_timeframe, self._cut)

    def first_instant(self, start: Any) -> int:
        """Index of the interval that opens the first strategy bar at or after ``start`` (B8)."""
        if start is None:
            return 0
        try:
            stamp = pd.Timestamp(start).as_unit("ns")
        except (ValueError, TypeError, AttributeError, OverflowError) as error:  # NaT has no unit
            raise ConfigError(f"start={start!r} is neither a date nor an instant; write 2024-06-30.") from error
        if pd.isna(stamp):
            raise ConfigError(f"start={start!r} is a missing time; write 2024-06-30, or leave it out.")
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
        prices = [self.ground.prices(name)[first:] for name in ("open", "high", "low", "close")]
        return Market(self.ground.times(self.strategy).part(first), *prices)

    def input(self, start: Any, evaluated: Callable[[str], Evaluated] | None = None) -> Input:
        """Everything from ``start`` on; ``evaluated`` as for ``signals``."""
        first = self.first_instant(start)
        return Input(self.grid, first, self.market(first), self.signals(first, evaluated))

    def evaluated(self, name: str) -> Evaluated:
        """What the expressions say of one instrument, evaluated here and now."""
        timeframes = self.strategy.program.timeframes
        columns = {timeframe: self.ground.columns(name, timeframe, self._cut) for timeframe in timeframes}
        return evaluate_arrays(self.strategy.program, columns)

    def signals(self, first: int, evaluated: Callable[[str], Evaluated] | None = None) -> Signals:
        """What the expressions say at strategy closes from instant ``first`` on.

        ``evaluated`` gives their values by instrument, if somebody has them already.
        """
        final = self.strategy_bars.final
        closes, n = int(final.sum()), len(self.ground.data)
        program = self.strategy.program
        flags = np.zeros((closes, n), np.uint8)
        rank = np.full((closes if "rank" in program.roots else 0, n), np.nan)
        atr = np.full((closes if "stop_atr" in program.roots else 0, n), np.nan)
        for k, name in enumerate(self.ground.data):
            found = (evaluated or self.evaluated)(name)
            closed_at = self.ground.columns(name, self.strategy.bar_timeframe, self._cut).closed_at
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
