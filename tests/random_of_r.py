"""R's default random numbers (Mersenne twister, inversion), so that examples published with a seed can be repeated.

``set.seed(s)`` scrambles the seed with a linear congruence and fills the twister's state from it; a normal number
takes two uniform ones, which together make the probability that is inverted.
"""

from __future__ import annotations

import statistics

import numpy as np
import numpy.typing as npt

_WORD, _UNIT, _BIG = 0xFFFFFFFF, 2.3283064365386963e-10, 134217728


def uniforms(seed: int, count: int) -> npt.NDArray[np.float64]:
    """What ``set.seed(seed); runif(count)`` gives."""
    state = seed & _WORD
    for _ in range(50):
        state = (69069 * state + 1) & _WORD
    words = []
    for _ in range(625):
        state = (69069 * state + 1) & _WORD
        words.append(state)
    twister = np.random.MT19937()
    filled = twister.state
    filled["state"]["key"], filled["state"]["pos"] = np.array(words[1:], np.uint32), 624
    twister.state = filled
    return twister.random_raw(count).astype(np.float64) * _UNIT


def normals(seed: int, count: int) -> npt.NDArray[np.float64]:
    """What ``set.seed(seed); rnorm(count)`` gives."""
    drawn = uniforms(seed, 2 * count)
    probability = (np.floor(_BIG * drawn[0::2]) + drawn[1::2]) / _BIG
    invert = statistics.NormalDist().inv_cdf
    return np.array([invert(one) for one in probability])
