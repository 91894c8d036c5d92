"""Error-free addition: what every sum of an indicator is made of (rule E9).

A sum is carried as two numbers: the rounded sum, and the rounding errors it left behind. Their sum is the
true sum to about 1e-31 of the magnitudes added.
"""

from __future__ import annotations

import numpy as np

from workbench.jit import njit

MISSING = np.nan
LARGEST = np.finfo(np.float64).max


@njit
def two_sum(a: float, b: float) -> tuple[float, float]:
    """Rounded sum of two numbers and its exact error (Knuth, The Art of Computer Programming 2, 4.2.2)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@njit
def finite(value: float) -> float:
    """The value itself, or missing when it is infinite or no number (rule E4)."""
    if abs(value) <= LARGEST:
        return value
    return MISSING


@njit
def ratio(a: float, b: float) -> float:
    """``a / b``, missing when ``b`` is 0 or the result is not finite (rule E4)."""
    if b == 0.0:
        return MISSING
    return finite(a / b)
