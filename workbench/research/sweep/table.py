"""What a sweep returns: a table of sets and statistics, ranked, and what can be asked of it."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.errors import ConfigError
from workbench.market.timeframe import DAY_NS
from workbench.research.sweep.plateau import plateau_scores
from workbench.research.sweep.run import Row, matrix_of
from workbench.research.wording import BENCHMARK, GROUPS
from workbench.strategy.checks import suggestion

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.research.result import Result
    from workbench.research.sweep.sets import Space
    from workbench.research.sweep.space import Set
    from workbench.strategy import Strategy

#: Names of all statistics that a result has without a benchmark.
KNOWN = tuple(name for title, members in GROUPS.items() if title != BENCHMARK for name in members)

Statistics = Sequence[str] | str


def checked_names(rank_by: Any, statistics: Statistics) -> tuple[str, ...]:
    """Columns of statistics, that of the rank among them; ConfigError for one that does not exist."""
    asked = KNOWN if statistics == "all" else (statistics,) if isinstance(statistics, str) else tuple(statistics)
    ranked = rank_by.removeprefix("-") if isinstance(rank_by, str) else rank_by
    for name in (*asked, ranked):
        if name not in KNOWN:
            near = suggestion(str(name), KNOWN)
            raise ConfigError(f"there is no statistic {name!r}{near}; there are {', '.join(KNOWN)}.")
    return asked if ranked in asked else (ranked, *asked)


class Sweep:
    """Statistics of many parameter sets over the same bars.

    Attributes
    ----------
    parameters : tuple of str
        What was swept.
    rank_by : str
        The statistic that ranks; a minus before it says that less is better.
    """

    def __init__(
        self,
        space: Space,
        sets: Sequence[Set],
        rows: Sequence[Row],
        rank_by: str,
        statistics: Sequence[str],
        again: Callable[[Strategy], Result],
    ) -> None:
        self._space, self._sets, self._rows, self._statistics = space, list(sets), list(rows), tuple(statistics)
        self.parameters, self.rank_by, self._again = space.names, rank_by, again

    def __len__(self) -> int:
        return len(self._sets)

    @cached_property
    def _frame(self) -> pd.DataFrame:
        columns: dict[str, Any] = {}
        for at, name in enumerate(self.parameters):
            columns[name] = [one[at] for one in self._sets]
        for name in self._statistics:
            values = [row.stats[name] for row in self._rows]
            whole = all(isinstance(value, int) for value in values)
            columns[name] = np.array(values, np.int64 if whole else np.float64)
        frame = pd.DataFrame(columns)
        frame.index.name = "set"
        return frame

    @cached_property
    def ranking(self) -> npt.NDArray[np.int64]:
        """Numbers of the sets, best first; those whose statistic is undefined last, ties in the order of the sets."""
        values = self._frame[self.rank_by.removeprefix("-")].to_numpy(np.float64)
        better = values if self.rank_by.startswith("-") else -values
        return np.argsort(better, kind="stable")

    @property
    def table(self) -> pd.DataFrame:
        """One row a set, best first; its index is the set's number. Undefined statistics are NaN."""
        return self._frame.iloc[self.ranking].copy()

    @property
    def best(self) -> Strategy:
        """The strategy of the best set."""
        return self.strategy(int(self.ranking[0]))

    def strategy(self, number: int) -> Strategy:
        """The strategy of one set, by the number in the table's index."""
        if not 0 <= number < len(self._sets):
            raise ConfigError(f"there is no set {number}; they are numbered from 0 to {len(self._sets) - 1}.")
        return self._space.strategy_of(dict(zip(self.parameters, self._sets[number], strict=True)))

    def results(self, best: int = 1) -> dict[int, Result]:
        """Trades, equity and all else of the best sets, by number, best first.

        A sweep keeps statistics and session returns of its sets and nothing else; these sets are run once more.

        Parameters
        ----------
        best : int
            How many.

        Returns
        -------
        dict of int to Result
            What ``wb.backtest`` gives for each.
        """
        if best < 1:
            raise ConfigError(f"best={best!r} is a number of sets, 1 or more.")
        return {int(number): self._again(self.strategy(int(number))) for number in self.ranking[:best]}

    @cached_property
    def returns(self) -> pd.DataFrame:
        """Return of each session (rows, by date) of each set (columns, by number); NaN where a set has none."""
        dates, returns = matrix_of(self._rows)
        index = pd.DatetimeIndex((dates.astype(np.int64) * DAY_NS).view("datetime64[ns]"), name="session")
        return pd.DataFrame(returns.T, index=index)

    def plateau(self) -> pd.Series[float]:
        """Of each set the worst rank statistic among itself and its neighbours, best first.

        Neighbours differ in one parameter, by one of its values. A set on a plateau is as good as the land around it;
        a lonely peak is luck.
        """
        name = self.rank_by.removeprefix("-")
        sign = -1.0 if self.rank_by.startswith("-") else 1.0
        scores = sign * plateau_scores(self._sets, sign * self._frame[name].to_numpy(np.float64))
        found = pd.Series(scores, index=self._frame.index, name=f"plateau_{name}")
        return found.iloc[np.argsort(-sign * scores, kind="stable")]

    def heatmap(self, x: str | None = None, y: str | None = None, statistic: str | None = None) -> go.Figure:
        """A statistic over two parameters; of several sets at one place, the best."""
        from workbench.research.sweep.figures import heatmap

        return heatmap(self, x, y, statistic)

    def parallel(self) -> go.Figure:
        """Every set as a line through its parameters to its statistic."""
        from workbench.research.sweep.figures import parallel

        return parallel(self)

    def __repr__(self) -> str:
        name = self.rank_by.removeprefix("-")
        first = int(self.ranking[0])
        said = ", ".join(f"{one}={value!r}" for one, value in zip(self.parameters, self._sets[first], strict=True))
        best = self._rows[first].stats[name]
        figure = "undefined" if best is None else f"{best:.4g}"
        return f"Sweep({len(self):,} sets of {', '.join(self.parameters)}; best {name} {figure} with {said})"

    def _repr_html_(self) -> str:
        shown = self.table.head(10)
        more = f"<p>{len(self) - len(shown):,} more in <code>.table</code></p>" if len(self) > len(shown) else ""
        return f"<p><b>{html.escape(repr(self))}</b></p>{shown.to_html(border=0)}{more}"
