"""The parameter sets of a sweep: all combinations or a sample, less those that a condition rules out (pure)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import ConfigError

#: How sets are chosen when fewer than all are asked for.
METHODS = ("random", "latin_hypercube")

#: All combinations of more than this are not listed; a sample of them is.
LARGEST = 10_000_000

Set = tuple[Any, ...]
Where = str | Callable[..., bool] | None


def levels_of(parameters: Any) -> dict[str, tuple[Any, ...]]:
    """The values of each parameter, in the order given.

    Raises
    ------
    ConfigError
        No parameter, one without values, or a value twice.
    """
    if not isinstance(parameters, Mapping) or not parameters:
        raise ConfigError('parameters names what is swept, with its values: {"n": range(5, 50), "low": [20, 30]}.')
    found = {}
    for name, values in parameters.items():
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise ConfigError(f"parameters[{name!r}] is {values!r}; several values are asked, like [{values!r}].")
        level = tuple(value.item() if isinstance(value, np.generic) else value for value in values)
        if not level:
            raise ConfigError(f"parameters[{name!r}] has no values.")
        if len({repr(value) for value in level}) < len(level):
            raise ConfigError(f"parameters[{name!r}] has a value twice: {', '.join(map(repr, level[:20]))}.")
        found[str(name)] = level
    return found


def sets_of(
    levels: Mapping[str, tuple[Any, ...]],
    where: Where = None,
    sample: Any = None,
    method: str = "random",
    seed: int = 0,
) -> list[Set]:
    """The sets, each a tuple of values in the order of ``levels``; of all combinations the last parameter moves first.

    Parameters
    ----------
    levels : mapping of str to tuple
        From ``levels_of``.
    where : str or callable, optional
        What must hold, in the words of ``DataFrame.query`` (``"fast < slow"``) or as a function of the parameters by
        name. Sets are sampled among those for which it does.
    sample : int, optional
        How many; all of them unless given.
    method : {"random", "latin_hypercube"}
        Without repetition and all alike, or every parameter's values as evenly as possible.
    seed : int
        Of the sample: the same one, the same sets.

    Raises
    ------
    ConfigError
        Nothing is left, or an argument makes no sense.
    """
    if method not in METHODS:
        raise ConfigError(f"method={method!r} does not exist; it is one of {', '.join(METHODS)}.")
    if sample is not None and (isinstance(sample, bool) or not isinstance(sample, int) or sample < 1):
        raise ConfigError(f"sample={sample!r} is a number of sets, 1 or more.")
    total = math.prod(len(level) for level in levels.values())
    if sample is None and total > LARGEST:
        raise ConfigError(f"these are {total:,} sets, at most {LARGEST:,} are run at once; ask for a sample=…")
    if sample is None or (sample >= total and total <= LARGEST):
        found = _allowed(levels, np.arange(total), where)
    else:
        found = _sampled(levels, total, where, sample, method, np.random.default_rng(seed))
    if not found:
        raise ConfigError(f"no set is left: where={where!r} rules out all of them.")
    return found


def _sampled(
    levels: Mapping[str, tuple[Any, ...]], total: int, where: Where, sample: int, method: str, rng: np.random.Generator
) -> list[Set]:
    """Draw until there are enough, or until drawing brings nothing new."""
    kept: dict[int, Set] = {}
    for _ in range(1000):
        lacking = sample - len(kept)
        if lacking <= 0:
            break
        drawn = _latin(levels, max(lacking, 1), rng) if method == "latin_hypercube" else _random(total, lacking, rng)
        fresh = np.array([number for number in dict.fromkeys(drawn.tolist()) if number not in kept], np.int64)
        allowed = _numbered(levels, fresh, where)
        kept.update(dict(list(allowed.items())[:lacking]))
        if len(kept) == total:
            break
    return list(kept.values())


def _random(total: int, count: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    return rng.integers(0, total, size=2 * count + 16)


def _latin(levels: Mapping[str, tuple[Any, ...]], count: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """One draw a stratum of every parameter, the strata of each in an order of its own (McKay and others, 1979)."""
    number = np.zeros(count, np.int64)
    for level in levels.values():
        place = (rng.permutation(count) + rng.random(count)) / count
        number = number * len(level) + np.minimum((place * len(level)).astype(np.int64), len(level) - 1)
    return number


def _allowed(levels: Mapping[str, tuple[Any, ...]], numbers: np.ndarray[Any, Any], where: Where) -> list[Set]:
    return list(_numbered(levels, numbers, where).values())


def _numbered(levels: Mapping[str, tuple[Any, ...]], numbers: np.ndarray[Any, Any], where: Where) -> dict[int, Set]:
    """Sets by number, without those that are ruled out."""
    columns: dict[str, list[Any]] = {}
    rest = numbers
    for name, level in reversed(list(levels.items())):
        rest, index = np.divmod(rest, len(level))
        columns[name] = [level[i] for i in index.tolist()]
    rows = zip(*(columns[name] for name in levels), strict=True)
    allowed = _holds(levels, columns, where)
    return {int(number): row for number, row, keep in zip(numbers, rows, allowed, strict=True) if keep}


def _holds(levels: Mapping[str, tuple[Any, ...]], columns: dict[str, list[Any]], where: Where) -> list[bool]:
    count = len(next(iter(columns.values())))
    if where is None:
        return [True] * count
    if callable(where):
        rows = zip(*(columns[name] for name in levels), strict=True)
        return [bool(where(**dict(zip(levels, row, strict=True)))) for row in rows]
    table = pd.DataFrame({name: columns[name] for name in levels})
    try:
        kept = table.query(where, engine="python", local_dict={}, global_dict={})
    except Exception as error:
        known = ", ".join(levels)
        raise ConfigError(f"where={where!r} cannot be used: {error}. It is a condition on {known}.") from error
    return table.index.isin(kept.index).tolist()
