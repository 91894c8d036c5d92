"""Running the sets of a sweep: what they share is made once, then each goes through the one simulation (rule E9)."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.engine.desk import config_record, flat_state, grown, instrument_records, new_desk, written
from workbench.engine.fitting import check_timeframes, common_grid, instruments_of
from workbench.engine.records import Desk, Records, account_dtype, position_dtype
from workbench.engine.skipping import run_quickly
from workbench.engine.tally import new_tally
from workbench.expressions.evaluate import Evaluation
from workbench.expressions.family import Family
from workbench.market.bars import Bars
from workbench.research.backtest import simulated
from workbench.research.curve import summary_of_tally
from workbench.research.frames import trade_numbers, trades_of
from workbench.research.ground import Ground
from workbench.research.laying import Input, Laid
from workbench.research.result import Result
from workbench.research.stats import Statistic, statistics_of
from workbench.research.sweep.settings import Chosen
from workbench.strategy import Strategy
from workbench.strategy.compiled import expressions_of

#: Statistics that need the equity of every row, and so a run that walks every bar.
WHOLE = frozenset(("turnover",))

#: Room for the decisions of an instant; no more than those are there at once.
ROWS = 64


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
    how : Chosen
        Settings.
    names : sequence of str
        Statistics that are asked for.

    Attributes
    ----------
    evaluations : dict
        By instrument and by whether the proxy close ends the day: the nodes of all strategies, shared.
    """

    def __init__(self, strategies: Sequence[Strategy], ground: Ground, how: Chosen, names: Sequence[str]) -> None:
        self.strategies, self.ground = strategies, ground
        self.costs, self.initial_cash, self.start = how.costs, float(how.initial_cash), how.start
        self.instruments = instruments_of(ground.data)
        self.evaluations: dict[tuple[str, bool], Evaluation] = {}
        self._number: list[int] = [0] * len(strategies)
        self._own = threading.local()
        self._by_product: dict[str, tuple[Records, Records]] = {}
        for strategy in strategies:
            check_timeframes(strategy, ground.grid)
        #: The quick loop knows one instrument, and no mean of equity.
        self.is_quick = len(self.instruments) == 1 and not WHOLE.intersection(names)
        for cut in {_cut(strategy) for strategy in strategies}:
            self._share([i for i, strategy in enumerate(strategies) if _cut(strategy) is cut], cut)

    def _share(self, sets: Sequence[int], cut: bool) -> None:
        families: dict[object, Family] = {}
        programs = []
        for i in sets:
            key = sources, timeframe, atr_length, minutes = expressions_of(self.strategies[i])
            if key not in families:
                families[key] = Family(dict(sources), timeframe, atr_length, minutes)
            programs.append(families[key].outline(self.strategies[i].params))
        timeframes = {one for family in families.values() for one in family.graph.timeframes}
        for number, i in enumerate(sets):
            self._number[i] = number
        for name in self.ground.data:
            columns = {timeframe: self.ground.columns(name, timeframe, cut) for timeframe in timeframes}
            self.evaluations[name, cut] = Evaluation(programs, columns)

    def row(self, i: int) -> Row:
        """Set number ``i``; may be called by several threads, once for each set."""
        strategy = self.strategies[i]
        given = Laid(strategy, self.ground).input(self.start, partial(self._shared, i))
        return self._quick(strategy, given) if self.is_quick else self._whole(strategy, given)

    def _whole(self, strategy: Strategy, given: Input) -> Row:
        run = simulated(strategy, given, self.instruments, self.costs, self.initial_cash)
        result = Result(run, strategy, dict(self.ground.data), self.costs, self.initial_cash, "")
        return Row(result.stats, result.sessions.date, result.sessions.returns)

    def _quick(self, strategy: Strategy, given: Input) -> Row:
        """The same without the statistics of ``WHOLE``, by a loop that passes over bars at which nothing happens."""
        cash = self.initial_cash
        sessions = given.grid.sessions
        course = self.ground.course(strategy, given.market, given.signals)
        desk = self._desk(strategy)
        tally = new_tally(len(sessions), cash)
        at, close = run_quickly(desk, given.market, given.signals, course, tally, 0, 0)
        while at < len(given.market.open):
            desk = self._own.desk = grown(desk)
            at, close = run_quickly(desk, given.market, given.signals, course, tally, at, close)
        year = float(given.grid.calendar.sessions_per_year)
        summary = summary_of_tally(tally, course, sessions.date, cash, year)
        fills, trades = written(desk, "fills"), trade_numbers(trades_of(desk))
        stats = statistics_of(summary, trades, {name: fills[name] for name in ("qty", "price", "charges")})
        for name in WHOLE:
            del stats[name]
        return Row(stats, summary.sessions.date, summary.sessions.returns)

    def _desk(self, strategy: Strategy) -> Desk:
        """A flat desk; each thread has one, whose output each set overwrites."""
        if not hasattr(self._own, "desk"):
            self._own.desk = new_desk(strategy, self.instruments, self.costs, self.initial_cash, decisions=ROWS)
            # As bytes: copying a few of them takes a tenth of the time of copying a record.
            self._own.flat = [one.view(np.uint8) for one in flat_state(len(self.instruments), self.initial_cash)]
        described, rates = self._terms(strategy)
        account, positions = (one.copy() for one in self._own.flat)
        config = config_record(strategy, self.costs.slippage_frac)
        ready: Desk = self._own.desk._replace(
            config=config,
            instruments=described,
            rates=rates,
            account=account.view(account_dtype),
            positions=positions.view(position_dtype),
        )
        return ready

    def _terms(self, strategy: Strategy) -> tuple[Records, Records]:
        """Ticks, lots and rates, which depend on nothing of a set but its product."""
        found = self._by_product.get(strategy.product)
        if found is None:
            found = self._by_product[strategy.product] = instrument_records(strategy, self.instruments, self.costs)
        return found

    def _shared(self, i: int, name: str) -> tuple[Evaluation, int]:
        return self.evaluations[name, _cut(self.strategies[i])], self._number[i]


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
