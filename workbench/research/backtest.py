"""``wb.backtest``: a strategy over arrays of bars, by the same compiled step that trades.

How it works: the bars are laid on the base grid, the expressions are evaluated once an instrument, the calendar's
facts become flags, and ``engine.loop.run`` does the rest. Nothing here decides anything.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

import workbench.costs as cost_models
from workbench.costs import CostModel
from workbench.engine.desk import grown, new_desk
from workbench.engine.fitting import (
    AnyBars,
    bars_by_instrument,
    check_arguments,
    check_timeframes,
    common_grid,
    instruments_of,
)
from workbench.engine.loop import run
from workbench.engine.records import Curve
from workbench.jit import engine_hash
from workbench.market.bars import Bars
from workbench.market.instruments import Instrument, instrument
from workbench.memory import give_back
from workbench.research.ground import Ground
from workbench.research.laying import Input, Laid
from workbench.research.remarks import remarks
from workbench.research.result import Result, Run
from workbench.research.signals import Signals, taped
from workbench.strategy import Strategy

#: Instants from which on what the expressions needed is given back to the system before the run.
LONG = 200_000


def backtest(
    strategy: Strategy | Signals,
    bars: AnyBars,
    initial_cash: float = 1_000_000.0,
    costs: CostModel | None = None,
    start: Any = None,
) -> Result:
    """Run a strategy over bars.

    Parameters
    ----------
    strategy : Strategy or Signals
        What to trade; a function made by ``wb.signals`` is called once an instrument.
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
    if isinstance(strategy, Signals):
        strategy, bars = taped(strategy, bars)
    check_arguments(strategy, initial_cash, costs)
    data = bars_by_instrument(strategy, bars)
    grid = common_grid(data)
    check_timeframes(strategy, grid)
    given = Laid(strategy, Ground(data, grid)).input(start)
    if len(grid) > LONG:
        give_back()
    left = simulated(strategy, given, instruments_of(data), costs, float(initial_cash))
    said = remarks(strategy, costs, data, given.market, given.signals)
    key = result_hash(strategy, data, costs, float(initial_cash), start)
    return Result(left, strategy, data, costs, float(initial_cash), key, said)


def simulated(
    strategy: Strategy, given: Input, instruments: Sequence[Instrument], costs: CostModel, initial_cash: float
) -> Run:
    """Run the engine from the first instant to the last.

    Parameters
    ----------
    strategy : Strategy
        What to trade.
    given : Input
        Instants, bars and signals.
    instruments : sequence of Instrument
        In the order of the bars' columns.
    costs : CostModel
        Slippage and charges.
    initial_cash : float
        Money.
    """
    grid, first, market, signals = given
    desk = new_desk(strategy, instruments, costs, initial_cash, decisions=signals.flags.size)
    m = len(market.open)
    curve = Curve(np.empty(m), np.empty(m), np.empty(m, np.bool_))
    at, close = run(desk, market, signals, curve, 0, 0)
    while at < m:
        desk = grown(desk)
        at, close = run(desk, market, signals, curve, at, close)
    traded = ~np.isnan(market.close).all(axis=1)
    names = tuple(item.name for item in instruments)
    return Run(desk, curve, grid.close_ns[first:], grid.session[first:], grid.sessions.date, traded, names)


def result_hash(
    strategy: Strategy, data: Mapping[str, Bars], costs: CostModel, initial_cash: float, start: Any
) -> str:
    """Hash of all that a result depends on (R4): strategy, data, calendar, instruments, costs, cash, start, engine."""
    return _hash_of({"strategy": strategy.hash, **_surroundings(data, costs, initial_cash, start)})


def surroundings_hash(data: Mapping[str, Bars], costs: CostModel, initial_cash: float, start: Any) -> str:
    """Hash of all that a result depends on besides its strategy."""
    return _hash_of(_surroundings(data, costs, initial_cash, start))


def _surroundings(data: Mapping[str, Bars], costs: CostModel, initial_cash: float, start: Any) -> dict[str, Any]:
    one = next(iter(data.values()))
    return {
        "data": {name: item.hash for name, item in data.items()},
        "instruments": [repr(instrument(name)) for name in data],
        "calendar": one.calendar.digest,
        "costs": costs.hash,
        "initial_cash": initial_cash,
        "start": None if start is None else str(pd.Timestamp(start)),
        "engine": engine_hash(),
    }


def _hash_of(parts: Mapping[str, Any]) -> str:
    return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=16).hexdigest()
