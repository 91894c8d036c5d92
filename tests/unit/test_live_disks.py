"""A disk without room, and a database that may only be read: the process says so, waits, loses nothing and goes on."""

from __future__ import annotations

import contextlib
import os
import pathlib
import pwd
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from tests.command_line import write_csv
from tests.operated import CASH, COSTS, START, bars, empty_database, folder, strategy
from tests.postgres import Server, account, binaries, the_server
from tests.watched import DATA, Watched
from workbench.journal.sqlite import SqliteAccess
from workbench.live.client import Client
from workbench.live.doctor import WRONG, findings
from workbench.live.exit_codes import Exit
from workbench.live.killswitch import Kill, KillSwitch
from workbench.research.backtest import backtest

__all__ = ["folder"]

TAKES_NOTHING = "takes nothing, so nothing is evaluated or sent"


def served_through(watched: Watched, begins: Callable[[], None], ends: Callable[[], None], text: str) -> list[str]:
    """Serve; at the fiftieth look for bars something begins, and ends when the process has said so twice.

    Returns
    -------
    list of str
        What it said of it.
    """
    said: list[str] = []

    def look(line: str) -> None:
        if TAKES_NOTHING in line:
            said.append(line)
            assert text in line
            if len(said) == 2:
                ends()

    watched.deploy()
    watched.on_line, watched.on_take[50] = look, begins
    assert watched.serve() == Exit.DONE, watched.lines
    assert len(said) == 2 and sum("runs 1 deployment: dip" in line for line in watched.lines) >= 2
    assert watched.said("the bars are at their end")
    assert watched.equals_backtest()
    return said


def test_P1_without_room_it_waits_and_goes_on(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    most, open_now, prepare = [2**30], list[sqlite3.Connection](), SqliteAccess._prepare_writer

    def prepare_small(self: SqliteAccess, driver: sqlite3.Connection) -> None:
        prepare(self, driver)
        driver.execute(f"PRAGMA max_page_count = {most[0]}")
        open_now[:] = [driver]

    def full() -> None:
        (most[0],) = open_now[0].execute("PRAGMA page_count").fetchone()
        open_now[0].execute(f"PRAGMA max_page_count = {most[0]}")

    monkeypatch.setattr(SqliteAccess, "_prepare_writer", prepare_small)
    served_through(watched, full, lambda: most.__setitem__(0, 2**30), "there is no room left. Make room")


@pytest.fixture
def watched(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """With nothing deployed yet."""
    return Watched(folder, monkeypatch)


def test_P1_where_it_may_only_read_it_waits_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as name:  # not tmp_path, which only its owner may enter
        place, who = pathlib.Path(name), os.geteuid()
        watched = Watched(place, monkeypatch)
        rights = contextlib.ExitStack()

        def take_rights() -> None:
            for path in (*place.iterdir(), place):
                rights.callback(path.chmod, path.stat().st_mode & 0o777)
                path.chmod(0o555 if path.is_dir() else 0o444)
            if who == 0:  # the administrator may write everything
                rights.callback(os.seteuid, who)
                os.seteuid(65534)

        with rights:
            first, second = served_through(watched, take_rights, rights.close, str(place / "w.db"))
        assert "it may be read-only by now" in first
        assert "runner.lock cannot be made: Permission denied" in second


@pytest.mark.soak
def test_P1_a_server_that_becomes_a_standby_is_waited_for(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    the_server()  # skips the test where there can be none
    place = pathlib.Path(tempfile.mkdtemp(prefix="wb-pg-"))
    server = Server(place, *_programs())
    watched = Watched(folder, monkeypatch, server.create())

    def becomes_standby() -> None:
        (place / "data" / "standby.signal").touch()
        server._run("pg_ctl", "-D", place / "data", "-w", "-m", "fast", "-l", place / "log", "restart")

    def is_promoted() -> None:
        server._run("pg_ctl", "-D", place / "data", "-w", "promote")
        watched.client.store.close()
        watched.client = Client.open(watched.url)  # its connections ended with the restart

    try:
        served_through(watched, becomes_standby, is_promoted, "the server takes no writes")
    finally:
        watched.client.store.close()
        server.stop()
        shutil.rmtree(place)


def _programs() -> tuple[pathlib.Path, pwd.struct_passwd]:
    programs, who = binaries(), account()
    assert programs is not None and who is not None
    return programs, who


def test_a_database_that_is_gone_is_not_made_anew(watched: Watched) -> None:
    path = pathlib.Path(watched.url)

    watched.deploy()
    watched.on_take[50] = lambda: [one.unlink() for one in path.parent.glob("w.db*") if "lock" not in one.name]
    assert watched.serve() == Exit.LOOK
    assert "ended, and a person must look" in watched.lines[-1]
    assert not path.exists()


def test_it_can_be_ended_while_it_waits_for_room(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare = SqliteAccess._prepare_writer

    def prepare_full(self: SqliteAccess, driver: sqlite3.Connection) -> None:
        prepare(self, driver)
        driver.execute("PRAGMA max_page_count = 1")
        driver.execute("PRAGMA query_only = ON")

    watched.deploy()
    monkeypatch.setattr(SqliteAccess, "_prepare_writer", prepare_full)
    watched.on_line = lambda line: watched.ending.ask("SIGTERM") if TAKES_NOTHING in line else None
    assert watched.serve() == Exit.DONE
    assert watched.lines[-1] == "ended: SIGTERM. Deployments stand as they were; nothing was cancelled."


# --- a real process on a real disk ------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[pathlib.Path]:
    """A disk of its own; only the administrator can make one."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="wb-disk-"))
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=777", "wb", place], capture_output=True, check=False
    ) if os.geteuid() == 0 and shutil.which("mount") else None  # fmt: skip
    try:
        if made is None or made.returncode:
            pytest.skip("no small disk can be mounted: that needs the rights of the administrator")
        yield place
    finally:
        if made is not None and not made.returncode:
            subprocess.run(["umount", "-l", place], check=True)
        place.rmdir()


def fill_up(place: pathlib.Path, leave: int) -> pathlib.Path:
    """A file that takes all room of a disk but so many bytes."""
    path = place / "everything"
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    os.truncate(path, path.stat().st_size - leave)
    return path


def begun(url: str, files: pathlib.Path) -> subprocess.Popen[str]:
    """``python -m workbench.live`` that replays the bars of a folder."""
    command = [sys.executable, "-u", "-m", "workbench.live", "--database", url, "--replay-from", START]
    arguments = [*command, "--bars", str(files)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def lines_until(running: subprocess.Popen[str], text: str) -> str:
    """What it says up to a line that holds a text."""
    assert running.stdout is not None
    said = ""
    for line in running.stdout:
        said += line
        if text in line:
            return said
    raise AssertionError(said)


def went_on(running: subprocess.Popen[str], client: Client) -> None:
    """It trades to the end, and has done what a backtest does."""
    out, _ = running.communicate(timeout=120)
    assert running.returncode == 0, out
    assert "the bars are at their end" in out
    result = backtest(strategy(), DATA, CASH, COSTS, START)
    assert client.equity("dip").equals(result.equity) and client.trades("dip").equals(result.trades)


@pytest.mark.soak
def test_P1_a_process_on_a_full_disk_goes_on_when_there_is_room(tmp_path: pathlib.Path) -> None:
    write_csv(tmp_path / "AAA_5m.csv", DATA["NSE:AAA"])
    with small_disk(8) as place:
        (place / "w.db").write_bytes(empty_database())
        url = str(place / "w.db")
        with Client.open(url) as client:
            client.deploy(strategy(), bars()["NSE:AAA"], COSTS, CASH, START, "dip")
            taken = fill_up(place, 128 * 1024)
            running = begun(url, tmp_path)
            try:
                assert "there is no room left. Make room" in lines_until(running, TAKES_NOTHING)
                passed = len(client.equity("dip"))
                assert 0 < passed < len(backtest(strategy(), DATA, CASH, COSTS, START).equity)
                wrong = {one.what: one.text for one in findings(url, time.time_ns()) if one.level != "ok"}
                assert "make room" in wrong["room"]
                taken.unlink()
                went_on(running, client)
            finally:
                running.kill()
                running.communicate()


@pytest.mark.soak
def test_P1_a_process_on_a_full_server_goes_on_when_there_is_room(tmp_path: pathlib.Path) -> None:
    server = the_server()
    write_csv(tmp_path / "AAA_5m.csv", DATA["NSE:AAA"])
    with small_disk(32) as place:
        shutil.chown(place, server._who.pw_uid, server._who.pw_gid)
        with psycopg.connect(host=str(server.socket), user="tests", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{place}'".encode())
            connection.execute(f"CREATE DATABASE small TEMPLATE {server.brought_up} TABLESPACE small".encode())
            try:
                with Client.open(server.url("small")) as client:
                    client.deploy(strategy(), bars()["NSE:AAA"], COSTS, CASH, START, "dip")
                    taken = fill_up(place, 64 * 1024)
                    running = begun(server.url("small"), tmp_path)
                    try:
                        said = lines_until(running, TAKES_NOTHING)
                        assert "the server has no room left on its disk. Make room" in said
                        assert client.deployments()["name"].tolist() == ["dip"]
                        taken.unlink()
                        went_on(running, client)
                    finally:
                        running.kill()
                        running.communicate()
            finally:
                connection.execute(b"DROP DATABASE small WITH (FORCE)")
                connection.execute(b"DROP TABLESPACE small")


def test_a_kill_needs_no_room_on_the_disk() -> None:
    with small_disk(1) as place:
        switch = KillSwitch(place / "w.db.KILLED")
        fill_up(place, 0)
        assert switch.kill(Kill("local", "dip", "asha", "no room", 5)).words().startswith("everything of everybody")
        assert switch.settled() and KillSwitch(switch.path).down("local", "other")


def test_the_doctor_says_that_nothing_can_be_written(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare = SqliteAccess._prepare_writer

    def prepare_full(self: SqliteAccess, driver: sqlite3.Connection) -> None:
        prepare(self, driver)
        driver.execute("PRAGMA query_only = ON")

    assert not [one for one in findings(watched.url, 0) if one.level == WRONG]
    monkeypatch.setattr(SqliteAccess, "_prepare_writer", prepare_full)
    (wrong,) = [one for one in findings(watched.url, 0) if one.level == WRONG]
    assert wrong.what == "writing"
