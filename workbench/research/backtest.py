"""``wb.backtest``: a strategy over arrays of bars, by the same compiled step that trades.

How it works: the bars are laid on the base grid, the expressions are evaluated once an instrument, the calendar's
facts become flags, and ``engine.loop.run`` does the rest. Nothing here decides anything.
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
from workbench.jit import engine_hash
from workbench.market.bars import Bars
from workbench.market.grid import Grid
from workbench.market.instruments import instrument
from workbench.memory import give_back
from workbench.research.fitting import (
    AnyBars,
    bars_by_instrument,
    check_arguments,
    check_timeframes,
    common_grid,
    instruments_of,
)
from workbench.research.ground import Ground
from workbench.research.laying import Laid
from workbench.research.remarks import remarks
from workbench.research.result import Result, Run
from workbench.strategy import Strategy

#: Instants from which on what the expressions needed is given back to the system before the run.
LONG = 200_000


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
    check_arguments(strategy, initial_cash, costs)
    data = bars_by_instrument(strategy, bars)
    grid = common_grid(data)
    check_timeframes(strategy, grid)
    first, market, signals = _laid(strategy, data, grid, start)
    if len(grid) > LONG:
        give_back()
    desk = new_desk(strategy, instruments_of(data), costs, float(initial_cash), decisions=signals.flags.size)
    m = len(market.open)
    curve = Curve(np.empty(m), np.empty(m), np.empty(m, np.bool_))
    at, close = run(desk, market, signals, curve, 0, 0)
    while at < m:
        desk = grown(desk)
        at, close = run(desk, market, signals, curve, at, close)
    traded = ~np.isnan(market.close).all(axis=1)
    left = Run(desk, curve, grid.close_ns[first:], grid.session[first:], grid.sessions.date, traded, tuple(data))
    said = remarks(strategy, costs, data, market, signals)
    key = result_hash(strategy, data, costs, float(initial_cash), start)
    return Result(left, strategy, data, costs, float(initial_cash), key, said)


def _laid(
    strategy: Strategy, data: Mapping[str, Bars], grid: Grid, start: Any
) -> tuple[int, Market, Signals]:
    """The first instant, and what the engine reads from it on; what only the laying needed is let go."""
    base = Laid(strategy, Ground(data, grid))
    first = base.first_instant(start)
    return first, base.market(first), base.signals(first)


def result_hash(
    strategy: Strategy, data: Mapping[str, Bars], costs: CostModel, initial_cash: float, start: Any
) -> str:
    """Hash of all that a result depends on (R4): strategy, data, calendar, instruments, costs, cash, start, engine."""
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
