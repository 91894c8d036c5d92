"""Files of bars in a folder: whose bars a file's name says it holds, whether it has changed, whether it is whole.

A file is named ``{SYMBOL}_{TIMEFRAME}`` or ``{SYMBOL}``, with the ending of a file that ``read_bars`` reads.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from workbench.errors import ConfigError, DataError
from workbench.market.bars import Bars
from workbench.market.calendar import Calendar
from workbench.market.home import unreadable
from workbench.market.sources.files import Layout, read_bars
from workbench.market.timeframe import Timeframe

_TEXT = (".csv", ".tsv", ".txt")
_ENDINGS = (*_TEXT, ".parquet", ".pq", ".gz")
#: The last bytes of a text whose last line is finished, in UTF-8 and in both forms of UTF-16.
_LINE_ENDS = (b"\n", b"\r", b"\n\x00", b"\r\x00")

#: A file's name, and the timeframe it says.
Named = tuple[str, Timeframe | None]


class Version(NamedTuple):
    """What is different when a file was written to, replaced or renamed.

    Attributes
    ----------
    name : str
        Of the file, without its folder.
    inode, size_bytes : int
        A file that is replaced by another has another inode.
    written_ns, changed_ns : int
        When its content was last written, and its entry in the file system, by the file system's clock.
    """

    name: str
    inode: int
    size_bytes: int
    written_ns: int
    changed_ns: int


def version_of(path: pathlib.Path) -> Version:
    """The version of a file as it is now; OSError where there is none."""
    at = path.stat()
    return Version(path.name, at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns)


@lru_cache(maxsize=10_000)
def name_parts(name: str) -> tuple[str, Timeframe | None] | None:
    """Symbol and timeframe that a file's name says; None for a name that no file of bars has.

    Parameters
    ----------
    name : str
        Such as ``RELIANCE_5m.parquet``, ``EUR_USD_1h.csv.gz``, or ``RELIANCE.csv``, which says no timeframe.
    """
    path = pathlib.Path(name)
    ending, stem = path.suffix.lower(), path.stem
    if ending not in _ENDINGS or name.startswith("."):
        return None
    if ending == ".gz":
        stem = pathlib.Path(stem).stem
    symbol, _, tail = stem.rpartition("_")
    try:
        return (symbol, Timeframe.parse(tail)) if symbol else (stem, None)
    except ConfigError:
        return stem, None


def files_by_symbol(folder: pathlib.Path) -> dict[str, list[Named]]:
    """Symbol to the names of its files, each with the timeframe it says.

    Raises
    ------
    DataError
        The folder cannot be listed.
    """
    found: dict[str, list[Named]] = {}
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError as error:
        raise DataError(f"{folder}: {unreadable(folder, error)}.") from error
    for name in names:
        parts = name_parts(name)
        if parts is not None:
            found.setdefault(parts[0], []).append((name, parts[1]))
    return found


def file_for(symbol: str, timeframe: Timeframe, files: Iterable[Named]) -> tuple[str, bool]:
    """The one file that holds the bars of a symbol and timeframe, and whether its name says the timeframe.

    Parameters
    ----------
    symbol, timeframe
        Whose bars.
    files : iterable of (str, Timeframe or None)
        Names of the symbol's files. One that says the timeframe is taken before one that says none.

    Raises
    ------
    DataError
        There is none, or there are several.
    """
    listed = list(files)
    named = [name for name, said in listed if said == timeframe]
    silent = [name for name, said in listed if said is None]
    fitting = named or silent
    if not fitting:
        raise DataError(f"there is no file of {symbol}, {timeframe}: it is called {symbol}_{timeframe}.parquet, or "
                        f"{symbol}_{timeframe}.csv.")
    if len(fitting) > 1:
        raise DataError(f"{' and '.join(fitting[:2])} both can hold the {timeframe} bars of {symbol}. Keep one.")
    return fitting[0], bool(named)


def read_whole(path: pathlib.Path, timeframe: Timeframe, calendar: Calendar, layout: Layout) -> Bars:
    """Read a file that may be written to at this very moment; what can be dropped is dropped and is in the report.

    Raises
    ------
    DataError
        The file cannot be read: because it is not whole yet, or for good.
    """
    try:
        before = version_of(path)
        if path.suffix.lower() in _TEXT and before.size_bytes > 1 and not _ends_with_a_line(path):
            raise DataError(f"{path}: the last line does not end, so it may be half written. End it with a newline.")
        bars = read_bars(path, timeframe, calendar, "drop", **layout)
        if version_of(path) != before:
            raise DataError(f"{path}: the file was written to while it was read.")
    except OSError as error:
        raise DataError(f"{path}: {unreadable(path, error)}.") from error
    return bars


def _ends_with_a_line(path: pathlib.Path) -> bool:
    with path.open("rb") as file:
        file.seek(-2, os.SEEK_END)
        return file.read().endswith(_LINE_ENDS)
