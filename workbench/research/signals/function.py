"""``@wb.signals``: a function that is a strategy, with the fields that every strategy has."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from workbench.errors import StrategyError
from workbench.strategy.checks import suggestion
from workbench.strategy.fields import CHECKS

Decides = Callable[[pd.DataFrame], pd.DataFrame]

#: Fields of a strategy that a function takes the place of.
_EXPRESSIONS = ("entry", "exit", "short_entry", "short_exit", "rank", "params", "allocation")


class Signals:
    """A function of bars that says where to enter and leave; made by ``signals``, and called like the function.

    Attributes
    ----------
    function : callable
        DataFrame of bars in (open, high, low, close, volume; index ``ts``, UTC); a DataFrame with the same index and
        the boolean columns ``entry`` and ``exit`` out, for both ways also ``short_entry`` and ``short_exit``. A bar's
        row is known at the bar's close.
    fields : dict
        Of a ``Strategy``, as far as they were given.
    """

    def __init__(self, function: Decides, fields: Mapping[str, Any]) -> None:
        functools.update_wrapper(self, function)
        self.function, self.fields = function, dict(fields)

    def __call__(self, bars: pd.DataFrame) -> pd.DataFrame:
        """What the function says of bars."""
        return self.function(bars)

    def __repr__(self) -> str:
        return f"Signals({self.name})"

    @property
    def name(self) -> str:
        """Its name as a strategy: the function's, unless one was given."""
        return str(self.fields.get("name", getattr(self.function, "__name__", "signals")))


def signals(function: Decides | None = None, /, **fields: Any) -> Any:
    """Make a strategy of a function.

    Parameters
    ----------
    function : callable
        As ``Signals.function`` says.
    **fields
        Those of ``wb.Strategy`` without its expressions. What is left out is taken from the bars (instruments,
        timeframe, calendar) or is ``CNC``, ``LONG``, version 0.1.0 and the function's name.

    Returns
    -------
    Signals, or a decorator that makes it

    Raises
    ------
    StrategyError
        A field that no strategy has, or one that the function takes the place of.

    Examples
    --------
    >>> @wb.signals(product="MIS", stop_loss_frac=0.01)  # doctest: +SKIP
    ... def dip(bars):
    ...     mean = bars["close"].rolling(20).mean()
    ...     return pd.DataFrame({"entry": bars["close"] < 0.99 * mean, "exit": bars["close"] > mean})
    """
    for name in fields:
        if name in _EXPRESSIONS:
            raise StrategyError(f"signals: {name} is what the function says; leave it out.")
        if name not in CHECKS:
            raise StrategyError(f"signals: unknown field {name!r}{suggestion(name, CHECKS)}.")
    if function is None:
        return lambda decides: signals(decides, **fields)
    if not callable(function):
        raise StrategyError(f"signals: {function!r} is no function.")
    return Signals(function, fields)
