"""``make lab``: something to see at once, which says that it is made up, and touches nothing of a person's own."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from tests.server.started import started
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


@pytest.mark.soak
def test_it_opens_and_something_moves(tmp_path: pathlib.Path) -> None:
    command = [sys.executable, "-m", "workbench_jupyter.sample_lab", str(tmp_path / "made"), str(ROOT / "notebooks")]
    seen: set[str] = set()

    def rows() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(lab.get("workbench/api/deployments") or "[]")
        seen.update(row["last_evaluation"] for row in found if row["is_evaluated"] and row["last_evaluation"])
        return found

    with started(tmp_path, command, {**os.environ, "WORKBENCH_DATABASE": str(tmp_path / "mine.db")}) as lab:
        assert lab.until(lambda: bool(rows()) and len(seen) >= 2), lab.said.read_text()
        assert all(row["name"].startswith("sample-") for row in rows())
        health = json.loads(lab.get("workbench/api/health"))
        assert health["hosting"]["state"] == "RUNNING" and health["evaluated"] == 3
    assert not is_alive(health["hosting"]["pid"]), "it ends with the server"
    said = lab.said.read_text()
    assert said.startswith("Made-up bars are replayed") and "Nothing of it is yours" in said
    assert (tmp_path / "made" / "workbench.db").exists() and not (tmp_path / "mine.db").exists()
