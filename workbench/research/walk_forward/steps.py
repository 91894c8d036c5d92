"""The folds, one after the other: a sweep over training, a backtest over the test window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from workbench.market.bars import Bars
from workbench.research.backtest import backtest
from workbench.research.result import Result
from workbench.research.sweep import sweep
from workbench.research.sweep.settings import Chosen
from workbench.research.walk_forward.account import Part, idle, traded
from workbench.research.walk_forward.choosing import Choice, choice_of
from workbench.research.walk_forward.folds import Fold
from workbench.research.walk_forward.settings import Taken
from workbench.research.walk_forward.timeline import Timeline
from workbench.strategy import Strategy

#: Statistics below zero where money was lost.
BREAK_EVEN_AT_ZERO = frozenset((
    "total_return_frac", "cagr_frac", "calmar", "sharpe_ann", "sortino_ann", "expectancy", "expectancy_r",
    "avg_trade_frac",
))  # fmt: skip


class Step(NamedTuple):
    """What one fold came to; ``said`` is empty where all went as it should."""

    n_sets: int
    choice: Choice
    values: tuple[Any, ...]
    strategy: Strategy | None
    result: Result | None
    part: Part
    said: str


class Walk:
    """The folds, one after the other.

    Parameters
    ----------
    strategy : Strategy
        The one that is varied.
    data : mapping of str to Bars
        Sorted by name.
    timeline : Timeline
        Of the data.
    asked : Taken
        Settings.
    how : Chosen
        Those of the sweep, with every default in its place.
    search : (mapping, str)
        Values by parameter, and the statistic that ranks.
    """

    def __init__(self, strategy: Strategy, data: Mapping[str, Bars], timeline: Timeline, asked: Taken, how: Chosen,
                 search: tuple[Mapping[str, Sequence[Any]], str]) -> None:  # fmt: skip
        self.strategy, self.data, self.timeline, self.asked, self.how = strategy, data, timeline, asked, how
        self.parameters, self.rank_by = search
        self.sessions_per_year = float(next(iter(data.values())).calendar.sessions_per_year)

    def steps(self, folds: Sequence[Fold]) -> list[Step]:
        """Each fold with the money that the one before it left."""
        found: list[Step] = []
        cash = float(self.how.initial_cash)
        for number, fold in enumerate(folds, start=1):
            found.append(self._step(fold, cash, goes_on=number < len(folds)))
            cash = found[-1].part.equity_left
        return found

    def _step(self, fold: Fold, cash: float, goes_on: bool) -> Step:
        day, name = self.timeline.day, self.rank_by.removeprefix("-")
        given = self.asked.sweep | {"start": f"{day(fold.train.start):%Y-%m-%d}"}
        table = sweep(self.strategy, self._until(fold.train), self.parameters, self.rank_by, **given)
        left_out = [day(number) for one in fold.embargoed for number in one]
        choice = choice_of(table, self.asked.choose, left_out, self.sessions_per_year)
        values: tuple[Any, ...] = (None,) * len(self.parameters)
        if choice.number is None:
            what = f"the plateau of {name}" if self.asked.choose == "plateau" else name
            said = f"{what} is undefined for every set in training: stayed in cash"
            return Step(len(table), choice, values, None, None, self._in_cash(fold, cash), said)
        selected = table.strategy(choice.number)
        values = tuple(table.table.loc[[choice.number], one].tolist()[0] for one in table.parameters)
        if cash <= 0.0:
            said = "no money was left: nothing was traded"
            return Step(len(table), choice, values, selected, None, self._in_cash(fold, cash), said)
        begins = f"{day(fold.test.start):%Y-%m-%d}"
        result = backtest(selected, self._until(fold.test), cash, self.how.costs, begins)
        lost = name in BREAK_EVEN_AT_ZERO and not self.rank_by.startswith("-") and choice.statistic < 0.0
        said = f"the chosen set lost in training ({name} {choice.statistic:.3g})" if lost else ""
        return Step(len(table), choice, values, selected, result, traded(result, goes_on), said)

    def _until(self, sessions: range) -> dict[str, Bars]:
        """All bars up to the last of some sessions: what can be known there."""
        end = self.timeline.day(sessions.stop - 1).date()
        return {name: item.between(None, end) for name, item in self.data.items()}

    def _in_cash(self, fold: Fold, cash: float) -> Part:
        rows = self.timeline.window(fold.test)
        return idle(self.timeline.close_ns[rows], self.timeline.days[rows], cash, self.sessions_per_year)
