"""Times as text: what is read, and what is refused rather than guessed (rule B6; N1)."""

from __future__ import annotations

import pathlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import ConfigError, DataError
from workbench.market.checks import Origin
from workbench.market.sources.files import read_bars
from workbench.market.sources.times import instants, joined

OPENING = pd.Timestamp("2024-01-15 03:45", tz="UTC").value
ORIGIN = Origin("bars.csv", 2)


def read(*texts: object, zone: str | None = None, daily: bool = False) -> list[int]:
    return [int(ns) for ns in instants(pd.Series(list(texts)), zone, daily, ORIGIN)]


@pytest.mark.parametrize("text", [
    "2024-01-15 09:15:00 GMT+0530", "2024-01-15 09:15:00 GMT+05:30", "2024-01-15 09:15:00 UTC+05:30",
    "2024-01-15 09:15:00 UTC+0530", "15.01.2024 09:15:00.000 GMT+0530", "2024-01-15 08:45 GMT+05",
    "2024-01-14 22:45:00 UTC-05:00", "2024-01-14 22:45:00-05", "2024-01-15T09:15+0530", "2024-01-15 03:45 GMT",
    "2024-01-15t03:45:00.000z", "20240115 0915 +05:30", "Mon, 15 Jan 2024 03:45:00 GMT",
])  # fmt: skip
def test_B6_an_offset_is_east_when_it_is_positive_also_behind_GMT(text: str) -> None:
    """A general parser took GMT+05:30 for five and a half hours west, as POSIX does: eleven hours off."""
    assert read(text) == [OPENING]


@pytest.mark.parametrize("rest", ["+5", "-4", "UTC+5", "UTC-4", "GMT+5:30", "Z+05:30", "IST", "EST", "+05:30:00",
                                  "(India Standard Time)", "−05:00"])
@pytest.mark.parametrize("zone", [None, "Asia/Kolkata"])
def test_B6_what_stands_behind_the_clock_is_an_offset_or_refused(rest: str, zone: str | None) -> None:
    """``09:15 +5`` moved the clock by five hours and then counted as a time without a zone."""
    text = f"2024-01-15 09:15:00 {rest}"
    with pytest.raises(DataError, match=r"bars\.csv, row 1 \(line 3\)") as caught:
        read("2024-01-15 09:10:00", text, zone=zone)
    assert repr(text) in str(caught.value)
    assert f"{rest!r} behind the clock is none of Z, UTC, GMT" in str(caught.value)
    assert "Write it as 2024-01-31 09:15:00+05:30" in str(caught.value)


@pytest.mark.parametrize("text", ["2024-01-15 09:15+16:00", "2024-01-15 09:15+05:60", "2024-01-15 09:15-99:00"])
def test_B6_an_offset_that_no_clock_has_is_refused(text: str) -> None:
    with pytest.raises(DataError, match=r"row 0 \(line 2\)"):
        read(text)


@pytest.mark.parametrize("text", ["09:15", "9:15", "09:15:00", "09:15 AM"])
def test_B6_a_clock_without_a_date_is_not_today(text: str) -> None:
    with pytest.raises(DataError, match=r"row 1 \(line 3\): '.*' is a clock without a date"):
        read("2024-01-15 09:10", text, zone="Asia/Kolkata")


def test_B6_a_time_column_without_a_date_column_is_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("Time,Open,High,Low,Close\n09:15,1,1,1,1\n09:20,1,1,1,1\n")
    with pytest.raises(DataError, match=r"bars\.csv, row 0 \(line 2\): '09:15' is a clock without a date.*'date'"):
        read_bars(path, "5m", "NSE", zone="Asia/Kolkata")
    path.write_text("Time,Open,High,Low,Close\n915,1,1,1,1\n920,1,1,1,1\n")
    with pytest.raises(DataError, match=r"row 0.*time 915 is neither an epoch number nor a date"):
        read_bars(path, "5m", "NSE", zone="Asia/Kolkata")


@pytest.mark.parametrize("word", ["now", "today", "NOW", "yesterday", "2024", "2024-01", "Jan 2024", "15 01 2024", "5"])
@pytest.mark.parametrize("daily", [False, True])
def test_B6_words_and_parts_of_dates_are_refused(word: str, daily: bool) -> None:
    with pytest.raises(DataError, match=rf"row 0 \(line 2\): '{word}' is not a time"):
        read(word, zone="UTC", daily=daily)


@pytest.mark.parametrize("text", [
    "2024-01-15 09:15", "2024-1-15 9:15", "2024/01/15 09:15:00", "2024.01.15 09:15", "20240115 09:15",
    "20240115T091500", "20240115 0915", "2024-01-15T0915", "20240115091500", "202401150915",
    "15/01/2024 09:15", "01/15/2024 9:15 AM",
    "1/15/24 9:15", "01/15/2024, 09:15:00", "15-01-2024 09:15:00.000", "15.01.2024 09:15", "15-Jan-2024 09:15",
    "15 January 2024 9:15 a.m.", "15JAN2024 09:15", "Jan 15, 2024 9:15 AM", "2024-Jan-15 09:15", "2024-01-15 - 09:15",
    "Mon Jan 15 09:15:00 2024", "Monday, January 15, 2024 9:15", "2024-01-15 09:15:00,000",
])  # fmt: skip
def test_N1_the_usual_ways_to_write_a_time_are_read(text: str) -> None:
    assert read(text, zone="Asia/Kolkata") == [OPENING]


def test_N1_parts_of_a_second_and_halves_of_a_day() -> None:
    assert read("2024-01-15 03:45:00.123456789Z") == [OPENING + 123456789]
    assert read("2024-01-15 03:45:00.5Z") == [OPENING + 500_000_000]
    noon, midnight = read("01/15/2024 12:00 PM", "01/15/2024 12:00 AM", zone="UTC")
    assert noon - midnight == 12 * 3600 * 10**9
    assert midnight == pd.Timestamp("2024-01-15", tz="UTC").value


@pytest.mark.parametrize("text", ["2024-13-01 09:15", "2024-02-30", "2023-02-29", "2024-01-15 24:00",
                                  "2024-01-15 09:60", "2024-01-15 13:15 PM", "1500-01-01"])
def test_B6_days_and_times_that_do_not_exist_are_refused(text: str) -> None:
    """The thirteenth month of 2024 was read as the thirteenth of January."""
    with pytest.raises(DataError, match=rf"row 0 \(line 2\): '{text}' is not a time: no calendar has"):
        read(text, zone="UTC")


def test_B6_the_order_of_day_and_month_is_one_for_the_file() -> None:
    with pytest.raises(DataError, match=r"row 1.*'01/25/2024' is not a time.*writes the day first"):
        read("25/01/2024", "01/25/2024", daily=True)
    with pytest.raises(DataError, match=r"in '24-03-01' nobody can tell day from year"):
        read("24-03-01", "24-03-04", daily=True)


def test_N1_numbers_of_a_day_and_a_clock_are_no_epochs() -> None:
    for number in (20240115091500, 202401150915, 20240115091500.0):
        assert read(number, zone="Asia/Kolkata") == [OPENING]
        with pytest.raises(DataError, match="2024-01-15 09:15:00 has no time zone"):
            read(number)
    assert read(OPENING, OPENING // 10**3) != [OPENING] * 2
    assert read(OPENING // 10**6) == read(OPENING // 10**9) == read(OPENING) == [OPENING]
    assert read(210_000_000_000) == [210_000 * 10**9 * 1000]
    with pytest.raises(DataError, match="'20241315091500' is not a time"):
        read(20241315091500, zone="UTC")


def test_N1_a_date_column_of_midnights_joins_a_time_column() -> None:
    dates = ["2024-01-15 00:00:00"]
    for day in (pd.Series(dates), pd.to_datetime(pd.Series(dates)), pd.Series([20240115])):
        for clock in (pd.Series(["09:15:00"]), pd.Series([915]), pd.Series([91500])):
            assert instants(joined(day, clock), "Asia/Kolkata", False, ORIGIN).tolist() == [OPENING]


@pytest.mark.parametrize("zone", [5, 5.5, True, "5"])
def test_B6_a_number_is_no_zone(zone: object) -> None:
    """To pandas, 5 is an offset of five seconds."""
    for text in ("2024-01-15 09:15", "2024-01-15 09:15+05:30"):
        with pytest.raises(ConfigError, match="is no time zone"):
            read(text, zone=zone)  # type: ignore[arg-type]


def test_B6_rows_in_which_nothing_is_written_stay_missing() -> None:
    missing = np.iinfo(np.int64).min
    assert read("2024-01-15 09:15+05:30", None, "", "NaT") == [OPENING, missing, missing, missing]
    assert read(None, "2024-01-15 09:15", zone="Asia/Kolkata") == [missing, OPENING]


@settings(max_examples=60, deadline=None)
@given(moments=st.lists(st.datetimes(pd.Timestamp("1700-01-01").to_pydatetime(),
                                     pd.Timestamp("2200-01-01").to_pydatetime()), min_size=1, max_size=5),
       minutes=st.integers(-12 * 60, 14 * 60))
def test_B6_what_is_written_with_its_offset_is_read_back(moments: list[object], minutes: int) -> None:
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    wanted = [pd.Timestamp(moment).as_unit("ns").value - minutes * 60 * 10**9 for moment in moments]  # type: ignore[arg-type]
    assert read(*[f"{moment}{offset}" for moment in moments]) == wanted
    assert read(*[f"{moment} GMT{offset}" for moment in moments]) == wanted
