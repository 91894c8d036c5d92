"""SQLite under the store: one connection that writes and is kept open, and a pool of connections that only read.

The driver is in autocommit and BEGIN is said here: ``BEGIN IMMEDIATE`` to write, so that a writer waits for another
where it begins and never in the middle, ``BEGIN`` to read. The writer is kept because beginning on it is several times
quicker than taking a connection from a pool. With a rollback journal a reader holds up the commit of a writer.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import filelock
import sqlalchemy as sa

from workbench.errors import ConfigError, HaltError, RetryableError

#: Before this version SQLite can damage a database when its write-ahead log is reset while others use it.
WAL_IS_SAFE = (3, 51, 3)

#: Pages that the writer keeps in memory, in KB.
CACHE_KB = 65_536

#: How long another process may take to bring up the tables before we give up.
SCHEMA_WAIT_S = 60.0


def journal_choice(version: tuple[int, int, int]) -> tuple[str, str]:
    """Journal mode for a version of SQLite, and why in words."""
    mended = ".".join(map(str, WAL_IS_SAFE))
    if version >= WAL_IS_SAFE:
        return "WAL", f"write-ahead log (WAL), which is safe from {mended} on and never lets a reader hold up a writer"
    return "PERSIST", (
        f"rollback journal (PERSIST), because a write-ahead log can damage a database with any SQLite before {mended}"
    )


class SqliteAccess:
    """Transactions of one SQLite database; in memory one connection writes and reads.

    Parameters
    ----------
    url : sa.URL
        With an absolute path, or without one for memory.
    wait_s : float
        Seconds to wait for others.

    Raises
    ------
    ConfigError
        The folder cannot be made, or the path is a folder.
    """

    def __init__(self, url: sa.URL, wait_s: float) -> None:
        self._wait_s = wait_s
        self._turn = threading.Lock()
        self.path = Path(url.database) if url.database else None
        self.where = f"the database {self.path}" if self.path else "the database in memory"
        _make_folder(self.path)
        self._writers = self._engine(url, self._prepare_writer, poolclass=sa.StaticPool)
        self._readers = self._writers
        if self.path:
            self._readers = self._engine(url, self._prepare_reader, poolclass=sa.QueuePool, max_overflow=-1)
        self._writer: sa.Connection | None = None

    def connect(self) -> None:
        """Open the connection that writes, before any reader: a reader would keep a write-ahead log from being ended.

        Raises
        ------
        RetryableError
            The database is open elsewhere with another journal mode.
        """
        with self._turn:
            self._writer = self._writers.connect()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction that may change."""
        with self._in_turn() as (connection, driver):
            transaction = connection.begin()
            try:
                driver.execute("BEGIN IMMEDIATE")
                yield connection
                # With a full disk SQLite ends the transaction by itself, and what follows would be kept row by row.
                assert transaction.is_active and driver.in_transaction, "the transaction was ended inside its block"
                transaction.commit()
            except BaseException:
                connection.rollback()
                # A commit that waited too long for a reader leaves a transaction that the library takes for ended.
                driver.rollback()
                raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One snapshot."""
        if self.path is not None:
            with self._readers.connect() as connection, _snapshot(connection, _driver_of(connection)):
                yield connection
            return
        with self._in_turn() as (connection, driver):
            driver.execute("PRAGMA query_only = ON")
            try:
                with _snapshot(connection, driver):
                    yield connection
            finally:
                driver.execute("PRAGMA query_only = OFF")

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep out every other process that brings up the tables."""
        if self.path is None:
            yield
            return
        lock = filelock.FileLock(f"{self.path}.schema.lock", timeout=SCHEMA_WAIT_S)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise RetryableError(f"another process is bringing up the tables of {self.where}; try again") from error
        except OSError as error:
            raise HaltError(f"the tables of {self.where} cannot be brought up: {error.strerror or error}") from error
        try:
            yield
            # A reader from before remembers that there are no tables, and while the database is locked it believes so.
            self._readers.dispose()
        finally:
            lock.release()

    def keep_others_out(self, connection: sa.Connection) -> None:
        """Nothing more to do: BEGIN IMMEDIATE lets no other writer in."""

    def end_long_holders(self, _table: str, _seconds: float) -> int:
        """Nobody: the locks of a file are the system's, and end with the process that holds them."""
        return 0

    def durability(self, connection: sa.Connection) -> str:
        """How a commit is kept, in words."""
        version = connection.exec_driver_sql("SELECT sqlite_version()").scalar()
        if self.path is None:
            return f"SQLite {version}, in memory: nothing is kept"
        flush = "synchronous FULL" + (", fullfsync" if sys.platform == "darwin" else "")
        return f"SQLite {version}, {journal_choice(sqlite3.sqlite_version_info)[1]}; {flush}"

    def close(self) -> None:
        """Close every connection, when the writer has ended."""
        with self._turn:
            if self._writer is not None:
                self._writer.close()
            self._writers.dispose()
            self._readers.dispose()

    def _engine(self, url: sa.URL, prepare: Callable[[sqlite3.Connection], None], **options: Any) -> sa.Engine:
        arguments = {"isolation_level": None, "check_same_thread": False, "timeout": self._wait_s}
        engine = sa.create_engine(url, connect_args=arguments, **options)

        def prepared(driver: sqlite3.Connection, _: object) -> None:
            try:
                prepare(driver)
            except BaseException:
                driver.close()
                raise

        sa.event.listen(engine, "connect", prepared)
        return engine

    def _prepare_writer(self, driver: sqlite3.Connection) -> None:
        driver.execute("PRAGMA foreign_keys = ON")
        driver.execute("PRAGMA mmap_size = 0")
        if self.path is None:
            driver.execute("PRAGMA synchronous = OFF")
            return
        driver.execute("PRAGMA synchronous = FULL")
        # A bar close touches a few pages for each deployment; 2 MB, the default, would read them again each time.
        driver.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        if sys.platform == "darwin":
            # There, fsync alone leaves the data in the cache of the disk.
            driver.execute("PRAGMA fullfsync = ON")
            driver.execute("PRAGMA checkpoint_fullfsync = ON")
        wanted = journal_choice(sqlite3.sqlite_version_info)[0]
        (found,) = driver.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
        if found.upper() != wanted:
            raise RetryableError(
                f"{self.where} is open elsewhere with the journal mode {found.upper()}, and {wanted} is needed here: "
                "close the other program"
            )

    def _prepare_reader(self, driver: sqlite3.Connection) -> None:
        driver.execute("PRAGMA mmap_size = 0")
        driver.execute("PRAGMA query_only = ON")

    @contextlib.contextmanager
    def _in_turn(self) -> Iterator[tuple[sa.Connection, sqlite3.Connection]]:
        """The kept connection and its driver's, for one thread at a time."""
        if not self._turn.acquire(timeout=self._wait_s):
            raise RetryableError(f"{self.where} is in use by another thread for over {self._wait_s:g} s; try again")
        try:
            assert self._writer is not None, "connect comes first"
            yield self._writer, _driver_of(self._writer)
        finally:
            self._turn.release()


@contextlib.contextmanager
def _snapshot(connection: sa.Connection, driver: sqlite3.Connection) -> Iterator[None]:
    """One reading transaction, which always ends by rolling back."""
    connection.begin()
    try:
        driver.execute("BEGIN")
        yield
    finally:
        connection.rollback()


def _driver_of(connection: sa.Connection) -> sqlite3.Connection:
    """The driver's own connection: saying BEGIN to it is quicker than through a cursor of the library."""
    driver: Any = connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _make_folder(path: Path | None) -> None:
    """Make the folder of a file, if there is a file."""
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the folder of the database {path} cannot be made: {error.strerror or error}") from error
    if path.is_dir():
        raise ConfigError(f"{path} is a folder; give the path of a file for the database")
