"""A real JupyterLab on a database with deployments, in folders of its own, with or without a runner that it hosts."""

from __future__ import annotations

import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import workbench as wb
from workbench.live.client import Client
from workbench.market import samples

#: The bundle as it is in the source tree, not as it was installed.
BUNDLE = pathlib.Path(__file__).resolve().parents[2] / "extension" / "labextension"
TOKEN = "0123456789abcdef"
NAME = "24x7:SAMPLE"
#: A market that never closes, so that something happens whenever a test looks.
CALENDAR = "24x7"
#: Where bars that are replayed begin; what is before them was deployed with.
BEGIN = "2023-01-10"


class Lab(NamedTuple):
    """A server that runs: its address, its token, its database, and its process."""

    url: str
    database: pathlib.Path
    process: subprocess.Popen[bytes]

    def page(self, path: str = "lab", anew: bool = True) -> str:
        """Address of a page; ``anew`` forgets what was open."""
        return f"{self.url}{path}?token={TOKEN}{'&reset' if anew else ''}"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def strategy(name: str = "dip") -> wb.Strategy:
    """One that trades some times a day."""
    return wb.Strategy(
        name=name, version="1.0.0", instruments=(NAME,), timeframe="15m", calendar=CALENDAR, product="CNC",
        entry="RSI(6) < 35", exit="RSI(6) > 60", stop_loss_frac=0.01,
    )  # fmt: skip


def sample() -> wb.Bars:
    """The bars that everything here trades."""
    return samples.synthetic(seed=1, start="2023-01-02", end="2023-01-31", calendar=CALENDAR)


def deployed(folder: pathlib.Path, names: Sequence[str]) -> tuple[pathlib.Path, pathlib.Path]:
    """A database with deployments, and the file of the bars to come."""
    bars = sample()
    path, database = folder / "SAMPLE_5m.parquet", folder / "workbench.db"
    bars.frame.reset_index().to_parquet(path)
    history = wb.Bars(bars.frame[:"2023-01-09"], "5m", CALENDAR)
    with Client.open(database) as client:
        for name in names:
            client.deploy(strategy(), history, wb.costs.none(), 100_000.0, name=name)
    return database, path


def replayed(database: pathlib.Path, bars: pathlib.Path, until: str) -> None:
    """Let a runner run through the bars up to a date, as fast as it can."""
    part = bars.with_name("part") / bars.name
    part.parent.mkdir()
    sample().frame[:until].reset_index().to_parquet(part)
    command = [sys.executable, "-m", "workbench.live", "--replay-from", BEGIN, "--bars", f"{NAME}={part}"]
    environment = {**os.environ, "WORKBENCH_DATABASE": str(database)}
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=200)


def feed(bars: pathlib.Path, since: str = BEGIN) -> list[str]:
    """Option of a server that replays stored bars slowly: one of five minutes every half second."""
    return [f"--WorkbenchApp.feed=--replay-from {since} --bars {NAME}={bars} --speed 600"]


#: Option of a server that hosts no runner.
ALONE = ["--WorkbenchApp.runner=attached"]


@contextlib.contextmanager
def serving(folder: pathlib.Path, database: pathlib.Path, options: Sequence[str], base: str = "/") -> Iterator[Lab]:
    """JupyterLab, until the end of the block."""
    port = free_port()
    own = {f"JUPYTER_{kind}_DIR": str(folder / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    (folder / "root").mkdir()
    (folder / "labextensions").mkdir()
    (folder / "labextensions" / "workbench-lab").symlink_to(BUNDLE)
    # JupyterLab asks a first visitor whether it may fetch its news, over everything else.
    page = folder / "config" / "labconfig" / "page_config.json"
    page.parent.mkdir(parents=True)
    page.write_text('{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}')
    command = [
        sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", f"--port={port}", "--port-retries=0",
        f"--ServerApp.base_url={base}", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder / 'root'}",
        "--LabApp.expose_app_in_browser=True", f"--LabApp.extra_labextensions_path={folder / 'labextensions'}",
        f"--WorkbenchApp.database={database}", *options,
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
