"""A thousand deployments on one calendar: how long a bar close takes, a restart, and what one of them weighs.

Averages that cross with a stop and a target, on twenty made-up shares; their parameters differ. The database is a file
with full synchronisation, the runner the real one, time virtual: what is measured is the work, not the waiting.
"""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import Any

import numpy as np

SHARES = 20
CASH = 1_000_000.0

#: Run by a fresh process; prints figures as JSON.
ALONE = """
import json
from tests.bench import many_deployments
print(json.dumps(many_deployments.figures(COUNT, "FOLDER", BARS)))
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
        due = timed.turn()
        assert due is not None, "the bars are at their end"
        clock.wait_until(due)
    return timed


def figures(count: int, folder: str, bars: int) -> dict[str, float]:
    """Deploy, run so many bars, forget everything and begin again."""
    import psutil

    import workbench as wb
    from tests.paper_run import started
    from workbench.journal.store import Store
    from workbench.live.clock import VirtualClock
    from workbench.live.deploy import Wish, deploy

    data, costs = markets(), wb.costs.zerodha_equity(5)
    with Store.open(Path(folder) / "bench.db") as store:
        for number in range(count):
            made = strategy(number)
            deploy(store, Wish(made, {name: data[name] for name in made.instruments}, costs, CASH, 0), 0)
        clock = VirtualClock(0)
        clock.wait_until(min(int(one.ts_ns[0]) for one in data.values()))
        # What numpy and the kernels take once is not what a deployment weighs.
        started(Store.open(":memory:"), data, clock, "one")
        before = psutil.Process().memory_info().rss
        runner = started(store, data, clock, "one")
        run(runner, clock, 2)
        gc.collect()
        each_kb = (psutil.Process().memory_info().rss - before) / 1024 / count
        gc.freeze()
        timed = run(runner, clock, bars)
        del runner
        clock, began = VirtualClock(clock.now_ns()), time.perf_counter()
        again = run(started(store, data, clock, "one"), clock, 1)
        restart_s = time.perf_counter() - began
        assert again.whole_s
    durable, whole = np.array(timed.durable_s) * 1e3, np.array(timed.whole_s) * 1e3
    return {
        "durable_p50_ms": float(np.percentile(durable, 50)),
        "durable_p99_ms": float(np.percentile(durable, 99)),
        "whole_p50_ms": float(np.percentile(whole, 50)),
        "whole_p99_ms": float(np.percentile(whole, 99)),
        "each_kb": each_kb,
        "restart_s": restart_s,
    }
