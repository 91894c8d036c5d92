"""The calendar of a deployment: what is unknown is told, an upload counts from here on, and a replay knows both."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from tests.operated import Operated, folder
from tests.unit.test_live_flatten import whole
from workbench.errors import RetryableError
from workbench.live.days import altered, calendar_of, plain
from workbench.market.calendar import import_calendar, resolve_calendar

__all__ = ["folder"]


@pytest.fixture
def desk(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Operated:
    """One deployment, running, whose calendars are in a folder of its own."""
    monkeypatch.setenv("WORKBENCH_HOME", str(folder / "home"))
    operated = Operated(folder)
    operated.deploy()
    return operated.start()


def upload(folder: pathlib.Path, *rows: str, covers: tuple[int, ...] = ()) -> None:
    """Import a calendar as a person does."""
    path = folder / "days.csv"
    path.write_text("\n".join(("date,exchange,session_type,open_time,close_time,notes", *rows)) + "\n")
    import_calendar(path, covers)


def told(desk: Operated) -> list[dict[str, Any]]:
    """Changes of the calendar that the journal tells."""
    return [row["body"] for row in desk.rows("CALENDAR_CHANGED")]


def test_C3_the_status_says_which_days_are_unknown(desk: Operated) -> None:
    desk.clock.wait_until(4102444800 * 10**9)  # 2100: no calendar knows it
    calendar = desk.client.status("dip")["calendar"]
    assert calendar["is_known"] is False and len(calendar["unknown"]) == calendar["sessions"] == 10
    assert calendar["unknown"][0] == "2100-01-01"


def test_C2_an_upload_counts_from_where_a_deployment_stands(desk: Operated, folder: pathlib.Path) -> None:
    """Tuesday has passed in part when Wednesday becomes a holiday."""
    desk.run_to_position()
    before = desk.standing().deployed.given.calendar.digest
    upload(folder, "2023-01-11,NSE,CLOSED,,,by decree")
    with pytest.raises(RetryableError, match="the calendar NSE was changed"):
        desk.obey()
    desk.start()
    desk.run()
    change = told(desk)[0]
    assert change["was"] == before and change["altered"] == []
    assert change["uploaded"]["rows"][0][1:3] == ["NSE", "CLOSED"]
    assert len(told(desk)) == 1 and not desk.standing().note
    assert desk.client.equity("dip").index[-1].date().isoformat() == "2023-01-10", "no interval of the holiday passed"
    assert whole(desk)
    desk.start()
    assert len(told(desk)) == 1, "it is told once"


def test_P3_a_replay_goes_by_the_calendar_that_was_in_force(desk: Operated, folder: pathlib.Path) -> None:
    desk.run()
    upload(folder, "2023-01-11,NSE,HALF_DAY,09:15,12:00,", covers=(2023,))
    assert resolve_calendar("NSE").digest != desk.standing().deployed.given.calendar.digest
    assert whole(desk), "what was written before the upload still follows from itself"


def test_B5_an_upload_that_changes_the_past_changes_nothing_and_says_which_days(
    desk: Operated, folder: pathlib.Path
) -> None:
    """Nobody has a memory of the first session's expressions yet: they are fed again, by the hours of then."""
    desk.run_to_position()
    upload(folder, "2023-01-09,NSE,HALF_DAY,09:15,12:00,", "2023-01-13,NSE,CLOSED,,,")
    desk.start()
    assert "2023-01-09" in desk.standing().note and told(desk)[0]["altered"] == ["2023-01-09"]
    desk.run()
    assert whole(desk)


def test_P1_an_upload_of_another_day_changes_no_decision(desk: Operated, folder: pathlib.Path) -> None:
    """The same run without an upload, and with one at noon and a restart in each session after it."""
    desk.run()
    undisturbed = desk.client.trades("dip"), desk.client.equity("dip")
    again = Operated(folder)
    again.deploy()
    again.start()
    noon_ns = 1673332200 * 10**9  # 2023-01-10, 12:00 in Mumbai
    for hours in (0, 2, 24):
        again.run(lambda end_ns=noon_ns + hours * 3600 * 10**9: again.clock.now_ns() >= end_ns)
        upload(folder, f"2023-02-{1 + hours:02d},NSE,CLOSED,,,")
        again.start()
    again.run()
    assert len(told(again)) == 3
    assert again.client.trades("dip").equals(undisturbed[0]) and again.client.equity("dip").equals(undisturbed[1])
    assert whole(again)


def test_a_file_that_cannot_be_read_changes_nothing(desk: Operated, folder: pathlib.Path) -> None:
    upload(folder, "2023-01-13,NSE,CLOSED,,,")
    desk.start()
    (folder / "home" / "calendars" / "NSE.csv").write_text("what is this")
    assert desk.obey() == [] and desk.standing().status.value == "RUNNING"


def test_a_calendar_comes_back_from_a_journal(desk: Operated, folder: pathlib.Path) -> None:
    upload(folder, "2023-01-13,NSE,SPECIAL,18:00,19:00,Muhurat", "2023-01-11,NSE,CLOSED,,,", covers=(2023, 2031))
    now = resolve_calendar("NSE")
    assert calendar_of("NSE", plain(now)) == now
    assert calendar_of("NSE", {"calendar": "of an older journal"}) == now


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("2023-01-10,NSE,HALF_DAY,09:15,14:00,", []),  # noon has not come to the earlier close
        ("2023-01-10,NSE,HALF_DAY,09:15,11:00,", ["2023-01-10"]),
        ("2023-01-10,NSE,HALF_DAY,09:20,15:30,", ["2023-01-10"]),
        ("2023-01-10,NSE,SETTLEMENT_ONLY,,,", []),
        ("2023-01-09,NSE,CLOSED,,,", ["2023-01-09"]),
        ("2023-01-08,NSE,SPECIAL,10:00,11:00,", ["2023-01-08"]),
        ("2023-01-11,NSE,CLOSED,,,", []),
    ],
)
def test_B5_what_has_passed_of_a_day_is_compared(
    desk: Operated, folder: pathlib.Path, row: str, expected: list[str]
) -> None:
    before = resolve_calendar("NSE")
    upload(folder, row)
    week_ns, noon_ns = 7 * 86_400 * 10**9, 1673332200 * 10**9  # Tuesday 2023-01-10, 12:00 in Mumbai
    assert altered(before, resolve_calendar("NSE"), noon_ns - week_ns, noon_ns) == expected
