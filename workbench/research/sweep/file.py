"""A sweep as a TOML file: what is varied, what ranks, which sets make sense.

It is a file beside the strategy's, not a table in it: a strategy file is what is traded and hashed, and one strategy is
swept in more than one way.
"""

from __future__ import annotations

import os
import pathlib
import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from workbench.errors import ConfigError
from workbench.market.home import unreadable
from workbench.research.sweep.settings import Settings
from workbench.strategy.checks import suggestion
from workbench.strategy.content import named_arguments

Read = TypeVar("Read")

#: Of one parameter; more is a slip of the pen in ``step``.
MOST_VALUES = 100_000

#: What TOML, which has no word for nothing, says for a field that is off.
OFF = "off"

_RANGE = ("from", "to", "step")
_KEYS: dict[str, tuple[type, ...]] = {
    "parameters": (dict,), "rank_by": (str,), "where": (str,), "sample": (int,), "method": (str,), "seed": (int,),
    "statistics": (str, list),
}  # fmt: skip
_SAID: dict[type, str] = {dict: "a table", str: "a text", int: "a whole number", list: "a list of texts"}


class Plan(NamedTuple):
    """What a sweep file says.

    Attributes
    ----------
    parameters : dict of str to list
        Each with the values to try.
    rank_by : str
        The statistic that ranks.
    settings : Settings
        Those of ``wb.sweep`` that the file has.
    """

    parameters: dict[str, list[Any]]
    rank_by: str
    settings: Settings


def plan_of(path: str | os.PathLike[str]) -> Plan:
    """Read a sweep file.

    Raises
    ------
    ConfigError
        With the file and the key.
    """
    return read_file(path, _plan)


def read_file(path: str | os.PathLike[str], parsed: Callable[[dict[str, Any]], Read]) -> Read:
    """What a function makes of a TOML file; each of its errors is told with the file."""
    try:
        return parsed(tomllib.loads(pathlib.Path(path).read_text(encoding="utf-8-sig")))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {unreadable(pathlib.Path(path), error)}") from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _plan(given: dict[str, Any]) -> Plan:
    for key, value in given.items():
        if key not in _KEYS:
            raise ConfigError(f"{key} is unknown{suggestion(key, _KEYS)}; a sweep file has {', '.join(_KEYS)}.")
        kinds = _KEYS[key]
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise ConfigError(f"{key} is {value!r}; {' or '.join(_SAID[kind] for kind in kinds)} is asked.")
    table = given.pop("parameters", None)
    if not table:
        raise ConfigError("there is no table [parameters]; below it say what is varied: fast = [5, 10, 20].")
    rank_by = given.pop("rank_by", "sharpe_ann")
    settings: Settings = given  # type: ignore[assignment]  # its keys were checked above
    return Plan(varied(table), rank_by, settings)


def varied(table: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Names and values of a table of parameters.

    Raises
    ------
    ConfigError
        A value is neither a list nor a range; names it.
    """
    return {name: _values(name, said) for name, said in _flat(table)}


def _flat(table: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Names and values; ``sizing.frac`` without quotes is a table in a table to TOML."""
    found: list[tuple[str, Any]] = []
    for name, said in table.items():
        if name == "sizing" and isinstance(said, dict):
            found += [(f"sizing.{inner}", value) for inner, value in said.items()]
        else:
            found.append((name, said))
    return found


def _values(name: str, said: Any) -> list[Any]:
    if isinstance(said, dict):
        return _range(name, said)
    if not isinstance(said, list):
        raise ConfigError(
            f"parameters.{name} is {said!r}; a list is asked, [5, 10, 20], or {{ from = 5, to = 50, step = 5 }}."
        )
    return [None if value == OFF else named_arguments({name: value})[name] for value in said]


def _range(name: str, said: dict[str, Any]) -> list[Any]:
    """Values from one through another, in decimals as they are written: 0.1, 0.2, 0.3."""
    where = f"parameters.{name}"
    for key in (*said, *_RANGE):
        if key not in _RANGE or key not in said:
            raise ConfigError(f"{where} has from, to and step, and nothing else: {{ from = 5, to = 50, step = 5 }}.")
        if isinstance(said[key], bool) or not isinstance(said[key], int | float):
            raise ConfigError(f"{where}.{key} is {said[key]!r}; a number is asked.")
    first, last, step = (Decimal(str(said[key])) for key in _RANGE)
    if not (first.is_finite() and last.is_finite() and step.is_finite() and step > 0 and first <= last):
        raise ConfigError(f"{where} goes from a number up to another in steps above 0.")
    count = int((last - first) / step) + 1
    if count > MOST_VALUES:
        raise ConfigError(f"{where} has {count:,} values, at most {MOST_VALUES:,} are run; make step larger.")
    whole = all(isinstance(said[key], int) for key in _RANGE)
    kind = int if whole else float
    return [kind(first + i * step) for i in range(count)]
