"""``wb.signals``: a function is researched like a strategy, and trades by the engine's rules."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.promotion import markets
from workbench.errors import ConfigError, StrategyError
from workbench.promotion.given import given_of
from workbench.promotion.sandbox import Broke, Caller
from workbench.promotion.subject import subject_of
from workbench.research.signals.tape import BITS, codes_of, strategy_of

FACTOR = 0.99


def below(close: pd.Series[float]) -> pd.Series[bool]:
    return close < FACTOR * close.rolling(20).mean()


@wb.signals(stop_loss_frac=0.05)  # type: ignore[untyped-decorator]
def dip(bars: pd.DataFrame) -> pd.DataFrame:
    mean = bars["close"].rolling(20).mean()
    return pd.DataFrame({"entry": below(bars["close"]), "exit": bars["close"] > mean})


@pytest.fixture(scope="module")
def bars() -> wb.Bars:
    return markets.reverting(1, begin="2022-01-01", end="2022-03-31")


def test_a_function_trades_as_the_same_in_expressions(bars: wb.Bars) -> None:
    written = wb.Strategy(
        name="dip", version="0.1.0", instruments=("NSE:UNNAMED",), timeframe="15m", calendar="NSE", product="CNC",
        entry="close < 0.99 * SMA(close, 20)", exit="close > SMA(close, 20)", stop_loss_frac=0.05,
    )  # fmt: skip
    ours, theirs = wb.backtest(dip, bars), wb.backtest(written, bars)
    assert len(ours.trades) > 10
    pd.testing.assert_frame_equal(ours.trades, theirs.trades)
    assert ours.stats["final_equity"] == theirs.stats["final_equity"]


def test_both_ways_and_every_bit(bars: wb.Bars) -> None:
    index = pd.DatetimeIndex(bars.index[:16])
    said = pd.DataFrame({name: (np.arange(16) & bit) > 0 for name, bit in BITS.items()}, index=index)
    assert codes_of(said, index.as_unit("ns").asi8).tolist() == list(range(16))
    both = strategy_of({"product": "MARGIN", "direction": "BOTH"}, {"NSE:A": bars}, "x")
    for name, bit in BITS.items():
        values = wb.evaluate(getattr(both, name), wb.Bars(
            bars.frame.iloc[:16].assign(volume=np.arange(16.0)), "15m", "NSE"
        ))  # fmt: skip
        assert [bool(one) for one in np.asarray(values).ravel()[:16]] == [bool(code & bit) for code in range(16)], name


def test_what_is_missing_says_nothing(bars: wb.Bars) -> None:
    index = pd.DatetimeIndex(bars.index[:3])
    said = pd.DataFrame({"entry": pd.array([None, True, False], dtype="boolean"), "exit": [False] * 3}, index=index)
    assert codes_of(said, index.as_unit("ns").asi8).tolist() == [0, 1, 0]


def test_fields_are_checked_when_it_is_made(bars: wb.Bars) -> None:
    with pytest.raises(StrategyError, match="stop_loss_frac"):
        wb.signals(stop_los_frac=0.1)
    with pytest.raises(StrategyError, match="entry is what the function says"):
        wb.signals(entry="close > 1")
    with pytest.raises(ConfigError, match="Give bars of its timeframe"):
        wb.backtest(wb.signals(dip.function, timeframe="1h"), bars)
    with pytest.raises(ConfigError, match="no column 'exit'"):
        wb.backtest(wb.signals(lambda frame: pd.DataFrame({"entry": frame["close"] > 0})), bars)


def test_its_process_gets_what_it_names_and_no_more(bars: wb.Bars) -> None:
    subject = subject_of(dip)
    assert subject.kind == "pickle" and subject.called == "dip 0.1.0" and "def dip" in subject.text
    with Caller(subject.kind, subject.content, 30.0) as caller:
        assert caller.fields == {"name": "dip", "stop_loss_frac": 0.05}
        said = caller.whole(bars)
        assert said.tolist() == codes_of(dip(bars.frame), bars.ts_ns).tolist()
        at = np.array([30, 500, len(bars) - 1])
        assert caller.upto(bars, at).tolist() == said[at].tolist()


def test_one_that_cannot_be_sent_says_so() -> None:
    held = threading.Lock()
    with pytest.raises(ConfigError, match="cannot be sent to a process of its own"):
        subject_of(wb.signals(lambda frame: held))


def test_a_caller_that_was_closed_leaves_no_process(bars: wb.Bars) -> None:
    caller = Caller("python", b"import workbench as wb\n@wb.signals\ndef f(bars): return None\n", 20.0)
    with pytest.raises(Broke, match="returned NoneType"):
        caller.whole(bars)
    caller.close()
    with pytest.raises(ValueError, match="closed"):
        caller.whole(bars)


def test_equal_functions_have_equal_keys_and_others_have_not(bars: wb.Bars) -> None:
    keys = {given_of(one, bars, None, 1e6, None).key for one in (dip, dip, wb.signals(dip.function))}
    assert len(keys) == 2
