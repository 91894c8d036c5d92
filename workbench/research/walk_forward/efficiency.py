"""How much of what training promised was left out of sample, and why that cannot always be said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.research.stats import Statistic

#: Statistics that grow with the number of sessions: of windows of unequal length they cannot be compared.
GROW = frozenset((
    "n_sessions", "initial_cash", "final_equity", "total_return_frac", "max_drawdown_frac",
    "longest_drawdown_sessions", "lowest_cash", "turnover", "charges", "n_fills", "n_trades", "n_open_trades",
    "best_session_frac", "worst_session_frac", "best_trade_frac", "worst_trade_frac", "max_losses_in_a_row",
))  # fmt: skip


def efficiency_of(rank_by: str, in_sample: Sequence[float], out_of_sample: Statistic) -> tuple[float | None, str]:
    """The statistic out of sample over the mean of those in sample (after Pardo, 2008, ch. 11).

    Parameters
    ----------
    rank_by : str
        The statistic.
    in_sample : sequence of float
        Of the chosen set of each fold, NaN where none was chosen.
    out_of_sample : float or None
        Of the whole account out of sample.

    Returns
    -------
    (float or None, str)
        1 is all of it, below 0 is a loss of what was a gain; None with the reason in words.
    """
    name = rank_by.removeprefix("-")
    if name in GROW:
        return None, f"{name} grows with the length of a window, so that training and test do not compare"
    chosen = [value for value in in_sample if not np.isnan(value)]
    if not chosen:
        return None, "no fold chose a set"
    if not isinstance(out_of_sample, (int, float)):
        return None, f"{name} is undefined out of sample"
    mean = float(np.mean(chosen))
    if mean <= 0.0:
        return None, f"the mean {name} in sample is {mean:.4g}; of what was no gain nothing can be kept"
    return float(out_of_sample) / mean, ""
