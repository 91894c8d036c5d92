"""Equity curves: drawdown by row and returns by session (rules R2 and R3).

How it works: rows of equity (one a base interval) are folded into the last row of each session, because returns of
five-minute rows would be annualised by a factor that depends on the bar. Only whole arrays and one compiled pass, so
that a million rows take milliseconds.

Invariants: a drawdown is 0 or negative and its peak starts at the initial cash; a return from zero or from a
debt is NaN here and makes what is computed from it undefined; everything is known at its row's close and not before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from workbench.engine.course import Course
from workbench.engine.tally import ROUNDING_FRAC, Tally, drawdown_frac
from workbench.jit import njit

FloatArray: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EquityRows:
    """What R3 reads of the equity rows of one result, all arrays of shape (n_rows,).

    Parameters
    ----------
    equity : float64
        Equity at each row's close, money (rule S5).
    cash : float64
        Cash at each row's close, money.
    in_position : bool
        Whether any position was open at each row's close. Not derived from the position value, which is 0 for a long
        and a short of one size.
    session : int32
        Number of the session each row lies in, an index of ``dates``; never falls.
    dates : int32, shape (n_numbers,)
        Days since 1970-01-01 of the sessions by number.
    initial_cash : float
        Equity before the first row, money.
    sessions_per_year : float
        Of the calendar: 252, 248, 260, 365.
    """

    equity: FloatArray
    cash: FloatArray
    in_position: npt.NDArray[np.bool_]
    session: npt.NDArray[np.int32]
    dates: npt.NDArray[np.int32]
    initial_cash: float
    sessions_per_year: float

    def __post_init__(self) -> None:
        """Assert what the caller promises: equal lengths, money to start with, sessions in order."""
        n = len(self.equity)
        assert len(self.cash) == len(self.in_position) == len(self.session) == n, "rows of unequal length"
        assert self.initial_cash > 0.0, "initial_cash is above 0"
        assert self.sessions_per_year > 0.0, "sessions_per_year is above 0"
        assert n == 0 or bool((self.session[1:] >= self.session[:-1]).all()), "session falls"

    @cached_property
    def drawdown_frac(self) -> FloatArray:
        """Drawdown of each row, see ``drawdown``; computed once."""
        return drawdown(self.equity, self.initial_cash)


@dataclass(frozen=True, eq=False)
class Sessions:
    """Equity by session, arrays of shape (n_sessions,); the part of a result that returns are computed from.

    Parameters
    ----------
    date : int32
        Days since 1970-01-01, strictly rising.
    last : integer
        Position of the session's last equity row.
    equity : float64
        Equity at the session's last row, money.
    returns : float64
        From the previous session's last equity, the first from the initial cash; fractions.
    """

    date: npt.NDArray[np.int32]
    last: npt.NDArray[np.integer[Any]]
    equity: FloatArray
    returns: FloatArray


@dataclass(frozen=True, eq=False)
class Summary:
    """What R3 needs to know of the rows of one result, however they were added up.

    Parameters
    ----------
    sessions : Sessions
        Equity and returns by session.
    below : bool, shape (n_sessions,)
        Whether the last row of each session lies below a peak.
    n_rows, held_rows : int
        Rows, and rows with a position.
    deepest : float
        Lowest drawdown of a row, a fraction, 0 at most.
    lowest_cash, final : float
        Least cash of a row and equity of the last one, money; NaN and the initial cash without rows.
    mean_equity : float
        Over all rows, money; NaN if nobody added it up.
    initial_cash, sessions_per_year : float
        As in ``EquityRows``.
    """

    sessions: Sessions
    below: npt.NDArray[np.bool_]
    n_rows: int
    held_rows: int
    deepest: float
    lowest_cash: float
    final: float
    mean_equity: float
    initial_cash: float
    sessions_per_year: float


def summary_of(rows: EquityRows) -> Summary:
    """Add up the rows of a result that has a curve."""
    sessions, n = sessions_of(rows), len(rows.equity)
    return Summary(
        sessions,
        rows.drawdown_frac[sessions.last] < -ROUNDING_FRAC,
        n,
        int(np.count_nonzero(rows.in_position)),
        float(rows.drawdown_frac.min()) if n else 0.0,
        float(rows.cash.min()) if n else np.nan,
        float(rows.equity[-1]) if n else rows.initial_cash,
        float(rows.equity.mean()) if n else np.nan,
        rows.initial_cash,
        rows.sessions_per_year,
    )


def summary_of_tally(
    tally: Tally, course: Course, dates: npt.NDArray[np.int32], initial_cash: float, sessions_per_year: float
) -> Summary:
    """The same of a run that kept no curve; the mean of equity is not known."""
    # A session without a row has no equity.
    number = course.with_rows
    equity, total = tally.session_equity[number], tally.total[0]
    sessions = Sessions(dates[number], course.last_row[number], equity, returns_from(equity, initial_cash))
    n = int(course.rows_before[-1])
    return Summary(
        sessions,
        tally.session_below[number],
        n,
        int(total["held_rows"]),
        float(total["deepest"]),
        float(total["lowest_cash"]) if n else np.nan,
        float(total["final"]),
        np.nan,
        initial_cash,
        sessions_per_year,
    )


@njit
def _drawdown(equity: FloatArray, initial_cash: float, out: FloatArray) -> None:
    peak = initial_cash
    for i in range(len(equity)):
        peak = max(peak, equity[i])
        out[i] = drawdown_frac(equity[i], peak)


def drawdown(equity: FloatArray, initial_cash: float) -> FloatArray:
    """Drawdown of each equity row from the highest equity so far, which starts at the initial cash (rule R2).

    Parameters
    ----------
    equity : float64, shape (n_rows,)
        Money.
    initial_cash : float
        Money, above 0.

    Returns
    -------
    float64, shape (n_rows,)
        Fractions, 0 at a peak, negative below one; each known at its row's close.
    """
    out = np.empty(len(equity))
    _drawdown(equity, initial_cash, out)
    return out


def sessions_of(rows: EquityRows) -> Sessions:
    """Fold equity rows into one row a session.

    A session without a single row is left out: there is no price of it, so nothing was earned in it.
    """
    if len(rows.equity) == 0:
        return Sessions(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0), np.empty(0))
    last = np.append(np.flatnonzero(rows.session[1:] != rows.session[:-1]), len(rows.equity) - 1)
    equity = rows.equity[last]
    return Sessions(rows.dates[rows.session[last]], last, equity, returns_from(equity, rows.initial_cash))


def returns_from(values: FloatArray, start: float) -> FloatArray:
    """Return of each value on the one before it, the first on ``start`` (above 0); NaN after nothing or a debt."""
    returns = np.empty(len(values))
    _returns(values, float(start), returns)
    return returns


@njit
def _returns(values: FloatArray, start: float, out: FloatArray) -> None:
    before = start
    for i in range(len(values)):
        out[i] = values[i] / before - 1.0 if before > ROUNDING_FRAC * start else np.nan
        before = values[i]


def is_flat(returns: FloatArray) -> bool:
    """Whether returns are one number but for rounding, so that a ratio to their deviation would be noise."""
    return is_one_number(float(returns.min()), float(returns.max()))


def is_one_number(least: float, greatest: float) -> bool:
    """Whether all returns between two are one number but for rounding."""
    return greatest - least <= max(ROUNDING_FRAC, 1e-9 * max(abs(least), abs(greatest)))
