"""True range and SuperTrend (Wilder's average of the true range is ATR: see ``lowering``)."""

from __future__ import annotations

from workbench import tolerance
from workbench.indicators.deviation import deviation_cells, deviation_initialise, deviation_update
from workbench.indicators.memory import Memory
from workbench.indicators.ops import Op
from workbench.indicators.summation import MISSING, finite
from workbench.jit import njit

# Memory of SuperTrend: direction (0 before the first bar), final upper band, final lower band, close before.
DIRECTION, UPPER, LOWER, BEFORE = 0, 1, 2, 3
SUPERTREND_CELLS = 4


@njit
def true_range_update(high: float, low: float, close: float, state: Memory, off: int) -> float:
    """Largest of high - low and the distances of high and low from the close before; from the second bar on."""
    if high != high or low != low or close != close:
        return MISSING
    before = state[off]
    state[off] = close
    if before != before:
        return MISSING
    reach = max(abs(tolerance.difference(high, before)), abs(tolerance.difference(low, before)))
    return finite(max(tolerance.difference(high, low), reach))


@njit
def supertrend_update(middle: float, close: float, atr: float, factor: float, state: Memory, off: int) -> bool:
    """Advance the two final bands and the direction by one bar; whether the bar was complete.

    A band ratchets towards the price: it follows its basic band only where that is tighter, or where the
    close before had passed it. The direction flips when the close passes this bar's own final band.
    """
    upper, lower = middle + factor * atr, middle - factor * atr
    if not (abs(finite(upper)) >= 0.0 and abs(finite(lower)) >= 0.0 and close == close):
        return False
    direction = state[off + DIRECTION]
    if direction == 0.0:
        direction = 1.0
    else:
        before, upper_before, lower_before = state[off + BEFORE], state[off + UPPER], state[off + LOWER]
        if not (tolerance.less(upper, upper_before) or tolerance.less(upper_before, before)):
            upper = upper_before
        if not (tolerance.less(lower_before, lower) or tolerance.less(before, lower_before)):
            lower = lower_before
        if direction > 0.0 and tolerance.less(close, lower):
            direction = -1.0
        elif direction < 0.0 and tolerance.less(upper, close):
            direction = 1.0
    state[off + DIRECTION], state[off + UPPER], state[off + LOWER], state[off + BEFORE] = direction, upper, lower, close
    return True


@njit
def volatility_cells(op: int, n: int) -> int:
    """Cells of memory."""
    if op == Op.TRUE_RANGE:
        return 1
    elif op == Op.SUPERTREND or op == Op.SUPERTREND_DIR:
        return SUPERTREND_CELLS
    return deviation_cells(n)


@njit
def volatility_initialise(op: int, n: int, state: Memory, off: int) -> None:
    """No bar has been seen."""
    if op == Op.TRUE_RANGE:
        state[off] = MISSING
    elif op == Op.SUPERTREND or op == Op.SUPERTREND_DIR:
        for i in range(SUPERTREND_CELLS):
            state[off + i] = 0.0
    else:
        deviation_initialise(n, state, off)


@njit
def volatility_update(op: int, x0: float, x1: float, x2: float, p0: float, state: Memory, off: int) -> float:
    """Value of a measure of how far prices move."""
    if op == Op.TRUE_RANGE:
        return true_range_update(x0, x1, x2, state, off)
    elif op == Op.SUPERTREND or op == Op.SUPERTREND_DIR:
        if not supertrend_update(x0, x1, x2, p0, state, off):
            return MISSING
        if op == Op.SUPERTREND_DIR:
            return state[off + DIRECTION]
        return state[off + LOWER] if state[off + DIRECTION] > 0.0 else state[off + UPPER]
    return deviation_update(op, x0, int(p0), state, off)
