"""The long part of the simulation, run once by the check: two thousand schedules, all of one intent, every bug."""

from __future__ import annotations

import pytest

from tests.simulation.exhaustive import Budget, count
from tests.simulation.mutants import MUTANTS, Mutant, caught
from tests.simulation.run import CLASSES, complaints, run, table
from workbench.brokers.port import Idempotency

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

#: Behind those of the quick suite, up to two thousand.
PARTS = [range(first, first + 155) for first in range(450, 2000, 155)]


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
def test_every_schedule_of_two_crashes_and_a_fault_of_the_wire_is_played(idempotency: Idempotency) -> None:
    counted = count(idempotency, Budget(crashes=2, network=1, takeovers=0))
    print(f"\n{idempotency.value}: {counted.schedules:,} schedules")
    assert counted.schedules > 5_000
    assert not counted.failures


@pytest.mark.parametrize("idempotency", CLASSES)
def test_every_schedule_of_a_crash_a_fault_of_the_wire_and_a_takeover_is_played(idempotency: Idempotency) -> None:
    counted = count(idempotency, Budget(crashes=1, network=1, takeovers=1))
    print(f"\n{idempotency.value}, two runners: {counted.schedules:,} schedules")
    assert counted.schedules > 1_000
    assert not counted.failures
