"""Cumulative volume (OBV, PVT) and the money flows of MFI."""

from __future__ import annotations

from workbench import tolerance
from workbench.indicators.memory import Memory
from workbench.indicators.ops import Op
from workbench.indicators.summation import LARGEST, MISSING, finite, two_sum
from workbench.jit import njit

# Memory of a cumulative value: the close before, the sum, its error. Of a flow: the typical price before.
CUMULATIVE_CELLS = 3


@njit
def cumulative_update(op: int, close: float, volume: float, state: Memory, off: int) -> float:
    """OBV starts at the first volume; PVT has its first value at the second bar. A missing bar is skipped."""
    if close != close or volume != volume:
        return MISSING
    before = state[off]
    if before != before:
        state[off] = close
        if op == Op.PVT:
            return MISSING
        state[off + 1] = volume
        return volume
    move = tolerance.difference(close, before)
    if op == Op.PVT:
        step = volume * (move / before) if before != 0.0 else MISSING
    else:
        step = volume if move > 0.0 else -volume if move < 0.0 else 0.0
    total, error = two_sum(state[off + 1], step)
    state[off] = close
    if not abs(total) <= LARGEST:
        return MISSING
    state[off + 1] = total
    state[off + 2] += error
    return total + state[off + 2]


@njit
def flow_update(op: int, price: float, volume: float, state: Memory, off: int) -> float:
    """Price times volume of a bar whose typical price moved in the direction asked for, else 0."""
    move = tolerance.difference(price, state[off])
    state[off] = price
    if move != move or volume != volume:
        return MISSING
    if (op == Op.FLOW_UP and move > 0.0) or (op == Op.FLOW_DOWN and move < 0.0):
        return finite(price * volume)
    return 0.0


@njit
def volume_update(op: int, x0: float, x1: float, state: Memory, off: int) -> float:
    """Value of a volume indicator."""
    if op == Op.OBV or op == Op.PVT:
        return cumulative_update(op, x0, x1, state, off)
    return flow_update(op, x0, x1, state, off)


@njit
def volume_cells(op: int) -> int:
    """Cells of memory."""
    return CUMULATIVE_CELLS if op == Op.OBV or op == Op.PVT else 1


@njit
def volume_initialise(op: int, state: Memory, off: int) -> None:
    """No bar has been seen: no price before, nothing summed."""
    for i in range(volume_cells(op)):
        state[off + i] = MISSING if i == 0 else 0.0
