"""A new strategy never waits for a compiler: kernels exist ahead of time, and a strategy is data to them.

Nothing is timed here. Numba's own books are read: how many forms of each kernel there are, and how often a form was
not found in the cache.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import pandas as pd
from numba.core.dispatcher import Dispatcher

import workbench as wb
from tests.bench.bench_table import fresh_process


def dispatchers() -> dict[str, Dispatcher]:
    """Every kernel of the package that has been imported."""
    found = {}
    for module in [module for name, module in sys.modules.items() if name.startswith("workbench")]:
        for value in vars(module).values():
            if isinstance(value, Dispatcher):
                found[f"{value.py_func.__module__}.{value.py_func.__name__}"] = value
    return found


def books() -> dict[str, tuple[int, int]]:
    """Of each kernel: its forms, and how many of them were compiled rather than loaded."""
    return {name: (len(one.signatures), sum(one.stats.cache_misses.values())) for name, one in dispatchers().items()}


def market(seed: int) -> wb.Bars:
    """A few days of a random walk."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, 1_500)))
    opened = np.append(100.0, close[:-1])
    frame = pd.DataFrame(
        {
            "open": opened,
            "high": np.maximum(opened, close),
            "low": np.minimum(opened, close),
            "close": close,
            "volume": 1.0,
        },
        index=pd.date_range("2024-01-01", periods=1_500, freq="5min", tz="UTC", name="ts"),
    )
    return wb.Bars(frame, "5m", "24x7")


def backtest(count: int, **fields: Any) -> wb.Result:
    """Make a strategy and run it, asking for every table."""
    names = tuple(f"24x7:{letter}" for letter in "ABCD"[:count])
    strategy = wb.Strategy(
        **{
            "name": "new",
            "version": "1.0.0",
            "instruments": names,
            "timeframe": "5m",
            "calendar": "24x7",
            "product": "MARGIN",
            **fields,
        }
    )
    result = wb.backtest(strategy, {name: market(k) for k, name in enumerate(names)}, costs=wb.costs.bps(1.0, 1.0))
    assert len(result.equity) == 1_500 and result.stats and len(result.orders) >= len(result.trades)
    return result


#: As different from each other as strategies can be.
NEW: tuple[dict[str, Any], ...] = (
    {"count": 1, "entry": "RSI(7) > 55 AND MACD_HIST(close, 5, 12, 4) > 0", "exit": "CCI(9) < 0", "stop_loss_atr": 2.0},
    {
        "count": 4,
        "entry": "close('1h') > VWAP()",
        "exit": "SUPERTREND_DIR(5, 2) < 0",
        "rank": "ROC(close, 5)",
        "allocation": "RANKING",
        "sizing": wb.CashPerSlot(),
        "max_open_positions": 2,
        "trailing_stop_frac": 0.01,
    },
    {
        "count": 2,
        "direction": "BOTH",
        "entry": "STOCH_K(5, 3) > 60",
        "exit": "STOCH_K(5, 3) < 40",
        "timeframe": "15m",
        "short_entry": "BARS_SINCE(close > open) > 1",
        "short_exit": "COUNT(close > open, 4) > 2",
        "sizing": wb.RiskPerTrade(0.01, 2.0),
        "stop_loss_frac": 0.01,
        "take_profit_frac": 0.01,
        "max_drawdown_frac": 0.4,
    },
    {
        "count": 3,
        "entry": "ZSCORE(close, 20) < -1 OR WILLR(9) < -80",
        "exit": "VALUE_WHEN(close > open, high) < close",
        "direction": "SHORT",
        "exit_time": "-30m",
        "sizing": wb.FixedQty(3.0),
        "cooldown_bars": 2,
        "margin_frac": 0.5,
    },
)


#: A condition that is no comparison.
WITHIN = "close BETWEEN 1 AND 1000000"


def test_E9_a_new_strategy_compiles_nothing() -> None:
    for fields in (
        {"count": 1, "entry": f"close > open AND {WITHIN}", "exit": f"close < open AND {WITHIN}"},
        {
            "count": 2,
            "entry": "close > SMA(close, 3, '1h')",
            "rank": "close",
            "allocation": "RANKING",
            "stop_loss_atr": 1.0,
        },
    ):
        backtest(**fields)
    before = books()
    assert len(before) > 30 and sum(forms for forms, _ in before.values()) > 5
    for fields in NEW:
        backtest(**fields)
    after = books()
    assert {name: after[name] for name in before} == before
    # What is imported only now compiles nothing either.
    assert {name: one for name, one in after.items() if name not in before and one[1]} == {}


IN_A_NEW_PROCESS = """
import json
from tests.bench.test_no_compile import NEW, backtest, books
for fields in NEW:
    backtest(**fields)
print(json.dumps({name: missed for name, (_, missed) in books().items() if missed}))
"""


def test_E9_a_new_process_compiles_nothing_when_the_cache_is_warm() -> None:
    fresh_process(IN_A_NEW_PROCESS)
    compiled = fresh_process(IN_A_NEW_PROCESS)
    assert compiled == {}, f"compiled in spite of the cache: {json.dumps(compiled)}"
