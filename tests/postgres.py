"""Databases for tests, and a PostgreSQL server of their own: thrown away, on a socket in a folder, never on a network.

The server is started once a process, when a test first asks for a database. Without one such a test is skipped.
"""

from __future__ import annotations

import atexit
import itertools
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import tempfile
from functools import cache, cached_property

import psycopg
import pytest

from workbench.journal.store import Store
from workbench.journal.tables import metadata

_NUMBERS = itertools.count(1)

#: Nothing needs to outlive the tests, so nothing waits for a disk.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "40",
    "autovacuum": "off",
}


def binaries() -> pathlib.Path | None:
    """Folder of ``initdb`` and ``pg_ctl``, the newest version that is installed; None without one."""
    if (found := shutil.which("initdb")) and shutil.which("pg_ctl"):
        return pathlib.Path(found).resolve().parent
    folders = [path.parent for path in pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(folders, key=lambda folder: [int(part) for part in re.findall(r"\d+", folder.parent.name)], default=None)


def account() -> pwd.struct_passwd | None:
    """Whom the server runs as: ourselves, or somebody with fewer rights where we are root, as whom it refuses."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    names = {one.pw_name: one for one in pwd.getpwall()}
    return names.get("postgres") or names.get("nobody")


class Server:
    """A running server."""

    def __init__(self, folder: pathlib.Path, programs: pathlib.Path, who: pwd.struct_passwd) -> None:
        self._programs, self._who = programs, who
        self._data, self.socket = folder / "data", folder
        if os.geteuid() == 0:
            os.chown(folder, who.pw_uid, who.pw_gid)
        self._run("initdb", "-D", self._data, "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = " ".join(f"-c {name}='{value}'" for name, value in _SETTINGS.items())
        log = folder / "log"
        self._run("pg_ctl", "-D", self._data, "-l", log, "-w", "-o", f"-k '{folder}' {options}", "start")

    def url(self, database: str) -> str:
        """Where a database of the server is."""
        return f"postgresql://tests@/{database}?host={self.socket}"

    def create(self, model: str = "template1") -> str:
        """URL of a new database, empty or a copy of another one."""
        name = f"tests_{next(_NUMBERS)}"
        with psycopg.connect(host=str(self.socket), user="tests", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {model}".encode())
        return self.url(name)

    @cached_property
    def brought_up(self) -> str:
        """Name of a database with our tables, to be copied."""
        url = self.create()
        Store.open(url).close()
        return url.rpartition("?")[0].rpartition("/")[2]

    def stop(self) -> None:
        """End it at once, with everything it holds."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    def _run(self, program: str, *arguments: object) -> None:
        other = {"user": self._who.pw_uid, "group": self._who.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        command = [str(self._programs / program), *map(str, arguments)]
        # What the server says goes to its log: a pipe would stay open for as long as it runs.
        with (self.socket / f"{program}.out").open("w+") as said:
            done = subprocess.run(
                command, check=False, cwd="/", stdin=subprocess.DEVNULL, stdout=said, stderr=said, **other
            )
            said.seek(0)
            assert done.returncode == 0, f"{program} failed:\n{said.read()}"


def address(kind: str, folder: pathlib.Path) -> str:
    """What ``Store.open`` takes for a database without rows: ``sqlite`` in a folder, ``memory`` or ``postgres``."""
    if kind == "postgres":
        return used_database()
    if kind == "memory":
        return ":memory:"
    (folder / "workbench.db").write_bytes(_file())
    return str(folder / "workbench.db")


def empty_address(kind: str, folder: pathlib.Path) -> str:
    """The same for a database without tables; a file is not there yet."""
    return new_database(is_empty=True) if kind == "postgres" else str(folder / "workbench.db")


@cache
def _file() -> bytes:
    """An SQLite database with our tables: to copy it is quicker than to make it."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "workbench.db")
        Store.open(path).close()
        return path.read_bytes()


def the_server() -> Server:
    """The one server of this process; skips the test that asks where there can be none."""
    found = _started()
    if isinstance(found, str):
        pytest.skip(f"no PostgreSQL: {found}")
    return found


@cache
def _started() -> Server | str:
    """The server, or why there is none."""
    programs, who = binaries(), account()
    if programs is None:
        return "it is not installed, for there is no initdb in PATH or /usr/lib/postgresql"
    if who is None:
        return "it does not run as root, and there is no account postgres or nobody"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="wb-pg-"))  # not below tmp_path, which only its owner may enter
    try:
        server = Server(folder, programs, who)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.stop)
    return server


def new_database(is_empty: bool = False) -> str:
    """URL of a new PostgreSQL database, with our tables or empty; skips the test that asks where there can be none."""
    server = the_server()
    return server.create() if is_empty else server.create(server.brought_up)


def used_database() -> str:
    """URL of one database for many tests, without rows; a new one takes a few tenths of a second.

    For a test that changes rows and no tables, and that closes what it opens.
    """
    url = _used()
    with Store.open(url) as store, store.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    return url


@cache
def _used() -> str:
    return new_database()
