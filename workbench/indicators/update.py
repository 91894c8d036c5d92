"""The one kernel that computes a node at a closed bar, and the loop over it (rule E9).

``update`` is what the live runner calls bar by bar; ``run`` is the loop over it that fills a column. A
node's memory is a slice of one flat ``float64`` array that starts at ``off``: copying the slice saves the
node, copying it back restores it, at any bar.

Arrays handed to these kernels are C-contiguous and writeable ``float64``, ``op`` and ``off`` are ``int64``:
another layout or type would be another compilation.
"""

from __future__ import annotations

from workbench.indicators.arithmetic import arithmetic_update
from workbench.indicators.combination import combination_update
from workbench.indicators.comparison import comparison_cells, comparison_update
from workbench.indicators.memory import Memory, cells
from workbench.indicators.momentum import momentum_cells, momentum_initialise, momentum_update
from workbench.indicators.moving import MOVING_CELLS, average_initialise, average_update
from workbench.indicators.ops import FAMILY_BITS, Op
from workbench.indicators.session import SESSION_CELLS, session_initialise, session_update
from workbench.indicators.summation import MISSING
from workbench.indicators.two_inputs import column_of_two
from workbench.indicators.volatility import volatility_cells, volatility_initialise, volatility_update
from workbench.indicators.volume import volume_cells, volume_initialise, volume_update
from workbench.indicators.window import window_cells, window_initialise, window_update
from workbench.jit import njit

ARITHMETIC, COMBINATION, COMPARISON, WINDOW, VOLATILITY, MOMENTUM, VOLUME, SESSION = range(8)


@njit
def state_size(op: int, p0: float, p1: float, p2: float) -> int:
    """Count of ``float64`` cells a node needs (0 for element-wise operations).

    Parameters
    ----------
    op : int
        One of ``Op``.
    p0, p1, p2 : float
        The node's constants; a length is a whole number >= 1.
    """
    family, n = op >> FAMILY_BITS, int(p0)
    if op == Op.EMA or op == Op.RMA:
        return MOVING_CELLS
    elif family == COMPARISON:
        return comparison_cells(op)
    elif family == WINDOW:
        return window_cells(op, n)
    elif family == VOLATILITY:
        return volatility_cells(op, n)
    elif family == MOMENTUM:
        return momentum_cells(op, n)
    elif family == VOLUME:
        return volume_cells(op)
    elif family == SESSION:
        return SESSION_CELLS
    return 0


@njit
def initialise(op: int, p0: float, p1: float, p2: float, array: Memory, off: int) -> None:
    """Write the memory of a node that has seen no bar to ``state[off : off + state_size(op, p0, p1, p2)]``."""
    state = cells(array)
    family, n = op >> FAMILY_BITS, int(p0)
    if op == Op.EMA or op == Op.RMA:
        average_initialise(p0, state, off)
    elif family == COMPARISON:
        for i in range(comparison_cells(op)):
            state[off + i] = MISSING
    elif family == WINDOW:
        window_initialise(op, n, state, off)
    elif family == VOLATILITY:
        volatility_initialise(op, n, state, off)
    elif family == MOMENTUM:
        momentum_initialise(op, n, state, off)
    elif family == VOLUME:
        volume_initialise(op, state, off)
    elif family == SESSION:
        session_initialise(state, off)


@njit
def update(
    op: int, x0: float, x1: float, x2: float, x3: float, p0: float, p1: float, p2: float, state: Memory, off: int
) -> float:
    """Value of one node at one closed bar.

    Parameters
    ----------
    op : int
        One of ``Op``; unknown numbers give missing.
    x0, x1, x2, x3 : float
        Values of the node's children at this bar: missing is NaN, a condition 1.0, 0.0 or NaN. Children a
        node does not have are ignored.
    p0, p1, p2 : float
        The node's constants.
    state : memory
        ``cells`` of the float64 array that holds all nodes; this node's part starts at ``off`` and is advanced
        by one bar.
    off : int
        Where it starts.

    Returns
    -------
    float
        Known at the bar's close; finite or NaN.
    """
    family = op >> FAMILY_BITS
    if family == ARITHMETIC:
        return arithmetic_update(op, x0, x1, p0)
    elif family == COMPARISON:
        return comparison_update(op, x0, x1, x2, state, off)
    elif family == WINDOW:
        if op == Op.EMA or op == Op.RMA:
            return average_update(op, x0, p0, state, off)
        return window_update(op, x0, x1, p0, state, off)
    elif family == COMBINATION:
        return combination_update(op, x0, x1, x2, x3, p0)
    elif family == VOLATILITY:
        return volatility_update(op, x0, x1, x2, p0, state, off)
    elif family == MOMENTUM:
        return momentum_update(op, x0, x1, x2, p0, state, off)
    elif family == VOLUME:
        return volume_update(op, x0, x1, state, off)
    elif family == SESSION:
        return session_update(op, x0, x1, x2, state, off)
    return MISSING


@njit
def step(
    op: int, x0: float, x1: float, x2: float, x3: float, p0: float, p1: float, p2: float, state: Memory, off: int
) -> float:
    """``update`` for a caller that holds the memory as an array: one bar from Python."""
    return update(op, x0, x1, x2, x3, p0, p1, p2, cells(state), off)


@njit
def run(
    op: int,
    x0: Memory,
    x1: Memory,
    x2: Memory,
    x3: Memory,
    p0: float,
    p1: float,
    p2: float,
    state: Memory,
    off: int,
    out: Memory,
) -> None:
    """Fill ``out`` with the node's value at every bar: the loop over ``update``.

    ``x0 … x3`` have the length of ``out``, or length 1 for an input that is the same at every bar or absent.
    The memory at ``off`` is left as it is after the last bar.
    """
    if column_of_two(op, x0, x1, out):
        return
    n, family, memory = out.shape[0], op >> FAMILY_BITS, cells(state)
    s0, s1 = int(x0.shape[0] == n), int(x1.shape[0] == n)
    s2, s3 = int(x2.shape[0] == n), int(x3.shape[0] == n)
    # The family is chosen once, outside the loop: for one addition the choice costs more than the addition.
    if family == ARITHMETIC:
        for i in range(n):
            out[i] = arithmetic_update(op, x0[i * s0], x1[i * s1], p0)
    elif family == COMPARISON:
        for i in range(n):
            out[i] = comparison_update(op, x0[i * s0], x1[i * s1], x2[i * s2], memory, off)
    elif op == Op.EMA or op == Op.RMA:
        for i in range(n):
            out[i] = average_update(op, x0[i * s0], p0, memory, off)
    elif family == WINDOW:
        for i in range(n):
            out[i] = window_update(op, x0[i * s0], x1[i * s1], p0, memory, off)
    elif family == COMBINATION:
        for i in range(n):
            out[i] = combination_update(op, x0[i * s0], x1[i * s1], x2[i * s2], x3[i * s3], p0)
    elif family == VOLATILITY:
        for i in range(n):
            out[i] = volatility_update(op, x0[i * s0], x1[i * s1], x2[i * s2], p0, memory, off)
    elif family == MOMENTUM:
        for i in range(n):
            out[i] = momentum_update(op, x0[i * s0], x1[i * s1], x2[i * s2], p0, memory, off)
    else:
        for i in range(n):
            out[i] = update(op, x0[i * s0], x1[i * s1], x2[i * s2], x3[i * s3], p0, p1, p2, memory, off)
