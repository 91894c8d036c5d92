"""Flatten on request: exits by the same intents and executor, stops and targets until they fill, proof by replay."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.operated import Operated, folder
from workbench.brokers.port import Answer
from workbench.journal import tables
from workbench.journal.verify import faults
from workbench.live.asking import Verb, ask, asked
from workbench.live.replay import find, replayed

__all__ = ["folder"]


@pytest.fixture
def desk(folder: pathlib.Path) -> Operated:
    """One deployment, running."""
    operated = Operated(folder)
    operated.deploy()
    return operated.start()


def said(desk: Operated, verb: Verb, body: dict[str, Any] | None = None, name: str = "dip") -> tuple[bool, str]:
    """Ask and obey: whether it was done, and the words."""
    with desk.store.write() as connection:
        number = ask(connection, "local", desk.standing(name).id, verb, body or {}, desk.clock.now_ns())
    desk.obey()
    with desk.store.read() as connection:
        found = asked(connection, "local", number)
    assert found is not None and found.answer is not None
    return found.answer.is_done, found.answer.text


def whole(desk: Operated, name: str = "dip") -> bool:
    """Whether the journal is a chain, and the engine, run again from it, says the same."""
    with desk.store.read() as connection:
        given = find(connection, name, "local")
        assert replayed(connection, given).differences == []
        return not faults(connection, given.id)


def exits(desk: Operated, name: str = "dip") -> list[dict[str, Any]]:
    """Fills that a person asked for."""
    frame = desk.client.fills(name)
    return frame[frame["reason"] == "MANUAL_FLATTEN"].to_dict("records")


def test_X1_a_flatten_fills_at_the_open_after_it_was_asked_and_pauses(desk: Operated) -> None:
    standing = desk.run_to_position()
    protective = [known.cid for known in standing.known.values()]
    assert len(protective) == 2
    done, words = said(desk, Verb.FLATTEN, {"who": "asha", "why": "news"})
    assert done and "fill at the next open" in words and "It is paused" in words
    asked_ns = desk.clock.now_ns()
    assert {known.cid for known in standing.known.values()} > set(protective), "stop and target stay until then"
    desk.run(lambda: not standing.deployed.desk.account[0]["n_positions"])
    fill = exits(desk)[0]
    assert fill["ts"].value >= asked_ns and not standing.known
    row = desk.rows("FLATTEN_REQUESTED")[0]["body"]
    assert (row["who"], row["why"], row["instruments"]) == ("asha", "news", ["NSE:AAA"])
    assert desk.client.trades("dip")["exit_reason"].iloc[-1] == "MANUAL_FLATTEN"
    assert desk.client.status("dip")["status"] == "PAUSED"
    assert whole(desk)


def test_F8_a_stop_before_the_exit_fills_leaves_nothing_behind(desk: Operated) -> None:
    standing = desk.run_to_position()
    said(desk, Verb.FLATTEN)
    # The stop is moved to where the next bar must touch it before the exit's own bar opens.
    position = standing.deployed.desk.positions[0]
    order = int(position["stop_order"])
    broker = desk.runner.venue
    book = broker._accounts[standing.id]
    stop = book.under(standing.known[order].cid)[0]
    exit_order = next(number for number, known in standing.known.items() if known.kind == "open")
    resting = book.under(standing.known[exit_order].cid)[0]
    book.put(resting._replace(request=resting.request._replace(decided_ns=desk.clock.now_ns() + 3 * 300 * 10**9)))
    book.put(stop._replace(request=stop.request._replace(price=float(position["mark"]) * 2.0)))
    assert desk.run(lambda: not standing.deployed.desk.account[0]["n_positions"])
    assert [row["reason"] for row in desk.client.fills("dip").to_dict("records")][-1] in ("STOP_LOSS", "TRAILING_STOP")
    desk.run()
    assert not standing.known and not exits(desk) and whole(desk)


def test_after_a_flatten_nothing_is_entered_until_it_is_resumed(desk: Operated) -> None:
    standing = desk.run_to_position()
    said(desk, Verb.FLATTEN)
    entries = (desk.client.fills("dip")["reason"] == "ENTRY_SIGNAL").sum()
    desk.run()
    assert (desk.client.fills("dip")["reason"] == "ENTRY_SIGNAL").sum() == entries
    assert not standing.held_qty() and not standing.known
    assert not any(key.startswith("flatten") for key in standing.counts), "nothing is asked for any more"
    assert whole(desk)


@pytest.mark.parametrize("before", [Verb.PAUSE, Verb.KILL])
def test_exits_are_allowed_while_paused_and_killed(desk: Operated, before: Verb) -> None:
    standing = desk.run_to_position()
    said(desk, before, {"who": "asha", "why": "fat finger"})
    note = standing.note
    assert said(desk, Verb.FLATTEN)[0]
    assert before is Verb.KILL or standing.note == note, "why it was paused first stays written"
    assert desk.run(lambda: not standing.held_qty())
    assert len(exits(desk)) == 1 and whole(desk)


def test_a_flatten_takes_back_an_entry_that_has_not_filled(desk: Operated) -> None:
    standing = desk.run_to_entry()
    done, words = said(desk, Verb.FLATTEN)
    assert done and "Entries taken back: 1." in words
    desk.run()
    assert not len(desk.client.fills("dip")) and not standing.known
    assert desk.client.orders("dip")["status"].iloc[0] == "CANCELLED" and whole(desk)


def test_P3_an_entry_that_never_left_is_taken_back_and_replays(desk: Operated) -> None:
    """The entry is planned, and not sent, when a person asks."""
    standing = desk.standing()
    desk.runner.executor.flush = lambda _: None  # type: ignore[method-assign]
    assert desk.run(lambda: bool(standing.known))
    del desk.runner.executor.flush
    assert said(desk, Verb.FLATTEN)[0]
    desk.run()
    assert desk.rows("ORDER_EXPIRED")[0]["body"]["why"] == "PAUSED"
    assert not len(desk.client.fills("dip")) and whole(desk)


def test_D4_a_position_that_leaves_already_gets_no_second_exit(desk: Operated) -> None:
    standing = desk.run_to_position()
    assert said(desk, Verb.FLATTEN)[0] and said(desk, Verb.FLATTEN)[0]
    desk.run()
    assert (desk.client.orders("dip")["reason"] == "MANUAL_FLATTEN").sum() == 1
    assert not standing.held_qty() and whole(desk)


def test_nothing_to_flatten_changes_nothing(desk: Operated) -> None:
    done, words = said(desk, Verb.FLATTEN)
    assert not done and "holds nothing" in words
    assert not desk.rows("FLATTEN_REQUESTED") and desk.client.status("dip")["status"] == "RUNNING"


def refuse_exits(desk: Operated) -> Callable[[], None]:
    """Let the broker refuse exits until what is returned is called."""
    broker, sent = desk.runner.venue, desk.runner.venue.send

    def refuse(requests: Any) -> Any:
        refused = {one.cid for one in requests if one.reduces and one.kind == "open"}
        answers = iter(sent([one for one in requests if one.cid not in refused]))
        return [Answer(False, reason="no margin") if one.cid in refused else next(answers) for one in requests]

    broker.send = refuse  # type: ignore[method-assign]
    return lambda: setattr(broker, "send", sent)


def test_an_exit_that_a_broker_refuses_is_asked_for_again(desk: Operated) -> None:
    """A person asked to be flat: that stands until it is so, whatever becomes of one order."""
    standing = desk.run_to_position()
    takes_again = refuse_exits(desk)
    said(desk, Verb.FLATTEN)
    assert desk.rows("ORDER_REJECTED") and standing.held_qty()
    takes_again()
    assert desk.run(lambda: not standing.held_qty())
    requested = desk.rows("FLATTEN_REQUESTED")
    assert len(requested) == 2 and requested[1]["body"]["why"] == "asked for, and not flat yet"
    assert len(exits(desk)) == 1


def test_X1_a_close_that_passes_late_sends_no_exit_to_an_open_before_it_was_asked(desk: Operated) -> None:
    """Two bars have closed and have not passed when a person asks, and the first exit is refused."""
    standing = desk.run_to_position()
    desk.clock.wait_until(desk.clock.now_ns() + 2 * 300 * 10**9 + 60 * 10**9)
    asked_ns = desk.clock.now_ns()
    takes_again = refuse_exits(desk)
    assert said(desk, Verb.FLATTEN)[0]
    takes_again()
    assert desk.run(lambda: not standing.held_qty())
    assert all(row["instant"].value >= asked_ns for row in desk.rows("FLATTEN_REQUESTED"))
    assert all(one["ts"].value >= asked_ns for one in exits(desk)) and whole(desk)


def test_a_flatten_survives_the_end_of_the_runner(desk: Operated) -> None:
    desk.run_to_position()
    with desk.store.write() as connection:
        ask(connection, "local", desk.standing().id, Verb.FLATTEN, {}, desk.clock.now_ns())
    desk.runner.executor.flush = lambda _: None  # type: ignore[method-assign]  # it ends before a word is sent
    desk.obey()
    with desk.store.read() as connection:
        left = connection.execute(tables.intents.select().where(tables.intents.c.state == "PLANNED")).all()
    assert [row.reason for row in left] == ["MANUAL_FLATTEN"]
    desk.start()
    desk.run()
    assert len(exits(desk)) == 1 and not desk.standing().held_qty() and whole(desk)
