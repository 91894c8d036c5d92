"""What a staged search came to, in words that call nothing a finding which luck explains."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from workbench.research.significance.answer import counted
from workbench.research.significance.sharpe import sharpe_ratios
from workbench.research.significance.words import number, share
from workbench.research.stats import Statistic
from workbench.research.walk_forward.efficiency import GROW
from workbench.research.walk_forward.steps import BREAK_EVEN_AT_ZERO
from workbench.research.wording import wording_of, written

if TYPE_CHECKING:
    from workbench.research.result import Result
    from workbench.research.significance import Significance
    from workbench.research.staged_search.answer import StagedSearch

#: Fewer closed trades out of sample than these are a handful.
FEW_TRADES = 30


def parity_of(rank_by: str, inside: Statistic, outside: Statistic) -> tuple[float | None, str]:
    """The statistic out of sample over that in sample, where the two signs leave that a meaning.

    Returns
    -------
    (float or None, str)
        1 is all of it, below 0 a loss of what was a gain; None with the reason. Of what was no gain in sample nothing
        can be kept: the ratio of two losses would look like success.
    """
    name = rank_by.removeprefix("-")
    if rank_by.startswith("-"):
        return None, f"less {name} is better, and a ratio of what should be small says nothing"
    if name in GROW:
        return None, f"{name} grows with the number of sessions, so that the two parts do not compare"
    if not isinstance(inside, int | float) or not isinstance(outside, int | float):
        return None, f"{name} is undefined {'in' if not isinstance(inside, int | float) else 'out of'} sample"
    if inside <= 0.0:
        return None, f"{name} in sample is {_figure(name, inside)}; of what was no gain nothing can be kept"
    return float(outside) / float(inside), ""


def parity_between(found: StagedSearch) -> tuple[float | None, str]:
    """The parity of both parts, or the reason why there is none."""
    name = found.rank_by.removeprefix("-")
    return parity_of(found.rank_by, found.in_sample.stats[name], found.out_of_sample.stats[name])


def is_above_zero(outside: Significance) -> bool:
    """Whether the Sharpe ratio out of sample is above zero with its whole interval.

    Of bars that several strategies were shown, also whether it is above what the best of as many shows by luck.
    """
    sharpe, deflated = outside.sharpe_ann, outside.deflated_sharpe_frac
    if sharpe is None or not sharpe.low > 0.0:
        return False
    return outside.n_trials == 1 or (deflated is not None and deflated >= 0.5 + outside.confidence_frac / 2)


def verdict_of(outside: Significance) -> str:
    """One sentence on whether anything was found; by the Sharpe ratio out of sample, whatever ranked."""
    sharpe, sure = outside.sharpe_ann, share(outside.confidence_frac)
    if sharpe is None:
        return f"No finding: nothing can be said of the part out of sample, for {outside.reasons['sharpe_ann']}."
    between = f"anything from {number(sharpe.low)} to {number(sharpe.high)} ({sure} interval)"
    measured = f"the Sharpe ratio out of sample is {number(sharpe.value)} and may be {between}"
    if is_above_zero(outside):
        return (
            f"It held: {measured}. That is beside cash, not beside holding, and one in twenty gets as far by luck: the "
            "next test is paper trading."
        )
    if sharpe.high < 0.0:
        return f"It loses: {measured}."
    if sharpe.low > 0.0:
        tried = f"these bars have been out of sample for {outside.n_trials:,} strategies"
        return f"No finding: {measured}, but {tried}, and the best of as many does as well by luck."
    return f"No finding: {measured}; zero is among it, so that luck explains it as well as skill."


def held_sharpe(result: Result) -> float | None:
    """Sharpe ratio a year of holding the one instrument over the sessions of a result, at no cost.

    Returns
    -------
    float or None
        None for several instruments, and where prices hardly moved.
    """
    if len(result.bars) > 1:
        return None
    bars = next(iter(result.bars.values()))
    dates = bars.grid.sessions.date[bars.grid.session[bars.at]]
    last = np.append(dates[1:] != dates[:-1], True)
    closes, dates = bars.close[last], dates[last]
    first = int(np.searchsorted(dates, result.sessions.date[0]))
    kept = closes[max(first - 1, 0) :]
    ratio = float(sharpe_ratios((kept[1:] / kept[:-1] - 1.0)[None, :])[0]) if len(kept) > 2 else math.nan
    return None if math.isnan(ratio) else ratio * math.sqrt(float(bars.calendar.sessions_per_year))


def words_of(found: StagedSearch) -> Iterator[str]:
    """All that is to be said: how much was tried, what was left of it, how far it is from luck."""
    name, outside = found.rank_by.removeprefix("-"), found.out_of_sample_significance
    title = wording_of(name).title
    yield (
        f"{counted(found.n_trials, 'trial')} in {counted(len(found.stages), 'stage')}, of which "
        f"{found.n_distinct:,} differ."
    )
    ends = [_figure(name, one.stats[name]) for one in (found.in_sample, found.out_of_sample)]
    yield f"{title} of what was locked: {ends[0]} in sample, {ends[1]} out of sample."
    parity, why = parity_between(found)
    yield f"The parity is undefined: {why}." if parity is None else f"The parity is {number(parity)}."
    yield verdict_of(outside)
    holding = held_sharpe(found.out_of_sample)
    if holding is not None:
        instrument = next(iter(found.out_of_sample.bars))
        yield f"Holding {instrument} over the same sessions has a Sharpe ratio of {number(holding)}."
    if found.n_openings > 1:
        yield (
            f"{found.n_openings:,} different strategies have been run out of sample on these bars by now, so that they "
            f"choose too: that the Sharpe ratio is above the best of as many by luck has a confidence of "
            f"{'–' if outside.deflated_sharpe_frac is None else share(outside.deflated_sharpe_frac)}."
        )
    trades = found.out_of_sample.stats["n_trades"]
    if isinstance(trades, int) and trades < FEW_TRADES:
        yield f"Out of sample there are {counted(trades, 'closed trade')}: a handful."
    inside = found.in_sample_significance
    if inside.deflated_sharpe_frac is not None and inside.expected_best_sharpe_ann is not None and found.n_trials > 1:
        yield (
            f"In sample the best of {found.n_trials:,} trials without skill is expected to show a Sharpe ratio of "
            f"{number(inside.expected_best_sharpe_ann)}; that the true one is above has a confidence of "
            f"{share(inside.deflated_sharpe_frac)} (deflated Sharpe)."
        )
    yield from found.notes


def notes_of(found: StagedSearch) -> Iterator[str]:
    """What the reader should know of the way it went."""
    name, less = found.rank_by.removeprefix("-"), found.rank_by.startswith("-")
    before: float | None = None
    for stage in found.stages:
        worse = before is not None and (stage.score > before if less else stage.score < before)
        if before is not None and worse:
            yield (
                f"Stage {stage.name!r} ends worse than the one before it ({_figure(name, stage.score)} after "
                f"{_figure(name, before)}): the values that it replaced are not among its sets."
            )
        before = stage.score
    if name in BREAK_EVEN_AT_ZERO and not less and before is not None and before < 0.0:
        yield f"What was locked lost in sample ({name} {_figure(name, before)}): the best of a bad lot."
    if found.in_sample.stats["n_open_trades"]:
        yield (
            "A position was open where in sample ends: it counts there at its last close, without the cost of leaving. "
            "Out of sample begins in cash."
        )


def _figure(name: str, value: Statistic) -> str:
    return written(name, value)
