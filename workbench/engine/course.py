"""What a stretch of bars does as a whole, so that a stretch in which nothing happens need not be walked bar by bar.

Nothing here decides anything: these are minima, maxima and counts of the data, made once for all strategies over them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.engine.records import Instant, Market
from workbench.jit import njit

Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]

#: Instants of a block.
BLOCK = 16


class Course(NamedTuple):
    """One instrument's bars from the first instant of a run on; m instants, c strategy closes.

    Attributes
    ----------
    low, high, least_close, greatest_close : float64[blocks]
        Extremes of each whole block; of one without a bar infinity, minus infinity.
    ends : uint8[blocks]
        All flags of each block's instants together.
    ends_session : bool[blocks]
        Whether the last bar of a session is in the block.
    rows_before : int32[m + 1]
        Count of bars before each instant.
    closes_at : int32[c]
        Instant of each strategy close.
    closes_before : int32[m + 1]
        Count of strategy closes before each instant.
    bars_before : int32[c + 1]
        Count of strategy bars before each close.
    last_row : int32[sessions]
        Instant of the last bar of each session, -1 without one.
    with_rows : int32[sessions with a bar]
        Numbers of the sessions that have one.
    """

    low: Float64
    high: Float64
    least_close: Float64
    greatest_close: Float64
    ends: npt.NDArray[np.uint8]
    ends_session: npt.NDArray[np.bool_]
    rows_before: Int32
    closes_at: Int32
    closes_before: Int32
    bars_before: Int32
    last_row: Int32
    with_rows: Int32


@njit
def sum_up(market, course):  # type: ignore[no-untyped-def]
    """Write what the blocks come to."""
    low, high, close = market.low, market.high, market.close
    for block in range(len(course.low)):
        course.ends[block] = 0
        course.low[block] = course.least_close[block] = np.inf
        course.high[block] = course.greatest_close[block] = -np.inf
        for i in range(block * BLOCK, (block + 1) * BLOCK):
            course.ends[block] |= market.times.flags[i]
            if low[i, 0] < course.low[block]:
                course.low[block] = low[i, 0]
            if high[i, 0] > course.high[block]:
                course.high[block] = high[i, 0]
            if close[i, 0] < course.least_close[block]:
                course.least_close[block] = close[i, 0]
            if close[i, 0] > course.greatest_close[block]:
                course.greatest_close[block] = close[i, 0]


def course_of(market: Market, has_bar: npt.NDArray[np.bool_], sessions: int) -> Course:
    """Make the course of one instrument.

    Parameters
    ----------
    market : Market
        Of one instrument.
    has_bar : bool[c]
        Whether each strategy close has a bar.
    sessions : int
        How many the grid has.
    """
    traded = ~np.isnan(market.close[:, 0])
    blocks = len(traded) // BLOCK
    is_close = (market.times.flags & np.uint8(Instant.STRATEGY_CLOSE)) > 0
    closes_at = np.flatnonzero(is_close).astype(np.int32)
    last_row = np.full(sessions, -1, np.int32)
    rows = np.flatnonzero(traded)
    last_row[market.times.session[rows]] = rows  # of several rows of one session numpy keeps the last
    ends = np.empty(blocks, np.uint8)
    low, high, least_close, greatest_close = np.empty((4, blocks))
    extremes = low, high, least_close, greatest_close
    counted = _counted(traded), closes_at, _counted(is_close), _counted(has_bar)
    ends_session = np.zeros(blocks, np.bool_)
    last_blocks = last_row[last_row >= 0] // BLOCK
    ends_session[last_blocks[last_blocks < blocks]] = True
    with_rows = np.flatnonzero(last_row >= 0).astype(np.int32)
    made = Course(*extremes, ends, ends_session, *counted, last_row, with_rows)
    sum_up(market, made)
    return made


def _counted(flags: npt.NDArray[np.bool_]) -> Int32:
    return np.concatenate([[0], np.cumsum(flags)]).astype(np.int32)
