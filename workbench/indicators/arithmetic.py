"""Element-wise arithmetic and functions of one bar (rule E4).

A missing operand, a division by zero, a root or logarithm out of domain and every non-finite result are missing.
"""

from __future__ import annotations

import numpy as np

from workbench import tolerance
from workbench.indicators.ops import Op
from workbench.indicators.summation import MISSING, finite, ratio
from workbench.jit import njit


@njit
def power(a: float, b: float) -> float:
    """``a`` to the power of ``b``; missing out of domain (C's pow gives 1 for a missing exponent of 1)."""
    if a != a or b != b or (a == 0.0 and b < 0.0):
        return MISSING
    return finite(np.power(a, b))


@njit
def sign(a: float) -> float:
    """-1, 0 or 1."""
    if a > 0.0:
        return 1.0
    if a < 0.0:
        return -1.0
    return a


@njit
def function_update(op: int, x0: float, x1: float) -> float:
    """Value of a function of one or two numbers."""
    if op == Op.ABS:
        return abs(x0)
    elif op == Op.SQRT:
        return np.sqrt(x0) if x0 >= 0.0 else MISSING
    elif op == Op.LOG:
        return np.log(x0) if x0 > 0.0 else MISSING
    elif op == Op.EXP:
        return finite(np.exp(x0))
    elif op == Op.SIGN:
        return sign(x0)
    elif op == Op.POW:
        return power(x0, x1)
    elif op == Op.FLOOR:
        return np.floor(x0)
    return MISSING


@njit
def arithmetic_update(op: int, x0: float, x1: float, p0: float) -> float:
    """Value of a constant, a column, or an arithmetic operator.

    A difference of numbers that count as one number is exactly 0, so that ``a - b > 0`` and ``SIGN(a - b)``
    say what ``a > b`` says (rule E5); a sum of opposite signs is such a difference.
    """
    if op == Op.CONST:
        return p0
    elif op == Op.LEAF or op == Op.ALIGN:
        return finite(x0)
    elif op == Op.ADD:
        return finite(tolerance.difference(x0, -x1))
    elif op == Op.SUB:
        return finite(tolerance.difference(x0, x1))
    elif op == Op.MUL:
        return finite(x0 * x1)
    elif op == Op.DIV:
        return ratio(x0, x1)
    elif op == Op.NEG:
        return -x0
    return function_update(op, x0, x1)
