"""All deployments at a glance, what is news since the last one, and closing everything at once."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from functools import partial
from unittest.mock import patch

import pytest

from tests.operated import Operated, folder  # noqa: F401 - a fixture
from workbench.errors import RetryableError
from workbench.live import overview as overviews
from workbench.live import reading
from workbench.live.client import Client
from workbench.live.clock import VirtualClock
from workbench.live.emergency import kill_and_flatten
from workbench.live.facts import RUNNER
from workbench.live.lease import Lease
from workbench.live.overview import Overview
from workbench.live.pinned import strategies_of
from workbench.live.wall import holder_name


@pytest.fixture
def desk(folder: pathlib.Path) -> Iterator[Operated]:  # noqa: F811
    """Two deployments of two instruments."""
    made = Operated(folder, "AAA", "BBB")
    made.deploy("dip", "AAA")
    made.deploy("other", "BBB")
    made.start()
    yield made
    made.store.close()


@pytest.fixture
def eye(desk: Operated) -> Overview:
    """What looks."""
    return Overview(desk.store, clock=desk.clock)


def test_a_glance_says_what_the_tables_of_the_client_say(desk: Operated, eye: Overview) -> None:
    desk.run_to_position()
    for _ in range(2):  # from nothing, and from memory
        seen = eye.glance()
        table = desk.client.deployments()
        assert [{name: line[name] for name in table.columns} for line in seen.deployments] == [
            {name: (None if value != value else value) for name, value in row.items()}
            for row in table.astype(object).to_dict("records")
        ]
        assert seen.exposure == desk.client.exposure().to_dict("records")
        known = desk.client.health()
        assert {name: seen.health[name] for name in known} == known
        for line in seen.deployments:
            status = desk.client.status(line["name"])
            assert line["holdings"] == status["position"]
            assert line["next_evaluation"] == status["next_evaluations"][0]
    assert any(line["holdings"] for line in seen.deployments)


def test_what_has_not_changed_is_the_same_object_and_nothing_is_worked_out_again(desk: Operated, eye: Overview) -> None:
    before = eye.glance().deployments
    with patch.object(overviews, "next_evaluations", side_effect=AssertionError("asked again")):
        after = eye.glance().deployments
    assert all(one is other for one, other in zip(before, after, strict=True))


def test_what_has_changed_is_seen_at_the_next_glance(desk: Operated, eye: Overview) -> None:
    before = {line["name"]: line for line in eye.glance().deployments}
    desk.client.pause("dip", "lunch", wait_s=0.0)
    desk.obey()
    after = {line["name"]: line for line in eye.glance().deployments}
    assert after["dip"]["status"] == "PAUSED" and after["dip"]["seq"] > before["dip"]["seq"]
    assert after["other"] is before["other"]


def test_the_next_evaluation_moves_on_when_it_has_passed(desk: Operated, eye: Overview) -> None:
    (first,) = {line["next_evaluation"] for line in eye.glance().deployments}
    assert desk.run(lambda: desk.clock.now_ns() > first.value)
    (second,) = {line["next_evaluation"] for line in eye.glance().deployments}
    assert second > first and second == desk.client.status("dip")["next_evaluations"][0]


def test_a_runner_that_replays_has_a_time_of_its_own(desk: Operated, eye: Overview) -> None:
    assert eye.glance().health["clock"] is None
    desk.run_to_position()
    desk.lease.release()
    wall_ns = 2 * desk.clock.now_ns()  # years later
    again = Lease(desk.store, RUNNER, holder_name(wall_ns, replays=True), 10**10, lambda: wall_ns)
    assert again.acquire()
    later = Overview(desk.store, clock=VirtualClock(wall_ns))
    seen, passed_ns = later.glance(), desk.standing().deployed.passed_ns
    assert seen.health["clock"].value == passed_ns
    coming = {line["next_evaluation"].value for line in seen.deployments}
    assert all(passed_ns < one <= passed_ns + 24 * 3600 * 10**9 for one in coming)
    (status,) = {Client(desk.store, clock=VirtualClock(wall_ns)).status("dip")["next_evaluations"][0]}
    assert status.value in coming


def test_news_are_the_rows_that_were_written_since(desk: Operated, eye: Overview) -> None:
    desk.run_to_position()
    heads = {line["name"]: line["seq"] for line in eye.glance().deployments}
    assert eye.news(heads, ("FILLED", "PAUSED")) == []
    desk.client.pause("dip", "lunch", wait_s=0.0)
    desk.client.pause("other", "lunch", wait_s=0.0)
    desk.obey()
    assert {(row["deployment"], row["kind"]) for row in eye.news(heads, ("FILLED", "PAUSED"))} == {
        ("dip", "PAUSED"), ("other", "PAUSED"),
    }  # fmt: skip
    filled = eye.news({"dip": 0}, ("FILLED",))
    assert [row["seq"] for row in filled] == [row["seq"] for row in desk.rows("FILLED")] and filled
    assert Overview(desk.store, "somebody", desk.clock).news({"dip": 0}, ("FILLED",)) == []


@pytest.mark.parametrize("kind", [None, "FILLED"])
def test_a_journal_is_searched_in_any_case_a_few_rows_at_a_time(
    desk: Operated, kind: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.run_to_position()
    rows = list(reversed(desk.rows(kind)))
    sought = [row["seq"] for row in rows if "nse:aaa" in json.dumps(row["body"], default=str).lower()]
    assert sought
    for few in (2_000, 3, 1):
        monkeypatch.setattr(reading, "SEARCHED", few)
        find = partial(desk.client.journal, "dip", kind, contains="NSE:aaa")
        assert find(limit=1_000)["seq"].tolist() == sought
        assert find(limit=1)["seq"].tolist() == sought[:1]
        assert find(before=sought[0])["seq"].tolist() == sought[1:][:50]
        assert find(limit=5, before=None).columns.tolist() == ["seq", "instant", "at", "kind", "body"]
    assert desk.client.journal("dip", kind, contains="nowhere").empty


def test_an_owner_sees_their_own_alone(desk: Operated) -> None:
    stranger = Overview(desk.store, "somebody", desk.clock).glance()
    assert (stranger.deployments, stranger.exposure, stranger.health["deployments"]) == ([], [], 0)
    with desk.store.read() as connection:
        assert strategies_of(connection, "somebody") == []
        found = strategies_of(connection, "local")
    assert sorted(one["deployments"] for one in found) == [["dip"], ["other"]]


def test_everything_is_killed_and_what_holds_something_is_closed(desk: Operated) -> None:
    desk.run_to_position()
    desk.client.stop("other", "not this one", keep=True, wait_s=0.0)
    desk.obey()
    reply = kill_and_flatten(desk.client, "odd", wait_s=0.0)
    assert reply.is_done and "1 deployment to be closed at the next open: dip." in reply.text
    desk.obey()
    assert desk.run(lambda: not desk.standing().held_qty())
    assert desk.rows("FILLED")[-1]["body"]["reason"] == "MANUAL_FLATTEN"
    assert desk.client.health()["kills"]


def test_an_entry_that_has_not_filled_is_taken_back_too(desk: Operated) -> None:
    desk.run_to_entry()
    assert "dip" in kill_and_flatten(desk.client, "odd", wait_s=0.0).text


def test_the_kill_stands_when_the_database_cannot_be_written(desk: Operated) -> None:
    desk.run_to_position()
    with patch.object(Client, "flatten", side_effect=RetryableError("somebody else writes")):
        reply = kill_and_flatten(desk.client, "odd", wait_s=0.0)
    assert reply.is_done and "NOT all being closed: somebody else writes" in reply.text
    assert desk.switch.kills()
