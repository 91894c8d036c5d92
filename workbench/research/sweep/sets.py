"""From a parameter set to its strategy."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from workbench.errors import ConfigError, StrategyError
from workbench.expressions.check import parameters
from workbench.research.wording import WORDINGS
from workbench.strategy import Strategy
from workbench.strategy.checks import suggestion
from workbench.strategy.compiled import ROOTS
from workbench.strategy.content import hash_of, to_dict

#: What a strategy is called, where it trades and what it says are not swept.
FIXED = frozenset(("name", "version", "instruments", "calendar", "params", "sectors"))

#: Columns of a sweep's table that are not parameters.
TAKEN = frozenset(("set", *WORDINGS))


class Space:
    """Which part of a strategy each parameter is.

    Parameters
    ----------
    strategy : Strategy
        The one that is varied. Its own values of what is swept do not matter.
    names : iterable of str
        A ``$name`` of its expressions, without the sign, or one of its fields; ``sizing.frac`` is a setting of its
        sizing policy.

    Raises
    ------
    ConfigError
        A name is neither, or it is both.
    """

    def __init__(self, strategy: Strategy, names: Iterable[str]) -> None:
        self.strategy = strategy
        texts = [text for root in ROOTS if (text := getattr(strategy, root)) is not None]
        bound = {name for text in texts for name in parameters(text)}
        fields = {field.name for field in dataclasses.fields(strategy)} - FIXED
        settings = {f"sizing.{field.name}" for field in dataclasses.fields(strategy.sizing)}
        self.names = tuple(names)
        self.bound: list[str] = []
        for name in self.names:
            if name in TAKEN:
                raise ConfigError(f"{name!r} is a column of the table already; rename ${name} in the expressions.")
        for name in self.names:
            if name in bound and name in fields:
                raise ConfigError(f"{name!r} is both ${name} of an expression and a field; rename the one in the text.")
            if name in bound:
                self.bound.append(name)
            elif name not in fields and name not in settings:
                near = suggestion(name, sorted(bound | fields | settings))
                known = ", ".join(f"${one}" for one in sorted(bound)) or "no $names"
                raise ConfigError(
                    f"{name!r} is nothing that can be swept{near or '.'} The expressions have {known}, and the fields "
                    "of a strategy can be swept too."
                )

    def key_of(self, values: Mapping[str, Any]) -> str:
        """Hash of the strategy with these values, without making it; of equal sets of another sweep the same."""
        return hash_of({"strategy": self._fixed, "values": dict(values)})

    @cached_property
    def _fixed(self) -> str:
        """Hash of everything in the strategy that is not swept."""
        plain = to_dict(self.strategy)
        for name in self.names:
            if name in self.bound:
                plain["params"].pop(name, None)
            elif name.startswith("sizing."):
                plain["sizing"].pop(name.removeprefix("sizing."), None)
            else:
                plain.pop(name, None)
        return hash_of(plain)

    def strategy_of(self, values: Mapping[str, Any], compiles: bool = True) -> Strategy:
        """The strategy with these values; unless ``compiles``, somebody else compiles it.

        Raises
        ------
        StrategyError, ExpressionError
            They contradict each other, or an expression cannot take them.
        """
        changes: dict[str, Any] = {}
        settings: dict[str, Any] = {}
        params = dict(self.strategy.params)
        for name, value in values.items():
            if name in self.bound:
                params[name] = value
            elif name.startswith("sizing."):
                settings[name.removeprefix("sizing.")] = value
            else:
                changes[name] = value
        if settings:
            try:
                changes["sizing"] = dataclasses.replace(changes.get("sizing", self.strategy.sizing), **settings)
            except TypeError as error:
                raise StrategyError(f"sizing cannot take {settings}: {error}") from error
        changes["params"] = params
        # Other texts may leave a parameter unused, which only a compiler of its own finds.
        return self.strategy.uncompiled(changes, compiles=compiles or not changes.keys().isdisjoint(ROOTS))
