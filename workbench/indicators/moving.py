"""Averages that carry one value from bar to bar: EMA and Wilder's RMA (rule E9 gives their exact form).

A missing input is skipped: the value is missing at that bar and goes on from where it was (rule E10).
"""

from __future__ import annotations

from workbench.indicators.memory import Memory
from workbench.indicators.ops import Op
from workbench.indicators.summation import LARGEST, MISSING, two_sum
from workbench.jit import njit

# Memory: inputs seen (up to n), the value (the sum while seeding), the error of that sum, α.
SEEN, VALUE, ERROR, ALPHA = 0, 1, 2, 3
MOVING_CELLS = 4


@njit
def seed_update(x: float, n: float, state: Memory, off: int) -> float:
    """Gather the first n values; their mean at the n-th, missing before."""
    total, error = two_sum(state[off + VALUE], x)
    if not abs(total) <= LARGEST:
        return MISSING
    state[off + VALUE] = total
    state[off + ERROR] += error
    state[off + SEEN] += 1.0
    if state[off + SEEN] < n:
        return MISSING
    state[off + VALUE] = (total + state[off + ERROR]) / n
    return state[off + VALUE]


@njit
def average_update(op: int, x: float, n: float, state: Memory, off: int) -> float:
    """EMA ``p + α(x - p)`` with α = 2/(n+1), or RMA ``p + (x - p)/n``; seeded by the mean of the first n."""
    if x != x:
        return MISSING
    if state[off + SEEN] < n:
        return seed_update(x, n, state, off)
    before = state[off + VALUE]
    if op == Op.EMA:
        value = before + state[off + ALPHA] * (x - before)
    else:
        value = before + (x - before) / n
    if not abs(value) <= LARGEST:
        return MISSING
    state[off + VALUE] = value
    return value


@njit
def average_initialise(n: float, state: Memory, off: int) -> None:
    """No input seen."""
    state[off + SEEN], state[off + VALUE], state[off + ERROR] = 0.0, 0.0, 0.0
    state[off + ALPHA] = 2.0 / (n + 1.0)
