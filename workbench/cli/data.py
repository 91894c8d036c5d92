"""``workbench data``: bars into the store, what is in it, and what is wrong with a file."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.failures import REFUSED, WRONG, message_of
from workbench.cli.matching import agreed_timeframe, files_in, name_parts
from workbench.cli.options import (
    EXCHANGE_CALENDAR,
    Basis,
    Columns,
    MaxJumpRatio,
    Repair,
    Stamp,
    Zone,
    column_names,
)
from workbench.cli.screen import busy, plain, progress, say, show_table, warn
from workbench.cli.tables import checked_path, write_table
from workbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    import pandas as pd

    from workbench.market.bars import Bars
    from workbench.market.timeframe import Timeframe

commands = typer.Typer(no_args_is_help=True, help="Bars: import into the store, validate, list.")

_IMPORT_EXAMPLES = """\b
Examples:
  workbench data import RELIANCE_5m.csv --calendar NSE --zone Asia/Kolkata
  workbench data import downloads/ --calendar NSE --repair drop
  workbench data import 2023.csv 2024.csv --symbol AAPL --timeframe 1d --calendar XNYS --basis split-adjusted
"""
_VALIDATE_EXAMPLES = """\b
Examples:
  workbench data validate RELIANCE_5m.csv --calendar NSE --zone Asia/Kolkata
  workbench data validate export.csv --calendar NSE --timeframe 1m --output bad-rows.csv
"""

FileCalendar = Annotated[str, typer.Option(metavar="NAME", help=EXCHANGE_CALENDAR)]
FileTimeframe = Annotated[
    str | None, typer.Option(metavar="5m", help="Of the bars, where a file's name does not end in _5m or the like.")
]
Paths = Annotated[list[pathlib.Path], typer.Argument(metavar="PATH", help="Files (CSV, Parquet) or folders of them.")]


@commands.command("import", epilog=_IMPORT_EXAMPLES)
def import_bars(
    paths: Paths,
    calendar: FileCalendar,
    symbol: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of all files; left out, each name says it: SYMBOL_5m.csv.")
    ] = None,
    timeframe: FileTimeframe = None,
    repair: Repair = None,
    basis: Basis = None,
    zone: Zone = None,
    stamp: Stamp = "open",
    columns: Columns = None,
    max_jump_ratio: MaxJumpRatio = 2.0,
) -> None:
    """Check files of bars and add them to the store.

    A file that is refused leaves the store as it was; the others are imported all the same, and the exit code is 2.
    """
    files = files_in(paths)
    named = [(path, *_identity(path, symbol, timeframe)) for path in files]
    with busy("Starting"):
        from workbench.market.store import Store

        store, layout = Store(), _layout(zone, stamp, columns, max_jump_ratio)
    rows: list[tuple[Any, ...]] = []
    refused: list[DataError] = []
    notes: list[str] = []
    n_repaired = 0
    with progress(len(named), "Importing") as begin:
        for path, name, length in named:
            begin(path.name)
            try:
                bars = _read(path, length, calendar, repair, basis, layout)
                asked = {"path": path.absolute(), "calendar": calendar, "repair": repair, **layout}
                whole = store.save(name, bars, asked)
            except DataError as error:
                refused.append(error)
                rows.append((path.name, name, length, plain("refused", "bold red"), *[None] * 4))
                continue
            n_repaired += len(bars.report)
            notes += [f"{path}: {note}" for note in bars.notes]
            rows.append(
                (path.name, name, length, f"{len(bars):,}", *_span(bars), f"{len(bars.report):,}", f"{len(whole):,}")
            )
    headings = ("file", "symbol", "timeframe", ">bars", "from", "to", ">repaired", ">stored")
    show_table(f"Store {store.folder}", headings, rows)
    if n_repaired:
        warn(f"{n_repaired:,} rows were dropped or clamped; which and why: workbench data validate")
    for note in notes:
        say(note)
    for refusal in refused:
        warn(message_of(refusal))
    if refused:
        warn(f"refused: {len(refused)} of {len(files)}")
        raise typer.Exit(WRONG)


@commands.command(epilog=_VALIDATE_EXAMPLES)
def validate(
    paths: Paths,
    calendar: FileCalendar,
    timeframe: FileTimeframe = None,
    zone: Zone = None,
    stamp: Stamp = "open",
    columns: Columns = None,
    max_jump_ratio: MaxJumpRatio = 2.0,
    limit: Annotated[int, typer.Option(min=0, help="Rows to show of each file.")] = 20,
    output: Annotated[
        str | None, typer.Option(metavar="PATH", help="All rows with their reason, as .csv or .parquet.")
    ] = None,
) -> None:
    """Say of every row that would be refused, dropped or clamped where it is and why.

    Nothing is changed or imported. The exit code is 1 when a file is refused.
    """
    files = files_in(paths)
    target = None if output is None else checked_path(output)
    layout = _layout(zone, stamp, columns, max_jump_ratio)
    named = [(path, _identity(path, None, timeframe)[1]) for path in files]
    reports: list[pd.DataFrame] = []
    n_refused = 0
    with progress(len(named), "Validating") as begin:
        for path, length in named:
            begin(path.name)
            refused, report = _checked(path, length, calendar, layout)
            n_refused += refused
            if report is not None:
                _show_report(report, limit)
                reports.append(report.assign(file=str(path))[["file", *report.columns]])
    if target is not None:
        _write_reports(reports, target)
    if n_refused:
        warn(f"refused: {n_refused} of {len(files)}")
        raise typer.Exit(REFUSED)


@commands.command("list")
def list_bars() -> None:
    """List what is in the store.

    A damaged file is shown with its error among the others, and the exit code is 2.
    """
    with busy("Reading the store"):
        from workbench.market.store import Store

        store = Store()
        kept = store.list()
        spans, errors = [], [one.error for one in kept if one.error is not None]
        for one in kept:
            try:
                spans.append(store.manifest(one.symbol, one.timeframe) if one.error is None else {})
            except DataError as error:
                spans.append({})
                errors.append(str(error))
    if not kept:
        say(f"The store {store.folder} is empty. Import bars: workbench data import FILE --calendar NSE")
        return
    rows = [
        (
            one.symbol,
            one.timeframe,
            one.calendar,
            f"{one.rows:,}" if one.error is None else plain("damaged", "bold red"),
            str(span.get("first", ""))[:10],
            str(span.get("last", ""))[:10],
            one.basis,
            one.hash,
        )
        for one, span in zip(kept, spans, strict=True)
    ]
    columns = ("symbol", "timeframe", "calendar", ">bars", "from", "to", "~basis", "hash")
    show_table(f"Store {store.folder}", columns, rows)
    for said in errors:
        warn(said)
    if errors:
        raise typer.Exit(WRONG)


def _identity(path: pathlib.Path, symbol: str | None, timeframe: str | None) -> tuple[str, Timeframe]:
    """Symbol and timeframe, of the options or of the file's name."""
    length = agreed_timeframe(path, timeframe)
    if length is None:
        raise ConfigError(f"{path}: the name does not say the timeframe of its bars. Say it: --timeframe 5m.")
    return (name_parts(path)[0] if symbol is None else symbol).rpartition(":")[2], length


def _layout(zone: str | None, stamp: str, columns: str | None, max_jump_ratio: float) -> dict[str, Any]:
    """What ``read_bars`` takes of a file's layout."""
    layout: dict[str, Any] = {"stamp": stamp, "max_jump_ratio": max_jump_ratio}
    if zone is not None:
        layout["zone"] = zone
    if columns is not None:
        layout["columns"] = column_names(columns)
    return layout


def _read(
    path: pathlib.Path,
    timeframe: Timeframe,
    calendar: str,
    repair: str | None,
    basis: str | None,
    layout: dict[str, Any],
) -> Bars:
    from workbench.market.sources.files import read_bars

    return read_bars(path, timeframe, calendar, repair, basis, **layout)


def _checked(
    path: pathlib.Path, timeframe: Timeframe, calendar: str, layout: dict[str, Any]
) -> tuple[bool, pd.DataFrame | None]:
    """Say what a file is; whether it is refused, and the report of its rows, if there can be one."""
    try:
        bars = _read(path, timeframe, calendar, None, None, layout)
    except DataError as error:
        message = message_of(error)
    else:
        first, last = _span(bars)
        mended = f", {len(bars.report):,} rows repaired without loss" if len(bars.report) else ""
        said = f"{len(bars):,} bars of {timeframe} from {first} to {last}, {bars.gaps:,} gaps{mended}"
        say(f"{path}: good, {said}", "green")
        for note in bars.notes:
            say(f"{path}: {note}")
        return False, bars.report
    try:
        repaired = _read(path, timeframe, calendar, "drop", None, layout)
    except DataError as error:
        say(f"{path}: refused", "bold red")
        say(message)
        if message_of(error) != message:
            say(f"No repair is possible: {message_of(error)}")
        return True, None
    bad = int((repaired.report["action"] == "dropped").sum())
    say(f"{path}: refused, {bad:,} bad rows; {len(repaired):,} bars would remain", "bold red")
    say(message.splitlines()[-1])
    return True, repaired.report


def _show_report(report: pd.DataFrame, limit: int) -> None:
    first = report.head(limit)
    if len(first):
        rows = zip(first["row"], first["ts"].astype(str), first["action"], first["reason"], strict=True)
        show_table("", (">row", "ts", "in a repair", "~reason"), rows)
    if len(report) > len(first):
        say(f"{len(report) - len(first):,} rows more: --limit, or --output rows.csv for all")


def _write_reports(reports: Sequence[pd.DataFrame], target: pathlib.Path) -> None:
    import pandas as pd

    columns = ["file", "row", "ts", "action", "reason"]
    filled = [report for report in reports if len(report)]
    whole = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns, dtype=str)
    write_table(whole, target)
    say(f"{len(whole):,} rows in {target}")


def _span(bars: Bars) -> tuple[str, str]:
    """First and last session."""
    dates = bars.grid.sessions.date
    return str(dates[0].astype("datetime64[D]")), str(dates[-1].astype("datetime64[D]"))
