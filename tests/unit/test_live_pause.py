"""PAUSE at the worst moments: it takes away signals and new entries, and never what protects (design §3, X2, D4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.paper_run import rows
from tests.turns import MINUTE, Desk, made
from workbench.brokers.port import Answer, Request, Unknown
from workbench.journal import tables
from workbench.live.asking import Verb, ask
from workbench.live.commands import Commands
from workbench.live.executor import VISIBLE_NS, Executor
from workbench.live.killswitch import KillSwitch
from workbench.live.places import places_of
from workbench.live.standing import Status


def pause(desk: Desk) -> str:
    """Ask for a pause as a client does, and obey as the process does between two turns; what was answered."""
    with desk.store.write() as connection:
        ask(connection, "local", desk.ident, Verb.PAUSE, {"who": "asha"}, desk.clock.now_ns())
    switch = KillSwitch(places_of(desk.store).flag)
    (obeyed,) = Commands(desk.store, desk.runner, switch).obey(desk.clock.now_ns())
    assert obeyed.answer.is_done and desk.standing.status is Status.PAUSED
    return obeyed.answer.text


def turns_until(desk: Desk, so: Callable[[], bool], most: int = 100) -> None:
    """Turn after turn until something is so."""
    for _ in range(most):
        if so():
            return
        desk.turns(1)
    raise AssertionError("it never was")


def decided(desk: Desk, reason: str) -> bool:
    """Whether an order of a reason was meant."""
    return any(row["reason"] == reason for row in rows(desk.store, "intents", desk.ident, "number"))


def sent(desk: Desk) -> list[tuple[str, str]]:
    """Orders that the broker has taken: reason and client id."""
    by_cid = {row["cid"]: row["reason"] for row in rows(desk.store, "orders", desk.ident, "order_no")}
    with desk.store.read() as connection:
        taken = connection.execute(tables.paper_orders.select().order_by(tables.paper_orders.c.place)).all()
    return [(by_cid[row.cid], row.cid) for row in taken]


class Silent:
    """A wire that says nothing to one request, which arrives or does not."""

    def __init__(self, desk: Desk, arrives: bool, which: Callable[[Request], bool]) -> None:
        self._broker, self._arrives, self._which = desk.runner.venue, arrives, which
        self.words = 0
        self.is_silent = True

    def send(self, requests: Sequence[Request]) -> list[Answer | Exception]:
        """Each request on its own; the one meant is answered by silence."""
        out: list[Answer | Exception] = []
        for one in requests:
            meant = self._which(one)
            self.words += meant
            if meant and self.is_silent:
                if self._arrives:
                    self._broker.send([one])
                out.append(Unknown("no answer"))
            else:
                out += self._broker.send([one])
        return out

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)


def silenced(desk: Desk, arrives: bool, which: Callable[[Request], bool]) -> Silent:
    """Put a silent wire before the broker."""
    desk.runner.executor._broker = wire = Silent(desk, arrives, which)  # type: ignore[assignment]
    return wire


# --- while a bar is decided -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "bars", "changes"),
    [
        ("EXIT_SIGNAL", [101.0] * 5 + [80.0] * 5, {}),
        ("FORCED_FLATTEN", [101.0] * 75, {"product": "MIS"}),
        ("MAX_HOLDING", [101.0] * 20, {"max_holding_bars": 5}),
    ],
)
def test_X2_an_exit_that_was_decided_when_the_pause_came_is_sent(
    monkeypatch: pytest.MonkeyPatch, reason: str, bars: list[float], changes: dict[str, Any]
) -> None:
    desk = Desk(made(bars), **changes)
    turns_until(desk, lambda: bool(desk.fills()))
    with monkeypatch.context() as silent:
        # The process ends between the commit of what was decided and the wire; another one starts, and is paused first.
        flush = Executor.flush

        def flush_before_it_was_decided(self: Executor, standings: Any) -> None:
            if not decided(desk, reason):
                flush(self, standings)

        silent.setattr(Executor, "flush", flush_before_it_was_decided)
        due = desk.runner.turn()
        while not decided(desk, reason):
            desk.clock.wait_until(due)
            due = desk.runner.turn()
    assert reason not in [one for one, _ in sent(desk)]
    desk.restart()
    assert "the exit of NSE:INFY that is at the broker" in pause(desk)
    assert reason in [one for one, _ in sent(desk)]
    desk.turns(3)
    assert desk.fills()[-1][0] == -1 and desk.fills()[-1][2] == reason
    assert desk.standing.deployed.desk.account[0]["n_positions"] == 0
    assert desk.replays()


def test_a_pause_between_two_signals_takes_the_second_and_a_resume_gives_it_back() -> None:
    desk = Desk(made([95.0] * 2 + [101.0] * 4 + [85.0] * 8))
    turns_until(desk, lambda: bool(desk.fills()))
    pause(desk)
    desk.turns(6)
    assert [side for side, _, _ in desk.fills()] == [1]
    desk.standing.status = Status.RUNNING
    desk.turns(3)
    assert desk.fills()[-1][::2] == (-1, "EXIT_SIGNAL")
    assert desk.replays()


# --- before the forced flatten ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [1, 6])
def test_X2_a_pause_just_before_the_forced_flatten_does_not_hold_it_up(minutes: int) -> None:
    desk = Desk(made([101.0] * 75), product="MIS")
    day = desk.standing.deployed.given.calendar.table(0, 2**15)
    close_ns = int(day.close_ns[day.date == desk.clock.now_ns() // 86_400_000_000_000][0])
    flatten_ns = close_ns - 5 * MINUTE
    turns_until(desk, lambda: desk.clock.now_ns() >= flatten_ns - minutes * MINUTE)
    assert not decided(desk, "FORCED_FLATTEN") and desk.standing.deployed.desk.account[0]["n_positions"] == 1
    assert "the forced flatten" in pause(desk)
    desk.turns(4)
    assert desk.fills()[-1] == (-1, 101.0, "FORCED_FLATTEN")
    assert desk.replays()


# --- while an order is on the wire ------------------------------------------------------------------------------------


def test_an_entry_that_arrived_in_silence_is_taken_on_and_protected_while_paused() -> None:
    closes = [95.0] * 2 + [101.0] * 6 + [95.0] * 4
    desk = Desk(made(closes), stop_loss_frac=0.02)
    wire = silenced(desk, True, lambda one: one.opens)
    turns_until(desk, lambda: bool(wire.words))
    assert "may still fill" in pause(desk)
    desk.turns(3)
    assert desk.fills() == [(1, 101.0, "ENTRY_SIGNAL")]
    assert ("STOP_LOSS" in [one for one, _ in sent(desk)]) and wire.words == 1
    desk.turns(7)
    assert desk.fills()[1:] == [(-1, 98.95, "STOP_LOSS")]
    assert desk.replays()


def test_an_entry_that_was_lost_in_silence_is_not_sent_again_while_paused() -> None:
    desk = Desk(made([95.0] * 2 + [101.0] * 8))
    wire = silenced(desk, False, lambda one: one.opens)
    turns_until(desk, lambda: bool(wire.words))
    pause(desk)
    wire.is_silent = False
    desk.turns(3)
    assert (wire.words, sent(desk), desk.fills()) == (1, [], [])
    desk.clock.wait_until(desk.clock.now_ns() + VISIBLE_NS)
    desk.turns(2)
    assert desk.standing.state == "PAUSED_UNKNOWN_ORDER" and (wire.words, sent(desk)) == (1, [])
    assert desk.replays()


@pytest.mark.parametrize("arrives", [True, False])
def test_what_protects_is_sent_again_out_of_silence_while_paused(arrives: bool) -> None:
    desk = Desk(made([95.0] * 2 + [101.0] * 6 + [95.0] * 4), stop_loss_frac=0.02)
    wire = silenced(desk, arrives, lambda one: one.kind == "stop" and one.action == "SUBMIT")
    turns_until(desk, lambda: bool(wire.words))
    pause(desk)
    wire.is_silent = False
    desk.turns(9)
    assert [reason for reason, _ in sent(desk)].count("STOP_LOSS") == 1
    assert desk.fills()[1:] == [(-1, 98.95, "STOP_LOSS")]
    assert desk.replays()


def test_F6_a_trailing_stop_goes_on_moving_while_paused() -> None:
    desk = Desk(made([95.0] * 2 + [101.0] * 3 + [110.0] * 4 + [100.0] * 3), trailing_stop_frac=0.05)
    turns_until(desk, lambda: bool(desk.fills()))
    pause(desk)
    before = desk.standing.deployed.desk.positions[0].copy()
    desk.turns(4)
    assert [body["price"] for body in desk.bodies("PROTECTIVE_MOVED")][-1] > float(before["entry_price"])
    desk.turns(5)
    assert desk.fills()[-1][::2] == (-1, "TRAILING_STOP")
    assert desk.replays()
