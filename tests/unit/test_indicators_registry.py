"""The registry: names, ways to call, first bars, and what is shared between functions."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.indicator_program import Column, IndicatorProgram
from workbench.indicators import registry
from workbench.indicators.ops import ELEMENT_WISE, FAMILY_BITS, Op
from workbench.indicators.signature import Function, Kind, Overload, ValueType
from workbench.indicators.update import state_size
from workbench.schema import Leaf

LENGTH = 400
CALLS = [(f, o) for f in registry.FUNCTIONS for o in f.overloads]
IDS = [f"{f.name}/{len(o.arguments)}" for f, o in CALLS]


def clean_bars() -> dict[Leaf, Column]:
    """Random bars without a missing value, two sessions."""
    rng = np.random.default_rng(3)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, LENGTH)))
    opens = np.concatenate([[100.0], close[:-1]])
    spread = 1 + np.abs(rng.normal(0, 0.01, (2, LENGTH)))
    found = {leaf: np.ones(LENGTH) for leaf in Leaf}
    found |= {Leaf.OPEN: opens, Leaf.HIGH: np.maximum(opens, close) * spread[0],
              Leaf.LOW: np.minimum(opens, close) / spread[1], Leaf.CLOSE: close}  # fmt: skip
    found[Leaf.VOLUME] = rng.integers(1000, 9000, LENGTH).astype(float)
    found[Leaf.SESSION] = np.repeat([1.0, 2.0], LENGTH // 2)
    return found


def arguments_of(overload: Overload, lengths: list[float], bars: dict[Leaf, Column]) -> list[Column | float]:
    """Series and true conditions from the bars, lengths from the list, factors of 2."""
    pool = iter(lengths)
    found: list[Column | float] = []
    for argument in overload.arguments:
        if argument.kind is Kind.LENGTH:
            found.append(next(pool))
        elif argument.kind is Kind.FACTOR:
            found.append(2.0)
        else:
            found.append(bars[Leaf.CLOSE] if argument.kind is Kind.NUMBER else np.ones(LENGTH))
    return found


@pytest.mark.parametrize("lengths", [[1, 1, 1], [2, 3, 4], [14, 5, 3], [3, 10, 6], [100, 40, 9]])
@pytest.mark.parametrize(("function", "overload"), CALLS, ids=IDS)
def test_E7_first_is_the_first_bar_with_a_value_on_clean_bars(
    function: Function, overload: Overload, lengths: list[float]
) -> None:
    bars, program = clean_bars(), IndicatorProgram()
    arguments = arguments_of(overload, lengths, bars)
    node = program.call(function.name, arguments)
    column = program.arrays(bars, LENGTH)[node]
    constants = [a for a in arguments if isinstance(a, float | int)]
    if (function.name, constants[-1:]) in (("ZSCORE", [1]), ("VOLATILITY", [1])):
        assert np.isnan(column).all()  # one value is a flat window; one return has no sample deviation
        return
    present = ~np.isnan(column)
    assert present.argmax() == overload.first(constants)
    assert present[overload.first(constants) :].all()


def test_E1_names_are_unique_and_found_in_any_case() -> None:
    names = [n for f in registry.FUNCTIONS for n in (f.name, *f.aliases)]
    names += [n.upper() for s in registry.SERIES for n in (s.name, *s.aliases)]
    assert len(names) == len(set(names)) == len(registry.names())
    assert registry.function("rsi") is registry.function("RSI")
    assert registry.series("CLOSE") is registry.series("price")
    assert registry.function("nothing") is None
    assert registry.series("nothing") is None


@pytest.mark.parametrize(
    ("alias", "name"),
    [("MA", "SMA"), ("AVG", "SMA"), ("PERF_PCT", "ROC"), ("CROSSOVER", "CROSS_ABOVE"), ("CROSSUNDER", "CROSS_BELOW"),
     ("CROSSING_ABOVE", "CROSS_ABOVE"), ("CROSSING_BELOW", "CROSS_BELOW")],
)  # fmt: skip
def test_E1_aliases(alias: str, name: str) -> None:
    assert registry.function(alias) is registry.function(name)


def test_E_every_function_of_the_table_is_there() -> None:
    table = """SMA EMA WMA RMA RSI ATR ADX PLUS_DI MINUS_DI STDDEV VAR BB_UPPER BB_MID BB_LOWER BB_WIDTH MACD
        MACD_SIGNAL MACD_HIST STOCH_K STOCH_D CCI MFI WILLR ROC MOM RET HIGHEST LOWEST SUM LAG ZSCORE VOLATILITY
        VOLUME_RATIO OBV PVT VWAP SUPERTREND SUPERTREND_DIR DONCHIAN_HIGH DONCHIAN_LOW KELTNER_UPPER KELTNER_LOWER
        ABS SQRT LOG EXP SIGN POW FLOOR MAX2 MIN2 IF COUNT BARS_SINCE VALUE_WHEN SESSION_OPEN SESSION_HIGH SESSION_LOW
        BARS_SINCE_OPEN MINUTES_SINCE_OPEN MINUTES_TO_CLOSE DAY_OF_WEEK""".split()
    counted = {f.name for f in registry.FUNCTIONS if f.counts_for_warm}
    assert counted == set(table)


@pytest.mark.parametrize(("function", "overload"), CALLS, ids=IDS)
def test_E3_the_series_in_first_place_may_be_left_out(function: Function, overload: Overload) -> None:
    assert all(not a.may_be_left_out for a in overload.arguments[1:])
    first = overload.arguments[0] if overload.arguments else None
    assert (first is not None and first.name == "x") == (overload.least < len(overload.arguments))
    assert function.overload(len(overload.arguments)) is overload
    assert function.overload(overload.least) is overload
    assert function.overload(9) is None


@pytest.mark.parametrize(("function", "overload"), CALLS, ids=IDS)
def test_E3_element_wise_functions_are_those_whose_nodes_are(function: Function, overload: Overload) -> None:
    bars, program = clean_bars(), IndicatorProgram()
    program.call(function.name, arguments_of(overload, [2, 3, 4], bars))
    reads_bars_before = any(op not in ELEMENT_WISE for op, _, _ in program.nodes)
    if any(a.kind in (Kind.NUMBER, Kind.CONDITION) for a in overload.arguments):
        assert function.element_wise == (not reads_bars_before)


@pytest.mark.parametrize("function", registry.FUNCTIONS, ids=lambda f: f.name)
def test_E_every_function_is_explained(function: Function) -> None:
    assert function.doc.endswith(".")
    assert function.group
    assert all(o.formula and o.first_text for o in function.overloads)
    conditions = ("CROSS_ABOVE", "CROSS_BELOW")
    assert function.result is (ValueType.CONDITION if function.name in conditions else ValueType.NUMBER)


def test_E_first_as_text_says_what_the_function_says() -> None:
    for function in registry.FUNCTIONS:
        for overload in function.overloads:
            lengths = [a.name for a in overload.arguments if a.is_constant]
            if not re.fullmatch(r"[\w\s()+,-]+", overload.first_text) or "true" in overload.first_text:
                continue
            bound = dict(zip(lengths, (14.0, 5.0, 3.0), strict=False))
            expected = re.sub(r"(\d)n", r"\1*n", overload.first_text)
            assert overload.first(list(bound.values())) == eval(expected, {"max": max, **bound}), function.name


def test_E_bands_share_their_average_and_deviation() -> None:
    program, x = IndicatorProgram(), np.arange(5.0)
    for name in ("BB_UPPER", "BB_MID", "BB_LOWER", "BB_WIDTH"):
        overload = registry.function(name)
        assert overload is not None
        node = program.given(x) if not program.inputs else next(iter(program.inputs))
        overload.overloads[0].lower(program.build, [node], [3.0, 2.0])
    ops = [op for op, _, _ in program.nodes]
    assert ops.count(Op.SMA) == ops.count(Op.STDDEV) == 1
    assert ops.count(Op.BAND) == 2


def test_E_an_operation_numbers_its_family() -> None:
    assert len({int(op) for op in Op}) == len(Op)
    assert max(Op) >> FAMILY_BITS == 7
    assert all(state_size(int(op), 5.0, 0.0, 0.0) == 0 for op in ELEMENT_WISE)
    assert all(state_size(int(op), 5.0, 0.0, 0.0) > 0 for op in Op if op not in ELEMENT_WISE)
