"""Values over the last n bars, in constant time a bar whatever n is (rules E9, E10).

Nothing is ever subtracted. Bars are gathered in blocks of n. When a block is full, the aggregates of its
tails are computed once, backwards; the window at a later bar is the tail of the full block that it still
covers, and the head of the block being gathered. A value that has left the window is in neither, so nothing
that passed through it can linger: not a rounding error, not 1e300, not a missing value. (van Herk 1992,
Gil and Werman 1993.) Before n bars exist the tail is missing, and so is the value.

Memory: the position in the block, the head's aggregate, then a ring of n cells that holds the head's raw
values up to the position and the tails' aggregates after it.
"""

from __future__ import annotations

from workbench.indicators.memory import Memory
from workbench.indicators.ops import Op
from workbench.indicators.summation import MISSING, finite, two_sum
from workbench.jit import njit

HEAD_LAG = 1  # position
HEAD_SUM = 3  # position, sum, error of the sum
HEAD_WEIGHTED = 5  # position, sum, error, weighted sum, error
HEAD_EXTREME = 2  # position, extreme
HEAD_COUNT = 3  # position, trues, bars seen


@njit
def tails_of_sum(n: int, state: Memory, ring: int) -> None:
    """Replace a full block by the sums of its tails: rounded sums in n cells, their errors in the next n."""
    total, rest = 0.0, 0.0
    for i in range(n - 1, -1, -1):
        total, error = two_sum(total, state[ring + i])
        rest += error
        state[ring + i] = total
        state[ring + n + i] = rest


@njit
def sum_update(x: float, n: int, state: Memory, off: int) -> float:
    """Sum of the last n values."""
    k = int(state[off])
    ring = off + HEAD_SUM
    state[ring + k] = x
    k += 1
    total, error = two_sum(state[off + 1], x)
    rest = state[off + 2] + error
    if k == n:
        tails_of_sum(n, state, ring)
        state[off], state[off + 1], state[off + 2] = 0.0, 0.0, 0.0
        return finite(total + rest)
    state[off], state[off + 1], state[off + 2] = k, total, rest
    total, error = two_sum(total, state[ring + k])
    return finite(total + (error + (rest + state[ring + n + k])))


@njit
def tails_of_weighted_sum(n: int, state: Memory, ring: int) -> None:
    """Replace a full block by the weighted sums of its tails, weights 1, 2 … from the oldest value on."""
    total, rest, weighted, weighted_rest = 0.0, 0.0, 0.0, 0.0
    for i in range(n - 1, -1, -1):
        total, error = two_sum(total, state[ring + i])
        rest += error
        weighted, error = two_sum(weighted, total)
        weighted_rest += error + rest
        state[ring + i] = weighted
        state[ring + n + i] = weighted_rest


@njit
def wma_update(x: float, n: int, state: Memory, off: int) -> float:
    """Mean of the last n values weighted 1 … n, the newest n."""
    k = int(state[off])
    ring = off + HEAD_WEIGHTED
    state[ring + k] = x
    k += 1
    total, error = two_sum(state[off + 1], x)
    rest = state[off + 2] + error
    weighted, error = two_sum(state[off + 3], k * x)
    weighted_rest = state[off + 4] + error
    whole = 0.5 * n * (n + 1.0)
    if k == n:
        tails_of_weighted_sum(n, state, ring)
        for i in range(HEAD_WEIGHTED):
            state[off + i] = 0.0
        return finite((weighted + weighted_rest) / whole)
    state[off], state[off + 1], state[off + 2], state[off + 3], state[off + 4] = k, total, rest, weighted, weighted_rest
    lifted = (n - k) * (total + rest)  # the head's weights start after the tail's n - k
    weighted, error = two_sum(weighted, lifted)
    weighted_rest += error
    weighted, error = two_sum(weighted, state[ring + k])
    return finite((weighted + (error + (weighted_rest + state[ring + n + k]))) / whole)


@njit
def highest(a: float, b: float) -> float:
    """Larger of two values; missing when one is."""
    return b if b > a or b != b else a


@njit
def highest_update(x: float, n: int, state: Memory, off: int) -> float:
    """Highest of the last n values."""
    k = int(state[off])
    ring = off + HEAD_EXTREME
    state[ring + k] = x
    head = x if k == 0 else highest(state[off + 1], x)
    k += 1
    if k == n:
        state[off] = 0.0
        for i in range(n - 2, -1, -1):
            state[ring + i] = highest(state[ring + i + 1], state[ring + i])
        return head
    state[off], state[off + 1] = k, head
    return highest(head, state[ring + k])


@njit
def count_update(condition: float, n: int, state: Memory, off: int) -> float:
    """Trues in the last n bars; a missing condition is not true, and its bar counts (rule E10)."""
    k = int(state[off])
    cell = off + HEAD_COUNT + k
    true = 1.0 if condition == 1.0 else 0.0
    trues = state[off + 1] + true - state[cell]
    state[cell] = true
    state[off] = k + 1 if k + 1 < n else 0
    state[off + 1] = trues
    if state[off + 2] < n:
        state[off + 2] += 1.0
    return trues if state[off + 2] >= n else MISSING


@njit
def lag_update(x: float, n: int, state: Memory, off: int) -> float:
    """The value n bars ago."""
    k = int(state[off])
    cell = off + HEAD_LAG + k
    before = state[cell]
    state[cell] = x
    state[off] = k + 1 if k + 1 < n else 0
    return before


@njit
def window_update(op: int, x0: float, x1: float, p0: float, state: Memory, off: int) -> float:
    """Value of an operation over the last p0 bars, or since a condition was true."""
    n = int(p0)
    if op == Op.LAG:
        return lag_update(x0, n, state, off)
    elif op == Op.SUM:
        return sum_update(x0, n, state, off)
    elif op == Op.SMA:
        return sum_update(x0, n, state, off) / n
    elif op == Op.WMA:
        return wma_update(x0, n, state, off)
    elif op == Op.HIGHEST:
        return highest_update(x0, n, state, off)
    elif op == Op.LOWEST:
        return -highest_update(-x0, n, state, off)
    elif op == Op.COUNT:
        return count_update(x0, n, state, off)
    elif op == Op.BARS_SINCE:
        state[off] = 0.0 if x0 == 1.0 else state[off] + 1.0
        return state[off]
    elif op == Op.VALUE_WHEN:
        if x0 == 1.0:
            state[off] = x1
        return state[off]
    return MISSING


@njit
def window_head(op: int) -> int:
    """Cells before the ring."""
    if op == Op.LAG:
        return HEAD_LAG
    elif op == Op.SUM or op == Op.SMA:
        return HEAD_SUM
    elif op == Op.WMA:
        return HEAD_WEIGHTED
    elif op == Op.HIGHEST or op == Op.LOWEST:
        return HEAD_EXTREME
    elif op == Op.COUNT:
        return HEAD_COUNT
    return 0


@njit
def window_cells(op: int, n: int) -> int:
    """Cells of memory: head and ring, which for sums is two rings; one value for the conditions."""
    if op == Op.BARS_SINCE or op == Op.VALUE_WHEN:
        return 1
    elif op == Op.SUM or op == Op.SMA or op == Op.WMA:
        return window_head(op) + 2 * n
    return window_head(op) + n


@njit
def window_initialise(op: int, n: int, state: Memory, off: int) -> None:
    """Heads are empty, everything else is missing; a counting ring holds no true."""
    head = window_head(op)
    for i in range(window_cells(op, n)):
        state[off + i] = 0.0 if i < head or op == Op.COUNT else MISSING
