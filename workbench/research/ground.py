"""Bars of some instruments on their common base grid: all of it that no expression has a part in (rules B2 to B4).

A backtest needs one of each thing here. A sweep needs them again and again, so each is made once and kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from workbench.engine.course import Course, course_of
from workbench.engine.records import Market, Signals, Times
from workbench.engine.timetable import timetable
from workbench.market.bars import Bars
from workbench.market.grid import Buckets, Grid, buckets
from workbench.market.resample import Columns, resample
from workbench.market.timeframe import Timeframe
from workbench.schema import Signal
from workbench.strategy import Strategy

Made = TypeVar("Made")


class Ground:
    """What strategies stand on. May be shared by threads.

    Parameters
    ----------
    data : mapping of str to Bars
        Sorted by name.
    grid : Grid
        Common to all.
    """

    def __init__(self, data: Mapping[str, Bars], grid: Grid) -> None:
        self.data, self.grid = data, grid
        self._kept: dict[object, Any] = {}
        self._lock = threading.RLock()

    def once(self, key: object, make: Callable[[], Made]) -> Made:
        """What ``make`` gives, made for the first who asks for ``key``."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
            found: Made = self._kept[key]
            return found

    def at(self, name: str) -> npt.NDArray[np.int32]:
        """Position of each bar of an instrument in the grid, int32[bars]."""
        item = self.data[name]
        return self.once(("at", name), lambda: item.at if self.grid is item.grid else self.grid.locate(item.ts_ns))

    def buckets(self, timeframe: Timeframe, cut: bool) -> Buckets:
        """Which bar of a timeframe each base interval belongs to; ``cut`` ends daily bars at the proxy close."""
        cut = cut and timeframe.is_daily
        return self.once(("buckets", timeframe, cut), lambda: buckets(self.grid, timeframe, cut_at_proxy=cut))

    def columns(self, name: str, timeframe: Timeframe, cut: bool) -> Columns:
        """Closed bars of one instrument on a timeframe."""
        cut = cut and timeframe.is_daily
        return self.once(
            ("columns", name, timeframe, cut),
            lambda: resample(self.data[name].arrays, self.at(name), self.grid, self.buckets(timeframe, cut)),
        )

    def prices(self, column: str) -> npt.NDArray[np.float64]:
        """One of open, high, low and close at every instant, float64[instants, instruments], NaN without a bar."""
        return self.once(("prices", column), lambda: self._laid(column))

    def _laid(self, column: str) -> npt.NDArray[np.float64]:
        m, n = len(self.grid), len(self.data)
        if n == 1:
            values = getattr(next(iter(self.data.values())).arrays, column)
            if len(values) == m:
                return np.asarray(values.reshape(m, 1))
        laid = np.full((m, n), np.nan)
        for k, (name, item) in enumerate(self.data.items()):
            laid[self.at(name), k] = getattr(item, column)
        return laid

    def market(self, strategy: Strategy, first: int) -> Market:
        """Instants and prices from ``first`` on; float64 of shape (instants, instruments), NaN without a bar."""

        def make() -> Market:
            prices = [self.prices(name)[first:] for name in ("open", "high", "low", "close")]
            return Market(self.times(strategy).part(first), *prices)

        return self.once(("market", *_facts(strategy), first), make)

    def course(self, strategy: Strategy, market: Market, signals: Signals) -> Course:
        """The course of the one instrument's bars, from the first instant of a run on."""
        key = ("course", *_facts(strategy), len(market.open))

        def make() -> Course:
            return course_of(market, (signals.flags[:, 0] & np.uint8(Signal.BAR)) > 0, len(self.grid.sessions))

        return self.once(key, make)

    def times(self, strategy: Strategy) -> Times:
        """The instants with the flags that calendar and strategy fix."""
        own = self.buckets(strategy.bar_timeframe, strategy.execution == "proxy_close")
        return self.once(("times", *_facts(strategy)), lambda: timetable(strategy, self.grid, own))


def _facts(strategy: Strategy) -> tuple[object, ...]:
    """What of a strategy the flags of instants depend on."""
    return strategy.timeframe, strategy.execution, strategy.product, strategy.exit_time, strategy.entry_window
