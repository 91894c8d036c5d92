"""No look-ahead by a coarser timeframe: on pure random walks a strategy of two timeframes earns nothing.

Bars of five minutes around the clock, driftless, no costs, many seeds: the 99 % confidence interval of the mean
Sharpe contains zero. The same strategy on an hourly series that is filled forward without its lag (each five-minute
bar sees the close of the hour it lies in) must come out far above, or the test could not fail.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

import workbench as wb

SEEDS, DAYS = 60, 90
BARS = DAYS * 288
#: Two-sided 99 % of the normal distribution.
Z = 2.576


def walk(seed: int) -> pd.DataFrame:
    """Five-minute bars of a driftless walk whose opens are the closes before."""
    rng = np.random.default_rng(seed)
    step = rng.normal(0.0, 1e-3, BARS)
    # The mean of exp(x) is above 1: taken off, so that the price itself, not its logarithm, has no drift.
    close = 100.0 * np.exp(np.cumsum(step - 0.5e-6))
    opened = np.append(100.0, close[:-1])
    wick = np.abs(rng.normal(0.0, 3e-4, (2, BARS)))
    return pd.DataFrame(
        {
            "open": opened,
            "high": np.maximum(opened, close) * (1 + wick[0]),
            "low": np.minimum(opened, close) * (1 - wick[1]),
            "close": close,
            "volume": 1.0,
        },
        index=pd.date_range("2024-01-01", periods=BARS, freq="5min", tz="UTC", name="ts"),
    )


def strategy(**changes: Any) -> wb.Strategy:
    """Long above the hourly average, short below it, reversing."""
    above, below = "close('1h') > SMA(close, 3, '1h')", "close('1h') < SMA(close, 3, '1h')"
    fields: dict[str, Any] = {
        "name": "two-timeframes",
        "version": "1.0.0",
        "instruments": ("24x7:WALK",),
        "timeframe": "5m",
        "calendar": "24x7",
        "product": "MARGIN",
        "direction": "BOTH",
        "entry": above,
        "exit": below,
        "short_entry": below,
        "short_exit": above,
        "sizing": wb.PercentOfEquity(0.5),
        **changes,
    }
    return wb.Strategy(**fields)


STRATEGIES = {
    "an hour above five minutes": strategy(),
    "a day above an hour above five minutes": strategy(
        entry="close('1h') > SMA(close, 3, '1h') AND close > LAG(close('1d'), 1)",
        exit="close('1h') < SMA(close, 3, '1h')",
        short_entry="close('1h') < SMA(close, 3, '1h') AND close < close('1d')",
        short_exit="close('1h') > SMA(close, 3, '1h')",
    ),
    "half hours, high and low of the hour, trailing stop": strategy(
        timeframe="30m",
        entry="close > high('1h') OR RSI(close, 5, '1h') > 60",
        exit="close < low('1h')",
        short_entry="close < low('1h') OR RSI(close, 5, '1h') < 40",
        short_exit="close > high('1h')",
        trailing_stop_frac=0.01,
    ),
}


def interval(sharpes: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean and the ends of its 99 % confidence interval."""
    mean = float(sharpes.mean())
    half = Z * float(sharpes.std(ddof=1)) / math.sqrt(len(sharpes))
    return mean, mean - half, mean + half


@pytest.mark.parametrize("name", STRATEGIES)
def test_B4_a_coarser_timeframe_earns_nothing_on_random_walks(name: str) -> None:
    sharpes = []
    for seed in range(SEEDS):
        result = wb.backtest(STRATEGIES[name], wb.Bars(walk(seed), "5m", "24x7"))
        assert result.stats["n_trades"] > 50
        sharpes.append(result.stats["sharpe_ann"])
    mean, low, high = interval(np.array(sharpes, dtype=float))
    print(f"\n{name}: mean Sharpe {mean:+.2f}, 99 % interval {low:+.2f} to {high:+.2f} over {SEEDS} walks")
    assert low < 0.0 < high


def naive_sharpe(frame: pd.DataFrame) -> float:
    """The first strategy with the hour's close filled forward from the hour's first bar on, by pandas."""
    hourly = frame["close"].resample("1h").last()
    signal = np.sign(hourly - hourly.rolling(3).mean()).reindex(frame.index, method="ffill")
    # Decided at a close, filled at the next open, which is that close: held over the next bar.
    earned = signal.shift(1) * (frame["close"] / frame["open"] - 1.0) * 0.5
    daily = earned.fillna(0.0).resample("1D").sum()
    return float(daily.mean() / daily.std(ddof=1) * math.sqrt(365))


def test_B4_a_naive_forward_fill_earns_much_on_the_same_walks() -> None:
    mean, low, high = interval(np.array([naive_sharpe(walk(seed)) for seed in range(20)]))
    print(f"\nfilled forward without lag: mean Sharpe {mean:+.2f}, 99 % interval {low:+.2f} to {high:+.2f}")
    assert low > 3.0


def lagged_sharpe(frame: pd.DataFrame) -> float:
    """The same in pandas with the lag that rule B4 asks for."""
    hourly = frame["close"].resample("1h").last()
    signal = (
        np.sign(hourly - hourly.rolling(3).mean()).shift(1).reindex(frame.index + pd.Timedelta("5min"), method="ffill")
    )
    earned = pd.Series(signal.to_numpy(), frame.index).shift(1) * (frame["close"] / frame["open"] - 1.0) * 0.5
    daily = earned.fillna(0.0).resample("1D").sum()
    return float(daily.mean() / daily.std(ddof=1) * math.sqrt(365))


def test_B4_the_engine_earns_what_a_lagged_series_earns() -> None:
    ours, theirs = [], []
    for seed in range(10):
        frame = walk(seed)
        result = wb.backtest(STRATEGIES["an hour above five minutes"], wb.Bars(frame, "5m", "24x7"))
        ours.append(result.stats["sharpe_ann"])
        theirs.append(lagged_sharpe(frame))
    # Sizes differ (half of equity at each entry against half of a constant), the signs of what is earned do not.
    assert np.corrcoef(ours, theirs)[0, 1] > 0.99
