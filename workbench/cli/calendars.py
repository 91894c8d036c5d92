"""``workbench calendar``: import an exchange's special days, and show what the resolver answers (section C)."""

from __future__ import annotations

import datetime as dt
import pathlib
import zoneinfo
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import EXCHANGE_CALENDAR, Many, moment
from workbench.cli.screen import plain, say, show_table, warn
from workbench.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd
    from rich.text import Text

    from workbench.market.calendar import Calendar
    from workbench.market.sessions import Session

commands = typer.Typer(no_args_is_help=True, help="Sessions of an exchange: import special days, show any day.")

_IMPORT_EXAMPLES = """\b
The file has the columns date,exchange,session_type,open_time,close_time,notes; times are local:
  2024-11-01,NSE,SPECIAL,18:00,19:00,Muhurat
  2024-11-15,NSE,CLOSED,,,Guru Nanak Jayanti
session_type is CLOSED, SETTLEMENT_ONLY, HALF_DAY, SPECIAL or COVERED.
\b
Examples:
  workbench calendar import nse-2024.csv --covers 2024
"""
_SHOW_EXAMPLES = """\b
Examples:
  workbench calendar show NSE 2024-11-01
  workbench calendar show XNYS 2024-12-20 --days 10
"""
_UNKNOWN_EXAMPLES = """\b
Examples:
  workbench calendar unknown NSE
  workbench calendar unknown NSE --days 30
"""
_MOST_DAYS = 3660
_YEAR = 366


@commands.command("import", cls=Many, epilog=_IMPORT_EXAMPLES)
def import_days(
    path: Annotated[pathlib.Path, typer.Argument(metavar="CSV", help="The exchange's special days.")],
    covers: Annotated[
        list[int] | None,
        typer.Option(metavar="YEAR...", help="Years of which the file names every special day: others are normal."),
    ] = None,
) -> None:
    """Check a calendar file and keep it; its rows override the built-in calendar, day by day."""
    from workbench.market.calendar import import_calendar
    from workbench.market.home import home_folder
    from workbench.market.sessions import date_of

    kept = import_calendar(path, covers or ())
    rows = [
        (name, len(one.uploaded.rows), ", ".join(map(str, sorted(one.uploaded.years))) or "none")
        for name, one in kept.items()
    ]
    show_table(f"Kept in {home_folder() / 'calendars'}", ("exchange", ">days kept", "~years covered"), rows)
    for one in kept.values():
        _show_unknown(one, _today(one), _YEAR)
    for name, one in kept.items():
        closed = {date_of(row.day).year for row in one.uploaded.rows if row.session_type == "CLOSED"}
        for year in sorted(one.uploaded.years - closed):
            warn(f"{name}: {year} is covered without a CLOSED row: every weekday of it is a session now, holidays too.")


@commands.command(epilog=_SHOW_EXAMPLES)
def show(
    name: Annotated[str, typer.Argument(metavar="EXCHANGE", help=EXCHANGE_CALENDAR)],
    date: Annotated[
        str | None, typer.Argument(metavar="DATE", help="Session's date; today there, if left out.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=_MOST_DAYS, help="How many days from then on.")] = 1,
) -> None:
    """Show sessions: open, close, proxy close, windows, pauses; in the exchange's zone, with UTC beside."""
    from workbench.market.calendar import resolve_calendar

    calendar = resolve_calendar(name)
    first = moment(date, "DATE")
    if isinstance(first, dt.datetime):
        raise ConfigError(f"DATE {date!r} is an instant. Write the date of a session, as 2024-11-01.")
    if first is None:
        first = _today(calendar)
    if days == 1:
        _show_day(calendar, first)
    else:
        _show_days(calendar, [first + dt.timedelta(days=k) for k in range(days)])
    _show_legend(calendar)


@commands.command(epilog=_UNKNOWN_EXAMPLES)
def unknown(
    name: Annotated[str, typer.Argument(metavar="EXCHANGE", help=EXCHANGE_CALENDAR)],
    days: Annotated[int, typer.Option(min=1, max=_MOST_DAYS, help="How many days from today there.")] = _YEAR,
) -> None:
    """List days of which the calendar knows nothing: nothing is entered on them, and exits go on."""
    from workbench.market.calendar import resolve_calendar

    calendar = resolve_calendar(name)
    _show_unknown(calendar, _today(calendar), days)


def _today(calendar: Calendar) -> dt.date:
    """Today's date where the exchange is."""
    return dt.datetime.now(zoneinfo.ZoneInfo(calendar.zone)).date()


def _show_unknown(calendar: Calendar, first: dt.date, days: int) -> None:
    """Stretches of sessions that are CALENDAR_UNKNOWN, from a date on."""
    from workbench.market.sessions import date_of, day_number

    since = day_number(first)
    table = calendar.table(since, since + days - 1)
    stretches: list[list[int]] = []
    for row in range(len(table)):
        if table.known[row]:
            continue
        if stretches and stretches[-1][1] == row - 1:
            stretches[-1][1] = row
        else:
            stretches.append([row, row])
    for a, b in stretches:
        ends = [str(date_of(int(table.date[row]))) for row in (a, b)]
        span = ends[0] if a == b else f"{ends[0]} to {ends[1]} ({b - a + 1} weekdays)"
        warn(f"{calendar.name}: CALENDAR_UNKNOWN on {span}. Nothing is entered then; import them, with --covers YEAR.")
    if not stretches:
        say(f"{calendar.name}: every day to {date_of(since + days - 1)} is known.")


def _show_day(calendar: Calendar, date: dt.date) -> None:
    """One day, line by line."""
    session = calendar.session(date)
    title = f"{calendar.name} {date:%a %Y-%m-%d}"
    if session is None:
        say(f"{title}: CLOSED{_noted(calendar, date)}", "bold")
        return
    say(f"{title}: {_kind(session)}{_noted(calendar, date)}", "bold")
    buy, sell = session.buy_window, session.sell_window
    rows = [
        ("open", _local(session.open, date), _utc(session.open, date)),
        ("close", _local(session.close, date), _utc(session.close, date)),
        ("proxy close", _local(session.proxy_close, date), _utc(session.proxy_close, date)),
        ("buy window", *(f"[{clock(buy[0], date)}, {clock(buy[1], date)})" for clock in (_local, _utc))),
        ("sell window", *(f"({clock(sell[0], date)}, {clock(sell[1], date)}]" for clock in (_local, _utc))),
    ]
    for a, b in _pauses(session):
        rows.append(("pause", *(f"[{clock(a, date)}, {clock(b, date)})" for clock in (_local, _utc))))
    show_table("", ("", session.zone, "UTC"), rows)


def _show_days(calendar: Calendar, dates: list[dt.date]) -> None:
    """Several days, one a line."""
    rows: list[tuple[str | Text, ...]] = []
    for date in dates:
        session = calendar.session(date)
        day, note = f"{date:%a %Y-%m-%d}", _noted(calendar, date).removeprefix(", ")
        if session is None:
            rows.append((day, plain("CLOSED", "dim"), "", "", "", "", note))
            continue
        both = [f"{_local(at, date)} ({_utc(at, date)})" for at in (session.open, session.close, session.proxy_close)]
        pauses = ", ".join(f"{_local(a, date)}-{_local(b, date)}" for a, b in _pauses(session))
        rows.append((day, plain(_kind(session), "" if session.known else "bold yellow"), *both, pauses, note))
    columns = ("date", "session", "open", "close", "proxy close", "~pauses", "~notes")
    show_table(f"{calendar.name}, {calendar.zone} (UTC)", columns, rows)


def _show_legend(calendar: Calendar) -> None:
    before, after = (one.total_seconds() / 60 for one in (calendar.proxy_before_close, calendar.sell_after_open))
    windows = f"proxy close {before:g} min before the close, sell window {after:g} min after the open"
    say(f"{windows}; {calendar.sessions_per_year} sessions a year", "dim")


def _kind(session: Session) -> str:
    """The kind of day; CALENDAR_UNKNOWN for one that no calendar covers."""
    return session.kind.name if session.known else "CALENDAR_UNKNOWN (normal hours assumed, entries blocked)"


def _noted(calendar: Calendar, date: dt.date) -> str:
    """Notes of the uploaded rows of a day, and that there are some."""
    from workbench.market.sessions import day_number

    rows = [row for row in calendar.uploaded.rows if row.day == day_number(date)]
    notes = "; ".join(dict.fromkeys(row.notes for row in rows if row.notes))
    return "" if not rows else f", uploaded: {notes}" if notes else ", uploaded"


def _pauses(session: Session) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """Pauses in the exchange's zone."""
    import pandas as pd

    return [
        (pd.Timestamp(a, tz="UTC").tz_convert(session.zone), pd.Timestamp(b, tz="UTC").tz_convert(session.zone))
        for a, b in session.pauses
    ]


def _local(at: pd.Timestamp, date: dt.date) -> str:
    """A clock time, with its day where that is not the session's."""
    return f"{at:%H:%M}" if at.date() == date else f"{at:%a %H:%M}"


def _utc(at: pd.Timestamp, date: dt.date) -> str:
    return f"{_local(at.tz_convert('UTC'), date)}Z"
