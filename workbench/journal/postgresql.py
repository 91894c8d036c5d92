"""PostgreSQL under the store: a pool of connections, each told how long to wait and to keep what it commits.

A writer is an ordinary transaction; a reader is REPEATABLE READ and read only, so that it is one snapshot as in SQLite.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from workbench.errors import ConfigError, UncertainCommit

#: Any number, the same for every process that brings up tables of ours in one database.
_SCHEMA_LOCK = 7_291_538_046_113_557

#: Unless the URL says otherwise: how soon a lost network is noticed, in seconds.
_ARGUMENTS = {"connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}

#: A process that stands still inside a transaction, between two statements, keeps its locks no longer than this.
_IDLE_S = 60

#: Ends our user's connections whose transaction began long ago and has locked rows of a table, and waits for nobody.
_END_LONG = sa.text("""
    SELECT count(pg_terminate_backend(one.pid)) FROM pg_stat_activity AS one
    WHERE one.datname = current_database() AND one.usename = current_user AND one.pid <> pg_backend_pid()
    AND one.wait_event_type IS DISTINCT FROM 'Lock'
    AND one.xact_start < clock_timestamp() - make_interval(secs => :seconds)
    AND EXISTS (
        SELECT FROM pg_locks AS held WHERE held.pid = one.pid AND held.granted
        AND held.relation = to_regclass(:name) AND held.mode IN ('RowShareLock', 'RowExclusiveLock')
    )
""")


class PostgresAccess:
    """Transactions of one PostgreSQL database.

    Parameters
    ----------
    url : sa.URL
        With the driver ``psycopg``.
    wait_s : float
        Seconds to wait for others' locks, and for a connection of the pool.

    Raises
    ------
    ConfigError
        The driver is not installed.
    """

    path: Path | None = None

    def __init__(self, url: sa.URL, wait_s: float) -> None:
        self._wait_s = wait_s
        user, host = f"{url.username}@" if url.username else "", url.host or url.query.get("host", "")
        self.where = f"the database postgresql://{user}{host}{f':{url.port}' if url.port else ''}/{url.database or ''}"
        arguments = {name: value for name, value in _ARGUMENTS.items() if name not in url.query}
        try:
            self._engine = sa.create_engine(url, connect_args=arguments, pool_timeout=wait_s)
        except ModuleNotFoundError as error:
            raise ConfigError(f"{self.where} needs a driver: pip install 'workbench-trading[postgres]'") from error
        sa.event.listen(self._engine, "connect", self._prepare)
        self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def connect(self) -> None:
        """Nothing to do: the pool connects when a transaction begins."""

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction that may change."""
        with self._engine.connect() as connection:
            # What a reader leaves behind is "read and write", which a standby refuses by a code of its own and which
            # overrules a server that is set to read only. Nothing said is what the server says.
            driver: Any = connection.connection.driver_connection
            if driver.read_only is not None:
                driver.read_only = None
            transaction = connection.begin()
            yield connection  # closing the connection undoes what was not committed
            assert transaction.is_active, "the transaction was ended inside its block"
            try:
                transaction.commit()
            except sa.exc.DBAPIError as error:
                if error.connection_invalidated:
                    raise UncertainCommit(
                        f"{self.where} went away while a transaction was being committed: it was written whole, or not "
                        "at all. Read before anything is written again"
                    ) from error
                raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One snapshot."""
        with self._reader.connect() as connection:
            yield connection

    def alone(self) -> contextlib.AbstractContextManager[object]:
        """Nothing to do before the transaction: ``keep_others_out`` locks inside it."""
        return contextlib.nullcontext()

    def keep_others_out(self, connection: sa.Connection) -> None:
        """Keep out every other process that brings up the tables, until the transaction ends."""
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _SCHEMA_LOCK})

    def end_long_holders(self, table: str, seconds: float) -> int:
        """End connections that have kept rows of a table locked for long; how many."""
        with self.writing() as connection:
            ended: int = connection.execute(_END_LONG, {"name": table, "seconds": seconds}).scalar_one()
            return ended

    def durability(self, connection: sa.Connection) -> str:
        """How a commit is kept, in words."""
        names = ("server_version", "synchronous_commit", "fsync")
        version, commit, flush = (connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names)
        warning = "" if flush == "on" else ", so that a loss of power can damage everything: switch fsync on"
        return f"PostgreSQL {version}, write-ahead log; synchronous_commit {commit}, fsync {flush}{warning}"

    def close(self) -> None:
        """Close every connection that is in the pool."""
        self._engine.dispose()

    def _prepare(self, driver: Any, _: object) -> None:
        wait_ms = max(1, round(self._wait_s * 1e3))
        was, driver.autocommit = driver.autocommit, True
        driver.execute(f"SET lock_timeout = {wait_ms}; SET idle_in_transaction_session_timeout = '{_IDLE_S}s'")
        # Some servers answer a commit before it is on disk; here it must be.
        driver.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
        driver.autocommit = was
