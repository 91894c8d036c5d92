"""Stage 6: whether it is good enough, more than luck, and lasts beyond the bars it was made on.

Sharpe ratio with its interval and deflated for the number of trials, win rate, alpha against holding the instruments,
and the part held out, on which nothing was chosen. Whether the held-out part is worse than luck allows is asked of a
mean of as many sessions, drawn again in blocks from the research part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from workbench.market.bars import Bars
from workbench.promotion.case import Case
from workbench.promotion.checks import Check, above, at_least, at_most, number
from workbench.promotion.draws import drawn_sessions
from workbench.research.significance import significance
from workbench.research.significance.answer import Significance


def checks(case: Case) -> Iterator[Check]:
    """Ask all of them."""
    asked, stats, luck = case.settings.performance, case.result.stats, _luck(case)
    fewer = "Look for a stronger edge; docs/promotion.md says what usually helps."
    yield at_least("sharpe", number(stats["sharpe_ann"]), asked.min_sharpe_ann, fewer)
    low = None if luck.sharpe_ann is None else luck.sharpe_ann.low
    interval = f"Give more bars: with {100 * luck.confidence_frac:g} % it may as well be 0."
    yield above("sharpe_low", low, 0.0, interval)
    yield at_least(
        "deflated_sharpe", luck.deflated_sharpe_frac, asked.min_deflated_sharpe_frac,
        f"The best of {asked.trials:,} trials without skill does as well too often: try fewer, on more bars.",
    )  # fmt: skip
    yield at_least("win_rate", number(stats["win_rate_frac"]), asked.min_win_rate_frac, "Take profits sooner, or use "
                   "a style that asks for less, such as settings='trend'.", "%")  # fmt: skip
    against = case.result.statistics(benchmark=held(case.research))
    alpha = number(against["alpha_ann"])
    yield above("alpha", alpha, asked.min_alpha_ann, "Holding the instruments does as well.", "%")
    out = case.held_out_result.stats
    yield above("held_out_sharpe", number(out["sharpe_ann"]), asked.min_held_out_sharpe_ann, "What was found in the "
                "research bars is not in the ones held out.")  # fmt: skip
    yield at_most("decay", decay(case), asked.max_decay_frac, "The held-out part is worse than chance explains: the "
                  "strategy fits the research bars alone.", "%")  # fmt: skip


def figures(case: Case) -> Iterator[Any]:
    """Beside luck, and the part held out."""
    yield _luck(case)
    yield case.held_out_result


def _luck(case: Case) -> Significance:
    asked = case.settings.performance
    return case.once(
        "luck",
        lambda: significance(case.result, asked.trials, confidence_frac=asked.confidence_frac, seed=asked.seed),
    )


def decay(case: Case) -> float | None:
    """How sure one is that the held-out sessions are worse than those of research: 0.5 where they are alike.

    The part of stretches of research, as long as the part held out and drawn again in blocks, that returned more a
    session than the part held out did. None where an account lost everything.
    """
    ours, theirs = case.result.sessions.returns, case.held_out_result.sessions.returns
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all() and len(theirs)):
        return None
    drawn = drawn_sessions(ours, len(theirs), case.settings.risk.draws, case.settings.performance.seed)
    return float((drawn.mean(axis=1) > theirs.mean()).mean())


def held(data: Mapping[str, Bars]) -> pd.Series[float]:
    """The value of holding every instrument from its first bar, equal parts of the money, by session."""
    closes = {}
    for name, item in data.items():
        days = pd.DatetimeIndex(item.grid.sessions.date[item.grid.session[item.at]].astype("datetime64[D]"))
        last = pd.Series(item.close, index=days).groupby(level=0).last()
        closes[name] = last / item.open[0]
    # One that is not listed yet, or not any more, is held as money.
    return pd.DataFrame(closes).ffill().fillna(1.0).mean(axis=1).rename("holding")
