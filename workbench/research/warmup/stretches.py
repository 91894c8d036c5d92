"""Stretches of bars that are decided again with less history before them than there is."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.expressions.evaluate import evaluate_arrays
from workbench.market.bars import Bars
from workbench.market.resample import columns_of
from workbench.research.lookahead.probed import DECISIONS, Said
from workbench.strategy import Strategy

#: Numbers that orders depend on.
NUMBERS = ("rank", "stop_atr")


@dataclass(frozen=True)
class Changed:
    """What a length of history changed for one instrument.

    Attributes
    ----------
    n_compared, n_changed : int
        Values.
    columns : tuple of str
        In which something changed.
    """

    n_compared: int
    n_changed: int
    columns: tuple[str, ...]


class Decided:
    """What a strategy decides of one instrument, with all the history and with less.

    Parameters
    ----------
    strategy : Strategy
        Whose expressions.
    bars : Bars
        Base bars; the second half of the strategy bars is decided again.
    tolerance_frac : float
        By which part of their size numbers may differ.
    starts : int
        Into how many stretches the second half is divided, each with a history of its own.

    Attributes
    ----------
    longest : int
        Strategy bars before the second half.
    n_true : int
        How often a decision is true there.
    """

    def __init__(self, strategy: Strategy, bars: Bars, tolerance_frac: float, starts: int) -> None:
        self.strategy, self.bars, self.tolerance_frac = strategy, bars, tolerance_frac
        self.whole = self._say(bars)
        n = len(self.whole.ts)
        self.longest = n // 2
        self.n_true = int(sum(self.whole.columns[name][self.longest :].sum() for name in self._decisions))
        edges = np.unique(np.linspace(self.longest, n, starts + 1).astype(int)).tolist()
        self._stretches = list(itertools.pairwise(edges))
        closed_at = columns_of(bars, strategy.bar_timeframe, self._cut and strategy.bar_timeframe.is_daily).closed_at
        #: Base bars before each strategy bar, and before what follows the last one.
        self._before = np.concatenate([[0], np.searchsorted(bars.at, closed_at, side="right")])

    def changed(self, length: int) -> Changed:
        """Decide all stretches again with ``length`` strategy bars of history before each."""
        compared = changed = 0
        columns: dict[str, None] = {}
        for start, stop in self._stretches:
            part = self._part(start - length, stop)
            for name, column in self.whole.columns.items():
                unlike = self._unlike(name, column[start:stop], part.columns[name][length : length + stop - start])
                compared += stop - start
                changed += int(unlike.sum())
                if unlike.any():
                    columns[name] = None
        return Changed(compared, changed, tuple(columns))

    @property
    def _cut(self) -> bool:
        return self.strategy.execution == "proxy_close"

    @property
    def _decisions(self) -> list[str]:
        return [name for name in DECISIONS if name in self.strategy.program.roots]

    def _part(self, first: int, stop: int) -> Said:
        """What is said of the strategy bars from ``first`` to ``stop - 1`` when the data begin and end with them."""
        # One base bar more: a strategy bar whose last intervals are empty is final when a later one is there.
        last = min(int(self._before[stop]), len(self.bars) - 1)
        index = self.bars.index
        part = self._say(self.bars.between(index[self._before[first]], index[last]))
        assert np.array_equal(part.ts[: stop - first], self.whole.ts[first:stop]), "a part has other strategy bars"
        return part

    def _unlike(
        self, name: str, ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.bool_]:
        alike = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
        if name in NUMBERS:
            alike |= np.abs(ours - theirs) <= self.tolerance_frac * np.maximum(np.abs(ours), np.abs(theirs))
        return np.asarray(~alike)

    def _say(self, bars: Bars) -> Said:
        """Decisions as they act: missing is not true, and an entry needs warm (E4, E7)."""
        program, own = self.strategy.program, self.strategy.bar_timeframe
        columns = {one: columns_of(bars, one, self._cut and one.is_daily) for one in {*program.timeframes, own}}
        found = evaluate_arrays(program, columns)
        said = {name: (found.values[name] == 1.0).astype(np.float64) for name in self._decisions}
        for name in said:
            if name.endswith("entry"):
                said[name] *= found.warm
        said["warm"] = found.warm.astype(np.float64)
        said |= {name: found.values[name] for name in NUMBERS if name in found.values}
        return Said(columns[own].ts, said)
