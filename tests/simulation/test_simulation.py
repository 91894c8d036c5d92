"""Seeded faults against the real runner and the real SQL; any number of them by ``make simulate SEEDS=a:b``."""

from __future__ import annotations

import pytest

from tests.simulation.run import Report, complaints, run

#: Few, because the runner plays twenty to thirty a second; the command plays as many as are asked for.
SCHEDULES = 120


@pytest.fixture(scope="module")
def report() -> Report:
    return run(range(SCHEDULES), None, 1.0, 1)


def test_no_schedule_of_faults_violates_an_invariant(report: Report) -> None:
    assert report.schedules == SCHEDULES
    assert not report.failures, complaints(report.failures)


def test_the_schedules_are_full_of_faults(report: Report) -> None:
    """Zero violations of nothing would prove nothing."""
    tallies = report.tallies.values()
    assert len({fault for one in tallies for fault in one.faults}) > 15
    assert sum(one.executions for one in tallies) > SCHEDULES
    assert sum(one.faults["crash"] for one in tallies) > SCHEDULES // 2


def test_the_same_seeds_give_the_same_journals() -> None:
    once, again = (run(range(12), None, 1.0, 1) for _ in range(2))
    assert once.digest == again.digest
    assert once.digest != run(range(1, 13), None, 1.0, 1).digest
