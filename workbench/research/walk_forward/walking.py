"""``wb.walk_forward``: choose on the past, trade what comes after, go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Unpack

import numpy as np
import pandas as pd

from workbench.engine.fitting import AnyBars, bars_by_instrument, check_arguments
from workbench.errors import ConfigError
from workbench.market.timeframe import DAY_NS
from workbench.research.curve import sessions_of
from workbench.research.stats import statistics
from workbench.research.sweep.settings import chosen
from workbench.research.sweep.space import levels_of
from workbench.research.sweep.table import checked_names
from workbench.research.walk_forward.account import stitched
from workbench.research.walk_forward.answer import WalkForward
from workbench.research.walk_forward.choosing import check_embargo
from workbench.research.walk_forward.efficiency import efficiency_of
from workbench.research.walk_forward.folds import Fold, folds_of
from workbench.research.walk_forward.settings import Settings, taken
from workbench.research.walk_forward.steps import Step, Walk
from workbench.research.walk_forward.timeline import timeline_of
from workbench.strategy import Strategy


def walk_forward(
    strategy: Strategy,
    bars: AnyBars,
    parameters: Mapping[str, Iterable[Any]],
    rank_by: str = "sharpe_ann",
    *,
    folds: int | None = 6,
    scheme: str = "rolling",
    **settings: Unpack[Settings],
) -> WalkForward:
    """Choose a parameter set on a training window, trade it in the test window after it, and so on as one account.

    Training sees the bars up to its last session and no others. A test window begins in cash, its indicators warmed by
    all bars before it (B8), with the money that the window before left; what is open at a window's end is closed at its
    last close, with slippage and charges.

    Parameters
    ----------
    strategy : Strategy
        The one that is varied.
    bars : Bars or mapping of str to Bars
        As for ``wb.backtest``.
    parameters : mapping of str to values
        As for ``wb.sweep``.
    rank_by : str
        The statistic that chooses, highest first; with a minus before it, lowest first.
    folds : int, optional
        How many; None: as many as fit.
    scheme : {"rolling", "anchored"}
        Training of one length that moves on, or from the first session on.
    **settings
        See ``Settings``: lengths of training and test, ``purge_sessions``, ``embargo_sessions``, ``choose``, and those
        of ``wb.sweep``. ``start`` is a date: where the first training may begin; bars before it are history.

    Returns
    -------
    WalkForward

    Raises
    ------
    ConfigError
        The arguments do not fit each other, or there are too few sessions; says how many there are and what would fit.
    StrategyError, ExpressionError
        A set contradicts itself; names it.
    """
    asked = taken(folds, scheme, settings)
    how = chosen(asked.sweep)  # type: ignore[arg-type]
    check_arguments(strategy, how.initial_cash, how.costs)
    checked_names(rank_by, how.statistics)
    check_embargo(rank_by, asked.layout.embargo_sessions)
    levels = levels_of(parameters)
    data = bars_by_instrument(strategy, bars)
    timeline = timeline_of(data, how.start)
    laid = folds_of(len(timeline.sessions), asked.layout)
    first = timeline.day(laid[0].train.stop - 1)
    for name, item in data.items():
        if item.grid.sessions.date[0] > timeline.sessions[laid[0].train.stop - 1]:
            raise ConfigError(
                f"{name} has no bar up to {first:%Y-%m-%d}, where the first training ends; leave it out, or begin "
                "later with start=…"
            )
    walk = Walk(strategy, data, timeline, asked, how, (levels, rank_by))
    return _answer(walk, laid, walk.steps(laid))


def _answer(walk: Walk, folds: Sequence[Fold], steps: Sequence[Step]) -> WalkForward:
    account = stitched([step.part for step in steps], float(walk.how.initial_cash))
    stats = statistics(account.rows, account.trades, account.fills)
    sessions, name = sessions_of(account.rows), walk.rank_by.removeprefix("-")
    in_sample = [step.choice.statistic for step in steps]
    efficiency, why = efficiency_of(walk.rank_by, in_sample, stats[name])
    notes = [f"fold {number}: {step.said}" for number, step in enumerate(steps, start=1) if step.said]
    if why:
        notes.append(f"the efficiency is undefined: {why}")
    index = pd.DatetimeIndex((sessions.date.astype(np.int64) * DAY_NS).view("datetime64[ns]"), name="session")
    returns = pd.Series(sessions.returns, index=index, name=walk.strategy.name)
    lengths = [len(step.part.ts_close) for step in steps]
    borders = tuple(int(row) for row in np.cumsum([0, *lengths[:-1]]))
    return WalkForward(
        strategy=walk.strategy, parameters=tuple(walk.parameters), rank_by=walk.rank_by,
        folds=_table(walk, folds, steps), equity=account.equity, borders=borders, returns=returns,
        trades=account.trades, fills=account.fills, stats=stats, efficiency=efficiency, notes=tuple(notes),
        strategies=tuple(step.strategy for step in steps),
        results=tuple(step.result for step in steps), bars=dict(walk.data), costs=walk.how.costs,
        initial_cash=float(walk.how.initial_cash),
    )  # fmt: skip


def _table(walk: Walk, folds: Sequence[Fold], steps: Sequence[Step]) -> pd.DataFrame:
    day, name = walk.timeline.day, walk.rank_by.removeprefix("-")
    columns: dict[str, Any] = {
        "train_start": [day(fold.train.start) for fold in folds],
        "train_end": [day(fold.train.stop - 1) for fold in folds],
        "test_start": [day(fold.test.start) for fold in folds],
        "test_end": [day(fold.test.stop - 1) for fold in folds],
        "n_sets": [step.n_sets for step in steps],
    }
    for at, parameter in enumerate(walk.parameters):
        columns[parameter] = [step.values[at] for step in steps]
    columns["in_sample"] = [step.choice.statistic for step in steps]
    outside = [step.part.statistic(name) for step in steps]
    columns["out_of_sample"] = np.array(outside, np.float64)
    columns["note"] = [step.said for step in steps]
    return pd.DataFrame(columns, index=pd.RangeIndex(1, len(folds) + 1, name="fold"))
