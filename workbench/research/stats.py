"""Rule R3: the numbers that sum up a result.

How it works: every row of equity gives the drawdown, the exposure and the lowest cash; one return a session gives
everything with a deviation in it; trades and fills give the rest.

Invariants: a statistic that cannot be computed is ``None``, never NaN or infinite; losses are negative
(``max_drawdown_frac``, ``var_95_frac``, ``worst_trade_frac``); an open trade counts in ``n_open_trades``, ``charges``,
equity and what is computed from equity, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.engine.tally import ROUNDING_FRAC
from workbench.research.curve import (
    EquityRows,
    FloatArray,
    Sessions,
    Summary,
    is_flat,
    is_one_number,
    returns_from,
    summary_of,
)
from workbench.research.moments import longest_run, spread_of, tail_of, traded_of

Statistic: TypeAlias = float | int | str | None

#: Columns of equal length by name: a DataFrame, or arrays.
Columns: TypeAlias = pd.DataFrame | Mapping[str, npt.NDArray[Any]]

#: A 5 % tail of fewer sessions than this holds not even one whole session.
TAIL_MIN_SESSIONS = 20

#: What stays undefined together when there is no session, or a return from zero or a debt.
RISK_NAMES = (
    "volatility_ann",
    "sharpe_ann",
    "sortino_ann",
    "var_95_frac",
    "es_95_frac",
    "best_session_frac",
    "worst_session_frac",
)


def statistics(
    rows: EquityRows,
    trades: pd.DataFrame,
    fills: pd.DataFrame,
    risk_free_ann: float = 0.0,
    benchmark: pd.Series[float] | None = None,
) -> dict[str, Statistic]:
    """Sum up one result (rule R3).

    Parameters
    ----------
    rows : EquityRows
        Equity, row by row.
    trades, fills : DataFrame
        With the columns of rule N5.
    risk_free_ann : float
        Risk-free return of a year, fraction, taken evenly from each session.
    benchmark : Series, optional
        Closing values indexed by session date (a time zone is dropped, never converted); its ``name`` is reported. The
        last value before the first session, if there is one, is where the benchmark's first return starts.

    Returns
    -------
    dict
        Name to float, int, text (the benchmark's name) or None where the statistic is undefined. Fractions, never
        percent; money in the account's currency.
    """
    summary = summary_of(rows)
    found = statistics_of(summary, trades, fills, risk_free_ann)
    if benchmark is not None:
        found |= _against(rows, summary.sessions, risk_free_ann, benchmark)
    assert all(v is None or isinstance(v, str) or np.isfinite(v) for v in found.values()), f"not finite: {found}"
    return found


def statistics_of(
    summary: Summary, trades: Columns, fills: Columns, risk_free_ann: float = 0.0
) -> dict[str, Statistic]:
    """Sum up a result whose rows are added up already; see ``statistics``. Trades and fills are columns by name."""
    found = _growth(summary)
    found |= _risk(summary, risk_free_ann)
    found |= _activity(summary, fills)
    found |= _trade_statistics(trades)
    return found


def _growth(summary: Summary) -> dict[str, Statistic]:
    n = len(summary.sessions.date)
    growth = summary.final / summary.initial_cash
    # An account that owes money has no rate of growth; a rate of so few sessions that it overflows says nothing either.
    cagr = None
    if n and growth >= 0.0:
        with np.errstate(over="ignore"):
            cagr = _finite(float(np.power(growth, summary.sessions_per_year / n)) - 1.0)
    deepest = _unrounded(summary.deepest) if summary.n_rows else None
    return {
        "n_sessions": n,
        "initial_cash": float(summary.initial_cash),
        "final_equity": float(summary.final),
        "total_return_frac": growth - 1.0 if n else None,
        "cagr_frac": cagr,
        "max_drawdown_frac": deepest,
        "longest_drawdown_sessions": longest_run(summary.below),
        "calmar": _ratio(cagr, -deepest) if cagr is not None and deepest is not None else None,
        "lowest_cash": float(summary.lowest_cash) if summary.n_rows else None,
    }


def _risk(summary: Summary, risk_free_ann: float) -> dict[str, Statistic]:
    found: dict[str, Statistic] = dict.fromkeys(RISK_NAMES)
    returns = summary.sessions.returns
    # A return from zero or a debt is not a number; one such session leaves the whole family undefined.
    if len(returns) == 0 or not np.isfinite(returns).all():
        return found
    if len(returns) == 1:
        found["best_session_frac"] = found["worst_session_frac"] = float(returns[0])
        return found
    year = float(np.sqrt(summary.sessions_per_year))
    spread = spread_of(returns, risk_free_ann / summary.sessions_per_year)
    found["best_session_frac"], found["worst_session_frac"] = spread.greatest, spread.least
    deviation = 0.0 if is_one_number(spread.least, spread.greatest) else spread.deviation
    found["volatility_ann"] = deviation * year
    found["sharpe_ann"] = _ratio(spread.mean * year, deviation)
    # Over all sessions, those without a loss counting as zero (Sortino and van der Meer), not over the losing ones.
    found["sortino_ann"] = _ratio(spread.mean * year, _unrounded(spread.downside))
    if len(returns) >= TAIL_MIN_SESSIONS:
        found["var_95_frac"], found["es_95_frac"] = tail_of(returns, 0.05)
    return found


def _activity(summary: Summary, fills: Columns) -> dict[str, Statistic]:
    notional = float((_numbers(fills, "qty") * _numbers(fills, "price")).sum())
    charges = _numbers(fills, "charges")
    return {
        "exposure_frac": float(summary.held_rows / summary.n_rows) if summary.n_rows else None,
        "turnover": _ratio(notional, summary.mean_equity) if summary.mean_equity > 0.0 else None,
        "charges": float(charges.sum()),
        "n_fills": len(charges),
    }


def _trade_statistics(trades: Columns) -> dict[str, Statistic]:
    is_open = np.ascontiguousarray(trades["is_open"], dtype=bool)
    net, returns = _numbers(trades, "net_pnl"), _numbers(trades, "return_frac")
    traded = traded_of(net, returns, _numbers(trades, "r_multiple"), _numbers(trades, "bars_held"), is_open)
    return {
        "n_trades": traded.n,
        "n_open_trades": traded.n_open,
        "win_rate_frac": _ratio(traded.n_won, traded.n),
        "profit_factor": _ratio(traded.won, -traded.lost),
        "expectancy_r": _known(traded.mean_r),
        "expectancy": _known(traded.mean_net),
        "avg_win": _known(traded.mean_won),
        "avg_loss": _known(traded.mean_lost),
        "avg_trade_frac": _known(traded.mean_return),
        "best_trade_frac": _known(traded.best),
        "worst_trade_frac": _known(traded.worst),
        "avg_bars_held": _known(traded.mean_held),
        "max_losses_in_a_row": traded.losses_in_a_row,
    }


def _against(
    rows: EquityRows, sessions: Sessions, risk_free_ann: float, benchmark: pd.Series[float]
) -> dict[str, Statistic]:
    """Regress the result's session returns on the benchmark's, over the sessions both have."""
    name = "benchmark" if benchmark.name is None else str(benchmark.name)
    found: dict[str, Statistic] = {"benchmark": name, "benchmark_return_frac": None, "alpha_ann": None, "beta": None}
    dates, values = _benchmark_values(benchmark)
    both, ours, theirs = np.intersect1d(sessions.date, dates, assume_unique=True, return_indices=True)
    if len(both) == 0:
        return found
    account, market = sessions.equity[ours], values[theirs]
    start = int(np.searchsorted(dates, sessions.date[0])) - 1
    if start >= 0:
        account, market = np.append(rows.initial_cash, account), np.append(values[start], market)
    if len(market) < 2:
        return found
    per_session = risk_free_ann / rows.sessions_per_year
    mine = returns_from(account[1:], float(account[0])) - per_session
    other = returns_from(market[1:], float(market[0])) - per_session
    if not np.isfinite(other).all():
        return found
    found["benchmark_return_frac"] = float(market[-1] / market[0] - 1.0)
    if len(mine) < 2 or not np.isfinite(mine).all() or is_flat(other):
        return found
    beta = float(np.cov(mine, other, ddof=1)[0, 1] / np.var(other, ddof=1))
    found["beta"] = beta
    found["alpha_ann"] = float((mine.mean() - beta * other.mean()) * rows.sessions_per_year)
    return found


def _benchmark_values(benchmark: pd.Series[float]) -> tuple[npt.NDArray[np.int64], FloatArray]:
    index = pd.DatetimeIndex(benchmark.index).tz_localize(None).normalize()
    values = pd.Series(benchmark.to_numpy(dtype=np.float64, na_value=np.nan), index=index).dropna().sort_index()
    values = values[~values.index.duplicated(keep="last")]
    days = values.index.to_numpy().astype("datetime64[D]").astype(np.int64)
    return days, np.asarray(values, dtype=np.float64)


def _numbers(columns: Columns, name: str) -> FloatArray:
    return np.ascontiguousarray(columns[name], dtype=np.float64)


def _unrounded(fraction: float) -> float:
    return fraction if abs(fraction) > ROUNDING_FRAC else 0.0


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def _ratio(above: float, below: float) -> float | None:
    return _finite(float(above) / float(below)) if below else None


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
