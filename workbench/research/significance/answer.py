"""The answer to the question whether a result is luck: figures, words, a table, a plot."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from workbench.research.significance.bootstrap import Bootstrap, Interval
from workbench.research.significance.overfitting import Overfitting
from workbench.research.significance.permutation import Shifts
from workbench.research.significance.reality import Reality
from workbench.research.wording import formatted

if TYPE_CHECKING:
    import plotly.graph_objects as go


class Said(NamedTuple):
    """How one figure is put before a reader: title, unit, meaning."""

    title: str
    unit: str
    meaning: str


#: Every figure, in the order in which they are read.
FIGURES: dict[str, Said] = {
    "sharpe_ann": Said("Sharpe ratio", "ratio", "A year, with its interval."),
    "mean_return_ann": Said("Mean return", "frac", "Of a session, times the sessions of a year, with its interval."),
    "session_drawdown_frac": Said(
        "Deepest drawdown of closes", "frac", "With the range of it over another stretch of as many sessions."
    ),
    "probabilistic_sharpe_frac": Said(
        "Probabilistic Sharpe", "frac", "Confidence that the true ratio is above zero, were this the only trial."
    ),
    "deflated_sharpe_frac": Said(
        "Deflated Sharpe", "frac", "Confidence that it is above what the best of all trials shows by luck."
    ),
    "deflated_sharpe_effective_frac": Said(
        "The same, alike trials as one", "frac", "With the effective number of trials, from their correlation."
    ),
    "expected_best_sharpe_ann": Said("Best by luck", "ratio", "Sharpe ratio a year that the best trial shows by luck."),
    "effective_trials": Said("Effective trials", "ratio", "Independent trials that the correlated ones are worth."),
    "needed_sessions": Said("Sessions needed", "sessions", "Until a ratio of this size is above zero so surely."),
    "overfitting_frac": Said("Probability of overfitting", "frac", "Best on one half, below the median on the other."),
    "loss_frac": Said("Probability of loss", "frac", "Best on one half, below zero on the other."),
    "random_frac": Said("Random strategies as good", "frac", "Share of the same trades at other times."),
    "random_best_frac": Said("Random, as many trials", "frac", "How often the best of as many does as well."),
    "white_frac": Said("The same by mean return", "frac", "White's reality check."),
}


@dataclass(frozen=True, eq=False)
class Significance:
    """How far a result is from luck. Each figure is None where it is undefined, and ``reasons`` says why.

    Attributes
    ----------
    name : str
        What was chosen.
    n_sessions, n_trials, n_sets : int
        Sessions; variants tried; variants whose returns are known.
    confidence_frac, draws, seed, sessions_per_year
        As asked for.
    sharpe_ann, mean_return_ann, session_drawdown_frac : Interval or None
        Value, low and high: ratio a year, fraction a year, negative fraction.
    probabilistic_sharpe_frac, deflated_sharpe_frac, deflated_sharpe_effective_frac : float or None
        Probabilities.
    expected_best_sharpe_ann : float or None
        Sharpe ratio a year that the best of the trials shows by luck.
    effective_trials : float or None
        Independent trials that the correlated ones are worth.
    needed_sessions : float or None
        Sessions until a Sharpe ratio of this size is above zero with ``confidence_frac``.
    overfitting_frac, loss_frac : float or None
        Of the set that is best on one half of the sessions: below the median, below zero on the other half.
    random_frac, random_best_frac, white_frac : float or None
        Shares of random strategies that do as well: one alone, the best of as many trials, the best by mean return.
    words : tuple of str
        What the figures say, in sentences.
    reasons : mapping of str to str
        Name of an undefined figure to why.
    bootstrap, overfitting, shifts, reality : records or None
        Everything behind the figures: draws, logits, shifts.
    """

    name: str
    n_sessions: int
    n_trials: int
    n_sets: int
    confidence_frac: float
    draws: int
    seed: int
    sessions_per_year: float
    sharpe_ann: Interval | None
    mean_return_ann: Interval | None
    session_drawdown_frac: Interval | None
    probabilistic_sharpe_frac: float | None
    deflated_sharpe_frac: float | None
    deflated_sharpe_effective_frac: float | None
    expected_best_sharpe_ann: float | None
    effective_trials: float | None
    needed_sessions: float | None
    overfitting_frac: float | None
    loss_frac: float | None
    random_frac: float | None
    random_best_frac: float | None
    white_frac: float | None
    words: tuple[str, ...]
    reasons: Mapping[str, str]
    bootstrap: Bootstrap | None
    overfitting: Overfitting | None
    shifts: Shifts | None
    reality: Reality | None

    @property
    def frame(self) -> pd.DataFrame:
        """One row a figure: value, low, high (of intervals), and what it says or why it is undefined."""
        rows = []
        for name, said in FIGURES.items():
            found: Any = getattr(self, name)
            ends = (found.value, found.low, found.high) if isinstance(found, Interval) else (found, None, None)
            rows.append((*ends, self.reasons.get(name, said.meaning)))
        table = pd.DataFrame(rows, columns=["value", "low", "high", "says"], index=pd.Index(FIGURES, name="figure"))
        return table.astype({"value": "float64", "low": "float64", "high": "float64"})

    def plot(self) -> go.Figure:
        """The Sharpe ratios of all draws, with the measured one and its interval, as a plotly figure.

        Raises
        ------
        ValueError
            There are no draws; says why.
        """
        from workbench.research.significance.plot import draws_figure

        if self.sharpe_ann is None:
            raise ValueError(f"nothing to plot: {self.reasons['sharpe_ann']}")
        return draws_figure(self)

    def __repr__(self) -> str:
        head = f"Significance({self.name}: {self.n_sessions} sessions, {counted(self.n_trials, 'trial')})"
        return "\n".join([head, *(f"  {sentence}" for sentence in self.words)])

    def _repr_html_(self) -> str:
        rows = "".join(self._row(name, said) for name, said in FIGURES.items())
        sentences = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in self.words)
        title = f"{html.escape(self.name)} <span style='opacity:.65'>{self.n_sessions:,} sessions, "
        return (
            "<div style='font-variant-numeric:tabular-nums;max-width:900px'>"
            f"<div style='font-size:15px'><b>{title}{html.escape(counted(self.n_trials, 'trial'))}</span></b></div>"
            f"<ul style='margin:8px 0'>{sentences}</ul>"
            f"<details><summary style='cursor:pointer;opacity:.8'>All figures</summary><table>{rows}</table></details>"
            "</div>"
        )

    def _row(self, name: str, said: Said) -> str:
        found: Any = getattr(self, name)
        value: Any = found
        between = ""
        if isinstance(found, Interval):
            value, between = found.value, f"{formatted(found.low, said.unit)} to {formatted(found.high, said.unit)}"
        text = "style='text-align:left'"
        return (
            f"<tr title='{html.escape(name)}'><td {text}>{html.escape(said.title)}</td>"
            f"<td style='text-align:right'>{html.escape(formatted(value, said.unit))}</td>"
            f"<td>{html.escape(between)}</td>"
            f"<td {text}>{html.escape(self.reasons.get(name, said.meaning))}</td></tr>"
        )


def counted(count: int, noun: str) -> str:
    """A number and its noun, with an s unless there is one."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
