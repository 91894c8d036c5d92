"""What a backtest returns (section R, rule N4): tables built when asked for, statistics, hash, how it shows itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from workbench.engine.desk import written
from workbench.engine.records import Curve, Desk
from workbench.research import frames
from workbench.research.curve import EquityRows, Sessions, sessions_of
from workbench.research.stats import Statistic, statistics

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.costs import CostModel
    from workbench.market.bars import Bars
    from workbench.strategy import Strategy


@dataclass(frozen=True)
class Run:
    """What the engine was given and what it left behind, before any table is made.

    Attributes
    ----------
    desk : Desk
        After the last instant.
    curve : Curve
        The account at each instant.
    close_ns : int64[m]
        Instants.
    session : int32[m]
        Number of each instant's session.
    dates : int32[sessions]
        Days since 1970-01-01 of the sessions by number.
    traded : bool[m]
        Whether any instrument has a bar in the interval (R2).
    instruments : tuple of str
        Names by index.
    """

    desk: Desk
    curve: Curve
    close_ns: Any
    session: Any
    dates: Any
    traded: Any
    instruments: tuple[str, ...]


class Result:
    """The outcome of one backtest.

    Attributes
    ----------
    strategy : Strategy
        What was traded.
    bars : dict of str to Bars
        On what.
    costs : CostModel
        At what cost.
    initial_cash : float
        Sizing reference, money.
    hash : str
        Of strategy, data, costs and engine: equal hashes mean equal results (R4).
    """

    def __init__(
        self,
        run: Run,
        strategy: Strategy,
        bars: dict[str, Bars],
        costs: CostModel,
        initial_cash: float,
        result_hash: str,
        said: tuple[tuple[int, str, str], ...] = (),
    ) -> None:
        self._run, self._said = run, said
        self.strategy, self.bars, self.costs = strategy, bars, costs
        self.initial_cash, self.hash = initial_cash, result_hash

    @cached_property
    def trades(self) -> pd.DataFrame:
        """One row a trade (R1); open positions last, marked at their last close."""
        return frames.trades_frame(frames.trades_of(self._run.desk), self._run.instruments)

    @cached_property
    def fills(self) -> pd.DataFrame:
        """One row a fill, in the order in which they happened."""
        fills = written(self._run.desk, "fills")
        return frames.fills_frame(fills, self._run.instruments, self._orders.ids())

    @cached_property
    def orders(self) -> pd.DataFrame:
        """One row an order, in the order of sending; protective orders with their last level."""
        return self._orders.frame()

    @cached_property
    def decisions(self) -> pd.DataFrame:
        """One row an instrument and strategy bar (D9), and the extra rows of base instants."""
        return frames.decisions_frame(written(self._run.desk, "decisions"), self._run.instruments)

    @cached_property
    def notes(self) -> pd.DataFrame:
        """What the trader should know of this result: what was left out, and what failed."""
        return frames.notes_frame(written(self._run.desk, "notes"), self._run.instruments, self._said)

    @cached_property
    def equity(self) -> pd.DataFrame:
        """One row a base interval with a bar: cash, position value, equity, drawdown (R2)."""
        rows = self._rows
        return pd.DataFrame(
            {
                "cash": rows.cash,
                "position_value": self._run.curve.position_value[self._kept],
                "equity": rows.equity,
                "drawdown_frac": rows.drawdown_frac,
            },
            index=frames.utc(self._run.close_ns[self._kept]).rename("ts_close"),
            copy=False,
        )

    @cached_property
    def sessions(self) -> Sessions:
        """Equity and return of each session, what R3 annualises."""
        return sessions_of(self._rows)

    @cached_property
    def stats(self) -> dict[str, Statistic]:
        """The statistics of R3; None where one is undefined."""
        return self.statistics()

    def statistics(
        self, risk_free_ann: float = 0.0, benchmark: pd.Series[float] | None = None
    ) -> dict[str, Statistic]:
        """The statistics of R3 against a risk-free rate or a benchmark of your choice."""
        fills = written(self._run.desk, "fills")
        traded = pd.DataFrame({"qty": fills["qty"], "price": fills["price"], "charges": fills["charges"]})
        return statistics(self._rows, self.trades, traded, risk_free_ann, benchmark)

    def plot(self) -> go.Figure:
        """Equity, drawdown, and trades on the price, as one plotly figure."""
        from workbench.research.plots import result_figure

        return result_figure(self)

    def to_vectorbt(self) -> Any:
        """The fills as a vectorbt portfolio, for its analysis and its plots."""
        from workbench.research.vectorbt_bridge import portfolio_from

        return portfolio_from(self)

    def report(self, folder: str) -> Any:
        """Write an HTML report into a folder and return its path."""
        from workbench.research.report import write_report

        return write_report(self, folder)

    @cached_property
    def _kept(self) -> Any:
        """Which instants have a row of equity: all of them as a slice, which copies nothing, or a mask."""
        return slice(None) if self._run.traded.all() else self._run.traded

    @cached_property
    def _orders(self) -> frames.Orders:
        return frames.Orders(written(self._run.desk, "actions"), self._run.instruments, self.strategy.hash)

    @cached_property
    def _rows(self) -> EquityRows:
        run = self._run
        rows = self._kept
        cash = run.curve.cash[rows]
        calendar = next(iter(self.bars.values())).calendar
        return EquityRows(
            cash + run.curve.position_value[rows],
            cash,
            run.curve.held[rows],
            run.session[rows],
            run.dates,
            self.initial_cash,
            float(calendar.sessions_per_year),
        )

    def __repr__(self) -> str:
        names = [*HEADLINE, *(["n_open_trades"] if self.stats["n_open_trades"] else [])]
        shown = (f"{name}={_short(self.stats[name])}" for name in names)
        return f"Result({self.strategy.name} {self.strategy.version}: {', '.join(shown)})"

    def _repr_html_(self) -> str:
        from workbench.research.card import result_card

        return result_card(self)


def run_of(result: Result) -> Run:
    """What the engine was given for a result, and what it left behind."""
    return result._run  # noqa: SLF001 - the one door to it


#: What the one-line form of a result shows.
HEADLINE = ("total_return_frac", "sharpe_ann", "max_drawdown_frac", "n_trades", "win_rate_frac")


def _short(value: Any) -> str:
    if value is None:
        return "undefined"
    if isinstance(value, float):
        return f"{value:,.4f}" if abs(value) < 1000 else f"{value:,.2f}"
    return str(value)


