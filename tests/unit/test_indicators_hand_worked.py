"""Every function of the table on a few bars worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.indicator_program import Column, column, primitive, values
from workbench.indicators.ops import Op
from workbench.schema import Leaf

nan = math.nan
INF = math.inf

OPEN = column(10, 11, 12, 11, 13)
HIGH = column(12, 13, 14, 13, 15)
LOW = column(9, 10, 11, 10, 12)
CLOSE = column(11, 12, 13, 11, 14)
VOLUME = column(100, 200, 300, 400, 500)
BARS = {Leaf.OPEN: OPEN, Leaf.HIGH: HIGH, Leaf.LOW: LOW, Leaf.CLOSE: CLOSE, Leaf.VOLUME: VOLUME}


def same(found: Column, expected: list[float], tolerance: float = 1e-12) -> None:
    """Equal to rounding, missing at the same bars."""
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("SMA", (column(1, 2, 3, 7), 3), [nan, nan, 2, 4]),
        ("SMA", (column(5, 6), 1), [5, 6]),
        # seeded by (1+2+3)/3 = 2, then 2 + 0.5·(7-2) = 4.5, then 4.5 + 0.5·(1-4.5)
        ("EMA", (column(1, 2, 3, 7, 1), 3), [nan, nan, 2, 4.5, 2.75]),
        ("EMA", (column(1, nan, 2, 3, nan, 7), 3), [nan, nan, nan, 2, nan, 4.5]),
        # weights 1, 2, 3 over 6
        ("WMA", (column(1, 2, 3, 7), 3), [nan, nan, 14 / 6, 29 / 6]),
        ("RMA", (column(1, 2, 3, 8, 2), 3), [nan, nan, 2, 4, 4 - 2 / 3]),
        # changes +1 +1 -1 +3: gains 2/2, losses 0/2; then (1+0)/2, (0+1)/2; then (0.5+3)/2, (0.5+0)/2
        ("RSI", (column(1, 2, 3, 2, 5), 2), [nan, nan, 100, 50, 100 * 1.75 / 2]),
        ("RSI", (column(4, 4, 4, 4), 2), [nan, nan, 50, 50]),
        ("RSI", (column(4, 3, 2, 1), 2), [nan, nan, 0, 0]),
        # the missing third value is skipped: the next change is against 2, the last one that was there
        ("RSI", (column(1, 2, nan, 3, 2), 2), [nan, nan, nan, 100, 50]),
        ("VAR", (column(1, 2, 3, 7), 2), [nan, 0.25, 0.25, 4]),
        ("STDDEV", (column(2, 4, 4, 4, 5, 5, 7, 9), 8), [nan] * 7 + [2]),
        ("BB_UPPER", (column(1, 3, 7), 2, 2), [nan, 4, 9]),
        ("BB_MID", (column(1, 3, 7), 2, 2), [nan, 2, 5]),
        ("BB_LOWER", (column(1, 3, 7), 2, 2), [nan, 0, 1]),
        ("BB_WIDTH", (column(1, 3, 7), 2, 2), [nan, 2, 1.6]),
        ("MACD", (column(1, 2, 3, 7), 1, 2, 2), [nan, 0.5, 3 - 2.5, 7 - (2.5 + 2 / 3 * 4.5)]),
        ("MACD_SIGNAL", (column(1, 2, 3, 7), 1, 2, 2), [nan, nan, 0.5, 0.5 + 2 / 3 * 1.0]),
        ("MACD_HIST", (column(1, 2, 3, 7), 1, 2, 2), [nan, nan, 0, 1.5 - (0.5 + 2 / 3)]),
        ("ROC", (column(2, 4, 5, 5), 2), [nan, nan, 150, 25]),
        ("PERF_PCT", (column(2, 4, 5, 5), 2), [nan, nan, 150, 25]),
        ("ROC", (column(2, nan, 5, 5), 2), [nan, nan, 150, nan]),
        ("ROC", (column(0, 4, 5), 1), [nan, nan, 25]),
        ("MOM", (column(2, 4, 5, 5), 2), [nan, nan, 3, 1]),
        ("RET", (column(2, 4, 5),), [nan, 100, 25]),
        ("HIGHEST", (column(3, 1, 2, 5, 4, 1, 0), 3), [nan, nan, 3, 5, 5, 5, 4]),
        ("LOWEST", (column(3, 1, 2, 5, 4, 1, 0), 3), [nan, nan, 1, 1, 2, 1, 0]),
        ("SUM", (column(3, 1, 2, 5), 3), [nan, nan, 6, 8]),
        ("LAG", (column(3, 1, 2, 5), 2), [nan, nan, 3, 1]),
        ("LAG", (column(3, nan, 2, 5), 2), [nan, nan, 3, nan]),
        ("ZSCORE", (column(1, 3, 3), 2), [nan, 1, nan]),
        ("COUNT", (column(1, 0, 1, 1, nan, 1), 3), [nan, nan, 2, 2, 2, 2]),
        ("BARS_SINCE", (column(0, nan, 1, 0, nan, 1), ), [nan, nan, 0, 1, 2, 0]),
        ("VALUE_WHEN", (column(0, 1, nan, 1, 0), column(5, 6, 7, 8, 9)), [nan, 6, 6, 8, 8]),
        ("ABS", (column(-2, 3, nan),), [2, 3, nan]),
        ("SQRT", (column(4, 0, -1, nan),), [2, 0, nan, nan]),
        ("LOG", (column(math.e, 1, 0, -1),), [1, 0, nan, nan]),
        ("EXP", (column(0, 1, 710),), [1, math.e, nan]),
        ("SIGN", (column(-2, 0, 5, nan),), [-1, 0, 1, nan]),
        ("POW", (column(2, -8, 0, nan, 1, 10, 0), column(3, 1 / 3, -1, 0, nan, 400, 0)),
         [8, nan, nan, nan, nan, nan, 1]),
        ("FLOOR", (column(2.7, -2.2, 3),), [2, -3, 3]),
        ("MAX2", (column(1, 5, nan, 2), column(2, 4, 1, nan)), [2, 5, nan, nan]),
        ("MIN2", (column(1, 5, nan, 2), column(2, 4, 1, nan)), [1, 4, nan, nan]),
        ("IF", (column(1, 0, 1, 0, nan), column(1, 2, nan, nan, 5), column(nan, 6, 7, nan, 9)), [1, 6, nan, nan, nan]),
    ],
)  # fmt: skip
def test_E_series_function_by_hand(name: str, arguments: tuple[Column | float, ...], expected: list[float]) -> None:
    same(values(name, arguments), expected)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        # true ranges from bar 1: 3, 3, max(3, |13-13|, |10-13|) = 3, max(3, |15-11|, |12-11|) = 4
        ("ATR", (2,), [nan, nan, 3, 3, 3.5]),
        # raw %K over 2: (12-9)/4, (13-10)/4, (11-10)/4, (14-10)/5 · 100, then the mean of 2
        ("STOCH_K", (2, 1), [nan, 75, 75, 25, 80]),
        ("STOCH_K", (2, 2), [nan, nan, 75, 50, 52.5]),
        ("STOCH_D", (2, 2, 2), [nan, nan, nan, 62.5, 51.25]),
        ("WILLR", (2,), [nan, -25, -25, -75, -20]),
        # hlc3: 32/3, 35/3, 38/3, 34/3, 41/3; of two values x is ± one mean deviation from the mean
        ("CCI", (2,), [nan, 1 / 0.015, 1 / 0.015, -1 / 0.015, 1 / 0.015]),
        # flows: up 35/3·200, up 38/3·300, down 34/3·400, up 41/3·500
        ("MFI", (2,), [nan, nan, 100, 100 * 3800 / (3800 + 13600 / 3), 100 * 20500 / (20500 + 13600)]),
        ("VOLUME_RATIO", (2,), [nan, nan, 2, 400 / 250, 500 / 350]),
        ("OBV", (), [100, 300, 600, 200, 700]),
        ("PVT", (), [nan, 200 / 11, 200 / 11 + 25, 200 / 11 + 25 - 800 / 13, 200 / 11 + 25 - 800 / 13 + 500 * 3 / 11]),
        ("VWAP", (2,), [nan, (3200 / 3 + 7000 / 3) / 300, (7000 / 3 + 3800) / 500,
                        (3800 + 13600 / 3) / 700, (13600 / 3 + 20500 / 3) / 900]),
        ("DONCHIAN_HIGH", (3,), [nan, nan, 14, 14, 15]),
        ("DONCHIAN_LOW", (3,), [nan, nan, 9, 10, 10]),
        # EMA(2): 11.5, 11.5 + 2/3·1.5 = 12.5, 12.5 - 2/3·1.5 = 11.5, 11.5 + 2/3·2.5
        ("KELTNER_UPPER", (2, 2), [nan, nan, 18.5, 17.5, 11.5 + 5 / 3 + 7]),
        ("KELTNER_LOWER", (2, 2), [nan, nan, 6.5, 5.5, 11.5 + 5 / 3 - 7]),
        # up 1, 1, 0, 2; down 0, 0, 1, 0; ranges 3, 3, 3, 4. First the sums of n - 1 bars: 1, 0, 3; then S - S/2 + x
        ("PLUS_DI", (2,), [nan, nan, 100 * 1.5 / 4.5, 100 * 0.75 / 5.25, 100 * 2.375 / 6.625]),
        ("MINUS_DI", (2,), [nan, nan, 0, 100 * 1 / 5.25, 100 * 0.5 / 6.625]),
        # DX: 100, 100·0.25/1.75, 100·1.875/2.875; ADX starts with the mean of two
        ("ADX", (2,), [nan, nan, nan, (100 + 100 / 7) / 2, ((100 + 100 / 7) / 2 + 100 * 1.875 / 2.875) / 2]),
    ],
)  # fmt: skip
def test_E_bar_function_by_hand(name: str, arguments: tuple[float, ...], expected: list[float]) -> None:
    same(values(name, arguments, BARS), expected)


def test_E_volatility_is_the_sample_deviation_of_log_returns() -> None:
    close = column(1, math.e, math.e**3, math.e**3)  # log returns 1, 2, 0
    same(values("VOLATILITY", (3,), {Leaf.CLOSE: close}), [nan, nan, nan, 100])
    same(values("VOLATILITY", (2,), {Leaf.CLOSE: close}), [nan, nan, 100 * math.sqrt(0.5), 100 * math.sqrt(2)])


def test_E_session_functions_begin_anew_with_the_session() -> None:
    bars = BARS | {Leaf.SESSION: column(1, 1, 1, 2, 2)}
    same(values("SESSION_OPEN", (), bars), [10, 10, 10, 11, 11])
    same(values("SESSION_HIGH", (), bars), [12, 13, 14, 13, 15])
    same(values("SESSION_LOW", (), bars), [9, 9, 9, 10, 10])
    same(values("BARS_SINCE_OPEN", (), bars), [0, 1, 2, 0, 1])
    first, second = 32 / 3, (32 / 3 * 100 + 35 / 3 * 200) / 300
    third = (32 / 3 * 100 + 35 / 3 * 200 + 38 / 3 * 300) / 600
    same(values("VWAP", (), bars), [first, second, third, 34 / 3, (34 / 3 * 400 + 41 / 3 * 500) / 900])


def test_E_session_columns_are_read_as_they_are() -> None:
    bars = {
        Leaf.MINUTES_SINCE_OPEN: column(5, 10),
        Leaf.MINUTES_TO_CLOSE: column(370, 365),
        Leaf.DAY_OF_WEEK: column(1, 2),
    }
    same(values("MINUTES_SINCE_OPEN", (), bars), [5, 10])
    same(values("MINUTES_TO_CLOSE", (), bars), [370, 365])
    same(values("DAY_OF_WEEK", (), bars), [1, 2])


def test_E_vwap_is_missing_while_nothing_has_traded() -> None:
    bars = {Leaf.HIGH: HIGH, Leaf.LOW: LOW, Leaf.CLOSE: CLOSE, Leaf.VOLUME: column(0, 0, 1, 0, 0),
            Leaf.SESSION: column(1, 1, 1, 1, 2)}  # fmt: skip
    same(values("VWAP", (), bars), [nan, nan, 38 / 3, 38 / 3, nan])
    same(values("VWAP", (2,), bars), [nan, nan, 38 / 3, 38 / 3, nan])


def test_E_supertrend_flips_when_close_passes_the_bars_own_final_band() -> None:
    # high - low is 2 on every bar and the closes stay within it, so ATR(1) is the true range and k = 1
    high = column(11, 11, 12, 10, 6, 12)
    low = column(9, 9, 10, 8, 4, 10)
    close = column(10, 10, 11, 9, 5, 11)
    bars = {Leaf.HIGH: high, Leaf.LOW: low, Leaf.CLOSE: close}
    # TR: -, 2, 2, 3 (8-11), 5 (4-9), 7 (12-5); hl2: 10, 10, 11, 9, 5, 11
    # basic upper: -, 12, 13, 12, 10, 18; basic lower: -, 8, 9, 6, 0, 4
    # final upper: 12, 12 (13 is wider), 12, 10, then 10: close[4] = 5 is not above it
    # final lower: 8, 9, 9 (6 is wider, close[2] = 11 is not below 9), 9 (nor is close[3] = 9), then close[4] = 5 < 9: 4
    # direction: +1, +1, +1 (9 < 9 is false), -1 (5 < 9), +1 (11 > 10)
    same(values("SUPERTREND", (1, 1), bars), [nan, 8, 9, 9, 10, 4])
    same(values("SUPERTREND_DIR", (1, 1), bars), [nan, 1, 1, 1, -1, 1])


def test_E4_kleene_logic() -> None:
    a = column(1, 1, 1, 0, 0, 0, nan, nan, nan)
    b = column(1, 0, nan, 1, 0, nan, 1, 0, nan)
    same(primitive(Op.AND, (a, b)), [1, 0, nan, 0, 0, 0, nan, 0, nan])
    same(primitive(Op.OR, (a, b)), [1, 1, 1, 1, 0, nan, 1, nan, nan])
    same(primitive(Op.NOT, (a,)), [0, 0, 0, 1, 1, 1, nan, nan, nan])


def test_E4_arithmetic_with_a_missing_operand_or_result_is_missing() -> None:
    a, b = column(6, nan, 6, 1e308, -6), column(3, 3, nan, 1e308, 0)
    same(primitive(Op.ADD, (a, b)), [9, nan, nan, nan, -6])
    same(primitive(Op.SUB, (a, b)), [3, nan, nan, 0, -6])
    same(primitive(Op.MUL, (a, b)), [18, nan, nan, nan, 0])
    same(primitive(Op.DIV, (a, b)), [2, nan, nan, 1, nan])
    same(primitive(Op.NEG, (a,)), [-6, nan, -6, -1e308, 6])


@pytest.mark.parametrize(
    ("op", "expected"),
    [(Op.GT, [0, 1, 0, 0]), (Op.GE, [0, 1, 1, 1]), (Op.LT, [1, 0, 0, 0]), (Op.LE, [1, 0, 1, 1]),
     (Op.EQ, [0, 0, 1, 1]), (Op.NE, [1, 1, 0, 0])],
)  # fmt: skip
def test_E5_comparison_goes_through_the_tolerance(op: Op, expected: list[float]) -> None:
    a, b = column(1, 2, 3, 1000, nan, 1), column(2, 1, 3, 1000 * (1 + 5e-10), 1, nan)
    same(primitive(op, (a, b)), [*expected, nan, nan])


def test_E5_between_includes_its_ends() -> None:
    x, a, b = column(1, 2, 3, 4, nan, 2, 9), column(2, 2, 2, 2, 2, nan, 2), column(3, 3, 3, 3, 3, 3, nan)
    same(primitive(Op.BETWEEN, (x, a, b)), [0, 1, 1, 0, nan, nan, nan])
    same(primitive(Op.BETWEEN, (column(2 - 1e-10, 3 + 1e-10), column(2, 2), column(3, 3))), [1, 1])


def test_E5_sign_of_a_difference_agrees_with_the_comparison() -> None:
    a, b = column(0.1 + 0.2, 5.0), column(0.3, 4.0)
    same(primitive(Op.SUB, (a, b)), [0, 1])
    same(primitive(Op.ADD, (a, -b)), [0, 1])


def test_E6_crossing_needs_both_bars() -> None:
    a = column(1, 3, 3, 2, 3, nan, 3, 1, 3)
    b = column(2, 2, 2, 2, 2, 2, 2, 2, 2)
    same(primitive(Op.CROSS_ABOVE, (a, b)), [nan, 1, 0, 0, 1, nan, nan, 0, 1])
    same(primitive(Op.CROSS_BELOW, (a, b)), [nan, 0, 0, 0, 0, nan, nan, 1, 0])
    same(primitive(Op.CROSS_BELOW, (b, a)), primitive(Op.CROSS_ABOVE, (a, b)).tolist())


def test_E6_moving_compares_with_the_bar_before_in_percent() -> None:
    x, two = column(100, 102, 101, 98.98, -10, -9, 0, 1), np.full(8, 2.0)
    same(primitive(Op.MOVING_UP, (x, two)), [nan, 1, 0, 0, 0, 1, 1, nan])
    same(primitive(Op.MOVING_DOWN, (x, two)), [nan, 0, 0, 1, 1, 0, 0, nan])


def test_E5_equal_numbers_differ_by_exactly_0_inside_indicators() -> None:
    noise = 1000 * (1 + np.array([0, 3e-10, -3e-10, 2e-10, 0, 1e-10]))
    flat = {Leaf.HIGH: noise, Leaf.LOW: noise, Leaf.CLOSE: noise, Leaf.VOLUME: np.full(6, 7.0)}
    same(values("RSI", (noise, 2)), [nan, nan, 50, 50, 50, 50])
    same(values("OBV", (), flat), [7] * 6)
    same(values("PVT", (), flat), [nan, 0, 0, 0, 0, 0])
    same(values("MFI", (2,), flat), [nan, nan, 0, 0, 0, 0])
    same(values("CCI", (3,), flat), [nan, nan, 0, 0, 0, 0])
    same(values("STDDEV", (noise, 3)), [nan, nan, 0, 0, 0, 0], 0)
    same(values("VAR", (noise, 3)), [nan, nan, 0, 0, 0, 0], 0)
    same(values("ZSCORE", (noise, 3)), [nan] * 6)
    same(values("STOCH_K", (3, 1), flat), [nan, nan, 0, 0, 0, 0])
    same(values("WILLR", (3,), flat), [nan, nan, 0, 0, 0, 0])
    same(values("ROC", (noise, 1)), [nan, 0, 0, 0, 0, 0], 0)
    same(values("MOM", (noise, 1)), [nan, 0, 0, 0, 0, 0], 0)
    same(values("MACD", (noise, 1, 2, 2)), [nan, 0, 0, 0, 0, 0], 0)
    same(values("VOLATILITY", (2,), flat), [nan, nan, 0, 0, 0, 0], 0)
    same(values("ATR", (2,), flat), [nan, nan, 0, 0, 0, 0], 0)


def test_E5_flat_is_judged_by_highest_and_lowest_not_by_the_deviation() -> None:
    """One value in 2,000 is away by 5e-9: the deviation is below 1e-9 of the scale, but the window is not flat."""
    x = np.full(4000, 1.0)
    x[2500] += 5e-9
    deviation = values("STDDEV", (x, 2000))
    assert deviation[2499] == 0.0
    assert deviation[2500] == pytest.approx(5e-9 * math.sqrt(1999) / 2000, rel=1e-6)


def test_E5_a_drift_below_the_tolerance_is_flat_only_while_the_window_is() -> None:
    x = 1.0 + 0.4e-9 * np.arange(12)
    assert (values("STDDEV", (x, 3))[2:] == 0.0).all()  # 0.8e-9 apart
    assert (values("STDDEV", (x, 4))[3:] > 0.0).all()  # 1.2e-9 apart


def test_E10_a_missing_value_makes_a_window_missing_while_it_is_inside() -> None:
    x = np.arange(1.0, 12.0)
    x[4] = nan
    expected = [nan, nan, 1, 1, nan, nan, nan, 1, 1, 1, 1]
    for name, arguments in [("SMA", ()), ("SUM", ()), ("WMA", ()), ("STDDEV", ()), ("VAR", ()), ("HIGHEST", ()),
                            ("LOWEST", ()), ("BB_UPPER", (2,)), ("BB_WIDTH", (2,)), ("ZSCORE", ())]:  # fmt: skip
        found = values(name, (x, 3, *arguments))
        same(np.where(np.isnan(found), nan, 1.0), expected)


def test_E10_lag_roc_and_mom_look_only_at_their_two_ends() -> None:
    x = column(1, nan, 3, 4, 5)
    for name in ("LAG", "ROC", "MOM"):
        same(np.isnan(values(name, (x, 2))).astype(float), [1, 1, 0, 1, 0])


def test_E10_recursive_indicators_skip_a_missing_bar_and_go_on() -> None:
    gap = {leaf: np.insert(x, 2, nan) for leaf, x in BARS.items()}
    gap_session = gap | {Leaf.SESSION: np.insert(column(1, 1, 1, 2, 2), 2, 1.0)}
    whole = BARS | {Leaf.SESSION: column(1, 1, 1, 2, 2)}
    for name, arguments in [("ATR", (2,)), ("ADX", (2,)), ("PLUS_DI", (2,)), ("MINUS_DI", (2,)), ("OBV", ()),
                            ("PVT", ()), ("SUPERTREND", (2, 1)), ("SUPERTREND_DIR", (2, 1)), ("VWAP", ()),
                            ("SESSION_OPEN", ()), ("SESSION_HIGH", ()), ("SESSION_LOW", ()),
                            ("KELTNER_UPPER", (2, 1)), ("KELTNER_LOWER", (2, 1))]:  # fmt: skip
        same(values(name, arguments, gap_session), np.insert(values(name, arguments, whole), 2, nan).tolist())
