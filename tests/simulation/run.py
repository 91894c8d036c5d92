"""Schedules by the thousand: play, count, print; a failure says how to see it again.

The class of the broker goes with the seed (seed modulo three), and so does where it is (every fourth plays the paper
broker), so that a seed alone names a schedule.
"""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from typing import NamedTuple

from tests.simulation.checker import Violation
from tests.simulation.faults import Dice, Plan
from tests.simulation.machine import Machine
from tests.simulation.undisturbed import check_replayed, check_undisturbed, must_be_undisturbed
from tests.simulation.world import BAR_NS, NAMES, new_database, parsed_once, world
from workbench.brokers.port import Idempotency
from workbench.live.feed import ClosedBar

CLASSES = tuple(Idempotency)
#: Of so many seeds one plays the product's own paper broker.
ONE_ON_PAPER = 4
#: Seeds that a worker takes at once.
CHUNK = 30
#: Failures that are printed.
SHOWN = 20


class Outcome(NamedTuple):
    """What became of one schedule.

    Attributes
    ----------
    found : list of Violation
        What must not be; empty when all is well.
    faults : dict of str to int
        What went wrong on purpose, by kind.
    deeds : dict of str to int
        What people did to positions, by kind.
    orders, executions : int
        At the broker.
    intents, operator : int
        All, and those that wait for a person at the end.
    paused, deployments : int
        Deployments that wait for a person at the end, and all.
    digest : str
        Of every journal.
    events : list of str
        The story, for whoever reads a failure.
    is_paper, is_undisturbed : bool
        Whether it played the paper broker, and was compared with a schedule in which nothing goes wrong.
    """

    seed: int
    idempotency: Idempotency
    world: str
    found: list[Violation]
    faults: dict[str, int]
    deeds: dict[str, int]
    orders: int
    executions: int
    intents: int
    operator: int
    paused: int
    deployments: int
    digest: str
    events: list[str]
    is_paper: bool
    is_undisturbed: bool


def class_of(seed: int) -> Idempotency:
    """Class of the broker of a seed."""
    return CLASSES[seed % len(CLASSES)]


def is_on_paper(seed: int) -> bool:
    """Whether a seed plays the product's own paper broker."""
    return seed % ONE_ON_PAPER == 0


def _plan(seed: int, broker: Idempotency) -> tuple[str, Plan]:
    """World and plan: what is drawn first."""
    source = random.Random(f"{seed} {broker.value} plan")
    name = source.choice(NAMES)
    return name, Plan.drawn_of_paper(source) if is_on_paper(seed) else Plan.drawn(source)


def world_of(seed: int) -> str:
    """Name of the world of a seed."""
    return _plan(seed, class_of(seed))[0]


def play(
    seed: int, driver: sqlite3.Connection, idempotency: Idempotency | None = None, ambiguity: float = 1.0
) -> Outcome:
    """Play one schedule.

    Parameters
    ----------
    seed : int
        Of everything that is drawn.
    driver : sqlite3.Connection
        A database whose content is replaced.
    idempotency : Idempotency, optional
        Of the broker, if not the seed's own.
    ambiguity : float
        How often requests are lost and processes end, against the plan: 1 is brutal, 0.01 a bad day.
    """
    broker = idempotency or class_of(seed)
    name, plan = _plan(seed, broker)
    dice = Dice(plan.scaled(ambiguity), random.Random(f"{seed} {broker.value} faults"), BAR_NS)
    bars = world(name).bars(random.Random(f"{seed} {broker.value} market"))
    machine = Machine(world(name), dice, broker, bars, driver, is_on_paper(seed))
    with parsed_once():
        is_undisturbed = played(machine, bars)
    checker = machine.checker
    paused, operator = checker.paused()
    intents = driver.execute("SELECT COUNT(*) FROM intents").fetchone()[0]
    orders = sum(len(book.orders) for book in machine.broker.books.values())
    return Outcome(
        seed, broker, name, checker.found, machine.dice.drawn, checker.deeds(), orders, len(machine.broker.executions),
        intents, operator, paused, len(machine.world.idents), checker.digest(), machine.events, machine.is_paper,
        is_undisturbed,
    )  # fmt: skip


def played(machine: Machine, bars: dict[str, list[ClosedBar]]) -> bool:
    """Play a schedule to its end; whether it was compared with one without faults."""
    machine.play()
    if machine.is_paper and not machine.checker.is_lost():
        check_replayed(machine)
    if not must_be_undisturbed(machine):
        return False
    check_undisturbed(machine, bars)
    return True


@dataclass
class Tally:
    """Sums over schedules of one class of broker."""

    schedules: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)
    orders: int = 0
    executions: int = 0
    intents: int = 0
    operator: int = 0
    paused: int = 0
    deployments: int = 0
    paper: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)

    def add(self, one: Outcome) -> None:
        """Count one schedule."""
        self.schedules += 1
        self.faults.update(one.faults)
        self.deeds.update(one.deeds)
        if one.is_paper:
            self.paper.update(schedules=1, undisturbed=one.is_undisturbed, fills=one.executions, **one.faults)
        self.found.update({violation.invariant for violation in one.found})
        for name in ("orders", "executions", "intents", "operator", "paused", "deployments"):
            setattr(self, name, getattr(self, name) + getattr(one, name))


@dataclass
class Report:
    """Everything that a run found."""

    tallies: dict[Idempotency, Tally] = field(default_factory=lambda: {one: Tally() for one in CLASSES})
    failures: list[Outcome] = field(default_factory=list)
    digest: str = ""
    seconds: float = 0.0
    cpu_s: float = 0.0

    @property
    def schedules(self) -> int:
        """How many were played."""
        return sum(one.schedules for one in self.tallies.values())


def _of_seeds(seeds: Sequence[int], idempotency: Idempotency | None, ambiguity: float) -> list[Outcome]:
    """Play some seeds in this process; the story is kept of failures alone."""
    driver = new_database()
    found = [play(seed, driver, idempotency, ambiguity) for seed in seeds]
    return [one if one.found else one._replace(events=[]) for one in found]


def run(seeds: range, idempotency: Idempotency | None = None, ambiguity: float = 1.0, workers: int = 1) -> Report:
    """Play seeds and count.

    Parameters
    ----------
    seeds : range
        Which.
    idempotency : Idempotency, optional
        One class for all of them.
    ambiguity : float
        As of ``play``.
    workers : int
        Processes.

    Returns
    -------
    Report
        Its ``failures`` are in the order of seeds.
    """
    report, digest, began = Report(), hashlib.blake2b(digest_size=8), time.perf_counter()
    for one in _outcomes(seeds, idempotency, ambiguity, workers):
        report.tallies[one.idempotency].add(one)
        digest.update(one.digest.encode())
        if one.found:
            report.failures.append(one)
    report.digest, report.seconds = digest.hexdigest(), time.perf_counter() - began
    report.cpu_s = sum(os.times()[:4])
    return report


def _outcomes(seeds: range, idempotency: Idempotency | None, ambiguity: float, workers: int) -> Iterator[Outcome]:
    chunks = [seeds[at : at + CHUNK] for at in range(0, len(seeds), CHUNK)]
    if workers <= 1:
        for chunk in chunks:
            yield from _of_seeds(chunk, idempotency, ambiguity)
        return
    with ProcessPoolExecutor(workers) as pool:
        for found in pool.map(_of_seeds, chunks, repeat(idempotency), repeat(ambiguity)):
            yield from found


COLUMNS = ("double orders", "lost fills", "mismatches", "bad entries", "unprotected", "other")
_COLUMN_OF = {"I1": 0, "I2": 1, "I3": 2, "I4": 3, "I6": 3, "I7": 4, "I13": 2}


def table(report: Report) -> str:
    """The zeros, and beside them what they cost: how often a person is asked."""
    head = ["class", "schedules", "faults", "crashes", "orders", "fills", *COLUMNS, "paused", "to operator"]
    rows = [head]
    for name, one in report.tallies.items():
        if not one.schedules:
            continue
        columns = [0] * len(COLUMNS)
        for invariant, count in one.found.items():
            columns[_COLUMN_OF.get(invariant, len(COLUMNS) - 1)] += count
        asked = f"{one.paused / one.deployments:.1%}"
        intents = f"{one.operator / max(one.intents, 1):.2%}"
        cells = [one.schedules, one.faults.total(), one.faults["crash"], one.orders, one.executions, *columns]
        rows.append([name.value, *map(str, cells), asked, intents])
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    kinds = sum((one.faults for one in report.tallies.values()), Counter[str]())
    lines.append("faults: " + ", ".join(f"{name} {count:,}" for name, count in sorted(kinds.items())))
    done = sum((one.deeds for one in report.tallies.values()), Counter[str]())
    paper = sum((one.paper for one in report.tallies.values()), Counter[str]())
    lines.append(
        f"on the paper broker: {paper['schedules']:,} schedules, {paper['fills']:,} fills, {paper['crash']:,} crashes; "
        f"{paper['undisturbed']:,} were to be, and compared with, what is kept without a fault"
    )
    lines.append("by hand: " + ", ".join(f"{name} {count:,}" for name, count in sorted(done.items())))
    rate = report.schedules / report.seconds
    lines.append(
        f"{report.schedules:,} schedules in {report.seconds:.1f} s, {rate:.0f} a second; journals {report.digest}"
    )
    return "\n".join(lines)


def complaints(failures: Iterable[Outcome], stories: bool = False) -> str:
    """What failed, and the command that shows it again."""
    lines = []
    for one in list(failures)[:SHOWN]:
        again = "" if one.idempotency is class_of(one.seed) else f" CLASS={one.idempotency.value}"
        lines.append(
            f"seed {one.seed} {one.idempotency.value} {one.world}: make simulate SEEDS={one.seed}:{one.seed + 1}{again}"
        )
        lines += [f"    {violation.invariant} {violation.what}" for violation in one.found[:5]]
        if stories:
            lines += [f"    {event}" for event in one.events]
    return "\n".join(lines)
