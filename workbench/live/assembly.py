"""The runner put together from its parts; production, replay and simulation differ in what they hand in here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.brokers.paper import PaperBroker
from workbench.brokers.paper_accounts import Terms
from workbench.brokers.port import Idempotency
from workbench.engine.desk import config_record
from workbench.journal.store import Store
from workbench.live.ahead import AT_ONCE, Ahead
from workbench.live.aside import REASONS, reason, stand_aside
from workbench.live.clock import Clock
from workbench.live.feed import Feed
from workbench.live.gates import Gates
from workbench.live.given import Given
from workbench.live.intents import Intent
from workbench.live.killswitch import KillSwitch
from workbench.live.lease import Lease
from workbench.live.restore import bars_not_passed, given_deployments, open_intents, rates_of, restored
from workbench.live.runner import Runner
from workbench.live.standing import Standing

#: How long a runner holds the right to act without renewing it.
LEASE_NS = 10 * 10**9


def assembled(
    store: Store,
    clock: Clock,
    feed: Feed,
    lease: Lease,
    idempotency: Idempotency = Idempotency.UNIQUE_FOREVER,
    switch: KillSwitch | None = None,
    between: Callable[[], None] = lambda: None,
) -> Runner:
    """A runner with every deployment as it was left; the lease is held already, and is to be renewed in ``between``."""
    broker = PaperBroker(store, lease.fenced, clock.now_ns, idempotency)
    gates = Gates(clock.now_ns) if switch is None else Gates(clock.now_ns, switch.down, sending=switch.sending)
    runner = Runner(clock, lease, feed, broker, gates)
    with store.read() as connection:
        deployed, damaged = given_deployments(connection)
    for one in damaged:
        stand_aside(lease, one.id, one.why, clock.now_ns())
    ahead = Ahead()
    for at in range(0, len(deployed), AT_ONCE):
        some = deployed[at : at + AT_ONCE]
        with store.read() as connection:
            ahead.look(connection, [one.id for one in some])
            broker.look(connection, [one.account for one in some])
        for given in some:
            join(store, runner, given, ahead)
            between()
    return runner


def join(store: Store, runner: Runner, given: Given, ahead: Ahead | None = None) -> str:
    """Take one deployment on as the database has it, with what was still to be said; its bars go to the inbox.

    One that cannot be put together stands aside alone; then the reason is handed back. ``ahead`` has what was read with
    that of others.
    """
    try:
        _joined(store, runner, given, ahead or Ahead())
    except REASONS as error:
        if given.id in runner.standings:
            runner.drop(given.id)
        stand_aside(runner.lease, given.id, reason(error), runner.clock.now_ns())
        return reason(error)
    return ""


def _joined(store: Store, runner: Runner, given: Given, ahead: Ahead) -> None:
    assert isinstance(runner.venue, PaperBroker), "only the embedded broker opens accounts"
    with store.read() as connection:
        standing = restored(connection, given, ahead)
        intents = open_intents(connection, standing, runner.venue, ahead)
    see_stored(store, runner, given, standing.deployed.passed_ns, ahead)
    take_on(runner, runner.venue, standing, intents)


def see_stored(store: Store, runner: Runner, given: Given, passed_ns: int, ahead: Ahead | None = None) -> None:
    """Put what is stored of a deployment's instruments after an instant into the inbox: there it was first (B5)."""
    with store.read() as connection:
        used, late = bars_not_passed(connection, given, passed_ns, ahead)
    runner.inbox.leave_out(late)
    runner.inbox.take(used, stored=True)


def take_on(runner: Runner, broker: PaperBroker, standing: Standing, intents: Sequence[Intent]) -> None:
    """Add one deployment, with its account at the paper broker and what was still to be said."""
    given = standing.deployed.given
    terms = Terms(config_record(given.strategy, given.costs.slippage_frac), rates_of(given))
    broker.open_account(given.account, terms)
    runner.add(standing)
    runner.executor.plan(intents)
