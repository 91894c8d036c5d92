"""One instrument, bar by bar: base bars and empty instants in, values of programs out (rules B3, B4, B7, E9).

The coarser bars grow through the same ``absorb`` as in the array form, and close on the same instants of the grid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.addresses import laid_out
from workbench.errors import ConfigError
from workbench.expressions.batch import Batch
from workbench.expressions.instant import (
    FIRST_OF_SESSION,
    INSIDE,
    LAST,
    NUMBERS,
    OUTSIDE,
    TABLE,
    Fed,
    pass_instant,
)
from workbench.expressions.program import Program
from workbench.market.grid import Grid, buckets
from workbench.market.resample import partial_dtype
from workbench.market.timeframe import MINUTE_NS, Timeframe
from workbench.schema import N_LEAVES

_NOTHING = np.zeros(0, np.int64)


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
        jobs = [self.batch.jobs(timeframe, row=k) for k, timeframe in enumerate(self.timeframes)]
        self._jobs = np.concatenate(jobs)
        self._job_off = np.cumsum([0, *map(len, jobs)], dtype=np.int64)
        self._partials: Any = np.zeros(len(self.timeframes), partial_dtype)
        self._leaves = np.full((len(self.timeframes), N_LEAVES), np.nan)
        self._closed = np.zeros(len(self.timeframes), np.bool_)
        self._bar = np.full(5, np.nan)
        self._watched = _NOTHING, _NOTHING.reshape(0, 2), _NOTHING, np.array([-1])
        #: Addresses of everything above, for ``instant.feed_many``; kept up to date in place.
        self.table = np.zeros(TABLE, np.int64)
        self.use(grid)

    def watch(self, own: Timeframe, bits: Mapping[str, int], numbers: Sequence[str | None]) -> None:
        """Say what ``instant.feed_many`` tells of the first program at closes of one timeframe.

        Parameters
        ----------
        own : Timeframe
            Of the strategy's own bars.
        bits : mapping of str to int
            Bits of ``Signal`` by the root that sets them.
        numbers : sequence of str or None
            Roots whose values are wanted, at most ``NUMBERS``; None for none at that place.
        """
        assert len(numbers) <= NUMBERS, numbers
        program = self.batch.programs[0]
        roots = [(program.roots[root], bit) for root, bit in bits.items()]
        wanted = [-1 if root is None else program.roots[root] for root in numbers]
        self._watched = (
            program.calls.astype(np.int64),
            np.array(roots, np.int64).reshape(-1, 2),
            np.array(wanted, np.int64),
            np.array([self.timeframes.index(own)]),
        )
        self._lay_out()

    def use(self, grid: Grid) -> None:
        """Go on with another grid, of sessions after those of the one before; no bar runs across sessions."""
        self._place, self._session = _places(grid, self.timeframes, self.cut_at_proxy), _session_leaves(grid)
        self.at = 0
        self.size = len(grid)
        self._lay_out()

    def _lay_out(self) -> None:
        batch = self.batch
        self._fed = Fed(
            batch.nodes, batch.state, batch.values, batch.seen, self._partials, self._leaves, self._closed, self._place,
            self._session, self._jobs, self._job_off, *self._watched,
        )  # fmt: skip
        self.table[:] = laid_out(self._fed)

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
        pass_instant(self._fed, self.at, self._bar, bar is not None)
        self.at += 1
        return tuple(one for one, closed in zip(self.timeframes, self._closed, strict=True) if closed)

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


@lru_cache(maxsize=64)
def _places(grid: Grid, timeframes: tuple[Timeframe, ...], cut_at_proxy: bool) -> npt.NDArray[np.uint8]:
    """uint8[m, timeframes]: where every interval stands in a bar of each timeframe. Not to be written to."""
    cuts = [cut_at_proxy and one.is_daily and not grid.timeframe.is_daily for one in timeframes]
    groups = [buckets(grid, one, cut) for one, cut in zip(timeframes, cuts, strict=True)]
    places = [np.where(one.final, LAST, np.where(one.bucket >= 0, INSIDE, OUTSIDE)) for one in groups]
    return np.ascontiguousarray(np.transpose(places).astype(np.uint8))


@lru_cache(maxsize=64)
def _session_leaves(grid: Grid) -> npt.NDArray[np.float64]:
    """float64[m, 4]: ``Leaf.SESSION`` and the leaves after it, at the close of every interval."""
    sessions, row = grid.sessions, grid.session
    out = np.empty((len(grid), N_LEAVES - FIRST_OF_SESSION))
    out[:, 0] = sessions.date[row]
    out[:, 1] = (grid.close_ns - sessions.open_ns[row]) / MINUTE_NS
    out[:, 2] = (sessions.close_ns[row] - grid.close_ns) / MINUTE_NS
    out[:, 3] = (sessions.date[row] + 3) % 7 + 1  # 1970-01-01 was a Thursday, 4
    return out
