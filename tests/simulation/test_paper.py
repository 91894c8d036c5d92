"""The simulation on the product's own paper broker: its share, its yardstick, and that the yardstick can fail."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import pytest
import sqlalchemy as sa

import workbench as wb
from tests.paper_run import differences
from tests.simulation.exhaustive import Budget, count
from tests.simulation.faults import Dice, Plan
from tests.simulation.machine import Machine
from tests.simulation.person import Switch
from tests.simulation.run import CLASSES, is_on_paper, play, run, table
from tests.simulation.store import QuickStore
from tests.simulation.world import BAR_NS, CASH, NAMES, new_database, world
from workbench.brokers.port import Idempotency
from workbench.costs import simple
from workbench.journal.tables import leases
from workbench.live.killswitch import Kill
from workbench.live.replay import find

#: Worlds in which nobody deploys in the middle.
ALONE = [name for name in NAMES if not world(name).later]


class Quiet:
    """Nothing goes wrong; what was asked between parts."""

    def __init__(self) -> None:
        self.parts = 0

    def before_begin(self) -> None:
        """Nothing."""

    def before_commit(self, changed: bool) -> None:
        """Nothing."""

    def after_commit(self, changed: bool) -> None:
        """Nothing."""

    def between_parts(self) -> None:
        """Counted."""
        self.parts += 1


@pytest.fixture
def watch() -> Quiet:
    return Quiet()


@pytest.fixture
def store(watch: Quiet) -> QuickStore:
    driver = new_database()
    driver.deserialize(world("stops").image)  # type: ignore[attr-defined,unused-ignore]
    return QuickStore(driver, watch)


def put(store: QuickStore, *owners: str) -> None:
    """One transaction, or a part of one."""
    with store.write() as connection:
        for owner in owners:
            connection.exec_driver_sql("INSERT INTO leases VALUES (?, '', 0, 0)", (owner,))


def owners(store: QuickStore) -> list[Any]:
    with store.read() as connection:
        found: list[Any] = connection.execute(sa.select(leases.c.resource).order_by(leases.c.resource)).scalars().all()
    return found


def test_transactions_together_are_one(store: QuickStore, watch: Quiet) -> None:
    with store.together():
        put(store, "a")
        with store.together(), store.read() as connection:
            assert connection.execute(sa.select(leases.c.resource)).scalars().all() == ["a"]
            put(store, "b")
    assert owners(store) == ["a", "b"]
    assert watch.parts == 2
    put(store, "c")
    assert watch.parts == 2


def in_two_parts(store: QuickStore, *suppressed: type[Exception]) -> None:
    """A transaction whose second part fails."""
    with store.together():
        put(store, "a")
        with contextlib.suppress(*suppressed):
            put(store, "b", "b")


def test_of_transactions_together_all_are_undone(store: QuickStore) -> None:
    with pytest.raises(Exception, match="UNIQUE"):
        in_two_parts(store)
    assert owners(store) == []
    put(store, "c")
    assert owners(store) == ["c"]


def test_who_goes_on_after_a_part_has_failed_keeps_nothing(store: QuickStore) -> None:
    with pytest.raises(AssertionError, match="a part of the transaction failed"):
        in_two_parts(store, Exception)
    assert owners(store) == []


def test_a_kill_has_its_word_when_what_is_sent_is_kept() -> None:
    switch = Switch()
    with switch.sending():
        switch.kill(Kill("local", "", "me", "odd", 1))
        assert switch.is_down and not switch.is_said
    assert switch.is_said
    switch.arm("local", "", 1)
    assert not switch.is_said


@pytest.mark.parametrize("idempotency", CLASSES)
@pytest.mark.parametrize("name", ALONE)
def test_P1_without_a_fault_a_schedule_is_the_backtest(name: str, idempotency: Idempotency) -> None:
    """What schedules with faults are compared with is itself compared: with the engine, to the last bit."""
    driver, there = new_database(), world(name)
    bars = there.bars(random.Random(f"{name} {idempotency.value}"))
    machine = Machine(there, Dice(Plan(), random.Random(0), BAR_NS), idempotency, bars, driver, is_paper=True)
    machine.play()
    assert not machine.checker.found
    store: Any = QuickStore(driver, Quiet())
    for ident in there.idents:
        with store.read() as connection:
            strategy = find(connection, ident, "local").strategy
        data = {one: there.shown(one, bars[one]) for one in strategy.instruments}
        result = wb.backtest(strategy, data, CASH, simple.none(), start=there.began)
        assert differences(store, ident, result) == []


def test_every_fourth_seed_plays_the_paper_broker_and_half_of_these_are_compared() -> None:
    report = run(range(0, 240, 4))
    tallies = report.tallies.values()
    assert not report.failures
    assert sum(one.paper["schedules"] for one in tallies) == 60
    assert sum(one.paper["undisturbed"] for one in tallies) >= 20
    assert sum(one.paper["crash"] for one in tallies) >= 60
    assert all(one.paper["fills"] for one in tallies)
    assert "on the paper broker: 60 schedules" in table(report)
    assert "on the paper broker: 0 schedules" in table(run(range(1, 4)))


@pytest.mark.soak
def test_the_paper_broker_is_met_with_every_fault_that_it_can_meet() -> None:
    """Else the zeros say nothing of it."""
    driver = new_database()
    kinds, said = set[str](), ""
    for seed in filter(is_on_paper, range(400)):
        outcome = play(seed, driver)
        kinds |= set(outcome.faults)
        said += "\n".join(outcome.events)
    assert kinds >= {
        "crash", "busy", "full", "uncertain", "slow", "jump", "takeover", "kill", "pause", "stop", "flatten", "leaves",
        "bar_late", "bar_missing", "bar_twice", "bar_revised", "mute", "ahead",
    }  # fmt: skip
    for where in ("between parts", "inside a transaction", "before commit", "after commit", "after trade EXITS"):
        assert f"crashed {where}" in said


@pytest.mark.soak
@pytest.mark.parametrize(("idempotency", "schedules"), list(zip(CLASSES, (49, 51, 51), strict=True)))
def test_every_single_crash_on_the_paper_broker_leaves_no_trace(idempotency: Idempotency, schedules: int) -> None:
    assert count(idempotency, Budget(crashes=1, network=0, takeovers=0), "stops") == (schedules, [])


@pytest.mark.soak
@pytest.mark.parametrize("name", ["reversal", "slots"])
def test_every_single_crash_of_exits_and_what_waits_for_them_leaves_no_trace(name: str) -> None:
    counted = count(Idempotency.UNIQUE_FOREVER, Budget(crashes=1, network=0, takeovers=0), name)
    assert counted.schedules > 40
    assert not counted.failures


def test_every_takeover_on_the_paper_broker_is_played() -> None:
    counted = count(Idempotency.UNIQUE_FOREVER, Budget(0, 0, 1), "one")
    assert counted.schedules > 5
    assert not counted.failures
