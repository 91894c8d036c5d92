"""The process: its locks, its loop, how it ends, and what a SIGKILL leaves to the next one."""

from __future__ import annotations

import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from pandas.testing import assert_frame_equal

from tests.command_line import write_csv
from tests.operated import CASH, COSTS, START, folder, strategy
from tests.postgres import new_database
from tests.watched import DATA, Watched, watched
from workbench.errors import ConfigError, HaltError, RetryableError
from workbench.journal import migrations, tables
from workbench.journal.store import Store
from workbench.live import __main__, process
from workbench.live.executor import Executor
from workbench.live.exit_codes import Exit
from workbench.live.facts import RUNNER, holder_of
from workbench.live.launch import Launch
from workbench.live.lease import FileLease, Lease
from workbench.live.service import Pace
from workbench.live.sources import FolderSource, ReplaySource
from workbench.live.wall import Ending, PacedClock, Wake, WallClock, machine_name
from workbench.market.bars import Bars
from workbench.research.backtest import backtest

__all__ = ["folder", "watched"]


def raising(error: Exception) -> Callable[[], None]:
    """A call that raises."""

    def call() -> None:
        raise error

    return call


# --- how it runs and ends ---------------------------------------------------------------------------------------------


def test_P1_stored_bars_through_the_process_are_a_backtest(watched: Watched) -> None:
    assert watched.serve() == Exit.DONE
    assert watched.said("runs 1 deployment: dip") and watched.said("the bars are at their end")
    assert watched.said("dip: RUNNING") and watched.said("strategy bars")
    assert watched.equals_backtest()
    with watched.client.store.read() as connection:
        assert holder_of(connection).name == ""


def test_P1_what_goes_wrong_in_passing_is_forgotten_and_begun_again(watched: Watched) -> None:
    for take in (1, 40, 41, 90):
        watched.on_take[take] = raising(RetryableError("the database is locked"))
    assert watched.serve() == Exit.DONE
    assert sum("begins again from the database" in line for line in watched.lines) == 4
    assert watched.equals_backtest()


def test_P1_asked_to_end_in_the_middle_it_goes_on_later(watched: Watched) -> None:
    watched.on_take[50] = lambda: watched.ending.ask("SIGTERM")
    assert watched.serve() == Exit.DONE
    assert watched.said("ended: SIGTERM. Deployments stand as they were; nothing was cancelled.")
    assert not watched.said("the bars are at their end")
    watched.on_take.clear()
    assert watched.serve(ending=Ending()) == Exit.DONE
    assert watched.equals_backtest()


@pytest.mark.parametrize("error", [HaltError("the disk is full"), ConfigError("there is no such file")])
def test_what_a_person_must_look_at_ends_it(watched: Watched, error: Exception) -> None:
    watched.on_take[10] = raising(error)
    assert watched.serve() == Exit.LOOK == 2
    assert watched.lines[-1] == f"ended, and a person must look: {error}"
    with watched.client.store.read() as connection:
        assert holder_of(connection).name == ""


def test_a_database_that_cannot_be_read_ends_it(watched: Watched, tmp_path: pathlib.Path) -> None:
    (tmp_path / "x.db").write_text("no database at all, and long enough to look like one" * 40)
    watched.url = str(tmp_path / "x.db")
    assert watched.serve() == Exit.LOOK
    assert watched.said("a file of another kind")


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_database_of_a_newer_version_ends_it_and_is_left_alone(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    newer = Watched(folder, monkeypatch, new_database() if kind == "postgres" else "")
    newer.deploy()
    newest = sa.text(f"UPDATE {migrations.VERSION_TABLE} SET version_num = '9999'")
    with newer.client.store.write() as connection:
        connection.execute(newest)
    assert newer.serve() == Exit.LOOK
    assert "was made by a newer workbench" in newer.lines[-1] and "9999" in newer.lines[-1]
    with newer.client.store.read() as connection:
        assert connection.execute(tables.leases.select()).all() == []
        assert connection.execute(tables.jobs.select()).all() == []
    newer.client.store.close()


def test_who_is_taken_over_ends_with_a_code_of_its_own(watched: Watched) -> None:
    def take_over() -> None:
        with watched.client.store.write() as connection:
            row = {"holder": "thief", "epoch": tables.leases.c.epoch + 1, "expires_ns": 2**62}
            connection.execute(tables.leases.update().values(row))

    watched.on_take[50] = take_over
    assert watched.serve() == Exit.FENCED == 3
    assert "another process has taken over" in watched.lines[-1]
    with watched.client.store.read() as connection:
        assert holder_of(connection).name == "thief"


def test_P1_a_lease_that_ended_and_that_nobody_took_is_taken_again(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Executor, "flush", _once_too_late(Executor.flush))
    assert watched.serve() == Exit.DONE
    assert watched.said("nobody has taken over: ")
    assert watched.equals_backtest()


def _once_too_late(flush: Any) -> Any:
    late = [True]

    def flush_late(self: Executor, standings: Any) -> None:
        if late and self._open and any(self._open.values()):
            late.clear()
            self._lease._deadline_ns = 0
        flush(self, standings)

    return flush_late


def test_a_row_that_is_there_again_and_again_ends_it(watched: Watched) -> None:
    for take in range(1, process.MOST_STUMBLES + 2):
        watched.on_take[take] = raising(sa.exc.IntegrityError("INSERT", None, Exception("UNIQUE constraint failed")))
    assert watched.serve() == Exit.LOOK
    assert sum("knows more than this runner" in line for line in watched.lines) == process.MOST_STUMBLES
    assert "UNIQUE constraint failed" in watched.lines[-1]


def test_a_replay_of_nothing_says_what_to_do(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = Watched(folder, monkeypatch)
    assert empty.serve() == Exit.LOOK
    assert empty.said("there is nothing to replay: deploy first")


# --- locks ------------------------------------------------------------------------------------------------------------


def test_a_second_process_waits_and_says_for_whom(watched: Watched) -> None:
    lease = Lease(watched.client.store, RUNNER, "the first", 2**40, WallClock().now_ns)
    lock = FileLease(pathlib.Path(watched.url))
    assert lock.acquire() and lease.acquire()
    watched.on_line = lambda _: watched.ending.ask("test")
    assert watched.serve() == Exit.DONE
    assert watched.lines[0] == "waiting: the first runs this database."
    assert watched.takes == 0
    with watched.client.store.read() as connection:
        assert holder_of(connection).name == "the first"


def test_the_lease_of_a_process_that_is_gone_from_this_machine_is_not_waited_for(watched: Watched) -> None:
    gone = Lease(watched.client.store, RUNNER, f"{machine_name()} pid 1 since then", 2**60, WallClock().now_ns)
    assert gone.acquire()
    watched.on_line = lambda text: watched.ending.ask("it waits") if "waiting" in text else None
    assert watched.serve() == Exit.DONE
    assert not watched.said("waiting") and watched.equals_backtest()


def test_the_lease_of_another_machine_is_waited_for(watched: Watched) -> None:
    elsewhere = Lease(watched.client.store, RUNNER, "elsewhere pid 1 since then", 2**60, WallClock().now_ns)
    assert elsewhere.acquire()
    watched.on_line = lambda _: watched.ending.ask("test")
    assert watched.serve() == Exit.DONE
    assert watched.lines[0] == "waiting: elsewhere pid 1 since then runs this database."


# --- what comes while it runs -----------------------------------------------------------------------------------------


def test_what_is_deployed_while_stored_bars_run_is_taken_on(watched: Watched) -> None:
    watched.on_take[30] = lambda: watched.deploy("second")
    assert watched.serve() == Exit.DONE
    assert watched.said("runs 1 deployment: dip") and watched.said("runs 2 deployments: dip, second")
    assert watched.equals_backtest("dip")
    assert watched.seen("second") == watched.seen("dip")


def test_P1_history_that_is_ahead_of_the_runner_changes_nothing(watched: Watched) -> None:
    watched.on_take[30] = lambda: watched.deploy("late", "2023-01-11")
    assert watched.serve() == Exit.DONE
    assert not watched.said("begins again")
    assert watched.equals_backtest("dip")
    assert watched.seen("late").items() < watched.seen("dip").items()


def test_what_is_deployed_while_a_feed_runs_is_taken_on(watched: Watched) -> None:
    watched.ends = False
    watched.on_take[30] = lambda: watched.deploy("second")
    watched.on_take[40] = lambda: watched.ending.ask("test")
    assert watched.serve() == Exit.DONE
    assert watched.said("takes on second: NSE:AAA, 5m bars")
    assert watched.client.status("second")["last_evaluation"] is not None


def test_a_command_is_obeyed_between_two_bars(watched: Watched) -> None:
    watched.on_take[30] = lambda: watched.client.pause("dip", "lunch", wait_s=0)
    watched.on_take[60] = lambda: watched.client.resume("dip", wait_s=0)
    assert watched.serve() == Exit.DONE
    assert watched.said("PAUSE dip, asked by local: No evaluation and no new order until it is resumed")
    rows = watched.client.journal("dip", limit=10_000).set_index("seq")["kind"]
    assert list(rows[rows.isin(["PAUSED", "RESUMED"])]) == ["RESUMED", "PAUSED"]
    assert watched.client.status("dip")["is_evaluated"] is False


def test_a_command_does_not_wait_for_the_end_of_a_turn_of_many_bars(watched: Watched) -> None:
    watched.on_take[1] = lambda: watched.client.pause("dip", wait_s=0)
    # Virtual time begins behind the last bar: all of them are due in the first turn.
    assert watched.serve(pace=Pace("2023-01-12")) == Exit.DONE
    (row,) = watched.client.journal("dip", "PAUSED").to_dict("records")
    assert row["instant"] == pd.Timestamp(f"{START} 03:50", tz="UTC")
    assert watched.client.status("dip")["last_evaluation"] == pd.Timestamp("2023-01-11 10:00", tz="UTC")


def test_a_kill_by_hand_is_told_when_it_starts(watched: Watched) -> None:
    watched.client.kill("fat finger")
    assert watched.serve() == Exit.DONE
    assert watched.said("the kill switch is down, nothing new is done: local: fat finger")
    assert not len(watched.client.orders("dip"))


# --- real processes ---------------------------------------------------------------------------------------------------


def started(folder: pathlib.Path, *arguments: str) -> subprocess.Popen[str]:
    """``python -m workbench.live`` on the database of a folder; its first line is read, so that it runs."""
    command = [sys.executable, "-u", "-m", "workbench.live", "--database", str(folder / "w.db"), *arguments]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert running.stdout is not None
    line = running.stdout.readline()
    assert "runs 1 deployment: dip" in line, line + running.stdout.read()
    return running


@pytest.mark.soak
def test_P1_a_process_that_is_killed_goes_on_where_it_was(watched: Watched, folder: pathlib.Path) -> None:
    write_csv(folder / "AAA_5m.csv", DATA["NSE:AAA"])
    stored = ("--replay-from", START, "--bars", str(folder))
    running = started(folder, *stored, "--speed", "20000")
    assert watched.client.resume("dip", wait_s=60.0).is_done  # it is answered: the loop goes round
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=60)
    assert running.returncode == -signal.SIGKILL
    passed = watched.client.equity("dip")
    whole = backtest(strategy(), DATA, CASH, COSTS, START).equity
    assert len(passed) < len(whole)
    again = started(folder, *stored)
    out, _ = again.communicate(timeout=120)
    assert again.returncode == 0, out
    assert "the bars are at their end" in out
    assert watched.equals_backtest()


def test_a_signal_ends_it_and_the_lease_is_given_back(
    watched: Watched, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tell(text: str) -> None:
        watched.lines.append(text)
        if text.startswith("runs"):
            holder = watched.client.status("dip")["runner"]
            assert holder.startswith(f"{machine_name()} pid ")
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(__main__, "say", tell)
    assert __main__.main(["--database", watched.url, "--feed", f"folder:{folder}"]) == 0
    assert watched.lines[-1] == "ended: SIGTERM. Deployments stand as they were; nothing was cancelled."
    with watched.client.store.read() as connection:
        assert holder_of(connection).name == ""


def test_what_is_wrong_on_its_line_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["--database", "x.db"]) == 2
    assert "error: say where bars come from" in capsys.readouterr().out


def test_a_reader_that_is_gone_does_not_end_a_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_text: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(sys.stdout, "write", gone)
    assert __main__.say("runs") is None


# --- parts ------------------------------------------------------------------------------------------------------------


def test_the_walls_clock_never_goes_back_and_never_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, ran = [1_000], [0]
    monkeypatch.setattr(time, "time_ns", lambda: wall[0])
    monkeypatch.setattr(time, "monotonic_ns", lambda: ran[0])
    clock = WallClock()
    seen = []
    for wall_ns, ran_ns in ((1_100, 100), (600, 200), (700, 300), (5_000, 400), (5_100, 500)):
        wall[0], ran[0] = wall_ns, ran_ns
        seen.append(clock.now_ns())
    assert seen == [1_100, 1_150, 1_200, 5_000, 5_100]


def test_a_paced_clock_goes_so_many_times_as_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    ran, slept = [0], []
    monkeypatch.setattr(time, "monotonic_ns", lambda: ran[0])
    monkeypatch.setattr(time, "sleep", lambda s: (slept.append(s), ran.__setitem__(0, ran[0] + round(s * 1e9))))
    clock = PacedClock(10**12, 60.0)
    clock.wait_until(10**12 + 30 * 10**9)
    assert clock.now_ns() == 10**12 + 30 * 10**9
    assert sum(slept) == pytest.approx(0.5)
    roused = PacedClock(0, 60.0, lambda: len(slept) > 6)
    roused.wait_until(10**18)
    assert 0 < roused.now_ns() < 10**18


def test_a_sleeper_wakes_when_it_is_rung(tmp_path: pathlib.Path) -> None:
    wake = Wake(tmp_path / "w.db.wake")
    assert not wake.rung
    wake.ring()
    WallClock(lambda: wake.rung).wait_until(None)
    assert wake.answer() and not wake.rung
    Wake(tmp_path / "no" / "such").ring()
    assert not (tmp_path / "no").exists()


def test_signals_ask_it_to_end_and_a_second_interrupt_ends_it() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Ending() as ending:
        assert not ending
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        assert ending and ending.asked == "SIGTERM"
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "say where bars come from"),
        ({"feed": "folder:x", "replay_from": "2023-01-10"}, "say where bars come from"),
        ({"feed": "kite"}, "--feed 'kite' does not exist"),
        ({"feed": "folder:"}, "does not exist"),
        ({"feed": "folder:nowhere"}, "nowhere"),
        ({"feed": "folder:x", "bars": ["y"]}, "--bars and --speed are for --replay-from"),
        ({"replay_from": "2023-01-10", "speed": "fast"}, "--speed 'fast'"),
        ({"replay_from": "2023-01-10", "speed": "0"}, "--speed '0'"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Launch("w.db", **given).service(lambda _: None, Ending())


def test_bars_are_found_by_what_was_named(folder: pathlib.Path) -> None:
    one: Bars = DATA["NSE:AAA"]
    write_csv(folder / "AAA_5m.csv", one)
    given = {"NSE:AAA": (one.timeframe, one.calendar)}
    for text in (str(folder), str(folder / "AAA_5m.csv"), f"NSE:AAA={folder / 'AAA_5m.csv'}", f"AAA={folder}"):
        found = process_bars([text], given)
        assert_frame_equal(found["NSE:AAA"].frame, one.frame)
    write_csv(folder / "BBB_5m.csv", one)
    with pytest.raises(ConfigError, match="names no 5m bars of NSE:AAA"):
        process_bars([str(folder / "BBB_5m.csv")], given)
    with pytest.raises(ConfigError, match="there is no such file"):
        process_bars(["nowhere.csv"], given)


def process_bars(texts: list[str], wanted: Any) -> dict[str, Bars]:
    """Bars as the replay reads them."""
    from workbench.live.sources import bars_named

    return bars_named(texts, wanted, None)


def test_sources_begin_again_with_nothing_handed_over(folder: pathlib.Path) -> None:
    source = ReplaySource.of(DATA)
    assert source.feed([]) is not source.feed([])
    assert source.last_ns() == pd.Timestamp("2023-01-11 10:00", tz="UTC").value
    assert FolderSource(folder).last_ns() is None
    with Store.open(folder / "y.db") as store:
        assert store.path is not None
