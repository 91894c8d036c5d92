"""The one kernel that computes a node at a closed bar, and the loop over it (rule E9).

``update`` is what the live runner calls bar by bar; ``run`` is the loop over it that fills a column. A
node's memory is a slice of one flat ``float64`` array that starts at ``off``: copying the slice saves the
node, copying it back restores it, at any bar.
"""

from __future__ import annotations

from workbench.indicators.ops import Op
from workbench.jit import njit


def state_size(op: int, p0: float, p1: float, p2: float) -> int:
    """Count of ``float64`` cells a node needs (0 for most element-wise operations)."""
    raise NotImplementedError


@njit
def initialise(op, p0, p1, p2, state, off):  # type: ignore[no-untyped-def]
    """Write the memory of a node that has seen no bar to ``state[off : off + state_size(op, p0, p1, p2)]``."""


@njit
def update(op, x0, x1, x2, x3, p0, p1, p2, state, off):  # type: ignore[no-untyped-def]
    """Value of one node at one closed bar; missing is NaN, a condition 1.0, 0.0 or NaN."""
    return x0


@njit
def run(op, x0, x1, x2, x3, p0, p1, p2, state, off, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` with the node's value at every bar; an input of length 1 is the same at every bar."""
    for i in range(out.shape[0]):
        out[i] = update(op, x0[i % x0.shape[0]], 0.0, 0.0, 0.0, p0, p1, p2, state, off)
