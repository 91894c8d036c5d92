"""A Jupyter server with the extension, on a database with one deployment that nobody runs."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from pytest_jupyter.jupyter_server import *  # noqa: F403 - its fixtures and hooks, for these tests alone

import workbench as wb
from workbench.live.client import Client
from workbench.market import samples

NAME = "NSE:SAMPLE"


@pytest.fixture
def database(tmp_path: pathlib.Path) -> pathlib.Path:
    """With a deployment called ``dip``."""
    path = tmp_path / "workbench.db"
    strategy = wb.Strategy(
        name="dip", version="1.0.0", instruments=(NAME,), timeframe="15m", calendar="NSE", product="CNC",
        entry="RSI(6) < 35", exit="RSI(6) > 60", stop_loss_frac=0.01,
    )  # fmt: skip
    bars = samples.synthetic(seed=1, start="2023-01-02", end="2023-01-10")
    with Client.open(path) as client:
        client.deploy(strategy, bars, wb.costs.none(), 100_000.0)
    return path


@pytest.fixture
def jp_server_config(database: pathlib.Path) -> dict[str, Any]:
    return {
        "ServerApp": {"jpserver_extensions": {"workbench_jupyter": True}, "allow_unauthenticated_access": False},
        "WorkbenchApp": {"database": str(database), "runner": "attached"},
    }
