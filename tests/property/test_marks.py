"""Rule E9: conditions as bits, made of one graph for many programs, are what each program's columns say."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.random_expressions import PARAMS, bars_on, grid_of, script
from tests.property.test_expressions_forms import LADDERS
from workbench.errors import ExpressionError
from workbench.expressions.evaluate import Evaluation, evaluate_arrays
from workbench.expressions.family import Family
from workbench.expressions.marks import mark_conditions
from workbench.expressions.program import compile_program
from workbench.indicators.signature import ValueType
from workbench.market.grid import buckets
from workbench.market.resample import resample

BITS = {"entry": 1, "exit": 2, "short_entry": 4, "short_exit": 8, "absent": 16}
CONDITIONS = tuple(name for name in BITS if name != "absent")


def varied(rng: random.Random) -> dict[str, float]:
    """Other values of the parameters, some of them equal."""
    return {name: value + rng.choice([0, 0, 1]) for name, value in PARAMS.items()}


@settings(max_examples=80, deadline=None)
@given(
    st.randoms(use_true_random=False),
    st.integers(0, 2**32 - 1),
    st.sampled_from(LADDERS),
    st.sampled_from([0.0, 0.1, 0.6]),
    st.sampled_from([0.0, 0.02, 0.2]),
    st.integers(1, 2),
)
def test_E9_marks_of_a_family_are_the_columns_of_its_programs(rng, seed, ladder, gaps, missing, threads):
    sources = {name: script(rng, ladder[2], ValueType.CONDITION) for name in CONDITIONS}
    sources["rank"] = script(rng, ladder[2], ValueType.NUMBER)
    length = rng.choice([None, 3])
    family, outlines, programs = Family(sources, ladder[1], length), [], []
    for params in [dict(PARAMS), *(varied(rng) for _ in range(4))]:
        try:
            programs.append(compile_program(sources, params, ladder[1], length))
        except ExpressionError:
            continue
        outlines.append(family.outline(params))
    grid = grid_of(3 if ladder[0] == "5m" else 8, ladder[0])
    bars, at = bars_on(grid, seed, gaps, missing, flat=seed % 3 == 0)
    columns = {one: resample(bars, at, grid, buckets(grid, one)) for one in family.graph.timeframes}
    evaluation = Evaluation(outlines, columns)

    def marked(number: int) -> tuple[np.ndarray, np.ndarray, int]:
        rank = evaluation.value(number, "rank").copy()
        marks = np.zeros(len(rank), np.uint8)
        return rank, marks, mark_conditions(evaluation, number, BITS, marks)

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(marked, range(len(programs))))
    for program, (rank, marks, warm_from) in zip(programs, found, strict=True):
        said = evaluate_arrays(program, columns)
        for name in CONDITIONS:
            assert np.array_equal((marks & BITS[name]) > 0, said.values[name] == 1.0), name
        assert not (marks & BITS["absent"]).any()
        assert rank.tobytes() == said.values["rank"].tobytes()
        assert (np.arange(len(marks)) >= warm_from).tolist() == said.warm.tolist()


def test_E9_a_family_finds_the_calls_of_each_program() -> None:
    family = Family({"entry": "SMA(close, $n) > EMA(close, 3)"}, "5m")
    first, second = family.outline({"n": 4}), family.outline({"n": 9})
    assert len(first.calls) == len(second.calls) == 2
    assert set(first.calls) != set(second.calls)
    assert len(set(first.calls) & set(second.calls)) == 1
