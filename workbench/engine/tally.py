"""What a run adds up to, row by row, for one that keeps no curve (rules R2, R3)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.engine.course import BLOCK
from workbench.engine.records import Records
from workbench.jit import inlined

#: Drawdowns no deeper than this are rounding.
ROUNDING_FRAC = 1e-12

tally_dtype = np.dtype(
    [
        ("peak", np.float64),  # highest equity of any row so far, initial cash included
        ("deepest", np.float64),  # lowest drawdown of any row
        ("lowest", np.float64),  # part of the peak, rounding and all, above which no row is the deepest
        ("lowest_cash", np.float64),
        ("final", np.float64),  # equity of the last row
        ("held_rows", np.int64),
        ("next_entry", np.int64),  # strategy closes at which a signal is next true, as last looked up; -1 at first
        ("next_exit", np.int64),
        ("next_short_exit", np.int64),
    ],
    align=True,
)


class Tally(NamedTuple):
    """Sums over rows (one record), and by session: equity of its last row, and whether that is below a peak."""

    total: Records
    session_equity: npt.NDArray[np.float64]
    session_below: npt.NDArray[np.bool_]


def new_tally(sessions: int, initial_cash: float) -> Tally:
    """A tally before the first row."""
    total = np.array([(initial_cash, 0.0, 1.0 + 1e-9, np.inf, initial_cash, 0, -1, -1, -1)], tally_dtype)
    return Tally(total, np.full(sessions, np.nan), np.zeros(sessions, np.bool_))


@inlined
def drawdown_frac(equity, peak):  # type: ignore[no-untyped-def]
    """Fraction of the peak that is lost; 0 at a peak (R2)."""
    return equity / peak - 1.0


@inlined
def add_row(tally, equity):  # type: ignore[no-untyped-def]
    """One row of equity."""
    total = tally.total[0]
    if equity > total["peak"]:
        total["peak"] = equity
    else:
        add_depth(total, equity)


@inlined
def add_depth(total, equity):  # type: ignore[no-untyped-def]
    """Equity that is no new peak; compared without a division first, for almost no row is the deepest so far."""
    if equity < total["peak"] * total["lowest"]:
        lost = drawdown_frac(equity, total["peak"])
        if lost < total["deepest"]:
            total["deepest"] = lost
            # Near the loss of everything a fraction more or less is no guard against rounding: always divide.
            total["lowest"] = (1.0 + lost) * (1.0 + 1e-9) if lost > -0.999999 else math.inf


@inlined
def end_session(tally, session, equity):  # type: ignore[no-untyped-def]
    """The last row of a session, added already."""
    tally.session_equity[session] = equity
    tally.session_below[session] = drawdown_frac(equity, tally.total[0]["peak"]) < -ROUNDING_FRAC


@inlined
def add_instant(desk, market, course, tally, i):  # type: ignore[no-untyped-def]
    """The row of an instant that the engine has walked, if it has one."""
    if math.isnan(market.close[i, 0]):
        return
    account = desk.account[0]
    total = tally.total[0]
    # As the tables have it: cash and position value, added.
    equity = account["cash"] + account["position_value"]
    add_row(tally, equity)
    total["final"] = equity
    if account["cash"] < total["lowest_cash"]:
        total["lowest_cash"] = account["cash"]
    if account["n_positions"] > 0:
        total["held_rows"] += 1
    session = market.times.session[i]
    if course.last_row[session] == i:
        end_session(tally, session, equity)


@inlined
def add_rows(desk, market, course, tally, piece, closes):  # type: ignore[no-untyped-def]
    """The rows of a block or a part of it, over which cash and quantity are what they are now.

    Equity rises and falls with the close, rounding included, so extremes of closes give those of equity. A block
    without a bar has infinite extremes, and adds nothing.
    """
    i, stop = piece
    worst, best = closes
    total = tally.total[0]
    cash, qty = desk.account[0]["cash"], desk.positions[0]["qty"]
    if best < worst:
        return
    if qty < 0.0:
        best, worst = worst, best
    greatest, least = cash + qty * best, cash + qty * worst
    ends = course.ends_session[i // BLOCK]
    if greatest <= total["peak"] and not ends:
        add_depth(total, least)
        return
    if not ends and least > greatest * total["lowest"] > 0.0:
        # Whatever the order of its closes, none of them is as deep below the new peak.
        total["peak"] = greatest
        return
    for row in range(i, stop):
        if not math.isnan(market.close[row, 0]):
            equity = cash + qty * market.close[row, 0]
            add_row(tally, equity)
            if course.last_row[market.times.session[row]] == row:
                end_session(tally, market.times.session[row], equity)
