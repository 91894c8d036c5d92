"""The long part of the simulation, run once by the check: two thousand schedules, many of one intent, every bug."""

from __future__ import annotations

import pytest

from tests.simulation.exhaustive import Budget, count
from tests.simulation.mutants import MUTANTS, Mutant, caught
from tests.simulation.run import CLASSES, complaints, run, table
from workbench.brokers.port import Idempotency

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

#: Behind those of the quick suite, up to two thousand.
PARTS = [range(first, first + 140) for first in range(600, 2000, 140)]


@pytest.mark.parametrize("seeds", PARTS, ids=lambda seeds: f"{seeds.start}-{seeds.stop}")
def test_no_schedule_violates_an_invariant(seeds: range) -> None:
    report = run(seeds)
    print("\n" + table(report))
    assert report.schedules == len(seeds)
    assert not report.failures, complaints(report.failures)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_bug_is_caught_within_two_thousand_schedules(mutant: Mutant) -> None:
    assert caught(mutant, 2000) is not None, mutant.sentence


@pytest.mark.parametrize("idempotency", CLASSES)
@pytest.mark.parametrize("budget", [Budget(1, 1, 0), Budget(1, 0, 1), Budget(0, 1, 1)], ids=str)
def test_every_schedule_of_two_things_that_go_wrong_is_played(idempotency: Idempotency, budget: Budget) -> None:
    counted = count(idempotency, budget)
    print(f"\n{idempotency.value}, {budget}: {counted.schedules:,} schedules")
    assert counted.schedules > 100
    assert not counted.failures


@pytest.mark.parametrize("name", ["stops", "reversal", "slots"])
@pytest.mark.parametrize("budget", [Budget(2, 0, 0), Budget(1, 0, 1)], ids=str)
def test_every_schedule_of_two_things_that_go_wrong_on_the_paper_broker_is_played(name: str, budget: Budget) -> None:
    counted = count(Idempotency.UNIQUE_FOREVER, budget, name)
    print(f"\n{name}, {budget}: {counted.schedules:,} schedules")
    assert counted.schedules > 100
    assert not counted.failures
