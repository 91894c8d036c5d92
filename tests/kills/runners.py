"""Two runners on one database: one acts, one waits, and whoever was taken over never acts again.

``python -m tests.kills runners-postgresql 20``: a runner holds the database and another one waits. The holder is
stopped (SIGSTOP) at a random moment, also inside a transaction or in the middle of a message, for longer than its lease
lasts. On PostgreSQL the other one takes over; then the first goes on (SIGCONT): it must write nothing more and end with
the code of one that was taken over. Every row that anybody writes is noted by triggers in the database, with the name
of the process. On SQLite the lock of the file keeps the other one out while the first lives, also when it stands still:
it takes over when the first is killed, not before.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import NamedTuple, Self

import pandas as pd
import sqlalchemy as sa

import workbench as wb
from tests.kills import books
from tests.kills.run import CASH, COSTS, NAME, strategies
from tests.paper_run import differences
from workbench.errors import RetryableError
from workbench.journal import tables
from workbench.journal.store import Store
from workbench.live.deploy import Wish, deploy
from workbench.market import samples
from workbench.market.bars import Bars

BEGIN = "2022-01-03"
#: Long enough for a margin before its end in which nothing is sent.
LEASE_S = 8.0
#: Virtual seconds a second: a session and its night take some seconds.
SPEED = 15_000

#: What a process says once it holds the database.
RUNS = "Z runs 3 deployments: "

_NOTES = """
CREATE TABLE noted (id bigserial PRIMARY KEY, process text NOT NULL, tab text NOT NULL);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO noted (process, tab) VALUES (current_setting('application_name'), TG_TABLE_NAME); RETURN NULL;
END $$;
"""
_NOTE = "CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW EXECUTE FUNCTION note()"
_FIRST = "SELECT min(id) FROM noted WHERE process = :name AND tab = 'leases'"
_AFTER = "SELECT tab, count(*) AS rows FROM noted WHERE process = :name AND id > :since GROUP BY tab"


class Turns(NamedTuple):
    """What rounds of two runners came to."""

    rounds: int
    taken_over: int
    fills: int
    violations: list[str]


class Running:
    """A process, and what it said so far."""

    def __init__(self, name: str, url: str, path: pathlib.Path, speed: str) -> None:
        self.name, self.said = name, list[str]()
        at = f"{url}&application_name={name}" if "://" in url else url
        stored = ["--replay-from", BEGIN, "--bars", str(path), "--speed", speed]
        command = [sys.executable, "-u", "-m", "tests.kills.leased", str(LEASE_S), "--database", at, *stored]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)

    def says(self, text: str, seconds: float = 60.0) -> Self:
        """Wait until it said something."""
        until = time.monotonic() + seconds
        while not any(text in line for line in self.said):
            if time.monotonic() > until or self.process.poll() is not None:
                raise AssertionError(f"{self.name} never said {text!r}:\n{''.join(self.said)}")
            time.sleep(0.01)
        return self

    def runs(self) -> bool:
        """Whether it has said that it runs deployments."""
        return any(RUNS in line for line in self.said)

    def stop(self) -> None:
        """Let it stand still; it does when this returns."""
        os.kill(self.process.pid, signal.SIGSTOP)
        state = pathlib.Path(f"/proc/{self.process.pid}/stat")
        while state.exists() and state.read_text().rpartition(")")[2].split()[0] != "T":
            time.sleep(0.001)

    def go_on(self) -> None:
        """Let it go on."""
        os.kill(self.process.pid, signal.SIGCONT)

    def ended(self, seconds: float = 60.0) -> int:
        """Its exit code, when it has ended."""
        code = self.process.wait(seconds)
        self._reader.join()
        return code

    def end(self) -> None:
        """Make sure that it is gone."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Rounds:
    """Rounds on one database.

    Parameters
    ----------
    url : str
        An empty database.
    folder : Path
        For files.
    rounds : int
        For how many there are bars.
    seed : int
        Of bars and moments.
    """

    def __init__(self, url: str, folder: pathlib.Path, rounds: int, seed: int) -> None:
        self.url, self.path, self.drawn = url, folder / "SAMPLE_5m.parquet", random.Random(seed)
        days = 4 + 5 * rounds
        end = pd.Timestamp(BEGIN) + pd.Timedelta(days=days)
        self.bars: Bars = samples.synthetic(seed=seed, start=BEGIN, end=str(end.date()))
        self.bars.frame.reset_index().to_parquet(self.path)
        self.store = Store.open(url)
        self.idents = [deploy(self.store, Wish(one, {NAME: self.bars}, COSTS, CASH, 0), 0) for one in strategies(3)]
        self.started = list[Running]()
        self.violations = list[str]()
        self.taken_over = 0
        if self.store.path is None:
            with self.store.write() as connection:
                connection.execute(sa.text(_NOTES))
                for table in tables.metadata.tables:
                    connection.execute(sa.text(_NOTE.format(table)))

    def start(self, speed: str = str(SPEED)) -> Running:
        """One more process."""
        made = Running(f"r{len(self.started)}", self.url, self.path, speed)
        self.started.append(made)
        return made

    def blame(self, text: str) -> None:
        """Write down what must not be."""
        self.violations.append(text)

    def both(self) -> tuple[Running, Running]:
        """One that runs, and one that waits."""
        first = self.start().says(RUNS)
        self.acts(first)
        return first, self.start().says("waiting: ")

    def acts(self, one: Running) -> None:
        """Wait until who runs lets instants pass: a process that begins may be busy for as long as its lease lasts."""
        jobs, until = sa.select(sa.func.count()).select_from(tables.jobs), time.monotonic() + 60.0
        before = None
        while True:
            with contextlib.suppress(RetryableError), self.store.read() as connection:
                now = connection.scalar(jobs)
                if before is not None and now > before:
                    return
                before = now if before is None else before
            if time.monotonic() > until or one.process.poll() is not None:
                raise AssertionError(f"{one.name} does nothing:\n{''.join(one.said)}")
            time.sleep(0.05)

    def on_server(self, first: Running, second: Running) -> None:
        """One round on PostgreSQL."""
        time.sleep(self.drawn.uniform(0.0, 1.5))
        first.stop()
        second.says(RUNS, 60.0 + 2 * LEASE_S)
        self.taken_over += 1
        time.sleep(self.drawn.uniform(0.0, 0.5))
        first.go_on()
        if (code := first.ended()) != 3:
            self.blame(f"{first.name} ended with {code} after it was taken over: {''.join(first.said[-3:])}")
        if second.process.poll() is not None:
            raise AssertionError(f"{second.name} ended too early:\n{''.join(second.said)}")
        self.violations += self.written_after(first, second)

    def written_after(self, first: Running, second: Running) -> list[str]:
        """What a process wrote after another one had taken over."""
        with self.store.read() as connection:
            since = connection.execute(sa.text(_FIRST), {"name": second.name}).scalar_one()
            rows = connection.execute(sa.text(_AFTER), {"name": first.name, "since": since}).all()
        return [f"{first.name} wrote {row.rows} rows of {row.tab} after {second.name} had taken over" for row in rows]

    def on_file(self, first: Running, second: Running, goes_on: bool) -> None:
        """One round on SQLite; ``goes_on`` says whether the first one does before it is killed."""
        time.sleep(self.drawn.uniform(0.0, 1.5))
        first.stop()
        content = self.read_bytes()
        time.sleep(LEASE_S + 2.0)
        if second.runs() or self.read_bytes() != content:
            self.blame(f"{second.name} acted while {first.name} stood still")
        if goes_on:
            first.go_on()
            time.sleep(1.0)
            if first.process.poll() is not None or second.runs():
                self.blame(f"{first.name} did not go on after it had stood still: {''.join(first.said[-3:])}")
            if self.read_bytes() == content:
                self.blame(f"{first.name} does nothing after it had stood still")
        first.end()
        second.says(RUNS)
        self.taken_over += 1

    def read_bytes(self) -> bytes:
        """The database as it is on the disk."""
        assert self.store.path is not None
        return self.store.path.read_bytes()

    def ended_well(self, last: Running) -> None:
        """Ask who holds to end, and look at the books."""
        last.process.send_signal(signal.SIGTERM)
        if last.ended() != 0:
            self.blame(f"{last.name} did not end well: {''.join(last.said[-3:])}")
        for ident in self.idents:
            self.violations += books.faults(self.store, ident)

    def judge(self) -> int:
        """Trade the rest of the bars, and compare all with the backtest; the number of fills."""
        final, fills = self.start("max"), 0
        if final.ended(500.0) != 0:
            self.blame(f"{final.name} did not end well: {''.join(final.said[-3:])}")
        for strategy, ident in zip(strategies(3), self.idents, strict=True):
            result = wb.backtest(strategy, self.bars, CASH, COSTS)
            fills += len(result.fills)
            found = [*differences(self.store, ident, result), *books.faults(self.store, ident)]
            self.violations += [f"{strategy.name}: {text}" for text in found]
        return fills

    def close(self) -> None:
        """End whatever runs."""
        for one in self.started:
            one.end()
        self.store.close()


def taken_over(url: str, folder: pathlib.Path, rounds: int, seed: int, say: Callable[[str], None]) -> Turns:
    """Rounds of two runners on an empty database."""
    at = Rounds(url, folder, rounds, seed)
    try:
        first, second = at.both()
        for number in range(rounds):
            if number:
                at.acts(first)
                second = at.start().says("waiting: ")
            if at.store.path is None:
                at.on_server(first, second)
            else:
                at.on_file(first, second, goes_on=number % 2 == 0)
            first = second
            say(f"round {number + 1}")
        at.ended_well(first)
        return Turns(rounds, at.taken_over, at.judge(), at.violations)
    finally:
        at.close()
