"""Random strategies without stops, and what they ask for, read from their signals alone.

``Case`` holds one strategy and the bars; ``Wishes`` is a plain reading of rules D3, D6, E7 and X1 for one instrument,
so that another engine can be told what to do, and in which row of the bars it happens.
"""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import workbench as wb
from workbench.market.grid import Grid, build_grid

Flags = npt.NDArray[np.bool_]


def epoch_ns(index: pd.DatetimeIndex) -> npt.NDArray[np.int64]:
    """Nanoseconds since 1970-01-01 of UTC timestamps."""
    return index.tz_convert(None).as_unit("ns").asi8


@dataclass(frozen=True)
class Condition:
    """A condition and the calls that it reads, for rule E7."""

    text: str
    calls: tuple[str, ...]


def atom(rng: random.Random, coarser: tuple[str, ...]) -> Condition:
    """One comparison or crossing of indicators."""
    n, fast, over = rng.randint(3, 20), rng.randint(2, 8), rng.choice("<>")
    slow = fast + rng.randint(2, 15)
    crossing = rng.choice(["CROSSES_ABOVE", "CROSSES_BELOW"])
    timeframe = f", {rng.choice(coarser)!r}" if coarser and rng.random() < 0.3 else ""
    left, right = f"EMA(close, {fast}{timeframe})", f"EMA(close, {slow}{timeframe})"
    made = [
        (f"RSI(close, {n}{timeframe}) {over} {rng.randint(35, 65)}", (f"RSI(close, {n}{timeframe})",)),
        (f"close {crossing} SMA(close, {n}{timeframe})", (f"SMA(close, {n}{timeframe})",)),
        (f"{left} {over} {right}", (left, right)),
        (f"{left} {crossing} {right}", (left, right)),
        (f"close {over} BB_UPPER(close, {n}, 1)", (f"BB_UPPER(close, {n}, 1)",)),
        (f"MACD_HIST(close, {fast}, {slow}, 4) {crossing} 0", (f"MACD_HIST(close, {fast}, {slow}, 4)",)),
        (f"ROC(close, {n}{timeframe}) {over} 0", (f"ROC(close, {n}{timeframe})",)),
        (f"WILLR({n}) {over} {-rng.randint(20, 80)}", (f"WILLR({n})",)),
        (f"SUPERTREND_DIR({n}, 2) {over} 0", (f"SUPERTREND_DIR({n}, 2)",)),
        (f"high {over} LAG(HIGHEST(high, {fast}), 1)", (f"HIGHEST(high, {fast})", f"LAG(HIGHEST(high, {fast}), 1)")),
    ]
    return Condition(*rng.choice(made))


def condition(rng: random.Random, coarser: tuple[str, ...]) -> Condition:
    """One to three atoms joined."""
    parts = [atom(rng, coarser) for _ in range(rng.choice([1, 1, 2, 2, 3]))]
    joined = rng.choice([" AND ", " OR "]).join(f"({part.text})" for part in parts)
    return Condition(joined, tuple(call for part in parts for call in part.calls))


def without(one: Condition, other: Condition) -> Condition:
    """A condition that is not true together with the other."""
    return Condition(f"({one.text}) AND NOT ({other.text})", one.calls + other.calls)


class Signals:
    """Values of expressions over one set of bars, each evaluated once, laid on rows of the bars."""

    def __init__(self, bars: wb.Bars, timeframe: str) -> None:
        self.bars, self.timeframe = bars, timeframe
        self.grid: Grid = build_grid(bars.calendar, bars.timeframe, int(bars.ts_ns[0]), int(bars.ts_ns[-1]))
        self.evaluate = functools.cache(self._evaluate)

    def _evaluate(self, text: str) -> npt.NDArray[np.float64]:
        return wb.evaluate(text, self.bars, timeframe=self.timeframe).to_numpy()

    def true(self, one: Condition) -> Flags:
        """Where a condition is true, by strategy bar."""
        return self.evaluate(one.text) == 1.0

    def warm(self, *conditions: Condition) -> Flags:
        """E7: from where on every call has had a value."""
        seen = [~np.isnan(self.evaluate(call)) for one in conditions for call in one.calls]
        return np.logical_and.reduce([np.logical_or.accumulate(one) for one in seen])

    @functools.cached_property
    def fill_row(self) -> npt.NDArray[np.int64]:
        """Of each strategy bar, the row at whose open an order fills (X1); past the end if there is none."""
        index = wb.evaluate("close", self.bars, timeframe=self.timeframe).index
        opens = epoch_ns(index)
        if self.bars.timeframe.is_daily:
            return np.searchsorted(self.bars.ts_ns, opens, side="right")
        minutes = {"1m": 1, "5m": 5, "15m": 15, "1h": 60}[self.timeframe]
        return np.searchsorted(self.bars.ts_ns, opens + minutes * 60 * 10**9, side="left")

    @functools.cached_property
    def reachable(self) -> Flags:
        """X1: whether an entry may wait for its row: in its own session, or the first interval of the next."""
        at = self.grid.locate(self.bars.ts_ns)
        session = self.grid.session[at]
        first = np.append(True, self.grid.session[1:] != self.grid.session[:-1])[at]
        row = np.minimum(self.fill_row, len(session) - 1)
        decided = session[np.maximum(self.fill_row - 1, 0)]
        same = session[row] == decided
        return same | (first[row] & (session[row] == decided + 1))


@dataclass(frozen=True)
class Case:
    """One random strategy: conditions of both sides (the same ones unless it is BOTH), quantity, costs in bps."""

    direction: str
    entry: Condition
    exit: Condition
    short_entry: Condition
    short_exit: Condition
    qty: float
    commission_bps: float
    slippage_bps: float

    def strategy(self, name: str, instrument: str, timeframe: str, calendar: str) -> wb.Strategy:
        """The same as a Strategy."""
        both = {"short_entry": self.short_entry.text, "short_exit": self.short_exit.text}
        return wb.Strategy(
            name=name,
            version="1.0.0",
            instruments=(instrument,),
            timeframe=timeframe,
            calendar=calendar,
            product="MARGIN",
            direction=self.direction,
            entry=self.entry.text,
            exit=self.exit.text,
            sizing=wb.FixedQty(self.qty),
            max_open_positions=1,
            **(both if self.direction == "BOTH" else {}),
        )

    def costs(self) -> Any:
        """Its costs as a CostModel."""
        return wb.costs.bps(commission_bps=self.commission_bps, slippage_bps=self.slippage_bps)


def draw(rng: random.Random, coarser: tuple[str, ...], exclusive: bool) -> Case:
    """A random case.

    With ``exclusive`` no entry is true together with an exit, and BOTH always stops and reverses: what the signals of
    vectorbt can say.
    """
    direction = rng.choice(["LONG", "SHORT", "BOTH"])
    entry, leave = condition(rng, coarser), condition(rng, coarser)
    if exclusive:
        leave = without(leave, entry)
    short_entry, short_exit = entry, leave
    if direction == "BOTH":
        short_entry, short_exit = (leave, entry) if exclusive else (condition(rng, coarser), condition(rng, coarser))
    return Case(
        direction,
        entry,
        leave,
        short_entry,
        short_exit,
        float(rng.randint(1, 50)),
        rng.choice([0.0, 1.0, 2.5, 10.0]),
        rng.choice([0.0, 1.0, 3.0]),
    )


@dataclass(frozen=True)
class Wishes:
    """What a case asks for at each strategy bar; an entry that could not wait for its row is not asked for."""

    enter_long: Flags
    leave_long: Flags
    enter_short: Flags
    leave_short: Flags

    @staticmethod
    def of(case: Case, said: Signals) -> Wishes:
        """Read the signals of a case."""
        used = (case.entry, case.exit, *((case.short_entry, case.short_exit) if case.direction == "BOTH" else ()))
        able = said.warm(*used) & said.reachable
        nothing = np.zeros(len(able), np.bool_)
        enter, leave = said.true(case.entry), said.true(case.exit)
        if case.direction == "LONG":
            return Wishes(enter & able, leave, nothing, nothing)
        if case.direction == "SHORT":
            return Wishes(nothing, nothing, enter & able, leave)
        other = said.true(case.short_entry)
        conflict = enter & other
        return Wishes(enter & able & ~conflict, leave, other & able & ~conflict, said.true(case.short_exit))

    def orders(self, qty: float, fill_row: npt.NDArray[np.int64], rows: int) -> npt.NDArray[np.float64]:
        """Signed quantity to trade at the open of each row, NaN for nothing (D3, D6 for one instrument)."""
        size, held = np.zeros(rows), 0.0
        for i in range(len(fill_row)):
            before = held
            if held > 0 and self.leave_long[i]:
                held = -qty if self.enter_short[i] else 0.0
            elif held < 0 and self.leave_short[i]:
                held = qty if self.enter_long[i] else 0.0
            elif held == 0:
                held = qty * (float(self.enter_long[i]) - float(self.enter_short[i]))
            if held != before and fill_row[i] < rows:
                size[fill_row[i]] += held - before
        return np.where(size == 0.0, np.nan, size)


def on_rows(flags: Flags, fill_row: npt.NDArray[np.int64], rows: int) -> Flags:
    """Flags of strategy bars moved to the rows in which their orders fill."""
    out = np.zeros(rows, np.bool_)
    out[fill_row[flags & (fill_row < rows)]] = True
    return out
