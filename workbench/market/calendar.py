"""One resolver for trading time (rule C1): ``calendar.session(date)`` answers for every part of the system.

Three voices, in this order: a row of the uploaded CSV for that very day; the uploaded CSV's word that it covers the
year (then a day of the week without a row is a normal session); the built-in calendar with its holidays and early
closes. Where none of them knows, the day has normal hours and is CALENDAR_UNKNOWN, which blocks entries.
"""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
import pathlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from workbench.errors import ConfigError, DataError
from workbench.market.calendar_rows import CalendarRows, read_rows
from workbench.market.home import home_folder, write_atomically
from workbench.market.sessions import Session, SessionTable, TradingDays, day_number
from workbench.market.timeframe import DAY_NS
from workbench.market.weeks import ExchangeWeek, ForexWeek, RoundTheClock, Week

FIVE_MINUTES = dt.timedelta(minutes=5)

_ALIASES = {"CRYPTO": "24x7", "24X7": "24x7", "24/7": "24x7", "FOREX": "FX", "NYSE": "XNYS", "NASDAQ": "XNAS"}
_SOURCES = {"NSE": "XBOM", "BSE": "XBOM"}
_SESSIONS_PER_YEAR = {"NSE": 248, "BSE": 248, "XNYS": 252, "XNAS": 252}


class Calendar:
    """When one exchange trades.

    Made by ``resolve_calendar``; its answers never change, so tables are computed once and kept.

    Parameters
    ----------
    name : str
        Name of the exchange, also the prefix of its instruments (``NSE``, ``XNYS``, ``FX``, ``24x7``).
    week : Week
        The built-in calendar below the uploaded rows.
    rows : CalendarRows
        What was uploaded for this exchange.
    proxy_before_close, sell_after_open : datetime.timedelta
        Settings of rule C4, five minutes each.
    sessions_per_year : int, optional
        For annual figures (rule R3); the week's own figure by default.
    """

    def __init__(self, name: str, week: Week, rows: CalendarRows | None = None,
                 proxy_before_close: dt.timedelta = FIVE_MINUTES, sell_after_open: dt.timedelta = FIVE_MINUTES,
                 sessions_per_year: int | None = None) -> None:
        for setting, value in (("proxy_before_close", proxy_before_close), ("sell_after_open", sell_after_open)):
            if value < dt.timedelta(0):
                raise ConfigError(f"{setting} is {value!r}; it is zero or more.")
        self.name = name
        self.zone = week.zone
        self.proxy_before_close = proxy_before_close
        self.sell_after_open = sell_after_open
        self.uploaded = CalendarRows() if rows is None else rows
        self._week = week
        self._sessions_per_year = sessions_per_year
        self._kept: tuple[int, int, SessionTable] | None = None

    @property
    def sessions_per_year(self) -> int:
        """Sessions in a typical year: XNYS 252, NSE and BSE 248, FX 260, 24x7 365 (rule R3)."""
        if self._sessions_per_year is None:
            self._sessions_per_year = self._week.sessions_per_year()
        return self._sessions_per_year

    @property
    def digest(self) -> str:
        """Hash of name, settings and uploaded rows."""
        settings = f"{self.name}|{self.proxy_before_close}|{self.sell_after_open}|{self.uploaded.text(self.name)}"
        return hashlib.blake2b(settings.encode(), digest_size=16).hexdigest()

    def session(self, date: dt.date | str) -> Session | None:
        """The session named by a date, or None when the exchange is closed.

        Parameters
        ----------
        date : datetime.date or str
            The session's date in the exchange's zone.
        """
        day = day_number(date)
        table = self.table(day, day)
        return table.session(0, self.name, self.zone) if len(table) else None

    def table(self, first_day: int, last_day: int) -> SessionTable:
        """Every session from one day to another, both inclusive, as arrays (days since 1970-01-01)."""
        if last_day < first_day:
            return self.table(first_day, first_day).rows(0, 0)
        kept = self._kept
        if kept is None or first_day < kept[0] or last_day > kept[1]:
            low, high = (first_day, last_day) if kept is None else (min(first_day, kept[0]), max(last_day, kept[1]))
            low, high = _year_start(low), _year_end(high)
            kept = self._kept = (low, high, self._build(low, high))
        table = kept[2]
        bounds = np.searchsorted(table.date, [first_day, last_day + 1])
        return table.rows(int(bounds[0]), int(bounds[1]))

    def covering(self, first_ns: int, last_ns: int) -> SessionTable:
        """Sessions that trade at some instant of ``[first_ns, last_ns]``, as arrays."""
        # A session's date is at most a day off the UTC date of its instants, in every zone and for FX.
        table = self.table(first_ns // DAY_NS - 2, last_ns // DAY_NS + 2)
        first = int(np.searchsorted(table.close_ns, first_ns, side="right"))
        stop = int(np.searchsorted(table.open_ns, last_ns, side="right"))
        return table.rows(first, max(first, stop))

    def with_settings(self, proxy_before_close: dt.timedelta | None = None,
                      sell_after_open: dt.timedelta | None = None) -> Calendar:
        """The same calendar with other settings of rule C4."""
        return Calendar(self.name, self._week, self.uploaded,
                        self.proxy_before_close if proxy_before_close is None else proxy_before_close,
                        self.sell_after_open if sell_after_open is None else sell_after_open, self._sessions_per_year)

    def with_rows(self, rows: CalendarRows) -> Calendar:
        """The same calendar with other uploaded rows."""
        return Calendar(self.name, self._week, rows, self.proxy_before_close, self.sell_after_open,
                        self._sessions_per_year)

    def _build(self, first: int, last: int) -> SessionTable:
        """The three voices merged, over whole years."""
        days = self._week.days(first, last)
        normal = self._week.normal(first, last)
        if self.uploaded.years:
            years = sorted(self.uploaded.years)
            days = TradingDays.joined([days.where(~np.isin(_years(days), years)),
                                       normal.where(np.isin(_years(normal), years))])
        if self.uploaded.rows:
            written = [row.day for row in self.uploaded.rows]
            own = self.uploaded.days(first, last, self.zone, self._week.hours)
            days = TradingDays.joined([days.where(~np.isin(days.date, written)), own])
        return SessionTable.of(days, self.proxy_before_close // dt.timedelta(microseconds=1) * 1000,
                               self.sell_after_open // dt.timedelta(microseconds=1) * 1000)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Calendar) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Calendar({self.name!r}, zone={self.zone!r}, uploaded_rows={len(self.uploaded.rows)})"


def resolve_calendar(calendar: str | Calendar, home: str | pathlib.Path | None = None) -> Calendar:
    """Find a calendar by name, with whatever was uploaded for it.

    Parameters
    ----------
    calendar : str or Calendar
        ``NSE``, ``BSE``, ``XNYS``, ``XNAS``, any name of exchange_calendars, ``FX`` (24x5 from 17:00 New York),
        ``24x7`` (also ``CRYPTO``). A Calendar is handed back as it is.
    home : path, optional
        Folder of uploaded calendars; WORKBENCH_HOME or ``./.workbench`` by default.

    Raises
    ------
    ConfigError
        The name is unknown; suggests a close one.
    """
    if isinstance(calendar, Calendar):
        return calendar
    if not isinstance(calendar, str):
        raise ConfigError(f"a calendar is a name or a Calendar, not {type(calendar).__name__}.")
    name = _canonical(calendar)
    path = _kept_file(name, home)
    try:
        stat = path.stat()
    except FileNotFoundError:
        return _resolved(name, None, 0, 0)
    return _resolved(name, path, stat.st_mtime_ns, stat.st_size)


def import_calendar(path: str | pathlib.Path, covers: Iterable[int] = (),
                    home: str | pathlib.Path | None = None) -> dict[str, Calendar]:
    """Check an uploaded calendar and keep it (rule C2).

    Rows replace what was kept for the same exchange and day; other days stay.

    Parameters
    ----------
    path : path
        CSV with ``date,exchange,session_type,open_time,close_time,notes``.
    covers : iterable of int
        Years that the file covers for every exchange in it (rule C3), besides its COVERED rows.
    home : path, optional
        Where to keep it; WORKBENCH_HOME or ``./.workbench`` by default.

    Returns
    -------
    dict of str to Calendar
        The calendar of each exchange in the file, as it answers from now on.

    Raises
    ------
    DataError
        A row is wrong; names file and line. Nothing is kept then.
    ConfigError
        An exchange is unknown, or a covered year is no year.
    """
    rows = read_rows(path)
    years = [int(year) for year in covers]
    if any(not 1900 <= year <= 2200 for year in years):
        raise ConfigError(f"covers={years} names something that is no year. Write covers=[2024].")
    if not rows:
        raise DataError(f"{path}: there is no row in it, so there is nothing to import. Write one line a special day, "
                        "such as 2024-11-01,NSE,SPECIAL,18:00,19:00,Muhurat.")
    by_exchange: dict[str, list[Any]] = {}
    for row in rows:
        by_exchange.setdefault(_canonical(row.exchange), []).append(row)
    for exchange in by_exchange:
        _resolved(exchange, None, 0, 0)  # refuses an unknown exchange before anything is written
    for exchange, own in by_exchange.items():
        kept = _kept_file(exchange, home)
        before = CalendarRows.of(read_rows(kept)) if kept.exists() else CalendarRows()
        write_atomically(kept, before.updated(CalendarRows.of(own, years)).text(exchange).encode())
    return {exchange: resolve_calendar(exchange, home) for exchange in by_exchange}


@lru_cache(maxsize=64)
def _resolved(name: str, path: pathlib.Path | None, _mtime_ns: int, _size: int) -> Calendar:
    """A calendar, kept while its uploaded file does not change."""
    rows = CalendarRows.of(read_rows(path)) if path is not None else CalendarRows()
    if name == "FX":
        return Calendar(name, ForexWeek(), rows)
    if name == "24x7":
        return Calendar(name, RoundTheClock(), rows)
    try:
        week = ExchangeWeek(_SOURCES.get(name, name))
    except ConfigError as error:
        raise ConfigError(f"calendar {name!r} is unknown. {_suggestion(name)} ({error})") from error
    return Calendar(name, week, rows, sessions_per_year=_SESSIONS_PER_YEAR.get(name))


def _canonical(name: str) -> str:
    upper = name.strip().upper()
    return _ALIASES.get(upper, upper)


def _suggestion(name: str) -> str:
    import exchange_calendars as source

    names = ["NSE", "BSE", "FX", "24x7", *source.get_calendar_names(include_aliases=True)]
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return "Use NSE, BSE, XNYS, XNAS, FX, 24x7 or a name of exchange_calendars."


def _kept_file(name: str, home: str | pathlib.Path | None) -> pathlib.Path:
    safe = "".join(letter if letter.isalnum() else "_" for letter in name)
    return home_folder(home) / "calendars" / f"{safe}.csv"


def _years(days: TradingDays) -> Any:
    return days.date.astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970


def _year_start(day: int) -> int:
    return day_number(dt.date((dt.date(1970, 1, 1) + dt.timedelta(days=int(day))).year, 1, 1))


def _year_end(day: int) -> int:
    return day_number(dt.date((dt.date(1970, 1, 1) + dt.timedelta(days=int(day))).year, 12, 31))
