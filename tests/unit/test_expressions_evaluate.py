"""Values of expressions, worked by hand (rules B3, B4, B7, E4–E7, N2)."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from workbench.errors import ConfigError, ExpressionError
from workbench.expressions.evaluate import evaluate_arrays
from workbench.expressions.program import compile_program
from workbench.expressions.stepper import Stepper
from workbench.market.bars import Bars
from workbench.market.resample import columns_of
from workbench.market.timeframe import Timeframe
from workbench.research.evaluate import evaluate

# Compiled kernels are silent about an overflow; run as plain Python (NUMBA_DISABLE_JIT=1), NumPy is not.
pytestmark = pytest.mark.filterwarnings("ignore:(overflow|divide by zero|invalid value):RuntimeWarning")

NAN = math.nan


def session(closes: list[float | None], day: str = "2024-01-08", minutes: int = 15) -> pd.DataFrame:
    """NSE bars from 09:15 on; None is an interval without a bar."""
    times = pd.date_range(f"{day} 09:15", periods=len(closes), freq=f"{minutes}min", tz="Asia/Kolkata")
    close = pd.Series(closes, index=times, dtype=float)
    frame = pd.DataFrame({"open": close, "high": close, "low": close, "close": close, "volume": 100.0}, index=times)
    frame.index.name = "ts"
    return frame[close.notna()].tz_convert("UTC")


def bars(*days: pd.DataFrame, timeframe: str = "15m") -> Bars:
    return Bars(pd.concat(days), timeframe, "NSE", max_jump_ratio=1e9)


def values(text: str, of: Bars, timeframe: str | None = None, **params: float) -> list[float]:
    return evaluate(text, of, params, timeframe).tolist()


def assert_values(actual: list[float], expected: list[float]) -> None:
    assert len(actual) == len(expected)
    np.testing.assert_array_equal(actual, expected)


FOUR = bars(session([1.0, 2.0, 4.0, 8.0]))


def test_E3_series_and_calls():
    assert_values(values("SMA(close, 2)", FOUR), [NAN, 1.5, 3.0, 6.0])
    assert_values(values("SMA(2)", FOUR), [NAN, 1.5, 3.0, 6.0])
    assert_values(values("close * 2 + $k", FOUR, k=0.5), [2.5, 4.5, 8.5, 16.5])
    assert_values(values("LAG(close, 1) - price", FOUR), [NAN, -1.0, -2.0, -4.0])
    assert_values(values("-close / 2", FOUR), [-0.5, -1.0, -2.0, -4.0])
    assert_values(values("VOLUME", FOUR), [100.0] * 4)
    assert_values(values("7", FOUR), [7.0] * 4)


def test_E4_missing_spreads_through_arithmetic_and_comparison():
    assert_values(values("1 / (close - 2)", FOUR), [-1.0, NAN, 0.5, 1 / 6])
    assert_values(values("1 / (close - 2) > 0", FOUR), [0.0, NAN, 1.0, 1.0])
    assert_values(values("SQRT(close - 3)", FOUR), [NAN, NAN, 1.0, math.sqrt(5)])
    assert_values(values("EXP(close * 100) > 0", FOUR), [1.0, 1.0, 1.0, NAN])
    assert_values(values("LAG(close, 1) BETWEEN 1 AND 2", FOUR), [NAN, 1.0, 1.0, 0.0])


def test_E4_kleene_logic():
    table = {  # missing on the first bar only
        "SMA(2) > 0 AND close > 5": [0.0, 0.0, 0.0, 1.0],
        "SMA(2) > 0 AND close > 0": [NAN, 1.0, 1.0, 1.0],
        "SMA(2) > 0 OR close > 0": [1.0, 1.0, 1.0, 1.0],
        "SMA(2) > 0 OR close > 5": [NAN, 1.0, 1.0, 1.0],
        "NOT SMA(2) > 0": [NAN, 0.0, 0.0, 0.0],
        "NOT (SMA(2) > 0 AND close > 5)": [1.0, 1.0, 1.0, 0.0],
    }
    for text, expected in table.items():
        assert_values(values(text, FOUR), expected)


def test_E4_a_condition_over_a_missing_higher_timeframe_can_still_be_true():
    day = bars(session([10.0, 11.0]))
    assert_values(values('close("1h") > 5', day), [NAN, NAN])
    assert_values(values('close("1h") > 5 OR 1 > 0', day), [1.0, 1.0])


def test_E5_rounding_never_decides():
    three = bars(session([0.1, 0.2, 0.3]))
    assert_values(values("close == LAG(close, 1) + .1", three), [NAN, 1.0, 1.0])
    assert_values(values("0.1 + 0.2 > 0.3", three), [0.0] * 3)
    assert_values(values("0.1 + 0.2 >= 0.3", three), [1.0] * 3)
    assert_values(values("0.1 + 0.2 - 0.3 == 0", three), [1.0] * 3)


def test_E6_crossing_looks_at_the_bar_before():
    day = bars(session([1.0, 3.0, 2.0, 2.0, 3.0, 1.0]))
    assert_values(values("close CROSSES_ABOVE 2", day), [NAN, 1.0, 0.0, 0.0, 1.0, 0.0])
    assert_values(values("close CROSSES_BELOW 2", day), [NAN, 0.0, 0.0, 0.0, 0.0, 1.0])
    assert_values(values("CROSSUNDER(close, 2)", day), [NAN, 0.0, 0.0, 0.0, 0.0, 1.0])


def test_E6_moving_is_in_percent_of_the_bar_before():
    day = bars(session([100.0, 102.0, 101.0, 103.02]))
    assert_values(values("close MOVING_UP 2", day), [NAN, 1.0, 0.0, 1.0])
    assert_values(values("close MOVING_DOWN .9", day), [NAN, 0.0, 1.0, 0.0])


def test_E6_crossing_of_a_higher_timeframe_steps_strategy_bars():
    # The first 1h bar (09:15–10:15) closes with the fourth 15m bar, at 13.
    day = bars(session([10.0, 11.0, 12.0, 13.0, 12.0, 14.0, 14.0, 12.0]))
    assert_values(values('close("1h")', day), [NAN, NAN, NAN, 13.0, 13.0, 13.0, 13.0, 12.0])
    assert_values(values('close CROSSES_ABOVE close("1h")', day), [NAN, NAN, NAN, NAN, 0.0, 1.0, 0.0, 0.0])
    # Twice the same value on one strategy bar after another: no crossing of a higher timeframe lasts for its whole bar.
    assert_values(values('close("1h") CROSSES_BELOW 12.5', day), [NAN, NAN, NAN, NAN, 0.0, 0.0, 0.0, 1.0])


def test_E6_crossing_inside_a_call_with_a_timeframe_steps_its_bars():
    # 1h closes: 4, 8, 2; the crossing of 5 is at the second hour.
    day = bars(session([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 9.0, 9.0, 2.0]))
    expected = [NAN] * 7 + [0.0] * 4 + [1.0]
    assert_values(values('BARS_SINCE(close CROSSES_ABOVE 5, "1h")', day), expected)


def test_B3_strategy_bars_are_built_from_base_bars():
    base = bars(session([1.0, 5.0, 3.0, 2.0, 9.0, 4.0], minutes=5), timeframe="5m")
    result = evaluate("close", base, timeframe="15m")
    assert result.tolist() == [3.0, 4.0]
    assert [str(ts) for ts in result.index] == ["2024-01-08 03:45:00+00:00", "2024-01-08 04:00:00+00:00"]
    assert_values(values("high - low", base, "15m"), [4.0, 7.0])
    assert_values(values("open", base, "15m"), [1.0, 2.0])


def test_B3_interval_without_any_bar_yields_no_bar():
    base = bars(session([1.0, None, 3.0, None, None, None, 7.0, 8.0, None], minutes=5), timeframe="5m")
    assert evaluate("close", base, timeframe="15m").tolist() == [3.0]  # the grid ends with the last bar
    base = bars(session([1.0, None, 3.0, None, None, None, 7.0, 8.0, 9.0], minutes=5), timeframe="5m")
    result = evaluate("LAG(close, 1)", base, timeframe="15m")
    assert_values(result.tolist(), [NAN, 3.0])
    assert result.index[1].tz_convert("Asia/Kolkata").strftime("%H:%M") == "09:45"


def test_B4_higher_timeframe_is_seen_when_it_is_final_and_not_before():
    day = bars(session([10.0, 11.0, 12.0, 13.0, 14.0]))
    assert_values(values('close("30m")', day), [NAN, 11.0, 11.0, 13.0, 13.0])
    assert_values(values('SMA(close, 2, "30m")', day), [NAN, NAN, NAN, 12.0, 12.0])
    # The interval 10:00 has no bar: the 30m bar is final at its end all the same, seen from the next bar.
    gap = bars(session([10.0, 11.0, 12.0, None, 14.0, 15.0]))
    assert_values(values('close("30m")', gap), [NAN, 11.0, 11.0, 12.0, 15.0])


def test_B4_daily_bar_is_seen_from_the_close_of_its_session():
    first = session([float(i) for i in range(1, 26)])
    second = session([30.0, 31.0], "2024-01-09")
    assert_values(values('close("1d")', bars(first, second)), [NAN] * 24 + [25.0] * 3)


def test_B2_last_hour_of_the_session_is_short():
    # 25 bars of 15 minutes: the seventh hour holds one of them, 15:15–15:30.
    day = bars(session([float(i) for i in range(1, 26)]))
    assert values('close("1h")', day)[-2:] == [24.0, 25.0]
    assert values('open("1h")', day)[-2:] == [21.0, 25.0]


def test_E7_warm_waits_for_every_call_and_for_nothing_else():
    def warm(text: str, of: Bars = FOUR) -> list[bool]:
        program = compile_program({"entry": text}, {}, "15m")
        columns = {one: columns_of(of, one) for one in program.timeframes}
        return evaluate_arrays(program, columns).warm.tolist()

    assert warm("close > 1") == [True] * 4
    assert warm("SMA(3) > 1") == [False, False, True, True]
    assert warm("SMA(3) > 1 OR SMA(2) > 0") == [False, False, True, True]
    assert warm("SQRT(close - 3) > 1 OR 1 > 0") == [False, False, True, True]
    assert warm("LOG(4 - close) > 0") == [True] * 4  # non-missing once is enough
    assert warm("close CROSSES_ABOVE 2") == [True] * 4  # an operator is no call of the table
    assert warm("1 / (close - 1) > 0") == [True] * 4
    assert warm("IF(close > 0, 1, SMA(4)) > 0") == [False, False, False, True]
    day = bars(session([10.0, 11.0, 12.0, 13.0, 14.0]))
    assert warm('SMA(close, 2, "30m") > 0', day) == [False, False, False, True, True]
    assert warm('close("30m") > 0', day) == [True] * 5
    assert warm('SMA(3, "1h") > 0', day) == [False] * 5


def test_E7_short_roots_and_rank_count_and_the_stop_does_not():
    sources = {"entry": "close > 1", "short_exit": "SMA(2) > 1", "rank": "SMA(3)"}
    program = compile_program(sources, {}, "15m", stop_atr_length=4)
    assert len(program.calls) == 2
    assert program.warm_bars == 3
    result = evaluate_arrays(program, {program.timeframe: columns_of(FOUR, "15m")})
    assert result.warm.tolist() == [False, False, True, True]
    assert sorted(result.values) == ["entry", "rank", "short_exit", "stop_atr"]


@pytest.mark.parametrize(
    ("text", "timeframe", "bars_needed"),
    [
        ("close", "15m", 0),
        ("RSI(14)", "15m", 15),
        ("SMA(RSI(14), 5)", "15m", 19),
        ("MACD_HIST(12, 26, 9)", "5m", 34),
        ("SMA(2, '1h')", "15m", 8),
        ("SMA(7, '1h')", "15m", 25),  # seven hours a session of 375 minutes, the last one of one bar
        ("SMA(8, '1h')", "15m", 29),
        ("SMA(3, '1d')", "15m", 75),
        ("ATR(2, '1d')", "5m", 225),
        ("MAX2(close('1d'), close)", "15m", 25),
        ("SMA(3)", "1d", 3),
    ],
)
def test_E7_warm_count_in_strategy_bars(text, timeframe, bars_needed):
    assert compile_program({"value": text}, {}, timeframe).warm_bars == bars_needed


def test_E10_IF_reads_only_the_branch_it_takes():
    assert_values(values("IF(close > 3, close, 0 - 1)", FOUR), [-1.0, -1.0, 4.0, 8.0])
    assert_values(values("IF(close > 3, close, SMA(3))", FOUR), [NAN, NAN, 4.0, 8.0])
    assert_values(values("IF(close > 3, close > 5, SMA(3) > 0)", FOUR), [NAN, NAN, 0.0, 1.0])


def test_N2_evaluate_gives_a_series_by_opening_stamp():
    result = evaluate("RSI($n) < 30", {"NSE:X": FOUR}, {"n": 2})
    assert isinstance(result, pd.Series)
    assert result.index.name == "ts"
    assert result.index.equals(FOUR.index)
    assert_values(result.tolist(), [NAN, NAN, 0.0, 0.0])
    with pytest.raises(ConfigError, match="of one instrument, not of 2"):
        evaluate("close", {"NSE:X": FOUR, "NSE:Y": FOUR})
    with pytest.raises(ExpressionError, match="lower than the strategy's"):
        evaluate('close("1m")', FOUR)
    with pytest.raises(ConfigError):
        evaluate("close", FOUR, timeframe="20m")


@pytest.mark.parametrize("params", [5, "n=5", [("n", 5)]])
def test_N2_params_that_are_no_mapping_are_refused_in_words(params):
    with pytest.raises(ConfigError, match=r"params is .*; a mapping of names to numbers is asked, like {'n': 14}"):
        evaluate("SMA($n)", FOUR, params=params)


def test_N2_what_evaluate_gives_is_the_callers_own():
    result = evaluate("close", FOUR)
    result.iloc[0] = 99.0
    assert evaluate("close", FOUR).iloc[0] == 1.0


def test_E9_stepper_gives_the_same_bar_by_bar():
    program = compile_program({"entry": 'close > SMA(2) AND close("30m") > 0', "rank": "RSI(2)"}, {}, "15m")
    day = bars(session([10.0, 11.0, 12.0, None, 14.0, 15.0]))
    stepper, rows = Stepper([program], day.grid), dict(zip(day.at.tolist(), day.frame.to_numpy().tolist(), strict=True))
    seen = [
        (stepper.value("entry"), stepper.value("rank"), stepper.is_warm())
        for instant in range(len(day.grid))
        if Timeframe.parse("15m") in stepper.feed(rows.get(instant))
    ]
    columns = {one: columns_of(day, one) for one in program.timeframes}
    whole = evaluate_arrays(program, columns)
    np.testing.assert_array_equal([one[0] for one in seen], whole.values["entry"])
    np.testing.assert_array_equal([one[1] for one in seen], whole.values["rank"])
    assert [one[2] for one in seen] == whole.warm.tolist()
    with pytest.raises(ConfigError, match="no further instant"):
        stepper.feed(None)


def test_E9_stepper_goes_on_over_sessions():
    days = [session([10.0 + i + k for i in range(25)], f"2024-01-{8 + k:02d}") for k in range(3)]
    program = compile_program({"value": 'SMA(close, 2, "1d") + SMA(close, 5, "1h")'}, {}, "15m")
    whole = bars(*days)
    expected = evaluate_arrays(program, {one: columns_of(whole, one) for one in program.timeframes}).values["value"]
    stepper, seen = None, []
    for day in days:
        own = bars(day)
        if stepper is None:
            stepper = Stepper([program], own.grid)
        else:
            stepper.use(own.grid)
        for row in own.frame.to_numpy().tolist():
            stepper.feed(row)
            seen.append(stepper.value("value"))
    np.testing.assert_array_equal(seen, expected)
    assert not math.isnan(seen[-1])


def test_B3_bars_of_every_timeframe_must_be_given():
    program = compile_program({"value": 'close("1h")'}, {}, "15m")
    with pytest.raises(ConfigError, match="bars of 1h are needed"):
        evaluate_arrays(program, {program.timeframe: columns_of(FOUR, "15m")})
