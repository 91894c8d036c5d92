"""One instant from Python: the call that a live runner makes at every bar.

The compiled step takes two dozen arrays, and unpacking each of them from its Python object costs more than the step
itself. ``OneInstant`` holds the arrays and hands their addresses over as one table of integers, from which the
kernel makes the same arrays again. It is the same ``advance_instant`` that the loop of a backtest calls.
"""

from __future__ import annotations

from typing import Final

import numba
import numpy as np

from workbench.addresses import array_at, laid_out
from workbench.engine import records
from workbench.engine.costs import rates_dtype
from workbench.engine.fills import waits_for_exit
from workbench.engine.loop import advance_instant, close_instant, room
from workbench.engine.records import Desk, Market, Moment, Signals, Times
from workbench.engine.reports import book_report, drop_if_waiting, leave, protect_bare, take_over, withdraw
from workbench.jit import njit

CONFIG, INSTRUMENT, RATES = records.config_dtype, records.instrument_dtype, rates_dtype
ACCOUNT, POSITION, SCRATCH = records.account_dtype, records.position_dtype, records.scratch_dtype
ACTION, FILL, TRADE = records.action_dtype, records.fill_dtype, records.trade_dtype
DECISION, NOTE = records.decision_dtype, records.note_dtype

#: Integers in ``OneInstant.table``.
TABLE: Final = 36


@njit
def desk_at(table):  # type: ignore[no-untyped-def]
    """The desk whose arrays' addresses and lengths begin the table."""
    return Desk(
        array_at(table[0], (table[1],), CONFIG),
        array_at(table[2], (table[3],), INSTRUMENT),
        array_at(table[4], (table[5],), RATES),
        array_at(table[6], (table[7],), ACCOUNT),
        array_at(table[8], (table[9],), POSITION),
        array_at(table[10], (table[11],), SCRATCH),
        array_at(table[12], (table[13],), ACTION),
        array_at(table[14], (table[15],), FILL),
        array_at(table[16], (table[17],), TRADE),
        array_at(table[18], (table[19],), DECISION),
        array_at(table[20], (table[21],), NOTE),
    )


@njit
def market_at(table, n):  # type: ignore[no-untyped-def]
    """The instant and its bars behind the desk in the table."""
    times = Times(
        array_at(table[22], (1,), np.int64),
        array_at(table[23], (1,), np.int64),
        array_at(table[24], (1,), np.int32),
        array_at(table[25], (1,), np.uint8),
    )
    return Market(
        times,
        array_at(table[26], (1, n), np.float64),
        array_at(table[27], (1, n), np.float64),
        array_at(table[28], (1, n), np.float64),
        array_at(table[29], (1, n), np.float64),
    )


@njit
def signals_at(table, n):  # type: ignore[no-untyped-def]
    """What the expressions say, behind the market in the table."""
    return Signals(
        array_at(table[30], (1, n), np.uint8),
        array_at(table[31], (table[33], n), np.float64),
        array_at(table[32], (table[34], n), np.float64),
    )


@njit
def advance_at(table):  # type: ignore[no-untyped-def]
    """Advance by the one instant in the table; 1 if it was a strategy close, 0 if not, -1 if a buffer is full."""
    desk = desk_at(table)
    n = len(desk.positions)
    if not room(desk):
        return -1
    return advance_instant(desk, market_at(table, n), 0, signals_at(table, n), 0)


@njit
def close_at(table):  # type: ignore[no-untyped-def]
    """``advance_at`` without fills, which a broker reports; what is bare of its protective orders gets them first."""
    desk = desk_at(table)
    n = len(desk.positions)
    if not room(desk):
        return -1
    market = market_at(table, n)
    protect_bare(desk, market.times.close_ns[0])
    return close_instant(desk, market, 0, signals_at(table, n), 0)


@njit
def report_at(table, session):  # type: ignore[no-untyped-def]
    """Book the reported fill in the table; 1 if the order works, 0 if not, -1 if a buffer is full."""
    desk = desk_at(table)
    if not room(desk):
        return -1
    return int(book_report(desk, array_at(table[35], (1,), FILL)[0], session))


@njit
def waits_at(table, k):  # type: ignore[no-untyped-def]
    """Whether an exit that the entry of instrument ``k`` named still works (D8)."""
    return waits_for_exit(desk_at(table), k)


@njit
def drop_at(table, k, ns):  # type: ignore[no-untyped-def]
    """Drop the entry of instrument ``k`` if it still waits; 1 if it did, -1 if a buffer is full."""
    desk = desk_at(table)
    if not room(desk):
        return -1
    return int(drop_if_waiting(desk, k, ns))


@njit
def withdraw_at(table, k, order, ns):  # type: ignore[no-untyped-def]
    """Forget a refused order of instrument ``k``; 1 if it worked, -1 if a buffer is full."""
    desk = desk_at(table)
    if not room(desk):
        return -1
    return int(withdraw(desk, k, order, ns))


@njit
def leave_at(table, k, ns, session):  # type: ignore[no-untyped-def]
    """Send the exit of instrument ``k`` as a person asks; 1 if there was something to leave, -1 if a buffer is full."""
    desk = desk_at(table)
    if not room(desk):
        return -1
    return int(leave(desk, k, Moment(ns, ns, session, 0)))


@njit
def take_over_at(table, k, ns, session, side, qty, atr):  # type: ignore[no-untyped-def]
    """Send the entry that takes a position over; 1 if instrument ``k`` is free for it, -1 if a buffer is full."""
    desk = desk_at(table)
    if not room(desk):
        return -1
    return int(take_over(desk, k, Moment(ns, ns, session, 0), side, qty, atr))


class OneInstant:
    """A desk and room for one instant, ready to be advanced again and again.

    Write the instant into ``market`` and what the expressions say into ``signals``, in place, and call ``advance``.

    Parameters
    ----------
    desk : Desk
        Its arrays are used, not copied.
    ranked, with_atr : bool
        Whether the strategy has a rank, and a stop in multiples of ATR.
    """

    def __init__(self, desk: Desk, ranked: bool = False, with_atr: bool = False) -> None:
        n = len(desk.positions)
        when = Times(np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1, np.int32), np.zeros(1, np.uint8))
        self.market = Market(when, *(np.full((1, n), np.nan) for _ in range(4)))
        self.signals = Signals(
            np.zeros((1, n), np.uint8), np.full((int(ranked), n), np.nan), np.full((int(with_atr), n), np.nan)
        )
        #: The fill that ``report`` books: instrument, order, ns, qty, price and charges of it are read.
        self.reported = np.zeros(1, FILL)
        #: Addresses of everything above, kept up to date in place.
        self.table = np.zeros(TABLE, np.int64)
        self.use(desk)

    def use(self, desk: Desk) -> None:
        """Go on with another desk of the same instruments: a restored one, or the same with larger buffers."""
        self.desk = desk
        numbers = laid_out(desk)
        numbers += [array.ctypes.data for array in (*self.market.times, *self.market[1:], *self.signals)]
        numbers += [len(self.signals.rank), len(self.signals.atr), self.reported.ctypes.data]
        self.table[:] = numbers

    def advance(self) -> int:
        """Fills, base close and, at a strategy close, the step, for the instant written into ``market``.

        Returns
        -------
        int
            1 at a strategy close, 0 at another instant, -1 when an output buffer is too full and nothing was done.
        """
        if numba.config.DISABLE_JIT:
            return advance_instant(self.desk, self.market, 0, self.signals, 0) if room(self.desk) else -1
        return int(advance_at(self.table))

    def close(self) -> int:
        """Base close and, at a strategy close, the step; fills were reported before. Returns as ``advance``."""
        return int(close_at(self.table))

    def report(self, session: int) -> int:
        """Book the fill in ``reported``, which fell into a session (``engine.reports``).

        Returns
        -------
        int
            1 if the order works and the fill is booked, 0 if there is no such order, -1 when a buffer is too full.
        """
        return int(report_at(self.table, session))

    def waits(self, k: int) -> bool:
        """Whether the entry of instrument ``k`` waits for an exit that it named (D8)."""
        return bool(waits_at(self.table, k))

    def drop_waiting(self, k: int, ns: int) -> int:
        """Drop the entry of instrument ``k``, whose bar opened at ``ns``, if it still waits; 1 if it did."""
        return int(drop_at(self.table, k, ns))

    def withdraw(self, k: int, order: int, ns: int) -> int:
        """Forget an order that a broker refused; 1 if it worked."""
        return int(withdraw_at(self.table, k, order, ns))

    def leave(self, k: int, ns: int, session: int) -> int:
        """Take back the entry of instrument ``k`` and send its exit, as a person asks at ``ns``; 1 if there was any."""
        return int(leave_at(self.table, k, ns, session))

    def take_over(self, k: int, when: tuple[int, int], side: int, qty: float, atr: float) -> int:
        """Send the entry by which instrument ``k`` takes a position over, at an instant of a session; 1 if it may."""
        ns, session = when
        return int(take_over_at(self.table, k, ns, session, side, qty, atr))
