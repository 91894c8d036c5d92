"""Files of bars that are written by something else: whatever is new in them is handed over (rules B1, B5, B6, B7).

The folder is listed at every look, and a file is read again when its version is another. Nothing is kept open and
nothing is waited for: what cannot be read now is looked at again the next time.
"""

from __future__ import annotations

import pathlib
from typing import Unpack

from workbench.errors import ConfigError, DataError
from workbench.live.feed import ClosedBar, Gap
from workbench.live.feeds.bar_files import Named, Version, file_for, files_by_symbol, read_whole, version_of
from workbench.live.feeds.file_bars import FileBars
from workbench.market.calendar import Calendar
from workbench.market.home import unreadable
from workbench.market.instruments import split_name
from workbench.market.sources.files import Layout
from workbench.market.timeframe import Timeframe

TWENTY_MILLISECONDS_NS = 20_000_000


class FolderFeed:
    """A feed that watches a folder of CSV and Parquet files.

    The bars of ``NSE:RELIANCE`` on ``5m`` come from the file ``RELIANCE_5m``, with any ending that ``read_bars`` reads,
    or from ``RELIANCE`` where no file says the timeframe. The file may grow, be rewritten or be replaced. A bar is
    handed over when it has closed and the file was written after that; once more when its values have changed.

    Parameters
    ----------
    folder : path
        Where the files are, or will be.
    early_ns : int
        How long before a bar's close, by the file system's clock, a file may have been written and still hold the bar
        as it closed; more than 0 because file systems round their times, nanoseconds.
    **layout
        How the files are written: ``zone``, ``stamp``, ``columns``, ``max_jump_ratio``, as for ``read_bars``.

    Raises
    ------
    ConfigError
        There is no such folder, or ``layout`` has another name.
    """

    def __init__(self, folder: str | pathlib.Path, early_ns: int = TWENTY_MILLISECONDS_NS,
                 **layout: Unpack[Layout]) -> None:
        self._folder = pathlib.Path(folder)
        if not self._folder.is_dir():
            why = "it is a file" if self._folder.exists() else unreadable(self._folder, FileNotFoundError())
            raise ConfigError(f"{folder}: {why}. Name a folder that exists; files may come into it later.")
        unknown = set(layout) - set(Layout.__annotations__)
        if unknown:
            raise ConfigError(f"a FolderFeed takes no {min(unknown)!r}. It takes {', '.join(Layout.__annotations__)}.")
        self._early_ns, self._layout = early_ns, layout
        self._watched: dict[tuple[str, Timeframe], _Watched] = {}
        self._by_symbol: dict[str, list[_Watched]] = {}

    def follow(self, instrument: str, timeframe: str, calendar: Calendar, since_ns: int) -> None:
        """Begin to hand over bars of an instrument that close after ``since_ns``; asking again changes nothing.

        Raises
        ------
        ConfigError
            The instrument is not written ``EXCHANGE:SYMBOL``.
        """
        asked = Timeframe.parse(timeframe)
        if (instrument, asked) not in self._watched:
            symbol = split_name(instrument)[1]
            one = _Watched(symbol, FileBars(instrument, asked, calendar, since_ns, self._early_ns))
            self._watched[instrument, asked] = one
            self._by_symbol.setdefault(symbol, []).append(one)

    def take(self, now_ns: int) -> list[ClosedBar]:
        """Bars that closed by ``now_ns`` and are new or have changed, in the order of their close."""
        closed = []
        try:
            files, refusal = files_by_symbol(self._folder), ""
        except DataError as error:
            files, refusal = {}, str(error)
        for one in self._watched.values():
            why = refusal or self._look(one, files.get(one.symbol, []), now_ns)
            one.looked(why, now_ns)
            closed += one.bars.take(now_ns)
        closed.sort(key=lambda found: (found[0], found[1].instrument, Timeframe.parse(found[1].timeframe)))
        return [bar for _, bar in closed]

    def through_ns(self, instrument: str, timeframe: str) -> int:
        """Close of the newest bar that was handed over; 0 before the first."""
        one = self._watched.get((instrument, Timeframe.parse(timeframe)))
        return 0 if one is None else one.bars.through_ns

    def next_ns(self, now_ns: int) -> int | None:
        """Close of the first bar that is in a file and waits for it; None when nobody can know."""
        waiting = [ns for one in self._watched.values() if (ns := one.bars.next_ns()) is not None]
        return min(waiting, default=None)

    def gaps(self) -> list[Gap]:
        """Files that cannot be read, rows that were dropped, intervals without a bar."""
        return [gap for one in self._watched.values() for gap in one.bars.told()]

    def _look(self, one: _Watched, files: list[Named], now_ns: int) -> str:
        """Read the file of what is watched when it has changed; hand back why that is not possible."""
        try:
            path = self._folder / self._chosen(one, files)
        except DataError as error:
            return f"{self._folder}: {error}"
        try:
            version = version_of(path)
        except OSError as error:
            return f"{path}: {unreadable(path, error)}."
        if version == one.version:
            return one.refusal
        one.version, one.refusal = version, ""
        try:
            bars = read_whole(path, one.bars.timeframe, one.bars.calendar, self._layout)
        except ConfigError as error:
            one.refusal = str(error)
            return one.refusal
        one.bars.replace(bars, version.written_ns)
        one.bars.tell_report(bars, path.name, now_ns)
        return ""

    def _chosen(self, one: _Watched, files: list[Named]) -> str:
        """Name of the file, if it can be of nothing else that is watched."""
        name, says_timeframe = file_for(one.symbol, one.bars.timeframe, files)
        mine = one.bars
        for other in (watched.bars for watched in self._by_symbol[one.symbol] if watched is not one):
            if other.instrument != mine.instrument:
                raise DataError(f"{mine.instrument} and {other.instrument} are both followed, and the name of {name} "
                                "cannot say whose bars it holds. Use a folder and a feed for each exchange.")
            if not says_timeframe:
                raise DataError(f"{mine.timeframe} and {other.timeframe} bars of {mine.instrument} are followed, and "
                                f"the name of {name} does not say which it holds. Call it {one.symbol}_{mine.timeframe}"
                                f"{pathlib.Path(name).suffix}.")
        return name


class _Watched:
    """What comes from one file, the version that was read last, and what is wrong with it."""

    def __init__(self, symbol: str, bars: FileBars) -> None:
        self.symbol, self.bars = symbol, bars
        self.version: Version | None = None
        self.refusal = ""
        self._n_failed, self._told = 0, ""

    def looked(self, why: str, now_ns: int) -> None:
        """Tell why a look failed, once; the first of several is passed over, for the file may be half written."""
        if not why:
            self._n_failed, self._told = 0, ""
            return
        self._n_failed += 1
        if self._n_failed > 1 and why != self._told:
            self._told = why
            self.bars.tell(now_ns, why)
