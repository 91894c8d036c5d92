"""How long the blocks of a bootstrap must be, from the data (Politis and White 2004, corrected 2009).

How it works: sessions close to each other are alike, so a resampling that keeps what they share must move whole
blocks. The block is as long as the autocorrelations of the series ask for; they are read up to the lag after which
several in a row are no larger than noise. The same autocorrelations, weighted by a flat-top window, give the long-run
variance: the variance of a mean of dependent values, times their number.

Sources: D. N. Politis and H. White, Automatic block-length selection for the dependent bootstrap, Econometric Reviews
23 (2004) 53-70; A. Patton, D. N. Politis and H. White, Correction, Econometric Reviews 28 (2009) 372-375.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from workbench.jit import njit
from workbench.research.curve import FloatArray

#: An autocorrelation within this many times sqrt(log10(n) / n) is noise (2004, footnote c).
BAND = 2.0
#: So many autocorrelations in a row within the band end the search, or log10(n) if that is more.
QUIET_LAGS = 5


class Dependence(NamedTuple):
    """What the autocorrelations of a series say.

    Attributes
    ----------
    block : float
        Mean length of a block of the stationary bootstrap, in values, at least 1.
    variance : float
        Long-run variance: n times the variance of the mean, by the flat-top window; not above 0 where the window
        fails, as it may in short series.
    """

    block: float
    variance: float


@njit
def _autocovariances(values: FloatArray, out: FloatArray) -> None:
    n = len(values)
    mean = values.mean()
    for lag in range(len(out)):
        total = 0.0
        for i in range(lag, n):
            total += (values[i] - mean) * (values[i - lag] - mean)
        out[lag] = total / n


def dependence(values: FloatArray) -> Dependence:
    """Block length and long-run variance of a series.

    Parameters
    ----------
    values : float64[n]
        Finite, in the order of time, at least 8 of them and not all the same.

    Returns
    -------
    Dependence
        The block is at most min(3 sqrt(n), n / 3) long, as the authors advise.
    """
    n = len(values)
    quiet = max(QUIET_LAGS, int(math.log10(n)))
    furthest = min(math.ceil(math.sqrt(n)) + quiet, n - 1)
    covariances = np.empty(furthest + 1)
    _autocovariances(values, covariances)
    lags = min(2 * _last_lag(covariances, n, quiet), furthest)
    k = np.arange(1, lags + 1)
    window = np.minimum(1.0, 2.0 * (1.0 - k / lags))
    weighted = 2.0 * window * covariances[1 : lags + 1]
    slope = float((k * weighted).sum())
    variance = float(covariances[0] + weighted.sum())
    longest = math.ceil(min(3.0 * math.sqrt(n), n / 3.0))
    with np.errstate(divide="ignore"):
        block = float(np.cbrt(n * np.float64(slope) ** 2 / variance**2))
    return Dependence(min(max(block, 1.0), float(longest)), variance)


def _last_lag(covariances: FloatArray, n: int, quiet: int) -> int:
    """First of ``quiet`` lags in a row within the band; without such a row the last lag outside of it."""
    loud = np.abs(covariances[1:]) >= BAND * math.sqrt(math.log10(n) / n) * covariances[0]
    for lag in range(1, len(loud) - quiet + 2):
        if not loud[lag - 1 : lag - 1 + quiet].any():
            return lag
    return int(np.flatnonzero(loud)[-1]) + 1 if loud.any() else 1
