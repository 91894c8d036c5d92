"""How probable it is that a Sharpe ratio is not luck: the probabilistic and the deflated one.

How it works: a measured ratio has an error that depends on how many sessions there were and how skewed and fat-tailed
their returns are. The probabilistic ratio is the probability that the true one is above a benchmark. The deflated one
takes as benchmark the best ratio that so many trials without any skill would be expected to show.

Ratios here are those of a session, never annualised; kurtosis is 3 for a normal distribution.

Sources: D. H. Bailey and M. López de Prado, The Sharpe ratio efficient frontier, Journal of Risk 15 (2012) 3-44, and
The deflated Sharpe ratio, Journal of Portfolio Management 40 (2014) 94-107.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from workbench.research.curve import FloatArray

_NORMAL = NormalDist()
#: Euler's and Mascheroni's constant.
_GAMMA = 0.5772156649015329


class Shape(NamedTuple):
    """What the error of a Sharpe ratio depends on.

    Attributes
    ----------
    sharpe : float
        Mean over deviation of session returns.
    n_sessions : int
        How many there are.
    skew, kurtosis : float
        Third and fourth standardised moments; 0 and 3 for a normal distribution.
    """

    sharpe: float
    n_sessions: int
    skew: float
    kurtosis: float

    @property
    def spread(self) -> float:
        """Variance of the ratio, times the sessions less one; not above 0 only where the approximation fails."""
        return 1.0 - self.skew * self.sharpe + (self.kurtosis - 1.0) / 4.0 * self.sharpe**2


def shape_of(returns: FloatArray) -> Shape:
    """Sharpe ratio, skewness and kurtosis of session returns, float64[n], that have a deviation."""
    centred = returns - returns.mean()
    variance = float(np.mean(centred**2))
    skew, kurtosis = float(np.mean(centred**3)) / variance**1.5, float(np.mean(centred**4)) / variance**2
    return Shape(float(returns.mean() / returns.std(ddof=1)), len(returns), skew, kurtosis)


def probabilistic_sharpe(shape: Shape, benchmark: float = 0.0) -> float | None:
    """Probability that the true Sharpe ratio of a session is above ``benchmark`` (2012, equation 8).

    Returns
    -------
    float or None
        Fraction; None where the moments leave the ratio no variance.
    """
    if shape.spread <= 0.0 or shape.n_sessions < 2:
        return None
    return _NORMAL.cdf((shape.sharpe - benchmark) * math.sqrt((shape.n_sessions - 1) / shape.spread))


def needed_sessions(shape: Shape, confidence_frac: float, benchmark: float = 0.0) -> float | None:
    """Sessions after which a Sharpe ratio of this size would be above ``benchmark`` so surely (2012, equation 11).

    Returns
    -------
    float or None
        None where the ratio is not above the benchmark: no length would do.
    """
    if shape.spread <= 0.0 or shape.sharpe <= benchmark:
        return None
    return 1.0 + shape.spread * (_NORMAL.inv_cdf(confidence_frac) / (shape.sharpe - benchmark)) ** 2


def expected_best(n_trials: float, variance: float) -> float:
    """Sharpe ratio that the best of so many independent trials without skill is expected to show (2014, equation 6).

    Parameters
    ----------
    n_trials : float
        Independent trials; of one alone nothing is chosen, so nothing is expected.
    variance : float
        Of the Sharpe ratios over the trials.
    """
    if n_trials <= 1.0:
        return 0.0
    first, second = _NORMAL.inv_cdf(1.0 - 1.0 / n_trials), _NORMAL.inv_cdf(1.0 - 1.0 / (n_trials * math.e))
    return max(0.0, math.sqrt(variance) * ((1.0 - _GAMMA) * first + _GAMMA * second))


def deflated_sharpe(shape: Shape, n_trials: float, variance: float) -> float | None:
    """Probability that the true Sharpe ratio beats the best of so many trials without skill (2014, equation 9)."""
    return probabilistic_sharpe(shape, expected_best(n_trials, variance))


def sharpe_ratios(returns: FloatArray) -> FloatArray:
    """Sharpe ratio of each row of float64[sets, sessions]; NaN for one without a deviation."""
    deviations = returns.std(axis=1, ddof=1)
    flat = np.ptp(returns, axis=1) <= np.maximum(1e-12, 1e-9 * np.abs(returns).max(axis=1))
    ratios = np.full(len(returns), np.nan)
    np.divide(returns.mean(axis=1), deviations, out=ratios, where=~flat)
    return ratios


def effective_trials(returns: FloatArray) -> float:
    """How many independent trials correlated ones are worth: rho + (1 - rho) M (2014, appendix 3).

    Parameters
    ----------
    returns : float64[sets, sessions]
        Of sets with a deviation.

    Returns
    -------
    float
        From 1 (all alike) to the number of sets; rho is the mean correlation of two of them, 0 where that is negative.
    """
    sets = len(returns)
    if sets < 2:
        return float(sets)
    total = np.zeros(returns.shape[1])
    for row in returns:
        total += (row - row.mean()) / row.std()
    rho = (float(np.mean(total**2)) - sets) / (sets * (sets - 1))
    rho = min(max(rho, 0.0), 1.0)
    return rho + (1.0 - rho) * sets
