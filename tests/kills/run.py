"""Kill the runner's process again and again until it has traded all its bars; then all must be as if nothing was.

``python -m tests.kills sqlite 200``: a database, some deployments, the process ``python -m workbench.live`` replaying
stored bars as fast as it goes; SIGKILL at a random moment, start again, until it ends by itself. The number of kills
asked for must have been reached. Then each deployment is compared with its backtest, and its journal is replayed.
"""

from __future__ import annotations

import pathlib
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pandas as pd

import workbench as wb
from tests.kills import books
from tests.paper_run import differences
from workbench.journal.store import Store
from workbench.live.deploy import Wish, deploy
from workbench.live.replay import find, replayed
from workbench.market import samples

CASH = 1_000_000.0
COSTS = wb.costs.bps(2.0, 3.0)
NAME = "NSE:SAMPLE"


class Tally(NamedTuple):
    """What a run of kills came to."""

    kills: int
    deployments: int
    fills: int
    rows: int
    violations: list[str]


def strategies(count: int) -> list[wb.Strategy]:
    """Strategies that trade often: every kill should find something under way."""
    common = {"version": "1.0.0", "instruments": (NAME,), "calendar": "NSE", "sizing": wb.PercentOfEquity(0.5)}
    kinds = (
        {"timeframe": "5m", "product": "MIS", "entry": "close > SMA(close, 6)", "exit": "RSI(4) > 65",
         "stop_loss_frac": 0.003, "take_profit_frac": 0.005},
        {"timeframe": "15m", "product": "CNC", "entry": "RSI(5) < 45", "exit": "RSI(5) > 55",
         "trailing_stop_frac": 0.004},
        {"timeframe": "5m", "product": "MARGIN", "direction": "BOTH", "entry": "close CROSSES_ABOVE EMA(9)",
         "exit": "close CROSSES_BELOW EMA(9)", "short_entry": "close CROSSES_BELOW EMA(9)",
         "short_exit": "close CROSSES_ABOVE EMA(9)", "stop_loss_frac": 0.006},
    )  # fmt: skip
    return [wb.Strategy(name=f"s{i}", **common, **kinds[i % len(kinds)]) for i in range(count)]


def killed(url: str, folder: pathlib.Path, kills: int, seed: int, say: Callable[[str], None]) -> Tally:
    """Deploy, kill until done, judge."""
    sessions = max(3, kills // 2)
    end = pd.Timestamp("2022-01-03") + pd.Timedelta(days=sessions * 7 // 5 + 3)
    bars = samples.synthetic(seed=seed, start="2022-01-03", end=str(end.date()))
    path = folder / "SAMPLE_5m.parquet"
    bars.frame.reset_index().to_parquet(path)
    asked = strategies(6)
    with Store.open(url) as store:
        names = [deploy(store, Wish(one, {NAME: bars}, COSTS, CASH, 0), 0) for one in asked]
    done = _until_it_ends(url, path, random.Random(seed), kills, say)
    violations, fills, rows = list[str](), 0, 0
    with Store.open(url) as store:
        for strategy, ident in zip(asked, names, strict=True):
            result = wb.backtest(strategy, bars, CASH, COSTS)
            fills += len(result.fills)
            violations += [f"{strategy.name}: {text}" for text in differences(store, ident, result)]
            violations += [f"{strategy.name}: {text}" for text in books.faults(store, ident)]
            with store.read() as connection:
                verdict = replayed(connection, find(connection, ident, "local"))
            rows += verdict.rows
            violations += [f"{strategy.name}: {text}" for text in verdict.differences]
    return Tally(done, len(asked), fills, rows, violations)


def _until_it_ends(url: str, path: pathlib.Path, drawn: random.Random, kills: int, say: Callable[[str], None]) -> int:
    """How often it was killed before it ended by itself."""
    stored = ["--replay-from", "2022-01-03", "--bars", str(path)]
    command = [sys.executable, "-m", "workbench.live", "--database", url, *stored]
    done = 0
    while True:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done < kills:
            _begins(process)
        if done < kills and _alive_for(process, drawn.uniform(0.0, 0.6)):
            process.send_signal(signal.SIGKILL)
            process.wait()
            done += 1
            if done % 20 == 0:
                say(f"{done} kills")
            continue
        output, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"the process ended with {process.returncode}:\n{output}")
        return done


def _begins(process: subprocess.Popen[str]) -> None:
    """Wait for its first word, which it says when the database is open."""
    assert process.stdout is not None
    process.stdout.readline()


def _alive_for(process: subprocess.Popen[str], seconds: float) -> bool:
    """Whether it still runs after some seconds."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


@contextmanager
def database(kind: str) -> Iterator[tuple[str, pathlib.Path]]:
    """A fresh database of a kind, and a folder."""
    with tempfile.TemporaryDirectory() as text:
        folder = pathlib.Path(text)
        if kind == "sqlite":
            yield str(folder / "kills.db"), folder
            return
        from tests.postgres import new_database

        yield new_database(is_empty=True), folder
