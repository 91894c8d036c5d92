"""Bars for a command: read from files, or loaded from the store."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.cli.matching import agreed_timeframe, assigned, few, file_or_symbol
from workbench.cli.screen import progress
from workbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    from workbench.market.bars import Bars
    from workbench.market.timeframe import Timeframe


@dataclass(frozen=True)
class Reading:
    """How bars are read, as far as the line says.

    Attributes
    ----------
    calendar : str or None
        Of the exchange; a stored file knows its own.
    timeframe : str or None
        Of the base bars.
    repair, basis, zone : str or None
        See ``read_bars``; they concern files, not the store.
    """

    calendar: str | None = None
    timeframe: str | None = None
    repair: str | None = None
    basis: str | None = None
    zone: str | None = None


@dataclass(frozen=True)
class Loaded:
    """Bars and where they came from.

    Attributes
    ----------
    bars : Bars
        As read, before any cut.
    source : str
        A path, or ``store``.
    """

    bars: Bars
    source: str


def bars_of_strategy(
    texts: Sequence[str], instruments: Sequence[str], reading: Reading, strategy_timeframe: str
) -> dict[str, Loaded]:
    """Bars of each instrument of a strategy, with progress on a terminal; otherwise as ``named_bars``."""
    with progress(len(instruments), "Reading") as begin:
        return named_bars(texts, instruments, reading, strategy_timeframe, begin)


def named_bars(
    texts: Sequence[str],
    instruments: Sequence[str],
    reading: Reading,
    strategy_timeframe: str,
    begin: Callable[[str], object] = lambda _: None,
) -> dict[str, Loaded]:
    """Bars of each instrument of a strategy.

    Parameters
    ----------
    texts : sequence of str
        What ``--bars`` named: files, folders, symbols of the store, ``INSTRUMENT=`` before any of them. Nothing means
        the store, for every instrument.
    instruments : sequence of str
        Of the strategy.
    reading : Reading
        With the strategy's calendar.
    strategy_timeframe : str
        That of the base bars of a file which nothing else says.
    begin : callable, optional
        Told the name of each instrument before its bars are read.

    Raises
    ------
    ConfigError
        What was named does not fit the instruments.
    DataError
        A file is refused.
    """
    chosen = assigned(texts, instruments, reading.timeframe)
    from_store = [symbol for symbol in chosen.values() if isinstance(symbol, str)]
    stored = reading.timeframe or (stored_timeframe(from_store, strategy_timeframe) if from_store else "")
    loaded: dict[str, Loaded] = {}
    for name, source in chosen.items():
        begin(name)
        if isinstance(source, str):
            loaded[name] = _from_store(source, stored, reading.calendar or "")
        else:
            loaded[name] = from_file(source, reading, strategy_timeframe)
    return loaded


def stored_timeframe(symbols: Sequence[str], strategy_timeframe: str) -> str:
    """The one timeframe in which all symbols are stored and from which the strategy's bars can be built.

    Raises
    ------
    ConfigError
        There is none, or more than one.
    """
    from workbench.market.store import Store
    from workbench.market.timeframe import Timeframe

    wanted, stored = Timeframe.parse(strategy_timeframe), Store().list()
    common: set[Timeframe] | None = None
    for symbol in symbols:
        bare = symbol.rpartition(":")[2]
        kept = {Timeframe.parse(one.timeframe) for one in stored if one.symbol == bare and one.timeframe}
        fitting = {one for one in kept if one.divides(wanted)}
        if not fitting:
            there = ", ".join(map(str, sorted(kept))) or "none"
            raise DataError(
                f"the store has no bars of {bare} from which {wanted} bars can be built; it has {there} of it. Import "
                f"them: workbench data import FILE --symbol {bare}, or name a file: --bars FILE."
            )
        common = fitting if common is None else common & fitting
    if not common:
        raise ConfigError(f"the store has no timeframe in common for {few(symbols)}. Say one: --timeframe 5m.")
    if len(common) > 1:
        there = ", ".join(map(str, sorted(common)))
        raise ConfigError(
            f"the store has bars of {few(symbols)} in {there}. Say on which to run: --timeframe "
            f"{min(common)} resolves fills and stops most finely."
        )
    return str(common.pop())


def from_file(path: pathlib.Path, reading: Reading, default_timeframe: str | None = None) -> Loaded:
    """Read a file; its name says the timeframe where no option does."""
    from workbench.market.sources.files import read_bars

    if reading.calendar is None:
        raise ConfigError(f"{path}: a file does not say its exchange. Say it: --calendar NSE.")
    timeframe = agreed_timeframe(path, reading.timeframe) or default_timeframe
    if timeframe is None:
        raise ConfigError(f"{path}: the name does not say the timeframe of its bars. Say it: --base 5m.")
    layout = {} if reading.zone is None else {"zone": reading.zone}
    bars = read_bars(path, timeframe, reading.calendar, reading.repair, reading.basis, **layout)  # type: ignore[arg-type]
    return Loaded(bars, str(path))


def _from_store(symbol: str, timeframe: str, calendar: str) -> Loaded:
    from workbench.market.store import load_bars

    return Loaded(load_bars(symbol, timeframe, calendar), "store")


def bars_of_one(text: str, reading: Reading, wanted: str | None) -> Loaded:
    """Bars of one file or of one symbol of the store.

    Parameters
    ----------
    text : str
        Path or symbol (``NSE:RELIANCE`` or ``RELIANCE``).
    reading : Reading
        The calendar may be left out for a symbol.
    wanted : str or None
        Timeframe that must be possible to build from the bars.
    """
    from workbench.market.store import Store
    from workbench.market.timeframe import Timeframe

    source = file_or_symbol(text)
    if isinstance(source, pathlib.Path):
        if source.is_dir():
            raise ConfigError(f"--bars {text!r} is a folder; name one file.")
        return from_file(source, reading, wanted)
    prefix, _, symbol = source.rpartition(":")
    kept = [one for one in Store().list() if one.symbol == symbol and (not prefix or one.calendar in (prefix, ""))]
    kept = [one for one in kept if one.timeframe]
    if reading.timeframe is not None:
        kept = [one for one in kept if one.timeframe == str(Timeframe.parse(reading.timeframe))]
    if wanted is not None:
        kept = [one for one in kept if Timeframe.parse(one.timeframe).divides(Timeframe.parse(wanted))]
    if not kept:
        raise DataError(
            f"--bars {text!r}: there is no such file, and the store has no fitting bars of such a symbol. See what it "
            "has: workbench data list."
        )
    if len(kept) > 1:
        there = sorted(Timeframe.parse(one.timeframe) for one in kept)
        kinds = ", ".join(map(str, there))
        raise ConfigError(f"the store has bars of {symbol} in {kinds}. Say which: --base {there[0]}.")
    if kept[0].error is not None:
        raise DataError(kept[0].error)
    return _from_store(source, kept[0].timeframe, reading.calendar or kept[0].calendar)
