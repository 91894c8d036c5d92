"""Names, types, parameters, timeframes and limits (rules E1, E2, E3, E8, B4)."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest

from workbench.errors import ExpressionError
from workbench.expressions.check import parameters
from workbench.expressions.program import Program, compile_program


def compiled(text: str, root: str = "value", timeframe: str = "15m", **params: object) -> Program:
    return compile_program({root: text}, params, timeframe)


def refused(text: str, root: str = "value", timeframe: str = "15m", **params: object) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        compiled(text, root, timeframe, **params)
    return caught.value


def same(one: str, other: str) -> bool:
    """Whether two expressions become the same program."""
    a, b = compiled(one), compiled(other)
    return a.nodes.tobytes() == b.nodes.tobytes() and a.timeframes == b.timeframes and a.roots == b.roots


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("rsi(14)", "RSI(close, 14)"),
        ("PRICE", "close"),
        ("Close > OPEN", "close > open"),
        ("MA(5)", "SMA(close, 5)"),
        ("n = 14\nRSI(n)", "RSI(14)"),
        ("n = 7\nm = n * 2\nRSI(m)", "RSI(14)"),
        ("CROSSOVER(close, SMA(5))", "close CROSSES_ABOVE SMA(5)"),
        ("CROSSUNDER(close, SMA(5))", "close CROSSING_BELOW SMA(5)"),
        ("cross_above(close, 5)", "close CROSS_ABOVE 5"),
        ("RET(close)", "ROC(1)"),
        ("HIGHEST(high, 20)", "DONCHIAN_HIGH(20)"),
        ("close > 100 - 30", "close > 70"),
        ("SMA(0.1 * 30)", "SMA(3)"),
        ('SMA(close("1h"), 5)', 'SMA(close, 5, "1h")'),
        ('SMA(close("60m"), 5)', 'SMA(close, 5, "1h")'),
        ('COUNT(close("1h") > open("1h"), 5)', 'COUNT(close > open, 5, "1h")'),
        ('SMA(close, 5, "15m")', "SMA(close, 5)"),
        ('close("15m")', "close"),
        ('SMA(close("1d"), 5, "15m")', 'SMA(close, 5, "1d")'),
        ('SMA(SMA(close, 3, "1h"), 5, "1h")', 'SMA(SMA(close, 3), 5, "1h")'),
        ('SMA(SMA(close("1h"), 3), 5)', 'SMA(SMA(close, 3), 5, "1h")'),
    ],
)
def test_E3_two_ways_to_write_one_thing(one, other):
    assert same(one, other)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('BARS_SINCE(close > SMA(5, "1h"))', "BARS_SINCE reads earlier bars of 15m and 1h at once"),
        ('BARS_SINCE(close("1h") CROSSES_ABOVE SMA(5, "1h"))', "of 15m and 1h at once"),
        ('COUNT(close("1h") MOVING_UP 1, 3)', "of 15m and 1h at once"),
        ('SMA(close("1h") - close("1d"), 5)', "of 1h and 1d at once"),
        ('VALUE_WHEN(close("1h") > 5, close)', "of 15m and 1h at once"),
        ('v = SMA(close("1h") - close, 5)\nv > 1', "of 15m and 1h at once"),
        ('MAX2(close("1d"), close, "1h")', "MAX2 runs on 1h and names 1d inside"),
        ('SMA(close("15m"), 5, "1h")', "SMA runs on 1h and names 15m inside"),
        ('SMA(SMA(close, 5, "30m"), 5, "1h")', "SMA runs on 1h and names 30m inside"),
    ],
)
def test_E3_two_timeframes_in_one_call(text, said):
    wrong = refused(text)
    assert said in wrong.message
    assert "whole call" in wrong.hint


@pytest.mark.parametrize(
    "text",
    [
        'BARS_SINCE(close CROSSES_ABOVE SMA(5), "1h")',
        'SMA(COUNT(close CROSSES_ABOVE close("1h"), 5), 5, "1h")',
        'MAX2(close("1d"), close)',
        'IF(close("1d") > 5, close, close("1h"))',
        'close("1d") + close("1h") > close',
        'COUNT(1 > 0, 5) + SMA(3, 5, "1h")',
    ],
)
def test_E3_timeframes_that_may_meet(text):
    assert len(compiled(text)) > 0


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ('close("5m")', 7, "timeframe 5m is lower than the strategy's 15m"),
        ('SMA(close, 5, "1m")', 15, "lower than the strategy's"),
        ('close("20m")', 7, "the strategy's 15m does not divide 20m"),
        ('close("1D")', 7, "Write '1d'"),
        ('close("1w")', 7, "Weeks, months and years are not timeframes"),
        ('close("' + "h" * 50 + '")', 7, "no timeframe"),
        ('close("")', 7, "is not understood"),
    ],
)
def test_B4_timeframes_that_cannot_be(text, column, said):
    wrong = refused(text)
    assert wrong.column == column
    assert said in wrong.message


def test_B4_nothing_is_coarser_than_a_day():
    assert "lower than the strategy's 1d" in refused('close("1h")', timeframe="1d").message
    assert compiled('close("1d")', timeframe="1d").timeframes == compiled("close", timeframe="1d").timeframes


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("clsoe > 3", 1, 1, "Did you mean close?"),
        ("close > SMAA(5)", 1, 9, "Did you mean SMA?"),
        ("fast = SMA(5)\nclose > fsat", 2, 9, "Did you mean fast?"),
        ("Fast = SMA(5)\nclose > fast", 2, 9, "Variables are case-sensitive: Fast"),
        ("OBV > 3", 1, 1, "Write OBV()"),
        ("close > SMA", 1, 9, "Write SMA(x, n)"),
        ("close(5) > 3", 1, 1, "LAG(close, 5)"),
        ("close() > 3", 1, 1, "close is a series, not a function"),
        ('v = close\nv("1h") > 3', 2, 1, "'v' is a variable, not a function"),
        ("true", 1, 1, "1 > 0"),
        ("SMA(close, 5, 6) > 1", 1, 1, "Write SMA([x], n)"),
        ("VWAP(1, 2, 3) > 1", 1, 1, "Write VWAP() or VWAP(n)"),
        ("MAX2(close) > 1", 1, 1, "does not take one argument"),
        ("OBV(close) > 1", 1, 1, "Write OBV()"),
        ('SMA(close, "1h")', 1, 12, "SMA lacks a length: the timeframe stands in the place of n"),
        ('BB_UPPER(20, "1h")', 1, 14, "BB_UPPER lacks a factor: the timeframe stands in the place of k"),
        ('ATR("1h")', 1, 5, 'Write ATR(n, "1h")'),
        ("ATR()", 1, 1, "ATR needs arguments"),
        ('SMA("1h", 5)', 1, 5, "text is only for a timeframe"),
        ('CROSSOVER(close, open, "1h")', 1, 1, "takes no timeframe"),
        ("close = 5\nclose > 3", 1, 1, "It is a series"),
        ("RSI = 5\nclose > 3", 1, 1, "It is a function"),
        ("ma = 5\nclose > 3", 1, 1, "It is a function"),
        ("and = 5\nclose > 3", 1, 1, "It is a keyword"),
        ("x = 5\nx = 6\nclose > x", 2, 1, "defined twice"),
        ("a = b\nb = 5\nclose > a", 1, 5, "unknown name 'b'"),
        ("x = x + 1\nclose > x", 1, 5, "unknown name 'x'"),
    ],
)
def test_E2_names(text, line, column, said):
    wrong = refused(text)
    assert (wrong.line, wrong.column) == (line, column)
    assert said in str(wrong)


def test_E2_variables_are_case_sensitive_and_may_be_conditions():
    assert same("N = 5\nn = 6\nSMA(N) > SMA(n)", "SMA(5) > SMA(6)")
    assert same("up = close > open\nup AND NOT up", "close > open AND NOT close > open")


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("close AND open > 3", 1, "AND needs a condition, this is a number"),
        ("NOT close", 5, "NOT needs a condition"),
        ("close > 3 OR 1", 14, "OR needs a condition"),
        ("(close > 3) == (open > 3)", 1, "== needs a number, this is a condition"),
        ("-(close > 3)", 2, "a minus sign needs a number"),
        ("close + (open > 3)", 9, "arithmetic needs a number"),
        ("SMA(close > 3, 5)", 5, "argument x of SMA needs a number"),
        ("COUNT(close, 5)", 7, "argument cond of COUNT needs a condition"),
        ("IF(close > 3, 1, close > 2)", 18, "the branches of IF are a number and a condition"),
        ("close BETWEEN 1 AND (2 > 1)", 21, "BETWEEN needs a number"),
        ("close CROSSES_ABOVE (2 > 1)", 21, "a crossing needs a number"),
        ("close MOVING_UP close", 17, "the percentage must be constant"),
    ],
)
def test_E1_types(text, column, said):
    wrong = refused(text)
    assert wrong.column == column
    assert said in wrong.message


def test_E1_both_branches_of_IF_may_be_conditions():
    assert len(compiled("IF(close > open, close > 5, open > 5)", "entry")) > 0


def test_E1_what_a_strategy_decides_by_is_a_condition_and_its_rank_a_number():
    for root in ("entry", "exit", "short_entry", "short_exit"):
        assert "the expression needs a condition, this is a number" in refused("close", root).message
    assert "the expression needs a number" in refused("close > 1", "rank").message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SMA(0)", "length n is 0"),
        ("SMA(-3)", "length n is -3"),
        ("SMA(2.5)", "length n is 2.5, not a whole number"),
        ("SMA(close, close)", "argument n of SMA is a length and must be constant"),
        ("RSI(close)", "argument n of RSI is a length and must be constant"),
        ("SMA(MAX2(3, 5))", "must be constant"),
        ("SMA(1 / 0)", "must be constant"),
        ("BB_UPPER(20, close)", "argument k of BB_UPPER is a factor and must be constant"),
        ("SMA(50001)", "length n is 50,001"),
    ],
)
def test_E2_lengths_are_constant_whole_and_at_least_one(text, said):
    assert said in refused(text).message


def test_E2_parameters_are_bound_and_finite():
    assert same("RSI(14) < 30", "RSI(14) < 30")
    bound = compiled("RSI($n) < $low", n=14, low=30.0)
    assert bound.nodes.tobytes() == compiled("RSI(14) < 30").nodes.tobytes()
    for value in (np.int64(14), np.float64(14), Fraction(14)):
        assert compiled("RSI($n) < 30", n=value).nodes.tobytes() == compiled("RSI(14) < 30").nodes.tobytes()


@pytest.mark.parametrize(
    ("text", "params", "said"),
    [
        ("RSI($n)", {}, "parameter '$n' is not bound"),
        ("RSI($lenght)", {"length": 14}, "Did you mean length?"),
        ("RSI($N)", {"n": 14}, "parameter '$N' is not bound"),
        ("RSI(n)", {"n": 14}, "Write $n for the parameter"),
        ("RSI($n)", {"n": "14"}, "is str, not a number"),
        ("RSI($n)", {"n": True}, "is bool, not a number"),
        ("RSI($n)", {"n": None}, "is NoneType, not a number"),
        ("close > $n", {"n": float("nan")}, "not a finite number"),
        ("close > $n", {"n": 10**400}, "not a finite number"),
    ],
)
def test_E2_parameters_that_cannot_be(text, params, said):
    assert said in str(refused(text, **params))


def test_E2_parameters_are_listed_in_order():
    assert parameters("n = $b\nRSI($a) < $b AND close > $c") == ("b", "a", "c")


def test_E8_eight_timeframes():
    named = ["30m", "45m", "1h", "75m", "90m", "105m", "2h", "1d"]
    assert len(compiled(" AND ".join(f'close("{one}") > 1' for one in named)).timeframes) == 9
    wrong = refused(" AND ".join(f'close("{one}") > 1' for one in [*named, "3h"]))
    assert "names 9 timeframes, at most 8" in wrong.message


def test_E8_lookback_is_counted_through_nested_calls():
    assert compiled("LAG(50000)").warm_bars == 50_001
    assert compiled("SMA(SMA(25000), 25000)").warm_bars == 49_999
    wrong = refused("1 + SMA(SMA(30000), 30000)")
    assert "looks back 59,998 bars of 15m" in wrong.message
    assert "At most 50,000" in wrong.hint
    assert wrong.column == 5
    assert compiled('SMA(30000, "1h") - SMA(30000)').warm_bars > 50_000


def test_E8_nodes_count_with_variables_written_out():
    doubled = "\n".join(f"v{i} = v{i - 1} + v{i - 1}" for i in range(1, 11))
    assert len(compiled(f"v0 = close\n{doubled}\nv10")) == 11
    wrong = refused(f"v0 = close\n{doubled}\nv11 = v10 + v10\nv11")
    assert "more than 2,500 nodes" in wrong.message
    endless = "\n".join(f"v{i} = v{i - 1} + v{i - 1}" for i in range(1, 400))
    assert re.search("more than 2,500 nodes", refused(f"v0 = close\n{endless}\nv399").message)


def test_E8_depth_counts_with_variables_written_out():
    chain = "\n".join(f"v{i} = v{i - 1} + 1" for i in range(1, 66))
    assert len(compiled(f"v0 = close\n{chain}\nv64")) > 0
    chain += "\nv66 = v65 + 1\nv67 = v66 + 1"
    assert "64 levels" in refused(f"v0 = close\n{chain}\nv67").message


def test_E8_deep_and_wide_at_once_stays_within_the_limits_of_the_machine():
    text = "close"
    for _ in range(31):
        text = f"IF({text} * 1 + 1 > 1 AND open > 1, 1, 2)"
    assert len(compiled(text, "value")) > 0
