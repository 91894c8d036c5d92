"""A made-up morning before a runner may act: every kernel that it will call is compiled, or loaded, when it is over.

Kernels compile when they are first called, for minutes on a machine that has none. A lease lasts for seconds, so that
who compiles while it holds one keeps everybody else from acting and then cannot act itself. What is rehearsed is the
runner that will run, on a database in memory, with the broker that will be there.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import cache

from workbench.costs import bps
from workbench.journal.store import Store
from workbench.live.assembly import LEASE_NS, assembled
from workbench.live.clock import VirtualClock
from workbench.live.deploy import Wish, deploy
from workbench.live.deployed import Deployed
from workbench.live.feeds.replay import ReplayFeed
from workbench.live.lease import Lease
from workbench.market import samples
from workbench.strategy import Strategy
from workbench.tolerance import equal, less_equal

_NAME, _BEGIN, _END = "NSE:SAMPLE", "2023-01-02", "2023-01-03"
#: Of virtual time: long enough for entries, exits, a stop and a target.
_HOURS_NS = 3 * 3600 * 10**9


def rehearse(say: Callable[[str], None]) -> None:
    """Play the morning, once a process.

    Parameters
    ----------
    say : callable
        Told when it takes so long that the kernels are being compiled.
    """
    with _told_of_a_wait(say):
        _play()


@contextlib.contextmanager
def _told_of_a_wait(say: Callable[[str], None]) -> Iterator[None]:
    told = "compiles its kernels, which takes some minutes on a new machine, once; nothing is evaluated before."
    timer = threading.Timer(LEASE_NS / 1e9, say, [told])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@cache
def _play() -> None:
    bars = samples.synthetic(seed=1, start=_BEGIN, end=_END)
    with Store.open(":memory:") as store:
        ident = deploy(store, Wish(_strategy(), {_NAME: bars}, bps(1.0, 1.0), 1e6, 0), 0)
        clock = VirtualClock(int(bars.ts_ns[0]))
        lease = Lease(store, "rehearsal", "rehearsal", 2 * _HOURS_NS, clock.now_ns)
        lease.acquire()
        runner = assembled(store, clock, ReplayFeed({_NAME: bars}), lease)
        until = clock.now_ns() + _HOURS_NS
        while clock.now_ns() < until:
            clock.wait_until(runner.turn())
        _seldom(runner.standings[ident].deployed)


def _strategy() -> Strategy:
    """One that uses all that a runner hands to kernels: a coarser timeframe, an ATR, a rank, both directions."""
    return Strategy(
        name="rehearsal",
        version="1.0.0",
        instruments=(_NAME,),
        timeframe="15m",
        calendar="NSE",
        product="MIS",
        direction="BOTH",
        entry="close > SMA(close, 2, '30m')",
        exit="close < SMA(close, 2)",
        short_entry="close < SMA(close, 2)",
        short_exit="close > SMA(close, 2)",
        stop_loss_atr=0.5,
        stop_loss_atr_length=2,
        take_profit_frac=0.001,
        allocation="RANKING",
        rank="ROC(2)",
    )


def _seldom(deployed: Deployed) -> None:
    """What only refusals, partial fills and people ask for, of an engine that is thrown away."""
    assert equal(0.0, 0.0) and less_equal(0.0, 0.0), "tolerances are kernels too"
    one = deployed.one
    one.drop_waiting(0, 0)
    one.withdraw(0, 0, 0)
    one.leave(0, 0, 0)
    one.take_over(0, (0, 0), 1, 1.0, 1.0)
