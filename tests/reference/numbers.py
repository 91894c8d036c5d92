"""Numbers that decide: equality within 1e-9 (E5), tolerant floors, prices on the tick (F2)."""

from __future__ import annotations

import math

import numpy as np

RELATIVE = 1e-9


def equal(a: float, b: float) -> bool:
    """E5: two numbers within 1e-9 relative of the larger magnitude are one number."""
    return abs(a - b) <= RELATIVE * max(abs(a), abs(b))


def less(a: float, b: float) -> bool:
    """E5: strictly below."""
    return a < b and not equal(a, b)


def less_equal(a: float, b: float) -> bool:
    """E5: below or equal."""
    return a < b or equal(a, b)


def at_or_below(price: float, level: float, direction: int) -> bool:
    """Whether ``price`` is at or beyond ``level`` on the losing side: below for a long (+1), above for a short (-1)."""
    return less_equal(price, level) if direction > 0 else less_equal(level, price)


def at_or_above(price: float, level: float, direction: int) -> bool:
    """Whether ``price`` is at or beyond ``level`` on the winning side: above for a long, below for a short."""
    return at_or_below(level, price, direction)


def strictly_above(price: float, level: float, direction: int) -> bool:
    """Whether ``price`` is beyond ``level`` on the winning side."""
    return less(level, price) if direction > 0 else less(price, level)


def is_missing(x: float | None) -> bool:
    """None, NaN and infinities are missing (E4)."""
    return x is None or not math.isfinite(x)


def whole_lots(qty: float, lot: float) -> int:
    """S3: floor of k + 1e-9 lots, never negative."""
    return max(0, math.floor(qty / lot + 1e-9))


def nine_places(x: float) -> float:
    """F2: rounding to 9 places, half to even."""
    return float(np.rint(x * 1e9) / 1e9)


def down_to_tick(price: float, tick: float) -> float:
    """F2: floor of k + 1e-9 ticks, then 9 places; without a tick only 9 places."""
    return nine_places(math.floor(price / tick + 1e-9) * tick if tick else price)


def up_to_tick(price: float, tick: float) -> float:
    """F2: ceil of k - 1e-9 ticks, then 9 places; without a tick only 9 places."""
    return nine_places(math.ceil(price / tick - 1e-9) * tick if tick else price)


def stop_on_tick(price: float, tick: float, direction: int) -> float:
    """F2: a long's stop rounds down, a short's up."""
    return down_to_tick(price, tick) if direction > 0 else up_to_tick(price, tick)


def target_on_tick(price: float, tick: float, direction: int) -> float:
    """F2: a long's target rounds up, a short's down."""
    return up_to_tick(price, tick) if direction > 0 else down_to_tick(price, tick)
