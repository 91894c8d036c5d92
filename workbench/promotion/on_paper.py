"""The held-out bars through the real runner and the paper broker, in virtual time, into a database of their own.

Nothing here decides anything: the runner is put together as in production, with another clock and a feed of stored
bars. Only commits are fewer, many turns share one, for nobody's money depends on a power cut here.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from workbench.costs import CostModel
from workbench.engine.fitting import common_grid
from workbench.journal.store import Store
from workbench.live.assembly import LEASE_NS, assembled
from workbench.live.clock import VirtualClock
from workbench.live.deploy import Wish, deploy
from workbench.live.feeds.replay import ReplayFeed
from workbench.live.lease import Lease
from workbench.live.runner import GRACE_NS, Runner
from workbench.live.starting import start_ns_of
from workbench.market.bars import Bars
from workbench.strategy import Strategy

#: Virtual time leaps over nights and holidays; a lease of the real length would end at each of them.
LONG_NS = LEASE_NS * 10**6
RENEWED_NS = LONG_NS // 2

#: Turns that share a commit.
TURNS = 250


@contextmanager
def traded_on_paper(
    path: pathlib.Path,
    strategy: Strategy,
    data: Mapping[str, Bars],
    costs: CostModel,
    initial_cash: float,
    start: str,
) -> Iterator[tuple[Store, str]]:
    """Deploy a strategy and let the bars from ``start`` on pass through a runner.

    Parameters
    ----------
    path : Path
        Of the database, which is made.
    strategy, data, costs, initial_cash
        As for a backtest; bars before ``start`` are the stored history.
    start : str
        Date of the first session that is traded.

    Yields
    ------
    (Store, str)
        The open database, and the id of the deployment.
    """
    begin_ns = start_ns_of(start, common_grid(data))
    with Store.open(path) as store:
        ident = deploy(store, Wish(strategy, data, costs, initial_cash, begin_ns), begin_ns)
        coming = {name: item.between(start, None) for name, item in data.items() if item.ts_ns[-1] >= begin_ns}
        clock = VirtualClock(0)
        clock.wait_until(begin_ns)
        lease = Lease(store, "runner", "promotion", LONG_NS, clock.now_ns)
        assert lease.acquire(), "the database is ours alone"
        runner = assembled(store, clock, ReplayFeed(coming), lease)
        last_ns = max(int(item.grid.close_ns[-1]) for item in coming.values())
        while _turns(store, runner, clock, last_ns + GRACE_NS):
            pass
        yield store, ident


def _turns(store: Store, runner: Runner, clock: VirtualClock, until_ns: int) -> bool:
    """Some turns in one commit; whether there are more."""
    with store.together():
        if not runner.lease.lasts(RENEWED_NS):
            runner.lease.renew()
        for _ in range(TURNS):
            due = runner.turn()
            if due is None or due > until_ns:
                return False
            clock.wait_until(due)
    return True
