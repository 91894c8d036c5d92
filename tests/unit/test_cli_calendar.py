"""``workbench calendar``: import special days, show any day."""

from __future__ import annotations

import datetime as dt
import json
import pathlib

import pytest

from tests.command_line import expect
from tests.conftest import nse_calendar_csv

HEADER = "date,exchange,session_type,open_time,close_time,notes\n"


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))


def uploaded(tmp_path: pathlib.Path, *lines: str) -> pathlib.Path:
    """A calendar file."""
    path = tmp_path / "days.csv"
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    return path


def row_of(text: str, name: str) -> list[str]:
    """Words of the line that begins with a name."""
    return next(line.split() for line in text.splitlines() if line.strip().startswith(name))


def test_C4_a_day_shows_its_instants_in_the_zone_and_in_utc() -> None:
    text = expect(0, "calendar", "show", "NSE", "2024-06-28")
    assert "NSE Fri 2024-06-28: NORMAL" in text
    assert row_of(text, "open")[1:] == ["09:15", "03:45Z"]
    assert row_of(text, "close")[1:] == ["15:30", "10:00Z"]
    assert row_of(text, "proxy")[2:] == ["15:25", "09:55Z"]
    assert row_of(text, "buy")[2:] == ["[15:25,", "15:30)", "[09:55Z,", "10:00Z)"]
    assert row_of(text, "sell")[2:] == ["(09:15,", "09:20]", "(03:45Z,", "03:50Z]"]


def test_C3_a_weekend_and_a_holiday_are_closed() -> None:
    assert "CLOSED" in expect(0, "calendar", "show", "NSE", "2024-06-29")
    assert "CLOSED" in expect(0, "calendar", "show", "XNYS", "2024-11-28")


def test_C3_a_day_that_nobody_covers_is_unknown() -> None:
    text = expect(0, "calendar", "show", "NSE", "2060-03-03")
    assert "CALENDAR_UNKNOWN" in text
    assert "entries blocked" in text


def test_B2_a_forex_session_opens_the_evening_before() -> None:
    text = expect(0, "calendar", "show", "FX", "2024-03-11")
    assert row_of(text, "open")[1:] == ["Sun", "17:00", "Sun", "21:00Z"]
    assert row_of(text, "close")[1:] == ["17:00", "21:00Z"]


def test_C2_an_import_answers_from_then_on(tmp_path: pathlib.Path) -> None:
    assert "CLOSED" in expect(0, "calendar", "show", "NSE", "2024-03-02")
    lines = ("2024-03-02,NSE,SPECIAL,09:15,10:00,drill [x]", "2024-03-02,NSE,SPECIAL,11:30,12:30,drill [x]",
             "2024-11-01,NSE,CLOSED,,,")  # fmt: skip
    path = uploaded(tmp_path, *lines)
    text = expect(0, "calendar", "import", path, "--covers", "2024", "2025")
    assert row_of(text, "NSE") == ["NSE", "3", "2024,", "2025"]
    assert "NSE: 2025 is covered without a CLOSED row" in text
    assert "NSE: 2024 is covered" not in text
    text = expect(0, "calendar", "show", "NSE", "2024-03-02")
    assert "SPECIAL, uploaded: drill [x]" in text
    assert row_of(text, "pause")[1:] == ["[10:00,", "11:30)", "[04:30Z,", "06:00Z)"]


def test_several_days_are_one_line_each(tmp_path: pathlib.Path) -> None:
    expect(0, "calendar", "import", uploaded(tmp_path, "2024-11-01,NSE,SPECIAL,18:00,19:00,Muhurat"))
    text = expect(0, "calendar", "show", "NSE", "2024-10-31", "--days", "4")
    assert row_of(text, "Thu 2024-10-31")[2:6] == ["NORMAL", "09:15", "(03:45Z)", "15:30"]
    assert row_of(text, "Fri 2024-11-01")[2:5] == ["SPECIAL", "18:00", "(12:30Z)"]
    assert "Muhurat" in " ".join(row_of(text, "Fri 2024-11-01"))
    assert row_of(text, "Sat 2024-11-02")[2] == "CLOSED"
    assert "2024-11-04" not in text


def test_without_a_date_it_is_today_there() -> None:
    before = dt.datetime.now(dt.UTC).date()
    text = expect(0, "calendar", "show", "24x7")
    assert any(str(day) in text for day in (before, before + dt.timedelta(days=1)))


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("NSF", "2024-01-01"), "Did you mean 'NSE'"), (("NSE", "2024-13-01"), "neither a date"),
        (("NSE", "2024-01-01T09:15Z"), "Write the date"), (("NSE", "2024-01-01", "--days", "0"), "--days"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused(args: tuple[str, ...], says: str) -> None:
    assert says in expect(2, "calendar", "show", *args)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("2024-11-01,NSE,SPECIAL,19:00,18:00,", "is not before"), ("2024-11-01,NSE,PARTY,,,", "'PARTY' is unknown"),
        ("01/11/2024,NSE,CLOSED,,,", "is not a date"), ("2024-11-01,NOWHERE,CLOSED,,,", "NOWHERE"),
    ],
)  # fmt: skip
def test_C2_a_wrong_row_is_refused_and_nothing_is_kept(tmp_path: pathlib.Path, line: str, says: str) -> None:
    assert says in expect(2, "calendar", "import", uploaded(tmp_path, line))
    assert not (tmp_path / "home" / "calendars").exists()


def test_the_real_special_sessions_of_nse(data_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "special.csv"
    path.write_text(nse_calendar_csv(json.loads((data_dir / "calendars" / "nse_bse_calendar.json").read_text())))
    expect(0, "calendar", "import", path)
    text = expect(0, "calendar", "show", "NSE", "2023-11-12")
    assert "SPECIAL, uploaded: Muhurat" in text
    assert row_of(text, "open")[1:] == ["18:15", "12:45Z"]


def test_C3_unknown_days_are_listed_as_stretches(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.cli.calendars._today", lambda _: dt.date(2060, 12, 30))  # a Thursday
    text = " ".join(expect(0, "calendar", "unknown", "NSE", "--days", "5").split())
    assert "CALENDAR_UNKNOWN on 2060-12-30 to 2061-01-03 (3 weekdays)" in text
    path = uploaded(tmp_path, "2060-12-30,NSE,CLOSED,,,a holiday")
    text = " ".join(expect(0, "calendar", "import", path, "--covers", "2060").split())
    assert "CALENDAR_UNKNOWN on 2061-01-03" in text, "told after an import, too"
    text = expect(0, "calendar", "unknown", "NSE", "--days", "2")
    assert "every day to 2060-12-31 is known" in text
