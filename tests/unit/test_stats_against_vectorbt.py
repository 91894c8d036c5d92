"""Rule R3 beside vectorbt's own statistics, where the two define one thing; where they differ, by how much and why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.research.curve import EquityRows
from workbench.research.stats import statistics

vbt = pytest.importorskip("vectorbt", reason="vectorbt is the oracle of this file")

TRADES = pd.DataFrame(
    {"net_pnl": [], "return_frac": [], "r_multiple": [], "bars_held": [], "is_open": []}, dtype=np.float64
)
FILLS = pd.DataFrame({"qty": [], "price": [], "charges": []}, dtype=np.float64)


def random_returns(seed: int, n: int = 400) -> pd.Series[float]:
    """Daily returns with fat tails, indexed by date."""
    rng = np.random.default_rng(seed)
    values = rng.standard_t(4, n) * 0.008 + rng.uniform(-0.001, 0.001)
    return pd.Series(values, index=pd.date_range("2024-01-01", periods=n, freq="D"))


def both(seed: int) -> tuple[dict[str, float], object, pd.Series[float], pd.Series[float]]:
    """Our statistics, vectorbt's accessor, the returns, and the returns of a benchmark."""
    returns, market = random_returns(seed), random_returns(seed + 1000)
    equity = 1e6 * np.cumprod(1.0 + returns.to_numpy())
    days = (returns.index.to_numpy().astype("datetime64[D]").astype(np.int64)).astype(np.int32)
    number, held = np.arange(len(days), dtype=np.int32), np.zeros(len(equity), dtype=bool)
    rows = EquityRows(equity, equity, held, number, days, 1e6, 252.0)
    before = market.index[:1] - pd.Timedelta(days=1)
    closes = pd.Series(np.cumprod(np.append(1.0, 1.0 + market)), index=before.append(market.index), name="X")
    theirs = returns.vbt.returns(freq="1D", year_freq="252D")
    return statistics(rows, TRADES, FILLS, benchmark=closes), theirs, returns, market


@pytest.mark.parametrize("seed", range(5))
def test_R3_daily_risk_statistics_agree_with_vectorbt(seed: int) -> None:
    ours, theirs, _, market = both(seed)
    assert ours["total_return_frac"] == pytest.approx(theirs.total(), rel=1e-9)
    assert ours["cagr_frac"] == pytest.approx(theirs.annualized(), rel=1e-9)
    assert ours["volatility_ann"] == pytest.approx(theirs.annualized_volatility(ddof=1), rel=1e-9)
    assert ours["sharpe_ann"] == pytest.approx(theirs.sharpe_ratio(ddof=1), rel=1e-9)
    assert ours["sortino_ann"] == pytest.approx(theirs.sortino_ratio(), rel=1e-9)
    assert ours["var_95_frac"] == pytest.approx(theirs.value_at_risk(cutoff=0.05), rel=1e-9)
    assert ours["es_95_frac"] == pytest.approx(theirs.cond_value_at_risk(cutoff=0.05), rel=1e-9)
    assert ours["beta"] == pytest.approx(theirs.beta(market), rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_R3_alpha_is_summed_over_the_year_where_vectorbt_compounds_it(seed: int) -> None:
    # Sharpe and alpha then belong together: both are means of a session times the sessions of a year.
    ours, theirs, _, market = both(seed)
    compounded = (1.0 + ours["alpha_ann"] / 252.0) ** 252.0 - 1.0
    assert compounded == pytest.approx(theirs.alpha(market), rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_R2_drawdown_agrees_with_vectorbt_which_also_starts_at_the_initial_cash(seed: int) -> None:
    ours, theirs, _, _ = both(seed)
    assert ours["max_drawdown_frac"] == pytest.approx(theirs.max_drawdown(), rel=1e-9)
    assert ours["calmar"] == pytest.approx(theirs.calmar_ratio(), rel=1e-9)
