"""Contracts that every strategy must keep, tried on its own bars: the generated unit tests of stage 2.

None of them knows what the strategy does. Each compares two ways of asking the same, or what was ordered with what was
decided.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from workbench.engine.fitting import common_grid
from workbench.expressions.stepper import Stepper
from workbench.market.bars import Bars
from workbench.market.columns import FIELDS
from workbench.promotion.checks import Check, said
from workbench.promotion.kept_limits import entry_orders
from workbench.research.ground import Ground
from workbench.research.laying import Laid
from workbench.research.result import Result
from workbench.schema import Signal
from workbench.strategy import Strategy

_BITS = {"entry": Signal.ENTRY, "exit": Signal.EXIT, "short_entry": Signal.SHORT_ENTRY, "short_exit": Signal.SHORT_EXIT}
_TABLES = ("decisions", "orders", "fills", "trades", "equity")

#: Part of the bars that is taken away to see what is done where one is missing.
MISSING_FRAC = 0.05


def same_twice(one: Result, other: Result) -> Check:
    """Two runs of the same: every table of both, to the last bit."""
    different = [name for name in _TABLES if not getattr(one, name).equals(getattr(other, name))]
    measured = f"different {', '.join(different)}" if different else f"{len(one.fills):,} fills, every table the same"
    return said(
        "deterministic", not different, measured, "two runs that are the same to the last bit",
        "Take out what depends on a clock, on chance, or on the order of a set.",
    )  # fmt: skip


def same_bar_by_bar(strategy: Strategy, data: Mapping[str, Bars]) -> Check:
    """Expressions over arrays, against the same fed bar by bar as the runner does (rule E9)."""
    laid = Laid(strategy, Ground(dict(data), common_grid(data)))
    arrays = laid.signals(0)
    steps = np.column_stack([_fed(strategy, laid, item) for item in data.values()])
    different = np.argwhere(arrays.flags != steps)
    measured = f"{arrays.flags.size:,} decisions compared, {len(different):,} differ"
    if len(different):
        measured += f", the first at strategy bar {int(different[0][0]):,}"
    return said(
        "array_equals_update", not len(different), measured, "the same bar by bar as over the whole array",
        "Report it: an indicator has two forms, and they disagree.",
    )  # fmt: skip


def _fed(strategy: Strategy, laid: Laid, bars: Bars) -> np.ndarray:
    """Flags of one instrument at every strategy close, from a stepper."""
    program, proxy = strategy.program, strategy.execution == "proxy_close"
    stepper = Stepper([program], laid.grid, cut_at_proxy=proxy)
    block = np.full((len(laid.grid), len(FIELDS)), np.nan)
    block[laid.grid.locate(bars.ts_ns)] = np.column_stack([getattr(bars, name) for name in FIELDS])
    found = []
    for row, is_final in zip(block, laid.strategy_bars.final, strict=True):
        closed = stepper.feed(None if np.isnan(row[3]) else row.tolist())
        if not is_final:
            continue
        flag = 0
        if strategy.bar_timeframe in closed:
            flag = Signal.BAR | (Signal.WARM if stepper.is_warm() else 0)
            for root, bit in _BITS.items():
                if root in program.roots and stepper.value(root) == 1.0:
                    flag |= bit
        found.append(int(flag))
    return np.array(found, np.uint8)


def ordered_as_decided(result: Result, name: str) -> Check:
    """Every entry order has its decision: nothing is ordered while warming up, where a bar is missing, or blocked."""
    decisions, entries = result.decisions, entry_orders(result)[["ts", "instrument"]]
    true = (decisions["decision"] == "ENTRY_TRUE") | (decisions["entry"] == "ENTRY_TRUE")
    decided = pd.MultiIndex.from_frame(decisions.loc[true, ["ts", "instrument"]])
    stray = int((~pd.MultiIndex.from_frame(entries).isin(decided)).sum()) if len(entries) else 0
    waiting = int(decisions["decision"].isin(["WARMING_UP", "NO_BAR"]).sum())
    return said(
        name, stray == 0,
        f"{len(entries):,} entry orders, {stray:,} without a decision; {waiting:,} rows without a bar or warmth",
        "no entry order without its decision",
        "Report it: an order was sent that nothing decided.",
    )  # fmt: skip


def with_gaps(data: Mapping[str, Bars], seed: int) -> dict[str, Bars]:
    """The same bars, of which some are missing; the first and the last stay."""
    found = {}
    for k, (name, bars) in enumerate(data.items()):
        kept = np.random.default_rng([seed, k]).random(len(bars)) >= MISSING_FRAC
        kept[[0, -1]] = True
        found[name] = Bars(bars.frame[kept], bars.timeframe, bars.calendar, bars.basis, max_jump_ratio=1e9)
    return found
