"""The database of everything that happened: SQLite in a file, or PostgreSQL, behind the same two kinds of transaction.

``write`` is one transaction that sees and changes; ``read`` is one snapshot that cannot change anything. What a block
did is undone when an exception leaves it. A thread has one transaction at a time, and a short one: it reads what it
wants, and leaves. ``together`` is one of which every ``write`` and ``read`` inside becomes a part.

What goes wrong has the type of what must be done about it (``journal.failures``).
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, Self

import sqlalchemy as sa

from workbench.errors import ConfigError
from workbench.journal import migrations
from workbench.journal.failures import reaction_to
from workbench.journal.postgresql import PostgresAccess
from workbench.journal.sqlite import SqliteAccess

#: Seconds to wait for somebody else's transaction.
WAIT_S = 5.0


class Store:
    """The database, open; made by ``Store.open``, closed by ``close`` or at the end of ``with``.

    Several threads may use one.
    """

    def __init__(self, access: _Access, wait_s: float) -> None:
        self._access = access
        self._wait_s = wait_s
        self._thread = threading.local()
        self._is_closed = False

    @classmethod
    def open(cls, url: str | Path, wait_s: float = WAIT_S) -> Self:
        """Open a database, create it if it is not there, and bring its tables up to date.

        Parameters
        ----------
        url : str or Path
            Path of an SQLite file; ``:memory:`` for a database that nobody keeps; or a URL: ``sqlite:///path``,
            ``postgresql://user:password@host/database``.
        wait_s : float, optional
            Seconds to wait for somebody else's transaction before RetryableError.

        Returns
        -------
        Store
            To be closed.

        Raises
        ------
        ConfigError
            The URL cannot be used, or the database was made by a newer version or by another program.
        RetryableError
            The server does not answer, or another process is at work on the tables.
        HaltError
            The file is damaged; Unwritable if it may not be written, or there is no room.
        """
        parsed = _parsed(str(url))
        access: _Access = SqliteAccess(parsed, wait_s) if _is_sqlite(parsed) else PostgresAccess(parsed, wait_s)
        store = cls(access, wait_s)
        try:
            store._bring_up()
        except BaseException:
            store.close()
            raise
        return store

    @property
    def path(self) -> Path | None:
        """File of an SQLite database, absolute; None in memory and for PostgreSQL."""
        return self._access.path

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction that may change: committed at the end of the block, undone by an exception.

        Yields
        ------
        sa.Connection
            In the transaction; neither to be committed nor kept.

        Raises
        ------
        RetryableError
            Somebody else holds the database for too long, or the server is away: nothing was written.
        UncertainCommit
            The server went away during the commit.
        HaltError
            The database cannot be written: nothing was written. Unwritable if that ends with room or rights.
        """
        if (shared := self._shared()) is not None:
            try:
                yield shared
            except BaseException:
                self._thread.is_spoilt = True
                raise
            return
        with self._only_one(may_write=True), self._access.writing() as connection:
            yield connection

    @contextlib.contextmanager
    def together(self) -> Iterator[sa.Connection]:
        """One transaction of several: what this thread writes inside is part of it, and what it reads sees that.

        Yields
        ------
        sa.Connection
            As of ``write``.

        Raises
        ------
        RetryableError, UncertainCommit, HaltError
            As of ``write``, of all parts alike.
        """
        if (shared := self._shared()) is not None:
            yield shared
            return
        with self.write() as connection:
            self._thread.shared, self._thread.is_spoilt = connection, False
            try:
                yield connection
                # What a part did before it failed cannot be undone alone.
                assert not self._thread.is_spoilt, "a part of the transaction failed, and the others went on"
            finally:
                self._thread.shared = None

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One snapshot, in which nothing can be changed: whoever tries gets the library's error.

        Yields
        ------
        sa.Connection
            Not to be kept.

        Raises
        ------
        RetryableError
            Somebody else holds the database for too long, or the server is away.
        HaltError
            The database cannot be read.
        """
        if (shared := self._shared()) is not None:
            yield shared
            return
        with self._only_one(may_write=False), self._access.reading() as connection:
            yield connection

    def end_long_holders(self, table: sa.Table, seconds: float) -> int:
        """End the connections of our user whose transaction has kept rows of a table locked for long.

        Who stands still in the middle of a transaction keeps its locks, and no timeout of a server counts while it
        owes the rest of a message. What such a transaction did is undone. SQLite's locks end with a process.

        Parameters
        ----------
        table : sa.Table
            What others wait for.
        seconds : float
            How long ago such a transaction has begun.

        Returns
        -------
        int
            How many were ended.

        Raises
        ------
        RetryableError
            The server is away.
        """
        with self._only_one(may_write=True):
            return self._access.end_long_holders(table.name, seconds)

    def journal_mode(self) -> str:
        """How the database keeps a commit through a loss of power, and why so, in words."""
        with self.read() as connection:
            return self._access.durability(connection)

    def close(self) -> None:
        """Close every connection, when a writer has ended; a closed store stays closed."""
        assert not self._is_inside(), "this thread is inside a transaction of the store that it closes"
        if not self._is_closed:
            self._is_closed = True
            self._access.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self._access.where})"

    def _shared(self) -> sa.Connection | None:
        """The transaction that this thread is in and that others may join."""
        found: sa.Connection | None = getattr(self._thread, "shared", None)
        return found

    def _is_inside(self) -> bool:
        return getattr(self._thread, "is_inside", False)

    @contextlib.contextmanager
    def _only_one(self, may_write: bool) -> Iterator[None]:
        """Hold a thread to one transaction, and give what goes wrong in it its type.

        A second transaction in the same thread would wait for the first for ever.
        """
        assert not self._is_closed, f"{self!r} is closed"
        assert not self._is_inside(), "this thread is inside another transaction of this store"
        self._thread.is_inside = True
        try:
            yield
        except (sa.exc.SQLAlchemyError, sqlite3.Error) as error:
            if (typed := reaction_to(error, self._access.where, self._wait_s, may_write)) is None:
                raise
            raise typed from error
        finally:
            self._thread.is_inside = False

    def _bring_up(self) -> None:
        """Bring the tables up to date; of several processes that open at once one does it, and the others wait."""
        with self._only_one(may_write=True):
            self._access.connect()
        with self.read() as connection:
            if migrations.revision_of(connection) == migrations.HEAD:
                return
        with self._only_one(may_write=True), self._access.alone(), self._access.writing() as connection:
            self._access.keep_others_out(connection)
            migrations.bring_up(connection, self._access.where)


class _Access(Protocol):
    """What differs between SQLite and PostgreSQL."""

    where: str  # for messages: never with a password
    path: Path | None

    def connect(self) -> None: ...
    def writing(self) -> contextlib.AbstractContextManager[sa.Connection]: ...
    def reading(self) -> contextlib.AbstractContextManager[sa.Connection]: ...
    def alone(self) -> contextlib.AbstractContextManager[object]: ...
    def keep_others_out(self, connection: sa.Connection) -> None: ...
    def durability(self, connection: sa.Connection) -> str: ...
    def end_long_holders(self, table: str, seconds: float) -> int: ...
    def close(self) -> None: ...


def _is_sqlite(url: sa.URL) -> bool:
    return url.drivername == "sqlite"


def _parsed(text: str) -> sa.URL:
    """A path or URL as a URL with a driver that is known here; the path of an SQLite file is absolute."""
    try:
        url = sa.make_url(text) if "://" in text else sa.URL.create("sqlite", database=text)
    except (sa.exc.ArgumentError, ValueError):
        # The library's message may hold the text, and the text a password.
        raise ConfigError(
            "the URL of the database cannot be read; write it as postgresql://user:password@host/database"
        ) from None
    backend = url.drivername.partition("+")[0]
    if backend == "sqlite":
        if url.query or (url.database or "").startswith("file:"):
            raise ConfigError(f"an SQLite URL takes no options here; give the path alone, not {url.database}?...")
        in_memory = url.database in {None, "", ":memory:"}
        path = None if in_memory else str(Path(url.database or "").expanduser().resolve())
        return sa.URL.create("sqlite", database=path)
    if backend in {"postgresql", "postgres"}:
        if "@" in f"{url.host}{url.database}":
            raise ConfigError(
                "the URL of the database has an @ too many; in a user or password write @ as %40, / as %2F and : as %3A"
            )
        return url.set(drivername="postgresql+psycopg")
    raise ConfigError(f"{backend} is no kind of database for this; give a path for SQLite, or a postgresql:// URL")
