"""The stages as they are asked for: which parameters each chooses, and which sets of them it tries (pure)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.errors import ConfigError
from workbench.research.sweep.sets import Space
from workbench.research.sweep.space import Set, Where, levels_of, sets_of
from workbench.strategy import Strategy

#: Sets that belong together are run as those of all combinations of their values; of more than so many it takes long.
LARGEST_LINKED = 1_000_000

_ASKED = (
    'stages is a list of (name, parameters) in the order in which they are locked: [("threshold", {"threshold": '
    '[1, 2, 3]}), ("weights", [{"w_5m": 1, "w_1h": 2}, {"w_5m": 2, "w_1h": 1}])].'
)


@dataclass(frozen=True)
class Group:
    """The parameters of one stage and what they may be.

    Attributes
    ----------
    name : str
        Of the stage.
    levels : dict of str to tuple
        Values by parameter, in the order given.
    linked : tuple of Set, or None
        Sets whose values belong together, in the order given; None: every combination of ``levels``.
    """

    name: str
    levels: dict[str, tuple[Any, ...]]
    linked: tuple[Set, ...] | None = None

    def sets(self, locked: Strategy, others: Iterable[str], where: Where) -> list[Set]:
        """The sets that are tried, in the order in which ties are broken.

        Parameters
        ----------
        locked : Strategy
            What the stages before have come to; a condition may name its values too.
        others : iterable of str
            Parameters of all stages.
        where : str or callable, optional
            Which sets make sense, as for ``wb.sweep``.

        Raises
        ------
        ConfigError
            The condition cannot be used, or leaves nothing.
        """
        if where is None and self.linked is not None:
            return list(self.linked)
        fixed = {name: value for name, value in values_of(locked, others).items() if name not in self.levels}
        try:
            found = sets_of({**self.levels, **{name: (value,) for name, value in fixed.items()}}, where)
        except ConfigError as error:
            raise ConfigError(f"stage {self.name!r}: {error}") from error
        allowed = [one[: len(self.levels)] for one in found]
        if self.linked is None:
            return allowed
        keys = {key_of(one) for one in allowed}
        kept = [one for one in self.linked if key_of(one) in keys]
        if not kept:
            raise ConfigError(f"stage {self.name!r}: no set is left: where={where!r} rules out all of them.")
        return kept


def key_of(values: Set) -> tuple[str, ...]:
    """What tells one set from another: 1 and 1.0 are two values, as in a sweep."""
    return tuple(map(repr, values))


def values_of(strategy: Strategy, names: Iterable[str]) -> dict[str, Any]:
    """What a strategy has for its ``$names`` and for fields by name (``sizing.frac`` too)."""
    found: dict[str, Any] = dict(strategy.params)
    for name in names:
        if name not in found:
            holder: Any = strategy.sizing if name.startswith("sizing.") else strategy
            found[name] = getattr(holder, name.removeprefix("sizing."), None)
    return found


def groups_of(stages: Any, strategy: Strategy) -> tuple[Group, ...]:
    """Read the stages.

    Raises
    ------
    ConfigError
        They are no list of names and parameters, a name stands twice, or a parameter is nothing that can be swept.
    """
    if isinstance(stages, str | Mapping) or not isinstance(stages, Sequence) or not stages:
        raise ConfigError(_ASKED)
    found: list[Group] = []
    for stage in stages:
        if not isinstance(stage, Sequence) or len(stage) != 2 or not isinstance(stage[0], str) or not stage[0].strip():
            raise ConfigError(f"{stage!r} is no stage. {_ASKED}")
        name, parameters = stage
        if name in (one.name for one in found):
            raise ConfigError(f"two stages are called {name!r}; their names tell them apart.")
        try:
            group = _group(name, parameters)
            Space(strategy, group.levels)
        except ConfigError as error:
            raise ConfigError(f"stage {name!r}: {error}") from error
        found.append(group)
    return tuple(found)


def _group(name: str, parameters: Any) -> Group:
    if isinstance(parameters, Mapping):
        return Group(name, levels_of(parameters))
    listed = isinstance(parameters, Sequence) and not isinstance(parameters, str)
    if not listed or not parameters or not all(isinstance(one, Mapping) and one for one in parameters):
        raise ConfigError(
            "parameters are values by name, {'threshold': [1, 2]}, or a list of sets whose values belong together, "
            "[{'w_5m': 1, 'w_1h': 2}, {'w_5m': 2, 'w_1h': 1}]."
        )
    names = tuple(map(str, parameters[0]))
    for one in parameters:
        if set(map(str, one)) != set(names):
            raise ConfigError(f"the set {dict(one)} names other parameters than the first, which has {list(names)}.")
    given = [tuple({str(key): value for key, value in one.items()}[part] for part in names) for one in parameters]
    # As in the levels of a sweep: numbers of numpy are plain ones.
    linked = [tuple(value.item() if isinstance(value, np.generic) else value for value in one) for one in given]
    keys = [key_of(one) for one in linked]
    if len(set(keys)) < len(keys):
        twice = next(one for one, key in zip(linked, keys, strict=True) if keys.count(key) > 1)
        raise ConfigError(f"the set {dict(zip(names, twice, strict=True))} stands twice.")
    columns = zip(*linked, strict=True)
    levels = {
        part: list({repr(value): value for value in column}.values())
        for part, column in zip(names, columns, strict=True)
    }
    found = levels_of(levels)
    if math.prod(map(len, found.values())) > LARGEST_LINKED:
        raise ConfigError(
            f"its {len(linked):,} sets have too many different values to be told from the other combinations of them "
            f"(over {LARGEST_LINKED:,}); divide the parameters among stages, or round the values."
        )
    return Group(name, found, tuple(linked))
