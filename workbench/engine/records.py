"""The engine's state and its output as flat record arrays.

Everything the three functions of section D know or decide is in one ``Desk``: what the strategy is (``config``,
``instruments``, ``rates``), where it stands (``account``, ``positions``) and what it did (``actions``,
``fills``, ``trades``, ``decisions``, ``notes``). Copying ``account`` and ``positions`` saves a deployment; putting them
back restores it. The outputs are append-only buffers with their counts in ``account``.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Records = npt.NDArray[np.void]


class Direction(IntEnum):
    """What a strategy is permitted to hold (rule X5)."""

    LONG = 1
    SHORT = 2
    BOTH = 3


class Sizing(IntEnum):
    """Policies of rule S2."""

    PERCENT_OF_EQUITY = 0
    FIXED_CASH = 1
    CASH_PER_SLOT = 2
    FIXED_QTY = 3
    RISK_PER_TRADE = 4


class Instant(IntEnum):
    """Bits of the flags of one instant of the base grid; all are facts of calendar and strategy, none of the market."""

    FIRST = 1  # close of the first base interval of its session
    LAST = 2  # close of the last one
    STRATEGY_CLOSE = 4  # a strategy bar is final here
    FLATTEN = 8  # at or after the forced flatten of this session (X2, X4)
    NO_ENTRY = 16  # entries are BLOCKED_SESSION_END (X1)
    SELL_WINDOW = 32  # inside the sell window (C4)
    UNKNOWN = 64  # CALENDAR_UNKNOWN (C3)
    ENTRY_WINDOW = 128  # inside the strategy's entry window (D6)


class Action(IntEnum):
    """What the engine tells the driver to do with an order."""

    SUBMIT = 1
    MOVE = 2
    CANCEL = 3
    CANCEL_NO_SLOT = 4
    FILL = 5


class Note(IntEnum):
    """Kinds of rows of ``result.notes`` that the engine itself writes."""

    FLATTEN_FAILED = 1


#: A strategy as the engine sees it: one record. NaN or -1 means off.
config_dtype = np.dtype(
    [
        ("direction", np.int32),
        ("mis", np.bool_),
        ("proxy_close", np.bool_),
        ("stop_intrabar", np.bool_),
        ("ambiguous_target", np.bool_),
        ("touch_through", np.bool_),
        ("ranking", np.bool_),
        ("reuse_exit_proceeds", np.bool_),
        ("sizing", np.int32),
        ("sizing_value", np.float64),  # fraction, amount or quantity of the policy
        ("leverage_max", np.float64),
        ("max_open_positions", np.int64),
        ("max_trades_per_day", np.int64),
        ("max_holding_bars", np.int64),
        ("min_holding_bars", np.int64),
        ("cooldown_bars", np.int64),
        ("stop_loss_frac", np.float64),
        ("stop_loss_atr", np.float64),
        ("take_profit_frac", np.float64),
        ("trailing_stop_frac", np.float64),
        ("trailing_activation_frac", np.float64),
        ("max_drawdown_frac", np.float64),
        ("max_trade_drawdown_frac", np.float64),
        ("daily_loss_limit_frac", np.float64),
        ("max_symbol_alloc_frac", np.float64),
        ("max_symbol_exposure", np.float64),
        ("sector_cap_frac", np.float64),
        ("margin_frac", np.float64),
        ("slippage_frac", np.float64),
    ],
    align=True,
)

#: What the engine knows of an instrument. ``tick`` 0 means none; its rates are ``rates[rates_first:rates_stop]``.
instrument_dtype = np.dtype(
    [
        ("tick", np.float64),
        ("lot", np.float64),
        ("sector", np.int64),
        ("rates_first", np.int64),
        ("rates_stop", np.int64),
    ],
    align=True,
)

account_dtype = np.dtype(
    [
        ("cash", np.float64),
        ("equity", np.float64),
        ("position_value", np.float64),
        ("peak_equity", np.float64),
        ("session_start_equity", np.float64),
        ("session", np.int64),
        ("killed", np.bool_),
        ("daily_loss_hit", np.bool_),
        ("n_positions", np.int64),
        ("n_exits", np.int64),  # exits working
        ("n_entries", np.int64),  # entries working
        ("entries_sent", np.int64),  # in this session
        ("next_order", np.int64),
        ("n_actions", np.int64),
        ("n_fills", np.int64),
        ("n_trades", np.int64),
        ("n_decisions", np.int64),
        ("n_notes", np.int64),
    ],
    align=True,
)

#: One instrument: its position, the levels that protect it, and the orders that work for it.
position_dtype = np.dtype(
    [
        ("qty", np.float64),  # signed; 0 is flat
        ("mark", np.float64),  # last close, also while flat; NaN before the first bar
        ("entry_price", np.float64),
        ("entry_ns", np.int64),
        ("entry_session", np.int64),
        ("entry_charges", np.float64),
        ("bars_held", np.int64),
        ("best", np.float64),  # D2; the best price of the bars closed since the entry, which counts too
        ("worst", np.float64),  # the same for the worst
        ("peak_pnl", np.float64),  # D5, before charges
        ("stop", np.float64),  # fixed stop level, NaN without one
        ("trail", np.float64),  # trailing level, NaN while inactive
        ("target", np.float64),
        ("first_level", np.float64),  # first working stop level, for R
        ("stop_order", np.int64),  # order number, -1 without one
        ("target_order", np.int64),
        ("exit_reason", np.int64),  # 0 while no exit works
        ("exit_ns", np.int64),
        ("exit_session", np.int64),
        ("exit_order", np.int64),
        ("pending_side", np.int64),  # +1 or -1 while an entry works, else 0
        ("pending_qty", np.float64),
        ("pending_ns", np.int64),
        ("pending_session", np.int64),
        ("pending_order", np.int64),
        ("pending_reserve", np.float64),  # S4: margin and charges held back
        ("pending_value", np.float64),  # close·(1+slippage)·qty at the decision, for the caps
        ("pending_atr", np.float64),
        ("pending_named", np.int64),  # the last of the exits it waits for, as an index; -1 for none
        ("pending_own", np.bool_),  # it waits for its own exit (a reversal)
        ("n_bars", np.int64),  # strategy bars evaluated so far
        ("exit_bar", np.int64),  # the strategy bar that holds the last exit fill (D10)
    ],
    align=True,
)

action_dtype = np.dtype(
    [
        ("ns", np.int64),
        ("order", np.int64),
        ("instrument", np.int32),
        ("action", np.int8),
        ("kind", np.int8),
        ("reason", np.int8),
        ("side", np.int8),
        ("qty", np.float64),
        ("price", np.float64),  # the level of a stop or target, NaN for an open order
    ],
    align=True,
)

fill_dtype = np.dtype(
    [
        ("ns", np.int64),
        ("instrument", np.int64),
        ("order", np.int64),
        ("side", np.int32),
        ("kind", np.int32),
        ("reason", np.int32),
        ("qty", np.float64),
        ("price", np.float64),
        ("charges", np.float64),
    ],
    align=True,
)

trade_dtype = np.dtype(
    [
        ("instrument", np.int64),
        ("direction", np.int64),
        ("qty", np.float64),
        ("entry_ns", np.int64),
        ("entry_price", np.float64),
        ("exit_ns", np.int64),
        ("exit_price", np.float64),
        ("exit_reason", np.int64),
        ("gross_pnl", np.float64),
        ("charges", np.float64),
        ("r_multiple", np.float64),
        ("mae_frac", np.float64),
        ("mfe_frac", np.float64),
        ("bars_held", np.int64),
    ],
    align=True,
)

decision_dtype = np.dtype(
    [
        ("ns", np.int64),
        ("instrument", np.int32),
        ("decision", np.uint8),
        ("entry", np.uint8),
        ("reason", np.uint8),
    ],
    align=True,
)

note_dtype = np.dtype([("ns", np.int64), ("instrument", np.int64), ("note", np.int64)], align=True)


class Desk(NamedTuple):
    """All that the engine reads and writes. Arrays of one record stand for single records."""

    config: Records
    instruments: Records
    rates: Records
    account: Records
    positions: Records
    scratch: Records
    actions: Records
    fills: Records
    trades: Records
    decisions: Records
    notes: Records


#: Working space of ``step``, one record an instrument; nothing in it outlives the call.
scratch_dtype = np.dtype(
    [
        ("side", np.int64),  # +1 or -1: the entry an instrument asks for, 0 for none
        ("rank", np.float64),
        ("head", np.float64),  # the rank that leads its group of ties
        ("place", np.int64),  # place in the order of sending: ``scratch[j]["place"]`` is the j-th instrument
        ("row", np.int64),  # its row in ``decisions``
        ("release", np.float64),  # what an exit decided now releases (S4)
    ],
    align=True,
)


class Times(NamedTuple):
    """Instants of the base grid, the closes of its intervals; each column of length m."""

    open_ns: npt.NDArray[np.int64]
    close_ns: npt.NDArray[np.int64]
    session: npt.NDArray[np.int32]
    flags: npt.NDArray[np.uint8]  # bits of ``Instant``

    def part(self, first: int, stop: int | None = None) -> Times:
        """The instants from ``first`` to before ``stop``; views."""
        rows = slice(first, stop)
        return Times(self.open_ns[rows], self.close_ns[rows], self.session[rows], self.flags[rows])


class Moment(NamedTuple):
    """One row of ``Times``."""

    open_ns: int
    close_ns: int
    session: int
    flags: int


class Market(NamedTuple):
    """Instants of the base grid and the bars whose intervals close there.

    The prices are float64 of shape (m, instruments), NaN where there is no bar.
    """

    times: Times
    open: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    close: npt.NDArray[np.float64]


class Signals(NamedTuple):
    """What the expressions say at strategy closes, each of shape (closes, instruments).

    ``flags`` holds ``schema.Signal`` bits; ``rank`` and ``atr`` are NaN when missing and have no
    rows when the strategy does not use them.
    """

    flags: npt.NDArray[np.uint8]
    rank: npt.NDArray[np.float64]
    atr: npt.NDArray[np.float64]


class Curve(NamedTuple):
    """The account at each instant, written by the loop; each of length m."""

    cash: npt.NDArray[np.float64]
    position_value: npt.NDArray[np.float64]
    held: npt.NDArray[np.bool_]
