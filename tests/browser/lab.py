"""A real JupyterLab on a database with deployments, with a runner that it hosts, in folders of its own."""

from __future__ import annotations

import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import NamedTuple

import workbench as wb
from workbench.live.client import Client
from workbench.market import samples

TOKEN = "0123456789abcdef"
NAME = "NSE:SAMPLE"


class Lab(NamedTuple):
    """A server that runs: its address, its token, its database, and its process."""

    url: str
    database: pathlib.Path
    process: subprocess.Popen[bytes]

    def page(self, path: str = "lab") -> str:
        """Address of a page."""
        return f"{self.url}{path}?token={TOKEN}&reset"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def deployed(folder: pathlib.Path, names: tuple[str, ...]) -> tuple[pathlib.Path, pathlib.Path]:
    """A database with deployments, and the file of the bars to come."""
    bars = samples.synthetic(seed=1, start="2023-01-02", end="2023-03-31")
    path, database = folder / "SAMPLE_5m.parquet", folder / "workbench.db"
    bars.frame.reset_index().to_parquet(path)
    history = wb.Bars(bars.frame[:"2023-01-09"], "5m", "NSE")
    strategy = wb.Strategy(
        name="dip", version="1.0.0", instruments=(NAME,), timeframe="15m", calendar="NSE", product="CNC",
        entry="RSI(6) < 35", exit="RSI(6) > 60", stop_loss_frac=0.01,
    )  # fmt: skip
    with Client.open(database) as client:
        for name in names:
            client.deploy(strategy, history, wb.costs.none(), 100_000.0, name=name)
    return database, path


@contextlib.contextmanager
def running(folder: pathlib.Path, names: tuple[str, ...] = ("dip", "second"), base: str = "/") -> Iterator[Lab]:
    """JupyterLab, until the end of the block; its runner replays stored bars slowly."""
    database, bars = deployed(folder, names)
    port = free_port()
    own = {f"JUPYTER_{kind}_DIR": str(folder / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    (folder / "notebooks").mkdir()
    command = [
        sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", f"--port={port}", "--port-retries=0",
        f"--ServerApp.base_url={base}", f"--IdentityProvider.token={TOKEN}",
        "--LabApp.expose_app_in_browser=True", f"--ServerApp.root_dir={folder / 'notebooks'}",
        f"--WorkbenchApp.database={database}",
        f"--WorkbenchApp.feed=--replay-from 2023-01-10 --bars {NAME}={bars} --speed 200",
    ]  # fmt: skip
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env={**os.environ, **own})
        lab = Lab(f"http://127.0.0.1:{port}{base}", database, process)
        try:
            _wait(lab, folder / "said")
            yield lab
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(lab: Lab, said: pathlib.Path) -> None:
    end = time.monotonic() + 90.0
    while time.monotonic() < end and lab.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{lab.url}api?token={TOKEN}", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not come up:\n{said.read_text()[-3000:]}")
