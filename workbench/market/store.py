"""The store of bars: one Parquet file a symbol and timeframe, ``{SYMBOL}_{TIMEFRAME}.parquet``.

A file is never half written (temporary file, flush, rename, flush of the folder), appends are merged under a lock, and
a file says itself which calendar, basis and content hash it has, so that the data and its description cannot part.
Beside it a JSON manifest tells what was asked for and what was got, import by import.

Rows that are stored already may come again if they are identical; a row that differs from the stored one is refused:
history is not rewritten by an import.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import io
import json
import pathlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import ConfigError, DataError
from workbench.market.bars import Bars
from workbench.market.calendar import Calendar, resolve_calendar
from workbench.market.checks import Origin
from workbench.market.columns import FIELDS
from workbench.market.home import home_folder, write_atomically
from workbench.market.timeframe import Timeframe

_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9&._^=-]{0,63}")
_KEYS = ("symbol", "timeframe", "calendar", "basis", "hash")
#: In-session moves were judged when the bars were imported, perhaps with a wider limit.
_ANY_JUMP = float("inf")


@dataclass(frozen=True)
class Stored:
    """One file of the store.

    Attributes
    ----------
    symbol, timeframe, calendar : str
        What it holds.
    basis : str or None
        Adjustment of its prices (rule B9).
    rows : int
        Number of bars.
    hash : str
        ``Bars.content_hash`` of them.
    path : pathlib.Path
        Where it is.
    error : str or None
        Why it cannot be read, for a damaged file: then symbol and timeframe are those of its name, the rest is empty.
    """

    symbol: str
    timeframe: str
    calendar: str
    basis: str | None
    rows: int
    hash: str
    path: pathlib.Path
    error: str | None = None


class Store:
    """Bars on disk.

    Parameters
    ----------
    home : path, optional
        Folder of the project's files; WORKBENCH_HOME or ``./.workbench`` by default. Bars lie in its ``bars``.
    """

    def __init__(self, home: str | pathlib.Path | None = None) -> None:
        self.home = home_folder(home)
        self.folder = self.home / "bars"

    def path(self, symbol: str, timeframe: str | Timeframe) -> pathlib.Path:
        """Where bars of a symbol and timeframe are kept, whether or not they exist."""
        if not _SYMBOL.fullmatch(symbol):
            raise ConfigError(f"symbol {symbol!r} cannot name a file. Use letters, digits and & . _ ^ = -, without an "
                              "exchange.")
        return self.folder / f"{symbol}_{Timeframe.parse(timeframe)}.parquet"

    def save(self, symbol: str, bars: Bars, asked: dict[str, Any] | None = None) -> Bars:
        """Add bars to the store.

        Parameters
        ----------
        symbol : str
            Without exchange.
        bars : Bars
            New ones, or ones that overlap stored ones identically.
        asked : dict, optional
            What was asked of the source (a path, a range, a repair), for the manifest.

        Returns
        -------
        Bars
            Everything now stored for the symbol and timeframe.

        Raises
        ------
        DataError
            A stored bar differs from a new one with the same time, or calendar or basis differ from the stored.
        """
        path = self.path(symbol, bars.timeframe)
        self.folder.mkdir(parents=True, exist_ok=True)
        with _locked(path):
            whole = self._merged(symbol, bars) if path.exists() else bars
            write_atomically(path, _parquet(symbol, whole))
            write_atomically(path.with_suffix(".json"), self._manifest(symbol, bars, whole, asked or {}))
        return whole

    def load(self, symbol: str, timeframe: str | Timeframe, calendar: str | Calendar,
             start: str | dt.date | None = None, end: str | dt.date | None = None) -> Bars:
        """Read bars back.

        Parameters
        ----------
        symbol, timeframe, calendar
            What to read; the calendar must be the one the bars were stored with.
        start, end : date or instant with a time zone, optional
            Both inclusive; a date means the session of that date.

        Raises
        ------
        DataError
            Nothing is stored under that name, the file is damaged, its content is not what its hash says, or no bar
            lies in the range.
        """
        path = self.path(symbol, timeframe)
        if not path.exists():
            kept = ", ".join(f"{one.symbol} {one.timeframe}" for one in self.list()) or "nothing"
            raise DataError(f"{path}: no bars of {symbol} {Timeframe.parse(timeframe)} are stored; there is {kept}. "
                            "Import them: workbench data import.")
        frame, facts = _read(path)
        resolved = resolve_calendar(calendar)
        if facts["calendar"] != resolved.name:
            raise DataError(f"{path}: the bars were stored with calendar {facts['calendar']}, not {resolved.name}.")
        bars = Bars(frame, timeframe, resolved, facts["basis"] or None, origin=Origin(str(path)),
                    max_jump_ratio=_ANY_JUMP)
        if bars.content_hash != facts["hash"]:
            raise DataError(f"{path}: the content is not what was stored (hash {bars.content_hash}, stored "
                            f"{facts['hash']}). Import it again.")
        return bars if start is None and end is None else bars.between(start, end)

    def list(self) -> list[Stored]:
        """Everything stored, by symbol and timeframe; a damaged file is there by its name, with its ``error``."""
        found = []
        for path in sorted(self.folder.glob("*.parquet")):
            try:
                facts, rows = _facts(path)
            except DataError as error:
                found.append(Stored(*_named(path), "", None, 0, "", path, str(error)))
                continue
            found.append(Stored(facts["symbol"], facts["timeframe"], facts["calendar"], facts["basis"] or None, rows,
                                facts["hash"], path))
        return found

    def manifest(self, symbol: str, timeframe: str | Timeframe) -> dict[str, Any]:
        """What was asked for and got, import by import; empty when nothing was."""
        path = self.path(symbol, timeframe).with_suffix(".json")
        if not path.exists():
            return {}
        try:
            return dict(json.loads(path.read_text()))
        except ValueError as error:
            raise DataError(f"{path}: the manifest is damaged: {error}. The bars are not; delete it.") from error

    def _merged(self, symbol: str, bars: Bars) -> Bars:
        """Stored and new bars as one."""
        path = self.path(symbol, bars.timeframe)
        kept = self.load(symbol, bars.timeframe, bars.calendar)
        if kept.basis != bars.basis:
            raise DataError(f"{path}: the stored bars have the basis {kept.basis!r}, the new ones {bars.basis!r}. "
                            "One file holds one basis: store them under another symbol, or all again.")
        _, old, new = np.intersect1d(kept.ts_ns, bars.ts_ns, return_indices=True)
        columns = [(getattr(kept, name)[old], getattr(bars, name)[new], name) for name in FIELDS]
        for stored, given, name in columns:
            differs = stored != given
            if differs.any():
                i = int(np.argmax(differs))
                before, after = float(stored[i]), float(given[i])
                raise DataError(f"{path}: the stored bar of {bars.index[new[i]]} has {name} {before}, the new one "
                                f"{after} ({int(differs.sum()):,} such bars). Stored bars are not overwritten.")
        fresh = np.setdiff1d(np.arange(len(bars)), new)
        frame = pd.concat([kept.frame, bars.frame.iloc[fresh]]).sort_index()
        return Bars(frame, bars.timeframe, bars.calendar, bars.basis, origin=Origin(str(path)),
                    max_jump_ratio=_ANY_JUMP)

    def _manifest(self, symbol: str, bars: Bars, whole: Bars, asked: dict[str, Any]) -> bytes:
        """The manifest with one more import."""
        before = self.manifest(symbol, bars.timeframe).get("imports", [])
        actions = bars.report["action"].value_counts().to_dict()
        got = {**_span(bars), "hash": bars.content_hash, **{str(name): int(count) for name, count in actions.items()}}
        content = {
            "symbol": symbol, "timeframe": str(whole.timeframe), "calendar": whole.calendar.name, "basis": whole.basis,
            **_span(whole), "hash": whole.content_hash,
            "imports": [*before, {"asked": {name: str(value) for name, value in asked.items()}, "got": got}],
        }
        return json.dumps(content, indent=1).encode()


def save_bars(symbol: str, bars: Bars, asked: dict[str, Any] | None = None) -> Bars:
    """Add bars to the project's store; see ``Store.save``."""
    return Store().save(symbol, bars, asked)


def load_bars(symbol: str, timeframe: str | Timeframe, calendar: str | Calendar,
              start: str | dt.date | None = None, end: str | dt.date | None = None) -> Bars:
    """Read bars by name from the project's store; see ``Store.load``.

    ``"NSE:RELIANCE"`` with calendar NSE is the same as ``"RELIANCE"``.
    """
    prefix, colon, bare = symbol.partition(":")
    if colon and prefix != resolve_calendar(calendar).name:
        raise ConfigError(f"{symbol!r} is of {prefix}, the calendar is {resolve_calendar(calendar).name}.")
    return Store().load(bare if colon else symbol, timeframe, calendar, start, end)


def _span(bars: Bars) -> dict[str, Any]:
    return {"rows": len(bars), "first": str(bars.index[0]), "last": str(bars.index[-1])}


def _parquet(symbol: str, bars: Bars) -> bytes:
    """The file's bytes: bars with their description in the schema's metadata."""
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({"ts": pa.array(bars.ts_ns, pa.timestamp("ns", tz="UTC")),
                      **{name: getattr(bars, name) for name in FIELDS}})
    facts = {"symbol": symbol, "timeframe": str(bars.timeframe), "calendar": bars.calendar.name,
             "basis": bars.basis or "", "hash": bars.content_hash}
    out = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata({f"workbench.{name}": text for name, text in facts.items()}), out,
                        compression="zstd")
    return out.getvalue()


def _named(path: pathlib.Path) -> tuple[str, str]:
    """Symbol and timeframe of a file's name; the whole name and nothing where it does not say them."""
    symbol, _, timeframe = path.stem.rpartition("_")
    try:
        return (symbol, str(Timeframe.parse(timeframe))) if symbol else (path.stem, "")
    except ConfigError:
        return path.stem, ""


def _facts(path: pathlib.Path) -> tuple[dict[str, str], int]:
    """Description and number of rows of a stored file."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        metadata = parquet.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: the Parquet file is damaged or cut short: {str(error)[:200].rstrip('.')}. "
                        "Import it again.") from error
    written = metadata.metadata or {}
    facts = {name: written.get(f"workbench.{name}".encode()) for name in _KEYS}
    if any(value is None for value in facts.values()):
        raise DataError(f"{path}: the file was not written by the store. Import it: workbench data import.")
    return {name: (value or b"").decode() for name, value in facts.items()}, int(metadata.num_rows)


def _read(path: pathlib.Path) -> tuple[pd.DataFrame, dict[str, str]]:
    from workbench.market.sources.files import read_parquet

    facts, _ = _facts(path)
    return read_parquet(path).set_index("ts"), facts


@contextlib.contextmanager
def _locked(path: pathlib.Path) -> Iterator[None]:
    """Hold the file's lock: two imports of one symbol wait for each other."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
