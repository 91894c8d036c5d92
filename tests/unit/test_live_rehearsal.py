"""Kernels are there before a runner takes a lock: nobody compiles while others wait for them."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import threading

import numba
import pytest

import workbench as wb
from tests.operated import CASH, COSTS, folder
from tests.watched import Watched, watched
from workbench.journal.store import Store
from workbench.live import process, rehearsal
from workbench.live.deploy import Wish, deploy
from workbench.live.facts import holder_of
from workbench.live.lease import FileLease
from workbench.market import samples

__all__ = ["folder", "watched"]

NAMES = ("NSE:AAA", "NSE:BBB")
BEGIN, END = "2022-01-03", "2022-01-07"

#: Everything compiled or loaded so far; what a runner does to stored bars after its rehearsal, and what that added.
CHILD = """
import gc, sys
from numba.core.dispatcher import Dispatcher
from workbench.live.__main__ import main
from workbench.live.rehearsal import rehearse

def compiled():
    there = [one for one in gc.get_objects() if isinstance(one, Dispatcher)]
    return {f"{one.py_func.__module__}.{one.__name__}{kind}" for one in there for kind in one.overloads}

if sys.argv[1] == "rehearsed":
    rehearse(print)
before = compiled()
code = main(sys.argv[2:])
print("code", code, "new", sorted(compiled() - before))
"""


def several() -> list[wb.Strategy]:
    """Strategies that take the ways a runner has: every kind of stop, both directions, groups, coarser bars."""
    common = {"version": "1.0.0", "calendar": "NSE", "sizing": wb.PercentOfEquity(0.3)}
    kinds = (
        {"timeframe": "5m", "product": "MIS", "entry": "close > SMA(close, 6)", "exit": "RSI(4) > 65",
         "stop_loss_frac": 0.003, "take_profit_frac": 0.005, "instruments": NAMES[:1]},
        {"timeframe": "15m", "product": "MARGIN", "direction": "BOTH", "entry": "close CROSSES_ABOVE EMA(9, '30m')",
         "exit": "close CROSSES_BELOW EMA(9)", "short_entry": "close CROSSES_BELOW EMA(9)",
         "short_exit": "close CROSSES_ABOVE EMA(9)", "stop_loss_atr": 1.0, "instruments": NAMES[1:]},
        {"timeframe": "10m", "product": "MIS", "entry": "RSI(5) < 45", "exit": "RSI(5) > 55", "instruments": NAMES,
         "trailing_stop_frac": 0.004, "allocation": "RANKING", "rank": "ROC(3)", "max_open_positions": 1,
         "stop_loss_frac": 0.01},
        {"timeframe": "1d", "product": "CNC", "entry": "close > 0", "exit": "close < 0", "instruments": NAMES[:1],
         "execution": "proxy_close", "max_drawdown_frac": 0.1},
    )  # fmt: skip
    return [wb.Strategy(name=f"s{i}", **common, **kind) for i, kind in enumerate(kinds)]


@pytest.mark.soak
@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled at all")
def test_after_the_rehearsal_a_runner_compiles_and_loads_nothing(folder: pathlib.Path) -> None:
    data = {name: samples.synthetic(seed=i, start=BEGIN, end=END) for i, name in enumerate(NAMES)}
    files = [f"{name}={folder / name[4:]}_5m.csv" for name in NAMES]
    for name, bars in data.items():
        bars.frame.to_csv(folder / f"{name[4:]}_5m.csv")
    with Store.open(folder / "w.db") as store:
        for one in several():
            deploy(store, Wish(one, {name: data[name] for name in one.instruments}, COSTS, CASH, 0), 0)
    content = (folder / "w.db").read_bytes()
    arguments = ["--database", str(folder / "w.db"), "--replay-from", BEGIN, "--bars", *files]
    for how in ("rehearsed", "not rehearsed"):
        (folder / "w.db").write_bytes(content)
        run = [sys.executable, "-c", CHILD, how, *arguments]
        output = subprocess.run(run, capture_output=True, text=True, check=True).stdout
        assert "runs 4 deployments" in output and "code 0" in output, output
        told = output.splitlines()[-1]
        # Without a rehearsal the same look finds dozens: it is one that can find something.
        assert (told == "code 0 new []") == (how == "rehearsed") and ("feed_many" in told) == (how != "rehearsed"), told


def test_nothing_is_locked_while_kernels_are_compiled(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[tuple[str, bool]] = []

    def look(_: object) -> None:
        lock = FileLease(pathlib.Path(watched.url))
        with watched.client.store.read() as connection:
            found.append((holder_of(connection).name, lock.acquire()))
        lock.release()

    monkeypatch.setattr(process, "rehearse", look)
    watched.on_take[1] = lambda: look(None)
    assert watched.serve() == process.Exit.DONE
    (before, was_free), (during, is_free) = found
    assert (before, was_free) == ("", True)
    assert during != "" and not is_free


def test_who_compiles_for_long_says_so_once_and_who_does_not_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    said, is_said = list[str](), threading.Event()

    def say(text: str) -> None:
        said.append(text)
        is_said.set()

    rehearsal.rehearse(say)
    assert said == []
    monkeypatch.setattr(rehearsal, "LEASE_NS", 1)
    monkeypatch.setattr(rehearsal, "_play", lambda: is_said.wait(30.0))
    rehearsal.rehearse(say)
    assert len(said) == 1 and "compiles its kernels" in said[0]
