"""Wilder's RSI and directional movement, and the commodity channel index.

RSI and the directional indicators are recursive: a bar with a missing input is skipped (rule E10).
"""

from __future__ import annotations

from workbench import tolerance
from workbench.indicators.memory import Memory
from workbench.indicators.ops import Op
from workbench.indicators.summation import LARGEST, MISSING, finite, two_sum
from workbench.jit import njit

RSI_CELLS = 6  # changes seen, last value, gain, its error, loss, its error
DI_CELLS = 6  # bars seen, high, low and close before, smoothed movement, smoothed range
ADX_CELLS = 2  # values seen, average (sum while seeding)
CCI_HEAD = 1  # position in the ring
CCI_SCALE = 0.015


@njit
def rsi_value(gain: float, loss: float) -> float:
    """100 when nothing was lost, 50 when nothing moved."""
    total = gain + loss
    if total == 0.0:
        return 50.0
    return 100.0 * (gain / total)


@njit
def rsi_update(x: float, n: int, state: Memory, off: int) -> float:
    """RSI of Wilder's averages of gains and losses over n changes, against the last value that was not missing."""
    if x != x:
        return MISSING
    before = state[off + 1]
    state[off + 1] = x
    if before != before:
        return MISSING
    move = tolerance.difference(x, before)
    if not abs(move) <= 0.5 * LARGEST:
        return MISSING
    gain = 0.5 * (abs(move) + move)  # exact, and no branch: whether prices rose is a coin toss
    loss = gain - move
    if state[off] >= n:
        gain = state[off + 2] + (gain - state[off + 2]) / n
        loss = state[off + 4] + (loss - state[off + 4]) / n
        state[off + 2], state[off + 4] = gain, loss
        return rsi_value(gain, loss)
    state[off] += 1.0
    state[off + 2], error = two_sum(state[off + 2], gain)
    state[off + 3] += error
    state[off + 4], error = two_sum(state[off + 4], loss)
    state[off + 5] += error
    if state[off] < n:
        return MISSING
    state[off + 2] = (state[off + 2] + state[off + 3]) / n
    state[off + 4] = (state[off + 4] + state[off + 5]) / n
    return rsi_value(state[off + 2], state[off + 4])


@njit
def cci_update(x: float, n: int, state: Memory, off: int) -> float:
    """Commodity channel index of the last n values: two passes, because the mean deviation has no running form."""
    k = int(state[off])
    ring = off + CCI_HEAD
    state[ring + k] = x
    state[off] = k + 1 if k + 1 < n else 0
    total, rest, low, high = 0.0, 0.0, x, x
    for i in range(n):
        y = state[ring + i]
        total, error = two_sum(total, y)
        rest += error
        low, high = min(low, y), max(high, y)
    mean = (total + rest) / n
    if mean != mean:
        return MISSING
    if tolerance.equal(low, high):
        return 0.0
    spread, rest = 0.0, 0.0
    for i in range(n):
        spread, error = two_sum(spread, abs(tolerance.difference(state[ring + i], mean)))
        rest += error
    return finite(tolerance.difference(x, mean) / (CCI_SCALE * ((spread + rest) / n)))


@njit
def di_update(op: int, high: float, low: float, close: float, n: int, state: Memory, off: int) -> float:
    """PLUS_DI or MINUS_DI: Wilder's smoothed movement in percent of his smoothed true range.

    As in TA-Lib 0.8 the smoothing starts from the sum of the first n - 1 bars, differences are plain ones, and only
    a range of exactly nothing gives 0: a range is money, so any small number would be too much for some price.
    """
    if high != high or low != low or close != close:
        return MISSING
    seen = state[off]
    rise, fall = high - state[off + 1], state[off + 2] - low
    before = state[off + 3]
    state[off] = seen + 1.0 if seen <= n else seen
    state[off + 1], state[off + 2], state[off + 3] = high, low, close
    if seen == 0.0:
        return MISSING
    if op == Op.PLUS_DI:
        movement = rise if rise > 0.0 and rise > fall else 0.0
    else:
        movement = fall if fall > 0.0 and fall > rise else 0.0
    reach = max(high - low, abs(high - before), abs(low - before))
    if seen < n:
        state[off + 4] += movement
        state[off + 5] += reach
        return MISSING
    # TA-Lib's order of adding: after a long quiet stretch both sums are so small that each rounding shows.
    state[off + 4] = state[off + 4] - state[off + 4] / n + movement
    state[off + 5] = state[off + 5] - state[off + 5] / n + reach
    if state[off + 5] == 0.0:
        return 0.0
    return finite(100.0 * (state[off + 4] / state[off + 5]))


@njit
def adx_update(plus: float, minus: float, n: int, state: Memory, off: int) -> float:
    """Wilder's average of DX = 100·|plus - minus|/(plus + minus), which a bar without movement leaves as it is."""
    if plus != plus or minus != minus:
        return MISSING
    total = plus + minus
    moved = total > 0.0
    dx = 100.0 * (abs(plus - minus) / total) if moved else 0.0
    if state[off] < n:
        state[off] += 1.0
        state[off + 1] += dx
        if state[off] < n:
            return MISSING
        state[off + 1] /= n
    elif moved:
        state[off + 1] += (dx - state[off + 1]) / n
    return state[off + 1]


@njit
def momentum_update(op: int, x0: float, x1: float, x2: float, p0: float, state: Memory, off: int) -> float:
    """Value of a momentum or trend indicator of length p0."""
    n = int(p0)
    if op == Op.RSI:
        return rsi_update(x0, n, state, off)
    elif op == Op.CCI:
        return cci_update(x0, n, state, off)
    elif op == Op.PLUS_DI or op == Op.MINUS_DI:
        return di_update(op, x0, x1, x2, n, state, off)
    elif op == Op.ADX:
        return adx_update(x0, x1, n, state, off)
    return MISSING


@njit
def momentum_cells(op: int, n: int) -> int:
    """Cells of memory."""
    if op == Op.CCI:
        return CCI_HEAD + n
    elif op == Op.RSI:
        return RSI_CELLS
    elif op == Op.ADX:
        return ADX_CELLS
    return DI_CELLS


@njit
def momentum_initialise(op: int, n: int, state: Memory, off: int) -> None:
    """No bar has been seen."""
    for i in range(momentum_cells(op, n)):
        state[off + i] = MISSING if op == Op.CCI and i >= CCI_HEAD else 0.0
    if op == Op.RSI:
        state[off + 1] = MISSING
