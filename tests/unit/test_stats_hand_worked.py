"""Rule R3 worked by hand: small curves and trade lists whose every statistic fits on paper."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from workbench.research.curve import EquityRows, sessions_of
from workbench.research.stats import statistics

#: Names that the law fixes.
R3_NAMES = (
    "total_return_frac",
    "cagr_frac",
    "max_drawdown_frac",
    "sharpe_ann",
    "sortino_ann",
    "calmar",
    "win_rate_frac",
    "profit_factor",
    "expectancy_r",
    "exposure_frac",
    "turnover",
    "charges",
    "n_trades",
)


def rows_of(equity: list[float], dates: list[int] | None = None, **changed: object) -> EquityRows:
    """Rows with one session each, unless dates say otherwise, from 100 of cash and four sessions a year."""
    values = np.array(equity, dtype=np.float64)
    days, number = np.unique(dates if dates is not None else np.arange(len(values)), return_inverse=True)
    given: dict[str, object] = {
        "equity": values,
        "cash": values.copy(),
        "in_position": np.zeros(len(values), dtype=bool),
        "session": number.astype(np.int32),
        "dates": days.astype(np.int32),
        "initial_cash": 100.0,
        "sessions_per_year": 4.0,
    }
    return EquityRows(**(given | changed))


def trades_of(*rows: tuple[float, float, float, int, bool]) -> pd.DataFrame:
    """Trades from (net_pnl, return_frac, r_multiple, bars_held, is_open)."""
    frame = pd.DataFrame(rows, columns=["net_pnl", "return_frac", "r_multiple", "bars_held", "is_open"])
    return frame.astype({"is_open": bool})


def fills_of(*rows: tuple[float, float, float]) -> pd.DataFrame:
    """Fills from (qty, price, charges)."""
    return pd.DataFrame(rows, columns=["qty", "price", "charges"], dtype=np.float64)


def stats_of(rows: EquityRows, **given: object) -> dict[str, float]:
    """Statistics of rows, without trades and fills unless they are given."""
    return statistics(rows, given.pop("trades", trades_of()), given.pop("fills", fills_of()), **given)


def test_R3_total_return_and_cagr_count_sessions_not_rows() -> None:
    # Two rows in each of two sessions: half a year of four sessions, so 21 % is squared.
    stats = stats_of(rows_of([105.0, 110.0, 115.0, 121.0], dates=[7, 7, 8, 8]))
    assert stats["n_sessions"] == 2
    assert stats["total_return_frac"] == pytest.approx(0.21, rel=1e-15)
    assert stats["cagr_frac"] == pytest.approx(1.21**2 - 1.0, rel=1e-15)
    assert stats["final_equity"] == 121.0


def test_R3_daily_returns_start_from_initial_cash_and_use_the_last_row_of_each_session() -> None:
    sessions = sessions_of(rows_of([90.0, 110.0, 500.0, 99.0], dates=[7, 7, 9, 9]))
    assert sessions.date.tolist() == [7, 9]
    assert sessions.equity.tolist() == [110.0, 99.0]
    assert sessions.returns == pytest.approx([0.10, -0.10], rel=1e-14)


def test_R3_sharpe_and_volatility_use_ddof_1() -> None:
    # Returns +10 %, -10 %, +20 %: mean 1/15, deviations 1/30, -1/6, 2/15, their squares sum to 7/150, over 2.
    stats = stats_of(rows_of([110.0, 99.0, 118.8]))
    deviation = math.sqrt(7.0 / 300.0)
    assert stats["volatility_ann"] == pytest.approx(deviation * 2.0, rel=1e-12)
    assert stats["sharpe_ann"] == pytest.approx((1.0 / 15.0) / deviation * 2.0, rel=1e-12)


def test_R3_sortino_downside_is_over_all_days() -> None:
    # One loss of 10 % among three sessions: downside sqrt(0.01 / 3), not sqrt(0.01 / 1).
    stats = stats_of(rows_of([110.0, 99.0, 118.8]))
    assert stats["sortino_ann"] == pytest.approx((1.0 / 15.0) / math.sqrt(0.01 / 3.0) * 2.0, rel=1e-12)


def test_R3_risk_free_is_a_year_taken_evenly_from_sessions() -> None:
    # 8 % a year of four sessions is 2 % a session: excess +8 %, -12 %, +18 %, mean 14/300.
    stats = stats_of(rows_of([110.0, 99.0, 118.8]), risk_free_ann=0.08)
    assert stats["sharpe_ann"] == pytest.approx((14.0 / 300.0) / math.sqrt(7.0 / 300.0) * 2.0, rel=1e-12)
    assert stats["sortino_ann"] == pytest.approx((14.0 / 300.0) / math.sqrt(0.0144 / 3.0) * 2.0, rel=1e-12)


@pytest.mark.parametrize(("zone_per_year"), [252.0, 248.0, 260.0, 365.0])
def test_R3_annualised_by_the_calendar(zone_per_year: float) -> None:
    stats = stats_of(rows_of([110.0, 99.0, 118.8], sessions_per_year=zone_per_year))
    assert stats["sharpe_ann"] == pytest.approx((1.0 / 15.0) / math.sqrt(7.0 / 300.0) * math.sqrt(zone_per_year))
    assert stats["cagr_frac"] == pytest.approx(1.188 ** (zone_per_year / 3.0) - 1.0)


def test_R2_drawdown_peak_starts_at_initial_cash() -> None:
    rows = rows_of([80.0, 90.0, 120.0, 60.0, 119.0, 130.0])
    assert rows.drawdown_frac == pytest.approx([-0.2, -0.1, 0.0, -0.5, -1.0 / 120.0, 0.0], rel=1e-14, abs=1e-15)


def test_R3_max_drawdown_is_negative_and_over_every_row() -> None:
    # The session ends at 100, having been at 75 inside: only the rows know.
    stats = stats_of(rows_of([75.0, 100.0, 110.0], dates=[1, 1, 2]))
    assert stats["max_drawdown_frac"] == pytest.approx(-0.25, rel=1e-15)
    assert stats["longest_drawdown_sessions"] == 0


def test_R3_longest_drawdown_counts_consecutive_sessions_closing_below_the_peak() -> None:
    stats = stats_of(rows_of([99.0, 101.0, 100.0, 95.0, 100.5, 101.0, 100.0]))
    assert stats["longest_drawdown_sessions"] == 3


def test_R3_calmar_is_cagr_over_the_depth() -> None:
    stats = stats_of(rows_of([110.0, 99.0, 118.8, 121.0]))
    assert stats["calmar"] == pytest.approx(0.21 / 0.1, rel=1e-12)


def test_R3_win_rate_profit_factor_and_expectancy_leave_open_trades_out() -> None:
    trades = trades_of(
        (30.0, 0.03, 1.5, 4, False),
        (-10.0, -0.01, -0.5, 2, False),
        (-10.0, -0.02, np.nan, 9, False),
        (0.0, 0.0, 0.0, 1, False),
        (500.0, 0.50, 25.0, 100, True),
    )
    stats = stats_of(rows_of([100.0]), trades=trades)
    assert (stats["n_trades"], stats["n_open_trades"]) == (4, 1)
    assert stats["win_rate_frac"] == 0.25
    assert stats["profit_factor"] == 1.5
    assert stats["expectancy_r"] == pytest.approx(1.0 / 3.0)  # three closed trades have an R
    assert stats["expectancy"] == 2.5
    assert (stats["avg_win"], stats["avg_loss"]) == (30.0, -10.0)
    assert (stats["best_trade_frac"], stats["worst_trade_frac"]) == (0.03, -0.02)
    assert stats["avg_trade_frac"] == pytest.approx(0.0)
    assert stats["avg_bars_held"] == 4.0
    assert stats["max_losses_in_a_row"] == 2


def test_R3_profit_factor_without_losses_is_none() -> None:
    stats = stats_of(rows_of([100.0]), trades=trades_of((30.0, 0.03, 1.5, 4, False)))
    assert stats["profit_factor"] is None
    assert stats["win_rate_frac"] == 1.0
    assert stats["avg_loss"] is None


def test_R3_exposure_is_the_share_of_rows_with_a_position() -> None:
    rows = rows_of([100.0, 100.0, 100.0, 100.0], in_position=np.array([False, True, True, True]))
    assert stats_of(rows)["exposure_frac"] == 0.75


def test_R3_turnover_and_charges_are_of_all_fills() -> None:
    # 10·50 bought and 10·60 sold is 1,100, over a mean equity of 110.
    stats = stats_of(rows_of([100.0, 120.0]), fills=fills_of((10.0, 50.0, 1.25), (10.0, 60.0, 2.5)))
    assert stats["turnover"] == pytest.approx(10.0, rel=1e-15)
    assert stats["charges"] == 3.75
    assert stats["n_fills"] == 2


def test_S1_lowest_cash_is_reported_over_equity_rows() -> None:
    rows = rows_of([100.0, 100.0, 100.0], cash=np.array([100.0, -3.5, 40.0]))
    assert stats_of(rows)["lowest_cash"] == -3.5


def test_R3_value_at_risk_is_the_fifth_percentile_and_the_tail_below_it() -> None:
    # Returns -10 %, -9 % ... +10 % in 21 sessions: the 5 % point is the second, the tail holds two.
    steps = np.arange(-10, 11) / 100.0
    stats = stats_of(rows_of(list(100.0 * np.cumprod(1.0 + steps))))
    assert stats["var_95_frac"] == pytest.approx(-0.09, rel=1e-12)
    assert stats["es_95_frac"] == pytest.approx(-0.095, rel=1e-12)
    assert (stats["worst_session_frac"], stats["best_session_frac"]) == (pytest.approx(-0.1), pytest.approx(0.1))


def test_R3_alpha_and_beta_against_a_named_benchmark() -> None:
    # The account moves by twice the index and half a percent a session: beta 2, alpha 2 % a year of four sessions.
    market = np.array([0.01, -0.02, 0.03, 0.0])
    index = pd.Series(
        1000.0 * np.cumprod(np.append(1.0, 1.0 + market)), index=pd.to_datetime(range(9, 14), unit="D"), name="NIFTY 50"
    )
    equity = 100.0 * np.cumprod(1.005 + 2.0 * market)
    stats = stats_of(rows_of(list(equity), dates=[10, 11, 12, 13]), benchmark=index)
    assert stats["benchmark"] == "NIFTY 50"
    assert stats["beta"] == pytest.approx(2.0, rel=1e-12)
    assert stats["alpha_ann"] == pytest.approx(0.02, rel=1e-10)
    assert stats["benchmark_return_frac"] == pytest.approx(np.prod(1.0 + market) - 1.0, rel=1e-12)


def test_R3_benchmark_is_compared_over_the_sessions_both_have() -> None:
    # The index has no value on day 11, so both sides are measured from day 10 to day 12.
    index = pd.Series([100.0, 110.0, 99.0, 108.9], index=pd.to_datetime([9, 10, 12, 13], unit="D"))
    rows = rows_of([110.0, 5.0, 99.0, 108.9], dates=[10, 11, 12, 13])
    stats = stats_of(rows, benchmark=index)
    assert stats["benchmark"] == "benchmark"
    assert stats["beta"] == pytest.approx(1.0, rel=1e-12)
    assert stats["alpha_ann"] == pytest.approx(0.0, abs=1e-12)


def test_R3_every_name_of_the_law_is_there() -> None:
    assert set(R3_NAMES) <= set(stats_of(rows_of([100.0, 101.0])))
