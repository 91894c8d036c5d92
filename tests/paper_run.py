"""Paper trading in a test: the real runner, the real SQL, virtual time; stopped and restarted where a test says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.costs import CostModel
from workbench.engine.fitting import common_grid
from workbench.journal.store import Store
from workbench.live.assembly import assembled
from workbench.live.clock import VirtualClock
from workbench.live.deploy import Wish, deploy
from workbench.live.feeds.replay import ReplayFeed
from workbench.live.lease import Lease
from workbench.live.runner import GRACE_NS, Runner
from workbench.live.starting import start_ns_of
from workbench.market.bars import Bars
from workbench.promotion.beside_backtest import compared
from workbench.promotion.beside_backtest import rows_of as rows
from workbench.promotion.on_paper import LONG_NS, RENEWED_NS
from workbench.strategy import Strategy

Stop = Callable[[int], bool]

__all__ = [
    "LONG_NS", "RENEWED_NS", "Stop", "deployed", "differences", "never", "paper_run", "passed", "rows", "started",
]  # fmt: skip


def never(_turn: int) -> bool:
    return False


def started(store: Store, data: Mapping[str, Bars], clock: VirtualClock, holder: str) -> Runner:
    """A runner that holds the lease."""
    lease = Lease(store, "runner", holder, LONG_NS, clock.now_ns)
    assert lease.acquire()
    return assembled(store, clock, ReplayFeed(data), lease)


def paper_run(
    store: Store, strategy: Strategy, data: Mapping[str, Bars], costs: CostModel, cash: float, stop: Stop = never,
    start: Any = None,
) -> str:  # fmt: skip
    """Deploy and run to the end of the data; ``stop`` says after which turns all but the database is forgotten.

    ``start`` is that of a backtest: without one decisions begin with the first bar.
    """
    ident = deployed(store, strategy, data, costs, cash, start)
    passed(store, data, stop)
    return ident


def deployed(
    store: Store, strategy: Strategy, data: Mapping[str, Bars], costs: CostModel, cash: float, start: Any = None,
    name: str = "",
) -> str:  # fmt: skip
    """Deploy before anything has passed; decisions begin as in a backtest."""
    since_ns = 0 if start is None else start_ns_of(start, common_grid(data))
    return deploy(store, Wish(strategy, data, costs, cash, since_ns, name=name), 0)


def passed(store: Store, data: Mapping[str, Bars], stop: Stop) -> None:
    """Let all bars pass through the runner of a database."""
    clock, turn = VirtualClock(0), 0
    clock.wait_until(min(int(one.ts_ns[0]) for one in data.values()))
    runner = started(store, data, clock, "one")
    last = max(int(one.grid.close_ns[-1]) for one in data.values())
    while True:
        if not runner.lease.lasts(RENEWED_NS):
            runner.lease.renew()
        due = runner.turn()
        turn += 1
        if due is None or due > last + GRACE_NS:
            return
        if stop(turn):
            clock = VirtualClock(clock.now_ns())
            runner = started(store, data, clock, "one")
        clock.wait_until(due)


def differences(store: Store, ident: str, result: Any) -> list[str]:
    """Everything in which a paper run differs from a backtest, as sentences; empty when it is the same to the bit."""
    return [f"{one.name}, {one.first}" for one in compared(store, ident, result) if one.first]
