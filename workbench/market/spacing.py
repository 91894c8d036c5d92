"""Whether bars are as far apart as their timeframe says (rule B7; pure)."""

from __future__ import annotations

import numpy as np

from workbench.market.grid import Grid
from workbench.market.sessions import Int32
from workbench.market.timeframe import Timeframe

#: Fewer bars than these lie on a coarser grid by chance.
_FEW = 5


def coarser_spacing(grid: Grid, at: Int32) -> Timeframe | None:
    """The coarser timeframe that bars seem to be of, though they were declared finer.

    Parameters
    ----------
    grid : Grid
        From the first bar's interval to the last's.
    at : int32[n]
        Position of each bar in it.

    Returns
    -------
    Timeframe or None
        The coarsest one on whose grid every stamp lies, ``1d`` where every bar opens its session. None when no more
        than half of the intervals are gaps, when there are too few bars to tell, or when the stamps lie on no coarser
        grid. An instrument that trades rarely leaves gaps as well, but not on such a grid.
    """
    if grid.timeframe.is_daily or len(at) < _FEW or len(at) * 2 >= len(grid):
        return None
    steps = (grid.open_ns[at] - grid.sessions.open_ns[grid.session[at]]) // grid.timeframe.ns
    apart = int(np.gcd.reduce(steps))
    if apart == 1:
        return None
    minutes = apart * grid.timeframe.minutes
    return Timeframe(minutes if minutes < 1440 else 0)


def spacing_note(grid: Grid, at: Int32) -> tuple[str, ...]:
    """A note for people when bars seem to be of a coarser timeframe than declared, else nothing."""
    found = coarser_spacing(grid, at)
    if found is None:
        return ()
    empty = 1 - len(at) / len(grid)
    where = "opens its session" if found.is_daily else f"lies on the grid of {found}"
    note = (f"every bar {where}, and {empty:.0%} of the {grid.timeframe} intervals have none: are these {found} bars? "
            f"Then read them as {found}")
    return (note,)
