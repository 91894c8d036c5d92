"""A Jupyter server while a browser watches two hundred deployments: what of a core it uses, and how much it grows."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tornado.websocket import websocket_connect

import workbench as wb
from tests.bench.bench_table import row
from workbench.journal import tables
from workbench.live.client import Client
from workbench.market import samples

pytestmark = pytest.mark.bench

COUNT, WATCHED_S, TOKEN = 200, 40.0, "0123456789abcdef"


class Served:
    """A server on two hundred deployments."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.database = folder, folder / "w.db"
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = int(one.getsockname()[1])
        self._deploy()
        own = {f"JUPYTER_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
        command = [
            sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", f"--port={self.port}",
            f"--IdentityProvider.token={TOKEN}", f"--WorkbenchApp.database={self.database}",
            "--WorkbenchApp.runner=attached",
        ]  # fmt: skip
        with (folder / "said").open("wb") as said:
            self.process = subprocess.Popen(
                command, stdout=said, stderr=said, cwd=folder, env={**os.environ, **own}, start_new_session=True
            )
        self.looked = psutil.Process(self.process.pid)
        end = time.monotonic() + 60.0
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api?token={TOKEN}", timeout=5):
                    return
            except OSError:
                time.sleep(0.2)
        raise RuntimeError((folder / "said").read_text()[-2000:])

    def _deploy(self) -> None:
        bars = samples.synthetic(seed=1, start="2023-01-02", end="2023-01-10")
        strategy = wb.Strategy(
            name="dip", version="1.0.0", instruments=("NSE:SAMPLE",), timeframe="15m", calendar="NSE", product="CNC",
            entry="RSI(6) < 35", exit="RSI(6) > 60",
        )  # fmt: skip
        with Client.open(self.database) as client:
            for number in range(COUNT):
                client.deploy(strategy, bars, wb.costs.none(), 1e5, name=f"d{number}", start="2023-01-09")

    def watched(self, changes: bool) -> tuple[float, float, int]:
        """Share of a core that a watched server uses, megabytes that it grows, and rows that it told."""
        return asyncio.run(self._watched(changes))

    async def _watched(self, changes: bool) -> tuple[float, float, int]:
        line = await websocket_connect(f"ws://127.0.0.1:{self.port}/workbench/api/stream?token={TOKEN}")
        told = 0

        async def listen() -> None:
            nonlocal told
            while (message := await line.read_message()) is not None:
                told += message.count('"is_evaluated"' if isinstance(message, str) else b'"is_evaluated"')

        # The first look loads the engine.
        await line.read_message()
        listening = asyncio.create_task(listen())
        await self._pass(5.0, changes)
        before, memory, told = self._used_s(), self.looked.memory_info().rss, 0
        began = time.monotonic()
        await self._pass(WATCHED_S, changes)
        share = (self._used_s() - before) / (time.monotonic() - began)
        line.close()
        await listening
        return share, (self.looked.memory_info().rss - memory) / 2**20, told

    async def _pass(self, seconds: float, changes: bool) -> None:
        """Let time pass; where something changes, a bar of every deployment passes each second."""
        with Client.open(self.database) as client:
            for _ in range(int(seconds)):
                if changes:
                    states = tables.deployment_states
                    with client.store.write() as connection:
                        connection.execute(states.update().values(heartbeat_ns=time.time_ns()))
                await asyncio.sleep(1.0)

    def _used_s(self) -> float:
        used = self.looked.cpu_times()
        return float(used.user + used.system)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server, until the tests are over."""
    made = Served(tmp_path_factory.mktemp("served"))
    yield made
    made.process.terminate()
    made.process.wait(20)


def test_a_browser_that_watches_200_quiet_deployments_costs_little(served: Served) -> None:
    share, growth, told = served.watched(changes=False)
    row("a server watched, 200 deployments, nothing happens", f"{100 * share:.1f} % of a core", "<= 5")
    assert share <= 0.05 and growth < 20.0 and told == 0


def test_a_browser_that_watches_200_deployments_that_all_change_each_second(served: Served) -> None:
    share, growth, told = served.watched(changes=True)
    row("... every one of them changes every second", f"{100 * share:.1f} % of a core", "<= 5")
    row("... and the server grows", f"{growth:.1f} MB")
    assert told >= 0.8 * COUNT * WATCHED_S
    assert share <= 0.05 and growth < 20.0
