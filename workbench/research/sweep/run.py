"""Running the sets of a sweep: what they share is made once, then each goes through the one simulation (rule E9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.costs import CostModel
from workbench.expressions.evaluate import Evaluated, Evaluation
from workbench.market.bars import Bars
from workbench.market.timeframe import Timeframe
from workbench.research.backtest import simulated
from workbench.research.fitting import check_timeframes, common_grid, instruments_of
from workbench.research.ground import Ground
from workbench.research.laying import Laid
from workbench.research.result import Result
from workbench.research.stats import Statistic
from workbench.strategy import Strategy


class Row(NamedTuple):
    """What one set came to.

    Attributes
    ----------
    stats : dict
        Every statistic of R3.
    dates : int32[sessions]
        Days since 1970-01-01.
    returns : float64[sessions]
        Of each session on the one before it.
    """

    stats: dict[str, Statistic]
    dates: npt.NDArray[np.int32]
    returns: npt.NDArray[np.float64]


class Batch:
    """Some sets over the same bars.

    Parameters
    ----------
    strategies : sequence of Strategy
        One a set, of the same instruments.
    ground : Ground
        Their bars.
    costs : CostModel
    initial_cash : float
        Money.
    start : date, timestamp or str, optional
        As for ``wb.backtest``.

    Attributes
    ----------
    evaluations : dict
        By instrument and by whether the proxy close ends the day: the nodes of all strategies, shared.
    """

    def __init__(
        self, strategies: Sequence[Strategy], ground: Ground, costs: CostModel, initial_cash: float, start: Any
    ) -> None:
        self.strategies, self.ground = strategies, ground
        self.costs, self.initial_cash, self.start = costs, initial_cash, start
        self.instruments = instruments_of(ground.data)
        self.evaluations: dict[tuple[str, bool], Evaluation] = {}
        self._number: list[int] = [0] * len(strategies)
        for strategy in strategies:
            check_timeframes(strategy, ground.grid)
        for cut in {_cut(strategy) for strategy in strategies}:
            self._share([i for i, strategy in enumerate(strategies) if _cut(strategy) is cut], cut)

    def _share(self, sets: Sequence[int], cut: bool) -> None:
        programs = [self.strategies[i].program for i in sets]
        timeframes = {timeframe for program in programs for timeframe in program.timeframes}
        for number, i in enumerate(sets):
            self._number[i] = number
        for name in self.ground.data:
            columns = _Columns(self.ground, name, timeframes, cut)
            self.evaluations[name, cut] = Evaluation(programs, columns)

    def row(self, i: int) -> Row:
        """Set number ``i``; may be called by several threads, once for each set."""
        strategy = self.strategies[i]
        given = Laid(strategy, self.ground).input(self.start, partial(self._evaluated, i))
        run = simulated(strategy, given, self.instruments, self.costs, self.initial_cash)
        result = Result(run, strategy, dict(self.ground.data), self.costs, self.initial_cash, "")
        return Row(result.stats, result.sessions.date, result.sessions.returns)

    def _evaluated(self, i: int, name: str) -> Evaluated:
        return self.evaluations[name, _cut(self.strategies[i])].of(self._number[i])


class _Columns(dict[Timeframe, Any]):
    """Columns of one instrument by timeframe."""

    def __init__(self, ground: Ground, name: str, timeframes: set[Timeframe], cut: bool) -> None:
        super().__init__({timeframe: ground.columns(name, timeframe, cut) for timeframe in timeframes})


def _cut(strategy: Strategy) -> bool:
    return strategy.execution == "proxy_close"


def ground_of(data: Mapping[str, Bars]) -> Ground:
    """The ground of a sweep's bars."""
    return Ground(data, common_grid(data))


def matrix_of(rows: Sequence[Row]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """Dates of the sessions that any set has, and returns float64[sets, sessions], NaN where a set has none."""
    dates = np.unique(np.concatenate([row.dates for row in rows])) if rows else np.empty(0, np.int32)
    returns = np.full((len(rows), len(dates)), np.nan)
    for line, row in zip(returns, rows, strict=True):
        line[np.searchsorted(dates, row.dates)] = row.returns
    return dates.astype(np.int32), returns
