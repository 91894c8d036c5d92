"""Conditions: Kleene logic (E4), comparison through the tolerance (E5), crossing and moving (E6).

A condition is 1.0 (true), 0.0 (false) or NaN (missing).
"""

from __future__ import annotations

from workbench import tolerance
from workbench.indicators.memory import Memory
from workbench.indicators.ops import Op
from workbench.indicators.relation import crosses, holds, relation
from workbench.indicators.summation import MISSING, finite
from workbench.jit import inlined, njit


@njit
def truth(value: bool) -> float:
    """A condition that is not missing."""
    return 1.0 if value else 0.0


@inlined
def both(a: float, b: float) -> float:
    """Kleene AND: false wins over missing."""
    if a == 0.0 or b == 0.0:
        return 0.0
    return a * b


@inlined
def either(a: float, b: float) -> float:
    """Kleene OR: true wins over missing."""
    return 1.0 - both(1.0 - a, 1.0 - b)


@inlined
def compared(op: int, a: float, b: float) -> float:
    """Comparison of two numbers, missing if one of them is."""
    if a != a or b != b:
        return MISSING
    return truth(holds(op, relation(a, b)))


@inlined
def cross_update(op: int, a: float, b: float, state: Memory, off: int) -> float:
    """Whether a crossed b since the bar before; missing without both bars."""
    before, now = relation(state[off], state[off + 1]), relation(a, b)
    state[off], state[off + 1] = a, b
    if before == 0 or now == 0:
        return MISSING
    return truth(crosses(op, before, now))


@njit
def moving_update(x: float, percent: float, direction: float, state: Memory, off: int) -> float:
    """Whether x moved by at least ``percent`` of its magnitude on the bar before, up (1.0) or down (-1.0)."""
    before = state[off]
    state[off] = x
    if x != x or before != before or percent != percent or before == 0.0:
        return MISSING
    moved = finite(direction * tolerance.difference(x, before) / abs(before) * 100.0)
    if moved != moved:
        return MISSING
    return truth(tolerance.less_equal(percent, moved))


@njit
def comparison_update(op: int, x0: float, x1: float, x2: float, state: Memory, off: int) -> float:
    """Value of a condition."""
    if op == Op.AND:
        return both(x0, x1)
    elif op == Op.OR:
        return either(x0, x1)
    elif op == Op.NOT:
        return 1.0 - x0
    elif op == Op.CROSS_ABOVE or op == Op.CROSS_BELOW:
        return cross_update(op, x0, x1, state, off)
    elif op == Op.MOVING_UP:
        return moving_update(x0, x1, 1.0, state, off)
    elif op == Op.MOVING_DOWN:
        return moving_update(x0, x1, -1.0, state, off)
    elif op == Op.BETWEEN:
        return compared(Op.GE, x0, x1) * compared(Op.LE, x0, x2)
    return compared(op, x0, x1)


@njit
def comparison_cells(op: int) -> int:
    """Cells of memory: the values of the bar before."""
    if op == Op.CROSS_ABOVE or op == Op.CROSS_BELOW:
        return 2
    elif op == Op.MOVING_UP or op == Op.MOVING_DOWN:
        return 1
    return 0
