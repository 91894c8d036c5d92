"""STOP and the broker's last word: nobody is let go while something may still be told (design §3, steps 4 to 6)."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

import pytest

from tests.operated import Operated, folder
from tests.watched import Watched, watched
from workbench.brokers.port import Answer, Event, Phase, Request, TradedBar
from workbench.errors import ConfigError, HaltError
from workbench.journal import tables
from workbench.journal.verify import faults
from workbench.live.arrivals import still_leaving
from workbench.live.assembly import join
from workbench.live.commands import Commands, Obeyed
from workbench.live.doubts import DOUBT_NS
from workbench.live.executor import Executor
from workbench.live.exit_codes import Exit
from workbench.live.replay import find, replayed
from workbench.live.standing import Standing, Status

__all__ = ["folder", "watched"]


class Late:
    """A broker at which the entry fills just before its CANCEL arrives, and which tells of it when it is let."""

    def __init__(self, desk: Operated) -> None:
        self.desk, self.venue, self.tells = desk, desk.runner.venue, True
        self._send, self._events = self.venue.send, self.venue.events
        self.venue.send, self.venue.events = self.send, self.events  # type: ignore[method-assign]

    def send(self, requests: Sequence[Request]) -> Sequence[Answer | Exception]:
        for one in requests:
            if one.action == "CANCEL":
                self._fill(one)
        return self._send(requests)

    def events(self, account: str, after_seq: int) -> Sequence[Event]:
        return self._events(account, after_seq) if self.tells else []

    def _fill(self, one: Request) -> None:
        bar = next_bar(self.desk, self.desk.runner.standings[one.account], 1000.0, 1001.0, 999.0)
        self.venue.trade(Phase.ENTRIES, {one.instrument: bar}, [one.account])


def next_bar(desk: Operated, standing: Standing, *prices: float) -> TradedBar:
    """The bar after the last one that a deployment passed, at an open, high and low."""
    (group,) = desk.runner.groups.values()
    coming = group.schedule.after(standing.deployed.passed_ns)
    assert coming is not None
    return TradedBar(coming.open_ns, coming.close_ns, coming.day, *prices)


@pytest.fixture
def desk(folder: pathlib.Path) -> Operated:
    """One deployment whose entry works at the broker."""
    operated = Operated(folder)
    operated.deploy()
    operated.start()
    operated.run_to_entry()
    return operated


def stop(desk: Operated, keep: bool = False) -> str:
    """Ask for a STOP and obey it: the answer."""
    desk.client.stop("dip", "done for today", keep=keep, wait_s=0)
    (obeyed,) = desk.obey()
    return obeyed.answer.text


def state(desk: Operated) -> tuple[str, str]:
    status = desk.client.status("dip")
    return status["status"], status["runtime_state"]


def filled(desk: Operated) -> float:
    frame = desk.client.fills("dip")
    return float(frame["qty"].where(frame["side"] == "BUY", -frame["qty"]).sum())


def held(desk: Operated, ident: str) -> float:
    return desk.runner.venue.positions(ident).get("NSE:AAA", 0.0)


def is_whole(desk: Operated) -> bool:
    with desk.store.read() as connection:
        given = find(connection, "dip", "local")
        return not faults(connection, given.id) and not replayed(connection, given).differences


def test_a_fill_between_the_answer_and_the_cancel_of_a_stop_is_kept_and_shown(desk: Operated) -> None:
    standing, lines = desk.standing(), list[str]()
    Late(desk)
    desk.commands._leaving._say = lines.append
    stop(desk)
    assert held(desk, standing.id) > 0.0
    assert filled(desk) == held(desk, standing.id)
    assert state(desk) == ("STOPPED", "UNMANAGED_POSITION")
    line = desk.client.deployments().iloc[0]
    assert "Nobody manages that and nothing protects it: close it at the broker" in line["hindrance"]
    assert not line["is_evaluated"] and "close it at the broker" in lines[0]
    assert desk.rows("RECONCILIATION_ACTION")[-1]["body"] == {"unmanaged": {"NSE:AAA": filled(desk)}}
    assert standing.id not in desk.runner.standings and is_whole(desk)


def test_a_stop_waits_for_a_fill_that_is_told_late(desk: Operated) -> None:
    standing = desk.standing()
    broker = Late(desk)
    broker.tells = False
    stop(desk)
    assert state(desk) == ("STOPPED", "STOPPING")
    assert filled(desk) == 0.0 != held(desk, standing.id)
    desk.clock.wait_until(desk.clock.now_ns() + DOUBT_NS)
    desk.obey()
    assert state(desk) == ("STOPPED", "PAUSED_RECONCILE")
    assert "still listens" in desk.client.deployments().iloc[0]["hindrance"]
    rows = len(desk.rows())
    desk.obey()
    assert len(desk.rows()) == rows, "one difference is told once"
    broker.tells = True
    desk.obey()
    assert filled(desk) == held(desk, standing.id)
    assert state(desk) == ("STOPPED", "UNMANAGED_POSITION")
    assert standing.id not in desk.runner.standings and is_whole(desk)


def test_a_stop_waits_for_a_late_fill_across_a_restart(desk: Operated) -> None:
    broker = Late(desk)
    broker.tells = False
    stop(desk)
    with desk.store.read() as connection:
        (left,), _ = still_leaving(connection)
    desk.start()
    join(desk.store, desk.runner, left)
    desk.run()
    assert not desk.client.status("dip")["n_trades"] and len(desk.client.orders("dip")) == 1
    desk.obey()
    assert filled(desk) == held(desk, left.id) > 0.0
    assert state(desk) == ("STOPPED", "UNMANAGED_POSITION")
    with desk.store.read() as connection:
        assert still_leaving(connection) == ([], [])
    assert is_whole(desk)


def test_nothing_is_entered_or_protected_for_what_was_stopped(desk: Operated) -> None:
    Late(desk)
    stop(desk)
    desk.run()
    assert set(desk.client.orders("dip")["reason"]) == {"ENTRY_SIGNAL"}
    with desk.store.read() as connection:
        sent = connection.execute(tables.intents.select()).all()
    assert [row.action for row in sent] == ["SUBMIT", "CANCEL"]


def test_a_person_ends_the_wait_for_a_difference_that_lasts(desk: Operated) -> None:
    standing = desk.standing()
    broker = Late(desk)
    broker.tells = False
    stop(desk)
    desk.clock.wait_until(desk.clock.now_ns() + DOUBT_NS)
    desk.obey()
    assert "say that what is there is kept: --keep" in stop(desk)
    assert standing.id in desk.runner.standings
    assert stop(desk, keep=True).startswith("dip is let go. What is at the broker is managed by nobody: stopped, and")
    assert standing.id not in desk.runner.standings
    assert "still listens" in desk.rows("RECONCILIATION_ACTION")[-1]["body"]["acknowledged"]
    assert state(desk) == ("STOPPED", "FLAT")
    with pytest.raises(ConfigError, match="dip is stopped, for good"):
        desk.client.stop("dip", keep=True)
    with desk.store.read() as connection:
        assert still_leaving(connection) == ([], [])
    assert is_whole(desk)


def test_a_stop_at_which_nothing_filled_goes_at_once(desk: Operated) -> None:
    standing = desk.standing()
    stop(desk)
    assert state(desk) == ("STOPPED", "FLAT")
    assert standing.id not in desk.runner.standings and is_whole(desk)


def test_a_stop_that_keeps_books_what_its_orders_do_until_it_is_let_go(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    desk.deploy()
    desk.start()
    standing = desk.run_to_position()
    venue, level = desk.runner.venue, float(standing.deployed.desk.positions[0]["stop"])
    positions = venue.positions

    def stopped_out(account: str) -> dict[str, float]:
        """The stop fills in the moment before it is asked what is held."""
        if standing.status is Status.STOPPED:
            bar = next_bar(desk, standing, level, level, level - 1.0)
            venue.trade(Phase.PROTECTIVE, {"NSE:AAA": bar}, [account])
        return positions(account)

    venue.positions = stopped_out  # type: ignore[method-assign]
    stop(desk, keep=True)
    assert filled(desk) != 0.0 == held(desk, standing.id)
    desk.obey()
    assert filled(desk) == 0.0 == held(desk, standing.id)
    assert list(desk.client.trades("dip")["exit_reason"])[-1] == "STOP_LOSS"
    assert state(desk) == ("STOPPED", "FLAT") and is_whole(desk)


def test_what_a_stop_had_to_cancel_is_cancelled_by_the_next_process(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    obey = Commands.obey

    def obey_and_crash(self: Commands, now_ns: int) -> list[Obeyed]:
        """Obey, and end before a word of it reaches the broker."""
        with monkeypatch.context() as silent:
            silent.setattr(Executor, "flush", lambda *_: None)
            if obey(self, now_ns):
                raise HaltError("crash")
        return []

    def stop() -> None:
        if watched.client.status("dip")["position"]:
            watched.client.stop("dip", keep=True, keep_protective=False, wait_s=0)
        else:
            watched.on_take[watched.takes + 1] = stop

    watched.on_take[1] = stop
    with monkeypatch.context() as crashing:
        crashing.setattr(Commands, "obey", obey_and_crash)
        assert watched.serve() == Exit.LOOK
    assert {one["action"] for one in watched.client.status("dip")["intents"]} == {"CANCEL"}
    watched.on_take.clear()
    watched.deploy("second")
    assert watched.serve() == Exit.DONE
    assert not watched.client.status("dip")["intents"]
    with watched.client.store.read() as connection:
        ident = connection.execute(tables.deployments.select().where(tables.deployments.c.name == "dip")).one().id
        book = tables.paper_orders
        assert connection.execute(book.select().where(book.c.account == ident, book.c.works)).all() == []
