"""How often the best of as many sets without any skill does as well: White's reality check and Hansen's test.

How it works: every set's session returns are shifted so that none of them earns anything in the long run, and all are
drawn again together, in blocks, so that sets that are alike stay alike. The best of the shifted sets is noted for each
draw; how often it reaches the set that was chosen is the answer. Hansen divides by each set's own deviation, and does
not shift sets upwards that lost too clearly to be candidates; White does neither.

What is compared is the mean return of a session with zero: with cash, not with holding the market.

Sources: H. White, A reality check for data snooping, Econometrica 68 (2000) 1097-1126; P. R. Hansen, A test for
superior predictive ability, Journal of Business and Economic Statistics 23 (2005) 365-380.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from workbench.jit import njit
from workbench.research.curve import FloatArray
from workbench.research.significance.blocks import dependence
from workbench.research.significance.bootstrap import resampled_variance
from workbench.research.significance.chance import restart, uniform

#: Sets whose spectra are held at one time.
SETS_AT_A_TIME = 128


@dataclass(frozen=True, eq=False)
class Reality:
    """Sets without skill beside the one that was chosen.

    Attributes
    ----------
    best_frac : float
        Share of draws in which the best of the sets without skill does at least as well as the chosen one, each by its
        mean over its own deviation (Hansen's consistent form; the chosen set's own p-value).
    white_frac : float
        The same by the mean return alone, every set shifted (White's reality check).
    block_sessions : float
        Mean length of a block.
    statistic : float
        Of the chosen set: square root of the sessions, times mean over deviation.
    best_draws : float64[draws]
        The best statistic of each draw.
    """

    best_frac: float
    white_frac: float
    block_sessions: float
    statistic: float
    best_draws: FloatArray


def reality_check(returns: FloatArray, chosen: int, draws: int, seed: int) -> Reality:
    """Draw all sets together, without their skill.

    Parameters
    ----------
    returns : float64[sets, sessions]
        Session returns, finite, of sets with a deviation.
    chosen : int
        Row of the set that was chosen.
    draws : int
        How many.
    seed : int
        Of the random numbers.
    """
    n = returns.shape[1]
    root = math.sqrt(n)
    # One block length for all: the median set's.
    block = float(np.median([dependence(row).block for row in returns]))
    means = returns.mean(axis=1)
    variances = [
        resampled_variance(returns[k : k + SETS_AT_A_TIME], block) for k in range(0, len(returns), SETS_AT_A_TIME)
    ]
    deviations = np.sqrt(np.maximum(np.concatenate(variances), np.finfo(float).tiny))
    # A set that lost more than this could not be the best, whatever the draw.
    hopeless = means < -deviations * math.sqrt(2.0 * math.log(math.log(n)) / n)
    best = np.empty((draws, 2))
    moved = np.ascontiguousarray((returns - means[:, None]).T)
    dropped = np.where(hopeless, means, 0.0)
    _draw_best(moved, dropped, deviations, 1.0 - 1.0 / block, np.uint64(seed), best)
    statistic = root * float(means[chosen] / deviations[chosen])
    return Reality(
        best_frac=_share(best[:, 0], statistic),
        white_frac=_share(best[:, 1], root * float(means[chosen])),
        block_sessions=block,
        statistic=statistic,
        best_draws=best[:, 0].copy(),
    )


def _share(best: FloatArray, statistic: float) -> float:
    """Share of draws at or above the statistic, which counts as one of them: never 0."""
    # No set is worse than not trading at all.
    return (1 + int(np.count_nonzero(best >= max(statistic, 0.0)))) / (1 + len(best))


@njit
def _draw_best(
    returns: FloatArray, dropped: FloatArray, deviations: FloatArray, stay: float, seed: np.uint64, out: FloatArray
) -> None:
    """Each row of ``out``: the best studentised and the best plain statistic of one draw of all sets, at least 0."""
    n, sets = returns.shape
    state, total = np.empty(1, np.uint64), np.empty(sets)
    counts = np.empty(n)
    root = np.sqrt(float(n))
    for b in range(len(out)):
        restart(state, seed, b)
        counts[:] = 0.0
        at = 0
        for t in range(n):
            at = int(uniform(state) * n) if t == 0 or uniform(state) >= stay else (at + 1) % n
            counts[at] += 1.0
        total[:] = 0.0
        for t in range(n):
            if counts[t] > 0.0:
                for k in range(sets):
                    total[k] += counts[t] * returns[t, k]
        best, plain = 0.0, 0.0
        for k in range(sets):
            best = max(best, root * (total[k] / n + dropped[k]) / deviations[k])
            plain = max(plain, root * total[k] / n)
        out[b, 0], out[b, 1] = best, plain
