"""Functions that TA-Lib does not have, against plain two-pass references on real bars, missing values included."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest

from tests.indicator_program import Column, primitive, values
from workbench.indicators.ops import Op
from workbench.schema import Leaf

FILES = ("nse/INFY_5m", "us/SPY_5m", "fx/EUR_USD_1h", "nse_daily/TITAN_1d")
LEAVES = {Leaf.OPEN: "open", Leaf.HIGH: "high", Leaf.LOW: "low", Leaf.CLOSE: "close", Leaf.VOLUME: "volume"}
Bars = Mapping[Leaf, Column]


@pytest.fixture(scope="module", params=FILES)
def bars(request: pytest.FixtureRequest, real_frame: Callable[[str], pd.DataFrame]) -> Bars:
    """The last 3,000 bars of a real file with the date of each as its session."""
    frame = real_frame(request.param).iloc[-3_000:]
    found = {leaf: np.ascontiguousarray(frame[name], dtype=np.float64) for leaf, name in LEAVES.items()}
    found[Leaf.SESSION] = np.ascontiguousarray(frame.index.normalize().asi8 // 86_400_000_000_000, dtype=np.float64)
    return found


def holed(x: Column) -> Column:
    """The column with single and consecutive values missing."""
    found = x.copy()
    found[np.random.default_rng(7).choice(400, 12, replace=False)] = np.nan
    found[500:510] = np.nan
    return found


def near(ours: Column, theirs: Column, scale: Column | float) -> None:
    """Missing at the same bars, elsewhere within 1e-11 of the scale: the reference sums plainly and loses a digit."""
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    assert (~np.isnan(ours)).sum() > 300
    assert np.nanmax(np.abs(ours - theirs) / scale) <= 1e-11


def of_windows(x: Column, n: int, measure: Callable[[Column], float]) -> Column:
    """A measure of each whole window by itself; missing where the window is not whole or holds a missing value."""
    found = np.full(len(x), np.nan)
    for i in range(n - 1, len(x)):
        window = x[i - n + 1 : i + 1]
        if not np.isnan(window).any():
            found[i] = measure(window)
    return found


def wilder(x: Column, n: int) -> Column:
    """RMA that skips what is missing."""
    there = np.flatnonzero(~np.isnan(x))
    found = np.full(len(x), np.nan)
    value = x[there[:n]].mean()
    found[there[n - 1]] = value
    for i in there[n:]:
        value += (x[i] - value) / n
        found[i] = value
    return found


@pytest.mark.parametrize("n", [1, 2, 7, 20, 333])
def test_E9_windows_equal_the_two_pass_reference_with_missing_values(bars: Bars, n: int) -> None:
    x = holed(bars[Leaf.CLOSE])
    weights, x_scale = np.arange(1, n + 1), np.nanmax(np.abs(x))
    near(values("SMA", (x, n)), of_windows(x, n, np.mean), x_scale)
    near(values("SUM", (x, n)), of_windows(x, n, np.sum), x_scale * n)
    near(values("WMA", (x, n)), of_windows(x, n, lambda w: float((w * weights).sum() / weights.sum())), x_scale)
    np.testing.assert_array_equal(values("HIGHEST", (x, n)), of_windows(x, n, np.max))
    np.testing.assert_array_equal(values("LOWEST", (x, n)), of_windows(x, n, np.min))
    near(values("STDDEV", (x, n)), of_windows(x, n, np.std), x_scale)
    near(values("VAR", (x, n)), of_windows(x, n, np.var), x_scale**2)


@pytest.mark.parametrize("n", [2, 7, 20, 333])
def test_E_zscore_and_volatility_equal_the_two_pass_reference(bars: Bars, n: int) -> None:
    x = holed(bars[Leaf.CLOSE])
    average, deviation = of_windows(x, n, np.mean), of_windows(x, n, np.std)
    flat = of_windows(x, n, lambda w: float(w.max() - w.min() <= 1e-9 * w.max())) == 1.0
    with np.errstate(all="ignore"):
        expected = np.where(flat, np.nan, (x - average) / deviation)
    worst = np.nanmax(x) / np.nanmin(deviation[~flat])
    near(values("ZSCORE", (x, n)), expected, worst)
    change = np.full(len(x), np.nan)
    change[1:] = np.log(x[1:] / x[:-1])
    near(values("VOLATILITY", (n,), {**bars, Leaf.CLOSE: x}), of_windows(change, n, lambda w: 100 * w.std(ddof=1)), 1.0)


@pytest.mark.parametrize("n", [2, 14, 50])
def test_E10_recursive_averages_skip_missing_values(bars: Bars, n: int) -> None:
    x = holed(bars[Leaf.CLOSE])
    near(values("RMA", (x, n)), wilder(x, n), x)
    there = ~np.isnan(x)
    expected = np.full(len(x), np.nan)
    seeded = x[there]
    average = np.full(len(seeded), np.nan)
    average[n - 1] = seeded[:n].mean()
    for i in range(n, len(seeded)):
        average[i] = average[i - 1] + 2 / (n + 1) * (seeded[i] - average[i - 1])
    expected[there] = average
    near(values("EMA", (x, n)), expected, x)


@pytest.mark.parametrize(("n", "k"), [(3, 1.0), (10, 3.0)])
def test_E_supertrend_equals_the_plain_recursion(bars: Bars, n: int, k: float) -> None:
    high, low, close = bars[Leaf.HIGH], bars[Leaf.LOW], bars[Leaf.CLOSE]
    before = np.roll(close, 1)
    reach = np.maximum(high, before) - np.minimum(low, before)
    reach[0] = np.nan
    atr = wilder(reach, n)
    upper, lower = (high + low) / 2 + k * atr, (high + low) / 2 - k * atr
    line, direction = np.full(len(close), np.nan), np.full(len(close), np.nan)
    way = 1
    for i in range(n, len(close)):
        if i > n:
            upper[i] = min(upper[i], upper[i - 1]) if close[i - 1] <= upper[i - 1] else upper[i]
            lower[i] = max(lower[i], lower[i - 1]) if close[i - 1] >= lower[i - 1] else lower[i]
            if way > 0 and close[i] < lower[i]:
                way = -1
            elif way < 0 and close[i] > upper[i]:
                way = 1
        line[i], direction[i] = (lower[i] if way > 0 else upper[i]), way
    assert set(np.unique(direction[n:])) == {-1.0, 1.0}
    near(values("SUPERTREND", (n, k), bars), line, close)
    np.testing.assert_array_equal(values("SUPERTREND_DIR", (n, k), bars), direction)


def test_E_keltner_and_donchian_are_what_they_are_made_of(bars: Bars) -> None:
    close = bars[Leaf.CLOSE]
    middle, atr = values("EMA", (close, 20)), values("ATR", (20,), bars)
    near(values("KELTNER_UPPER", (20, 1.5), bars), middle + 1.5 * atr, close)
    near(values("KELTNER_LOWER", (20, 1.5), bars), middle - 1.5 * atr, close)
    np.testing.assert_array_equal(values("DONCHIAN_HIGH", (20,), bars), of_windows(bars[Leaf.HIGH], 20, np.max))
    np.testing.assert_array_equal(values("DONCHIAN_LOW", (20,), bars), of_windows(bars[Leaf.LOW], 20, np.min))


def test_E_volume_functions_equal_the_two_pass_reference(bars: Bars) -> None:
    high, low, close, volume = bars[Leaf.HIGH], bars[Leaf.LOW], bars[Leaf.CLOSE], bars[Leaf.VOLUME]
    typical = (high + low + close) / 3
    frame = pd.DataFrame({"money": typical * volume, "volume": volume, "session": bars[Leaf.SESSION]})
    with np.errstate(all="ignore"):
        mean_before = pd.Series(of_windows(volume, 20, np.mean)).shift(1).to_numpy()
        near(values("VOLUME_RATIO", (20,), bars), volume / mean_before, np.nanmax(volume / mean_before))
        money, traded = of_windows(frame["money"].to_numpy(), 20, np.sum), of_windows(volume, 20, np.sum)
        near(values("VWAP", (20,), bars), money / traded, close)
        sums = frame.groupby("session")[["money", "volume"]].cumsum()
        near(values("VWAP", (), bars), (sums["money"] / sums["volume"]).to_numpy(), close)
    steps = np.concatenate([[np.nan], volume[1:] * (close[1:] / close[:-1] - 1)])
    near(values("PVT", (), bars), np.concatenate([[np.nan], np.cumsum(steps[1:])]), volume.sum())


def test_E_session_functions_equal_a_group_by(bars: Bars) -> None:
    frame = pd.DataFrame({"open": bars[Leaf.OPEN], "high": bars[Leaf.HIGH], "low": bars[Leaf.LOW]})
    groups = frame.groupby(bars[Leaf.SESSION])
    np.testing.assert_array_equal(values("SESSION_OPEN", (), bars), groups["open"].transform("first").to_numpy())
    np.testing.assert_array_equal(values("SESSION_HIGH", (), bars), groups["high"].cummax().to_numpy())
    np.testing.assert_array_equal(values("SESSION_LOW", (), bars), groups["low"].cummin().to_numpy())
    np.testing.assert_array_equal(values("BARS_SINCE_OPEN", (), bars), groups.cumcount().to_numpy().astype(float))


def test_E_conditions_over_time_equal_pandas(bars: Bars) -> None:
    close = bars[Leaf.CLOSE]
    condition = (close > np.roll(close, 1)).astype(float)
    condition[[0, 40, 41]] = np.nan
    true = pd.Series(condition == 1.0)
    np.testing.assert_array_equal(values("COUNT", (condition, 9)), true.astype(float).rolling(9).sum().to_numpy())
    since = true.groupby(true.cumsum()).cumcount().astype(float)
    since[true.cumsum() == 0] = np.nan
    np.testing.assert_array_equal(values("BARS_SINCE", (condition,)), since.to_numpy())
    np.testing.assert_array_equal(
        values("VALUE_WHEN", (condition, close)), pd.Series(close).where(true).ffill().to_numpy()
    )
    average = values("SMA", (close, 20))
    above = close > average * (1 + 1e-9)  # rule E5: equal but for rounding is not above
    crossed = np.full(len(close), np.nan)
    crossed[20:] = above[20:] & ~above[19:-1]
    np.testing.assert_array_equal(primitive(Op.CROSS_ABOVE, (close, average)), crossed)
