"""Numpy record types and enums shared by every layer; units are in the names or in the comments.

Times are ``int64`` nanoseconds since 1970-01-01 UTC, prices and money ``float64`` in the instrument's
currency, quantities ``float64`` (signed where a position is meant).
"""

from __future__ import annotations

from enum import IntEnum


class Leaf(IntEnum):
    """What an expression can read of one closed bar of one timeframe, all known at the bar's close."""

    OPEN = 0
    HIGH = 1
    LOW = 2
    CLOSE = 3
    VOLUME = 4
    SESSION = 5  # days since 1970-01-01 of the session's date
    MINUTES_SINCE_OPEN = 6  # from the session's open to the bar's close
    MINUTES_TO_CLOSE = 7  # from the bar's close to the session's close
    DAY_OF_WEEK = 8  # of the session's date, Monday = 1


N_LEAVES = len(Leaf)


class Decision(IntEnum):
    """What was decided for one instrument at one strategy bar (rule D9)."""

    NONE = 0
    ENTRY_TRUE = 1
    ENTRY_FALSE = 2
    EXIT_TRUE = 3
    EXIT_FALSE = 4
    WARMING_UP = 5
    NO_BAR = 6
    BLOCKED_CASH = 7
    BLOCKED_CAP = 8
    BLOCKED_SLOTS = 9
    BLOCKED_WINDOW = 10
    BLOCKED_COOLDOWN = 11
    BLOCKED_MAX_TRADES = 12
    BLOCKED_KILL = 13
    BLOCKED_DAILY_LOSS = 14
    BLOCKED_CALENDAR = 15
    BLOCKED_SESSION_END = 16
    BLOCKED_WORKING_ORDER = 17
    BLOCKED_NO_ATR = 18
    BLOCKED_CONFLICT = 19


class Reason(IntEnum):
    """Why an order exists; exits in the order of precedence of rule D4, then the one that a person asks for."""

    NONE = 0
    ENTRY_SIGNAL = 1
    KILL = 2
    DAILY_LOSS = 3
    FORCED_FLATTEN = 4
    TRADE_DRAWDOWN = 5
    STOP_LOSS = 6
    TRAILING_STOP = 7
    TAKE_PROFIT = 8
    MAX_HOLDING = 9
    EXIT_SIGNAL = 10
    MANUAL_FLATTEN = 11


class OrderKind(IntEnum):
    """How an order fills: at the next open, at its stop, at its target."""

    OPEN = 0
    STOP = 1
    TARGET = 2


class OrderStatus(IntEnum):
    """Where an order stands."""

    WORKING = 0
    FILLED = 1
    CANCELLED = 2
    CANCELLED_NO_SLOT = 3


class Signal(IntEnum):
    """Bits of the flags that expressions hand to ``step`` for one instrument and strategy bar."""

    BAR = 1  # the instrument has a bar here
    WARM = 2  # rule E7
    ENTRY = 4
    EXIT = 8
    SHORT_ENTRY = 16
    SHORT_EXIT = 32

