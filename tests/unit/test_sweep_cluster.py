"""A sweep on a Dask cluster: the rows are those of threads to the last bit, and errors say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.errors import ConfigError, WorkbenchError
from workbench.research.sweep import cluster

distributed = pytest.importorskip("distributed", reason="the extra cluster is not installed")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two workers, each a process of one thread; on a port of its own, for another test process may have one too."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
        ) as workers,
        distributed.Client(workers) as connected,
    ):
        yield connected


def strategy(**changes: Any) -> wb.Strategy:
    """Averages with a stop on the sample market."""
    fields: dict[str, Any] = {
        "name": "averages",
        "version": "1.0.0",
        "instruments": ("NSE:SAMPLE",),
        "timeframe": "15m",
        "calendar": "NSE",
        "product": "MIS",
        "entry": "SMA(close, $fast) > SMA(close, $slow)",
        "exit": "SMA(close, $fast) < SMA(close, $slow)",
        "params": {"fast": 3, "slow": 8},
        "stop_loss_frac": 0.01,
    }
    return wb.Strategy(**{**fields, **changes})


@pytest.fixture(scope="module")
def bars() -> wb.Bars:
    """A month of made-up minutes."""
    return wb.samples.synthetic(seed=5, start="2023-03-01", end="2023-03-31")


GRID = {"fast": range(2, 8), "slow": range(8, 20, 3), "stop_loss_frac": [0.004, 0.01]}


def same(one: wb.Sweep, other: wb.Sweep) -> None:
    """Rows in the order of their sets, to the last bit."""
    pd.testing.assert_frame_equal(one.table.sort_index(), other.table.sort_index(), check_exact=True)
    assert one.returns.to_numpy().tobytes() == other.returns.to_numpy().tobytes()


def test_E9_a_cluster_of_two_workers_gives_the_rows_of_threads(client: Any, bars: wb.Bars) -> None:
    how: dict[str, Any] = {"keep": False, "progress": False, "statistics": "all"}
    here = wb.sweep(strategy(), bars, GRID, **how, workers=1)
    there = wb.sweep(strategy(), bars, GRID, **how, executor="dask")
    same(here, there)
    assert len(client.nthreads()) == 2, "both workers are there"


def test_parts_of_any_length_give_the_same_rows(client: Any, bars: wb.Bars, monkeypatch: Any) -> None:
    how: dict[str, Any] = {"keep": False, "progress": False, "where": lambda fast, slow, **_: fast < slow - 5}
    here = wb.sweep(strategy(), bars, GRID, **how)
    for largest in (1, 7):
        monkeypatch.setattr(cluster, "LARGEST_PART", largest)
        monkeypatch.setattr(cluster, "PARTS_A_THREAD", 1)
        same(here, wb.sweep(strategy(), bars, GRID, **how, executor="dask"))


def test_what_a_cluster_finished_is_not_run_again(client: Any, bars: wb.Bars, tmp_path: Any, monkeypatch: Any) -> None:
    first = wb.sweep(strategy(), bars, GRID, keep=tmp_path, progress=False, executor="dask")

    def refused(*_: Any) -> Any:
        raise AssertionError("nothing is left to run")

    monkeypatch.setattr(cluster, "run_part", refused)
    same(first, wb.sweep(strategy(), bars, GRID, keep=tmp_path, progress=False, executor="dask"))


def test_several_instruments_and_costs_travel(client: Any, bars: wb.Bars) -> None:
    two = {"NSE:A": bars, "NSE:B": wb.samples.synthetic(seed=6, start="2023-03-01", end="2023-03-31")}
    made = strategy(instruments=tuple(two), max_open_positions=1)
    how: dict[str, Any] = {"keep": False, "progress": False, "costs": wb.costs.zerodha_equity()}
    grid = {"fast": [2, 3], "slow": [9]}
    same(wb.sweep(made, two, grid, **how), wb.sweep(made, two, grid, **how, executor="dask"))


def test_a_worker_with_another_engine_refuses(bars: wb.Bars) -> None:
    how = wb.research.sweep.settings.chosen({})
    with pytest.raises(WorkbenchError, match="another version of the engine"):
        cluster.run_part({"NSE:SAMPLE": bars}, [strategy()], how, ("sharpe_ann",), "0" * 32)


def test_without_a_cluster_the_error_says_how_to_connect(bars: wb.Bars, monkeypatch: Any) -> None:
    def nobody(*_: Any, **__: Any) -> Any:
        raise ValueError("No clients found")

    monkeypatch.setattr(distributed, "get_client", nobody)
    with pytest.raises(ConfigError, match="client = Client"):
        wb.sweep(strategy(), bars, {"fast": [2, 3]}, keep=False, executor="dask")


def test_without_dask_the_error_names_the_extra(bars: wb.Bars, monkeypatch: Any) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"workbench\[cluster\]"):
        wb.sweep(strategy(), bars, {"fast": [2, 3]}, keep=False, executor="dask")


def test_returns_are_numbers(client: Any, bars: wb.Bars) -> None:
    there = wb.sweep(strategy(), bars, {"fast": [2, 3]}, keep=False, progress=False, executor="dask")
    assert np.isfinite(there.returns.to_numpy()).all()
    assert there.returns.shape[1] == 2
