"""The uploaded calendar (rule C2)."""

from __future__ import annotations

import pathlib

import pandas as pd
import pytest

from workbench.errors import ConfigError, DataError
from workbench.market.calendar import import_calendar, resolve_calendar
from workbench.market.sessions import DayKind

HEADER = "date,exchange,session_type,open_time,close_time,notes\n"


@pytest.fixture
def upload(tmp_path: pathlib.Path):  # type: ignore[no-untyped-def]
    def write(rows: str, **options):  # type: ignore[no-untyped-def]
        path = tmp_path / "mine.csv"
        path.write_text(rows if rows.startswith("date") else HEADER + rows)
        return import_calendar(path, home=tmp_path, **options)

    return write


def local(calendar, date: str) -> tuple[str, str]:  # type: ignore[no-untyped-def]
    session = calendar.session(date)
    return session.open.strftime("%H:%M"), session.close.strftime("%H:%M")


def test_C2_a_special_row_opens_a_weekend(upload) -> None:  # type: ignore[no-untyped-def]
    nse = upload("2023-11-12,NSE,SPECIAL,18:15,19:15,Muhurat\n")["NSE"]
    session = nse.session("2023-11-12")  # a Sunday
    assert local(nse, "2023-11-12") == ("18:15", "19:15")
    assert session.open == pd.Timestamp("2023-11-12 12:45", tz="UTC")
    assert (session.kind, session.known) == (DayKind.SPECIAL, True)


def test_C2_a_half_day_row_moves_the_close_and_the_proxy_close(upload) -> None:  # type: ignore[no-untyped-def]
    nse = upload("2024-03-01,NSE,HALF_DAY,09:15,12:30,\n")["NSE"]
    assert local(nse, "2024-03-01") == ("09:15", "12:30")
    assert nse.session("2024-03-01").proxy_close.strftime("%H:%M") == "12:25"


def test_C2_several_special_rows_of_a_day_are_one_session_with_a_pause(upload) -> None:  # type: ignore[no-untyped-def]
    nse = upload("2024-03-02,NSE,SPECIAL,11:30,12:30,\n2024-03-02,NSE,SPECIAL,09:15,10:00,\n")["NSE"]
    session = nse.session("2024-03-02")
    assert local(nse, "2024-03-02") == ("09:15", "12:30")
    (pause,) = session.pauses
    assert pause == tuple(pd.Timestamp(f"2024-03-02 {at}+05:30").value for at in ("10:00", "11:30"))


def test_C2_special_rows_that_touch_leave_no_pause(upload) -> None:  # type: ignore[no-untyped-def]
    nse = upload("2024-03-02,NSE,SPECIAL,09:15,10:00,\n2024-03-02,NSE,SPECIAL,10:00,12:30,\n")["NSE"]
    assert nse.session("2024-03-02").pauses == ()


def test_C2_rows_are_authoritative_one_by_one(upload) -> None:  # type: ignore[no-untyped-def]
    nse = upload("2024-03-08,NSE,SPECIAL,09:15,15:30,trades on a built-in holiday\n2024-03-11,NSE,CLOSED,,,\n")["NSE"]
    assert local(nse, "2024-03-08") == ("09:15", "15:30")
    assert nse.session("2024-03-11") is None
    assert local(nse, "2024-03-12") == ("09:15", "15:30")


def test_C2_an_upload_is_kept_and_a_later_one_replaces_its_days(upload, tmp_path) -> None:  # type: ignore[no-untyped-def]
    upload("2024-03-11,NSE,CLOSED,,,first\n2024-03-12,NSE,CLOSED,,,\n2030-01-01,NSE,COVERED,,,\n")
    upload("2024-03-11,NSE,HALF_DAY,09:15,12:00,second\n2023-11-12,BSE,SPECIAL,18:15,19:15,\n")
    nse = resolve_calendar("NSE", home=tmp_path)
    assert local(nse, "2024-03-11") == ("09:15", "12:00")
    assert nse.session("2024-03-12") is None
    assert nse.session("2030-05-02").known
    assert nse.session("2023-11-12") is None
    assert local(resolve_calendar("BSE", home=tmp_path), "2023-11-12") == ("18:15", "19:15")


def test_C2_coverage_alone_survives_the_round_trip(upload, tmp_path) -> None:  # type: ignore[no-untyped-def]
    upload("2030-06-01,NSE,COVERED,,,\n", covers=[2031])
    assert resolve_calendar("NSE", home=tmp_path).uploaded.years == {2030, 2031}


def test_C2_other_calendars_take_rows_too(upload) -> None:  # type: ignore[no-untyped-def]
    both = upload("2024-12-25,FX,CLOSED,,,\n2024-07-05,NYSE,HALF_DAY,9:30,13:00,\n")
    assert both["FX"].session("2024-12-25") is None
    assert local(both["XNYS"], "2024-07-05") == ("09:30", "13:00")


@pytest.mark.parametrize(("row", "reason"), [
    ("2024-13-01,NSE,CLOSED,,,", "date '2024-13-01' is not a date"),
    ("01/02/2024,NSE,CLOSED,,,", "is not a date"),
    ("2024-03-01,NSE,HOLIDAY,,,", "session_type 'HOLIDAY' is unknown"),
    ("2024-03-01,,CLOSED,,,", "the exchange is missing"),
    ("2024-03-01,NSE,SPECIAL,,,", "SPECIAL needs both open_time and close_time"),
    ("2024-03-01,NSE,HALF_DAY,09:15,,", "HALF_DAY needs both"),
    ("2024-03-01,NSE,SPECIAL,19:15,18:15,", "open_time 19:15 is not before close_time 18:15"),
    ("2024-03-01,NSE,SPECIAL,18:15,18:15,", "is not before"),
    ("2024-03-01,NSE,SPECIAL,25:00,26:00,", "is not a time"),
    ("2024-03-01,NSE,SPECIAL,09:15:30,10:00,", "more than hours and minutes"),
    ("2024-03-01,NSE,CLOSED,09:15,10:00,", "CLOSED takes no times"),
])
def test_C2_a_wrong_row_is_refused_with_its_line(upload, tmp_path, row, reason) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataError, match=rf"mine\.csv, line 3: .*{reason}"):
        upload(f"2024-02-01,NSE,CLOSED,,,fine\n{row}\n")
    assert not (tmp_path / "calendars").exists()  # nothing is kept of a file with a wrong row


@pytest.mark.parametrize(("rows", "reason"), [
    ("2024-03-01,NSE,CLOSED,,,\n2024-03-01,NSE,SPECIAL,10:00,11:00,\n", "lines 2 and 3.*both CLOSED and SPECIAL"),
    ("2024-03-01,NSE,SPECIAL,10:00,11:00,\n2024-03-01,NSE,SPECIAL,10:30,12:00,\n", "lines 2 and 3.*overlap"),
])
def test_C2_rows_of_a_day_that_contradict_each_other_are_refused(upload, rows, reason) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataError, match=reason):
        upload(rows)


def test_C2_a_missing_column_is_refused(upload) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataError, match="line 1: column 'session_type' is missing"):
        upload("date,exchange,open_time,close_time\n2024-03-01,NSE,,\n")


def test_C2_an_unknown_exchange_is_refused_and_nothing_kept(upload, tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError, match="'NSEX' is unknown"):
        upload("2024-03-01,NSE,CLOSED,,,\n2024-03-01,NSEX,CLOSED,,,\n")
    assert not (tmp_path / "calendars").exists()


def test_C2_a_file_that_cannot_be_read_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(DataError, match=r"absent\.csv: there is no such file"):
        import_calendar(tmp_path / "absent.csv", home=tmp_path)


@pytest.mark.parametrize("text", [HEADER, HEADER + "\n\n", HEADER + "# nothing yet\n"])
def test_C2_a_file_without_a_row_is_refused(tmp_path: pathlib.Path, text: str) -> None:
    """It imported nothing and said so to nobody."""
    (tmp_path / "empty.csv").write_text(text)
    with pytest.raises(DataError, match=r"empty\.csv: there is no row in it"):
        import_calendar(tmp_path / "empty.csv", covers=[2024], home=tmp_path)
