"""One resolver for trading time (rules C1, C3, C4, C5) and the sessions of rule B2."""

from __future__ import annotations

import datetime as dt
import json
import pathlib

import pandas as pd
import pytest

from workbench.errors import ConfigError
from workbench.market.calendar import Calendar, import_calendar, resolve_calendar
from workbench.market.sessions import DayKind, date_of, day_number

HEADER = "date,exchange,session_type,open_time,close_time,notes\n"


def uploaded(tmp_path: pathlib.Path, rows: str, exchange: str = "NSE", covers: tuple[int, ...] = ()) -> Calendar:
    path = tmp_path / "calendar.csv"
    path.write_text(HEADER + rows)
    return import_calendar(path, covers=covers, home=tmp_path)[exchange]


def utc(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def test_C1_a_session_gives_open_close_proxy_close_and_windows() -> None:
    session = resolve_calendar("NSE").session("2024-03-01")
    assert session is not None
    assert (session.open, session.close) == (utc("2024-03-01 03:45"), utc("2024-03-01 10:00"))
    assert session.proxy_close == utc("2024-03-01 09:55")
    assert session.pauses == ()
    assert session.known
    assert session.open.isoformat() == "2024-03-01T09:15:00+05:30"


def test_C1_a_closed_day_has_no_session() -> None:
    nse = resolve_calendar("NSE")
    assert nse.session("2024-03-02") is None  # a Saturday
    assert nse.session("2024-03-08") is None  # Mahashivratri
    assert resolve_calendar("XNYS").session("2024-07-04") is None


def test_C1_early_closes_come_from_the_built_in_calendar() -> None:
    session = resolve_calendar("XNYS").session("2024-11-29")
    assert session is not None
    assert session.close.isoformat() == "2024-11-29T13:00:00-05:00"
    assert session.proxy_close.isoformat() == "2024-11-29T12:55:00-05:00"


def test_C1_a_lunch_break_is_a_pause() -> None:
    session = resolve_calendar("XHKG").session("2024-03-01")
    assert session is not None
    assert [(utc("2024-03-01 04:00").value, utc("2024-03-01 05:00").value)] == list(session.pauses)


def test_B2_an_fx_session_opens_at_1700_new_york_and_is_named_by_the_weekday_it_closes_on() -> None:
    fx = resolve_calendar("FX")
    monday, friday = fx.session("2024-03-11"), fx.session("2024-03-08")
    assert monday is not None
    assert friday is not None
    assert monday.open == utc("2024-03-10 21:00")  # Sunday, the day clocks went forward
    assert monday.close == utc("2024-03-11 21:00")
    assert friday.open == utc("2024-03-07 22:00")
    assert friday.close == utc("2024-03-08 22:00")
    assert fx.session("2024-03-09") is None
    assert fx.session("2024-03-10") is None
    assert fx.session("2024-12-25") is not None


def test_B2_round_the_clock_opens_at_midnight_utc_every_day() -> None:
    sunday = resolve_calendar("24x7").session("2024-03-10")
    assert sunday is not None
    assert (sunday.open, sunday.close) == (utc("2024-03-10"), utc("2024-03-11"))
    assert sunday.proxy_close == utc("2024-03-10 23:55")
    assert resolve_calendar("crypto") == resolve_calendar("24x7")


@pytest.mark.parametrize(("name", "count"), [("NSE", 248), ("BSE", 248), ("XNYS", 252), ("FX", 260), ("24x7", 365)])
def test_R3_sessions_per_year_of_the_calendar(name: str, count: int) -> None:
    assert resolve_calendar(name).sessions_per_year == count


def test_C3_weekends_are_closed_and_weekdays_normal_in_a_covered_year(tmp_path: pathlib.Path) -> None:
    nse = uploaded(tmp_path, "2031-01-01,NSE,COVERED,,,\n2031-01-27,NSE,CLOSED,,,Republic Day observed\n")
    tuesday = nse.session("2031-01-28")
    assert tuesday is not None
    assert tuesday.known
    assert tuesday.open.strftime("%H:%M") == "09:15"
    assert tuesday.close.strftime("%H:%M") == "15:30"
    assert nse.session("2031-01-27") is None
    assert nse.session("2031-01-25") is None  # a Saturday
    assert nse.session("2031-01-01") is not None  # the COVERED row says nothing about its own day


def test_C3_a_year_nobody_covers_is_unknown_with_normal_hours(tmp_path: pathlib.Path) -> None:
    nse = uploaded(tmp_path, "2031-01-01,NSE,COVERED,,,\n")
    session = nse.session("2032-01-28")
    assert session is not None
    assert not session.known
    assert session.kind == DayKind.UNKNOWN
    assert session.open.strftime("%H:%M") == "09:15"
    assert nse.session("2032-01-31") is None  # still a Saturday


def test_C3_the_import_option_covers_a_year(tmp_path: pathlib.Path) -> None:
    nse = uploaded(tmp_path, "2031-01-27,NSE,CLOSED,,,\n", covers=(2031,))
    assert nse.session("2031-02-03").known  # type: ignore[union-attr]
    assert not nse.session("2032-02-03").known  # type: ignore[union-attr]


def test_C3_a_covered_year_overrides_the_built_in_holidays(tmp_path: pathlib.Path) -> None:
    assert resolve_calendar("NSE", home=tmp_path).session("2013-11-14") is None  # what exchange_calendars says
    nse = uploaded(tmp_path, "2013-11-15,NSE,CLOSED,,,Muharram\n", covers=(2013,))
    assert nse.session("2013-11-14") is not None
    assert nse.session("2013-11-15") is None


def test_C3_a_built_in_calendar_covers_its_years_and_no_others() -> None:
    nse = resolve_calendar("NSE")
    assert nse.session("2010-06-01").known  # type: ignore[union-attr]
    assert not nse.session("1990-06-01").known  # type: ignore[union-attr]


def test_C4_windows_and_proxy_close_are_settings() -> None:
    session = resolve_calendar("NSE").session("2024-03-01")
    assert session is not None
    assert session.buy_window == (utc("2024-03-01 09:55"), utc("2024-03-01 10:00"))
    assert session.sell_window == (utc("2024-03-01 03:45"), utc("2024-03-01 03:50"))
    other = resolve_calendar("NSE").with_settings(dt.timedelta(minutes=15), dt.timedelta(minutes=10))
    session = other.session("2024-03-01")
    assert session is not None
    assert session.buy_window[0] == utc("2024-03-01 09:45")
    assert session.sell_window[1] == utc("2024-03-01 03:55")
    assert other != resolve_calendar("NSE")


def test_C4_a_negative_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match="proxy_before_close"):
        resolve_calendar("NSE").with_settings(dt.timedelta(minutes=-1))


def test_C5_a_settlement_holiday_is_a_normal_session_and_closed_is_none(tmp_path: pathlib.Path) -> None:
    nse = uploaded(tmp_path, "2024-02-19,NSE,SETTLEMENT_ONLY,,,\n2024-02-20,NSE,CLOSED,,,\n"
                             "2024-03-08,NSE,SETTLEMENT_ONLY,,,a built-in holiday\n")
    settled = nse.session("2024-02-19")
    assert settled is not None
    assert (settled.kind, settled.known) == (DayKind.SETTLEMENT_ONLY, True)
    assert (settled.open, settled.close) == (utc("2024-02-19 03:45"), utc("2024-02-19 10:00"))
    assert nse.session("2024-02-20") is None
    assert nse.session("2024-03-08") is not None


def test_C1_tables_and_single_sessions_agree_wherever_the_table_starts() -> None:
    xnys = resolve_calendar("XNYS")
    table = xnys.table(day_number("2019-12-20"), day_number("2020-01-10"))
    days = [day for day in range(day_number("2019-12-20"), day_number("2020-01-11")) if xnys.session(date_of(day))]
    assert table.date.tolist() == days
    for row, day in enumerate(days):
        assert table.session(row, "XNYS", xnys.zone) == xnys.session(date_of(day))


def test_C1_unknown_names_are_refused_with_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'XNYS'"):
        resolve_calendar("XNYSE")


def test_C1_built_in_sessions_agree_with_the_published_lists(data_dir: pathlib.Path) -> None:
    for file, name in (("nse_bse_calendar.json", "NSE"), ("xnys_calendar.json", "XNYS")):
        listed = json.loads((data_dir / "calendars" / file).read_text())
        calendar = resolve_calendar(name)
        table = calendar.table(day_number("2012-01-01"), day_number("2025-12-31"))
        weekdays = {day for day in range(day_number("2012-01-01"), day_number("2026-01-01")) if (day + 3) % 7 < 5}
        holidays = {day_number(date) for date in listed["weekday_holidays"]}
        special = {day_number(day['date']) for day in listed.get('special_sessions', ())}  # known to an upload only
        assert set(table.date.tolist()) == weekdays - holidays - special
        early = {str(date_of(day)) for day, opens, closes in zip(table.date, table.open_ns, table.close_ns, strict=True)
                 if closes - opens < 6 * 3_600_000_000_000}
        assert early == {date for date in listed.get("early_close_13_00", ()) if "2012" <= date < "2026"}


def test_X2_an_early_close_of_the_built_in_calendar_is_a_half_day() -> None:
    """The day after Thanksgiving 2024 closed at 13:00; what asks for a normal session must not be asked of it."""
    exchange = resolve_calendar("XNYS")
    early, usual = exchange.session("2024-11-29"), exchange.session("2024-11-27")
    assert early is not None and usual is not None
    assert early.close.strftime("%H:%M") == "13:00"
    assert early.kind is DayKind.HALF_DAY
    assert usual.kind is DayKind.NORMAL
