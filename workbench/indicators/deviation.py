"""Variance and standard deviation of the last n values (rules E5, E9, E10).

Built from blocks like the sums of ``window``: the window is the tail of a full block and the head of the next,
and the two are joined by their counts, means and squared deviations (Chan, Golub and LeVeque 1983). Each part
is measured from one of its own values, so the squares never exceed the scale of the window and nothing
cancels. The rare windows whose squares leave the range of a double are measured a second time, scaled.
"""

from __future__ import annotations

import numpy as np

from workbench import tolerance
from workbench.indicators.memory import Memory
from workbench.indicators.ops import Op
from workbench.indicators.summation import MISSING, finite, two_sum
from workbench.jit import njit

# Memory: position in the block; the head's reference, sum and squares, each with its error; values since the
# last missing one; length, lowest and highest of the flat run that ends at this bar. Then three rings of n: raw
# values, means of the tails, squared deviations of the tails.
POSITION, REFERENCE, SUM, SUM_ERROR, SQUARES, SQUARES_ERROR, CLEAN, RUN, RUN_LOWEST, RUN_HIGHEST = range(10)
HEAD = 10
SMALLEST_SQUARES, LARGEST_SQUARES = 1e-250, 1e250


@njit
def squares_about_mean(total: float, squares: float, k: int) -> float:
    """Squared deviations of k values from their mean, of their sum and squares from a reference among them."""
    squared = squares - total * (total / k)
    return squared if squared > 0.0 or squared != squared else 0.0


@njit
def tails_of_deviation(n: int, state: Memory, ring: int) -> None:
    """Mean and squared deviations of every tail of a full block."""
    reference = state[ring + n - 1]
    total, rest, squares, squares_rest = 0.0, 0.0, 0.0, 0.0
    for i in range(n - 1, -1, -1):
        away = state[ring + i] - reference
        total, error = two_sum(total, away)
        rest += error
        squares, error = two_sum(squares, away * away)
        squares_rest += error
        k = n - i
        state[ring + n + i] = reference + (total + rest) / k
        state[ring + 2 * n + i] = squares_about_mean(total + rest, squares + squares_rest, k)


@njit
def flat_run(x: float, k: int, n: int, state: Memory, off: int) -> float:
    """How many values up to this one lie within the tolerance of one another; exact up to n (rule E5)."""
    if x != x:
        return 0.0
    run, low, high = state[off + RUN], state[off + RUN_LOWEST], state[off + RUN_HIGHEST]
    low, high = min(low, x), max(high, x)
    if run > 0.0 and tolerance.equal(low, high):
        run += 1.0
    else:  # the run is broken by values that may have left it: look back from here
        run, low, high = 1.0, x, x
        i = k
        while run < n:
            i = i - 1 if i > 0 else n - 1
            y = state[off + HEAD + i]
            wider_low, wider_high = min(low, y), max(high, y)
            if y != y or not tolerance.equal(wider_low, wider_high):
                break
            run, low, high = run + 1.0, wider_low, wider_high
    state[off + RUN_LOWEST], state[off + RUN_HIGHEST] = low, high
    return run


@njit
def scaled_deviation(n: int, divisor: float, state: Memory, ring: int) -> tuple[float, float]:
    """Scale of the window, and its variance in units of the scale squared: two passes over the ring."""
    scale = 0.0
    for i in range(n):
        scale = max(scale, abs(state[ring + i]))
    total, rest = 0.0, 0.0
    for i in range(n):
        total, error = two_sum(total, state[ring + i] / scale)
        rest += error
    mean = (total + rest) / n
    squares, rest = 0.0, 0.0
    for i in range(n):
        away = state[ring + i] / scale - mean
        squares, error = two_sum(squares, away * away)
        rest += error
    return scale, (squares + rest) / divisor


@njit
def squares_update(x: float, n: int, state: Memory, off: int) -> float:
    """Squared deviations of the last n values from their mean; meaningless while one of them is missing."""
    k = int(state[off + POSITION])
    ring = off + HEAD
    state[ring + k] = x
    state[off + RUN] = flat_run(x, k, n, state, off)
    state[off + CLEAN] = state[off + CLEAN] + 1.0 if x == x else 0.0
    if k == 0:
        state[off + REFERENCE] = x
        for i in range(SUM, CLEAN):
            state[off + i] = 0.0
    reference = state[off + REFERENCE]
    away = x - reference
    k += 1
    total, error = two_sum(state[off + SUM], away)
    rest = state[off + SUM_ERROR] + error
    squares, error = two_sum(state[off + SQUARES], away * away)
    squares_rest = state[off + SQUARES_ERROR] + error
    squared = squares_about_mean(total + rest, squares + squares_rest, k)
    if k == n:
        state[off + POSITION] = 0.0
        tails_of_deviation(n, state, ring)
        return squared
    state[off + POSITION] = k
    state[off + SUM], state[off + SUM_ERROR] = total, rest
    state[off + SQUARES], state[off + SQUARES_ERROR] = squares, squares_rest
    apart = (reference - state[ring + n + k]) + (total + rest) / k
    return squared + state[ring + 2 * n + k] + apart * apart * ((n - k) * (k / n))


@njit
def deviation_update(op: int, x: float, n: int, state: Memory, off: int) -> float:
    """VAR, STDDEV (population) or STDDEV_SAMPLE of the last n values; exactly 0 when they are flat."""
    squared = squares_update(x, n, state, off)
    divisor = n - 1.0 if op == Op.STDDEV_SAMPLE else float(n)
    if state[off + CLEAN] < n or divisor == 0.0:
        return MISSING
    if state[off + RUN] >= n:
        return 0.0
    scale, variance = 1.0, squared / divisor
    if not SMALLEST_SQUARES < squared < LARGEST_SQUARES:
        scale, variance = scaled_deviation(n, divisor, state, off + HEAD)
    if op == Op.VAR:
        return finite(scale * variance * scale)
    return finite(scale * np.sqrt(variance))


@njit
def deviation_cells(n: int) -> int:
    """Cells of memory."""
    return HEAD + 3 * n


@njit
def deviation_initialise(n: int, state: Memory, off: int) -> None:
    """Empty head; no value has been seen."""
    for i in range(deviation_cells(n)):
        state[off + i] = 0.0 if i < HEAD else MISSING
