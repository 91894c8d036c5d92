"""Instruments: what an order needs to know of the thing it trades (rule N6).

An instrument is written ``EXCHANGE:SYMBOL``. Tick, lot and currency come from a table of defaults per exchange;
``register_instrument`` and ``load_instruments`` override them one by one.
"""

from __future__ import annotations

import csv
import difflib
import math
import os
import pathlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

from workbench.errors import ConfigError
from workbench.market.home import unreadable

_NAME = re.compile(r"(?P<exchange>[A-Za-z0-9_.\-]+):(?P<symbol>[^\s:]+(?: [^\s:]+)*)")
_CURRENCY = re.compile(r"[A-Z]{3,5}")
_PAIR = re.compile(r"[A-Z]{3}[_/.\-]?(?P<quote>[A-Z]{3})")

#: Tick and currency by exchange; others have no tick and no known currency. The lot is 1 everywhere.
#: India's tick of 0.05 is rule N6; shares below Rs 250 have traded in steps of 0.01 since June 2024: register those.
DEFAULTS: Mapping[str, tuple[float, str]] = {
    "NSE": (0.05, "INR"),
    "BSE": (0.05, "INR"),
    **dict.fromkeys(
        ("XNYS", "XNAS", "ARCX", "BATS", "XASE", "IEXG", "NYSE", "NASDAQ", "AMEX", "ARCA", "US"), (0.01, "USD")
    ),
    "FX": (0.00001, ""),
}


@dataclass(frozen=True)
class Instrument:
    """One instrument.

    Attributes
    ----------
    name : str
        ``EXCHANGE:SYMBOL``.
    exchange, symbol : str
        Its two parts.
    tick : float
        Smallest price step in ``currency``; 0 when there is none.
    lot : float
        Smallest quantity and step of quantities.
    currency : str
        Of price and money; empty when unknown.
    """

    name: str
    exchange: str
    symbol: str
    tick: float
    lot: float
    currency: str


_registered: dict[str, Instrument] = {}


def split_name(name: str) -> tuple[str, str]:
    """Split ``EXCHANGE:SYMBOL``; ConfigError for anything else.

    Parameters
    ----------
    name : str
        For example ``"NSE:M&M"``.

    Returns
    -------
    tuple of str
        Exchange and symbol, as written.
    """
    if not isinstance(name, str):
        raise ConfigError(f"an instrument is text like 'NSE:RELIANCE', not {name!r}")
    match = _NAME.fullmatch(name)
    if match is None or not name.isprintable() or len(name) > 80:
        hint = f" (did you mean 'NSE:{name}'?)" if re.fullmatch(r"[A-Z0-9&\-]+", name) else ""
        raise ConfigError(f"instrument {name!r} is not written EXCHANGE:SYMBOL, like 'NSE:RELIANCE'{hint}")
    return match["exchange"], match["symbol"]


def _default(name: str) -> Instrument:
    exchange, symbol = split_name(name)
    tick, currency = DEFAULTS.get(exchange, (0.0, ""))
    if exchange == "FX":
        pair = _PAIR.fullmatch(symbol)
        currency = pair["quote"] if pair else ""
    return Instrument(name, exchange, symbol, tick, 1.0, currency)


def instrument(name: str) -> Instrument:
    """Look an instrument up: as registered, else by the defaults of its exchange.

    Parameters
    ----------
    name : str
        ``EXCHANGE:SYMBOL``, for example ``"FX:EUR_USD"``.

    Returns
    -------
    Instrument
        The currency of an FX pair is its quote currency.

    Raises
    ------
    ConfigError
        The name is not written ``EXCHANGE:SYMBOL``.
    """
    return _registered.get(name) or _default(name)


def _step(name: str, key: str, value: Any, least: float) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(float(value)):
        raise ConfigError(f"instrument {name}: {key} is {value!r}; a number is asked")
    if float(value) < least or (key == "lot" and float(value) <= 0):
        raise ConfigError(f"instrument {name}: {key} is {value!r}; it must be {'positive' if key == 'lot' else '>= 0'}")
    return float(value)


def register_instrument(
    name: str, tick: float | None = None, lot: float | None = None, currency: str | None = None
) -> Instrument:
    """Set what is known of an instrument, in this process; what is left out keeps the exchange's default.

    Parameters
    ----------
    name : str
        ``EXCHANGE:SYMBOL``.
    tick : float, optional
        Smallest price step, >= 0 (0: none).
    lot : float, optional
        Step of quantities, > 0.
    currency : str, optional
        Three to five capital letters.

    Returns
    -------
    Instrument
        As it is from now on.

    Raises
    ------
    ConfigError
        A value out of range.
    """
    known = _default(name)
    if currency is not None and not _CURRENCY.fullmatch(str(currency)):
        raise ConfigError(f"instrument {name}: currency is {currency!r}; capital letters like 'INR' are asked")
    made = Instrument(
        name,
        known.exchange,
        known.symbol,
        known.tick if tick is None else _step(name, "tick", tick, 0.0),
        known.lot if lot is None else _step(name, "lot", lot, 0.0),
        known.currency if currency is None else currency,
    )
    _registered[name] = made
    return made


def forget_instruments() -> None:
    """Forget every registered instrument; the defaults per exchange serve again."""
    _registered.clear()


def load_instruments(path: str | os.PathLike[str]) -> tuple[Instrument, ...]:
    """Register the instruments of a CSV or TOML file; all of them, or none when one is wrong.

    A CSV has the columns ``name``, ``tick``, ``lot``, ``currency`` (any but the first may be missing or empty); a TOML
    file has one table an instrument: ``["NSE:IDEA"]``, ``tick = 0.01``.

    Parameters
    ----------
    path : path
        Ends in ``.csv`` or ``.toml``.

    Returns
    -------
    tuple of Instrument
        In the order of the file.

    Raises
    ------
    ConfigError
        With file, row or key, and reason.
    """
    file = pathlib.Path(path)
    if file.suffix.lower() not in (".csv", ".toml"):
        raise ConfigError(f"{file}: instruments are read from .csv or .toml files")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: {unreadable(file, error)}") from error
    rows = _csv_rows(file, text) if file.suffix.lower() == ".csv" else _toml_rows(file, text)
    kept = dict(_registered)
    made: list[Instrument] = []
    try:
        for where, name, fields in rows:
            try:
                made.append(register_instrument(name, **fields))
            except ConfigError as error:
                raise ConfigError(f"{file}, {where}: {error}") from None
    except ConfigError:
        _registered.clear()
        _registered.update(kept)
        raise
    return tuple(made)


_COLUMNS = ("tick", "lot", "currency")


def _unknown(file: pathlib.Path, where: str, key: str, known: Iterable[str]) -> ConfigError:
    near = difflib.get_close_matches(key, list(known), 1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
    return ConfigError(f"{file}, {where}: unknown name {key!r}{hint}")


def _csv_rows(file: pathlib.Path, text: str) -> list[tuple[str, str, dict[str, Any]]]:
    reader = csv.DictReader(text.splitlines())
    header = [column.strip() for column in reader.fieldnames or []]
    for column in header:
        if column not in ("name", *_COLUMNS):
            raise _unknown(file, "header", column, ("name", *_COLUMNS))
    if "name" not in header:
        raise ConfigError(f"{file}, header: a column 'name' is asked, found {', '.join(header) or 'nothing'}")
    reader.fieldnames = header
    rows = []
    for number, row in enumerate(reader, start=2):
        where = f"row {number}"
        if None in row or None in row.values():
            raise ConfigError(f"{file}, {where}: {len(header)} values are asked, as in the header")
        fields: dict[str, Any] = {key: row[key].strip() for key in _COLUMNS if row.get(key, "").strip()}
        for key in ("tick", "lot"):
            if key in fields:
                try:
                    fields[key] = float(fields[key])
                except ValueError:
                    raise ConfigError(f"{file}, {where}: {key} is {fields[key]!r}; a number is asked") from None
        rows.append((where, row["name"].strip(), fields))
    return rows


def _toml_rows(file: pathlib.Path, text: str) -> list[tuple[str, str, dict[str, Any]]]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: not valid TOML: {error}") from error
    rows = []
    for name, fields in tables.items():
        where = f"[{name!r}]"
        if not isinstance(fields, dict):
            raise ConfigError(f'{file}, {where}: a table is asked, like ["NSE:IDEA"] and below it tick = 0.01')
        for key in fields:
            if key not in _COLUMNS:
                raise _unknown(file, where, key, _COLUMNS)
        rows.append((where, name, fields))
    return rows
