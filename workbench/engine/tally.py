"""What a run adds up to, row by row, for one that keeps no curve (rules R2, R3)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.engine.course import BLOCK
from workbench.engine.records import Records
from workbench.jit import inlined, njit

#: Drawdowns no deeper than this are rounding.
ROUNDING_FRAC = 1e-12

tally_dtype = np.dtype(
    [
        ("peak", np.float64),  # highest equity of any row so far, initial cash included
        ("deepest", np.float64),  # lowest drawdown of any row
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
    total = np.zeros(1, tally_dtype)
    total["peak"] = total["final"] = initial_cash
    total["lowest_cash"] = np.inf
    for name in ("next_entry", "next_exit", "next_short_exit"):
        total[name] = -1
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
    lost = drawdown_frac(equity, total["peak"])
    if lost < total["deepest"]:
        total["deepest"] = lost


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


@njit
def add_stretch(desk, market, course, tally, i, stop):  # type: ignore[no-untyped-def]
    """The rows from instant ``i`` to before ``stop``, between which cash and quantity are what they are now."""
    rows = course.rows_before[stop] - course.rows_before[i]
    if rows == 0:
        return
    total = tally.total[0]
    position = desk.positions[0]
    cash, qty = desk.account[0]["cash"], position["qty"]
    if qty == 0.0:
        # Equity is the cash, and was at the row before: no new peak, no new depth.
        for session in range(market.times.session[i], market.times.session[stop - 1] + 1):
            if i <= course.last_row[session] < stop:
                end_session(tally, session, cash)
        total["final"] = cash
        if cash < total["lowest_cash"]:
            total["lowest_cash"] = cash
        return
    total["held_rows"] += rows
    while i < stop:
        if i % BLOCK == 0 and i + BLOCK <= stop and add_block(market, course, tally, i, cash, qty):
            i += BLOCK
            continue
        if not math.isnan(market.close[i, 0]):
            equity = cash + qty * market.close[i, 0]
            add_row(tally, equity)
            if course.last_row[market.times.session[i]] == i:
                end_session(tally, market.times.session[i], equity)
        i += 1
    total["final"] = cash + qty * position["mark"]


@inlined
def add_block(market, course, tally, i, cash, qty):  # type: ignore[no-untyped-def]
    """The rows of a whole block, if none of them is a new peak: then the worst close gives the deepest drawdown.

    Equity rises and falls with the close, rounding included, so extremes of closes give those of equity. A block
    without a bar has infinite extremes, which change nothing.
    """
    total = tally.total[0]
    block = i // BLOCK
    best, worst = course.greatest_close[block], course.least_close[block]
    if qty < 0.0:
        best, worst = worst, best
    if cash + qty * best > total["peak"]:
        return False
    lost = drawdown_frac(cash + qty * worst, total["peak"])
    if lost < total["deepest"]:
        total["deepest"] = lost
    for session in range(market.times.session[i], market.times.session[i + BLOCK - 1] + 1):
        row = course.last_row[session]
        if i <= row < i + BLOCK:
            end_session(tally, session, cash + qty * market.close[row, 0])
    return True
