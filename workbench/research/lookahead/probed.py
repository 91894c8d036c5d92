"""What is asked what it says of some bars: a user's function, or the expressions of a strategy, of one instrument.

Both are asked the same three questions: of all the bars, of the bars up to one, and of all of them with other prices
after one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.errors import ConfigError
from workbench.expressions.evaluate import evaluate_arrays
from workbench.indicators.ops import Op
from workbench.market.bars import Bars
from workbench.market.columns import FIELDS
from workbench.market.resample import columns_of
from workbench.research.lookahead.returned import read_returned
from workbench.strategy import Strategy

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

#: Signals in the order in which differences are told.
DECISIONS = ("entry", "exit", "short_entry", "short_exit")

#: A function of the user: bars in, decisions out.
Decides = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True, eq=False)
class Said:
    """What was said of some bars.

    Attributes
    ----------
    ts : int64[k]
        Opening stamps of the bars something was said of.
    columns : dict of str to float64[k]
        Decisions first; true is 1.0, false 0.0, missing NaN.
    """

    ts: Int64
    columns: dict[str, Float64]


class Probed(Protocol):
    """One thing that says something of the bars of one instrument."""

    #: Whether two values of a number must be equal to the last bit.
    exact: bool
    bars: Bars

    def whole(self) -> Said:
        """What it says of all bars."""
        ...

    def upto(self, i: int) -> Said:
        """What it says of the bars up to number ``i``, inclusive."""
        ...

    def replaced(self, block: Float64) -> Said:
        """What it says of other prices on the same stamps, ``block`` of shape (5, bars)."""
        ...

    def known(self) -> npt.NDArray[np.intp]:
        """How many rows of the whole are known when each base bar has closed, one count a base bar."""
        ...


class OfFunction:
    """A function of the user over the bars of one instrument; every call gets a copy of its own.

    Parameters
    ----------
    function : callable
        DataFrame of bars in, DataFrame with ``entry`` and ``exit`` out.
    bars : Bars
        Of the instrument.

    Attributes
    ----------
    skipped : set of str
        Columns that hold no numbers, which are not compared.
    changes_input : bool
        Whether a call has changed the prices it was given.
    """

    exact = False

    def __init__(self, function: Decides, bars: Bars) -> None:
        self.function, self.bars = function, bars
        self.skipped: set[str] = set()
        self.changes_input = False

    def whole(self) -> Said:
        """What the function says of all bars."""
        given = self.bars.frame.copy()
        said = self._call(given)
        same = given.index.equals(self.bars.frame.index) and set(FIELDS) <= set(given.columns)
        self.changes_input |= not (same and given[list(FIELDS)].equals(self.bars.frame))
        return said

    def upto(self, i: int) -> Said:
        """What the function says of the bars up to number ``i``, inclusive."""
        return self._call(self.bars.frame.iloc[: i + 1].copy())

    def replaced(self, block: Float64) -> Said:
        """What the function says of other prices on the same stamps."""
        return self._call(pd.DataFrame(dict(zip(FIELDS, block, strict=True)), index=self.bars.index))

    def longer(self, i: int) -> Said:
        """What the function says when a longer history, with earlier stamps, ends at bar ``i``.

        The bars in front are the same ones, whole weeks earlier: clock times stay what they were.
        """
        frame = self.bars.frame
        week = pd.Timedelta(days=7)
        weeks = (frame.index[-1] - frame.index[0]) // week + 1
        before = frame.set_axis(frame.index - weeks * week, axis=0)
        return self._call(pd.concat([before, frame.iloc[: i + 1]]).rename_axis("ts"))

    def known(self) -> npt.NDArray[np.intp]:
        """One row more with every bar."""
        return np.arange(1, len(self.bars) + 1)

    def _call(self, given: pd.DataFrame) -> Said:
        stamps = given.index.as_unit("ns").asi8.copy()  # type: ignore[attr-defined]
        columns = read_returned(self.function(given), stamps, DECISIONS, self.skipped)
        return Said(stamps, columns)


class OfStrategy:
    """The expressions of a strategy over the bars of one instrument, by the code that the backtest evaluates with.

    Besides the values of all expressions and the warm flag, every step inside them is looked at: what a condition
    hides (``false AND ...``) is seen in its operands.

    Parameters
    ----------
    strategy : Strategy
        Whose expressions.
    bars : Bars
        Base bars of the instrument.
    """

    exact = True

    def __init__(self, strategy: Strategy, bars: Bars) -> None:
        self.bars, self._own = bars, strategy.bar_timeframe
        self._cut = strategy.execution == "proxy_close"
        program = strategy.program
        ops, tfs = program.nodes["op"].tolist(), program.nodes["tf"].tolist()
        steps = {
            f"step {k} ({Op(op).name})": k
            for k, (op, tf) in enumerate(zip(ops, tfs, strict=True))
            if tf == len(program.timeframes) - 1 and op not in (Op.CONST, Op.LEAF)
        }
        self._program = dataclasses.replace(program, roots={**program.roots, **steps})
        self._n_roots = len(program.roots)

    def whole(self) -> Said:
        """What the expressions say of all bars."""
        return self._say(self.bars)

    def upto(self, i: int) -> Said:
        """What the expressions say of the bars up to number ``i``, inclusive, on a grid that ends there."""
        return self._say(self.bars.between(None, self.bars.index[i]))

    def replaced(self, block: Float64) -> Said:
        """What the expressions say of other prices on the same stamps."""
        frame = pd.DataFrame(dict(zip(FIELDS, block, strict=True)), index=self.bars.index)
        return self._say(Bars(frame, self.bars.timeframe, self.bars.calendar, max_jump_ratio=np.inf))

    def known(self) -> npt.NDArray[np.intp]:
        """Strategy bars that are final when each base bar has closed."""
        closed_at = columns_of(self.bars, self._own, self._daily_cut(self._own)).closed_at
        return np.searchsorted(closed_at, self.bars.at, side="right")

    def _daily_cut(self, timeframe: Any) -> bool:
        return self._cut and timeframe.is_daily

    def _say(self, bars: Bars) -> Said:
        timeframes = {*self._program.timeframes, self._own}
        columns = {one: columns_of(bars, one, self._daily_cut(one)) for one in timeframes}
        found = evaluate_arrays(self._program, columns)
        names = list(found.values)
        first = [*(name for name in DECISIONS if name in found.values), "warm"]
        ordered = [*first, *(name for name in names[: self._n_roots] if name not in first), *names[self._n_roots :]]
        values = {**found.values, "warm": found.warm.astype(np.float64)}
        return Said(columns[self._own].ts, {name: values[name] for name in ordered})


def probed(subject: Any, bars: Bars) -> OfFunction | OfStrategy:
    """A strategy or a function over the bars of one instrument.

    Raises
    ------
    ConfigError
        The subject is neither.
    """
    if isinstance(subject, Strategy):
        return OfStrategy(subject, bars)
    if not callable(subject):
        raise ConfigError(
            f"{subject!r} is neither a wb.Strategy nor a function. A function takes a DataFrame of bars and returns "
            "one with the boolean columns entry and exit."
        )
    return OfFunction(subject, bars)
