"""``wb.backtest``: a strategy over arrays of bars, by the same compiled step that trades.

How it works: the bars are laid on the base grid, the expressions are evaluated once an instrument, the calendar's facts become
flags, and ``engine.loop.run`` does the rest. Nothing here decides anything.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

import workbench.costs as cost_models
from workbench.costs import CostModel
from workbench.engine.desk import grown, new_desk
from workbench.engine.loop import run
from workbench.engine.records import Curve, Market, Signals
from workbench.engine.timetable import timetable
from workbench.errors import ConfigError, StrategyError
from workbench.expressions.evaluate import evaluate_arrays
from workbench.jit import engine_hash
from workbench.market.bars import Bars
from workbench.market.grid import Buckets, Grid, buckets, build_grid
from workbench.market.instruments import instrument
from workbench.market.resample import Columns, resample
from workbench.market.timeframe import DAY_NS, Timeframe
from workbench.research.result import Result, Run
from workbench.schema import Signal
from workbench.strategy import Strategy

AnyBars = Bars | Mapping[str, Bars]

_ROOT_SIGNALS = {
    "entry": Signal.ENTRY,
    "exit": Signal.EXIT,
    "short_entry": Signal.SHORT_ENTRY,
    "short_exit": Signal.SHORT_EXIT,
}


def backtest(
    strategy: Strategy,
    bars: AnyBars,
    initial_cash: float = 1_000_000.0,
    costs: CostModel | None = None,
    start: Any = None,
) -> Result:
    """Run a strategy over bars.

    Parameters
    ----------
    strategy : Strategy
        What to trade.
    bars : Bars or mapping of str to Bars
        Base bars of its one instrument, or by instrument; they share timeframe, calendar and adjustment basis.
    initial_cash : float
        Sizing reference (S1), money in the instruments' currency.
    costs : CostModel, optional
        ``wb.costs.none()`` by default.
    start : date, timestamp or str, optional
        Where decisions begin (B8): a date is the session of that date, a timestamp an instant. The first strategy bar
        decided on is the first that opens at or after it. Indicators see all the data.

    Returns
    -------
    Result

    Raises
    ------
    ConfigError
        Strategy, bars and costs do not fit each other; says what and how to fix it.
    """
    costs = cost_models.none() if costs is None else costs
    if not np.isfinite(initial_cash) or initial_cash <= 0:
        raise ConfigError(f"initial_cash is {initial_cash!r}; it is money above zero.")
    data = bars_by_instrument(strategy, bars)
    grid = common_grid(data)
    check_timeframes(strategy, grid)
    base = Laid(strategy, data, grid)
    first = base.first_instant(start)
    instruments = [instrument(name) for name in data]
    signals, first_close = base.signals(first)
    market = base.market(first)
    desk = new_desk(strategy, instruments, costs, float(initial_cash), rows=signals.flags.size + 256)
    m = len(market.instants)
    curve = Curve(np.empty(m), np.empty(m), np.empty(m, np.bool_))
    at, close = run(desk, market, signals, curve, 0, 0)
    while at < m:
        desk = grown(desk)
        at, close = run(desk, market, signals, curve, at, close)
    session_date = grid.sessions.date[grid.session[first:]]
    traded = ~np.isnan(market.close).all(axis=1)
    left = Run(desk, curve, market.instants["close_ns"].copy(), session_date, traded, tuple(data))
    said = tuple(_remarks(market, strategy, costs))
    key = result_hash(strategy, data, costs, float(initial_cash), start)
    return Result(left, strategy, data, costs, float(initial_cash), key, said)


def bars_by_instrument(strategy: Strategy, bars: AnyBars) -> dict[str, Bars]:
    """Bars of exactly the strategy's instruments, sorted by name, on one timeframe, calendar and basis (B9, C1)."""
    wanted = sorted(strategy.instruments)
    if isinstance(bars, Bars):
        if len(wanted) != 1:
            raise StrategyError(
                f"strategy {strategy.name!r} trades {len(wanted)} instruments; give bars as {{instrument: Bars}}."
            )
        bars = {wanted[0]: bars}
    missing = [name for name in wanted if name not in bars]
    if missing:
        raise StrategyError(f"no bars for {', '.join(missing)}; got bars for {', '.join(map(str, bars)) or 'nothing'}.")
    data = {name: bars[name] for name in wanted}
    one = data[wanted[0]]
    for name, item in data.items():
        for what in ("timeframe", "calendar", "basis"):
            ours, theirs = getattr(one, what), getattr(item, what)
            if ours != theirs:
                raise ConfigError(
                    f"{name} has {what} {theirs}, {wanted[0]} has {ours}: the bars of one result share one {what}."
                )
    if one.calendar.name != strategy.calendar and one.calendar.name.upper() != strategy.calendar.upper():
        raise StrategyError(
            f"strategy {strategy.name!r} runs on calendar {strategy.calendar}, its bars on {one.calendar.name}. "
            "Read the bars with the strategy's calendar."
        )
    empty = [name for name, item in data.items() if not len(item)]
    if empty:
        raise ConfigError(f"no bars at all for {', '.join(empty)}.")
    return data


def common_grid(data: Mapping[str, Bars]) -> Grid:
    """The base grid from the first bar of any instrument through the last."""
    one = next(iter(data.values()))
    first = min(int(item.ts_ns[0]) for item in data.values())
    last = max(int(item.ts_ns[-1]) for item in data.values())
    return build_grid(one.calendar, one.timeframe, first, last)


def check_timeframes(strategy: Strategy, grid: Grid) -> None:
    """The base divides the strategy's timeframe (B3); proxy_close is daily logic on intraday bars (X3)."""
    if not grid.timeframe.divides(strategy.bar_timeframe):
        raise StrategyError(
            f"strategy {strategy.name!r} decides on {strategy.timeframe} bars, which cannot be built from "
            f"{grid.timeframe} bars. Give base bars of {strategy.timeframe} or of a part of it."
        )
    if strategy.execution == "proxy_close" and grid.timeframe.is_daily:
        raise StrategyError(
            f"strategy {strategy.name!r}: proxy_close cuts the day before its close and needs intraday base bars, for example 5m."
        )


class Laid:
    """Bars of some instruments laid on their common grid.

    Parameters
    ----------
    strategy : Strategy
        Whose expressions are evaluated.
    data : mapping of str to Bars
        Sorted by name.
    grid : Grid
        Common to all.
    """

    def __init__(self, strategy: Strategy, data: Mapping[str, Bars], grid: Grid) -> None:
        self.strategy, self.data, self.grid = strategy, data, grid
        self._at = {name: grid.locate(item.ts_ns) for name, item in data.items()}
        proxy = strategy.execution == "proxy_close"
        self._buckets: dict[Timeframe, Buckets] = {}
        for timeframe in {*strategy.program.timeframes, strategy.bar_timeframe}:
            self._buckets[timeframe] = buckets(grid, timeframe, cut_at_proxy=proxy and timeframe.is_daily)
        self.strategy_bars = self._buckets[strategy.bar_timeframe]
        self.instants = timetable(strategy, grid, self.strategy_bars)

    def first_instant(self, start: Any) -> int:
        """Index of the interval that opens the first strategy bar at or after ``start`` (B8)."""
        if start is None:
            return 0
        stamp = pd.Timestamp(start)
        if stamp.tzinfo is None and stamp == stamp.normalize():
            row = int(np.searchsorted(self.grid.sessions.date, stamp.value // DAY_NS))
            if row >= len(self.grid.sessions):
                raise ConfigError(f"start={start} is after the last bar.")
            since = int(self.grid.sessions.open_ns[row])
        elif stamp.tzinfo is None:
            raise ConfigError(f"start={start} has a time but no zone; write a date, or a time with its zone.")
        else:
            since = stamp.tz_convert("UTC").value
        bucket = self.strategy_bars.bucket
        opens = np.append(True, bucket[1:] != bucket[:-1])
        found = np.flatnonzero(opens & (self.grid.open_ns >= since))
        if not len(found):
            raise ConfigError(f"start={start} is after the last bar.")
        return int(found[0])

    def market(self, first: int) -> Market:
        """Instants and prices from ``first`` on; float64 of shape (instants, instruments), NaN where there is no bar."""
        prices = [self._prices(name)[first:] for name in ("open", "high", "low", "close")]
        return Market(np.ascontiguousarray(self.instants[first:]), *prices)

    def _prices(self, column: str) -> Any:
        m, n = len(self.grid), len(self.data)
        if n == 1:
            name, item = next(iter(self.data.items()))
            values = getattr(item, column)
            if len(values) == m:
                return values.reshape(m, 1)
        laid = np.full((m, n), np.nan)
        for k, (name, item) in enumerate(self.data.items()):
            laid[self._at[name], k] = getattr(item, column)
        return laid

    def columns(self, name: str) -> dict[Timeframe, Columns]:
        """Closed bars of one instrument on every timeframe that the strategy reads."""
        item = self.data[name]
        return {
            timeframe: resample(item, self._at[name], self.grid, found) for timeframe, found in self._buckets.items()
        }

    def signals(self, first: int) -> tuple[Signals, int]:
        """What the expressions say from instant ``first`` on, and the number of strategy closes before it."""
        final = self.strategy_bars.final
        closes, n = int(final.sum()), len(self.data)
        ordinal = np.cumsum(final) - 1
        program = self.strategy.program
        flags = np.zeros((closes, n), np.uint8)
        rank = np.full((closes if "rank" in program.roots else 0, n), np.nan)
        atr = np.full((closes if "stop_atr" in program.roots else 0, n), np.nan)
        for k, name in enumerate(self.data):
            columns = self.columns(name)
            found = evaluate_arrays(program, columns)
            at = ordinal[columns[self.strategy.bar_timeframe].closed_at]
            said = np.where(found.warm, np.uint8(Signal.BAR | Signal.WARM), np.uint8(Signal.BAR))
            for root, bit in _ROOT_SIGNALS.items():
                if root in found.values:
                    said |= np.where(found.values[root] == 1.0, np.uint8(bit), np.uint8(0))
            flags[at, k] = said
            if len(rank):
                rank[at, k] = found.values["rank"]
            if len(atr):
                atr[at, k] = found.values["stop_atr"]
        skipped = int(final[:first].sum())
        kept = Signals(flags[skipped:], rank[skipped:], atr[skipped:])
        return Signals(*(np.ascontiguousarray(part) for part in kept)), skipped


def _remarks(market: Market, strategy: Strategy, costs: CostModel) -> list[tuple[int, str, str]]:
    """What is true of the whole result and should be read with it."""
    first = int(market.instants["open_ns"][0]) if len(market.instants) else 0
    remarks = [(first, "", "VOLUME_UNLIMITED: fills are not limited by the volume of a bar (F1).")]
    exchange = strategy.calendar
    note = costs.note_for(first, strategy.product, exchange)
    if note:
        remarks.append((first, "", f"COSTS: {note}"))
    return remarks


def result_hash(
    strategy: Strategy, data: Mapping[str, Bars], costs: CostModel, initial_cash: float, start: Any
) -> str:
    """Hash of everything a result depends on (R4): strategy, data and calendar, instruments, costs, cash, start, engine."""
    one = next(iter(data.values()))
    parts = {
        "strategy": strategy.hash,
        "data": {name: item.hash for name, item in data.items()},
        "instruments": [repr(instrument(name)) for name in data],
        "calendar": one.calendar.digest,
        "costs": costs.hash,
        "initial_cash": initial_cash,
        "start": None if start is None else str(pd.Timestamp(start)),
        "engine": engine_hash(),
    }
    return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=16).hexdigest()
