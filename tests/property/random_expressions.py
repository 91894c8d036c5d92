"""Random expressions, parameters and bars for the laws of the expression language.

Everything is drawn through one ``random.Random``, which may be hypothesis's own, so that failures shrink.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from workbench.indicators import registry
from workbench.indicators.signature import Function, Kind, ValueType
from workbench.market.calendar import resolve_calendar
from workbench.market.grid import Grid, build_grid

NUMERIC = tuple(f for f in registry.FUNCTIONS if f.takes_timeframe)
PARAMS = {"n": 3, "k": 2, "low": 30.0, "f": 1.5}


@dataclass
class Writer:
    """Writes one expression; ``on`` is the timeframe of the enclosing call, which everything inside shares."""

    rng: random.Random
    timeframes: tuple[str, ...]
    variables: tuple[str, ...] = ()

    def number(self, depth: int, on: str | None = None, single: bool = False) -> str:
        """A numeric expression; with ``single`` it reads the bars of one timeframe only."""
        rng = self.rng
        if depth <= 0 or rng.random() < 0.15:
            return self._leaf(on, single)
        kind = rng.random()
        if kind < 0.30:
            left, right = self.number(depth - 1, on, single), self.number(depth - 1, on, single)
            joined = f"{left} {rng.choice('+-*/')} {right}"
            return joined if rng.random() < 0.5 else f"({joined})"
        if kind < 0.36:
            return f"-{self._leaf(on, single)}"
        if kind < 0.45:
            branches = [self.number(depth - 1, on, single) for _ in range(2)]
            return f"IF({self.condition(depth - 1, on, single)}, {', '.join(branches)})"
        return self._call(rng.choice(NUMERIC), depth, on, single)

    def condition(self, depth: int, on: str | None = None, single: bool = False) -> str:
        """A condition."""
        rng = self.rng
        kind = rng.random()
        if depth > 0 and kind < 0.30:
            parts = [self.condition(depth - 1, on, single) for _ in range(rng.randint(2, 3))]
            return "(" + rng.choice([" AND ", " OR "]).join(parts) + ")"
        if depth > 0 and kind < 0.40:
            return f"(NOT {self.condition(depth - 1, on, single)})"
        if depth > 1 and kind < 0.44:
            return f"IF({', '.join(self.condition(depth - 1, on, single) for _ in range(3))})"
        left, right = self.number(depth - 1, on, single), self.number(depth - 1, on, single)
        if kind < 0.50:
            return f"({left} BETWEEN {right} AND {self.number(depth - 1, on, single)})"
        # A crossing steps the bars of its surroundings, and so fits where those are the only ones.
        if kind < 0.70 and (not single or on is not None):
            word = rng.choice(["CROSSES_ABOVE", "CROSSES_BELOW", "CROSS_ABOVE", "crossing_below"])
            return f"CROSSOVER({left}, {right})" if rng.random() < 0.2 else f"({left} {word} {right})"
        if kind < 0.76 and (not single or on is not None):
            return f"({left} {rng.choice(['MOVING_UP', 'MOVING_DOWN'])} {rng.choice(['0', '.2', '1', '$f'])})"
        return f"({left} {rng.choice(['>', '>=', '<', '<=', '==', '!='])} {right})"

    def _leaf(self, on: str | None, single: bool) -> str:
        rng = self.rng
        kind = rng.random()
        if kind < 0.25:
            return rng.choice(["0", "1", "2.5", ".5", "100", "1e-3", "$n", "$low", "$f"])
        if kind < 0.35 and self.variables and not single:
            return rng.choice(self.variables)
        name = rng.choice([one.name for one in registry.SERIES] + ["PRICE", "Close"])
        if on is None and not single and rng.random() < 0.2:
            return f'{name}("{rng.choice(self.timeframes)}")'
        return name

    def _call(self, function: Function, depth: int, on: str | None, single: bool) -> str:
        rng = self.rng
        timeframe = None
        if on is None and not single and rng.random() < 0.35:
            timeframe = rng.choice(self.timeframes)
        inside, alone = timeframe or on, True
        if timeframe is None and function.element_wise:
            alone = single
        overload = rng.choice(function.overloads)
        arguments = []
        for argument in overload.arguments:
            if argument.may_be_left_out and rng.random() < 0.4:
                continue
            if argument.kind is Kind.LENGTH:
                arguments.append(str(rng.choice([1, 2, 3, 5, 8, "$n", "$n * 2", "2 + 1"])))
            elif argument.kind is Kind.FACTOR:
                arguments.append(rng.choice(["1", "2", "1.5", "$f", "-1"]))
            elif argument.kind is Kind.CONDITION:
                arguments.append(self.condition(depth - 1, inside, alone))
            else:
                arguments.append(self.number(depth - 1, inside, alone))
        if timeframe is not None:
            arguments.append(f'"{timeframe}"')
        name = rng.choice((function.name, *function.aliases, function.name.lower()))
        return f"{name}({', '.join(arguments)})"


def script(rng: random.Random, timeframes: tuple[str, ...], wanted: ValueType, depth: int = 3) -> str:
    """An expression with up to two variables before it."""
    lines = []
    names: tuple[str, ...] = ()
    for name in ("fast_x", "slow_x")[: rng.choice([0, 0, 1, 2])]:
        lines.append(f"{name} = {Writer(rng, timeframes, names).number(2)}")
        names = (*names, name)
    writer = Writer(rng, timeframes, names)
    body = writer.condition(depth) if wanted is ValueType.CONDITION else writer.number(depth)
    return "\n".join([*lines, body if not body.startswith("-") else f"({body})"])


@dataclass
class RawBars:
    """Bar arrays that no check has seen: values may be missing."""

    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray


def grid_of(days: int, base: str) -> Grid:
    """The grid of some days of NSE from Monday 2024-01-08 on."""
    first = np.datetime64("2024-01-08T03:45", "ns").astype(np.int64)
    last = first + np.int64(days * 86_400 + 22_500 - 1) * 1_000_000_000
    return build_grid(resolve_calendar("NSE"), base, int(first), int(last))


def bars_on(grid: Grid, seed: int, gaps_frac: float, missing_frac: float, flat: bool) -> tuple[RawBars, np.ndarray]:
    """Bars on some instants of a grid, with ties (``flat`` rounds to whole prices) and missing values inside.

    Returns
    -------
    tuple
        The bars, and int32 positions of each in the grid.
    """
    rng = np.random.default_rng(seed)
    at = np.flatnonzero(rng.random(len(grid)) >= gaps_frac).astype(np.int32)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 4e-3, len(at))))
    opens = close * np.exp(rng.normal(0, 2e-3, len(at)))
    if flat:
        close, opens = np.round(close), np.round(opens)
    high = np.maximum(opens, close) * (1 + (0 if flat else 1e-3) * rng.random(len(at)))
    low = np.minimum(opens, close) * (1 - (0 if flat else 1e-3) * rng.random(len(at)))
    volume = np.round(rng.random(len(at)) * 1000) * (rng.random(len(at)) > 0.1)
    columns = [opens, high, low, close, volume]
    for column in columns:
        column[rng.random(len(at)) < missing_frac] = np.nan
    return RawBars(*[np.ascontiguousarray(one) for one in columns]), at
