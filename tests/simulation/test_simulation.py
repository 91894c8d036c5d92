"""The simulation in the suite: no violation, the same journals for the same seed, and an oracle that can fail.

``make soak`` plays the rest of the first two thousand, every schedule of one intent, and every bug that is put in;
``pytest -m fuzz tests/simulation`` plays twenty thousand others.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from collections import Counter

import pytest

from tests.simulation.checker import Checker
from tests.simulation.emulated import EmulatedBroker
from tests.simulation.exhaustive import Budget, count
from tests.simulation.mutants import MUTANTS, caught
from tests.simulation.run import CLASSES, complaints, play, run, table, world_of
from tests.simulation.world import NAMES, new_database
from workbench.brokers.port import Idempotency

ROOT = pathlib.Path(__file__).resolve().parents[2]
#: Schedules of the quick suite, in parts that run beside each other; ``test_soak`` goes on with those behind them.
PARTS = [range(first, first + 75) for first in range(0, 600, 75)]
#: Worlds in which somebody deploys beside a position of the other direction.
HELD_BESIDE = ("against", "heirs")
#: Seeds in which the broker refuses the exit that a person asked for: three among the first fifteen hundred do.
EXIT_REFUSED = {609, 1118, 1406}
#: Bugs that the suite puts in, of three kinds, each caught within the first hundred schedules.
SAMPLE = (
    "epoch_unchecked", "cursor_too_early", "resent_blindly", "stops_not_sent", "kill_ignored_at_send",
    "pause_forgotten", "each_part_alone", "accounts_outlive_a_failure",
)  # fmt: skip


@pytest.mark.heavy
@pytest.mark.parametrize("seeds", PARTS, ids=lambda seeds: f"{seeds.start}-{seeds.stop}")
def test_no_schedule_violates_an_invariant(seeds: range) -> None:
    report = run(seeds)
    assert report.schedules == len(seeds)
    assert not report.failures, complaints(report.failures)


def test_the_schedules_of_the_suite_hold_every_kind_of_fault_and_world() -> None:
    driver = new_database()
    outcomes = [play(seed, driver) for seed in range(120)]
    kinds = set().union(*(one.faults for one in outcomes))
    assert kinds >= {
        "crash", "lost", "silent", "late", "not_sent", "reject", "reject_later", "partial", "told_late", "told_twice",
        "blind", "shuffled", "invisible", "busy", "uncertain", "full", "jump", "slow", "bar_late", "bar_missing",
        "bar_twice", "bar_revised", "mute", "takeover", "pause", "kill", "stop",
        "flatten",
    }  # fmt: skip
    assert {one.world for one in outcomes} == set(NAMES)
    assert {one.idempotency for one in outcomes} == set(CLASSES)
    assert sum(one.executions for one in outcomes) > 300


def test_the_schedules_of_the_suite_close_and_hand_over_positions() -> None:
    """What people do to positions is met, with everything that may come of it: else the zeros say nothing of it."""
    driver, done = new_database(), Counter[str]()
    seeds = {seed for seed in range(450) if world_of(seed) in HELD_BESIDE}
    for seed in sorted(seeds | EXIT_REFUSED):
        done.update(play(seed, driver).deeds)
    assert done >= Counter({
        "deployed later": 50, "mismatch": 30, "chose adopt": 10, "chose flatten": 10, "chose stay": 5,
        "transfers": 25, "went on by itself": 5, "flattened": 20, "exit refused": 4, "flattened again": 3,
    })  # fmt: skip
    assert "by hand: " in table(run(range(30)))


def test_what_filled_of_an_order_that_had_ended_is_not_asked_to_be_closed_twice() -> None:
    """Two units filled of an entry that had ended; the exits of eight that we hold close all ten."""
    driver = new_database()
    assert play(100_261, driver).found == []
    told = "SELECT COUNT(*) FROM journal WHERE instr(body, 'unexpected_fill') > 0"
    assert driver.execute(told).fetchone()[0] > 0


def test_who_took_over_and_is_resumed_before_what_left_in_part_is_booked_enters_nothing() -> None:
    """Asked when its target and its forced exit had filled five of ten each, and one of them was not booked."""
    driver = new_database()
    assert play(102_817, driver).found == []
    told = "SELECT answer FROM commands WHERE verb = 'RESUME' AND instr(answer, 'only exits') > 0"
    assert '"done":false' in driver.execute(told).fetchone()[0].replace(" ", "")


def test_an_order_nobody_knew_of_that_fills_when_its_deployment_was_stopped_is_told() -> None:
    driver = new_database()
    assert play(104_461, driver).found == []
    told = "SELECT COUNT(*) FROM deployment_states WHERE runtime_state = 'UNMANAGED_POSITION'"
    assert driver.execute(told).fetchone() == (1,)


def test_a_seed_gives_the_same_journals_twice() -> None:
    driver = new_database()
    first = [play(seed, driver).digest for seed in range(30)]
    assert [play(seed, driver).digest for seed in range(30)] == first
    assert len(set(first)) > 20


@pytest.mark.heavy
def test_a_seed_gives_the_same_journals_in_another_process() -> None:
    command = [sys.executable, "-m", "tests.simulation", "SEEDS=0:24", "WORKERS=1"]
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"journals {run(range(24)).digest}" in done.stdout


@pytest.mark.parametrize(("idempotency", "schedules"), list(zip(CLASSES, (25, 27, 27), strict=True)))
def test_every_single_crash_of_one_intent_is_played(idempotency: Idempotency, schedules: int) -> None:
    counted = count(idempotency, Budget(crashes=1, network=0, takeovers=0))
    assert counted == (schedules, [])


@pytest.mark.parametrize("idempotency", CLASSES)
def test_every_single_fault_of_the_wire_and_every_takeover_is_played(idempotency: Idempotency) -> None:
    for budget in (Budget(0, 1, 0), Budget(0, 0, 1)):
        counted = count(idempotency, budget)
        assert counted.schedules > 10
        assert not counted.failures


def test_the_table_shows_pauses_beside_the_zeros() -> None:
    printed = table(run(range(30)))
    assert all(name.value in printed for name in CLASSES)
    head = printed.splitlines()[0]
    assert "double orders" in head and "lost fills" in head and "mismatches" in head and "paused" in head
    assert "a second" in printed


@pytest.mark.parametrize("name", SAMPLE)
def test_an_injected_bug_is_caught(name: str) -> None:
    mutant = next(one for one in MUTANTS if one.name == name)
    found = caught(mutant, 120)
    assert found is not None, mutant.sentence


def test_at_least_forty_bugs_are_listed_each_with_a_sentence_of_its_own() -> None:
    assert len(MUTANTS) >= 60
    assert len({one.name for one in MUTANTS}) == len({one.sentence for one in MUTANTS}) == len(MUTANTS)
    assert all(one.sentence.endswith(".") for one in MUTANTS)


def test_a_failure_names_its_seed_and_the_command_that_plays_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Checker, "after_turn", lambda self, *_: self.raised(ValueError("a planted failure")))
    report = run(range(4, 5))
    assert [one.seed for one in report.failures] == [4]
    told = complaints(report.failures)
    assert "make simulate SEEDS=4:5" in told and "a planted failure" in told


def test_the_emulated_broker_shares_no_code_with_ours() -> None:
    source = pathlib.Path(sys.modules[EmulatedBroker.__module__].__file__ or "").read_text(encoding="utf-8")
    imported = [line for line in source.splitlines() if line.startswith(("from workbench", "import workbench"))]
    assert imported == ["from workbench.brokers.port import ("]


@pytest.mark.parametrize("name", ["look", "checker", "settled", "decided", "by_hand", "fresh", "paper_book", "at_once"])
def test_the_oracle_imports_nothing_of_the_product(name: str) -> None:
    source = (ROOT / "tests" / "simulation" / f"{name}.py").read_text(encoding="utf-8")
    assert "workbench" not in source


@pytest.mark.fuzz
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("idempotency", CLASSES)
@pytest.mark.parametrize("budget", [Budget(2, 1, 0), Budget(1, 1, 1)], ids=str)
def test_every_schedule_of_three_things_that_go_wrong_is_played(idempotency: Idempotency, budget: Budget) -> None:
    counted = count(idempotency, budget)
    print(f"\n{idempotency.value}, {budget}: {counted.schedules:,} schedules")
    assert counted.schedules > 1_000
    assert not counted.failures


@pytest.mark.fuzz
@pytest.mark.parametrize("idempotency", CLASSES)
def test_twenty_thousand_schedules(idempotency: Idempotency) -> None:
    seeds = range(100_000, 100_000 + 6_667)
    report = run(seeds, idempotency, workers=os.cpu_count() or 1)
    print("\n" + table(report))
    assert not report.failures, complaints(report.failures)
