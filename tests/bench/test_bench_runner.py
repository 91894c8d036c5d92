"""The runner, in fresh processes on a file with full sync: a bar close of many deployments, a restart, a year."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.bench import many_deployments
from tests.bench.bench_table import fresh_process, row

pytestmark = pytest.mark.bench

#: What was asked for and never reached; the table shows how far it is.
not_yet = pytest.mark.xfail(reason="asked for and not reached yet", raises=AssertionError, strict=False)


def alone(what: str) -> dict[str, float]:
    """Figures of a process of its own."""
    return fresh_process(many_deployments.ALONE.replace("WHAT", what))


def closes(folder: Path, count: int, bars: int) -> dict[str, float]:
    """So many deployments in a database in a folder."""
    return alone(f"figures({str(folder)!r}, {count}, {bars})")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the database of a thousand."""
    return tmp_path_factory.mktemp("thousand")


@pytest.fixture(scope="module")
def thousand(folder: Path) -> dict[str, float]:
    """A thousand deployments."""
    return closes(folder, 1000, 150)


@not_yet
def test_a_bar_close_of_1000_deployments_in_25_ms(thousand: dict[str, float]) -> None:
    row("1,000 deployments at one bar close, decided and durable: p50", f"{thousand['p50_ms']:.0f} ms", "<= 25")
    row("... and everything sent and answered: p50", f"{thousand['whole_p50_ms']:.0f} ms")
    assert thousand["p50_ms"] <= 25


@not_yet
def test_a_bar_close_of_1000_deployments_never_takes_100_ms(thousand: dict[str, float]) -> None:
    row("1,000 deployments at one bar close, decided and durable: p99", f"{thousand['p99_ms']:.0f} ms", "<= 100")
    assert thousand["p99_ms"] <= 100


def test_a_deployment_weighs_100_kilobytes(thousand: dict[str, float]) -> None:
    row("memory of one of 1,000 deployments", f"{thousand['each_kb']:.0f} KB", "<= 100")
    assert thousand["each_kb"] <= 100


@not_yet
def test_a_restart_of_1000_deployments_in_10_s(thousand: dict[str, float], folder: Path) -> None:
    assert thousand["p50_ms"] > 0.0
    began = time.perf_counter()
    alone(f"restarted({str(folder)!r})")
    seconds = time.perf_counter() - began
    row("1,000 deployments: from a new process to the next bar passed", f"{seconds:.1f} s", "<= 10")
    assert seconds <= 10


@not_yet
def test_a_bar_close_of_200_deployments_never_takes_20_ms(tmp_path: Path) -> None:
    found = closes(tmp_path, 200, 150)
    row("200 deployments at one bar close, decided and durable: p99", f"{found['p99_ms']:.0f} ms", "<= 20")
    assert found["p99_ms"] <= 20


@not_yet
def test_a_bar_close_of_10000_deployments_in_500_ms(tmp_path: Path) -> None:
    found = closes(tmp_path, 10_000, 12)
    row("10,000 deployments at one bar close, decided and durable: p50", f"{found['p50_ms']:.0f} ms", "<= 500")
    assert found["p50_ms"] <= 500


@pytest.fixture(scope="module")
def a_year(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """One deployment through a year."""
    return alone(f"year({str(tmp_path_factory.mktemp('year'))!r})")


@not_yet
def test_a_year_of_five_minute_bars_in_30_s(a_year: dict[str, float]) -> None:
    row(f"one deployment through {a_year['bars']:,.0f} bars, every one durable", f"{a_year['year_s']:.0f} s", "<= 30")
    assert a_year["year_s"] <= 30


@not_yet
def test_a_bar_is_an_intent_in_5_ms(a_year: dict[str, float]) -> None:
    row("one deployment, from a bar to the intent on disk: p99", f"{a_year['p99_ms']:.1f} ms", "<= 5")
    assert a_year["p99_ms"] <= 5
