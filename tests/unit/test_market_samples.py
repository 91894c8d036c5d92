"""Bars that need no download (rule B9)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.errors import ConfigError
from workbench.market import samples


def test_B9_real_samples_are_adjusted_and_say_so() -> None:
    from bokeh_sampledata import stocks

    bars = samples.stock("AAPL")
    raw = pd.DataFrame(stocks.AAPL)
    assert bars.basis is not None
    assert "adjusted close / close" in bars.basis
    np.testing.assert_allclose(bars.close, raw["adj_close"], rtol=1e-12)
    np.testing.assert_allclose(bars.high, raw["high"] * raw["adj_close"] / raw["close"], rtol=1e-12)
    moves = bars.close[1:] / bars.close[:-1]
    assert moves.min() > 0.45  # unadjusted, the splits of 2000 and 2005 halve the price
    assert moves.max() < 1.3


def test_N1_five_real_samples() -> None:
    bars = samples.stocks()
    assert list(bars) == ["XNYS:AAPL", "XNYS:IBM", "XNYS:MSFT", "XNYS:GOOG", "XNYS:FB"]
    for name, one in bars.items():
        assert str(one.index[-1].date()) == "2013-03-01", name
        assert one.gaps == 0, name
        assert len(one.report) == 0, name
    with pytest.raises(ConfigError, match="no sample of 'TSLA'"):
        samples.stock("TSLA")


def test_B9_the_made_up_sample_is_labelled_synthetic_and_seeded() -> None:
    one, again, other = samples.synthetic(seed=1), samples.synthetic(seed=1), samples.synthetic(seed=2)
    assert one.basis == "synthetic"
    assert one.hash == again.hash
    assert one.hash != other.hash
    assert (str(one.timeframe), one.calendar.name, one.gaps) == ("5m", "NSE", 0)
    assert np.array_equal(np.round(one.close * 20), one.close * 20)  # on the tick of 0.05


def test_B9_the_made_up_sample_cannot_be_predicted_from_its_past() -> None:
    closes = np.log(np.concatenate([samples.synthetic(seed=seed).close for seed in range(4)]))
    returns = np.diff(closes)
    correlation = np.corrcoef(returns[1:], returns[:-1])[0, 1]
    assert abs(correlation) < 4 / np.sqrt(len(returns))


@pytest.mark.parametrize(("timeframe", "calendar"), [("1m", "NSE"), ("15m", "XNYS"), ("1h", "FX"), ("1d", "24x7")])
def test_N1_the_made_up_sample_on_other_calendars(timeframe: str, calendar: str) -> None:
    bars = samples.synthetic(start="2023-03-06", end="2023-03-31", timeframe=timeframe, calendar=calendar)
    assert bars.gaps == 0
    assert len(bars) >= 20
