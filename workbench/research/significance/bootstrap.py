"""Intervals by the stationary block bootstrap (Politis and Romano 1994).

How it works: sessions are drawn again in blocks of random length, so that what neighbouring sessions share stays
together. Each draw gives a statistic and, from the sums over its blocks, that statistic's own error; the interval is
read from the ratio of the two (studentised: Götze and Künsch 1996; for Sharpe ratios Ledoit and Wolf 2008). Plain
percentiles of the draws were measured too: under autocorrelation they cover the truth in 85 % of cases where 90 % is
said. A deepest drawdown is no mean, and has no such error; its interval is where another stretch of as many sessions
would end up, which is drawn from a draw, so that the doubt about the mean is in it.

Invariants: the same seed gives the same interval, bit for bit, on every machine of one architecture; draw ``b`` does
not depend on how many draws follow.

Sources: D. N. Politis and J. P. Romano, The stationary bootstrap, JASA 89 (1994) 1303-1313; F. Götze and H. R. Künsch,
Second-order correctness of the blockwise bootstrap, Annals of Statistics 24 (1996) 1914-1933; O. Ledoit and M. Wolf,
Robust performance hypothesis testing with the Sharpe ratio, Journal of Empirical Finance 15 (2008) 850-859.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from workbench.jit import njit
from workbench.research.curve import FloatArray
from workbench.research.significance.blocks import dependence
from workbench.research.significance.chance import restart, uniform

#: Fewer sessions than this, or fewer in which the account moved, have no interval: what happened a few times in all
#: may as well not have happened, and drawing it again does not know that.
MIN_SESSIONS = 20


@dataclass(frozen=True)
class Interval:
    """A statistic and where it may lie.

    Attributes
    ----------
    value : float
        As measured.
    low, high : float
        Ends of the interval, in the unit of the value; not finite where the draws give none.
    """

    value: float
    low: float
    high: float

    @property
    def is_finite(self) -> bool:
        """Whether both ends are numbers."""
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """What the draws say of one series of session returns; nothing here is annualised.

    Attributes
    ----------
    mean_frac : Interval
        Mean return of a session.
    sharpe : Interval
        Mean over deviation (ddof 1) of session returns.
    session_drawdown_frac : Interval
        Deepest drawdown of session closes, and the range of it over another stretch of as many sessions.
    block_sessions : float
        Mean length of a block.
    sharpe_draws, drawdown_draws : float64[draws]
        Of every draw.
    """

    mean_frac: Interval
    sharpe: Interval
    session_drawdown_frac: Interval
    block_sessions: float
    sharpe_draws: FloatArray
    drawdown_draws: FloatArray


def bootstrap(returns: FloatArray, confidence_frac: float, draws: int, seed: int) -> Bootstrap:
    """Draw sessions again and again.

    Parameters
    ----------
    returns : float64[n]
        Session returns, finite, at least ``MIN_SESSIONS``, not all the same.
    confidence_frac : float
        Of the intervals, 0.9 for one that misses the truth one time in ten, at either end equally often.
    draws : int
        How many.
    seed : int
        Of the random numbers.
    """
    mean, deviation = float(returns.mean()), float(returns.std(ddof=1))
    sharpe = mean / deviation
    influence = sharpe_influence(returns)
    of_mean, of_sharpe = dependence(returns), dependence(influence)
    block = max(of_mean.block, of_sharpe.block)
    drawn = np.empty((draws, 5))
    _draw(np.ascontiguousarray(returns), 1.0 - 1.0 / block, np.uint64(seed), drawn)
    # A draw of one session alone has no deviation, so no ratio.
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    tails = (0.5 - confidence_frac / 2.0, 0.5 + confidence_frac / 2.0)
    low, high = np.quantile(drawn[:, 4], tails)
    return Bootstrap(
        studentised(mean, drawn[:, 0], drawn[:, 2], _error(returns, of_mean.variance, block), tails),
        studentised(sharpe, drawn[:, 1], drawn[:, 3], _error(influence, of_sharpe.variance, block), tails),
        Interval(deepest(returns), float(low), float(high)),
        block,
        drawn[:, 1].copy(),
        drawn[:, 4].copy(),
    )


def sharpe_influence(returns: FloatArray) -> FloatArray:
    """How much each session moves the Sharpe ratio (the delta method): its mean is about 0, its variance the ratio's.

    Parameters
    ----------
    returns : float64[n]
        With a deviation above 0.
    """
    deviation = returns.std(ddof=1)
    scaled = (returns - returns.mean()) / deviation
    return np.asarray(scaled - 0.5 * (returns.mean() / deviation) * (scaled * scaled - 1.0), dtype=np.float64)


def deepest(returns: FloatArray) -> float:
    """Deepest drawdown of a path of session returns from its highest value so far, which starts at 1; 0 or negative."""
    path = np.cumprod(1.0 + returns)
    return float((path / np.maximum(np.maximum.accumulate(path), 1.0) - 1.0).min())


def resampled_variance(values: FloatArray, block: float) -> FloatArray:
    """Variance of the square root of n times the mean of a stationary resampling (Politis and Romano 1994, lemma 1).

    Parameters
    ----------
    values : float64[..., n]
        One series a row.
    block : float
        Mean length of a block.
    """
    n = values.shape[-1]
    spectrum = np.fft.rfft(values - values.mean(axis=-1, keepdims=True), 2 * n)
    covariances = np.fft.irfft(np.abs(spectrum) ** 2)[..., :n] / n
    lag, stay = np.arange(1, n), 1.0 - 1.0 / block
    weight = (1.0 - lag / n) * stay**lag + lag / n * stay ** (n - lag)
    return np.asarray(covariances[..., 0] + 2.0 * (covariances[..., 1:] * weight).sum(axis=-1), dtype=np.float64)


def _error(values: FloatArray, flat_top: float, block: float) -> float:
    """Standard error of a mean: the larger of two estimates, as either may be too small in a short series."""
    return math.sqrt(max(flat_top, float(resampled_variance(values, block))) / len(values))


def studentised(
    value: float, drawn: FloatArray, errors: FloatArray, error: float, tails: tuple[float, float]
) -> Interval:
    """The interval of a value from the values and errors of its draws.

    Parameters
    ----------
    value : float
        As measured.
    drawn, errors : float64[draws]
        The value of every draw, and its standard error.
    error : float
        That of the measured value.
    tails : (float, float)
        Shares below the low and below the high end.
    """
    # A draw without an error of its own, of which there are many only in series that hardly vary, is beyond all bounds.
    off = drawn - value
    ratios = np.where(off > 0.0, np.inf, np.where(off < 0.0, -np.inf, 0.0))
    np.divide(off, errors, out=ratios, where=errors > 0.0)
    with np.errstate(invalid="ignore"):
        low, high = np.quantile(ratios, tails)
        return Interval(value, float(value - high * error), float(value - low * error))


@njit
def _draw(returns: FloatArray, stay: float, seed: np.uint64, out: FloatArray) -> None:
    """Each row of ``out``: mean, Sharpe ratio, error of each, deepest drawdown of a path drawn from this draw."""
    n = len(returns)
    state = np.empty(1, np.uint64)
    path, begins = np.empty(n), np.empty(n, np.bool_)
    for b in range(len(out)):
        restart(state, seed, b)
        at = 0
        for t in range(n):
            begins[t] = t == 0 or uniform(state) >= stay
            at = int(uniform(state) * n) if begins[t] else (at + 1) % n
            path[t] = returns[at]
        mean = path.mean()
        deviation = path.std() * np.sqrt(n / (n - 1.0))
        sharpe = mean / deviation
        # Blocks are drawn independently: the squares of their sums add up to the variance.
        square_of_mean, square_of_sharpe, of_mean, of_sharpe = 0.0, 0.0, 0.0, 0.0
        for t in range(n):
            if begins[t]:
                square_of_mean += of_mean * of_mean
                square_of_sharpe += of_sharpe * of_sharpe
                of_mean, of_sharpe = 0.0, 0.0
            scaled = (path[t] - mean) / deviation
            of_mean += path[t] - mean
            of_sharpe += scaled - 0.5 * sharpe * (scaled * scaled - 1.0)
        out[b, 0], out[b, 1] = mean, sharpe
        out[b, 2] = np.sqrt(square_of_mean + of_mean * of_mean) / n
        out[b, 3] = np.sqrt(square_of_sharpe + of_sharpe * of_sharpe) / n
        value, peak, fall = 1.0, 1.0, 0.0
        for t in range(n):
            at = int(uniform(state) * n) if t == 0 or uniform(state) >= stay else (at + 1) % n
            value *= 1.0 + path[at]
            peak = max(peak, value)
            fall = min(fall, value / peak - 1.0)
        out[b, 4] = fall
