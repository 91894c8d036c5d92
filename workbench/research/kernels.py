"""Compile every kernel once, so that nobody waits for a compiler later: ``python -m workbench.research.kernels``.

Kernels compile when they are first called and are then kept on disk for every later process (``jit.py``). Called on a
small made-up market, all that a backtest needs is compiled here, in one process, before several ask for it at once.
"""

from __future__ import annotations

import compileall
import sys
import time

import numpy as np

from workbench.costs import bps
from workbench.engine.desk import new_desk
from workbench.engine.many_instants import Group, Shown, close_many, told_dtype
from workbench.engine.one_instant import OneInstant
from workbench.expressions.batch import Batch
from workbench.expressions.instant import NUMBERS, feed_many
from workbench.expressions.stepper import Stepper
from workbench.jit import PACKAGE
from workbench.market import samples
from workbench.market.instruments import instrument
from workbench.research.backtest import backtest
from workbench.research.sweep import sweep
from workbench.strategy import Strategy


def compile_kernels() -> float:
    """Compile, or load from the cache, all that a backtest, a sweep and a bar-by-bar run need.

    Returns
    -------
    float
        Seconds it took: a minute or so the first time, about one afterwards.
    """
    started = time.perf_counter()
    bars = samples.synthetic(seed=1, start="2023-01-02", end="2023-01-06")
    strategy = Strategy(
        name="kernels",
        version="1.0.0",
        instruments=("NSE:SAMPLE",),
        timeframe="15m",
        calendar="NSE",
        product="MIS",
        direction="BOTH",
        entry="close > SMA(close, 3, '30m') AND NOT close BETWEEN 0 AND 1",
        exit="RSI(3) > 60 AND NOT close BETWEEN 0 AND 1",
        short_entry="close CROSSES_BELOW EMA(3)",
        short_exit="close > HIGHEST(3)",
        stop_loss_atr=1.0,
        stop_loss_atr_length=3,
        allocation="RANKING",
        rank="ROC(2)",
    )
    result = backtest(strategy, bars, costs=bps(1.0, 1.0))
    assert result.stats["n_sessions"], "the sample has sessions"
    stepper = Stepper([strategy.program], bars.grid)
    stepper.feed((1.0, 1.0, 1.0, 1.0, 1.0))
    Batch([strategy.program])
    one = OneInstant(new_desk(strategy, [instrument("NSE:SAMPLE")], bps(1.0, 1.0), 1e6), ranked=True, with_atr=True)
    assert one.advance() >= 0 and one.close() >= 0, "there is room for one instant"
    for call in (one.report, one.waits):
        call(0)
    one.drop_waiting(0, 0)
    one.withdraw(0, 0, 0)
    _many()
    sweep(strategy, bars, {"cooldown_bars": [0]}, keep=False, progress=False, workers=1)
    # Where Python is told to write no bytecode, every process would compile these sources anew.
    compileall.compile_dir(PACKAGE, quiet=2)
    return time.perf_counter() - started


def _many() -> None:
    """The calls that move many deployments, with none."""
    none, bits, bars, numbers = np.zeros(0, np.int64), np.zeros(0, np.uint8), np.zeros((0, 5)), np.zeros((0, NUMBERS))
    feed_many(none, 0, bars, none, bits, numbers)
    shown = Shown(np.zeros(3, np.int64), bars, bits, numbers)
    close_many(Group(none, none, none), none, shown, bits, bits, np.zeros(0, told_dtype))


if __name__ == "__main__":
    sys.stdout.write("Getting the kernels ready (a minute or so the first time)\n")
    sys.stdout.flush()
    sys.stdout.write(f"Kernels are ready ({compile_kernels():.1f} s)\n")
