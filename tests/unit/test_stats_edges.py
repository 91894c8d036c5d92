"""Rule R3 at its edges: what is undefined is None, never NaN or infinite, and rounding is not a risk."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.research.curve import EquityRows, drawdown, sessions_of
from workbench.research.stats import statistics

TRADES = pd.DataFrame(
    {"net_pnl": [], "return_frac": [], "r_multiple": [], "bars_held": [], "is_open": []}, dtype=np.float64
)
FILLS = pd.DataFrame({"qty": [], "price": [], "charges": []}, dtype=np.float64)


def rows_of(equity: list[float], dates: list[int] | None = None) -> EquityRows:
    """Rows of one session each unless dates say otherwise, from 100 of cash."""
    values = np.array(equity, dtype=np.float64)
    days, number = np.unique(dates if dates is not None else np.arange(len(values)), return_inverse=True)
    held = np.zeros(len(values), dtype=bool)
    return EquityRows(values, values, held, number.astype(np.int32), days.astype(np.int32), 100.0, 252.0)


def stats_of(rows: EquityRows, **given_: object) -> dict[str, object]:
    """Statistics without trades or fills."""
    return statistics(rows, TRADES, FILLS, **given_)


def test_R3_no_rows_at_all() -> None:
    stats = stats_of(rows_of([]))
    assert stats["final_equity"] == 100.0
    assert (stats["n_sessions"], stats["n_trades"], stats["n_open_trades"], stats["n_fills"]) == (0, 0, 0, 0)
    undefined = {name for name, value in stats.items() if value is None}
    assert undefined >= {
        "total_return_frac",
        "cagr_frac",
        "max_drawdown_frac",
        "sharpe_ann",
        "exposure_frac",
        "turnover",
    }


def test_R3_one_session_has_a_return_and_no_deviation() -> None:
    stats = stats_of(rows_of([101.0]))
    assert stats["total_return_frac"] == pytest.approx(0.01)
    assert stats["sharpe_ann"] is None
    assert stats["volatility_ann"] is None


def test_R3_an_account_that_never_moves() -> None:
    stats = stats_of(rows_of([100.0] * 30))
    assert (stats["total_return_frac"], stats["volatility_ann"], stats["max_drawdown_frac"]) == (0.0, 0.0, 0.0)
    assert stats["sharpe_ann"] is stats["sortino_ann"] is stats["calmar"] is stats["profit_factor"] is None
    assert stats["turnover"] == 0.0


def test_R3_rounding_of_sums_is_not_a_risk() -> None:
    # One and the same money, added up in different orders.
    noise = [100.0 * (1.0 + k * 2.2e-16) for k in (0, 1, -1, 2, 0, -2, 1)]
    stats = stats_of(rows_of(noise))
    assert stats["sharpe_ann"] is None
    assert stats["calmar"] is None
    assert (stats["max_drawdown_frac"], stats["longest_drawdown_sessions"]) == (0.0, 0)


def test_R3_a_steady_gain_has_no_sharpe_and_no_sortino() -> None:
    stats = stats_of(rows_of([100.0 * 1.001**k for k in range(1, 40)]))
    assert stats["sharpe_ann"] is None
    assert stats["sortino_ann"] is None
    assert stats["cagr_frac"] == pytest.approx(1.001**252 - 1.0)


def test_R3_ruin_is_minus_one_and_debt_has_no_rate() -> None:
    ruined = stats_of(rows_of([50.0, 0.0]))
    assert ruined["cagr_frac"] == -1.0
    assert ruined["max_drawdown_frac"] == -1.0
    in_debt = stats_of(rows_of([50.0, -10.0]))
    assert in_debt["cagr_frac"] is None
    assert in_debt["max_drawdown_frac"] == pytest.approx(-1.1)


def test_R3_a_return_from_a_debt_leaves_the_deviations_undefined() -> None:
    stats = stats_of(rows_of([50.0, -10.0, 20.0, 30.0]))
    assert stats["sharpe_ann"] is stats["sortino_ann"] is stats["volatility_ann"] is stats["var_95_frac"] is None
    assert stats["total_return_frac"] == pytest.approx(-0.7)


def test_R3_a_rate_too_large_for_a_float_is_none() -> None:
    assert stats_of(rows_of([1e9]))["cagr_frac"] is None


def test_R3_a_tail_of_less_than_one_session_is_none() -> None:
    moving = [100.0 + k % 3 for k in range(20)]
    assert stats_of(rows_of(moving[:19]))["var_95_frac"] is None
    assert stats_of(rows_of(moving))["var_95_frac"] is not None


@pytest.mark.parametrize(
    "values",
    [[], [100.0], [100.0, 100.0, 100.0, 100.0], [100.0, 0.0, 50.0, 60.0], [np.nan, np.nan, 7.0, np.nan]],
    ids=["empty", "one", "flat", "through zero", "one value"],
)
def test_R3_a_benchmark_that_says_nothing(values: list[float]) -> None:
    index = pd.to_datetime(range(9, 9 + len(values)), unit="D")
    benchmark = pd.Series(values, index=index, name="X", dtype=np.float64)
    stats = stats_of(rows_of([101.0, 102.0, 99.0], dates=[10, 11, 12]), benchmark=benchmark)
    assert (stats["benchmark"], stats["alpha_ann"], stats["beta"]) == ("X", None, None)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York"])
def test_R3_a_benchmark_is_matched_by_its_local_date(zone: str) -> None:
    values = [100.0, 101.0, 99.0, 104.0]
    plain = pd.Series(values, index=pd.to_datetime(range(9, 13), unit="D"), name="X")
    zoned = pd.Series(values, index=plain.index.tz_localize(zone), name="X")
    rows = rows_of([101.0, 102.0, 99.0], dates=[10, 11, 12])
    assert stats_of(rows, benchmark=zoned) == stats_of(rows, benchmark=plain)


def test_R3_rows_that_break_their_promise_stop_at_once() -> None:
    with pytest.raises(AssertionError, match="session falls"):
        rows_of([100.0, 100.0], dates=[2, 1])
    with pytest.raises(AssertionError, match="unequal length"):
        EquityRows(np.ones(2), np.ones(1), np.zeros(2, dtype=bool), *np.zeros((2, 2), dtype=np.int32), 1.0, 252.0)


money = st.floats(min_value=-1e6, max_value=1e9, allow_nan=False)


@given(st.lists(st.tuples(money, st.integers(0, 2)), max_size=60))
def test_R3_whatever_happens_nothing_is_nan_or_infinite(path: list[tuple[float, int]]) -> None:
    dates = list(np.cumsum([step for _, step in path], dtype=np.int64))
    stats = stats_of(rows_of([value for value, _ in path], dates=dates))
    assert all(value is None or math.isfinite(value) for value in stats.values())


@given(st.lists(st.floats(min_value=-1e6, max_value=1e9, allow_nan=False), min_size=1, max_size=60))
def test_R2_drawdown_is_the_plain_definition(path: list[float]) -> None:
    equity = np.array(path)
    expected = [equity[i] / max(100.0, *path[: i + 1]) - 1.0 for i in range(len(path))]
    assert drawdown(equity, 100.0).tolist() == expected


@given(st.lists(st.tuples(st.floats(1.0, 1e6), st.integers(0, 2)), min_size=1, max_size=60))
def test_R3_session_returns_compound_to_the_whole(path: list[tuple[float, int]]) -> None:
    dates = list(np.cumsum([step for _, step in path], dtype=np.int64))
    sessions = sessions_of(rows_of([value for value, _ in path], dates=dates))
    assert len(sessions.date) == len(set(dates))
    assert np.prod(1.0 + sessions.returns) == pytest.approx(path[-1][0] / 100.0, rel=1e-9)
