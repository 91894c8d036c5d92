"""Rule E9: the array form and the bar-by-bar form of any expression are equal to the last bit."""

from __future__ import annotations

import pickle
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.random_expressions import PARAMS, RawBars, bars_on, grid_of, script
from workbench.expressions.evaluate import Evaluated, evaluate_arrays
from workbench.expressions.program import Program, compile_program
from workbench.expressions.stepper import Stepper
from workbench.indicators.signature import ValueType
from workbench.market.grid import Grid, buckets
from workbench.market.resample import resample
from workbench.market.timeframe import Timeframe

#: Base, strategy's, and those above it.
LADDERS = (
    ("5m", "5m", ("15m", "1h", "1d")),
    ("5m", "15m", ("15m", "30m", "1h", "1d")),
    ("15m", "1h", ("2h", "1d")),
    ("15m", "1d", ("1d",)),
)
ROOTS = ("entry", "exit", "short_entry", "short_exit", "rank", "a", "b", "c")


def programs(rng: random.Random, ladder: tuple[str, str, tuple[str, ...]]) -> Program:
    wanted = {name: ValueType.NUMBER if name in ("rank", "b") else ValueType.CONDITION for name in ROOTS}
    sources = {name: script(rng, ladder[2], wanted[name]) for name in ROOTS}
    return compile_program(sources, PARAMS, ladder[1], stop_atr_length=rng.choice([None, 3]))


def in_arrays(program: Program, grid: Grid, bars: RawBars, at: np.ndarray, cut: bool) -> Evaluated:
    columns = {
        one: resample(bars, at, grid, buckets(grid, one, cut and one.is_daily)) for one in program.timeframes
    }
    return evaluate_arrays(program, columns)


def rows_of(bars: RawBars, at: np.ndarray) -> dict[int, tuple[float, ...]]:
    columns = zip(bars.open, bars.high, bars.low, bars.close, bars.volume, strict=True)
    return dict(zip(at.tolist(), columns, strict=True))


def by_bars(stepper: Stepper, bars: RawBars, at: np.ndarray, save_every: int = 0) -> tuple[dict, list[bool]]:
    """Values at each strategy bar, fed instant by instant; now and then everything is saved, spoilt and restored."""
    program = stepper.batch.programs[0]
    rows = rows_of(bars, at)
    values: dict[str, list[float]] = {name: [] for name in program.roots}
    warm = []
    for instant in range(stepper.size):
        if save_every and instant % save_every == save_every - 1:
            kept = pickle.loads(pickle.dumps(stepper.save()))
            stepper.feed((1.0, 2.0, 0.5, 1.5, 7.0))
            stepper.batch.state[:] = -1.0
            stepper.restore(kept)
        if program.timeframe in stepper.feed(rows.get(instant)):
            for name in program.roots:
                values[name].append(stepper.value(name))
            warm.append(stepper.is_warm())
    return values, warm


def assert_same_bits(program: Program, arrays: Evaluated, stepped: tuple[dict, list[bool]]) -> None:
    for name in program.roots:
        a, b = arrays.values[name], np.array(stepped[0][name])
        assert a.shape == b.shape, name
        missing = np.isnan(a)
        assert np.array_equal(missing, np.isnan(b)), name
        assert np.array_equal(a[~missing].view(np.int64), b[~missing].view(np.int64)), name
    assert arrays.warm.tolist() == stepped[1]


@settings(max_examples=120, deadline=None)
@given(
    st.randoms(use_true_random=False),
    st.integers(0, 2**32 - 1),
    st.sampled_from(LADDERS),
    st.booleans(),
    st.sampled_from([0.0, 0.1, 0.6]),
    st.sampled_from([0.0, 0.02, 0.2]),
)
def test_E9_array_form_equals_bar_by_bar_form(rng, seed, ladder, flat, gaps, missing):
    program = programs(rng, ladder)
    grid = grid_of(3 if ladder[0] == "5m" else 8, ladder[0])
    bars, at = bars_on(grid, seed, gaps, missing, flat)
    cut = ladder[1] == "1d" and seed % 2 == 0
    arrays = in_arrays(program, grid, bars, at, cut)
    assert_same_bits(program, arrays, by_bars(Stepper([program], grid, cut), bars, at))


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 2**32 - 1), st.sampled_from(LADDERS), st.integers(1, 40))
def test_E9_state_saved_and_restored_at_any_bar_changes_nothing(rng, seed, ladder, save_every):
    program = programs(rng, ladder)
    grid = grid_of(2 if ladder[0] == "5m" else 5, ladder[0])
    bars, at = bars_on(grid, seed, 0.1, 0.05, flat=False)
    straight = by_bars(Stepper([program], grid), bars, at)
    broken = by_bars(Stepper([program], grid), bars, at, save_every)
    for name, column in straight[0].items():
        assert np.array_equal(column, broken[0][name], equal_nan=True), name
    assert straight[1] == broken[1]


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 2**32 - 1), st.sampled_from(LADDERS), st.floats(0.1, 0.95))
def test_P2_values_on_a_prefix_equal_values_on_the_whole(rng, seed, ladder, share):
    program = programs(rng, ladder)
    grid = grid_of(3 if ladder[0] == "5m" else 8, ladder[0])
    bars, at = bars_on(grid, seed, 0.1, 0.02, flat=False)
    whole = in_arrays(program, grid, bars, at, cut=False)
    last = int(at[int(share * (len(at) - 1))])
    stepper = Stepper([program], grid)
    stepper.size = last + 1
    values, warm = by_bars(stepper, bars, at)
    for name, column in values.items():
        assert np.array_equal(whole.values[name][: len(column)], column, equal_nan=True), name
    assert whole.warm[: len(warm)].tolist() == warm


@pytest.mark.parametrize("count", [1, 7])
def test_E9_programs_laid_end_to_end_do_not_disturb_each_other(count):
    rng = random.Random(count)
    grid = grid_of(2, "5m")
    bars, at = bars_on(grid, 5, 0.1, 0.02, flat=False)
    several = [programs(rng, LADDERS[0]) for _ in range(count)]
    together = Stepper(several, grid)
    rows = rows_of(bars, at)
    seen: list[list[float]] = [[] for _ in several]
    for instant in range(together.size):
        if Timeframe.parse("5m") in together.feed(rows.get(instant)):
            for number in range(count):
                seen[number].append(together.value("rank", number))
    for number, program in enumerate(several):
        alone = in_arrays(program, grid, bars, at, cut=False)
        assert np.array_equal(alone.values["rank"], seen[number], equal_nan=True)
