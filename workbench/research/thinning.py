"""Fewer points for a chart, without losing what matters: every bucket keeps its lowest and its highest.

A chart is some two thousand pixels wide. Taking every k-th point would lose the very peak and trough a drawdown is
measured from; a mean would flatten them. Everything here works on positions, so that times stay those of real rows.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]


def bucket_starts(n: int, buckets: int) -> IntArray:
    """First position of each of at most ``buckets`` stretches of nearly equal length that cover ``n`` positions."""
    return np.unique(np.linspace(0, n, min(n, buckets), endpoint=False).astype(np.int64))


def extremes(values: FloatArray, points: int) -> IntArray:
    """Positions that keep the shape of a line.

    Parameters
    ----------
    values : float64[n]
        NaN where there is nothing to draw.
    points : int
        At most so many positions, and at least four.

    Returns
    -------
    int64[m]
        Ascending; all of them where n <= points, else the first, the last, and the lowest and highest of each bucket.
    """
    n = len(values)
    if n <= points:
        return np.arange(n)
    starts = bucket_starts(n, (points - 2) // 2)
    low, high = np.where(np.isnan(values), np.inf, values), np.where(np.isnan(values), -np.inf, values)
    kept = [_first_equal(low, np.minimum.reduceat(low, starts), starts)]
    kept.append(_first_equal(high, np.maximum.reduceat(high, starts), starts))
    return np.unique(np.concatenate([[0, n - 1], *kept]))


def _first_equal(values: FloatArray, sought: FloatArray, starts: IntArray) -> IntArray:
    """First position in each bucket that holds the value sought in it."""
    lengths = np.diff(np.append(starts, len(values)))
    hits = np.flatnonzero(values == np.repeat(sought, lengths))
    return hits[np.searchsorted(hits, starts)]


def envelope(low: FloatArray, high: FloatArray, points: int) -> tuple[IntArray, FloatArray, FloatArray]:
    """Lowest low and highest high of each bucket.

    Parameters
    ----------
    low, high : float64[n]
        Of bars, none missing.
    points : int
        At most so many buckets.

    Returns
    -------
    starts : int64[m]
        First position of each bucket.
    lowest, highest : float64[m]
    """
    starts = bucket_starts(len(low), points)
    return starts, np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
