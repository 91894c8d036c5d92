"""Programs as data: shared nodes, order, constants, and no compilation for a new strategy."""

from __future__ import annotations

import pickle
import random

import numba
import numpy as np
import pytest

from workbench.expressions.batch import Batch
from workbench.expressions.kernels import advance, advance_all, prepare
from workbench.expressions.program import compile_program, node_dtype
from workbench.expressions.terms import folded
from workbench.indicators.ops import Op
from workbench.indicators.update import run, step
from workbench.schema import N_LEAVES


def ops(text: str, timeframe: str = "15m") -> list[str]:
    return [Op(op).name for op in compile_program({"value": text}, {}, timeframe).nodes["op"].tolist()]


def test_E9_equal_nodes_are_one_node():
    assert ops("BB_UPPER(20, 2) - BB_LOWER(20, 2)").count("SMA") == 1
    assert ops("BB_UPPER(20, 2) - BB_LOWER(20, 2)").count("STDDEV") == 1
    assert ops("MACD(12, 26, 9) > MACD_SIGNAL(12, 26, 9)").count("EMA") == 3
    assert ops("SMA(5) > 1 AND sma(close, 5) < 9").count("SMA") == 1
    assert ops('SMA(5) > SMA(5, "1h")').count("SMA") == 2


def test_E9_expressions_of_one_strategy_share_their_nodes():
    both = compile_program({"entry": "RSI(14) < 30", "exit": "RSI(14) > 60"}, {}, "15m")
    assert [Op(op).name for op in both.nodes["op"].tolist()].count("RSI") == 1


def test_E9_a_zero_is_not_a_negative_zero():
    assert ops("0 + close * -0 + close * 0").count("CONST") == 2


def test_B4_coarser_timeframes_come_first_and_children_before_parents():
    text = 'close > SMA(5, "1h") AND RSI(3, "1d") < ATR(3)'
    program = compile_program({"entry": text}, {}, "15m", stop_atr_length=3)
    assert [str(one) for one in program.timeframes] == ["1d", "1h", "15m"]
    assert program.first.tolist() == [0, *program.last.tolist()[:-1]]
    assert program.last[-1] == len(program)
    for index, node in enumerate(program.nodes):
        assert all(child < index for child in node["args"])
        k = node["tf"]
        assert program.first[k] <= index < program.last[k]
        assert node["op"] == Op.ALIGN or all(program.nodes[child]["tf"] == k for child in node["args"] if child >= 0)
    read = [[one.name for one in leaves] for leaves in program.leaves]
    assert read == [["CLOSE"], ["CLOSE"], ["HIGH", "LOW", "CLOSE"]]


def test_E9_a_program_is_data():
    program = compile_program({"entry": 'close > SMA(5, "1h")'}, {}, "15m")
    again = pickle.loads(pickle.dumps(program))
    assert again.nodes.dtype == node_dtype
    assert again.nodes.tobytes() == program.nodes.tobytes()
    assert (again.timeframes, again.roots, again.state_size) == (program.timeframes, program.roots, program.state_size)


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled at all")
def test_E9_a_new_strategy_compiles_nothing():
    leaves = np.zeros((1, N_LEAVES))

    def through_everything(text: str) -> None:
        batch = Batch([compile_program({"value": text}, {}, "15m")])
        program = batch.programs[0]
        advance(batch.nodes, 0, len(program), leaves[0], batch.state, batch.values, batch.seen)
        advance_all(batch.nodes, batch.jobs(program.timeframe), leaves, batch.state, batch.values, batch.seen)

    through_everything("close")
    kernels = (prepare, advance, advance_all, run)
    before = [len(kernel.signatures) for kernel in kernels]
    for text in ("RSI(14) < 30 AND NOT close BETWEEN 1 AND 2", "SUPERTREND(10, 3)", 'BARS_SINCE(close > 1, "1h")'):
        through_everything(text)
    assert [len(kernel.signatures) for kernel in kernels] == before


@pytest.mark.parametrize("op", [Op.ADD, Op.SUB, Op.MUL, Op.DIV])
def test_E9_constants_are_folded_to_the_bits_of_the_kernel(op):
    rng = random.Random(int(op))
    edges = [0.0, -0.0, 1.0, -1.0, 0.1, 0.2, 0.3, 1e308, -1e308, 5e-324, 1e-300, 3.0, 1 / 3]
    state = np.empty(1)
    for _ in range(4000):
        a = rng.choice(edges) if rng.random() < 0.5 else rng.uniform(-1e3, 1e3)
        b = rng.choice(edges) if rng.random() < 0.5 else a * (1 + rng.choice([0, 1e-9, 1.0000001e-9, 1e-8, -1e-10]))
        kernel = step(int(op), a, b, np.nan, np.nan, 0.0, 0.0, 0.0, state, 0)
        mine = folded(op, a, b)
        if mine is None:
            assert np.isnan(kernel), (a, b)
        else:
            assert np.float64(mine).tobytes() == np.float64(kernel).tobytes(), (a, b)


def test_E9_batch_offsets_and_jobs():
    programs = [compile_program({"value": text}, {}, "15m") for text in ("SMA(3)", 'close("1h")', "RSI(2) + ATR(3)")]
    batch = Batch(programs)
    own = programs[0].timeframe
    assert batch.node_off.tolist() == [0, *np.cumsum([len(one) for one in programs])]
    assert batch.jobs(own).tolist() == [
        [0, len(programs[0]), 0],
        [len(programs[0]) + 1, len(programs[0]) + 2, 1],
        [len(programs[0]) + 2, len(batch.nodes), 2],
    ]
    assert batch.jobs(programs[1].timeframes[0], row=4).tolist() == [[len(programs[0]), len(programs[0]) + 1, 4]]
    assert batch.jobs(own, which=[2]).tolist() == [[len(programs[0]) + 2, len(batch.nodes), 0]]
