"""The stages of a search as a TOML file, beside the strategy's: it is a way to search, not what is traded."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from workbench.errors import ConfigError
from workbench.research.sweep.file import read_file, varied
from workbench.strategy.checks import suggestion

_KEYS: dict[str, tuple[type, ...]] = {
    "stages": (list,), "rank_by": (str,), "choose": (str,), "where": (str,), "in_sample_frac": (int, float),
}  # fmt: skip
_SAID: dict[type, str] = {list: "an array of tables", str: "a text", int: "a number", float: "a number"}
_STAGE = ("name", "parameters", "sets")


class Plan(NamedTuple):
    """What a file of stages says.

    Attributes
    ----------
    stages : list of (str, parameters)
        As ``wb.staged_search`` takes them.
    settings : dict
        Those of ``wb.staged_search`` that the file has.
    """

    stages: list[tuple[str, Any]]
    settings: dict[str, Any]


def stages_of(path: str | os.PathLike[str]) -> Plan:
    """Read a file of stages.

    Raises
    ------
    ConfigError
        With the file and the key.
    """
    return read_file(path, _plan)


def _plan(given: dict[str, Any]) -> Plan:
    for key, value in given.items():
        if key not in _KEYS:
            raise ConfigError(f"{key} is unknown{suggestion(key, _KEYS)}; a file of stages has {', '.join(_KEYS)}.")
        if not isinstance(value, _KEYS[key]) or isinstance(value, bool):
            raise ConfigError(f"{key} is {value!r}; {_SAID[_KEYS[key][0]]} is asked.")
    listed = given.pop("stages", [])
    if not listed or not all(isinstance(one, dict) for one in listed):
        raise ConfigError(
            'there is no stage; each begins with [[stages]] and has a name = "…" and parameters = { fast = [5, 10] }.'
        )
    return Plan([_stage(number, one) for number, one in enumerate(listed, start=1)], given)


def _stage(number: int, given: dict[str, Any]) -> tuple[str, Any]:
    name = given.get("name", f"stage {number}")
    where = f"stages, {name!r}"
    for key in given:
        if key not in _STAGE:
            raise ConfigError(f"{where}: {key} is unknown{suggestion(key, _STAGE)}; a stage has {', '.join(_STAGE)}.")
    if ("parameters" in given) == ("sets" in given):
        raise ConfigError(f"{where}: it has either parameters = {{ fast = [5, 10] }}, or sets = [{{ fast = 5 }}, …].")
    try:
        if "parameters" in given:
            return name, varied(_table(given["parameters"]))
        return name, [_set(_table(one)) for one in given["sets"]]
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _table(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict) or not given:
        raise ConfigError(f"{given!r} is no table of parameters.")
    return given


def _set(given: dict[str, Any]) -> dict[str, Any]:
    """One value a name, read as the only one of a list."""
    return {name: values[0] for name, values in varied({name: [value] for name, value in given.items()}).items()}
