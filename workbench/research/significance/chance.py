"""Random numbers for the kernels: SplitMix64, the same on every machine and with every version of numpy.

Source: G. L. Steele, D. Lea and C. H. Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.jit import njit

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
#: 53 random bits as a number below 1.
_UNIT = 2.0**-53


@njit
def mixed(bits: np.uint64) -> np.uint64:
    """Scramble 64 bits, one to one."""
    bits = (bits ^ (bits >> _30)) * _FIRST
    bits = (bits ^ (bits >> _27)) * _SECOND
    return bits ^ (bits >> _31)


@njit
def uniform(state: npt.NDArray[np.uint64]) -> float:
    """Draw the next number, at least 0 and below 1; moves ``state[0]``."""
    state[0] += _STEP
    return float(mixed(state[0]) >> _11) * _UNIT


@njit
def restart(state: npt.NDArray[np.uint64], seed: np.uint64, stream: int) -> None:
    """Put ``state[0]`` at the beginning of one of the many streams of a seed."""
    state[0] = mixed(mixed(seed + _STEP) + np.uint64(stream) * _STEP)
