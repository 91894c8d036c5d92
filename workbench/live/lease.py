"""Who may act: a lease in the database for every machine, and a lock of the operating system on one machine.

A lease is a row with a holder, an end and an epoch. The epoch grows whenever the lease is acquired, so that whoever
held it before can be told apart, even by the same name. What is written is written in a transaction that first sees its
own epoch in the row (``Lease.fenced``): a process that stood still and wakes up writes nothing. What is sent cannot be
taken back, so that the end is looked at just before (``Lease.may_send``), with a margin for how far clocks differ and
how long sending takes.

The end that a process believes in is never later than the one in the row, whatever is lost on the way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock
import sqlalchemy as sa

from workbench.errors import ConfigError, Fenced, Unwritable
from workbench.journal.failures import takes_nothing
from workbench.journal.store import Store
from workbench.journal.tables import leases

__all__ = ["Fenced", "FileLease", "Lease"]

_NOBODY = ""

_ROW = leases.c.resource == sa.bindparam("key")
_OURS = sa.and_(_ROW, leases.c.holder == sa.bindparam("me"), leases.c.epoch == sa.bindparam("mine"))

# Locked on PostgreSQL, where others could change it meanwhile; SQLite knows no such words and needs none.
_LOOK = sa.select(leases.c.holder, leases.c.epoch, leases.c.expires_ns).where(_ROW).with_for_update()
_TAKE = (
    leases.update()
    .where(_ROW)
    .values(holder=sa.bindparam("me"), epoch=sa.bindparam("next"), expires_ns=sa.bindparam("end"))
)
_RENEW = leases.update().where(_OURS).values(expires_ns=sa.bindparam("end"))
_RELEASE = leases.update().where(_OURS).values(holder=_NOBODY, expires_ns=0)


class Lease:
    """The right to act on a resource for a while.

    Parameters
    ----------
    store : Store
        Where the lease lies.
    resource : str
        What it is about.
    holder : str
        Who asks; a name of its own for every process that runs at the same time, for a holder may always take its own
        lease again.
    ttl_ns : int
        How long it lasts from acquiring or renewing, in nanoseconds.
    now_ns : callable
        The clock, in nanoseconds since 1970-01-01 UTC.
    """

    def __init__(self, store: Store, resource: str, holder: str, ttl_ns: int, now_ns: Callable[[], int]) -> None:
        assert holder != _NOBODY and ttl_ns > 0, (holder, ttl_ns)
        self._store, self._resource, self._holder = store, resource, holder
        self._ttl_ns, self._now_ns = ttl_ns, now_ns
        self._epoch = 0
        self._deadline_ns = 0

    def lasts(self, margin_ns: int) -> bool:
        """Whether it lasts for longer than a margin, by its own clock."""
        return self.may_send(self._now_ns(), margin_ns)

    @property
    def store(self) -> Store:
        """The database that it guards."""
        return self._store

    @property
    def epoch(self) -> int:
        """Number of the last acquisition by this object; 0 before the first."""
        return self._epoch

    @property
    def deadline_ns(self) -> int:
        """When the lease ends unless it is renewed; 0 when it is not held."""
        return self._deadline_ns

    def acquire(self) -> bool:
        """Take the lease if it is free, has ended, or is this holder's own; then the epoch is a new one.

        Returns
        -------
        bool
            Whether it is held now.

        Raises
        ------
        RetryableError
            The database is in use; whether the lease was taken is not known if it is an UncertainCommit.
        """
        # Read before anything is waited for: the lease ends too early rather than too late.
        now_ns = self._now_ns()
        self._deadline_ns = 0
        try:
            epoch = self._take(now_ns)
        except sa.exc.IntegrityError:
            return False  # two asked for a new lease at once, and the other was first
        if epoch is None:
            return False
        self._epoch, self._deadline_ns = epoch, now_ns + self._ttl_ns
        return True

    def renew(self) -> None:
        """Move the end of a held lease; one that has ended is renewed too, if nobody took it.

        Raises
        ------
        Fenced
            Somebody else has taken it.
        RetryableError
            The database is in use: the end is where it was.
        """
        end_ns = self._now_ns() + self._ttl_ns
        # A clock that was set back may make the end an earlier one; believed from now on, not only once it is written.
        self._deadline_ns = min(self._deadline_ns, end_ns)
        with self._store.write() as connection:
            is_ours = connection.execute(_RENEW, self._mine() | {"end": end_ns}).rowcount == 1
        if not is_ours:
            raise self._lost()
        self._deadline_ns = end_ns

    def release(self) -> None:
        """Give the lease back, so that nobody has to wait for its end; nothing happens if it is not held."""
        self._deadline_ns = 0
        with self._store.write() as connection:
            connection.execute(_RELEASE, self._mine())

    def may_send(self, now_ns: int, margin_ns: int) -> bool:
        """Whether the lease lasts for longer than a margin, so that something may still be sent.

        Parameters
        ----------
        now_ns : int
            The instant just before sending.
        margin_ns : int
            What sending may take, and what clocks may differ by.
        """
        return now_ns + margin_ns < self._deadline_ns

    @contextlib.contextmanager
    def fenced(self) -> Iterator[sa.Connection]:
        """One transaction of the store that changes nothing unless the lease is still of this epoch.

        The end is not looked at: until somebody takes the lease nobody else writes.

        Yields
        ------
        sa.Connection
            As of ``Store.write``.

        Raises
        ------
        Fenced
            Somebody else has taken it, or it was given back: nothing was written.
        """
        with self._store.write() as connection:
            found = connection.execute(_LOOK, {"key": self._resource}).one_or_none()
            if found is None or (found.holder, found.epoch) != (self._holder, self._epoch):
                raise self._lost()
            yield connection

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """One transaction for all that is fenced inside (``Store.together``): kept whole, or not at all.

        Raises
        ------
        Fenced
            As of ``fenced``; of what was there before nothing is changed.
        """
        with self._store.together():
            yield

    def _take(self, now_ns: int) -> int | None:
        """The new epoch, when the lease may be taken."""
        key, end_ns = {"key": self._resource}, now_ns + self._ttl_ns
        with self._store.write() as connection:
            found = connection.execute(_LOOK, key).one_or_none()
            if found is None:
                row = {"resource": self._resource, "holder": self._holder, "epoch": 1, "expires_ns": end_ns}
                connection.execute(leases.insert(), row)
                return 1
            if found.expires_ns >= now_ns and found.holder not in (self._holder, _NOBODY):
                return None
            epoch: int = found.epoch + 1
            connection.execute(_TAKE, key | {"me": self._holder, "next": epoch, "end": end_ns})
            return epoch

    def _mine(self) -> dict[str, object]:
        return {"key": self._resource, "me": self._holder, "mine": self._epoch}

    def _lost(self) -> Fenced:
        self._deadline_ns = 0
        return Fenced(
            f"{self._holder} does not hold the lease of {self._resource} (epoch {self._epoch}): another process has "
            "taken over, or it was given back. Nothing was written. See which one is meant to run, and stop the other"
        )


class FileLease:
    """The one process of this machine that may run on an SQLite database; ends with the process, however it ends.

    Parameters
    ----------
    path : Path
        The database; the lock is a file beside it, which stays.
    """

    def __init__(self, path: Path) -> None:
        # Without locks of the kernel a file that says "held" would outlive a killed process, so that is refused.
        self._lock = filelock.FileLock(
            path.with_name(f"{path.name}.runner.lock"), thread_local=False, fallback_to_soft=False
        )

    @property
    def is_held(self) -> bool:
        """Whether this object holds the lock."""
        return self._lock.is_locked

    def acquire(self) -> bool:
        """Take the lock if it is free, without waiting; True as well if this object holds it already.

        Raises
        ------
        ConfigError
            The file cannot be made, or its folder knows no locks; Unwritable for want of rights or room.
        """
        if self.is_held:
            return True
        try:
            self._lock.acquire(blocking=False)
        except filelock.Timeout:
            return False
        except OSError as error:
            raise (Unwritable if takes_nothing(error) else ConfigError)(
                f"the lock {self._lock.lock_file} cannot be made: {error.strerror or error}. Put the database into a "
                "folder of a local disk that may be written"
            ) from error
        return True

    def release(self) -> None:
        """Give the lock back; nothing happens if it is not held."""
        self._lock.release()
