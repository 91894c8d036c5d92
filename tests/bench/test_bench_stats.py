"""How long the statistics of a long result take: a million rows of equity in at most 15 ms."""

from __future__ import annotations

import statistics as plain
import time

import numpy as np
import pandas as pd
import pytest

from workbench.research.curve import EquityRows
from workbench.research.stats import statistics

ROWS, TRADES, BARS_IN_SESSION = 1_000_000, 20_000, 75


def tables(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Trades and fills with the columns that statistics read."""
    columns = ("net_pnl", "return_frac", "r_multiple")
    trades = pd.DataFrame({name: rng.normal(size=TRADES) for name in columns})
    trades["bars_held"], trades["is_open"] = np.arange(TRADES), False
    fills = pd.DataFrame({name: rng.uniform(1.0, 2.0, 2 * TRADES) for name in ("qty", "price", "charges")})
    return trades, fills


@pytest.mark.bench
def test_a_million_rows_of_equity_in_15_ms() -> None:
    rng = np.random.default_rng(7)
    equity = 1e6 * np.exp(np.cumsum(rng.normal(0.0, 1e-4, ROWS)))
    sessions = (np.arange(ROWS) // BARS_IN_SESSION).astype(np.int32)
    dates = np.arange(sessions[-1] + 1, dtype=np.int32)
    trades, fills = tables(rng)
    seconds = []
    for _ in range(12):
        rows = EquityRows(equity, equity, equity > 1e6, sessions, dates, 1e6, 248.0)
        start = time.perf_counter()
        statistics(rows, trades, fills)
        seconds.append(time.perf_counter() - start)
    median_ms = plain.median(seconds[2:]) * 1e3
    print(f"\nstatistics of {ROWS:,} equity rows: {median_ms:.1f} ms")
    assert median_ms <= 15.0
