"""Bars and expressions laid on the base grid: what the engine reads, as arrays (rules B3, B4, B8).

Nothing here decides: an instant's flags come from the timetable, a signal from the expressions, a price from its
bar.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.engine.records import Market, Signals
from workbench.errors import ConfigError
from workbench.expressions.evaluate import Evaluation
from workbench.expressions.marks import mark_conditions
from workbench.market.grid import Grid
from workbench.market.timeframe import DAY_NS
from workbench.research.ground import Ground
from workbench.research.packing import rows_of
from workbench.schema import Signal
from workbench.strategy import Strategy

_ROOT_SIGNALS = {
    "entry": int(Signal.ENTRY),
    "exit": int(Signal.EXIT),
    "short_entry": int(Signal.SHORT_ENTRY),
    "short_exit": int(Signal.SHORT_EXIT),
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
        self._bars = strategy.bar_timeframe, self._cut
        self.strategy_bars = ground.buckets(*self._bars)

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
        return self.ground.market(self.strategy, first)

    def input(self, start: Any, shared: Callable[[str], tuple[Evaluation, int]] | None = None) -> Input:
        """Everything from ``start`` on; ``shared`` as for ``signals``."""
        first = self.ground.once(("first", *self._bars, str(start)), lambda: self.first_instant(start))
        return Input(self.grid, first, self.market(first), self.signals(first, shared))

    def alone(self, name: str) -> tuple[Evaluation, int]:
        """Expressions of this strategy alone over the bars of one instrument."""
        program = self.strategy.program
        columns = {timeframe: self.ground.columns(name, timeframe, self._cut) for timeframe in program.timeframes}
        return Evaluation([program], columns), 0

    def signals(self, first: int, shared: Callable[[str], tuple[Evaluation, int]] | None = None) -> Signals:
        """What the expressions say at strategy closes from instant ``first`` on.

        ``shared`` gives an evaluation by instrument, and the number of this strategy in it, if it is one of several.
        """
        final = self.strategy_bars.final
        closes = self.ground.once(("closes", *self._bars), lambda: int(np.count_nonzero(final)))
        found = {name: (shared or self.alone)(name) for name in self.ground.data}
        n, roots = len(found), next(evaluation.programs[number].roots for evaluation, number in found.values())
        flags = np.zeros((closes, n), np.uint8) if n > 1 else np.empty((0, 1), np.uint8)
        rank = np.full((closes if "rank" in roots else 0, n), np.nan)
        atr = np.full((closes if "stop_atr" in roots else 0, n), np.nan)
        for k, (name, (evaluation, number)) in enumerate(found.items()):
            rows = self._rows(name)
            at: Any = slice(None) if rows is None else rows
            if len(rank):
                rank[at, k] = evaluation.value(number, "rank")
            if len(atr):
                atr[at, k] = evaluation.value(number, "stop_atr")
            marks = self._marks(name, evaluation, number)
            if n == 1 and rows is None:
                flags = marks.reshape(-1, 1)
                continue
            if n == 1:
                flags = np.zeros((closes, 1), np.uint8)
            flags[at, k] = marks
        skipped = int(np.count_nonzero(final[:first]))
        return Signals(flags[skipped:], rank[skipped:], atr[skipped:])

    def _rows(self, name: str) -> npt.NDArray[np.int32] | None:
        """Which strategy close each bar of an instrument is; None if every one has its bar."""
        closed_at = self.ground.columns(name, *self._bars).closed_at
        return self.ground.once(("rows", name, *self._bars), lambda: rows_of(self.strategy_bars.final, closed_at))

    def _marks(self, name: str, evaluation: Evaluation, number: int) -> npt.NDArray[np.uint8]:
        """Bits of ``Signal`` for each bar of an instrument."""
        marks = np.full(self.ground.columns(name, *self._bars).n, int(Signal.BAR), np.uint8)
        warm_from = mark_conditions(evaluation, number, _ROOT_SIGNALS, marks)
        marks[warm_from:] |= np.uint8(Signal.WARM)
        return marks
