"""``wb.staged_search``: choose group by group in sample, lock, and try what is locked once out of sample."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from workbench.engine.fitting import AnyBars, bars_by_instrument, check_arguments
from workbench.errors import ConfigError
from workbench.market.bars import Bars
from workbench.research.backtest import backtest
from workbench.research.staged_search.answer import Stage, StagedSearch
from workbench.research.staged_search.groups import Group, groups_of, key_of
from workbench.research.staged_search.openings import opened
from workbench.research.staged_search.split import split_of
from workbench.research.staged_search.trials import n_distinct
from workbench.research.sweep import Sweep, sweep
from workbench.research.sweep.settings import Settings, chosen
from workbench.research.sweep.space import Where, sets_of
from workbench.research.sweep.table import checked_names
from workbench.research.walk_forward.settings import CHOICES
from workbench.strategy import Strategy

#: A stage tries all of its sets.
REFUSED = ("sample", "method", "seed")


def staged_search(
    strategy: Strategy,
    bars: AnyBars,
    stages: Sequence[tuple[str, Mapping[str, Iterable[Any]] | Sequence[Mapping[str, Any]]]],
    rank_by: str = "sharpe_ann",
    in_sample_frac: float = 0.7,
    choose: str = "best",
    **settings: Unpack[Settings],
) -> StagedSearch:
    """Choose groups of parameters one after the other in sample; run what is locked once out of sample.

    The bars are cut at the split before anything is computed, and every stage is a sweep over the first part. Each
    stage begins with what the ones before it have locked. The last part is run once, at the very end, by the locked
    strategy alone, its indicators warmed by the bars before.

    Parameters
    ----------
    strategy : Strategy
        Where the search begins: parameters have its values until their stage.
    bars : Bars or mapping of str to Bars
        As for ``wb.backtest``.
    stages : sequence of (str, parameters)
        Name and parameters of each stage, in the order in which they are locked. Parameters are values by name, as for
        ``wb.sweep``, of which all combinations are tried; or a list of sets, ``{name: value}`` each, whose values
        belong together. A parameter may come again in a later stage.
    rank_by : str
        The statistic that chooses, highest first; with a minus before it, lowest first.
    in_sample_frac : float
        Fraction of the sessions that choosing may see.
    choose : {"best", "plateau"}
        The set with the best statistic, or the one whose worst neighbour is best. Of equal ones the first.
    **settings
        Those of ``wb.sweep`` without ``sample``, ``method`` and ``seed``. ``where`` may name the parameters of all
        stages and every ``$name``: those that a stage does not vary have their locked values. ``start`` is a date.

    Returns
    -------
    StagedSearch

    Raises
    ------
    ConfigError
        The arguments do not fit each other, there are too few sessions, or a stage has no set whose statistic is
        defined; says which.
    StrategyError, ExpressionError
        A set contradicts itself; names it.
    """
    refused = [name for name in REFUSED if name in settings]
    if refused:
        raise ConfigError(f"staged_search takes no {refused[0]!r}: a stage tries all of its sets, so that they count.")
    how = chosen(settings)
    check_arguments(strategy, how.initial_cash, how.costs)
    checked_names(rank_by, how.statistics)
    if choose not in CHOICES:
        raise ConfigError(f"choose={choose!r} does not exist; it is one of {', '.join(CHOICES)}.")
    groups = groups_of(stages, strategy)
    data = bars_by_instrument(strategy, bars)
    split = split_of(data, how.start, in_sample_frac)
    known = split.known(data)
    search = Search(known, groups, (rank_by, choose), how.where, settings)
    done = search.stages(strategy)
    locked = done[-1].strategy
    cash, begins = float(how.initial_cash), f"{split.out_of_sample_start:%Y-%m-%d}"
    inside = backtest(locked, known, cash, how.costs, how.start)
    outside = backtest(locked, data, cash, how.costs, begins)
    return StagedSearch(
        given=strategy, strategy=locked, stages=done, rank_by=rank_by, choose=choose, where=how.where,
        in_sample_frac=float(in_sample_frac), split=split, in_sample=inside, out_of_sample=outside,
        n_openings=opened(how.keep, outside),
    )  # fmt: skip


class Search:
    """The stages, one after the other, over the bars that choosing may see and no others.

    Parameters
    ----------
    known : mapping of str to Bars
        In sample.
    groups : sequence of Group
        The stages as they were asked for.
    rule : (str, str)
        The statistic that ranks, and how it chooses.
    where : str or callable, optional
        Which sets make sense.
    settings : Settings
        Of the sweeps.
    """

    def __init__(self, known: Mapping[str, Bars], groups: Sequence[Group], rule: tuple[str, str], where: Where,
                 settings: Settings) -> None:  # fmt: skip
        self.known, self.groups, self.where = known, groups, where
        self.rank_by, self.choose = rule
        self.settings: dict[str, Any] = {name: value for name, value in settings.items() if name != "where"}
        self.names = list(dict.fromkeys(name for group in groups for name in group.levels))

    def stages(self, strategy: Strategy) -> tuple[Stage, ...]:
        """Lock one group after the other."""
        done: list[Stage] = []
        for group in self.groups:
            done.append(self._stage(group, done[-1].strategy if done else strategy))
        return tuple(done)

    def _stage(self, group: Group, locked: Strategy) -> Stage:
        tried = group.sets(locked, self.names, self.where)
        keys = {key_of(one) for one in tried}

        def is_tried(**named: Any) -> bool:
            return key_of(tuple(named[name] for name in group.levels)) in keys

        found = sweep(locked, self.known, group.levels, self.rank_by, **self.settings, where=is_tried)
        number = {key_of(one): at for at, one in enumerate(sets_of(group.levels, is_tried))}
        order = np.array([number[key_of(one)] for one in tried], np.int64)
        values, plateau = self._values(found)
        at = self._best(group, plateau if self.choose == "plateau" else values, order)
        which = int(order[at])
        return Stage(
            name=group.name, trials=found, sets=tuple(tried), order=order, number=which,
            chosen=dict(zip(group.levels, tried[at], strict=True)), score=float(values[which]),
            plateau=float(plateau[which]), n_distinct=n_distinct(found), strategy=found.strategy(which),
        )  # fmt: skip

    def _values(self, found: Sweep) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Of each set by number the statistic that ranks, and its plateau score."""
        values = np.asarray(found.table.sort_index()[self.rank_by.removeprefix("-")], np.float64)
        return values, np.asarray(found.plateau().sort_index(), np.float64)

    def _best(self, group: Group, values: npt.NDArray[np.float64], order: npt.NDArray[np.int64]) -> int:
        """Place of the best in the order given; the first of equal ones."""
        scores = (-1.0 if self.rank_by.startswith("-") else 1.0) * values[order]
        if np.isnan(scores).all():
            name = self.rank_by.removeprefix("-")
            what = f"the plateau of {name}" if self.choose == "plateau" else name
            raise ConfigError(
                f"stage {group.name!r}: {what} is undefined in sample for each of its {len(order)} sets, so that "
                "nothing can be chosen. A set that never trades has none: look at wb.sweep over "
                f"{', '.join(group.levels)} with statistics=['n_trades'], give more bars, or rank by another statistic."
            )
        return int(np.nanargmax(scores))
