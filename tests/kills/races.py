"""Kills against entries that are being sent: the real flag and the real process, and another one that kills.

``python -m tests.kills races 10000``: a runner replays stored bars as fast as it goes, with deployments that enter at
almost every bar and a wire that takes up to some milliseconds. Another process puts the kill switch down at a random
moment, waits for its word that this is done, arms it again, and so on; sometimes the database is locked meanwhile.
Afterwards the instants are laid beside each other: no entry may have been on the wire after the word.
"""

from __future__ import annotations

import contextlib
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import pandas as pd

import workbench as wb
from workbench.journal.store import Store
from workbench.live.deploy import Wish, deploy
from workbench.live.killswitch import Kill, KillSwitch
from workbench.live.places import places_of_url
from workbench.market import samples
from workbench.market.bars import Bars

NAME = "NSE:SAMPLE"
BEGIN = "2022-01-03"
#: How long the wire takes at most, the switch is up at most and down at most, and the database is locked at most.
WIRE_S, UP_S, DOWN_S, LOCKED_S = 0.003, 0.012, 0.004, 0.2
#: Kills of one run of the process, on a database of its own.
LEG = 1000


class Race(NamedTuple):
    """One kill, by the clock that never goes back: asked, acknowledged, lifted.

    Attributes
    ----------
    is_settled : bool
        Whether it said that nothing is on its way.
    is_locked : bool
        Whether somebody kept the database locked when it was asked.
    """

    asked_ns: int
    done_ns: int
    lifted_ns: int
    is_settled: bool
    is_locked: bool = False


class Batch(NamedTuple):
    """Entries sent together: when the broker was called, when what it took was kept, and how many they were."""

    begun_ns: int
    ended_ns: int
    entries: int


class Raced(NamedTuple):
    """What a run of races came to."""

    races: list[Race]
    batches: list[Batch]
    entries: int
    met: int
    unsettled: int
    late: list[str]

    def latency_ms(self, share: float) -> float:
        """Milliseconds from a kill to the word that it holds, below which a share of them stays."""
        taken = sorted(one.done_ns - one.asked_ns for one in self.races)
        return taken[min(len(taken) - 1, int(share * len(taken)))] / 1e6


def judged(races: Sequence[Race], batches: Sequence[Batch]) -> Raced:
    """Lay kills and entries beside each other: what was on the wire while it must not have been."""
    starts, late, met = [one.asked_ns for one in races], list[str](), set[int]()
    for batch in batches:
        # The last kill that was asked before the answer came: the ones before it had been lifted.
        place = bisect_right(starts, batch.ended_ns) - 1
        if place < 0:
            continue
        race = races[place]
        if batch.begun_ns < race.done_ns:
            met.add(place)
        if race.is_settled and race.done_ns < batch.ended_ns and batch.begun_ns < race.lifted_ns:
            after_ms = (batch.ended_ns - race.done_ns) / 1e6
            late.append(f"kill {place}: {batch.entries} entries on the wire until {after_ms:.3f} ms after its word")
    unsettled = sum(not one.is_settled for one in races)
    return Raced(list(races), list(batches), sum(one.entries for one in batches), len(met), unsettled, late)


def raced(kills: int, seed: int, say: Callable[[str], None], is_waiting: bool = True) -> Raced:
    """Kill so often; ``is_waiting`` False leaves out that a kill waits for what is being sent, to see it matter."""
    drawn, races, batches = random.Random(seed), list[Race](), list[Batch]()
    while len(races) < kills:
        with tempfile.TemporaryDirectory() as folder:
            made, noted = _leg(pathlib.Path(folder), min(LEG, kills - len(races)), drawn, is_waiting)
        races += made
        batches += noted
        say(f"{len(races)} kills")
    return judged(races, batches)


def strategies() -> list[wb.Strategy]:
    """A dozen that enter whenever they are flat and a bar rose, and leave when one fell."""
    return [
        wb.Strategy(
            name=f"s{i}", version="1.0.0", instruments=(NAME,), calendar="NSE", timeframe="5m", product="MARGIN",
            entry="close > LAG(close, $n)", exit="close < LAG(close, $n)", params={"n": 1 + i}, sizing=wb.FixedQty(1),
        )
        for i in range(12)
    ]  # fmt: skip


def _leg(folder: pathlib.Path, kills: int, drawn: random.Random, is_waiting: bool) -> tuple[list[Race], list[Batch]]:
    end = pd.Timestamp(BEGIN) + pd.Timedelta(days=20 + kills // 4)
    bars = samples.synthetic(seed=drawn.randrange(2**31), start=BEGIN, end=str(end.date()))
    path, database, noted = folder / "SAMPLE_5m.parquet", folder / "races.db", folder / "entries"
    bars.frame.reset_index().to_parquet(path)
    _deployed(database, bars)
    stored = ["--replay-from", BEGIN, "--bars", str(path)]
    recorded = [sys.executable, "-m", "tests.kills.recorded", str(noted), str(WIRE_S)]
    with (folder / "said").open("w") as said:
        process = subprocess.Popen([*recorded, "--database", str(database), *stored], stdout=said, stderr=said)
        try:
            while not noted.exists() or not noted.stat().st_size:
                if process.poll() is not None:
                    raise RuntimeError(f"the process ended:\n{(folder / 'said').read_text()}")
                time.sleep(0.01)
            with _locked_at_times(database, drawn.randrange(2**31)) as held:
                races = list(_races(places_of_url(str(database)).flag, kills, drawn, process, is_waiting, held))
        finally:
            process.kill()
            process.wait()
    lines = noted.read_text().splitlines()
    return races, [Batch(*map(int, line.split())) for line in lines]


def _deployed(database: pathlib.Path, bars: Bars) -> None:
    with Store.open(database) as store:
        for one in strategies():
            deploy(store, Wish(one, {NAME: bars}, wb.costs.none(), 1e6, 0), 0)


def _races(
    flag: pathlib.Path,
    kills: int,
    drawn: random.Random,
    process: subprocess.Popen[bytes],
    is_waiting: bool,
    held: threading.Event,
) -> Iterable[Race]:
    switch = KillSwitch(flag)
    for number in range(kills):
        time.sleep(drawn.uniform(0.0, UP_S))
        if process.poll() is not None:
            return
        asked, is_locked = time.monotonic_ns(), held.is_set()
        kill = switch.kill(Kill("local", "", "races", str(number), time.time_ns()))
        is_settled = switch.settled() if is_waiting else True
        done = time.monotonic_ns()
        time.sleep(drawn.uniform(0.0, DOWN_S))
        lifted = time.monotonic_ns()
        switch.arm(kill.owner, kill.name, kill.when_ns)
        yield Race(asked, done, lifted, is_settled, is_locked)


@contextlib.contextmanager
def _locked_at_times(database: pathlib.Path, seed: int) -> Iterator[threading.Event]:
    """Another program that keeps the whole database to itself for a moment, every second or so; set while it does."""
    held, ended, drawn = threading.Event(), threading.Event(), random.Random(seed)

    def lock_again_and_again() -> None:
        other = sqlite3.connect(database, isolation_level=None, timeout=5.0)
        while not ended.wait(drawn.uniform(0.2, 1.5)):
            with contextlib.suppress(sqlite3.OperationalError):
                other.execute("BEGIN EXCLUSIVE")
                held.set()
                ended.wait(drawn.uniform(0.0, LOCKED_S))
                held.clear()
                other.execute("ROLLBACK")
        other.close()

    thread = threading.Thread(target=lock_again_and_again)
    thread.start()
    try:
        yield held
    finally:
        ended.set()
        thread.join()
