"""A position between two hands, and news that contradict each other: what a broker or a person says at a bad moment."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import pytest

from tests.operated import Operated, folder
from tests.unit.test_live_beside import beside_a_long_one
from tests.unit.test_live_flatten import exits, said, whole
from workbench.brokers.port import Answer, Event, NotSent, Unknown
from workbench.journal import tables
from workbench.live.asking import Verb, ask
from workbench.live.executor import LOOK_NS
from workbench.live.intents import IntentState

__all__ = ["folder"]


@pytest.fixture
def desk(folder: pathlib.Path) -> Operated:
    """A long deployment with a stop, running."""
    operated = Operated(folder)
    operated.deploy(stop_loss_frac=0.02)
    return operated.start()


def asked_together(desk: Operated, *asked: tuple[Verb, str, dict[str, Any]]) -> list[tuple[bool, str]]:
    """Ask several things at once, before the runner looks; what was answered."""
    with desk.store.write() as connection:
        for verb, name, body in asked:
            ask(connection, "local", desk.standing(name).id, verb, body, desk.clock.now_ns())
    return [(one.answer.is_done, one.answer.text) for one in desk.obey()]


def stays_unsent(desk: Operated) -> Any:
    """Let nothing that changes hands leave, until what is returned is called."""
    broker, sent = desk.runner.venue, desk.runner.venue.send

    def send(requests: Sequence[Any]) -> list[Any]:
        kept = {one.cid for one in requests if one.action == "TRANSFER"}
        answers = iter(sent([one for one in requests if one.cid not in kept]))
        return [NotSent() if one.cid in kept else next(answers) for one in requests]

    broker.send = send  # type: ignore[method-assign]
    return lambda: setattr(broker, "send", sent)


# --- between two hands ------------------------------------------------------------------------------------------------


def test_who_is_taking_a_position_over_cannot_be_stopped_or_resumed_before_it_is_there(desk: Operated) -> None:
    """All three are written before the runner looks: the position is not booked when the others are obeyed."""
    desk = beside_a_long_one(desk)
    held = desk.standing("dip").held_qty()
    adopt = (Verb.RESOLVE, "fade", {"choice": "adopt"})
    answers = asked_together(desk, adopt, (Verb.RESUME, "fade", {}), (Verb.STOP, "fade", {"keep": True}))
    assert answers[0][0]
    assert not answers[1][0] and "taking a position over" in answers[1][1]
    assert not answers[2][0] and "changing hands" in answers[2][1]
    desk.runner.turn()
    fade = desk.standing("fade")
    assert fade.held_qty() == held and "exit_only" in fade.counts and fade.status.value == "RUNNING"
    assert whole(desk, "fade") and whole(desk, "dip")


def test_who_gives_a_position_away_cannot_be_stopped_before_it_is_gone(desk: Operated) -> None:
    desk = beside_a_long_one(desk)
    stop = (Verb.STOP, "dip", {"keep": True, "keep_protective": False})
    answers = asked_together(desk, (Verb.RESOLVE, "fade", {"choice": "adopt"}), stop)
    assert [done for done, _ in answers] == [True, False] and "changing hands" in answers[1][1]
    desk.runner.turn()
    assert not desk.standing("dip").held_qty() and desk.runner.venue.positions(desk.standing("dip").id) == {}


def test_what_is_being_taken_over_is_flattened_when_it_is_there(desk: Operated) -> None:
    desk = beside_a_long_one(desk)
    held = desk.standing("dip").held_qty()
    answers = asked_together(desk, (Verb.RESOLVE, "fade", {"choice": "adopt"}), (Verb.FLATTEN, "fade", {}))
    assert [done for done, _ in answers] == [True, True] and "is taking a position over" in answers[1][1]
    desk.runner.turn()
    fade = desk.standing("fade")
    assert fade.held_qty() == held
    assert desk.run(lambda: not fade.held_qty())
    assert [one["qty"] for one in exits(desk, "fade")] == list(held.values())
    assert fade.status.value == "PAUSED" and whole(desk, "fade")


def test_no_bar_trades_while_a_position_is_between_two_hands(desk: Operated) -> None:
    """A stop of the one who gives would fill, and the other one would hold what nobody gave."""
    desk = beside_a_long_one(desk)
    sends_again = stays_unsent(desk)
    assert said(desk, Verb.RESOLVE, {"choice": "adopt"}, "fade")[0]
    passed = desk.standing("dip").deployed.passed_ns
    for _ in range(3):
        desk.clock.wait_until(desk.clock.now_ns() + 300 * 10**9)
        due = desk.runner.turn()
        assert due == desk.clock.now_ns() + LOOK_NS, "it comes back soon, and does not spin"
    assert desk.standing("dip").deployed.passed_ns == passed
    sends_again()
    desk.clock.wait_until(desk.clock.now_ns() + LOOK_NS)
    desk.runner.turn()
    assert desk.standing("dip").deployed.passed_ns > passed
    assert not desk.standing("dip").held_qty() and whole(desk, "dip") and whole(desk, "fade")


@pytest.mark.parametrize("what", ["elsewhere", "blind", "paused"])
def test_nothing_is_adopted_of_which_nobody_knows_whether_it_is_there(desk: Operated, what: str) -> None:
    desk = beside_a_long_one(desk)
    dip, venue = desk.standing("dip"), desk.runner.venue

    def positions(account: str) -> dict[str, float]:
        if what == "blind":
            raise Unknown("no answer")
        return {}  # its stop has filled, and nobody has told

    if what == "paused":
        dip.state, dip.note = "PAUSED_RECONCILE", "10 by our fills, 5 at the broker"
    else:
        venue.positions = positions  # type: ignore[method-assign]
    done, words = said(desk, Verb.RESOLVE, {"choice": "adopt"}, "fade")
    assert not done and "is not clear" in words and "Nothing was changed" in words
    assert dip.held_qty() and not desk.rows("POSITION_HANDED_OVER")


# --- news that contradict each other ----------------------------------------------------------------------------------


def test_an_exit_that_fills_beside_the_stop_ends_nobody_and_is_shown(desk: Operated) -> None:
    """One look at the broker tells of a stop that filled whole and of a part of the exit: more left than there was."""
    dip = desk.run_to_position()
    assert said(desk, Verb.FLATTEN)[0]
    kinds = {known.kind: known for known in dip.known.values()}
    stop, leaving, seq = kinds["stop"], kinds["open"], dip.counts["events"]
    ns = desk.clock.now_ns()
    told = [
        Event(seq + 1, stop.cid, "1", "FILL", "x1", ns, stop.qty, 900.0, 1.0),
        Event(seq + 2, leaving.cid, "2", "FILL", "x2", ns, 1.0, 900.0, 1.0),
        Event(seq + 3, leaving.cid, "2", "CANCELLED", ns=ns),
    ]
    venue = desk.runner.venue
    venue.events = lambda _, after: [one for one in told if one.seq > after]  # type: ignore[method-assign]
    desk.runner.hear()
    assert dip.state == "PAUSED_RECONCILE" and leaving.cid in dip.note
    assert desk.rows("RECONCILIATION_ACTION")[-1]["body"] == {"filled_when_closed": leaving.cid, "qty": 1.0}
    with desk.store.read() as connection:
        table = tables.fills
        kept = connection.execute(table.select().where(table.c.exec_id.in_(["x1", "x2"]))).all()
    assert {row.exec_id: row.qty for row in kept} == {"x1": stop.qty, "x2": 1.0}
    assert not dip.known and whole(desk)


def test_that_a_word_was_not_sent_says_nothing_of_the_one_before_it(desk: Operated) -> None:
    """An order that may be on its way is not given up because asking again failed."""
    venue, answers = desk.runner.venue, iter([Unknown("no answer"), NotSent("refused")])
    venue.send = lambda requests: [next(answers) for _ in requests]  # type: ignore[method-assign]
    dip = desk.run_to_entry()
    desk.clock.wait_until(desk.clock.now_ns() + LOOK_NS)
    desk.runner.executor.flush(desk.runner.standings)
    venue.send = lambda requests: [Answer(True, "1") for _ in requests]  # type: ignore[method-assign]
    with desk.store.read() as connection:
        state = connection.execute(tables.intents.select()).one().state
    assert state == IntentState.UNKNOWN.value
    assert said(desk, Verb.PAUSE)[0] and not desk.rows("ORDER_EXPIRED")
    assert dip.known, "it may fill yet"


@pytest.mark.parametrize("is_late", [True, False])
def test_a_part_that_is_told_when_its_bar_has_closed_is_not_left_for_another_bar(desk: Operated, is_late: bool) -> None:
    """What has not filled is taken back at once; in the bar in which it fills it may fill until the close."""
    dip = desk.run_to_entry()
    ((order, known),) = dip.known.items()
    venue = desk.runner.venue
    venue.events = lambda _, after: []  # type: ignore[method-assign]
    venue.reached = lambda bars, accounts: []  # type: ignore[method-assign]
    opened_ns = dip.deployed.passed_ns
    if is_late:
        desk.clock.wait_until(opened_ns + 300 * 10**9)
        desk.runner.turn()
        assert dip.deployed.passed_ns > opened_ns
    told = Event(dip.counts["events"] + 1, known.cid, "1", "FILL", "x1", opened_ns, 1.0, 900.0, 1.0)
    venue.events = lambda _, after: [told] if told.seq > after else []  # type: ignore[method-assign]
    desk.runner.hear()
    assert list(dip.parts) == [order] and (order in dip.cut) is is_late
    cuts = desk.rows("ORDER_REST_CANCELLED")
    assert [one["body"]["order"] for one in cuts] == ([order] if is_late else [])
    again = desk.start().standing()
    assert list(again.parts) == [order] and again.cut == dip.cut, "another process knows what was taken back"
