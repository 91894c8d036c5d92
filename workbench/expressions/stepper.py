"""One instrument, bar by bar: base bars and empty instants in, values of programs out (rules B3, B4, B7, E9).

The coarser bars grow through the same ``absorb`` as in the array form, and close on the same instants of the grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from workbench.errors import ConfigError
from workbench.expressions.batch import Batch
from workbench.expressions.kernels import advance_all
from workbench.expressions.program import Program
from workbench.jit import njit
from workbench.market.grid import Grid, buckets
from workbench.market.resample import absorb, partial_dtype
from workbench.market.timeframe import MINUTE_NS, Timeframe
from workbench.schema import N_LEAVES, Leaf

#: Where an interval stands in a coarser bar.
OUTSIDE, INSIDE, LAST = 0, 1, 2

_FIRST_OF_SESSION: Final = int(Leaf.SESSION)


@njit
def observe(partials: Any, place: Any, bar: Any, is_bar: bool, session: Any, leaves: Any, closed: Any) -> None:
    """Fold one instant into the bars of every timeframe.

    Parameters
    ----------
    partials : record[timeframes] of ``partial_dtype``
        The running bars; changed in place.
    place : uint8[timeframes]
        Where this interval stands in a bar of each timeframe: ``OUTSIDE`` (after a proxy cut), ``INSIDE``, or
        ``LAST``, which makes it final.
    bar : float64[5]
        Open, high, low, close, volume of the base bar.
    is_bar : bool
        Whether there is one.
    session : float64[4]
        What the instant says of its session: ``Leaf.SESSION`` and the leaves after it.
    leaves : float64[timeframes, N_LEAVES]
        Out: the bars that closed.
    closed : bool[timeframes]
        Out: whether a bar of each timeframe closed.
    """
    first = leaves.shape[1] - session.shape[0]
    for k in range(partials.shape[0]):
        partial = partials[k]
        if is_bar and place[k] != OUTSIDE:
            absorb(partial, bar[0], bar[1], bar[2], bar[3], bar[4])
        closed[k] = place[k] == LAST and partial["bars"] > 0
        if closed[k]:
            leaves[k, 0], leaves[k, 1], leaves[k, 2] = partial["open"], partial["high"], partial["low"]
            leaves[k, 3], leaves[k, 4] = partial["close"], partial["volume"]
            for i in range(session.shape[0]):
                leaves[k, first + i] = session[i]
            partial["bars"] = 0


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Everything a stepper remembers after an instant; copies, and picklable.

    Attributes
    ----------
    at : int
        The next instant.
    state, values, seen, partials : arrays
        Memory of the nodes, their latest values, which calls have had one, and the running bars.
    """

    at: int
    state: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]
    seen: npt.NDArray[np.uint8]
    partials: npt.NDArray[np.void]


class Stepper:
    """Programs of one instrument, fed instant by instant.

    Parameters
    ----------
    programs : sequence of Program
        Compiled expressions of deployments on this instrument.
    grid : Grid
        Base intervals; every one of them is an instant, bar or no bar.
    cut_at_proxy : bool
        Bars of ``1d`` end at the proxy close (rules B4, X3).

    Raises
    ------
    ConfigError
        A program's timeframe cannot be built from the grid's.
    """

    def __init__(self, programs: Sequence[Program], grid: Grid, cut_at_proxy: bool = False) -> None:
        self.batch = Batch(programs)
        self.timeframes: tuple[Timeframe, ...] = tuple(
            sorted({one for program in programs for one in program.timeframes}, reverse=True)
        )
        self.cut_at_proxy = cut_at_proxy
        self._jobs = [self.batch.jobs(timeframe, row=k) for k, timeframe in enumerate(self.timeframes)]
        self._partials: Any = np.zeros(len(self.timeframes), partial_dtype)
        self._leaves = np.full((len(self.timeframes), N_LEAVES), np.nan)
        self._closed = np.zeros(len(self.timeframes), np.bool_)
        self._bar = np.full(5, np.nan)
        self.use(grid)

    def use(self, grid: Grid) -> None:
        """Go on with another grid, of sessions after those of the one before; no bar runs across sessions."""
        cuts = [self.cut_at_proxy and one.is_daily and not grid.timeframe.is_daily for one in self.timeframes]
        groups = [buckets(grid, one, cut) for one, cut in zip(self.timeframes, cuts, strict=True)]
        places = [np.where(one.final, LAST, np.where(one.bucket >= 0, INSIDE, OUTSIDE)) for one in groups]
        self._place = np.ascontiguousarray(np.transpose(places).astype(np.uint8))
        self._session = _session_leaves(grid)
        self.at = 0
        self.size = len(grid)

    def feed(self, bar: Sequence[float] | None) -> tuple[Timeframe, ...]:
        """Let the next instant of the grid pass.

        Parameters
        ----------
        bar : sequence of five floats, or None
            Open, high, low, close, volume of the base bar that closes at this instant; None when none does.

        Returns
        -------
        tuple of Timeframe
            Those of which a bar closed, coarsest first; programs of these strategy timeframes have new values.

        Raises
        ------
        ConfigError
            The grid has no further instant.
        """
        if self.at >= self.size:
            raise ConfigError("the grid has no further instant: go on with use(grid) of the next session")
        if bar is not None:
            self._bar[:] = bar
        place, session = self._place[self.at], self._session[self.at]
        observe(self._partials, place, self._bar, bar is not None, session, self._leaves, self._closed)
        self.at += 1
        batch = self.batch
        passed: list[Timeframe] = []
        for k, timeframe in enumerate(self.timeframes):
            if self._closed[k]:
                passed.append(timeframe)
                advance_all(batch.nodes, self._jobs[k], self._leaves, batch.state, batch.values, batch.seen)
        return tuple(passed)

    def value(self, root: str, number: int = 0) -> float:
        """Latest value of one root of one program; missing is NaN, a condition 1.0, 0.0 or NaN."""
        return self.batch.value(number, root)

    def is_warm(self, number: int = 0) -> bool:
        """Whether every call of one program has had a value (rule E7)."""
        return self.batch.is_warm(number)

    def save(self) -> Snapshot:
        """Copy everything that is remembered."""
        batch = self.batch
        return Snapshot(self.at, batch.state.copy(), batch.values.copy(), batch.seen.copy(), self._partials.copy())

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a copy made by ``save`` of the same programs on the same grid."""
        batch, self.at = self.batch, snapshot.at
        batch.state[:], batch.values[:] = snapshot.state, snapshot.values
        batch.seen[:], self._partials[:] = snapshot.seen, snapshot.partials


def _session_leaves(grid: Grid) -> npt.NDArray[np.float64]:
    """float64[m, 4]: ``Leaf.SESSION`` and the leaves after it, at the close of every interval."""
    sessions, row = grid.sessions, grid.session
    out = np.empty((len(grid), N_LEAVES - _FIRST_OF_SESSION))
    out[:, 0] = sessions.date[row]
    out[:, 1] = (grid.close_ns - sessions.open_ns[row]) / MINUTE_NS
    out[:, 2] = (sessions.close_ns[row] - grid.close_ns) / MINUTE_NS
    out[:, 3] = (sessions.date[row] + 3) % 7 + 1  # 1970-01-01 was a Thursday, 4
    return out
