"""``evaluate``: what an expression says at every bar (rule N2)."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from workbench.errors import ConfigError
from workbench.expressions.evaluate import evaluate_arrays
from workbench.expressions.program import compile_program
from workbench.market.bars import Bars
from workbench.market.resample import columns_of
from workbench.market.timeframe import Timeframe

_ROOT = "value"


def evaluate(
    expression: str,
    bars: Bars | Mapping[str, Bars],
    params: Mapping[str, object] | None = None,
    timeframe: Timeframe | str | None = None,
) -> pd.Series:
    """Values of one expression on the bars of one instrument.

    Parameters
    ----------
    expression : str
        A number or a condition, for example ``"RSI(14)"`` or ``"close > SMA(50, '1h')"``.
    bars : Bars, or a mapping with one instrument
        Base bars; coarser ones are built from them.
    params : mapping, optional
        Values of ``$name``.
    timeframe : Timeframe or str, optional
        The strategy's, a multiple of the bars' own; the bars' own unless given.

    Returns
    -------
    Series of float64
        Index ``ts``, the opening instant of each strategy bar (UTC); each value is known at that bar's close.
        Missing is NaN, a condition 1.0, 0.0 or NaN.

    Raises
    ------
    ExpressionError
        The expression cannot be used: line, column, caret and how to fix it.
    ConfigError
        More than one instrument, a timeframe that these bars cannot make, or params that are no mapping.
    """
    if not isinstance(bars, Bars):
        bars = _only(bars)
    if params is not None and not isinstance(params, Mapping):
        raise ConfigError(f"params is {params!r}; a mapping of names to numbers is asked, like {{'n': 14}}.")
    own = bars.timeframe if timeframe is None else Timeframe.parse(timeframe)
    program = compile_program({_ROOT: expression}, params, own)
    columns = {one: columns_of(bars, one) for one in program.timeframes}
    index = pd.DatetimeIndex(columns[own].ts, tz="UTC", name="ts")
    return pd.Series(evaluate_arrays(program, columns).values[_ROOT], index=index, name=_ROOT)


def _only(bars: Mapping[str, Bars]) -> Bars:
    """The one instrument of a mapping."""
    if not isinstance(bars, Mapping):
        raise ConfigError(f"bars is of type {type(bars).__name__}; make wb.Bars(frame, timeframe, calendar) of it.")
    if len(bars) != 1:
        raise ConfigError(f"evaluate takes the bars of one instrument, not of {len(bars)}: evaluate(..., bars[name])")
    return next(iter(bars.values()))
