"""How often intervals of a stated confidence hold the truth, on series whose truth is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.research.significance.bootstrap import bootstrap, deepest

Floats = npt.NDArray[np.float64]

#: Sharpe ratio of a session; some 0.95 a year.
SHARPE = 0.06
DEVIATION = 0.01
KINDS = ("normal", "t5", "ar0.2", "ar0.4")


def series(kind: str, sessions: int, rng: np.random.Generator) -> Floats:
    """Session returns of a known mean and deviation: normal, fat-tailed (t with 5 degrees), or autocorrelated."""
    if kind == "normal":
        shocks = rng.standard_normal(sessions)
    elif kind == "t5":
        shocks = rng.standard_t(5, sessions) / np.sqrt(5.0 / 3.0)
    else:
        phi = float(kind.removeprefix("ar"))
        drawn = rng.standard_normal(sessions) * np.sqrt(1.0 - phi * phi)
        shocks = np.empty(sessions)
        shocks[0] = rng.standard_normal()
        for t in range(1, sessions):
            shocks[t] = phi * shocks[t - 1] + drawn[t]
    return DEVIATION * (shocks + SHARPE)


def coverage(kind: str, sessions: int, repetitions: int, draws: int, confidence_frac: float = 0.9) -> dict[str, float]:
    """Share of intervals that hold the truth: of mean and Sharpe ratio, and the drawdown of another such stretch."""
    rng = np.random.default_rng(sessions)
    held = np.zeros(3)
    for seed in range(repetitions):
        found = bootstrap(series(kind, sessions, rng), confidence_frac, draws, seed)
        truths = (SHARPE * DEVIATION, SHARPE, deepest(series(kind, sessions, rng)))
        intervals = (found.mean_frac, found.sharpe, found.session_drawdown_frac)
        held += [one.low <= truth <= one.high for one, truth in zip(intervals, truths, strict=True)]
    return dict(zip(("mean", "sharpe", "drawdown"), (held / repetitions).tolist(), strict=True))
