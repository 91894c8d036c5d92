"""Rule E5: two numbers within 1e-9 relative of the larger magnitude are equal.

Every comparison that can decide a trade goes through these five kernels, so that rounding never decides one.
Callers handle missing values (NaN) before they compare: each comparison with a NaN is false here.
"""

from __future__ import annotations

from workbench.jit import njit

RELATIVE = 1e-9


@njit
def equal(a: float, b: float) -> bool:
    """Whether ``a`` and ``b`` count as one number."""
    if a == b:
        return True
    return abs(a - b) <= RELATIVE * max(abs(a), abs(b))


@njit
def less(a: float, b: float) -> bool:
    """Whether ``a`` is below ``b`` by more than rounding."""
    return a < b and not equal(a, b)


@njit
def less_equal(a: float, b: float) -> bool:
    """Whether ``a`` is below or equal to ``b``."""
    return a < b or equal(a, b)


@njit
def difference(a: float, b: float) -> float:
    """``a - b``, exactly 0 when the two count as equal."""
    if equal(a, b):
        return 0.0
    return a - b
