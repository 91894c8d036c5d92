"""A strategy as plain data, as a TOML file, and as a hash."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.errors import ExpressionError, StrategyError
from workbench.market.home import unreadable
from workbench.strategy.checks import suggestion
from workbench.strategy.sizing import POLICIES, default_sizing, policy_to_dict

if TYPE_CHECKING:
    from workbench.strategy.record import Strategy


#: Table of a strategy file that is no part of the strategy: where it comes from.
PROVENANCE = "provenance"


def to_dict(strategy: Strategy) -> dict[str, Any]:
    """Every field that is not off, as plain data."""
    plain: dict[str, Any] = {}
    for field in dataclasses.fields(strategy):
        value = getattr(strategy, field.name)
        if field.name == "sizing":
            plain[field.name] = policy_to_dict(value)
        elif isinstance(value, tuple):
            plain[field.name] = list(value)
        elif isinstance(value, Mapping):
            if value:
                plain[field.name] = dict(value)
        elif value is not None:
            plain[field.name] = value
    return plain


def named_arguments(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of ``Strategy`` from plain data: lists become tuples, the table ``sizing`` becomes a policy."""
    given = dict(fields)
    for name in ("instruments", "entry_window"):
        if isinstance(given.get(name), list):
            given[name] = tuple(given[name])
    sizing = given.get("sizing")
    if isinstance(sizing, Mapping):
        given["sizing"] = _policy(sizing)
    elif isinstance(sizing, str):
        raise StrategyError(f'sizing is {sizing!r}; a table is asked: [sizing] and below it policy = "PercentOfEquity"')
    return given


def _policy(table: Mapping[str, Any]) -> Any:
    settings = dict(table)
    name = settings.pop("policy", None)
    if not isinstance(name, str) or name not in POLICIES:
        near = suggestion(name, POLICIES) if isinstance(name, str) else ""
        raise StrategyError(f"sizing.policy is {name!r}; one of {', '.join(POLICIES)} is asked{near}")
    policy = POLICIES[name]
    known = {field.name: field for field in dataclasses.fields(policy)}
    for key in settings:
        if key not in known:
            raise StrategyError(f"sizing.{key} is unknown to {name}{suggestion(key, known)}")
    for key, field in known.items():
        if key not in settings and field.default is dataclasses.MISSING:
            raise StrategyError(f"sizing.{key} is missing; {name} needs it")
    return policy(**settings)


def to_toml(strategy: Strategy) -> str:
    """Text of a strategy file: plain values first, then the tables params, sizing and sectors."""
    import tomli_w

    return tomli_w.dumps(to_dict(strategy), multiline_strings=True)


def from_toml(cls: type[Strategy], source: str | os.PathLike[str]) -> Strategy:
    """Make a strategy from a file or from the text of one; errors name the file and the key."""
    is_text = isinstance(source, str) and ("\n" in source or not source.endswith(".toml"))
    where = "strategy file" if is_text else os.fspath(source)
    if is_text:
        text = str(source)
    else:
        try:
            text = pathlib.Path(source).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise StrategyError(f"{where}: {unreadable(pathlib.Path(source), error)}") from error
    try:
        fields = tomllib.loads(text)
        _check_provenance(fields.pop(PROVENANCE, None), fields)
        return cls.from_dict(fields)
    except tomllib.TOMLDecodeError as error:
        hint = " (a path ends in .toml)" if is_text and "\n" not in text else ""
        raise StrategyError(f"{where}: not valid TOML: {error}{hint}") from error
    except ExpressionError as error:
        message = f"{where}: {error.message}"
        raise ExpressionError(message, error.line, error.column, error.source, error.hint) from error
    except StrategyError as error:
        raise StrategyError(f"{where}: {error}") from error


def _check_provenance(provenance: Any, fields: Mapping[str, Any]) -> None:
    """Refuse a strategy that is not the one its file says was locked; the fields as written are compared."""
    if provenance is None:
        return
    if not isinstance(provenance, Mapping):
        raise StrategyError(f"{PROVENANCE} is {provenance!r}; it is a table that says where the strategy comes from.")
    try:
        read = hash_of(fields)
    except (TypeError, ValueError):  # no strategy has a date or a nan
        read = ""
    if provenance.get("strategy_hash", read) != read:
        raise StrategyError(
            f"this is not the strategy that was locked, whose hash is {provenance['strategy_hash']}: something was "
            f"edited since. Undo it, or delete [{PROVENANCE}] to the end of its tables, for it no longer says where "
            "this strategy comes from."
        )


def content_hash(strategy: Strategy) -> str:
    """Blake2b of the canonical JSON: sorted names, every number as a float, nothing that is off."""
    return hash_of(to_dict(strategy))


def hash_of(plain: Mapping[str, Any]) -> str:
    """Hash of plain data, whatever the order of names; other values by what they say of themselves."""
    text = json.dumps(_canonical(plain), sort_keys=True, separators=(",", ":"), allow_nan=False, default=repr)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _canonical(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_canonical(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    # -0.0 and 0.0 are one number.
    return value + 0.0 if isinstance(value, float) else value


def differing(strategy: Strategy) -> dict[str, Any]:
    """Fields that differ from their defaults, in the order of rule N3."""
    kept = {}
    for field in dataclasses.fields(strategy):
        value = getattr(strategy, field.name)
        default = field.default
        if field.name == "sizing":
            default = default_sizing(len(strategy.instruments), strategy.max_open_positions)
        if default is dataclasses.MISSING or value != default:
            kept[field.name] = value
    return kept


def shown(value: Any) -> str:
    """A value as a line of text for a table."""
    if isinstance(value, tuple):
        return ", ".join(str(inner) for inner in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {inner}" for key, inner in value.items())
    return str(value)
