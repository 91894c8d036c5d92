"""``wb.sweep``: one strategy with many parameter sets over the same bars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Unpack

from workbench.engine.fitting import AnyBars, bars_by_instrument, check_arguments
from workbench.errors import ExpressionError, StrategyError
from workbench.jit import sources_hash
from workbench.research.backtest import backtest, surroundings_hash
from workbench.research.ground import Ground
from workbench.research.sweep.cluster import client_of, in_cluster
from workbench.research.sweep.executors import in_threads
from workbench.research.sweep.kept import Kept
from workbench.research.sweep.progress import watched
from workbench.research.sweep.run import Batch, Row, ground_of
from workbench.research.sweep.sets import Space
from workbench.research.sweep.settings import Chosen, Settings, chosen
from workbench.research.sweep.space import Set, levels_of, sets_of
from workbench.research.sweep.table import Sweep, checked_names
from workbench.strategy import Strategy

#: Sets whose strategies are made, and whose expressions are shared, together.
BATCH = 2048


def sweep(
    strategy: Strategy,
    bars: AnyBars,
    parameters: Mapping[str, Iterable[Any]],
    rank_by: str = "sharpe_ann",
    **settings: Unpack[Settings],
) -> Sweep:
    """Run a strategy with every set of some parameters.

    Each row is what ``wb.backtest`` gives for that set, to the last bit.

    Parameters
    ----------
    strategy : Strategy
        The one that is varied; its own values of what is swept do not matter.
    bars : Bars or mapping of str to Bars
        As for ``wb.backtest``.
    parameters : mapping of str to values
        A ``$name`` of the expressions (without the sign) or a field of the strategy, ``"sizing.frac"`` for a setting of
        its sizing, each with the values to try.
    rank_by : str
        The statistic that orders the table, highest first; with a minus before it, lowest first.
    **settings
        See ``Settings``: ``initial_cash``, ``costs``, ``start``, ``statistics``, ``where``, ``sample``, ``method``,
        ``seed``, ``workers``, ``executor``, ``keep``, ``progress``.

    Returns
    -------
    Sweep

    Raises
    ------
    ConfigError
        The arguments do not fit each other; says what and how to fix it.
    StrategyError, ExpressionError
        A set contradicts itself; names it. ``where`` can rule it out.
    """
    how = chosen(settings)
    check_arguments(strategy, how.initial_cash, how.costs)
    names = checked_names(rank_by, how.statistics)
    data = bars_by_instrument(strategy, bars)
    levels = levels_of(parameters)
    space = Space(strategy, levels)
    sets = sets_of(levels, how.where, how.sample, how.method, how.seed)
    cash = float(how.initial_cash)
    # Rows are statistics: they depend on how those are computed, too.
    key = f"{surroundings_hash(data, how.costs, cash, how.start)}_{sources_hash('research')[:8]}"
    kept = Kept(how.keep, strategy.name, key)
    work = Work(space, sets, ground_of(data), how, kept, names)
    rows = work.rows()
    again = partial(backtest, bars=bars, initial_cash=cash, costs=how.costs, start=how.start)
    return Sweep(space, sets, rows, rank_by, names, again)


class Work:
    """The sets that are still to be run, in batches.

    Parameters
    ----------
    space : Space
        Makes strategies.
    sets : sequence of Set
        All of them.
    ground : Ground
        Of the bars.
    how : Chosen
        Settings.
    kept : Kept
        Where finished rows are and go.
    names : sequence of str
        Statistics that are asked for.
    """

    def __init__(
        self, space: Space, sets: Sequence[Set], ground: Ground, how: Chosen, kept: Kept, names: Sequence[str]
    ) -> None:
        self.space, self.sets, self.ground, self.how = space, sets, ground, how
        self.kept, self.names = kept, names
        self.client = client_of() if how.executor == "dask" else None

    def rows(self) -> list[Row]:
        """One row a set, in their order; those that were kept are not run again."""
        done: dict[int, Row] = {}
        with watched(len(self.sets), self.how.progress) as tick, self.kept.writing():
            for first in range(0, len(self.sets), BATCH):
                numbers = range(first, min(first + BATCH, len(self.sets)))
                done |= self._batch(numbers, tick)
        return [done[i] for i in range(len(self.sets))]

    def _batch(self, numbers: Sequence[int], tick: Callable[[], None]) -> dict[int, Row]:
        keys = {i: self.space.key_of(self._named(i)) for i in numbers}
        done = {i: row for i, key in keys.items() if (row := self.kept.row(key, self.names)) is not None}
        for _ in done:
            tick()
        left = [i for i in numbers if i not in done]
        for j, row in self._run(left):
            done[left[j]] = row
            self.kept.add(keys[left[j]], row)
            tick()
        return done

    def _run(self, numbers: Sequence[int]) -> Iterator[tuple[int, Row]]:
        """Rows as they finish, with their place in ``numbers``."""
        if not numbers:
            return iter(())
        if self.client is not None:
            made = [self._strategy(i) for i in numbers]
            return in_cluster(self.client, made, self.ground.data, self.how, self.names)
        made = [self._strategy(i, compiles=False) for i in numbers]
        try:
            batch = Batch(made, self.ground, self.how, self.names)
        except ExpressionError:
            for i in numbers:  # compiled one by one they say which of them it is
                self._strategy(i)
            raise
        return in_threads(batch.row, range(len(numbers)), self.how.workers)

    def _named(self, i: int) -> dict[str, Any]:
        return dict(zip(self.space.names, self.sets[i], strict=True))

    def _strategy(self, i: int, compiles: bool = True) -> Strategy:
        named = self._named(i)
        try:
            return self.space.strategy_of(named, compiles)
        except (StrategyError, ExpressionError) as error:
            said = ", ".join(f"{name}={value!r}" for name, value in named.items())
            message = f"the set {said} makes no strategy: {error}\nLeave it out with where=…"
            raise StrategyError(message) from error
