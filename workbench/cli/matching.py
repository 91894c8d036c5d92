"""Which file, or which symbol of the store, is meant for which instrument.

A file of the form ``{SYMBOL}_{TIMEFRAME}.csv`` or ``.parquet`` says itself what it holds; anything else is said by an
option. Nothing is guessed from the content.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from workbench.errors import ConfigError
from workbench.market.home import unreadable

if TYPE_CHECKING:
    from workbench.market.timeframe import Timeframe

BAR_FILES = (".parquet", ".pq", ".csv", ".tsv", ".txt", ".gz")


def file_name(path: pathlib.Path) -> str:
    """A file's name without its endings, also where there are two (``A_5m.csv.gz``)."""
    stem = path.stem if path.suffix.lower() == ".gz" else path.name
    return pathlib.Path(stem).stem


def name_parts(path: pathlib.Path) -> tuple[str, Timeframe | None]:
    """Symbol and timeframe of ``{SYMBOL}_{TIMEFRAME}.ending``; the whole name and nothing when it is not one."""
    from workbench.market.timeframe import Timeframe

    name = file_name(path)
    symbol, _, tail = name.rpartition("_")
    try:
        return (symbol, Timeframe.parse(tail)) if symbol else (name, None)
    except ConfigError:
        return name, None


def agreed_timeframe(path: pathlib.Path, option: str | None) -> Timeframe | None:
    """Timeframe of the option or of the file's name; nothing when both are silent.

    Raises
    ------
    ConfigError
        The two contradict each other: five-minute bars read as fifteen-minute ones would lose two of three.
    """
    from workbench.market.timeframe import Timeframe

    said = name_parts(path)[1]
    asked = None if option is None else Timeframe.parse(option)
    if said is not None and asked is not None and said != asked:
        raise ConfigError(f"{path}: its name says {said}, the option {asked}. Leave the option out or rename it.")
    return asked or said


def files_in(paths: Sequence[pathlib.Path]) -> list[pathlib.Path]:
    """The files named, and those of the folders named, each once.

    Raises
    ------
    ConfigError
        A path does not exist, or a folder has no file of bars.
    """
    found: list[pathlib.Path] = []
    for path in paths:
        if not path.is_dir():
            if not path.exists():
                raise ConfigError(f"{path}: {unreadable(path, FileNotFoundError())}.")
            found.append(path)
            continue
        inside = sorted(one for one in path.iterdir() if one.is_file() and one.suffix.lower() in BAR_FILES)
        if not inside:
            raise ConfigError(f"{path}: the folder has no file of bars ({', '.join(BAR_FILES)}).")
        found += inside
    return list(dict.fromkeys(found))


def assigned(texts: Sequence[str], instruments: Sequence[str], timeframe: str | None) -> dict[str, pathlib.Path | str]:
    """Instrument to its file (a path) or its symbol in the store (text), by name.

    Of a folder, files are taken that are named after an instrument and, if it is given, have the timeframe.
    """
    by_symbol = {name.partition(":")[2]: name for name in instruments}
    if not texts:
        return {name: symbol for symbol, name in sorted(by_symbol.items(), key=lambda item: item[1])}
    chosen: dict[str, pathlib.Path | str] = {}
    for text in texts:
        left, equals, right = text.partition("=")
        named = by_symbol.get(left, left) if equals else ""
        if named in instruments:
            found = {named: file_or_symbol(right)}
        elif equals and ":" in left and not pathlib.Path(text).exists():
            raise ConfigError(f"--bars {text!r}: the strategy does not trade {left}. It trades {few(instruments)}.")
        else:
            found = _matched(text, instruments, by_symbol, timeframe)
        for name, source in found.items():
            if name in chosen:
                raise ConfigError(f"--bars names bars of {name} twice: {chosen[name]} and {source}.")
            chosen[name] = source
    missing = [name for name in instruments if name not in chosen]
    if missing:
        raise ConfigError(
            f"--bars names none for {few(missing)}. Name a file for each, as INSTRUMENT=PATH, or a folder of files "
            "SYMBOL_TIMEFRAME.parquet; without --bars all come from the store."
        )
    return dict(sorted(chosen.items()))


def _matched(
    text: str, instruments: Sequence[str], by_symbol: Mapping[str, str], timeframe: str | None
) -> dict[str, pathlib.Path | str]:
    """Instruments of a file, a folder or a symbol that stands alone."""
    source = file_or_symbol(text)
    if isinstance(source, str):
        name = source if source in instruments else by_symbol.get(source)
        if name is None:
            raise ConfigError(
                f"--bars {text!r}: there is no such file, and the strategy does not trade such a symbol. It trades "
                f"{few(instruments)}. Write {instruments[0]}={text} if those bars are meant for it."
            )
        return {name: name.partition(":")[2]}
    if source.is_dir():
        return _in_folder(source, by_symbol, timeframe)
    if len(instruments) == 1:
        return {instruments[0]: source}
    symbol, said = name_parts(source)
    if symbol not in by_symbol:
        whose = f"the strategy does not trade {symbol}" if said else "the name does not say of which instrument it is"
        raise ConfigError(
            f"--bars {text!r}: {whose}. Write INSTRUMENT={text} with one of {few(instruments)}; of a folder only the "
            "files are taken that are traded."
        )
    return {by_symbol[symbol]: source}


def _in_folder(
    folder: pathlib.Path, by_symbol: Mapping[str, str], timeframe: str | None
) -> dict[str, pathlib.Path | str]:
    """Instruments of the files in a folder that are named after one."""
    from workbench.market.timeframe import Timeframe

    wanted = None if timeframe is None else Timeframe.parse(timeframe)
    found: dict[str, pathlib.Path | str] = {}
    for path in files_in([folder]):
        symbol, said = name_parts(path)
        name = by_symbol.get(symbol)
        if name is None or (wanted is not None and said is not None and said != wanted):
            continue
        if name in found:
            raise ConfigError(
                f"{folder}: {pathlib.Path(found[name]).name} and {path.name} both are of {name}. Say which timeframe "
                f"is meant, --timeframe 5m, or which file: {name}={path}."
            )
        found[name] = path
    if not found:
        traded = few(list(by_symbol.values()))
        raise ConfigError(f"{folder}: no file in it is named SYMBOL_TIMEFRAME after one of {traded}.")
    return found


def file_or_symbol(text: str) -> pathlib.Path | str:
    """A path when it exists or looks like one, else a symbol."""
    path = pathlib.Path(text).expanduser()
    if path.exists():
        return path
    if "/" in text or path.suffix.lower() in BAR_FILES:
        raise ConfigError(f"{text}: {unreadable(path, FileNotFoundError())}.")
    return text


def few(names: Sequence[str]) -> str:
    """The first names of a list, and how many more there are."""
    shown = ", ".join(sorted(names)[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
