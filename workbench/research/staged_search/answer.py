"""What a staged search returns: the stages, the locked strategy, both parts, and what they are worth."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.research.result import Result
from workbench.research.significance import Significance, significance
from workbench.research.staged_search import verdict
from workbench.research.staged_search.split import Split
from workbench.research.staged_search.trials import Trials, n_distinct
from workbench.research.sweep import Sweep
from workbench.research.sweep.space import Set, Where
from workbench.strategy import Strategy

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Stage:
    """One group of parameters: what was tried in sample, and what was locked.

    Attributes
    ----------
    name : str
        Of the stage.
    trials : Sweep
        Every set with its statistics, in sample.
    sets : tuple of Set
        The values of each, in the order in which ties are broken.
    order : int64[sets]
        Number in ``trials`` of each of ``sets``.
    number : int
        Of the chosen set in ``trials``.
    chosen : dict
        Its values by parameter.
    score : float
        Its rank statistic.
    plateau : float
        Its worst neighbour's; NaN where a neighbour's is undefined.
    n_distinct : int
        Sets that differ in what they return: different rules.
    strategy : Strategy
        What is locked after this stage.
    """

    name: str
    trials: Sweep
    sets: tuple[Set, ...]
    order: npt.NDArray[np.int64]
    number: int
    chosen: Mapping[str, Any]
    score: float
    plateau: float
    n_distinct: int
    strategy: Strategy

    def __len__(self) -> int:
        return len(self.sets)

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self.chosen.items())
        return f"Stage({self.name}: {len(self):,} sets, {self.n_distinct:,} differ; {said}, score {self.score:.4g})"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class StagedSearch:
    """What was locked stage by stage in sample, and its one run out of sample.

    Attributes
    ----------
    given : Strategy
        Where the search began.
    strategy : Strategy
        The locked winner.
    stages : tuple of Stage
        In the order in which they were locked.
    rank_by, choose : str
        The statistic that chose, and how.
    where : str, callable or None
        Which sets made sense.
    in_sample_frac : float
        Fraction of the sessions that choosing could see.
    split : Split
        The border and the dates on both sides.
    in_sample, out_of_sample : Result
        The locked winner on both parts.
    n_openings : int
        Different strategies that have been run out of sample on these bars so far, this one included; 1 where nothing
        is kept.
    """

    given: Strategy
    strategy: Strategy
    stages: tuple[Stage, ...]
    rank_by: str
    choose: str
    where: Where
    in_sample_frac: float
    split: Split
    in_sample: Result
    out_of_sample: Result
    n_openings: int

    def __len__(self) -> int:
        return len(self.stages)

    @property
    def n_trials(self) -> int:
        """Sets that were tried, in all stages together."""
        return sum(map(len, self.stages))

    @cached_property
    def n_distinct(self) -> int:
        """How many of them are different rules: those that differ in the return of any session in sample."""
        return n_distinct(*(stage.trials for stage in self.stages))

    @property
    def parity(self) -> float | None:
        """The rank statistic out of sample over that in sample; None where the signs leave that no meaning."""
        return verdict.parity_between(self)[0]

    @cached_property
    def in_sample_significance(self) -> Significance:
        """``wb.significance`` of what was locked, as one of all trials of all stages."""
        return significance(Trials(self.stages, self.rank_by), trials=self.n_trials)

    @cached_property
    def out_of_sample_significance(self) -> Significance:
        """``wb.significance`` of the one run out of sample, as one of ``n_openings`` trials."""
        return significance(self.out_of_sample, trials=self.n_openings)

    @property
    def held(self) -> bool:
        """Whether the Sharpe ratio out of sample is above zero beyond what luck explains."""
        return verdict.is_above_zero(self.out_of_sample_significance)

    @property
    def verdict(self) -> str:
        """One sentence on what the part out of sample says."""
        return verdict.verdict_of(self.out_of_sample_significance)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Everything that is to be said, in sentences."""
        return tuple(verdict.words_of(self))

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What the reader should know of the way it went."""
        return tuple(verdict.notes_of(self))

    @property
    def table(self) -> pd.DataFrame:
        """One row a stage: sets, how many differ, what was chosen, its score and its plateau score in sample."""
        name = self.rank_by.removeprefix("-")
        columns: dict[str, Any] = {
            "n_sets": [len(stage) for stage in self.stages],
            "n_distinct": [stage.n_distinct for stage in self.stages],
            "chosen": [", ".join(f"{one}={value}" for one, value in stage.chosen.items()) for stage in self.stages],
            name: [stage.score for stage in self.stages],
            f"plateau_{name}": [stage.plateau for stage in self.stages],
        }
        return pd.DataFrame(columns, index=pd.Index([stage.name for stage in self.stages], name="stage"))

    def to_toml(self, path: str | os.PathLike[str] | None = None) -> str:
        """The locked strategy as a strategy file, with a table ``[provenance]`` that says where it comes from.

        ``Strategy.from_toml`` reads it, and refuses it where the strategy in it is not the one that was locked.

        Parameters
        ----------
        path : str or path, optional
            Written there too; ends in ``.toml``.

        Returns
        -------
        str
            The text of the file. The same search gives the same text.
        """
        from workbench.research.staged_search.provenance import locked_file

        return locked_file(self, path)

    def plot(self) -> go.Figure:
        """Equity and drawdown through both parts, with a line where choosing ended."""
        from workbench.research.staged_search.figures import figure_of

        return figure_of(self)

    def __repr__(self) -> str:
        name = self.rank_by.removeprefix("-")
        inside, outside = (_short(one.stats[name]) for one in (self.in_sample, self.out_of_sample))
        stages = f"{len(self)} stage{'s' if len(self) > 1 else ''}"
        return (
            f"StagedSearch({self.given.name}: {stages}, {self.n_trials:,} trials, {self.n_distinct:,} differ; {name} "
            f"{inside} in sample, {outside} out of sample)"
        )

    def _repr_html_(self) -> str:
        from workbench.research.staged_search.figures import card_of

        return card_of(self)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else "undefined"
