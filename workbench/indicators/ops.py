"""The operations a node of a program can be: one number each, in families of sixteen.

An indicator that a user calls is lowered (``registry``) to one or several of these primitives; the kernel
``update`` dispatches on the number: first on the family (``op >> 4``), then inside the family's module.

What a node reads is written beside its number: ``x0 … x3`` are the values of its children at this bar
(missing is NaN, a condition is 1.0, 0.0 or NaN) and ``p0 … p2`` constants.
"""

from __future__ import annotations

from enum import IntEnum

FAMILY_BITS = 4


class Op(IntEnum):
    """Number of a primitive operation; the high bits name its family."""

    # 0: arithmetic.py, element-wise
    CONST = 0x00  # p0
    LEAF = 0x01  # x0, the column of Leaf(p0)
    ALIGN = 0x02  # x0, the latest value of a node of another timeframe
    ADD = 0x03  # x0 + x1
    SUB = 0x04  # x0 - x1
    MUL = 0x05  # x0 · x1
    DIV = 0x06  # x0 / x1
    NEG = 0x07  # -x0
    ABS = 0x08  # |x0|
    SQRT = 0x09  # √x0
    LOG = 0x0A  # natural logarithm of x0
    EXP = 0x0B  # e to the power of x0
    SIGN = 0x0C  # -1, 0 or 1
    POW = 0x0D  # x0 to the power of x1
    FLOOR = 0x0E  # largest whole number not above x0

    # 1: combination.py, element-wise
    MAX2 = 0x10  # larger of x0 and x1
    MIN2 = 0x11  # smaller of x0 and x1
    IF = 0x12  # x1 where x0 is true, x2 where it is false
    HL2 = 0x13  # (x0 + x1) / 2
    HLC3 = 0x14  # (x0 + x1 + x2) / 3
    OHLC4 = 0x15  # (x0 + x1 + x2 + x3) / 4
    BAND = 0x16  # x0 + p0 · x1
    DIFFERENCE = 0x17  # x0 - x1 inside an indicator, exactly 0 when equal (E5)
    CHANGE = 0x18  # (x0 / x1 - 1) · 100, exactly 0 when equal
    LOG_CHANGE = 0x19  # log(x0 / x1), exactly 0 when equal
    RANGE_POSITION = 0x1A  # 100 · (x0 - x2) / (x1 - x2): where x0 is between highest x1 and lowest x2; 0 when flat
    RANGE_DROP = 0x1B  # -100 · (x1 - x0) / (x1 - x2): Williams %R; 0 when flat
    FLOW_RATIO = 0x1C  # 100 · x0 / (x0 + x1): money flow index of two sums

    # 2: comparison.py, conditions (Kleene logic, tolerance of E5)
    AND = 0x20  # x0 and x1
    OR = 0x21  # x0 or x1
    NOT = 0x22  # not x0
    GT = 0x23  # x0 > x1
    GE = 0x24  # x0 >= x1
    LT = 0x25  # x0 < x1
    LE = 0x26  # x0 <= x1
    EQ = 0x27  # x0 == x1
    NE = 0x28  # x0 != x1
    BETWEEN = 0x29  # x1 <= x0 <= x2
    CROSS_ABOVE = 0x2A  # x0 crosses above x1 (reads the bar before)
    CROSS_BELOW = 0x2B  # x0 crosses below x1
    MOVING_UP = 0x2C  # x0 rose by at least x1 percent against the bar before
    MOVING_DOWN = 0x2D  # x0 fell by at least x1 percent against the bar before

    # 3: window.py and moving.py, over the last p0 bars or recursive with length p0
    LAG = 0x30  # x0 p0 bars ago
    SUM = 0x31
    SMA = 0x32
    WMA = 0x33
    EMA = 0x34
    RMA = 0x35
    HIGHEST = 0x36
    LOWEST = 0x37
    COUNT = 0x38  # trues of x0 in the last p0 bars
    BARS_SINCE = 0x39  # bars since x0 was last true
    VALUE_WHEN = 0x3A  # x1 when x0 was last true

    # 4: volatility.py
    VAR = 0x40  # of the last p0 values of x0, population
    STDDEV = 0x41  # population
    STDDEV_SAMPLE = 0x42  # divided by p0 - 1
    TRUE_RANGE = 0x43  # of high x0, low x1, close x2
    SUPERTREND = 0x44  # of hl2 x0, close x1, ATR x2; factor p0
    SUPERTREND_DIR = 0x45  # its direction, +1 or -1

    # 5: momentum.py
    RSI = 0x50
    CCI = 0x51  # of the typical price x0
    PLUS_DI = 0x52  # of high x0, low x1, close x2
    MINUS_DI = 0x53
    ADX = 0x54  # of PLUS_DI x0 and MINUS_DI x1

    # 6: volume.py
    OBV = 0x60  # of close x0, volume x1
    PVT = 0x61  # of close x0, volume x1
    FLOW_UP = 0x62  # typical price x0 · volume x1 where x0 rose against the bar before, else 0
    FLOW_DOWN = 0x63  # the same where x0 fell

    # 7: session.py, x0 is the session's date (Leaf.SESSION)
    SESSION_FIRST = 0x70  # first x1 of the session
    SESSION_MAX = 0x71  # highest x1 of the session so far
    SESSION_MIN = 0x72  # lowest x1 of the session so far
    SESSION_BARS = 0x73  # bars of the session before this one
    SESSION_VWAP = 0x74  # Σ x1·x2 / Σ x2 of the session so far


#: Operations whose value at a bar depends on that bar's inputs alone (rule E3: they mix timeframes freely).
ELEMENT_WISE: frozenset[Op] = frozenset(op for op in Op if op < Op.CROSS_ABOVE)
