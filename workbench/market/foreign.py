"""Rows of another instrument: prices that cannot follow each other inside one session (pure).

Inside a session a price moves from bar to bar without corporate actions; a factor beyond the limit (2 by
default) between a close and the next open, or between a bar's own open and close, means that rows of two
instruments are mixed. Between sessions nothing is concluded: a split or a bonus looks just like it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.market.grid import Grid
from workbench.market.sessions import Bool, Int32

Float64 = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


def jumps(opens: Float64, close: Float64, grid: Grid, at: Int32, limit: float) -> Rows:
    """Rows whose open is too far from the close before, in the same session, or from their own close.

    Parameters
    ----------
    opens, close : float64[n]
        Prices, all positive.
    grid, at : Grid, int32[n]
        Where the rows lie, ascending.
    limit : float
        Factor above 1.
    """
    body = _apart(opens, close, limit)
    step = np.flatnonzero(_apart(opens[1:], close[:-1], limit)) + 1
    if len(step):
        session = grid.session
        step = step[session[at[step]] == session[at[step - 1]]]
    return np.union1d(np.flatnonzero(body), step)


def foreign_rows(opens: Float64, close: Float64, grid: Grid, at: Int32, limit: float) -> tuple[Rows, list[str]]:
    """The rows to drop so that no jump is left, with the reason for each.

    A session with a jump keeps the rows that follow from its neighbours: from the last close kept before it, else
    from the first open after it. If neither fits any of its rows, nobody can say which rows are foreign, and the
    session goes as a whole, as two different bars with one time do.
    """
    session = grid.session[at]
    dropped: list[int] = []
    reasons: list[str] = []
    kept = np.ones(len(opens), np.bool_)
    for one in np.unique(session[jumps(opens, close, grid, at, limit)]):
        first, stop = (int(edge) for edge in np.searchsorted(session, [one, one + 1]))
        before = np.flatnonzero(kept[:first])
        anchors = [float(close[before[-1]])] if len(before) else []
        anchors += [float(opens[stop])] if stop < len(opens) else []
        own = range(first, stop)
        anchor = next((price for price in anchors if any(_near(price, opens[i], limit) for i in own)), None)
        if anchor is None:
            dropped += own
            reasons += ["the session mixes two instruments and nothing beside it tells which is which"] * len(own)
            kept[first:stop] = False
            continue
        last = anchor
        for i in own:
            if _near(last, opens[i], limit) and _near(opens[i], close[i], limit):
                last = float(close[i])
                continue
            kept[i] = False
            dropped.append(i)
            reasons.append(f"open {opens[i]:g}, close {close[i]:g}: more than a factor of {limit:g} from the last "
                           f"price kept, {last:g}: a row of another instrument")
    return np.array(dropped, np.intp), reasons


def _apart(a: Float64, b: Float64, limit: float) -> Bool:
    apart: Bool = (a > b * limit) | (b > a * limit)
    return apart


def _near(a: float, b: float, limit: float) -> bool:
    return not (a > b * limit or b > a * limit)
