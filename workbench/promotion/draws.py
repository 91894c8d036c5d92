"""Sessions drawn again in blocks: what might have been (stationary bootstrap, Politis and Romano 1994)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.research.curve import FloatArray
from workbench.research.significance.blocks import dependence


def drawn_sessions(returns: FloatArray, length: int, draws: int, seed: int) -> FloatArray:
    """Other stretches of sessions.

    Parameters
    ----------
    returns : float64[n]
        Session returns, finite.
    length : int
        Sessions of each stretch.
    draws : int
        How many stretches.
    seed : int
        Of the random numbers: equal seeds give equal stretches.

    Returns
    -------
    float64[draws, length]
        Each begins at a random session and goes on with the next, or begins again at another; blocks have the mean
        length that fits how much neighbouring sessions share.
    """
    n, block = len(returns), max(1.0, dependence(returns).block) if np.ptp(returns) else 1.0
    chance = np.random.default_rng(seed)
    begins = chance.random((draws, length)) < 1.0 / block
    begins[:, 0] = True
    anew = chance.integers(0, n, (draws, length))
    # Where each session's block began, and how far it has gone since.
    place = np.where(begins, np.arange(length), 0)
    np.maximum.accumulate(place, axis=1, out=place)
    at: npt.NDArray[np.intp] = (np.take_along_axis(anew, place, axis=1) + np.arange(length) - place) % n
    return np.asarray(returns[at], np.float64)
