"""Probability of backtest overfitting, by combinatorially symmetric cross-validation (CSCV).

How it works: the sessions are cut into an even number of blocks. For every way of taking half of them, the set that
is best on the one half is looked up on the other: overfitted is a choice that ends in the lower half there. All that
is needed of a block are sums and sums of squares by set, so that the 12,870 ways of 16 blocks cost no more memory than
the blocks themselves.

Source: D. H. Bailey, J. M. Borwein, M. López de Prado and Q. J. Zhu, The probability of backtest overfitting, Journal
of Computational Finance 20 (2016) 39-69 (2015 as a working paper).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.jit import njit
from workbench.research.curve import FloatArray, is_flat

#: A block of fewer sessions has no Sharpe ratio worth the name.
MIN_BLOCK_SESSIONS = 10
#: Fewer blocks give fewer than 20 ways of halving them.
MIN_BLOCKS = 6
#: More would take hours: 2,704,156 ways.
MAX_BLOCKS = 24
#: A deviation that is only the rounding of sums, relative to the size of the values.
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Overfitting:
    """What happens on one half of the sessions to the set that was best on the other.

    Attributes
    ----------
    probability_frac : float
        Share of the ways of halving in which it ends below the median (PBO). Exactly at the median counts half.
    loss_frac : float
        Share in which it loses money.
    slope, intercept, r_squared : float or None
        Of the regression of its Sharpe ratio out of sample on the one in sample (performance degradation); None where
        the latter is always the same.
    n_blocks, n_combinations : int
        Blocks, and ways of taking half of them.
    n_dropped : int
        Sessions at the beginning that were left out so that blocks are equally long.
    logits : float64[n_combinations]
        log(w / (1 - w)) of the relative rank w out of sample; below 0 is below the median.
    in_sample, out_of_sample : float64[n_combinations]
        Sharpe ratio of a session of the chosen set; sets that tie are averaged.
    """

    probability_frac: float
    loss_frac: float
    slope: float | None
    intercept: float | None
    r_squared: float | None
    n_blocks: int
    n_combinations: int
    n_dropped: int
    logits: FloatArray
    in_sample: FloatArray
    out_of_sample: FloatArray


def blocks_for(n_sessions: int, wanted: int) -> int | None:
    """The even number of blocks, at most ``wanted``, that leaves each long enough; None when there are too few."""
    blocks = min(wanted, MAX_BLOCKS, n_sessions // MIN_BLOCK_SESSIONS) // 2 * 2
    return blocks if blocks >= MIN_BLOCKS else None


def overfitting(returns: FloatArray, blocks: int) -> Overfitting:
    """Try every way of choosing on one half of the blocks and of looking at the other.

    Parameters
    ----------
    returns : float64[sets, sessions]
        Session returns of at least two sets, finite. A set that never traded has a ratio of 0.
    blocks : int
        Even.

    Returns
    -------
    Overfitting
    """
    sets, sessions = returns.shape
    length = sessions // blocks
    kept = returns[:, sessions - length * blocks :].reshape(sets, blocks, length)
    # About each set's own mean the squares do not cancel; the kernel adds it back.
    means = kept.mean(axis=(1, 2))
    centred = kept - means[:, None, None]
    sums, squares = centred.sum(axis=2).T.copy(), (centred**2).sum(axis=2).T.copy()
    scale = np.abs(kept).max(axis=(1, 2))
    halves = np.array(list(itertools.combinations(range(blocks), blocks // 2)), dtype=np.int64)
    found = np.empty((len(halves), 3))
    _choose(sums, squares, means, scale * ROUNDING, length * (blocks // 2), halves, found)
    ranks, inside, outside = found.T.copy()
    relative = ranks / (sets + 1.0)
    slope, intercept, r_squared = _line(inside, outside)
    return Overfitting(
        probability_frac=float(np.mean(relative < 0.5) + 0.5 * np.mean(relative == 0.5)),
        loss_frac=float(np.mean(outside < 0.0)),
        slope=slope,
        intercept=intercept,
        r_squared=r_squared,
        n_blocks=blocks,
        n_combinations=math.comb(blocks, blocks // 2),
        n_dropped=sessions - length * blocks,
        logits=np.log(relative / (1.0 - relative)),
        in_sample=inside,
        out_of_sample=outside,
    )


def _line(x: FloatArray, y: FloatArray) -> tuple[float | None, float | None, float | None]:
    """Slope, intercept and R² of y on x; None for x that is one number."""
    if is_flat(x):
        return None, None, None
    spread = x - x.mean()
    slope = float((spread * y).sum() / (spread**2).sum())
    if is_flat(y):
        return slope, float(y.mean()), None
    return slope, float(y.mean() - slope * x.mean()), float(np.corrcoef(x, y)[0, 1]) ** 2


@njit
def _ratio(total: float, square: float, mean: float, n: float, rounding: float) -> float:
    """Sharpe ratio from sums about ``mean``; of what does not move, 0 or beyond every ratio by the sign of its mean."""
    own = total / n
    variance = (square - n * own * own) / (n - 1.0)
    level = own + mean
    if variance > rounding * rounding:
        return level / math.sqrt(variance)
    return 0.0 if abs(level) <= rounding else math.copysign(1e6, level)


@njit
def _choose(
    sums: FloatArray,
    squares: FloatArray,
    means: FloatArray,
    rounding: FloatArray,
    n: int,
    halves: npt.NDArray[np.int64],
    out: FloatArray,
) -> None:
    """Each row of ``out``: rank out of sample (ties averaged) of the best in sample, its ratio inside, and outside."""
    blocks, sets = sums.shape
    inside, outside = np.empty(sets), np.empty(sets)
    total, square = np.empty(sets), np.empty(sets)
    every, every_square = np.zeros(sets), np.zeros(sets)
    for block in range(blocks):
        for k in range(sets):
            every[k] += sums[block, k]
            every_square[k] += squares[block, k]
    for row in range(len(halves)):
        total[:] = 0.0
        square[:] = 0.0
        for block in halves[row]:
            for k in range(sets):
                total[k] += sums[block, k]
                square[k] += squares[block, k]
        for k in range(sets):
            inside[k] = _ratio(total[k], square[k], means[k], n, rounding[k])
            outside[k] = _ratio(every[k] - total[k], every_square[k] - square[k], means[k], n, rounding[k])
        best = inside.max()
        ranks, ratios, tied = 0.0, 0.0, 0
        for k in range(sets):
            if inside[k] == best:
                below, same = 0, 0
                for other in range(sets):
                    below += outside[other] < outside[k]
                    same += outside[other] == outside[k]
                ranks += below + 0.5 * (same + 1.0)
                ratios += outside[k]
                tied += 1
        out[row, 0], out[row, 1], out[row, 2] = ranks / tied, best, ratios / tied
