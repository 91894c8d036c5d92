"""Commands: what pausing, resuming, stopping and killing change, keep and say, in one transaction each."""

from __future__ import annotations

import pathlib
from contextlib import nullcontext
from typing import Any

import pytest

from tests.operated import Operated, folder
from workbench.brokers.port import NotSent
from workbench.errors import ConfigError, Fenced
from workbench.journal import tables
from workbench.journal.verify import faults
from workbench.live.arrivals import still_leaving
from workbench.live.asking import Verb, ask, asked
from workbench.live.client import Client
from workbench.live.executor import LOOK_NS
from workbench.live.facts import RUNNER
from workbench.live.killswitch import Kill
from workbench.live.lease import Lease
from workbench.live.replay import find, replayed

__all__ = ["folder"]


@pytest.fixture
def desk(folder: pathlib.Path) -> Operated:
    """One deployment, running."""
    operated = Operated(folder)
    operated.deploy()
    return operated.start()


def written(desk: Operated, verb: Verb, body: dict[str, Any] | None = None, name: str = "dip") -> int:
    """Write a command as a client does; its number."""
    ident = ""
    if name:
        ident = next(one.id for one in desk.runner.standings.values() if one.deployed.given.name == name)
    with desk.store.write() as connection:
        return ask(connection, "local", ident, verb, body or {}, desk.clock.now_ns())


def said(desk: Operated, verb: Verb, body: dict[str, Any] | None = None, name: str = "dip") -> tuple[bool, str]:
    """Ask and obey: whether it was done, and the words."""
    number = written(desk, verb, body, name)
    desk.obey()
    with desk.store.read() as connection:
        found = asked(connection, "local", number)
    assert found is not None and found.answer is not None
    return found.answer.is_done, found.answer.text


def stored(desk: Operated) -> dict[str, Any]:
    """The row that says where the deployment stands."""
    with desk.store.read() as connection:
        return dict(connection.execute(tables.deployment_states.select()).mappings().one())


def whole(desk: Operated) -> bool:
    """Whether the journal is a chain, and the engine, run again from it, says the same."""
    with desk.store.read() as connection:
        given = find(connection, "dip", "local")
        assert replayed(connection, given).differences == []
        return not faults(connection, given.id)


# --- pause and resume -------------------------------------------------------------------------------------------------


def test_a_pause_says_what_is_kept_and_keeps_it(desk: Operated) -> None:
    desk.run_to_position()
    held = desk.client.status("dip")["position"][0]
    done, words = said(desk, Verb.PAUSE, {"who": "asha", "why": "news"})
    assert done
    assert f"stop {held['stop']:,.8f}".rstrip("0").rstrip(".") in words
    assert "at the broker" in words and "the forced flatten" in words
    row = desk.rows("PAUSED")[-1]["body"]
    assert (row["who"], row["why"], row["command"]) == ("asha", "news", 1)
    assert row["kept"]["positions"][0]["stop"] == held["stop"]
    assert row["kept"]["forced_flatten"] is True
    assert (stored(desk)["status"], stored(desk)["note"]) == ("PAUSED", "paused by asha: news")
    assert whole(desk)


def test_while_paused_nothing_is_decided_and_what_protects_goes_on(desk: Operated) -> None:
    desk.run_to_position()
    orders = len(desk.client.orders("dip"))
    said(desk, Verb.PAUSE)
    since = desk.rows()[-1]["seq"]
    desk.run()
    after = [row for row in desk.rows() if row["seq"] > since]
    assert {row["body"].get("held_back") for row in after if row["kind"] == "EVALUATED"} == {"PAUSED"}
    assert set(desk.client.orders("dip")["reason"].iloc[orders:]) <= {"FORCED_FLATTEN"}
    assert not desk.client.status("dip")["position"]
    assert not desk.client.status("dip")["is_evaluated"] and whole(desk)


def test_a_resumed_deployment_trades_again(desk: Operated) -> None:
    said(desk, Verb.PAUSE)
    assert not desk.run(lambda: bool(desk.standing().known)), "it entered while paused"
    desk = desk.start()
    done, words = said(desk, Verb.RESUME, {"why": "calm"})
    assert done and "no position" in words
    assert (stored(desk)["status"], stored(desk)["note"]) == ("RUNNING", "")
    assert [row["kind"] for row in desk.rows() if row["kind"] in ("PAUSED", "RESUMED")] == ["PAUSED", "RESUMED"]


def test_asking_twice_changes_nothing(desk: Operated) -> None:
    said(desk, Verb.PAUSE, {"who": "asha"})
    before = stored(desk)
    done, words = said(desk, Verb.PAUSE, {"who": "ben"})
    assert done and words.startswith("dip is paused already.")
    assert stored(desk) == before
    said(desk, Verb.RESUME)
    before = stored(desk)
    assert said(desk, Verb.RESUME) == (True, "dip runs already; nothing was changed.")
    assert stored(desk) == before


@pytest.mark.parametrize("state", ["PAUSED_RECONCILE", "PAUSED_UNKNOWN_ORDER"])
def test_what_is_not_clear_must_be_looked_at_before_it_resumes(desk: Operated, state: str) -> None:
    standing = desk.standing()
    standing.state, standing.note = state, "order X: sent, never seen"
    for body in ({}, {"acknowledged": "yes"}):
        done, words = said(desk, Verb.RESUME, body)
        assert not done
        assert state in words and "order X: sent, never seen" in words and "--acknowledged" in words
    done, _ = said(desk, Verb.RESUME, {"acknowledged": True})
    assert done
    assert desk.rows("RESUMED")[-1]["body"]["acknowledged"] == "order X: sent, never seen"
    assert (stored(desk)["status"], stored(desk)["runtime_state"]) == ("RUNNING", "FLAT")


def test_a_state_that_waits_for_a_person_outlives_what_is_booked(desk: Operated) -> None:
    desk.run_to_position()
    standing = desk.standing()
    standing.state = "PAUSED_RECONCILE"
    desk.run()
    assert (stored(desk)["status"], stored(desk)["runtime_state"]) == ("RUNNING", "PAUSED_RECONCILE")


def test_an_entry_that_was_not_sent_lapses(desk: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.runner.venue, "send", lambda requests: [NotSent() for _ in requests])
    standing = desk.run_to_entry()
    number = next(iter(standing.known))
    desk.clock.wait_until(desk.clock.now_ns() + LOOK_NS)
    assert said(desk, Verb.PAUSE)[0]
    assert desk.client.orders("dip")["status"].iloc[number] == "CANCELLED"
    assert not desk.client.status("dip")["intents"]
    assert desk.rows("ORDER_EXPIRED")[-1]["body"]["why"] == "PAUSED"
    assert not standing.known


# --- stop -------------------------------------------------------------------------------------------------------------


def test_a_stop_is_refused_in_a_position_and_changes_nothing(desk: Operated) -> None:
    desk.run_to_position()
    before = stored(desk)
    done, words = said(desk, Verb.STOP)
    assert not done
    assert "long" in words and "Nothing was changed" in words and "--keep" in words
    assert stored(desk) == before
    assert desk.standing().status.value == "RUNNING"


def test_a_stop_that_keeps_leaves_position_and_orders(desk: Operated) -> None:
    standing = desk.run_to_position()
    orders = {known.cid for known in standing.known.values()}
    done, words = said(desk, Verb.STOP, {"keep": True, "why": "over"})
    assert done and "nobody manages now: long" in words and "orders left at the broker: 2" in words
    row = desk.rows("STOPPED")[-1]["body"]
    assert set(row["orders_kept"]) == orders and row["orders_cancelled"] == []
    assert row["kept"]["positions"][0]["qty"] == desk.client.status("dip")["position"][0]["qty"]
    assert {found.state for cid in orders for found in desk.runner.venue.find(standing.id, cid)} == {"WORKING"}
    assert standing.id not in desk.runner.standings
    assert stored(desk)["status"] == "STOPPED" and whole(desk)


def test_a_stop_can_cancel_what_protects(desk: Operated) -> None:
    standing = desk.run_to_position()
    cids = [known.cid for known in standing.known.values()]
    done, words = said(desk, Verb.STOP, {"keep": True, "keep_protective": False})
    assert done and "orders cancelled: 2, orders left at the broker: 0" in words
    assert [desk.runner.venue.find(standing.id, cid)[0].state for cid in cids] == ["CANCELLED", "CANCELLED"]
    position = standing.deployed.desk.positions[0]
    assert (position["stop_order"], position["target_order"]) == (-1, -1)
    frame = desk.client.orders("dip").set_index("order_id")
    assert list(frame.loc[cids, "status"]) == ["CANCELLED", "CANCELLED"]
    status = desk.client.status("dip")
    assert status["position"][0]["protected_by"] == "nobody: it is stopped" and not status["is_evaluated"]
    assert not status["intents"] and whole(desk)


def test_a_stop_cancels_an_entry_that_works(desk: Operated) -> None:
    standing = desk.run_to_entry()
    cid = next(iter(standing.known.values())).cid
    done, words = said(desk, Verb.STOP)
    assert done and "It held nothing; orders cancelled: 1" in words
    assert desk.runner.venue.find(standing.id, cid)[0].state == "CANCELLED"
    assert [row["kind"] for row in desk.rows()[-2:]] == ["STOPPED", "ORDER_CANCELLED"]
    assert desk.rows("STOPPED")[-1]["body"]["orders_cancelled"] == [cid]
    assert desk.client.orders("dip")["status"].iloc[-1] == "CANCELLED"
    assert not standing.deployed.working_entries() and whole(desk)


def test_a_stopped_deployment_does_nothing_any_more_and_the_others_go_on(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    desk.deploy("one")
    desk.deploy("two")
    desk.start()
    said(desk, Verb.STOP, name="one")
    desk.run()
    assert desk.client.status("one")["last_evaluation"] is None
    assert desk.client.status("two")["n_trades"] > 1
    with pytest.raises(ConfigError, match="one is stopped, for good"):
        desk.client.resume("one")


def test_what_was_to_be_cancelled_is_cancelled_after_a_crash(desk: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    standing = desk.run_to_position()
    cid = next(iter(standing.known.values())).cid
    with monkeypatch.context() as crashed:
        crashed.setattr(desk.runner.executor, "flush", lambda _: None)
        said(desk, Verb.STOP, {"keep": True, "keep_protective": False})
    assert desk.runner.venue.find(standing.id, cid)[0].state == "WORKING"
    desk.start()
    assert not desk.runner.standings
    with desk.store.read() as connection:
        left, _ = still_leaving(connection)
    assert [one.name for one in left] == ["dip"]


# --- the kill switch --------------------------------------------------------------------------------------------------


def test_a_kill_stops_everything_of_its_owner_and_nothing_else(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    for name, owner in (("a", "local"), ("b", "local"), ("c", "other")):
        desk.deploy(name, owner=owner)
    desk.start()
    done, words = said(desk, Verb.KILL, {"who": "asha", "why": "fat finger"}, name="")
    assert done and "in 2 deployments" in words and "positions are not closed" in words
    assert [row["body"]["why"] for row in (*desk.rows("KILLED", "a"), *desk.rows("KILLED", "b"))] == ["fat finger"] * 2
    desk.run()
    other = Client(desk.store, "other", clock=desk.clock)
    assert len(desk.client.orders("a")) == len(desk.client.orders("b")) == 0
    assert other.status("c")["n_trades"] > 1 and not len(other.journal("c", "KILLED"))
    evaluated = [row["body"] for row in desk.rows("EVALUATED", "a")]
    assert {body.get("held_back") for body in evaluated} == {"KILLED"}


def test_a_kill_keeps_what_protects(desk: Operated) -> None:
    desk.run_to_position()
    done, words = said(desk, Verb.KILL, {"why": "x"}, name="")
    assert done and "dip long" in words
    desk.run()
    assert not desk.client.status("dip")["position"]
    assert set(desk.client.trades("dip")["exit_reason"].iloc[-1:]) <= {"FORCED_FLATTEN", "STOP_LOSS", "TAKE_PROFIT"}


def test_while_a_kill_cannot_hold_up_entries_none_is_sent_and_exits_go(
    desk: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.run_to_position()
    monkeypatch.setattr(desk.runner.executor, "_sending", lambda: nullcontext(False))
    entered = len(desk.client.fills("dip"))
    desk.run()
    assert set(desk.client.fills("dip")["reason"].iloc[entered:]) >= {"EXIT_SIGNAL"}
    assert "ENTRY_SIGNAL" not in set(desk.client.fills("dip")["reason"].iloc[entered:])
    assert {row["body"]["why"] for row in desk.rows("ORDER_EXPIRED")} == {"LATE"}
    assert whole(desk)


def test_one_deployment_is_killed_and_armed_by_its_name(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    desk.deploy("one")
    desk.deploy("two")
    desk.start()
    said(desk, Verb.KILL, {"why": "bad bars"}, name="one")
    assert desk.switch.down("local", "one") and not desk.switch.down("local", "two")
    done, words = said(desk, Verb.RESUME, name="one")
    assert not done and "bad bars" in words and "Arm it first" in words
    assert said(desk, Verb.ARM, {"why": "all"}, name="")[1].startswith("nothing was killed under everything of local.")
    assert desk.switch.down("local", "one")
    assert said(desk, Verb.ARM, {"why": "good bars"}, name="one")[0]
    assert not desk.switch.down() and not desk.switch.path.exists()
    body = desk.rows("CONFIG_CHANGED", "one")[-1]["body"]
    assert (body["kill_switch"], body["why"]) == ("armed", "good bars")
    assert not desk.rows("CONFIG_CHANGED", "two")


def test_arming_needs_a_reason(desk: Operated) -> None:
    said(desk, Verb.KILL, name="")
    for body in ({}, {"why": "  "}):
        done, words = said(desk, Verb.ARM, body, name="")
        assert not done and "needs a reason" in words
    assert desk.switch.down("local", "dip")


def test_arming_does_not_lift_what_was_killed_after_it_was_asked(desk: Operated) -> None:
    written(desk, Verb.ARM, {"why": "old"}, name="")
    desk.switch.kill(Kill("local", "", "asha", "again", desk.clock.now_ns() + 1))
    (obeyed,) = desk.obey()
    assert not obeyed.answer.is_done and "killed again after this was asked" in obeyed.answer.text
    assert desk.switch.down("local", "dip")


def test_journals_follow_the_file_whoever_changed_it(desk: Operated) -> None:
    desk.switch.path.write_text("")
    for _ in range(3):
        desk.obey()
    (row,) = desk.rows("KILLED")
    assert row["body"]["scope"] == "everybody"
    done, words = said(desk, Verb.ARM, {"why": "mine"}, name="")
    assert not done and f"Remove {desk.switch.path} by hand" in words
    desk.start()
    desk.obey()
    assert len(desk.rows("KILLED")) == 1
    desk.switch.path.unlink()
    for _ in range(3):
        desk.obey()
    (row,) = desk.rows("CONFIG_CHANGED")
    assert row["body"]["why"] == "the flag of the kill switch is gone"
    assert whole(desk)


# --- what cannot be obeyed --------------------------------------------------------------------------------------------


def put(desk: Operated, **changes: Any) -> int:
    """A row of ``commands`` as nobody should write it."""
    row: dict[str, Any] = {"owner": "local", "deployment_id": "", "verb": "PAUSE", "body": "{}", "created_ns": 1}
    row |= {"done_ns": 0, "answer": ""}
    with desk.store.write() as connection:
        return int(connection.execute(tables.commands.insert().values({**row, **changes})).inserted_primary_key[0])


def test_nothing_a_person_writes_ends_the_runner(desk: Operated) -> None:
    ident = desk.standing().id
    put(desk, verb="EXPLODE")
    put(desk)
    put(desk, deployment_id="NOBODY")
    put(desk, deployment_id=ident, owner="other")
    put(desk, deployment_id=ident, body="not json")
    put(desk, deployment_id=ident, verb="RESUME", body='["a list"]')
    answers = [one.answer for one in desk.obey()]
    assert [one.is_done for one in answers] == [False, False, False, False, True, True]
    assert "there is no command 'EXPLODE'" in answers[0].text
    assert "needs the name of a deployment" in answers[1].text
    assert answers[2].text == answers[3].text == "there is no such deployment."
    assert desk.obey() == []


def test_commands_are_obeyed_in_the_order_in_which_they_were_written(desk: Operated) -> None:
    for verb in (Verb.PAUSE, Verb.RESUME, Verb.PAUSE):
        written(desk, verb)
    assert [one.asked.verb for one in desk.obey()] == ["PAUSE", "RESUME", "PAUSE"]
    assert desk.standing().status.value == "PAUSED"


def test_who_has_lost_the_lease_obeys_nothing(desk: Operated) -> None:
    number = written(desk, Verb.PAUSE)
    before = stored(desk)
    assert Lease(desk.store, RUNNER, "test", 10**9, desk.clock.now_ns).acquire()
    with pytest.raises(Fenced):
        desk.obey()
    assert stored(desk) == before
    with desk.store.read() as connection:
        found = asked(connection, "local", number)
    assert found is not None and found.answer is None
