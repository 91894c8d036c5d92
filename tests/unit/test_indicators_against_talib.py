"""Where TA-Lib has the function, its values are ours to 1e-9 of the quantity's scale, on real bars.

The scale of a quantity is the magnitude of what it is computed from: the price for averages, bands and
deviations, its square for a variance, 100 for an oscillator. Exceptions are named where they are made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest
import talib

from tests.indicator_program import Column, values
from workbench.schema import Leaf

FILES = (
    "nse/RELIANCE_5m", "nse/FEDERALBNK_1m", "nse/TITAN_15m", "nse_daily/ADANIENT_1d",
    "us/AAPL_5m", "us_daily/AAPL_1d", "fx/EUR_USD_5m", "fx/GBP_USD_1h", "nse/VAKRANGEE_1m",
)  # fmt: skip
LENGTHS = (2, 3, 5, 14, 50)
LEAVES = {Leaf.OPEN: "open", Leaf.HIGH: "high", Leaf.LOW: "low", Leaf.CLOSE: "close", Leaf.VOLUME: "volume"}
Bars = Mapping[Leaf, Column]


@pytest.fixture(scope="module", params=FILES)
def bars(request: pytest.FixtureRequest, real_frame: Callable[[str], pd.DataFrame]) -> Bars:
    """The last 20,000 bars of a real file."""
    frame = real_frame(request.param).iloc[-20_000:]
    return {leaf: np.ascontiguousarray(frame[name], dtype=np.float64) for leaf, name in LEAVES.items()}


def agree(ours: Column, theirs: Column, scale: Column | float, excepted: Column | None = None) -> None:
    """Missing at the same bars, elsewhere within 1e-9 of the scale; the bars excepted are not looked at."""
    looked_at = np.ones(len(ours), dtype=bool) if excepted is None else ~excepted.astype(bool)
    np.testing.assert_array_equal(np.isnan(ours)[looked_at], np.isnan(theirs)[looked_at])
    away = np.abs(ours - theirs) / scale
    there = looked_at & ~np.isnan(ours)
    assert there.sum() > 100
    assert away[there].max() <= 1e-9


def walk_with_flat_stretches() -> Bars:
    """A walk of 8,000 bars that twice stands still for 2,500."""
    rng = np.random.default_rng(7)
    c = np.round(100.0 + np.cumsum(rng.normal(0.0, 0.5, 8000)), 2)
    h, low = c + 0.1 * rng.integers(0, 5, 8000), c - 0.1 * rng.integers(0, 5, 8000)
    for begin in (1000, 4000):
        for column in (h, low, c):
            column[begin : begin + 2500] = c[begin]
    return {Leaf.HIGH: h, Leaf.LOW: low, Leaf.CLOSE: c, Leaf.VOLUME: rng.integers(0, 100, 8000).astype(np.float64)}


def windows_with(found: Column, length: int) -> Column:
    """Bars whose last ``length`` bars hold one that was found."""
    return pd.Series(found.astype(float)).rolling(length, min_periods=1).max().to_numpy() > 0


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("name", ["SMA", "EMA", "WMA", "HIGHEST", "LOWEST", "SUM", "STDDEV", "VAR", "ROC", "MOM"])
def test_E_functions_of_a_series_agree_with_talib(bars: Bars, name: str, n: int) -> None:
    x = bars[Leaf.CLOSE]
    theirs = getattr(talib, {"HIGHEST": "MAX", "LOWEST": "MIN"}.get(name, name))(x, n)
    scale: Column | float = np.abs(x)
    if name == "SUM":
        scale = n * np.abs(x)
    elif name == "VAR":
        scale = x * x
    elif name == "ROC":
        scale = 100.0
    agree(values(name, (x, n)), theirs, scale)


@pytest.mark.parametrize("n", LENGTHS)
def test_E_rsi_agrees_with_talib(bars: Bars, n: int) -> None:
    """Except where nothing moved at all: 50, TA-Lib 0; it calls less than 1e-14 nothing."""
    x = bars[Leaf.CLOSE]
    ours, theirs = values("RSI", (x, n)), talib.RSI(x, n)
    still = theirs == 0.0
    agree(ours, theirs, 100.0, still)
    only_losses = pd.Series(np.diff(x, prepend=x[0]) > 0).cumsum().to_numpy() == 0
    assert ((ours[still] == 50.0) | only_losses[still] | (ours[still] < 1e-9)).all()


@pytest.mark.parametrize("n", LENGTHS)
def test_E_bollinger_bands_agree_with_talib(bars: Bars, n: int) -> None:
    x = bars[Leaf.CLOSE]
    upper, middle, lower = talib.BBANDS(x, n, 2.0, 2.0)
    for name, theirs in (("BB_UPPER", upper), ("BB_MID", middle), ("BB_LOWER", lower)):
        agree(values(name, (x, n, 2.0)), theirs, x)


@pytest.mark.parametrize("n", LENGTHS)
def test_E_atr_agrees_with_talib(bars: Bars, n: int) -> None:
    h, low, c = bars[Leaf.HIGH], bars[Leaf.LOW], bars[Leaf.CLOSE]
    agree(values("ATR", (n,), bars), talib.ATR(h, low, c, n), c)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("name", ["ADX", "PLUS_DI", "MINUS_DI"])
def test_E5_directional_system_uses_plain_differences_as_talib(bars: Bars, name: str, n: int) -> None:
    h, low, c = bars[Leaf.HIGH], bars[Leaf.LOW], bars[Leaf.CLOSE]
    agree(values(name, (n,), bars), getattr(talib, name)(h, low, c, n), 100.0)


@pytest.mark.parametrize("n", [2, 3, 14])
@pytest.mark.parametrize("name", ["ADX", "PLUS_DI", "MINUS_DI"])
def test_E5_directional_system_agrees_with_talib_through_thousands_of_flat_bars(name: str, n: int) -> None:
    """The smoothed range falls to the smallest number there is, and stays one: only exactly nothing is 0."""
    quiet = walk_with_flat_stretches()
    h, low, c = quiet[Leaf.HIGH], quiet[Leaf.LOW], quiet[Leaf.CLOSE]
    theirs = getattr(talib, name)(h, low, c, n)
    agree(values(name, (n,), quiet), theirs, 100.0)
    assert name == "ADX" or theirs[2000] > 1.0


def test_E_directional_indicators_of_length_1_are_percent_too(bars: Bars) -> None:
    """TA-Lib does not multiply by 100 when nothing is smoothed."""
    h, low, c = bars[Leaf.HIGH], bars[Leaf.LOW], bars[Leaf.CLOSE]
    agree(values("PLUS_DI", (1,), bars), 100.0 * talib.PLUS_DI(h, low, c, 1), 100.0)
    agree(values("MINUS_DI", (1,), bars), 100.0 * talib.MINUS_DI(h, low, c, 1), 100.0)


@pytest.mark.parametrize("n", LENGTHS)
def test_E_cci_agrees_with_talib(bars: Bars, n: int) -> None:
    """Except in a window that is flat but for rounding: 0, TA-Lib divides one rounding error by another."""
    h, low, c = bars[Leaf.HIGH], bars[Leaf.LOW], bars[Leaf.CLOSE]
    ours, theirs = values("CCI", (n,), bars), talib.CCI(h, low, c, n)
    typical = pd.Series((h + low + c) / 3.0)
    highest, lowest = typical.rolling(n).max(), typical.rolling(n).min()
    flat = ((highest - lowest) <= 1e-9 * highest).to_numpy()
    agree(ours, theirs, 100.0, flat)
    assert (ours[flat] == 0.0).all()


@pytest.mark.parametrize("n", LENGTHS)
def test_E_mfi_agrees_with_talib(bars: Bars, n: int) -> None:
    """Except where two typical prices differ by rounding alone: no flow for us, a whole bar's for TA-Lib."""
    h, low, c, v = (bars[leaf] for leaf in (Leaf.HIGH, Leaf.LOW, Leaf.CLOSE, Leaf.VOLUME))
    typical = (h + low + c) / 3.0
    moved = np.abs(np.diff(typical, prepend=typical[0]))
    rounding = (moved > 0.0) & (moved <= 1e-9 * typical)
    excepted = windows_with(rounding, n)
    assert excepted.mean() < 0.5
    agree(values("MFI", (n,), bars), talib.MFI(h, low, c, v, n), 100.0, excepted)


@pytest.mark.parametrize("n", [2, 3, 14])
@pytest.mark.parametrize("unit", [1e-4, 1e-9, 1e-20])
def test_E_mfi_agrees_with_talib_where_little_money_flows(unit: float, n: int) -> None:
    """Money has no smallest amount: a coin may cost 0.0001, and volume may come in millions."""
    quiet = walk_with_flat_stretches()
    h, low, c, v = quiet[Leaf.HIGH] * unit, quiet[Leaf.LOW] * unit, quiet[Leaf.CLOSE] * unit, quiet[Leaf.VOLUME]
    small = {Leaf.HIGH: h, Leaf.LOW: low, Leaf.CLOSE: c, Leaf.VOLUME: v}
    theirs = talib.MFI(h, low, c, v, n)
    agree(values("MFI", (n,), small), theirs, 100.0)
    assert (theirs == 0.0).sum() > 3000 and (theirs[:1000] > 0.0).sum() > 500


def test_E_mfi_of_a_coin_worth_a_cent() -> None:
    """Flows of at most 0.26 a window: [0.22, 0.012, -0.055], and so on."""
    c = np.array([0.010, 0.011, 0.012, 0.011, 0.013, 0.012, 0.014, 0.015])
    v = np.array([5.0, 20.0, 1.0, 5.0, 20.0, 5.0, 1.0, 5.0])
    ours = values("MFI", (3,), {Leaf.HIGH: c, Leaf.LOW: c, Leaf.CLOSE: c, Leaf.VOLUME: v})
    assert ours[3] == pytest.approx(100.0 * 0.232 / 0.287, rel=1e-12)
    np.testing.assert_allclose(ours, talib.MFI(c, c, c, v, 3), rtol=1e-12)


@pytest.mark.parametrize("n", LENGTHS)
def test_E_williams_r_agrees_with_talib(bars: Bars, n: int) -> None:
    h, low, c = bars[Leaf.HIGH], bars[Leaf.LOW], bars[Leaf.CLOSE]
    agree(values("WILLR", (n,), bars), talib.WILLR(h, low, c, n), 100.0)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize(("k", "d"), [(1, 1), (3, 3), (5, 2)])
def test_E_slow_stochastic_agrees_with_talib(bars: Bars, n: int, k: int, d: int) -> None:
    """From where TA-Lib begins: it withholds %K until %D exists."""
    h, low, c = bars[Leaf.HIGH], bars[Leaf.LOW], bars[Leaf.CLOSE]
    slow_k, slow_d = talib.STOCH(h, low, c, n, k, 0, d, 0)
    withheld = np.arange(len(c)) < n + k + d - 3
    ours = values("STOCH_K", (n, k), bars)
    agree(ours, slow_k, 100.0, withheld)
    assert np.isnan(ours).sum() == n + k - 2
    agree(values("STOCH_D", (n, k, d), bars), slow_d, 100.0)


def test_E_macd_differs_from_talib_by_its_seeding_alone(bars: Bars) -> None:
    """Each of our averages is seeded on its own; TA-Lib seeds the fast one where the slow one begins."""
    x = bars[Leaf.CLOSE]
    ours = values("MACD", (x, 12, 26, 9))
    agree(ours, talib.EMA(x, 12) - talib.EMA(x, 26), x)
    signal = np.full(len(x), np.nan)
    signal[25:] = talib.EMA(ours[25:], 9)
    agree(values("MACD_SIGNAL", (x, 12, 26, 9)), signal, x)
    agree(values("MACD_HIST", (x, 12, 26, 9)), ours - signal, x)
    theirs, their_signal, _ = talib.MACD(x, 12, 26, 9)
    settled = np.arange(len(x)) < 700  # (1 - 2/27)**700 is below 1e-23
    agree(ours, theirs, x, settled)
    agree(values("MACD_SIGNAL", (x, 12, 26, 9)), their_signal, x, settled)
    assert np.isnan(theirs[25:33]).all() and not np.isnan(ours[25:33]).any()


def test_E_obv_agrees_with_talib(bars: Bars) -> None:
    c, v = bars[Leaf.CLOSE], bars[Leaf.VOLUME]
    agree(values("OBV", (), bars), talib.OBV(c, v), np.maximum(np.cumsum(v), 1.0))
