"""``make lab``: something to see at once, which says that it is made up, and touches nothing of a person's own."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.lab import TOKEN, free_port
from tests.server.test_server_hosting import is_alive
from tests.tidy.source import ROOT
from workbench.live.client import Client
from workbench_jupyter import sample_lab


def test_make_runs_it_on_the_notebooks() -> None:
    asked = ["make", "--dry-run", "lab", "ARGS=--no-browser --port 1234"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert "-m workbench_jupyter.sample_lab output/lab notebooks --no-browser --port 1234" in said


def test_what_is_there_goes_on_where_it_stood(tmp_path: pathlib.Path) -> None:
    bars, database = tmp_path / "bars", tmp_path / "workbench.db"
    for _ in range(2):
        sample_lab.save(bars)
        sample_lab.deploy(database, bars)
    assert {path.name for path in bars.iterdir()} == {"SAMPLE1_5m.parquet", "SAMPLE2_5m.parquet"}
    with Client.open(database) as client:
        rows = client.deployments()
    assert sorted(rows["name"]) == ["sample-breakout", "sample-dip", "sample-trend"]
    assert set(rows["status"]) == {"RUNNING"}


@contextlib.contextmanager
def opened(folder: pathlib.Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """JupyterLab as ``make lab`` opens it, until the end of the block: its address, and its process."""
    port = free_port()
    own = {f"JUPYTER_{kind}_DIR": str(folder / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    command = [
        sys.executable, "-m", "workbench_jupyter.sample_lab", str(folder / "made"), str(ROOT / "notebooks"),
        "--no-browser", "--allow-root", f"--port={port}", "--port-retries=0", f"--IdentityProvider.token={TOKEN}",
    ]  # fmt: skip
    environment = {**os.environ, **own, "WORKBENCH_DATABASE": str(folder / "mine.db")}
    with (
        (folder / "said").open("wb") as said,
        subprocess.Popen(command, env=environment, stdout=said, stderr=said) as process,
    ):
        try:
            yield f"http://127.0.0.1:{port}/workbench/api", process
        finally:
            process.terminate()
            process.wait(30)


def asked(url: str) -> Any:
    """The answer, or None while there is none."""
    request = urllib.request.Request(url, headers={"Authorization": f"token {TOKEN}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except OSError:
        return None


@pytest.mark.soak
def test_it_opens_and_something_moves(tmp_path: pathlib.Path) -> None:
    with opened(tmp_path) as (api, process):
        end = time.monotonic() + 180.0
        seen: set[str] = set()
        while len(seen) < 2 and time.monotonic() < end and process.poll() is None:
            rows = asked(f"{api}/deployments") or []
            seen |= {row["last_evaluation"] for row in rows if row["is_evaluated"] and row["last_evaluation"]}
            time.sleep(0.5)
        assert len(seen) >= 2, (tmp_path / "said").read_text()
        assert all(row["name"].startswith("sample-") for row in rows)
        health = asked(f"{api}/health")
        assert health["hosting"]["state"] == "RUNNING" and health["evaluated"] == 3
    assert not is_alive(health["hosting"]["pid"]), "it ends with the server"
    said = (tmp_path / "said").read_text()
    assert said.startswith("Made-up bars are replayed") and "Nothing of it is yours" in said
    assert (tmp_path / "made" / "workbench.db").exists() and not (tmp_path / "mine.db").exists()
