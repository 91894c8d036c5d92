"""``wb.significance``: how far a result, or the best of a sweep, is from luck."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.errors import ConfigError
from workbench.research.curve import FloatArray, is_flat
from workbench.research.significance import words
from workbench.research.significance.answer import Significance, counted
from workbench.research.significance.bootstrap import MIN_SESSIONS, Bootstrap, Interval, bootstrap
from workbench.research.significance.given import Given, given
from workbench.research.significance.overfitting import (
    MAX_BLOCKS,
    MIN_BLOCK_SESSIONS,
    MIN_BLOCKS,
    Overfitting,
    blocks_for,
    overfitting,
)
from workbench.research.significance.permutation import MIN_TRADES, Shifts, shifted
from workbench.research.significance.reality import Reality, reality_check
from workbench.research.significance.sharpe import (
    deflated_sharpe,
    effective_trials,
    expected_best,
    needed_sessions,
    probabilistic_sharpe,
    shape_of,
    sharpe_ratios,
)

#: A return that is only the rounding of long sums of money.
ROUNDING = 1e-12

Figures = dict[str, Any]
Reasons = dict[str, str]

_INTERVALS = ("sharpe_ann", "mean_return_ann", "session_drawdown_frac")
_RATIOS = (
    "probabilistic_sharpe_frac", "deflated_sharpe_frac", "deflated_sharpe_effective_frac", "expected_best_sharpe_ann",
    "effective_trials", "needed_sessions",
)  # fmt: skip
_OVERFITTING = ("overfitting_frac", "loss_frac")
_RANDOM = ("random_frac", "random_best_frac", "white_frac")


def significance(
    tested: Any,
    trials: int | None = None,
    *,
    confidence_frac: float = 0.9,
    draws: int = 2000,
    seed: int = 1,
    blocks: int = 16,
    sessions_per_year: float | None = None,
) -> Significance:
    """How far a result, or the best of a sweep, is from luck.

    Intervals by stationary block bootstrap; the Sharpe ratio beside what the best of as many trials shows by luck;
    of a sweep, the probability that choosing its best is overfitting, and how often the best of as many sets without
    skill does as well; of a result, how often its own trades do as well at other times.

    Parameters
    ----------
    tested : Result, sweep, Series or DataFrame
        A table holds session returns, a row a session and a column a set.
    trials : int, optional
        Variants tried in all, also those that nobody sees any more: 1 of a result, the number of sets of a sweep.
    confidence_frac : float
        Of the intervals; 0.9 misses the truth one time in ten.
    draws : int
        Resamplings, and the most shifts of trades.
    seed : int
        Of the random numbers: the same seed gives the same answer.
    blocks : int
        Blocks of the cross-validation, even; fewer are taken where the data is too short, and the words say so.
    sessions_per_year : float, optional
        By default the calendar's; 252 for a table.

    Returns
    -------
    Significance

    Raises
    ------
    ConfigError
        Something asked for makes no sense; says what and how to fix it.

    Examples
    --------
    >>> wb.significance(result, trials=40).words  # doctest: +SKIP
    """
    _check(confidence_frac, draws, seed, blocks)
    asked = given(tested, trials, sessions_per_year)
    reasons: Reasons = {}
    figures: Figures = dict.fromkeys((*_INTERVALS, *_RATIOS, *_OVERFITTING, *_RANDOM))
    parts: Figures = dict.fromkeys(("bootstrap", "overfitting", "shifts", "reality"))
    said = list(words.of_trials(asked))
    why = _unusable(asked)
    if why:
        reasons = dict.fromkeys(figures, why)
        said.insert(0, f"Nothing can be said: {why}.")
    else:
        said = [
            *_intervals(asked, (confidence_frac, draws, seed), (figures, parts), reasons),
            *_ratios(asked, confidence_frac, figures, reasons),
            *_halves(asked, blocks, (figures, parts), reasons),
            *_chance(asked, draws, seed, (figures, parts), reasons),
            *said,
        ]
    return Significance(
        name=asked.name, n_sessions=asked.returns.shape[1], n_trials=asked.n_trials, n_sets=len(asked.returns),
        confidence_frac=confidence_frac, draws=draws, seed=seed, sessions_per_year=asked.sessions_per_year,
        words=tuple(said), reasons=reasons, **figures, **parts,
    )  # fmt: skip


def _check(confidence_frac: float, draws: int, seed: int, blocks: int) -> None:
    if not 0.5 <= confidence_frac < 1.0:
        raise ConfigError(f"confidence_frac={confidence_frac!r} is a fraction from 0.5 to below 1, such as 0.9.")
    if not 100 <= draws <= 1_000_000:
        raise ConfigError(f"draws={draws!r} is a number from 100, such as 2000: fewer make an interval jump.")
    if not 0 <= seed < 2**63:
        raise ConfigError(f"seed={seed!r} is a whole number from 0.")
    if blocks % 2 or not MIN_BLOCKS <= blocks <= MAX_BLOCKS:
        raise ConfigError(f"blocks={blocks!r} is an even number from {MIN_BLOCKS} to {MAX_BLOCKS}, such as 16.")


def _unusable(asked: Given) -> str:
    """Why no figure at all can be computed; empty where some can."""
    returns = asked.own
    if not np.isfinite(returns).all():
        return "the account fell to nothing or into debt, after which a return is no number"
    if len(returns) < MIN_SESSIONS:
        return f"there are {len(returns)} sessions, and fewer than {MIN_SESSIONS} say nothing"
    moved = int(np.count_nonzero(np.abs(returns) > ROUNDING))
    if 0 < moved < MIN_SESSIONS:
        often = counted(moved, "session")
        return f"the account moved in {often} of {len(returns)}, and fewer than {MIN_SESSIONS} say nothing"
    if is_flat(returns):
        return "every session returned the same, so that there is no deviation to compare with"
    return ""


def _intervals(
    asked: Given, how: tuple[float, int, int], into: tuple[Figures, Figures], reasons: Reasons
) -> Iterator[str]:
    figures, parts = into
    found: Bootstrap = bootstrap(asked.own, *how)
    year = asked.sessions_per_year
    parts["bootstrap"] = found
    figures["sharpe_ann"] = _times(found.sharpe, math.sqrt(year))
    figures["mean_return_ann"] = _times(found.mean_frac, year)
    figures["session_drawdown_frac"] = found.session_drawdown_frac
    for name in _INTERVALS:
        if not figures[name].is_finite:
            figures[name] = None
            reasons[name] = "the sessions vary too little for an error to be measured"
    if figures["sharpe_ann"] is not None:
        yield from words.of_interval(figures["sharpe_ann"], len(asked.own), how[0])


def _times(found: Interval, factor: float) -> Interval:
    return Interval(found.value * factor, found.low * factor, found.high * factor)


def _ratios(asked: Given, confidence_frac: float, figures: Figures, reasons: Reasons) -> Iterator[str]:
    shape = shape_of(asked.own)
    root = math.sqrt(asked.sessions_per_year)
    if shape.spread <= 0.0:
        for name in _RATIOS:
            reasons[name] = "the returns are so skewed that the error of the ratio cannot be approximated"
        return
    # Of trials that nobody kept, the spread is taken to be that of independent ones without skill.
    variance, effective = 1.0 / (shape.n_sessions - 1), None
    ratios = sharpe_ratios(asked.returns)
    trading = ~np.isnan(ratios)
    if np.count_nonzero(trading) > 1:
        variance = float(np.var(ratios[trading], ddof=1))
        # Trials without a row are as alike as those with one.
        effective = effective_trials(asked.returns[trading]) * asked.n_trials / np.count_nonzero(trading)
        figures["effective_trials"] = effective
        figures["deflated_sharpe_effective_frac"] = deflated_sharpe(shape, effective, variance)
    else:
        for name in ("effective_trials", "deflated_sharpe_effective_frac"):
            reasons[name] = "there are no returns of other trials to compare with"
    figures["probabilistic_sharpe_frac"] = probabilistic_sharpe(shape)
    figures["deflated_sharpe_frac"] = deflated_sharpe(shape, asked.n_trials, variance)
    figures["expected_best_sharpe_ann"] = expected_best(asked.n_trials, variance) * root
    figures["needed_sessions"] = needed_sessions(shape, confidence_frac)
    if figures["needed_sessions"] is None:
        reasons["needed_sessions"] = "the ratio is not above zero: no length would do"
    yield from words.of_needed(figures["needed_sessions"], shape.n_sessions, confidence_frac)
    yield from words.of_deflated(
        figures["probabilistic_sharpe_frac"],
        figures["deflated_sharpe_frac"],
        figures["expected_best_sharpe_ann"],
        asked,
    )
    yield from words.of_effective(effective, figures["deflated_sharpe_effective_frac"], asked.n_trials)


def _halves(
    asked: Given, wanted: int, into: tuple[Figures, Figures], reasons: Reasons
) -> Iterator[str]:
    n = asked.returns.shape[1]
    blocks = blocks_for(n, wanted)
    if not asked.is_sweep or blocks is None:
        short = f"{n} sessions do not make {MIN_BLOCKS} blocks of {MIN_BLOCK_SESSIONS}"
        for name in _OVERFITTING:
            reasons[name] = short if asked.is_sweep else "one result was not chosen from others that are known"
        if asked.is_sweep:
            yield f"Whether choosing overfits cannot be said: {short}."
        return
    found: Overfitting = overfitting(asked.returns, blocks)
    into[1]["overfitting"] = found
    into[0]["overfitting_frac"], into[0]["loss_frac"] = found.probability_frac, found.loss_frac
    yield from words.of_overfitting(found)
    if asked.ranked_by not in ("", "sharpe_ann"):
        yield f"There, sets are chosen by Sharpe ratio, not by {asked.ranked_by}."
    if blocks < wanted:
        yield f"{blocks} blocks, not {wanted}: with {n} sessions a block would hold fewer than {MIN_BLOCK_SESSIONS}."


def _chance(
    asked: Given, draws: int, seed: int, into: tuple[Figures, Figures], reasons: Reasons
) -> Iterator[str]:
    figures, parts = into
    if asked.is_sweep:
        reasons["random_frac"] = "of a sweep, the best is compared with the best of as many"
        trading = np.array([not is_flat(row) for row in asked.returns])
        rows: FloatArray = asked.returns[trading]
        found: Reality = reality_check(rows, int(np.count_nonzero(trading[: asked.chosen])), draws, seed)
        parts["reality"] = found
        figures["random_best_frac"], figures["white_frac"] = found.best_frac, found.white_frac
        yield from words.of_reality(found, len(rows))
        return
    reasons["white_frac"] = "the returns of the other trials are not known"
    result = asked.result
    if result is None:
        reasons["random_frac"] = reasons["random_best_frac"] = "there are returns and no trades"
        return
    if len(result.trades) < MIN_TRADES:
        why = f"fewer than {MIN_TRADES} trades have no timing to judge"
        reasons["random_frac"] = reasons["random_best_frac"] = why
        yield f"Nothing is said of its timing: {why}."
        return
    shifts: Shifts = shifted(result, draws, seed)
    parts["shifts"] = shifts
    best = 1.0 - (1.0 - shifts.random_frac) ** asked.n_trials
    figures["random_frac"], figures["random_best_frac"] = shifts.random_frac, best
    yield from words.of_shifts(shifts, len(result.trades), asked.n_trials, best)
