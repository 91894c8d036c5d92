"""Values of the running session; they begin anew where the session's date changes, and skip a missing input."""

from __future__ import annotations

from workbench.indicators.memory import Memory
from workbench.indicators.ops import Op
from workbench.indicators.summation import MISSING, finite, ratio, two_sum
from workbench.jit import njit

# Memory: the session's date; then the value, or the sums of price·volume and volume, each with its error.
SESSION_CELLS = 5


@njit
def vwap_update(price: float, volume: float, state: Memory, off: int) -> float:
    """Volume-weighted mean of the prices since the sums were emptied; missing while nothing has traded."""
    traded = finite(price * volume)
    if traded != traded:
        return MISSING
    state[off + 1], error = two_sum(state[off + 1], traded)
    state[off + 2] += error
    state[off + 3], error = two_sum(state[off + 3], volume)
    state[off + 4] += error
    return ratio(state[off + 1] + state[off + 2], state[off + 3] + state[off + 4])


@njit
def session_update(op: int, session: float, x1: float, x2: float, state: Memory, off: int) -> float:
    """Value of the session so far, this bar included."""
    if session != session:
        return MISSING
    if session != state[off]:
        state[off] = session
        for i in range(1, SESSION_CELLS):
            state[off + i] = 0.0
        if op == Op.SESSION_FIRST or op == Op.SESSION_MAX or op == Op.SESSION_MIN:
            state[off + 1] = MISSING
    if op == Op.SESSION_BARS:
        state[off + 1] += 1.0
        return state[off + 1] - 1.0
    elif op == Op.SESSION_VWAP:
        return vwap_update(x1, x2, state, off)
    if x1 != x1:
        return MISSING
    before = state[off + 1]
    if before != before or (op == Op.SESSION_MAX and x1 > before) or (op == Op.SESSION_MIN and x1 < before):
        state[off + 1] = x1
    return state[off + 1]


@njit
def session_initialise(state: Memory, off: int) -> None:
    """No session is running."""
    for i in range(SESSION_CELLS):
        state[off + i] = MISSING
