"""Where a runner's bars come from, as a person names it: a watched folder, or stored bars in virtual time.

A source makes its feed anew whenever the runner forgets everything and begins again from the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from workbench.errors import ConfigError, DataError
from workbench.live.feed import Feed
from workbench.live.feeds.bar_files import file_for, files_by_symbol, name_parts
from workbench.live.feeds.folder import FolderFeed
from workbench.live.feeds.replay import ReplayFeed
from workbench.live.given import Given
from workbench.market.bars import Bars
from workbench.market.calendar import Calendar
from workbench.market.home import unreadable
from workbench.market.instruments import split_name
from workbench.market.sources.files import read_bars
from workbench.market.store import load_bars
from workbench.market.timeframe import Timeframe

#: Instrument to the timeframe and the calendar of its base bars.
Wanted = Mapping[str, tuple[Timeframe, Calendar]]


class Source(Protocol):
    """Makes feeds."""

    def feed(self, deployed: Iterable[Given]) -> Feed:
        """A feed that has handed over nothing, for deployments."""

    def last_ns(self) -> int | None:
        """Close of the last bar there will ever be; None when more may come."""


class FolderSource:
    """Files of bars in a folder that something else writes.

    Parameters
    ----------
    folder : path
        Where they are.
    zone : str, optional
        Of clock times without offset.
    """

    def __init__(self, folder: str | Path, zone: str | None = None) -> None:
        self._folder, self._zone = folder, zone
        self._made()

    def feed(self, deployed: Iterable[Given]) -> Feed:
        """A feed that has handed over nothing."""
        del deployed
        return self._made()

    def last_ns(self) -> int | None:
        """None: files may grow."""
        return None

    def _made(self) -> FolderFeed:
        return FolderFeed(self._folder) if self._zone is None else FolderFeed(self._folder, zone=self._zone)


class ReplaySource:
    """Stored bars of whatever is deployed, read once.

    Parameters
    ----------
    texts : sequence of str
        Files, folders of files ``SYMBOL_TIMEFRAME``, each perhaps after ``INSTRUMENT=``. Nothing means the store.
    zone : str, optional
        Of clock times without offset in files.
    """

    def __init__(self, texts: Sequence[str] = (), zone: str | None = None) -> None:
        self._texts, self._zone = tuple(texts), zone
        self._bars: dict[str, Bars] = {}
        self._last_ns = 0

    @classmethod
    def of(cls, bars: Mapping[str, Bars]) -> ReplaySource:
        """Bars that are in memory."""
        source = cls()
        source._bars.update(bars)
        return source

    def feed(self, deployed: Iterable[Given]) -> Feed:
        """A feed that has handed over nothing; bars of instruments that are new are read.

        Raises
        ------
        ConfigError
            There are no bars of an instrument, or a file is refused.
        """
        wanted = {name: (one.timeframe, one.calendar) for one in deployed for name in one.names}
        new = {name: how for name, how in wanted.items() if name not in self._bars}
        self._bars.update(bars_named(self._texts, new, self._zone))
        self._last_ns = max((int(one.grid.close_ns[-1]) for one in self._bars.values()), default=0)
        return ReplayFeed(self._bars)

    def last_ns(self) -> int | None:
        """Close of the last bar; 0 before the first feed is made."""
        return self._last_ns


def bars_named(texts: Sequence[str], wanted: Wanted, zone: str | None) -> dict[str, Bars]:
    """Bars of each instrument from what was named for it, or from the store.

    Parameters
    ----------
    texts : sequence of str
        As for ``ReplaySource``.
    wanted : mapping
        Instrument to the timeframe and calendar of its base bars.
    zone : str or None
        Of clock times without offset in files.

    Raises
    ------
    ConfigError
        What was named holds no bars of an instrument, or is no file.
    """
    found = {}
    for name, (timeframe, calendar) in wanted.items():
        path = _file_of(name, timeframe, texts)
        if path is None:
            found[name] = load_bars(split_name(name)[1], timeframe, calendar)
        else:
            layout = {} if zone is None else {"zone": zone}
            found[name] = read_bars(path, timeframe, calendar, **layout)  # type: ignore[arg-type]
    return found


def _file_of(instrument: str, timeframe: Timeframe, texts: Sequence[str]) -> Path | None:
    """The file that holds an instrument's bars; None for the store."""
    symbol, tried = split_name(instrument)[1], []
    for text in texts:
        named, equals, rest = text.partition("=")
        if equals and named not in (instrument, symbol):
            continue
        path = Path(rest if equals else text).expanduser()
        if not path.exists():
            raise ConfigError(f"--bars {text}: {unreadable(path, FileNotFoundError())}.")
        if path.is_dir():
            try:
                return path / file_for(symbol, timeframe, files_by_symbol(path).get(symbol, []))[0]
            except DataError as error:
                tried.append(str(error).rstrip("."))
        elif equals or name_parts(path.name) in ((symbol, timeframe), (symbol, None)):
            return path
        else:
            tried.append(f"{path} is not named {symbol}_{timeframe}")
    if not texts:
        return None
    raise ConfigError(
        f"--bars names no {timeframe} bars of {instrument}, which is deployed: {'; '.join(tried) or 'nothing fits'}. "
        f"Name its file: --bars {instrument}=FILE."
    )
