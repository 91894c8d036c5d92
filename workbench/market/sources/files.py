"""Bars from CSV and Parquet files, whatever their columns are called (rule B6; N1).

A table is brought into one form (columns open, high, low, close, volume; instants), then ``Bars`` checks it. Nothing is
repaired here, and nothing is guessed that could be guessed wrong: clock times need a zone, two columns that can mean
the same are refused, a file of several symbols is refused.
"""

from __future__ import annotations

import csv
import io
import pathlib
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

import numpy as np
import pandas as pd

from workbench.errors import ConfigError, DataError
from workbench.market.bars import Bars, Handed
from workbench.market.calendar import Calendar, resolve_calendar
from workbench.market.checks import Origin
from workbench.market.columns import PRICES, recognised
from workbench.market.grid import build_grid
from workbench.market.home import unreadable
from workbench.market.sessions import Int64
from workbench.market.sources.times import instants, joined
from workbench.market.timeframe import Timeframe
from workbench.memory import give_back

_TEXT = frozenset({".csv", ".txt", ".tsv", ".gz", ""})
_PARQUET = frozenset({".parquet", ".pq"})


class Layout(TypedDict, total=False):
    """How a file is written, as far as it does not say so itself.

    Attributes
    ----------
    zone : str
        Zone of clock times without offset, such as ``"Asia/Kolkata"``. Stamps with an offset need none, and one that
        contradicts them is refused.
    stamp : str
        What a time marks: ``"open"`` (default) or ``"close"`` of its bar.
    columns : mapping or sequence of str
        Our name to the file's (``{"open": "Open price"}``); or the names of a file without a header, in order, of
        which unknown ones are passed over.
    max_jump_ratio : float
        See ``Bars``.
    """

    zone: str
    stamp: str
    columns: Mapping[str, str] | Sequence[str]
    max_jump_ratio: float


def read_bars(path: str | pathlib.Path, timeframe: str | Timeframe, calendar: str | Calendar,
              repair: str | None = None, basis: str | None = None, **layout: Unpack[Layout]) -> Bars:
    """Read bars from a CSV or Parquet file.

    Parameters
    ----------
    path : path
        ``.csv``, ``.tsv``, ``.txt`` (also ``.gz``) or ``.parquet``.
    timeframe, calendar, repair, basis
        See ``Bars``.
    **layout
        See ``Layout``: ``zone``, ``stamp``, ``columns``, ``max_jump_ratio``.

    Returns
    -------
    Bars

    Raises
    ------
    DataError
        Names file, row and reason; rows count from 0, lines of a text file from 1.
    """
    unknown = set(layout) - set(Layout.__annotations__)
    if unknown:
        raise ConfigError(f"read_bars takes no {min(unknown)!r}. It takes {', '.join(Layout.__annotations__)}.")
    stamp = layout.get("stamp", "open")
    if stamp not in ("open", "close"):
        raise ConfigError(f"stamp={stamp!r} does not exist. A time marks its bar's 'open' or 'close'.")
    timeframe, calendar = Timeframe.parse(timeframe), resolve_calendar(calendar)
    source = pathlib.Path(path)
    table, first_line = _read(source, layout.get("columns"))
    origin = Origin(str(path), first_line, layout.get("zone"))
    if not len(table):
        raise DataError(f"{path}: there are no bars in it.")
    given = layout.get("columns")
    found = recognised(list(table.columns), given if isinstance(given, Mapping) else None, origin.name)
    _refuse_several_symbols(table, found, origin)
    ts = _times(table, found, layout.get("zone"), timeframe, origin)
    if stamp == "close":
        ts = opened(ts, timeframe, calendar)
    missing = [name for name in PRICES if name not in found]
    if missing:
        raise DataError(f"{path}: column {missing[0]!r} is missing; there are {', '.join(map(repr, table.columns))}. "
                        "Name them: columns={'open': ...}.")
    fields = {name: table.iloc[:, found[name]].to_numpy() for name in (*PRICES, "volume") if name in found}
    frame = Handed(fields, index=pd.DatetimeIndex(ts.view("datetime64[ns]"), tz="UTC", name="ts"), copy=False)
    del table, fields
    bars = Bars(frame, timeframe, calendar, basis, repair, origin=origin,
                max_jump_ratio=layout.get("max_jump_ratio", 2.0))
    del frame
    give_back()
    return bars


def opened(ts: Int64, timeframe: Timeframe, calendar: Calendar) -> Int64:
    """Opening stamps of bars stamped at their close.

    A bar cut short by the session's close is found by its close on the grid (rule B1); a stamp that closes no interval
    is moved by the timeframe and left to the checks.
    """
    known = ts[ts != np.iinfo(np.int64).min]
    moved = np.where(ts == np.iinfo(np.int64).min, ts, ts - timeframe.ns)
    if timeframe.is_daily or not len(known):
        return ts
    grid = build_grid(calendar, timeframe, int(known.min()) - timeframe.ns, int(known.max()))
    if not len(grid):
        return moved
    at = np.minimum(np.searchsorted(grid.close_ns, ts), len(grid) - 1)
    return np.where(grid.close_ns[at] == ts, grid.open_ns[at], moved)


def _times(table: pd.DataFrame, found: dict[str, int], zone: str | None, timeframe: Timeframe,
           origin: Origin) -> Int64:
    """Instants from a time column, a date with a time column, a date, or an unnamed first column."""
    def column(name: str) -> Any:
        return table.iloc[:, found[name]]

    if "ts" in found:
        values = column("ts")
    elif "date" in found and "time" in found:
        values = joined(column("date"), column("time"))
    elif "date" in found or "time" in found:
        values = column("date" if "date" in found else "time")
    elif not str(table.columns[0]) or str(table.columns[0]).startswith(("Unnamed", "index", "__index")):
        values = table.iloc[:, 0]
    else:
        raise DataError(f"{origin.name}: no column holds the times; there are {', '.join(map(repr, table.columns))}. "
                        "Name it: columns={'ts': ...}.")
    return instants(values, zone, timeframe.is_daily, origin)


def _refuse_several_symbols(table: pd.DataFrame, found: dict[str, int], origin: Origin) -> None:
    if "symbol" not in found:
        return
    symbols = table.iloc[:, found["symbol"]]
    other = (symbols != symbols.iloc[0]).to_numpy(dtype=bool)
    if other.any():
        row = int(np.argmax(other))
        other_symbol, symbol = symbols.iloc[[row, 0]].tolist()
        raise DataError(f"{origin.at(row)}: symbol {other_symbol!r} in a file of {symbol!r}. "
                        "One file holds one instrument: split it.")


def _read(path: pathlib.Path, columns: Mapping[str, str] | Sequence[str] | None) -> tuple[pd.DataFrame, int | None]:
    """The raw table, and the line of its first row for a text file."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"{path}: {unreadable(path, error)}.") from error
    if size == 0:
        raise DataError(f"{path}: the file is empty.")
    if path.suffix.lower() in _PARQUET:
        return read_parquet(path), None
    if path.suffix.lower() in _TEXT:
        return _read_text(path, None if columns is None or isinstance(columns, Mapping) else list(columns))
    raise DataError(f"{path}: files ending in {path.suffix!r} are not read. Use .csv, .tsv, .txt or .parquet.")


def read_parquet(path: pathlib.Path) -> pd.DataFrame:
    """A Parquet file as a DataFrame.

    Raises
    ------
    DataError
        The file is truncated, damaged or no Parquet at all.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            frame = _column_by_column(file)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{path}: the Parquet file is damaged or cut short: {_one_line(error)}. "
                        "Fetch or write it again.") from error
    return frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()


def _column_by_column(file: Any) -> pd.DataFrame:
    """A Parquet file as a DataFrame; read whole, a long file would be in memory twice."""
    names = list(file.schema_arrow.names)
    described = (file.schema_arrow.pandas_metadata or {}).get("index_columns", [])
    plain = all(isinstance(index, dict) for index in described) and len(set(names)) == len(names)
    if not plain:
        whole: pd.DataFrame = file.read().to_pandas(split_blocks=True, self_destruct=True)
        return whole
    columns = {}
    for name in names:
        # A copy, so that what Arrow read goes back before the next column comes.
        columns[name] = file.read(columns=[name]).column(0).to_pandas().copy()
        give_back()
    return pd.DataFrame(columns, copy=False)


def _read_text(path: pathlib.Path, names: list[str] | None) -> tuple[pd.DataFrame, int]:
    """A delimited text file; the header's own names, unchanged, or the names given for a file without one."""
    head = _head(path).replace("\r\n", "\n").replace("\r", "\n")
    separator = max(",;\t|", key=head.splitlines()[0].count) if head.strip() else ","
    lines = csv.reader(io.StringIO(head), delimiter=separator)
    header, first = next(lines, []), next(lines, [])
    if names is None and header and all(_is_value(cell) for cell in header[-4:]):
        raise DataError(f"{path}, line 1: there is no header, the file begins with {','.join(header)!r}. Name the "
                        "columns in order: columns=('date', 'time', 'open', 'high', 'low', 'close', 'volume').")
    if names is not None and len(names) != len(header):
        raise DataError(f"{path}, line 1: the file has {len(header)} columns, {len(names)} names were given.")
    if names is None and any(cell.strip() for cell in first[len(header):]):
        # The library would pass over what the first line has too much; of any other line it says so itself.
        raise DataError(f"{path}, line 2: there are {len(first)} fields under {len(header)} names. Name every column.")
    skipped = 0 if names is not None else 1
    try:
        table = pd.read_csv(path, sep=separator, header=None, skiprows=skipped, names=range(len(header)),
                            encoding=_encoding(path), skip_blank_lines=False, thousands=None, index_col=False,
                            low_memory=False)
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=names or header), skipped + 1
    except (pd.errors.ParserError, UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: the text cannot be read as a table: {_one_line(error)}.") from error
    table.columns = pd.Index(names or header)
    while len(table) and table.iloc[-1].isna().all():
        table = table.iloc[:-1]
    return table, skipped + 1


def _head(path: pathlib.Path) -> str:
    """The first lines, decoded."""
    import gzip

    opener: Any = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opener(path, "rb") as file:
            return str(file.read(8192).decode(_encoding(path), errors="replace").lstrip("\ufeff"))
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: the file cannot be read: {_one_line(error)}.") from error


def _encoding(path: pathlib.Path) -> str:
    """UTF-16 when the file says so, as exports of trading terminals do; UTF-8 otherwise."""
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _is_value(cell: str) -> bool:
    """Whether a header's cell is a number rather than a name."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200].rstrip(".")
