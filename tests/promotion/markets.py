"""Made-up bars with an edge that is there, or not: what a promotion is tried on."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from workbench.market.bars import Bars
from workbench.market.samples import synthetic


@lru_cache(maxsize=8)
def _grid(begin: str, end: str, timeframe: str) -> Bars:
    return synthetic(seed=1, start=begin, end=end, timeframe=timeframe)


def made(closes: np.ndarray, like: Bars, seed: int, wick_frac: float = 0.0005) -> Bars:
    """Bars whose closes are given; each opens where the last one closed."""
    chance = np.random.default_rng([seed, 7])
    opens = np.concatenate([closes[:1], closes[:-1]])
    high = np.maximum(opens, closes) * (1 + wick_frac * chance.random(len(closes)))
    low = np.minimum(opens, closes) * (1 - wick_frac * chance.random(len(closes)))
    frame = pd.DataFrame(
        {"open": opens, "high": high, "low": low, "close": closes, "volume": 1e5}, index=like.index
    )  # fmt: skip
    return Bars(frame, like.timeframe, like.calendar, "synthetic", max_jump_ratio=10.0)


def reverting(
    seed: int, begin: str = "2022-01-01", end: str = "2023-12-31", timeframe: str = "15m", pull: float = 0.12,
    noise: float = 0.006, drift: float = 0.0004, until_frac: float = 1.0,
) -> Bars:  # fmt: skip
    """Prices that are pulled back to a level which wanders; from a part of the bars on they wander only."""
    like = _grid(begin, end, timeframe)
    chance, n = np.random.default_rng(seed), len(like)
    level = np.cumsum(chance.normal(0.0, drift, n))
    away, x = np.empty(n), 0.0
    shocks = chance.normal(0.0, noise, n)
    last = int(n * until_frac)
    for i in range(n):
        x = (1.0 - pull) * x + shocks[i] if i < last else x + shocks[i]
        away[i] = x
    return made(500.0 * np.exp(level + away), like, seed)


def trending(
    seed: int, begin: str = "2022-01-01", end: str = "2023-12-31", timeframe: str = "15m", noise: float = 0.002,
    push: float = 0.0012, length: int = 120,
) -> Bars:  # fmt: skip
    """Prices that go one way for a while, then the other."""
    like = _grid(begin, end, timeframe)
    chance, n = np.random.default_rng(seed), len(like)
    turns = np.cumsum(chance.random(n) < 1.0 / length) % 2
    steps = np.where(turns == 0, push, -push * 0.8) + chance.normal(0.0, noise, n)
    return made(500.0 * np.exp(np.cumsum(steps)), like, seed)


def walking(seed: int, begin: str = "2022-01-01", end: str = "2023-12-31", timeframe: str = "15m") -> Bars:
    """Prices in which nothing can be predicted."""
    return synthetic(seed=seed, start=begin, end=end, timeframe=timeframe)
