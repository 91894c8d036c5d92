"""Rule E9: array form and bar-by-bar form are equal to the last bit, wherever values are missing and it is restored."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.indicator_program import ABSENT, Column, IndicatorProgram
from workbench.indicators.ops import ELEMENT_WISE, Op
from workbench.indicators.registry import FUNCTIONS
from workbench.indicators.signature import Kind
from workbench.indicators.update import initialise, run, state_size, step
from workbench.schema import Leaf

CONDITIONS = {Op.AND, Op.OR, Op.NOT, Op.COUNT, Op.BARS_SINCE, Op.VALUE_WHEN, Op.IF}
SESSIONS = {Op.SESSION_FIRST, Op.SESSION_MAX, Op.SESSION_MIN, Op.SESSION_BARS, Op.SESSION_VWAP}

PRICES = st.one_of(
    st.floats(1.0, 1000.0),
    st.sampled_from([np.nan, 100.0, 100.0 * (1 + 5e-10), 101.0, 0.0, -3.0, 1e12, 1e300, -1e300, 1e-300, 5e-324]),
)
COLUMNS = st.lists(st.tuples(PRICES, PRICES, PRICES, PRICES), min_size=1, max_size=60)


def bits(x: Column) -> Column:
    """The bits of every number; all missing values are one."""
    return np.where(np.isnan(x), np.nan, x).view(np.int64)


def inputs_of(op: Op, rows: list[tuple[float, ...]]) -> list[Column]:
    """Four columns that suit the operation: conditions and session dates where it takes them."""
    columns = [np.ascontiguousarray(c) for c in np.array(rows, dtype=np.float64).T]
    if op in CONDITIONS:
        count = 2 if op in (Op.AND, Op.OR) else 1
        for i in range(count):
            columns[i] = np.where(np.isnan(columns[i]), np.nan, (columns[i] > 100.0).astype(float))
    if op in SESSIONS:
        columns[0] = np.where(np.isnan(columns[0]), np.nan, np.cumsum(np.nan_to_num(columns[0]) == 101.0))
    return columns


@pytest.mark.parametrize("op", list(Op), ids=lambda op: op.name)
@settings(max_examples=25, deadline=None)
@given(rows=COLUMNS, n=st.integers(1, 12), cut=st.integers(0, 59))
def test_E9_array_form_equals_bar_by_bar_form(op: Op, rows: list[tuple[float, ...]], n: int, cut: int) -> None:
    x, length, code = inputs_of(op, rows), len(rows), int(op)
    size = state_size(code, n, 0.0, 0.0)
    state, again = np.full(size + 6, 77.0), np.full(size + 6, 77.0)
    arrays, bars = np.empty(length), np.empty(length)
    with np.errstate(all="ignore"):
        initialise(code, float(n), 0.0, 0.0, state, 3)
        initialise(code, float(n), 0.0, 0.0, again, 3)
        run(code, *x, float(n), 0.0, 0.0, state, 3, arrays)
        for i in range(length):
            if i == cut:  # saved, everything spoilt, restored at another place of another array
                saved = again[3 : 3 + size].copy()
                again = np.full(size + 6, -1.0)
                again[3 : 3 + size] = saved
            bars[i] = step(code, *(float(c[i]) for c in x), float(n), 0.0, 0.0, again, 3)
    np.testing.assert_array_equal(bits(arrays), bits(bars))
    np.testing.assert_array_equal(bits(state[3:-3]), bits(again[3:-3]))
    assert (state[:3] == 77.0).all() and (state[-3:] == 77.0).all()
    assert not np.isinf(arrays).any()


@pytest.mark.parametrize("op", [op for op in Op if op not in ELEMENT_WISE], ids=lambda op: op.name)
@settings(max_examples=15, deadline=None)
@given(rows=COLUMNS, n=st.integers(1, 12), cut=st.integers(0, 60))
def test_P2_a_prefix_gives_the_values_of_the_whole(op: Op, rows: list[tuple[float, ...]], n: int, cut: int) -> None:
    x, length, code = inputs_of(op, rows), len(rows), int(op)
    state = np.empty(state_size(code, n, 0.0, 0.0))
    whole, parts = np.empty(length), np.empty(length)
    cut = min(cut, length)
    with np.errstate(all="ignore"):
        initialise(code, float(n), 0.0, 0.0, state, 0)
        run(code, *x, float(n), 0.0, 0.0, state, 0, whole)
        initialise(code, float(n), 0.0, 0.0, state, 0)
        for part in (slice(0, cut), slice(cut, length)):
            if part.stop > part.start:
                columns = [np.ascontiguousarray(c[part]) for c in x]
                run(code, *columns, float(n), 0.0, 0.0, state, 0, parts[part])
    np.testing.assert_array_equal(bits(whole), bits(parts))


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), restore_at=st.lists(st.integers(0, 199), max_size=4))
def test_E9_every_function_by_both_forms_on_bars_with_holes(seed: int, restore_at: list[int]) -> None:
    rng = np.random.default_rng(seed)
    length, program = 200, IndicatorProgram()
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, length)))
    columns = {leaf: np.ones(length) for leaf in Leaf}
    columns |= {Leaf.OPEN: close, Leaf.HIGH: close * 1.01, Leaf.LOW: close * 0.98, Leaf.CLOSE: close}
    columns[Leaf.VOLUME] = rng.integers(0, 5, length).astype(float)
    columns[Leaf.SESSION] = np.cumsum(rng.random(length) < 0.05).astype(float)
    for leaf in (Leaf.HIGH, Leaf.CLOSE, Leaf.VOLUME):
        columns[leaf] = np.where(rng.random(length) < 0.03, np.nan, columns[leaf])
    called = []
    for function in FUNCTIONS:
        for overload in function.overloads:
            arguments: list[Column | float] = []
            for argument in overload.arguments:
                if argument.is_constant:
                    arguments.append(float(rng.integers(1, 15)))
                elif argument.kind is Kind.CONDITION:
                    arguments.append((rng.random(length) < 0.3).astype(float))
                else:
                    arguments.append(columns[Leaf.CLOSE] * rng.choice([1.0, 0.99]))
            called.append((function.name, program.call(function.name, arguments)))
    by_arrays, by_bars = program.arrays(columns, length), program.bars(columns, length, restore_at)
    for name, node in called:
        np.testing.assert_array_equal(bits(by_arrays[node]), bits(by_bars[node]), err_msg=name)


def test_E9_an_input_of_length_1_is_the_same_at_every_bar() -> None:
    x, out, again = np.arange(6.0), np.empty(6), np.empty(6)
    none = np.empty(0)
    run(int(Op.ADD), x, np.array([2.0]), ABSENT, ABSENT, 0.0, 0.0, 0.0, none, 0, out)
    run(int(Op.ADD), x, np.full(6, 2.0), ABSENT, ABSENT, 0.0, 0.0, 0.0, none, 0, again)
    np.testing.assert_array_equal(out, x + 2.0)
    np.testing.assert_array_equal(bits(out), bits(again))
