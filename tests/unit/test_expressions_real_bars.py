"""Expressions on real bars, against pandas (rules B3, B4, E9)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.expressions.evaluate import evaluate_arrays
from workbench.expressions.program import compile_program
from workbench.expressions.stepper import Stepper
from workbench.market.bars import Bars
from workbench.market.resample import columns_of
from workbench.research.evaluate import evaluate

TEXT = 'RSI(14) < 45 AND close > SMA(close, 5, "1d") OR close CROSSES_ABOVE EMA(close, 20, "1h") AND VWAP() < close'


@pytest.fixture(scope="module")
def reliance(real_bars) -> Bars:
    return real_bars("nse/RELIANCE_15m", repair="drop")


def test_B4_daily_average_on_real_bars_is_that_of_the_days_already_closed(reliance):
    mine = evaluate('SMA(close, 5, "1d")', reliance)
    close = reliance.frame["close"]
    day = close.index.tz_convert("Asia/Kolkata").normalize()
    daily = close.groupby(day).last().rolling(5).mean()
    before = daily.shift(1).reindex(day).to_numpy()
    last_interval = np.asarray(close.index.tz_convert("Asia/Kolkata").strftime("%H:%M") == "15:15")
    expected = np.where(last_interval, daily.reindex(day).to_numpy(), before)
    normal = pd.Series(day).map(pd.Series(1, index=day).groupby(level=0).size()).to_numpy() == 25
    assert normal.mean() > 0.9
    np.testing.assert_allclose(mine.to_numpy()[normal], expected[normal], rtol=1e-12)


def test_B3_hourly_close_on_real_bars(reliance):
    mine = evaluate("close", reliance, timeframe="1h")
    close = reliance.frame["close"].tz_convert("Asia/Kolkata")
    since_open = close.index - pd.Series(close.index, close.index.normalize()).groupby(level=0).transform("min").array
    hour = since_open // pd.Timedelta("1h")
    expected = close.groupby([close.index.normalize(), hour]).last()
    assert len(mine) == len(expected)
    np.testing.assert_array_equal(mine.to_numpy(), expected.to_numpy())


def test_E9_array_form_equals_bar_by_bar_form_on_real_bars(reliance):
    program = compile_program({"entry": TEXT, "rank": 'ROC(close, 3, "1d") - ATR(14) / close'}, {}, "15m")
    whole = evaluate_arrays(program, {one: columns_of(reliance, one) for one in program.timeframes})
    stepper = Stepper([program], reliance.grid)
    rows = dict(zip(reliance.at.tolist(), reliance.frame.to_numpy().tolist(), strict=True))
    seen: dict[str, list[float]] = {"entry": [], "rank": []}
    warm = []
    for instant in range(len(reliance.grid)):
        if program.timeframe in stepper.feed(rows.get(instant)):
            for name, column in seen.items():
                column.append(stepper.value(name))
            warm.append(stepper.is_warm())
    for name, column in seen.items():
        assert np.array_equal(whole.values[name], column, equal_nan=True)
    assert whole.warm.tolist() == warm
    assert 0.01 < np.nanmean(whole.values["entry"]) < 0.9
