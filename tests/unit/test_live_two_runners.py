"""Two runners on one database: who was taken over writes nothing, sends nothing, and has no paper broker any more."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.operated import Operated, folder
from workbench.errors import Fenced, RetryableError
from workbench.journal import tables
from workbench.journal.store import Store
from workbench.live.assembly import LEASE_NS, assembled
from workbench.live.facts import RUNNER
from workbench.live.feeds.replay import ReplayFeed
from workbench.live.lease import Lease
from workbench.live.runner import Runner

__all__ = ["folder"]

BOOK = (tables.paper_orders, tables.paper_accounts, tables.paper_events)


@pytest.fixture
def desk(folder: pathlib.Path) -> Operated:
    """One deployment, run by the first runner."""
    operated = Operated(folder)
    operated.deploy()
    return operated.start()


def taken_over(desk: Operated) -> Runner:
    """A second runner, which has the lease from now on."""
    with desk.store.write() as connection:
        connection.execute(tables.leases.update().values(expires_ns=0))
    lease = Lease(desk.store, RUNNER, "second", LEASE_NS * 10**6, desk.clock.now_ns)
    assert lease.acquire()
    return assembled(desk.store, desk.clock, ReplayFeed(desk.data), lease)


def book(desk: Operated) -> list[Any]:
    with desk.store.read() as connection:
        return [connection.execute(one.select()).all() for one in BOOK]


def just_before(desk: Operated, call: str) -> tuple[list[Runner], list[Any]]:
    """Let the second runner take over in the moment before the transaction in which the first one calls its broker.

    Inside of it nobody can. The second runner, and the book then.
    """
    others, books, lease = list[Runner](), list[Any](), desk.runner.lease
    before = lease.together

    def together() -> Any:
        account = desk.runner.venue._accounts[desk.standing().id]  # type: ignore[attr-defined]
        if not others and bool(account.working) == (call == "trade"):
            others.append(taken_over(desk))
            books.extend(book(desk))
        return before()

    lease.together = together  # type: ignore[method-assign]
    return others, books


def turns(desk: Operated, runner: Runner, until: Callable[[], bool]) -> None:
    """Turn after turn, until something is so."""
    for _ in range(200):
        due = runner.turn()
        if until():
            return
        assert due is not None
        desk.clock.wait_until(due)
    raise AssertionError("it was never so")


@pytest.mark.parametrize("call", ["send", "trade"])
def test_the_paper_broker_of_a_runner_that_was_taken_over_takes_and_fills_nothing(desk: Operated, call: str) -> None:
    others, there = just_before(desk, call)
    with pytest.raises(Fenced):
        desk.run()
    assert others and book(desk) == there
    (second,) = others
    turns(desk, second, lambda: len(desk.client.fills("dip")) > 0)
    with desk.store.read() as connection:
        told = [row.content for row in connection.execute(tables.paper_events.select()) if '"FILL"' in row.content]
        placed = connection.execute(tables.paper_orders.select()).all()
    assert len(told) == len(desk.client.fills("dip")) == 1
    assert [row.cid for row in placed] == list(desk.client.orders("dip")["order_id"])


@pytest.mark.parametrize("call", ["send", "trade"])
def test_nobody_takes_over_while_the_paper_broker_is_called(desk: Operated, call: str) -> None:
    assert desk.store.path is not None
    called, before = list[str](), getattr(desk.runner.venue, call)
    with Store.open(desk.store.path, wait_s=0.01) as elsewhere:
        lease = Lease(elsewhere, RUNNER, "second", LEASE_NS, lambda: 2**62)

        def calls(*given: Any) -> Any:
            with pytest.raises(RetryableError):
                lease.acquire()
            called.append(call)
            return before(*given)

        setattr(desk.runner.venue, call, calls)
        desk.run()
    assert called
    assert len(desk.client.trades("dip")) > 1


def test_two_runners_on_one_database_trade_what_one_would(desk: Operated, folder: pathlib.Path) -> None:
    just_before(desk, "trade")
    with pytest.raises(Fenced):
        desk.run()
    desk.runner = taken_over(desk)
    desk.run()
    alone = folder / "alone"
    alone.mkdir()
    other = Operated(alone)
    other.deploy()
    other.start().run()
    assert len(other.client.trades("dip")) > 1
    assert desk.client.trades("dip").equals(other.client.trades("dip"))
    assert desk.client.equity("dip").equals(other.client.equity("dip"))
