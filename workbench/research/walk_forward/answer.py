"""What a walk-forward returns: the folds, one account out of sample, and how much of training was left in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from workbench.costs import CostModel
from workbench.market.bars import Bars
from workbench.research.result import Result
from workbench.research.stats import Statistic
from workbench.strategy import Strategy

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class WalkForward:
    """One account, traded in each test window by the set that training before it chose.

    Attributes
    ----------
    strategy : Strategy
        The one that was varied.
    parameters : tuple of str
        What was swept.
    rank_by : str
        The statistic that chose; a minus before it says that less is better.
    folds : DataFrame
        One row a fold: first and last session of training and of test, sets, the chosen values, the statistic in
        sample and out of sample, and what there is to say.
    equity : DataFrame
        Rule R2, out of sample, through all folds.
    borders : tuple of int
        Number of the row of equity with which each fold begins.
    returns : Series
        Of each session on the one before, by date; what ``wb.significance`` takes.
    trades, fills : DataFrame
        Rule N5, out of sample; ``exit_reason`` WINDOW_END where the end of a test window ended a trade.
    stats : dict
        The statistics of R3 of that account.
    efficiency : float or None
        The rank statistic out of sample over its mean in sample.
    notes : tuple of str
        What the reader should know: folds that stayed in cash, why the efficiency is undefined.
    strategies : tuple of Strategy or None
        The chosen ones by fold.
    results : tuple of Result or None
        Their backtests over the test windows, before a window's end closes what is open.
    bars : mapping of str to Bars
        On what.
    costs : CostModel
        At what cost.
    initial_cash : float
        Money in the beginning.
    """

    strategy: Strategy
    parameters: tuple[str, ...]
    rank_by: str
    folds: pd.DataFrame
    equity: pd.DataFrame
    borders: tuple[int, ...]
    returns: pd.Series[float]
    trades: pd.DataFrame
    fills: pd.DataFrame
    stats: Mapping[str, Statistic]
    efficiency: float | None
    notes: tuple[str, ...]
    strategies: tuple[Strategy | None, ...]
    results: tuple[Result | None, ...]
    bars: Mapping[str, Bars]
    costs: CostModel
    initial_cash: float

    def __len__(self) -> int:
        return len(self.folds)

    def plot(self) -> go.Figure:
        """Equity and drawdown out of sample, with the folds' borders, as one plotly figure."""
        from workbench.research.walk_forward.figures import figure_of

        return figure_of(self)

    def __repr__(self) -> str:
        name = self.rank_by.removeprefix("-")
        found = self.stats[name]
        figure = f"{found:.4g}" if isinstance(found, (int, float)) else "undefined"
        kept = "undefined" if self.efficiency is None else f"{self.efficiency:.3g}"
        folds = f"{len(self)} fold{'s' if len(self) > 1 else ''}"
        return f"WalkForward({self.strategy.name}: {folds}; out of sample {name} {figure}, efficiency {kept})"

    def _repr_html_(self) -> str:
        from workbench.research.walk_forward.figures import card_of

        return card_of(self)
