"""Sums over returns and trades, in one pass each: a sweep asks for them thousands of times a second.

Sums are compensated (Neumaier 1974), so that they do not depend on how many small numbers follow a large one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.jit import inlined, njit

FloatArray = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Spread(NamedTuple):
    """What returns come to.

    Attributes
    ----------
    least, greatest : float
        Fractions.
    mean, deviation, downside : float
        Of the returns less the risk-free one: their mean, their standard deviation (divided by n - 1) and the root of
        the mean square of the losses, those without a loss counting as zero.
    """

    least: float
    greatest: float
    mean: float
    deviation: float
    downside: float


class Traded(NamedTuple):
    """What closed trades come to; means are NaN where there is nothing to take one of."""

    n: int
    n_open: int
    n_won: int
    won: float
    lost: float
    mean_r: float
    mean_net: float
    mean_won: float
    mean_lost: float
    mean_return: float
    best: float
    worst: float
    mean_held: float
    losses_in_a_row: int


@inlined
def add(value: float, total: float, rest: float) -> tuple[float, float]:
    """One more value: the new sum and what its rounding has lost so far."""
    larger = total + value
    lost = (total - larger) + value if abs(total) >= abs(value) else (value - larger) + total
    return larger, rest + lost


@njit
def mean_of(values: FloatArray) -> float:
    """Mean, NaN of nothing."""
    total = rest = 0.0
    for value in values:
        total, rest = add(value, total, rest)
    return (total + rest) / len(values) if len(values) else np.nan


@njit
def spread_of(returns: FloatArray, risk_free: float) -> Spread:
    """Sum up at least two returns."""
    least, greatest = np.inf, -np.inf
    total = rest = down = down_rest = 0.0
    for value in returns:
        least, greatest = min(least, value), max(greatest, value)
        total, rest = add(value - risk_free, total, rest)
        loss = min(value - risk_free, 0.0)
        down, down_rest = add(loss * loss, down, down_rest)
    n = len(returns)
    mean = (total + rest) / n
    square = square_rest = 0.0
    for value in returns:
        away = value - risk_free - mean
        square, square_rest = add(away * away, square, square_rest)
    return Spread(least, greatest, mean, np.sqrt((square + square_rest) / (n - 1)), np.sqrt((down + down_rest) / n))


@njit
def tail_of(returns: FloatArray, part: float) -> tuple[float, float]:
    """The quantile below which a part of the returns lies (linear between two), and the mean of those up to it."""
    ordered = np.sort(returns)
    place = part * (len(ordered) - 1)
    below = int(np.floor(place))
    above = min(below + 1, len(ordered) - 1)
    quantile = ordered[below] + (ordered[above] - ordered[below]) * (place - below)
    count = np.searchsorted(ordered, quantile, side="right")
    return quantile, mean_of(ordered[:count])


@njit
def traded_of(net: FloatArray, returns: FloatArray, in_r: FloatArray, held: FloatArray, is_open: Flags) -> Traded:
    """Sum up trades; those still open are counted and nothing else."""
    n = n_won = n_lost = n_r = run = longest = 0
    won = won_rest = lost = lost_rest = multiple = multiple_rest = 0.0
    money = money_rest = part = part_rest = bars = 0.0
    best, worst = -np.inf, np.inf
    for i in range(len(net)):
        if is_open[i]:
            continue
        n += 1
        money, money_rest = add(net[i], money, money_rest)
        part, part_rest = add(returns[i], part, part_rest)
        bars += held[i]
        best, worst = max(best, returns[i]), min(worst, returns[i])
        if net[i] > 0.0:
            n_won += 1
            won, won_rest = add(net[i], won, won_rest)
        run = run + 1 if net[i] < 0.0 else 0
        longest = max(longest, run)
        if net[i] < 0.0:
            n_lost += 1
            lost, lost_rest = add(net[i], lost, lost_rest)
        if not np.isnan(in_r[i]):
            n_r += 1
            multiple, multiple_rest = add(in_r[i], multiple, multiple_rest)
    won, lost = won + won_rest, lost + lost_rest
    return Traded(
        n,
        len(net) - n,
        n_won,
        won,
        lost,
        (multiple + multiple_rest) / n_r if n_r else np.nan,
        (money + money_rest) / n if n else np.nan,
        won / n_won if n_won else np.nan,
        lost / n_lost if n_lost else np.nan,
        (part + part_rest) / n if n else np.nan,
        best if n else np.nan,
        worst if n else np.nan,
        bars / n if n else np.nan,
        longest,
    )


@njit
def longest_run(flags: Flags) -> int:
    """Count the longest run of consecutive true flags, 0 without any."""
    run = longest = 0
    for flag in flags:
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest
