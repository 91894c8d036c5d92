"""A thousand deployments on one calendar: how long a bar close takes, a restart, and what one of them weighs.

Averages that cross with a stop and a target, on twenty made-up shares; their parameters differ. The database is a file
with full synchronisation, the runner the real one, time virtual: what is measured is the work, not the waiting.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tests.paper_run import RENEWED_NS

SHARES = 20
CASH = 1_000_000.0

#: Run by fresh processes; each prints its figures as JSON.
ALONE = """
import json
from tests.bench import many_deployments
print(json.dumps(many_deployments.WHAT))
"""


def markets() -> dict[str, Any]:
    """Two months of five-minute bars, by share."""
    import workbench as wb
    from workbench.market import samples

    made = {f"NSE:S{n}": samples.synthetic(seed=n, start="2023-01-02", end="2023-02-28") for n in range(SHARES)}
    assert all(isinstance(one, wb.Bars) for one in made.values())
    return made


def strategy(number: int) -> Any:
    """One of many that differ in their averages."""
    import workbench as wb

    fast, slow = 5 + number % 13, 21 + number % 29
    return wb.Strategy(
        name=f"crossing-{number}", version="1.0.0", instruments=(f"NSE:S{number % SHARES}",), timeframe="5m",
        calendar="NSE", product="CNC", entry=f"EMA(close, {fast}) CROSSES_ABOVE EMA(close, {slow})",
        exit=f"EMA(close, {fast}) CROSSES_BELOW EMA(close, {slow})", stop_loss_frac=0.01, take_profit_frac=0.02,
    )  # fmt: skip


class Timed:
    """A runner whose turns are timed, to where everything decided at the close is durable and to the end.

    Parameters
    ----------
    runner : Runner
        Which.
    """

    def __init__(self, runner: Any) -> None:
        self._runner, self._durable = runner, 0.0
        self.durable_s: list[float] = []
        self.whole_s: list[float] = []
        passed = runner.inbox.pass_through

        def pass_through(*given: Any) -> None:
            # The runner forgets the bars of an interval as soon as what it decided is committed.
            self._durable = time.perf_counter()
            passed(*given)

        runner.inbox.pass_through = pass_through

    def turn(self) -> int | None:
        """One turn; counted if an interval passed in it."""
        self._durable, began = 0.0, time.perf_counter()
        due: int | None = self._runner.turn()
        if self._durable:
            self.durable_s.append(self._durable - began)
            self.whole_s.append(time.perf_counter() - began)
        return due


def run(runner: Any, clock: Any, bars: int) -> Timed:
    """Let so many bars pass."""
    timed = Timed(runner)
    while len(timed.whole_s) < bars:
        if not runner.lease.lasts(RENEWED_NS):
            runner.lease.renew()
        due = timed.turn()
        assert due is not None, "the bars are at their end"
        clock.wait_until(due)
    return timed


def deployed(folder: str, strategies: Iterable[Any], data: dict[str, Any]) -> tuple[Any, Any]:
    """A database with those strategies, and a clock at the first bar."""
    import workbench as wb
    from workbench.journal.store import Store
    from workbench.live.clock import VirtualClock
    from workbench.live.deploy import Wish, deploy

    store, costs = Store.open(Path(folder) / "bench.db"), wb.costs.zerodha_equity(5)
    for made in strategies:
        deploy(store, Wish(made, {name: data[name] for name in made.instruments}, costs, CASH, 0), 0)
    clock = VirtualClock(0)
    clock.wait_until(min(int(one.ts_ns[0]) for one in data.values()))
    return store, clock


def milliseconds(seconds: list[float], which: float) -> float:
    """A percentile."""
    return float(np.percentile(np.array(seconds) * 1e3, which))


def figures(folder: str, count: int, bars: int) -> dict[str, float]:
    """Deploy and run so many bars: how long a bar takes, and what a deployment weighs."""
    import psutil

    from tests.paper_run import started
    from workbench.journal.store import Store

    data = markets()
    store, clock = deployed(folder, map(strategy, range(count)), data)
    # What numpy and the kernels take once is not what a deployment weighs.
    started(Store.open(":memory:"), data, clock, "one")
    before = psutil.Process().memory_info().rss
    runner = started(store, data, clock, "one")
    run(runner, clock, 2)
    gc.collect()
    each_kb = (psutil.Process().memory_info().rss - before) / 1024 / count
    gc.freeze()
    timed = run(runner, clock, bars)
    (Path(folder) / "stands").write_text(str(clock.now_ns()))
    return {
        "p50_ms": milliseconds(timed.durable_s, 50),
        "p99_ms": milliseconds(timed.durable_s, 99),
        "whole_p50_ms": milliseconds(timed.whole_s, 50),
        "each_kb": each_kb,
    }


def restarted(folder: str) -> dict[str, float]:
    """A new process on a database that another one left: until the next bar has passed."""
    from tests.paper_run import started
    from workbench.journal.store import Store
    from workbench.live.clock import VirtualClock

    clock = VirtualClock(int((Path(folder) / "stands").read_text()))
    run(started(Store.open(Path(folder) / "bench.db"), markets(), clock, "one"), clock, 1)
    return {}


def year(folder: str) -> dict[str, float]:
    """One deployment through a year of five-minute bars, as fast as it goes."""
    from tests.paper_run import started
    from workbench.market import samples

    data = {"NSE:S0": samples.synthetic(seed=1, start="2023-01-01", end="2023-12-31")}
    store, clock = deployed(folder, [strategy(0)], data)
    began, bars = time.perf_counter(), len(data["NSE:S0"].ts_ns)
    timed = run(started(store, data, clock, "one"), clock, bars)
    return {"year_s": time.perf_counter() - began, "bars": bars, "p99_ms": milliseconds(timed.durable_s, 99)}
