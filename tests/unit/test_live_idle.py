"""A process with nothing to do: it keeps its lease, and ends at once when it is asked to."""

from __future__ import annotations

import pathlib
import signal
import subprocess
import sys
import time

import pytest

from tests.operated import folder
from tests.watched import Watched
from workbench.journal import tables
from workbench.live.service import Pace
from workbench.live.sources import FolderSource
from workbench.live.wall import SLICE_S, Ending, PacedClock, WallClock, machine_name

__all__ = ["folder"]


@pytest.fixture
def idle(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """With nothing deployed, and so with nothing to do."""
    return Watched(folder, monkeypatch)


@pytest.mark.soak
def test_a_signal_in_its_sleep_ends_it_and_the_lease_is_given_back(idle: Watched, folder: pathlib.Path) -> None:
    command = [sys.executable, "-u", "-m", "workbench.live", "--database", idle.url, "--feed", f"folder:{folder}"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert running.stdout is not None
    assert "runs 0 deployments: nothing yet" in running.stdout.readline()
    for _ in range(3):  # idle: it has renewed its lease, and nothing else
        before = held(idle)
        while held(idle) == before:
            time.sleep(0.01)
    assert held(idle)[0].startswith(f"{machine_name()} pid {running.pid} ")
    running.send_signal(signal.SIGTERM)
    out, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    assert out.rstrip().endswith("ended: SIGTERM. Deployments stand as they were; nothing was cancelled.")
    assert held(idle)[0] == ""


def held(idle: Watched) -> tuple[str, int, int]:
    """Holder, epoch and end of the lease."""
    with idle.client.store.read() as connection:
        row = connection.execute(tables.leases.select()).one()
    return row.holder, row.epoch, row.expires_ns


def test_an_idle_process_renews_its_lease_in_time_and_keeps_its_epoch(idle: Watched, folder: pathlib.Path) -> None:
    lease_ns, ends, rows = 3 * 10**9, list[int](), list[tuple[str, int, int]]()

    def look(self: WallClock, ns: int | None) -> None:
        """In place of a sleep: the row as it is then, and time that leaps to when it wants to be woken."""
        rows.append(held(idle))
        assert ns is not None
        ends.append(ns)
        self._now = max(self._now, ns)
        if len(rows) == 40:
            idle.ending.ask("test")

    with pytest.MonkeyPatch.context() as leaping:
        leaping.setattr(WallClock, "wait_until", look)
        idle.serve(source=FolderSource(folder), pace=Pace(), lease_ns=lease_ns)
    (_, first, _), *_ = rows
    assert {(holder, epoch) for holder, epoch, _ in rows} == {(rows[0][0], first)}
    assert len({expires for _, _, expires in rows}) > 10
    # Whenever it woke, what was written before had not ended.
    assert all(end < expires for end, (_, _, expires) in zip(ends, rows, strict=True))
    assert not idle.said("begins again")


def test_a_sleeper_that_is_asked_to_end_sleeps_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    ending, slept = Ending(), list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            ending.ask("SIGTERM")

    monkeypatch.setattr(time, "sleep", sleep)
    for wait in (WallClock(lambda: bool(ending)).wait_until, PacedClock(0, 1.0, lambda: bool(ending)).wait_until):
        ending.asked = ""
        slept.clear()
        wait(2**62)
        assert len(slept) == 3 and max(slept) <= SLICE_S <= 1.0
