"""The uploaded calendar (rule C2): ``date,exchange,session_type,open_time,close_time,notes``, local times.

A file is authoritative row by row. It is checked line by line when it is read, kept per exchange in the same format in
``WORKBENCH_HOME/calendars``, and turned into trading hours here.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import pathlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from workbench.errors import DataError
from workbench.market.home import unreadable
from workbench.market.sessions import DayKind, TradingDays, date_of, day_number, wall_ns

COLUMNS = ("date", "exchange", "session_type", "open_time", "close_time", "notes")
SESSION_TYPES = ("CLOSED", "SETTLEMENT_ONLY", "HALF_DAY", "SPECIAL", "COVERED")
_TIMED = ("HALF_DAY", "SPECIAL")


@dataclass(frozen=True)
class CalendarRow:
    """One line of an uploaded calendar.

    Attributes
    ----------
    day : int
        Days since 1970-01-01.
    exchange : str
        Name of the calendar the line is for, upper case.
    session_type : str
        One of ``SESSION_TYPES``.
    open_minute, close_minute : int or None
        Local minutes after midnight; given for HALF_DAY and SPECIAL only.
    notes : str
        Free text.
    """

    day: int
    exchange: str
    session_type: str
    open_minute: int | None = None
    close_minute: int | None = None
    notes: str = ""


@dataclass(frozen=True)
class CalendarRows:
    """Everything uploaded for one exchange.

    Attributes
    ----------
    rows : tuple of CalendarRow
        Ascending by day and opening time; no COVERED rows.
    years : frozenset of int
        Years the upload covers (rule C3).
    """

    rows: tuple[CalendarRow, ...] = ()
    years: frozenset[int] = field(default_factory=frozenset)

    @classmethod
    def of(cls, rows: Iterable[CalendarRow], years: Iterable[int] = ()) -> CalendarRows:
        """Sort rows; COVERED rows become years."""
        listed = list(rows)
        covered = {date_of(row.day).year for row in listed if row.session_type == "COVERED"} | set(years)
        kept = sorted((row for row in listed if row.session_type != "COVERED"),
                      key=lambda row: (row.day, row.open_minute or 0))
        return cls(tuple(kept), frozenset(covered))

    def updated(self, newer: CalendarRows) -> CalendarRows:
        """These rows with those of a newer upload instead wherever it has a row for the day; years add up."""
        replaced = {row.day for row in newer.rows}
        kept = [row for row in self.rows if row.day not in replaced]
        return CalendarRows.of([*kept, *newer.rows], self.years | newer.years)

    def days(self, first: int, last: int, zone: str, hours: Callable[[list[int]], TradingDays]) -> TradingDays:
        """Trading hours of the rows between two days.

        Parameters
        ----------
        first, last : int
            Days, both inclusive.
        zone : str
            Zone of the times.
        hours : callable
            Normal hours of given days, for SETTLEMENT_ONLY rows.
        """
        opened: dict[int, list[CalendarRow]] = {}
        settled: list[int] = []
        for row in self.rows:
            if first <= row.day <= last and row.session_type in _TIMED:
                opened.setdefault(row.day, []).append(row)
            elif first <= row.day <= last and row.session_type == "SETTLEMENT_ONLY":
                settled.append(row.day)
        parts = [_timed(opened, zone)] if opened else []
        chosen = hours(settled)
        parts.append(replace(chosen, kind=np.full(len(settled), DayKind.SETTLEMENT_ONLY, np.int8)))
        return TradingDays.joined(parts)

    def text(self, exchange: str) -> str:
        """The rows in the format they are uploaded in; ``exchange`` is the name for COVERED rows."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        covered = [CalendarRow(day_number(dt.date(year, 1, 1)), exchange, "COVERED") for year in sorted(self.years)]
        for row in [*covered, *self.rows]:
            writer.writerow([date_of(row.day).isoformat(), row.exchange, row.session_type,
                             _clock(row.open_minute), _clock(row.close_minute), row.notes])
        return out.getvalue()


def _timed(opened: dict[int, list[CalendarRow]], zone: str) -> TradingDays:
    """HALF_DAY and SPECIAL rows: several rows of one day are one session with pauses; touching ones are joined."""
    days, opens, closes, kinds = [], [], [], []
    pauses: list[tuple[int, int, int]] = []
    for day, rows in opened.items():
        segments: list[list[int]] = []
        for row in rows:
            if segments and row.open_minute == segments[-1][1]:
                segments[-1][1] = row.close_minute or 0
            else:
                segments.append([row.open_minute or 0, row.close_minute or 0])
        days.append(day)
        opens.append(segments[0][0])
        closes.append(segments[-1][1])
        kinds.append(DayKind[rows[0].session_type])
        pauses += [(day, left[1], right[0]) for left, right in pairwise(segments)]
    rows_of_pauses = np.array(pauses, np.int64).reshape(-1, 3)
    instants = np.column_stack([rows_of_pauses[:, 0], wall_ns(rows_of_pauses[:, 0], rows_of_pauses[:, 1], zone),
                                wall_ns(rows_of_pauses[:, 0], rows_of_pauses[:, 2], zone)])
    return TradingDays.of(days, wall_ns(days, opens, zone), wall_ns(days, closes, zone), kinds, instants)


def _clock(minute: int | None) -> str:
    return "" if minute is None else f"{minute // 60:02d}:{minute % 60:02d}"


def read_rows(path: str | pathlib.Path) -> list[CalendarRow]:
    """Read and check a calendar file.

    Parameters
    ----------
    path : path
        CSV with the columns ``date,exchange,session_type,open_time,close_time,notes``; notes may be left out.

    Raises
    ------
    DataError
        A missing column, a date or time that does not exist, an unknown session type, times where none belong or none
        where both belong, a close before its open, rows of one day that contradict each other. Names file and line.
    """
    name = str(path)
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{name}: {unreadable(pathlib.Path(path), error)}") from error
    reader = csv.reader(io.StringIO(text))
    header = [column.strip().lower() for column in next(reader, [])]
    missing = [column for column in COLUMNS[:5] if column not in header]
    if missing:
        wanted = ",".join(COLUMNS)
        raise DataError(f"{name}, line 1: column {missing[0]!r} is missing. A calendar has the columns {wanted}.")
    rows, lines = [], []
    for fields in reader:
        if any(value.strip() for value in fields) and not fields[0].lstrip().startswith("#"):
            record = {column: value.strip() for column, value in zip(header, fields, strict=False)}
            rows.append(_row(record, f"{name}, line {reader.line_num}"))
            lines.append(reader.line_num)
    _check_days(rows, lines, name)
    return rows


def _row(record: dict[str, str], where: str) -> CalendarRow:
    """One checked row."""
    try:
        day = day_number(dt.date.fromisoformat(record["date"]))
    except (ValueError, KeyError) as error:
        raise DataError(f"{where}: date {record.get('date', '')!r} is not a date. Write it as 2024-11-01.") from error
    kind, exchange = record.get("session_type", "").upper(), record.get("exchange", "").upper()
    if kind not in SESSION_TYPES:
        raise DataError(f"{where}: session_type {kind!r} is unknown. It is one of {', '.join(SESSION_TYPES)}.")
    if not exchange:
        raise DataError(f"{where}: the exchange is missing. Write NSE, BSE, XNYS or another calendar's name.")
    opens, closes = _minute(record, "open_time", where), _minute(record, "close_time", where)
    if kind in _TIMED:
        if opens is None or closes is None:
            raise DataError(f"{where}: {kind} needs both open_time and close_time, local, as 18:15.")
        if opens >= closes:
            raise DataError(f"{where}: open_time {_clock(opens)} is not before close_time {_clock(closes)}.")
    elif opens is not None or closes is not None:
        raise DataError(f"{where}: {kind} takes no times. Leave them empty, or write HALF_DAY or SPECIAL.")
    return CalendarRow(day, exchange, kind, opens, closes, record.get("notes", ""))


def _minute(record: dict[str, str], column: str, where: str) -> int | None:
    text = record.get(column, "")
    if not text:
        return None
    if text == "24:00":
        return 1440
    try:
        clock = dt.time.fromisoformat(text if text[1:2] != ":" else f"0{text}")
    except ValueError as error:
        raise DataError(f"{where}: {column} {text!r} is not a time. Write it as 09:15.") from error
    if clock.second or clock.microsecond or clock.tzinfo:
        raise DataError(f"{where}: {column} {text!r} is more than hours and minutes of local time. Write it as 09:15.")
    return clock.hour * 60 + clock.minute


def _check_days(rows: Sequence[CalendarRow], lines: Sequence[int], name: str) -> None:
    """Rows of one day and exchange must agree: equal types, no overlap, CLOSED alone."""
    seen: dict[tuple[str, int], list[tuple[CalendarRow, int]]] = {}
    for row, line in zip(rows, lines, strict=True):
        if row.session_type == "COVERED":
            continue
        for other, other_line in seen.setdefault((row.exchange, row.day), []):
            where = f"{name}, lines {other_line} and {line}: {date_of(row.day)} of {row.exchange}"
            if row.session_type not in _TIMED or other.session_type not in _TIMED:
                raise DataError(f"{where} is both {other.session_type} and {row.session_type}. Keep one row.")
            starts = row.open_minute or 0, other.open_minute or 0
            stops = row.close_minute or 0, other.close_minute or 0
            if max(starts) < min(stops):
                raise DataError(f"{where} has sessions that overlap. Give each part its own hours.")
        seen[row.exchange, row.day].append((row, line))
