"""A runner that a test operates: the real store, runner, kill switch and client, in virtual time, turn by turn."""

from __future__ import annotations

import pathlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from tests.command_line import made_up
from workbench import costs
from workbench.journal.store import Store
from workbench.live.assembly import LEASE_NS, assembled
from workbench.live.client import Client
from workbench.live.clock import VirtualClock
from workbench.live.commands import Commands, Obeyed
from workbench.live.facts import RUNNER
from workbench.live.feeds.replay import ReplayFeed
from workbench.live.killswitch import KillSwitch
from workbench.live.lease import Lease
from workbench.live.places import places_of
from workbench.live.standing import Standing
from workbench.market.bars import Bars
from workbench.strategy import Strategy

COSTS = costs.bps(10, 5)
CASH = 1_000_000.0
START = "2023-01-10"
END = "2023-01-11"


@pytest.fixture
def folder() -> Iterator[pathlib.Path]:
    """A folder that is gone after the test, in memory where the system has such: nothing waits for a disk."""
    memory = pathlib.Path("/dev/shm")
    made = pathlib.Path(tempfile.mkdtemp(prefix="wb-", dir=memory if memory.is_dir() else None))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@cache
def strategy(symbol: str = "AAA", **changes: Any) -> Strategy:
    """One that trades often, and protects what it holds."""
    given: dict[str, Any] = {"product": "MIS", "stop_loss_frac": 0.01, "take_profit_frac": 0.05, **changes}
    return Strategy(
        name="dip", version="1.0.0", instruments=(f"NSE:{symbol}",), timeframe="15m", calendar="NSE",
        entry="RSI(5) < 45", exit="RSI(5) > 55", **given,
    )  # fmt: skip


def bars(symbol: str = "AAA") -> dict[str, Bars]:
    """A week of five-minute bars of one instrument."""
    return {f"NSE:{symbol}": made_up(ord(symbol[0]) - 64, end=END)}


@cache
def empty_database() -> bytes:
    """An SQLite file with all tables and nothing in them: quicker to copy than to make."""
    with tempfile.TemporaryDirectory() as made:
        path = pathlib.Path(made) / "w.db"
        Store.open(path).close()
        return path.read_bytes()


class Operated:
    """A runner of one database, and its client."""

    def __init__(self, folder: pathlib.Path, *symbols: str) -> None:
        self.data = {name: one for symbol in symbols or ("AAA",) for name, one in bars(symbol).items()}
        (folder / "w.db").write_bytes(empty_database())
        self.store = Store.open(folder / "w.db", wait_s=0.2)
        self.switch = KillSwitch(places_of(self.store).flag)
        self.clock = VirtualClock(min(int(one.ts_ns[0]) for one in self.data.values()))
        self.client = Client(self.store, clock=self.clock)

    def deploy(self, name: str = "dip", symbol: str = "AAA", owner: str = "local", **changes: Any) -> str:
        """A deployment that decides from ``START`` on."""
        client = Client(self.store, owner, clock=self.clock)
        return client.deploy(strategy(symbol, **changes), self.data[f"NSE:{symbol}"], COSTS, CASH, START, name)

    def start(self) -> Operated:
        """Put the runner together from the database; whatever ran before is forgotten."""
        self.lease = Lease(self.store, RUNNER, "test", LEASE_NS * 10**6, self.clock.now_ns)
        assert self.lease.acquire()
        self.runner = assembled(self.store, self.clock, ReplayFeed(self.data), self.lease, switch=self.switch)
        self.commands = Commands(self.store, self.runner, self.switch)
        passed = [one.deployed.passed_ns for one in self.runner.standings.values()]
        self.clock.wait_until(min(passed, default=0))
        return self

    def standing(self, name: str = "dip", owner: str = "local") -> Standing:
        """One deployment at work."""
        every = self.runner.standings.values()
        return next(one for one in every if (one.deployed.given.owner, one.deployed.given.name) == (owner, name))

    def run(self, until: Callable[[], bool] = lambda: False) -> bool:
        """Turn after turn, until something is so or the bars end; whether it is so."""
        last = max(int(one.grid.close_ns[-1]) for one in self.data.values())
        while not until():
            due = self.runner.turn()
            if until():
                return True
            if due is None or due > last:
                return False
            self.clock.wait_until(due)
        return True

    def run_to_position(self, name: str = "dip") -> Standing:
        """Run until a deployment holds something."""
        standing = self.standing(name)
        assert self.run(lambda: bool(standing.deployed.desk.account[0]["n_positions"])), "it never held anything"
        return standing

    def run_to_entry(self, name: str = "dip") -> Standing:
        """Run until a deployment has an entry at the broker that has not filled."""
        standing = self.standing(name)
        assert self.run(lambda: bool(standing.deployed.working_entries())), "it never entered"
        return standing

    def obey(self) -> list[Obeyed]:
        """Obey what was asked."""
        return self.commands.obey(self.clock.now_ns())

    def rows(self, kind: str | None = None, name: str = "dip") -> list[dict[str, Any]]:
        """Rows of a journal, the oldest first."""
        frame = self.client.journal(name, kind, limit=100_000)
        return list(reversed(frame.to_dict("records")))
