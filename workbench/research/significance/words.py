"""What the figures say, in sentences that promise nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from workbench.research.significance.answer import counted
from workbench.research.wording import formatted

if TYPE_CHECKING:
    from workbench.research.significance.bootstrap import Interval
    from workbench.research.significance.given import Given
    from workbench.research.significance.overfitting import Overfitting
    from workbench.research.significance.permutation import Shifts
    from workbench.research.significance.reality import Reality

#: Fewer sessions than these are half a year.
SHORT_SESSIONS = 120


def share(fraction: float) -> str:
    """A share as a reader says it: whole percents, and no certainty."""
    if fraction < 0.005:
        return "under 1\u202f%"
    return "over 99\u202f%" if fraction > 0.995 else f"{fraction:.0%}".replace("%", "\u202f%")


def number(value: float) -> str:
    """A ratio with two decimals and a true minus."""
    return formatted(value, "ratio")


def of_interval(sharpe: Interval, n_sessions: int, confidence_frac: float) -> Iterator[str]:
    """What the interval of the Sharpe ratio says."""
    yield (
        f"A Sharpe ratio of {number(sharpe.value)} a year over {n_sessions:,} sessions may be anything from "
        f"{number(sharpe.low)} to {number(sharpe.high)} ({share(confidence_frac)} interval)"
        f"{'; zero is among it.' if sharpe.low <= 0.0 <= sharpe.high else '.'}"
    )
    if n_sessions < SHORT_SESSIONS:
        yield f"Too short: {n_sessions} sessions; an interval this wide says little."


def of_needed(needed: float | None, n_sessions: int, confidence_frac: float) -> Iterator[str]:
    """How long the series would have to be."""
    if needed is not None and needed > n_sessions:
        yield (
            f"A ratio of this size needs some {needed:,.0f} sessions to be told from zero with "
            f"{share(confidence_frac)} confidence, were it the only trial."
        )


def of_trials(asked: Given) -> Iterator[str]:
    """How many trials were counted, and who said so."""
    if not asked.trials_said:
        yield "Counted as the only trial, because no number was given: say how many variants were tried, trials=…."
    elif asked.is_sweep and asked.n_trials > len(asked.returns):
        yield f"Returns of {len(asked.returns):,} of {asked.n_trials:,} trials are known; the others count as tried."
    if asked.n_left_out:
        yield f"{counted(asked.n_left_out, 'set')} left out of the comparison: the account fell to nothing."


def of_deflated(
    probabilistic: float | None, deflated: float | None, expected_ann: float | None, asked: Given
) -> Iterator[str]:
    """What the probabilistic and the deflated Sharpe ratio say."""
    if probabilistic is not None:
        yield f"A single trial without skill would show as much in {share(1.0 - probabilistic)} of cases."
    if deflated is None or expected_ann is None or asked.n_trials == 1:
        return
    how = "" if asked.is_sweep else ", if they were independent,"
    yield (
        f"The best of {asked.n_trials:,} trials without skill{how} is expected to show a Sharpe ratio of "
        f"{number(expected_ann)}; that the true one is above has a confidence of {share(deflated)} (deflated Sharpe)."
    )


def of_effective(effective: float | None, deflated: float | None, n_trials: int) -> Iterator[str]:
    """The same, where many trials are much alike."""
    if effective is not None and deflated is not None and effective < 0.5 * n_trials:
        yield f"They are so alike that they are worth {effective:,.1f} independent ones: with these, {share(deflated)}."


def of_overfitting(found: Overfitting) -> Iterator[str]:
    """What cross-validation says of the way of choosing."""
    yield (
        f"Chosen on one half of the sessions, the best set ends below the median of the other half in "
        f"{share(found.probability_frac)} of {found.n_combinations:,} ways of halving, and loses money in "
        f"{share(found.loss_frac)}; 50\u202f% below the median is what choosing blindly gives."
    )


def of_shifts(found: Shifts, n_trades: int, n_trials: int, best: float) -> Iterator[str]:
    """What the same trades at other times say."""
    yield (
        f"{_capital(share(found.random_frac))} of random strategies (the same {counted(n_trades, 'trade')}, moved "
        f"together by whole sessions; {found.n_shifts:,} shifts) do as well."
    )
    if n_trials > 1:
        bound = "At most " if not (found.shifted_frac >= found.gained_frac).any() else ""
        often = _capital(bound + share(best))
        yield f"{often} of random strategies with as many trials ({n_trials:,}), if these were independent, do as well."


def of_reality(found: Reality, n_sets: int) -> Iterator[str]:
    """What as many sets without skill say."""
    yield (
        f"{_capital(share(found.best_frac))} of random strategies with as many trials do as well: the best of "
        f"{counted(n_sets, 'set')} as alike as these, their long-run return set to zero. That is beside cash, not "
        "beside holding the market."
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
