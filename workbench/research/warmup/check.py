"""``wb.warmup_check``: the smallest history after which decisions no longer change (rules B8, E7).

An average that remembers everything (EMA, RMA, RSI, ATR) depends on where its data began for ever, by less and less.
What matters is when that stops to change a decision. So decisions are compared, not indicators: a stretch of bars is
decided once with all the history there is and again with only h bars before it, for many stretches and growing h.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from workbench.engine.fitting import AnyBars, bars_by_instrument, check_timeframes
from workbench.errors import ConfigError
from workbench.indicators.ops import Op
from workbench.research.lookahead.check import name_of
from workbench.research.warmup.answer import Warmup
from workbench.research.warmup.stretches import Changed, Decided
from workbench.strategy import Strategy

#: Lengths beyond the smallest at which the answer is tried again: all of the next ones, and a spread of longer ones.
NEXT, SPREAD = 32, 12


def warmup_check(
    strategy: Strategy, bars: AnyBars, tolerance_frac: float = 1e-4, starts: int = 12, seed: int = 0
) -> Warmup:
    """How many bars of history a strategy needs until more of it changes no decision.

    Lengths are tried by doubling, then the smallest that suffices is found by bisection. That assumes that a longer
    history than one that suffices suffices too, which need not be so: what is left of the start may swing. So the next
    32 lengths are all tried, and 24 up to the longest; where one does not suffice, the search goes on above it.

    Parameters
    ----------
    strategy : Strategy
        Its expressions are evaluated as the backtest does.
    bars : Bars or mapping of str to Bars
        Base bars. The first half is the longest history that is tried.
    tolerance_frac : float
        Numbers that orders depend on (the rank, the ATR of a stop) count as changed when they differ by more than
        this part of their size.
    starts : int
        Into how many stretches the second half is divided. The first bar of each has exactly the history that is
        tried, the bars after it have more.
    seed : int
        Of the lengths that are tried again.

    Returns
    -------
    Warmup
        ``bars`` in strategy bars, ``changed`` by length, ``passed``: whether the data are long enough to say.

    Raises
    ------
    ConfigError
        No strategy, or bars that do not fit it.
    """
    if not isinstance(strategy, Strategy):
        raise ConfigError(f"strategy is {strategy!r}; a wb.Strategy is asked.")
    if not tolerance_frac >= 0 or starts < 1:
        raise ConfigError("tolerance_frac is a fraction from 0 on, starts a count from 1 on.")
    data = bars_by_instrument(strategy, bars)
    for item in data.values():
        check_timeframes(strategy, item.grid)
    tried = _Tried({name: Decided(strategy, item, tolerance_frac, starts) for name, item in data.items()})
    longest = tried.longest
    if longest >= 1:
        for length in doubling(longest):
            tried.changed(length)
        if any(one.n_true for one in tried.decided.values()):
            _settle(tried, np.random.default_rng(seed))
    return Warmup(
        name=name_of(strategy),
        bars=tried.bounds()[1],
        longest=longest,
        n_true=sum(one.n_true for one in tried.decided.values()),
        warm_bars=strategy.program.warm_bars,
        changed=tried.table(),
        notes=tuple(_notes(strategy)),
    )


def _notes(strategy: Strategy) -> list[str]:
    """Say where the beginning of the data is never forgotten."""
    ops = {Op(op) for op in strategy.program.nodes["op"].tolist()}
    names = [name for name, op in (("OBV", Op.OBV), ("PVT", Op.PVT)) if op in ops]
    return [f"{name} is a sum since the data begin: its level never settles, only its changes do" for name in names]


def doubling(longest: int) -> list[int]:
    """Lengths 0, 1, 2, 4, … and the longest."""
    return sorted({0, longest, *(2**k for k in range(longest.bit_length()))})


def _settle(tried: _Tried, draw: np.random.Generator) -> None:
    """Bisect between the longest length that changed something and the shortest above it that was tried.

    Whenever a longer one that is tried afterwards changes something, bisect above that one.
    """
    while True:
        low, high = tried.bounds()
        while high is not None and high - low > 1:
            tried.changed((low + high) // 2)
            low, high = tried.bounds()
        if high is None or high >= tried.longest:
            return
        follow = np.arange(high + 1, min(high + NEXT, tried.longest) + 1)
        longer = np.geomspace(high + 1, tried.longest, SPREAD).astype(int)
        more = np.unique(np.concatenate([follow, longer, draw.integers(high, tried.longest + 1, SPREAD)]))
        if not sum(tried.changed(int(length)) for length in more):
            return


class _Tried:
    """How many decisions change with each length that was tried, over all instruments."""

    def __init__(self, decided: Mapping[str, Decided]) -> None:
        self.decided = decided
        self.longest = min(one.longest for one in decided.values())
        self.counts: dict[int, dict[str, Changed]] = {}

    def changed(self, length: int) -> int:
        """Values that differ with this length."""
        if length not in self.counts:
            self.counts[length] = {name: one.changed(length) for name, one in self.decided.items()}
        return sum(one.n_changed for one in self.counts[length].values())

    def bounds(self) -> tuple[int, int | None]:
        """The longest length that changed something (-1 for none), and the shortest tried above it, if there is one."""
        low = max((length for length in self.counts if self.changed(length)), default=-1)
        return low, min((length for length in self.counts if length > low), default=None)

    def table(self) -> pd.DataFrame:
        """One row a length and instrument."""
        rows = [
            (length, name, one.n_compared, one.n_changed, ", ".join(one.columns))
            for length, found in sorted(self.counts.items())
            for name, one in found.items()
        ]
        return pd.DataFrame(rows, columns=["history_bars", "instrument", "compared", "changed", "columns"])
