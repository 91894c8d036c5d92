"""Rule E8: the largest expressions that it allows compile, and not one node more."""

from __future__ import annotations

import time

import numpy as np
import pytest

from workbench.errors import ExpressionError
from workbench.expressions.program import compile_program
from workbench.expressions.stepper import Stepper
from workbench.market import samples
from workbench.research.evaluate import evaluate


def compiled(text: str) -> int:
    """Nodes of the program, in which equal ones are one."""
    return len(compile_program({"value": text}, {}, "15m"))


def _nested(count: int) -> str:
    """``OBV("1h") - (OBV("1h") - (…))``: every parenthesis changes the value."""
    return 'OBV("1h") - (' * count + 'OBV("1h") - 1' + ")" * count


def _deep_call(count: int) -> str:
    return "ABS(" * count + "close" + ', "1h")' * count


def _defined(counts: list[int]) -> str:
    """Variables of one call each, that are made of each other, and the sum of those that nothing is made of."""
    lines = [
        f"v{group}_{i} = ABS({f'v{group}_{i - 1}' if i else 'close'}, \"1h\")"
        for group, count in enumerate(counts)
        for i in range(count)
    ]
    return "\n".join([*lines, " + ".join(f"v{group}_{count - 1}" for group, count in enumerate(counts))])


# Each has 2,500 nodes to the last one: calls, names, numbers and operators, with its variables written out.
LARGEST = {
    "names": "-" + " + ".join(["close"] * 1_250),
    "comparisons": "NOT " + " AND ".join(["close > open"] * 625),
    "calls on a timeframe": "-" + " + ".join(['OBV("1h")'] * 1_250),
    "series on a timeframe": "-" + " + ".join(['close("1h")'] * 1_250),
    "different calls": "NOT " + " OR ".join(f'RSI({i + 2}, "1h") > {i}' for i in range(500)),
    "calls of several nodes": "NOT " + " OR ".join([*(f"BB_WIDTH({i + 2}, 2) > 1" for i in range(416)), "1 > 2"]),
    "long names": "NOT " + " AND ".join(['MINUTES_SINCE_OPEN("1h") CROSSES_ABOVE MINUTES_TO_CLOSE("1h")'] * 625),
    "groups": "-" + " * ".join(['(OBV("1h") + OBV("1d"))'] * 625),
    "nested groups": "-" + " + ".join([_nested(60)] * 20 + ["close"] * 10),
    "deep calls": "-" + " + ".join([_deep_call(60)] * 40 + [_deep_call(18)]),
    "variables": "\n".join(f"v{i} = close > {i}" for i in range(625))
    + "\nNOT "
    + " AND ".join(f"v{i}" for i in range(625)),
    "variables of variables": _defined([30] * 78 + [3]),
}

SHAPES = pytest.mark.parametrize("text", LARGEST.values(), ids=LARGEST)


@SHAPES
def test_E8_expressions_of_2500_nodes_compile(text):
    assert compiled(text) > 0


@SHAPES
def test_E8_E9_expressions_of_2500_nodes_are_evaluated_in_both_forms(text):
    """However deep: a sum of 1,250 terms is 1,250 nodes deep."""
    bars = samples.synthetic(seed=1, start="2023-01-02", end="2023-01-05")
    program = compile_program({"value": text}, {}, bars.timeframe)
    stepper = Stepper([program], bars.grid)
    opened = dict(zip(bars.ts_ns.tolist(), zip(*bars.arrays, strict=True), strict=True))
    closed = (bars.timeframe in stepper.feed(opened.get(ts)) for ts in bars.grid.open_ns.tolist())
    stepped = [stepper.value("value") for has_bar in closed if has_bar]
    assert np.array_equal(evaluate(text, bars).to_numpy(), np.array(stepped), equal_nan=True)


@SHAPES
def test_E8_one_node_more_is_refused(text):
    last = text.rindex("\n") + 1 if "\n" in text else 0
    sign = "NOT " if text.startswith("NOT", last) else "-"
    with pytest.raises(ExpressionError, match="more than 2,500 nodes"):
        compiled(f"{text[:last]}({sign}{text[last:]})")


def test_E8_signs_are_limited_only_beyond_any_use():
    """With no parenthesis that changes nothing and no variable that is never read, nodes are what runs out first."""
    with pytest.raises(ExpressionError, match="more than 15,000 words and signs"):
        compiled(" - ".join(["(" * 60 + "close" + ")" * 60] * 125))


@pytest.mark.bench
@pytest.mark.parametrize("shape", [one for one in LARGEST if one != "variables of variables"])
def test_E8_the_largest_expressions_compile_within_50_ms(shape):
    """All but two thousand variables of one call each, which are half as many words again as any other shape has."""
    text = LARGEST[shape]
    compiled("close")
    best = 9.0
    for i in range(12):
        started = time.thread_time()
        compiled(text + "\n" * (i + 1))
        best = min(best, time.thread_time() - started)
    assert best < 0.050
