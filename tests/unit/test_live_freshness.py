"""A mute feed is noticed by the calendar, shown, told once, and opens nothing (design §3, D9)."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest

import workbench as wb
from tests.paper_run import LONG_NS, rows
from tests.turns import made, strategy
from workbench.journal import tables
from workbench.journal.store import Store
from workbench.journal.verify import faults
from workbench.live.assembly import assembled
from workbench.live.client import Client
from workbench.live.clock import VirtualClock
from workbench.live.deploy import Wish, deploy
from workbench.live.feed import ClosedBar
from workbench.live.feeds.replay import ReplayFeed
from workbench.live.freshness import LATE_NS, Freshness
from workbench.live.lease import Lease
from workbench.live.replay import find, replayed
from workbench.live.schedule import schedule_of
from workbench.market.calendar import resolve_calendar
from workbench.market.timeframe import Timeframe

BAR = 5 * 60 * 10**9
A, B = "NSE:INFY", "NSE:TCS"


def at(text: str) -> int:
    """An instant of the exchange's morning, nanoseconds."""
    return int(pd.Timestamp(f"2024-03-04 {text}", tz="Asia/Kolkata").value)


class Vouching:
    """A feed that says how far it is complete, and nothing else."""

    def __init__(self) -> None:
        self.through = 0

    def through_ns(self, instrument: str, timeframe: str) -> int:
        return self.through


class Muted(ReplayFeed):
    """Stored bars as they come from a wire: it vouches for nothing, and some instruments are mute for a while."""

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self.mute: dict[str, tuple[int, int]] = {}
        self._kept: list[ClosedBar] = []
        self._through: dict[str, int] = {}

    def take(self, now_ns: int) -> list[ClosedBar]:
        bars = [*self._kept, *super().take(now_ns)]
        held = [one for one in bars if self._is_mute(one, now_ns)]
        self._kept = [one for one in held if one.ts_ns + BAR > self.mute[one.instrument][1]]  # the others are lost
        given = [one for one in bars if one not in held]
        for one in given:
            self._through[one.instrument] = one.ts_ns + BAR
        return given

    def through_ns(self, instrument: str, timeframe: str) -> int:
        return self._through.get(instrument, 0)

    def _is_mute(self, one: ClosedBar, now_ns: int) -> bool:
        begin, end = self.mute.get(one.instrument, (0, 0))
        return begin < one.ts_ns + BAR <= end


class Desk:
    """A deployment of two instruments on such a feed."""

    def __init__(self, **changes: Any) -> None:
        closes = [95.0] * 6 + [101.0 + k % 2 for k in range(40)]
        data = {A: made(closes), B: made(closes)}
        self.store = Store.open(":memory:")
        wanted = strategy(instruments=(A, B), max_open_positions=2, **changes)
        self.ident = deploy(self.store, Wish(wanted, data, wb.costs.none(), 1e6, 0), 0)
        self.clock, self.feed = VirtualClock(at("09:15")), Muted(data)
        self.client = Client(self.store, clock=self.clock)
        self.start()

    def start(self) -> None:
        lease = Lease(self.store, "runner", "one", LONG_NS, self.clock.now_ns)
        assert lease.acquire()
        self.runner = assembled(self.store, self.clock, self.feed, lease)

    def run(self, until: str) -> None:
        """Turn after turn, as the runner says when to come back, up to an instant."""
        while True:
            due = self.runner.turn()
            assert due is not None
            if due > at(until):
                self.clock.wait_until(at(until))
                return
            self.clock.wait_until(due)

    def told(self) -> list[tuple[int, str, bool]]:
        """When, of what, and whether it began."""
        found = self.client.journal("s", "STALE_DATA", limit=100).to_dict("records")[::-1]
        return [(row["at"].value, row["body"]["instrument"], row["body"]["is_stale"]) for row in found]

    def entered(self) -> list[str]:
        return [row["instrument"] for row in rows(self.store, "orders", self.ident, "order_no") if row["side"] > 0]

    def is_whole(self) -> bool:
        with self.store.read() as connection:
            given = find(connection, "s", "local")
            return not faults(connection, given.id) and not replayed(connection, given).differences


def test_a_missing_bar_is_noticed_one_bar_and_five_seconds_after_its_close() -> None:
    feed = Vouching()
    fresh = Freshness(feed)  # type: ignore[arg-type]
    schedule = schedule_of(resolve_calendar("NSE"), Timeframe.parse("5m"))
    fresh.follow(A, schedule, 0, at("09:25"))  # known up to 09:30: 09:35 is expected
    assert not fresh.look(at("09:40") + LATE_NS - 1) and not fresh.stale
    assert fresh.next_ns(at("10:00")) == at("09:40") + LATE_NS
    assert fresh.look(at("09:40") + LATE_NS)
    assert fresh.stale == {(A, "5m"): at("09:30")}
    fresh.saw([ClosedBar(A, "5m", at("09:40"), 1.0, 1.0, 1.0, 1.0, 1.0)])
    assert fresh.look(at("09:45") + 1) and not fresh.stale
    assert fresh.look(at("10:00"))
    feed.through = at("10:00")
    assert fresh.look(at("10:00") + 1) and not fresh.stale, "the feed vouches for there being none"


def test_nothing_is_expected_over_night() -> None:
    fresh = Freshness(Vouching())  # type: ignore[arg-type]
    schedule = schedule_of(resolve_calendar("NSE"), Timeframe.parse("5m"))
    fresh.follow(A, schedule, 0, at("15:25"))
    tomorrow = at("09:20") + 24 * 3600 * 10**9
    assert not fresh.look(tomorrow + BAR + LATE_NS - 1)
    assert fresh.look(tomorrow + BAR + LATE_NS)


def test_a_mute_instrument_is_shown_and_told_once_and_the_next_bar_ends_it() -> None:
    desk = Desk()
    desk.feed.mute[A] = (at("09:45"), at("10:10"))
    desk.run("10:00")
    assert desk.told() == [(at("09:55") + LATE_NS, A, True)]
    status = desk.client.status("s")
    assert status["stale"] == "no bar of NSE:INFY since 2024-03-04 04:15Z" and status["is_evaluated"] is True
    line = desk.client.deployments().iloc[0]
    assert line["stale"] == status["stale"]
    desk.run("10:30")
    assert desk.told()[1:] == [(at("10:15"), A, False)]
    assert desk.client.status("s")["stale"] == "" and desk.is_whole()


def test_everything_mute_is_what_hinders_a_deployment() -> None:
    desk = Desk()
    desk.feed.mute |= {A: (at("09:45"), at("10:10")), B: (at("09:45"), at("10:10"))}
    desk.run("10:00")
    with desk.store.write() as connection:  # somebody runs it, by the wall's clock too
        connection.execute(tables.leases.update().values(expires_ns=2**62))
    assert desk.client.deployments().iloc[0]["hindrance"] == (
        "STALE_DATA: no bar of NSE:INFY since 2024-03-04 04:15Z; no bar of NSE:TCS since 2024-03-04 04:15Z"
    )
    desk.run("10:30")
    assert desk.client.deployments().iloc[0]["hindrance"] == ""


def test_a_restart_goes_on_with_what_is_missing_and_tells_nothing_twice() -> None:
    desk = Desk()
    desk.feed.mute[A] = (at("09:45"), at("10:30"))
    desk.run("10:00")
    desk.start()
    desk.run("10:10")
    assert len(desk.told()) == 1
    assert desk.client.status("s")["stale"] == "no bar of NSE:INFY since 2024-03-04 04:15Z"
    desk.run("10:50")
    assert [one[2] for one in desk.told()] == [True, False] and desk.is_whole()


def test_nothing_of_a_mute_instrument_is_entered_and_others_go_on() -> None:
    # A has the first ten minutes of a strategy bar, is mute for the rest of it, and would enter at its close.
    desk = Desk(timeframe="30m")
    desk.feed.mute[A] = (at("09:55"), at("10:25"))
    desk.run("11:30")
    evaluated = [row["body"] for row in desk.client.journal("s", "EVALUATED").to_dict("records")[::-1]]
    assert [body.get("stale") for body in evaluated][:2] == [None, [A]]
    decided = {one[0]: one[1] for one in evaluated[1]["decisions"]}
    assert decided == {A: "ENTRY_FALSE", B: "ENTRY_TRUE"}
    assert desk.entered() == [B, A], "A enters when its bars are there again"
    entries = [row["decided_ns"] for row in rows(desk.store, "orders", desk.ident, "order_no") if row["side"] > 0]
    assert entries == [at("10:15"), at("10:45")]
    assert desk.is_whole()


def test_an_entry_that_was_not_sent_is_refused_while_its_bars_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    standing, hand_over = desk.runner.standings[desk.ident], desk.runner._hand_over

    def mute_by_now(saids: Any, sends: bool = True) -> None:
        if any(said.intents for said in saids):
            standing.stale = {A: 1}
        hand_over(saids, sends)

    monkeypatch.setattr(desk.runner, "_hand_over", mute_by_now)
    desk.run("09:51")
    intents = [(row["instrument"], row["detail"]) for row in rows(desk.store, "intents", desk.ident, "number")]
    assert set(intents[:2]) == {(A, "STALE_DATA"), (B, "")}


def test_P1_a_gap_for_which_the_feed_vouches_is_no_missing_bar(tmp_path: pathlib.Path) -> None:
    bars = made([95.0] * 3 + [101.0] * 20)
    holes: Sequence[int] = range(6, 12)
    frame = bars.frame.drop(bars.frame.index[list(holes)])
    data = {A: wb.Bars(frame, "5m", "NSE")}
    with Store.open(tmp_path / "w.db") as store:
        deploy(store, Wish(strategy(), data, wb.costs.none(), 1e6, 0), 0)
        clock = VirtualClock(at("09:15"))
        lease = Lease(store, "runner", "one", LONG_NS, clock.now_ns)
        assert lease.acquire()
        runner = assembled(store, clock, ReplayFeed(data), lease)
        while clock.now_ns() < at("11:05"):
            clock.wait_until(runner.turn())
        client = Client(store, clock=clock)
        assert len(client.fills("s")) and not len(client.journal("s", "STALE_DATA"))


@pytest.mark.parametrize("timeframe", ["5m", "1d"])
def test_a_daily_bar_is_missing_a_session_and_five_seconds_later(timeframe: str) -> None:
    fresh = Freshness(Vouching())  # type: ignore[arg-type]
    schedule = schedule_of(resolve_calendar("NSE"), Timeframe.parse(timeframe))
    midnight = int(pd.Timestamp("2024-03-04", tz="UTC").value)
    fresh.follow(A, schedule, 0, midnight if timeframe == "1d" else at("15:25"))
    day = 24 * 3600 * 10**9
    expected = schedule.after(at("15:30"))
    assert expected is not None and expected.close_ns == (at("15:30") if timeframe == "1d" else at("09:20")) + day
    assert not fresh.look(2 * expected.close_ns - expected.open_ns + LATE_NS - 1)
    assert fresh.look(2 * expected.close_ns - expected.open_ns + LATE_NS)
