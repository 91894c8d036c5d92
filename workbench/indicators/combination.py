"""Element-wise combinations that indicators are built from, and the choices MAX2, MIN2 and IF."""

from __future__ import annotations

import numpy as np

from workbench import tolerance
from workbench.indicators.ops import Op
from workbench.indicators.summation import MISSING, finite, ratio
from workbench.jit import njit


@njit
def larger(a: float, b: float) -> float:
    """Larger of two numbers, missing when one is."""
    return a if a > b or a != a else b if b == b else MISSING


@njit
def change(now: float, before: float) -> float:
    """``(now / before - 1) · 100``, exactly 0 when they count as one number; missing against 0."""
    if before == 0.0:
        return MISSING
    if tolerance.equal(now, before):
        return 0.0
    return finite((now / before - 1.0) * 100.0)


@njit
def log_change(now: float, before: float) -> float:
    """``log(now / before)``, exactly 0 when they count as one number; missing out of domain."""
    quotient = ratio(now, before)
    if not quotient > 0.0:
        return MISSING
    if tolerance.equal(now, before):
        return 0.0
    return np.log(quotient)


@njit
def share(part: float, highest: float, lowest: float) -> float:
    """``part`` of the range in percent, 0 when the range is flat (rule E5)."""
    if tolerance.equal(highest, lowest):
        return 0.0 * part
    return finite(100.0 * (part / (highest - lowest)))


@njit
def flow_ratio(up: float, down: float) -> float:
    """Money flow index of the flows up and down, 0 where nothing flowed at all.

    As TA-Lib since 0.8: before, a window with less than one unit of money was flat, whatever the price.
    """
    total = up + down
    if total <= 0.0:
        return 0.0
    return finite(100.0 * (up / total))


@njit
def combination_update(op: int, x0: float, x1: float, x2: float, x3: float, p0: float) -> float:
    """Value of an element-wise combination."""
    if op == Op.MAX2:
        return larger(x0, x1)
    elif op == Op.MIN2:
        return -larger(-x0, -x1)
    elif op == Op.IF:
        return x1 if x0 == 1.0 else x2 if x0 == 0.0 else MISSING
    elif op == Op.HL2:
        return finite((x0 + x1) / 2.0)
    elif op == Op.HLC3:
        return finite((x0 + x1 + x2) / 3.0)
    elif op == Op.OHLC4:
        return finite((x0 + x1 + x2 + x3) / 4.0)
    elif op == Op.BAND:
        return finite(x0 + p0 * x1)
    elif op == Op.DIFFERENCE:
        return finite(tolerance.difference(x0, x1))
    elif op == Op.CHANGE:
        return change(x0, x1)
    elif op == Op.LOG_CHANGE:
        return log_change(x0, x1)
    elif op == Op.RANGE_POSITION:
        return share(tolerance.difference(x0, x2), x1, x2)
    elif op == Op.RANGE_DROP:
        return -share(tolerance.difference(x1, x0), x1, x2)
    elif op == Op.FLOW_RATIO:
        return flow_ratio(x0, x1)
    return MISSING
