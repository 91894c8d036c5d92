"""Hours in which a strategy can never enter, or leaves too late, are told (rules D6, X1 to X4)."""

from __future__ import annotations

import datetime as dt
import pathlib
from typing import Any

import pytest

import workbench as wb
from tests.worked import run

DAY = "Mon \n 09:15 100 entry \n 09:20-15:25 100"
TWO_DAYS = "Mon \n 09:15 100 entry \n 09:20-15:25 100 \n Tue \n 09:15-15:25 101"


def refused(table: str = DAY, **fields: Any) -> str:
    """Why a run is refused."""
    with pytest.raises(wb.StrategyError) as error:
        run(table, **fields)
    return str(error.value)


def told(result: wb.Result, code: str) -> list[str]:
    """Notes that begin with a word."""
    return [note for note in result.notes["note"] if note.startswith(f"{code}:")]


def proxy(table: str = TWO_DAYS, **fields: Any) -> wb.Result:
    """Daily logic before the close."""
    return run(table, execution="proxy_close", timeframe="1d", **fields)


@pytest.mark.parametrize("exit_time", ["15:20", "15:25", "-5m", "-20m", "10:00"])
def test_X3_X4_an_exit_time_by_the_proxy_close_is_refused_for_what_it_prevents(exit_time: str) -> None:
    with pytest.raises(wb.StrategyError) as error:
        proxy(exit_time=exit_time)
    assert f"exit_time {exit_time} lies at or before the proxy close (15:25 on a normal day)" in str(error.value)


def test_X3_X4_the_proxy_close_is_the_calendar_s_own() -> None:
    late = wb.resolve_calendar("NSE").with_settings(proxy_before_close=dt.timedelta(minutes=30))
    result = proxy(TWO_DAYS, calendar=late, exit_time="-20m")
    assert "ENTRY_TRUE" in set(result.decisions["decision"])
    with pytest.raises(wb.StrategyError, match="15:00 on a normal day"):
        proxy(calendar=late, exit_time="-30m")


@pytest.mark.parametrize("exit_time", ["15:26", "-4m"])
def test_X3_X4_an_exit_time_after_the_proxy_close_is_not(exit_time: str) -> None:
    assert "ENTRY_TRUE" in set(proxy(exit_time=exit_time).decisions["decision"])


@pytest.mark.parametrize("window", [("03:45", "04:00"), ("09:00", "09:15"), ("15:31", "16:00"), ("00:00", "09:15")])
def test_D6_a_window_outside_the_session_is_refused(window: tuple[str, str]) -> None:
    """03:45 is the open in UTC: the window is meant in the exchange's time."""
    said = refused(entry_window=window)
    assert f"entry_window {window[0]}-{window[1]} lies outside every session of the bars (09:15-15:30" in said
    assert "those of the exchange, Asia/Kolkata" in said


@pytest.mark.parametrize("exit_time", ["09:14", "15:31", "16:00", "03:45", "18:00"])
@pytest.mark.parametrize("fields", [{}, {"product": "MIS"}, {"execution": "proxy_close", "timeframe": "1d"}])
def test_X4_an_exit_time_outside_every_session_is_refused(exit_time: str, fields: dict[str, Any]) -> None:
    """Ignored in each of them, it would never act, and the position that it should end would stay."""
    said = refused(TWO_DAYS, exit_time=exit_time, **fields)
    assert f"exit_time {exit_time} lies outside every session of the bars (09:15-15:30 on a normal day)" in said
    assert "positions would stay" in said and "those of the exchange, Asia/Kolkata" in said


def evenings(home: pathlib.Path) -> wb.Calendar:
    """NSE with an evening session on Saturday."""
    rows = home / "nse.csv"
    rows.write_text("date,exchange,session_type,open_time,close_time,notes\n2024-01-13,NSE,SPECIAL,18:15,19:15,\n")
    return wb.import_calendar(rows, home=home)["NSE"]


def test_X4_an_exit_time_that_one_session_of_the_bars_contains_is_not_refused(tmp_path: pathlib.Path) -> None:
    table = "Fri \n 15:20 100 entry \n 15:25 100 \n Sat \n 18:15-18:55 100"
    result = run(table, calendar=evenings(tmp_path), exit_time="18:45")
    assert result.trades["exit_reason"].tolist() == ["FORCED_FLATTEN"]
    assert told(result, "EXIT_TIME") == []


def test_X4_an_exit_time_outside_the_special_sessions_of_a_run_is_noted(tmp_path: pathlib.Path) -> None:
    """Special hours alone tell nothing of the strategy, so they refuse nothing; nor does a start after the others."""
    special = evenings(tmp_path)
    evening = "Sat \n 18:15 100 entry \n 18:20-18:55 100"
    for table, start in ((evening, None), (f"Fri \n 09:15-15:25 100 \n {evening}", "2024-01-13")):
        result = run(table, calendar=special, exit_time="15:15", start=start)
        assert result.trades["is_open"].tolist() == [True]
        (note,) = told(result, "EXIT_TIME")
        assert "15:15 lies outside every session of this run" in note and "never made anything leave" in note


def test_D6_a_window_that_an_evening_session_of_the_bars_opens_is_not(tmp_path: pathlib.Path) -> None:
    rows = tmp_path / "nse.csv"
    rows.write_text("date,exchange,session_type,open_time,close_time,notes\n2024-01-13,NSE,SPECIAL,18:15,19:15,\n")
    special = wb.import_calendar(rows, home=tmp_path)["NSE"]
    evening = "Fri \n 15:25 100 \n Sat \n 18:15 100 entry \n 18:20 100"
    assert "ENTRY_TRUE" in set(run(evening, calendar=special, entry_window=("18:15", "19:00")).decisions["decision"])
    assert "outside every session" in refused("Fri \n 15:25 100", calendar=special, entry_window=("18:15", "19:00"))


def test_D6_a_window_of_a_session_over_midnight() -> None:
    """A week of FX runs all night; nothing lies outside it."""
    table = "Mon \n 17:00 1.1 \n 17:05 1.1 entry \n 17:10-23:55 1.1"
    for window in (("17:00", "18:00"), ("00:00", "01:00"), ("12:00", "13:00")):
        assert len(run(table, calendar="FX", entry_window=window).decisions)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"entry_window": ("09:16", "09:20")}, "no bar of 5m closes inside entry_window 09:16-09:20"),
        (
            {"timeframe": "1d", "entry_window": ("10:00", "15:30")},
            "no bar of 1d closes inside entry_window 10:00-15:30",
        ),
        ({"product": "MIS", "entry_window": ("15:25", "15:35")}, "closes at or after the flatten of MIS"),
        ({"exit_time": "-375m"}, "closes at or after exit_time -375m"),
    ],
)
def test_D6_X1_a_run_in_which_no_bar_may_enter_says_so(fields: dict[str, Any], said: str) -> None:
    result = run(DAY, **fields)
    assert "ENTRY_TRUE" not in set(result.decisions["decision"])
    (note,) = told(result, "NEVER_ENTERS")
    assert said in note


@pytest.mark.parametrize(
    "fields", [{"entry_window": ("09:16", "09:21")}, {"product": "MIS"}, {"exit_time": "-369m"}, {}]
)
def test_D6_X1_a_run_in_which_a_bar_may_enter_says_nothing(fields: dict[str, Any]) -> None:
    result = run(DAY, **fields)
    assert "ENTRY_TRUE" in set(result.decisions["decision"])
    assert told(result, "NEVER_ENTERS") == []


@pytest.mark.parametrize("exit_time", ["15:30", "15:26", "-1m", "-4m"])
def test_X4_an_exit_time_that_leaves_the_next_morning_is_noted(exit_time: str) -> None:
    """Decided at 15:30, the last instant, and filled at Tuesday's open."""
    result = run(TWO_DAYS, exit_time=exit_time)
    assert [str(ts) for ts in result.trades["exit_ts"]] == ["2024-01-09 03:45:00+00:00"]
    (note,) = told(result, "EXIT_TIME")
    assert note.startswith(f"EXIT_TIME: {exit_time} is decided when the session's last interval has closed")
    assert "at least 5m before the close" in note


@pytest.mark.parametrize(
    "fields", [{"exit_time": "15:25"}, {"exit_time": "-5m"}, {"exit_time": "15:30", "product": "MIS"}]
)
def test_X4_an_exit_time_that_leaves_in_its_session_is_not(fields: dict[str, Any]) -> None:
    result = run(TWO_DAYS, **fields)
    assert [str(ts)[:10] for ts in result.trades["exit_ts"]] == ["2024-01-08"]
    assert told(result, "EXIT_TIME") == []
