"""The locks that a runner's process begins with, waits for, renews and gives back.

The file's is for one process of a machine on an SQLite database; the lease's for one process of all machines on any.
Who stands still in a transaction keeps the lease's row locked at a server, for as long as it stands: a waiter whose
turn it is ends that transaction, for it is older than one of a runner can be.
"""

from __future__ import annotations

from workbench.errors import HaltError, RetryableError
from workbench.journal.store import Store
from workbench.journal.tables import leases
from workbench.live.facts import RUNNER, Holder, holder_of
from workbench.live.lease import FileLease, Lease
from workbench.live.service import Say
from workbench.live.wall import WallClock, holder_name, machine_name

#: A lease is renewed when this part of it has passed.
_PARTS = 3
#: How soon a lease that could not be renewed is tried again.
_AGAIN_NS = 10**9


class Locks:
    """What one process needs to act alone.

    Parameters
    ----------
    store : Store
        The database.
    wall : WallClock
        Time, as the end of a lease is counted in.
    lease_ns : int
        How long it may be silent before another takes over.
    say : callable
        Told of what cannot be renewed or given back.
    replays : bool
        Whether the process passes stored bars in virtual time; whoever looks at the lease is told.

    Attributes
    ----------
    lease : Lease
        Of the database.
    renew_at : int
        When the lease is to be renewed next.
    """

    def __init__(self, store: Store, wall: WallClock, lease_ns: int, say: Say, replays: bool = False) -> None:
        self._store, self._wall, self._ns, self._say = store, wall, lease_ns, say
        self.lease = self._lease_of(holder_name(wall.now_ns(), replays))
        self._file = None if store.path is None else FileLease(store.path)
        self.renew_at = 0

    def acquire(self) -> bool:
        """Take both, without waiting for who has one of them."""
        if self._file is None:
            return self._freed() and self.lease.acquire()
        return self._file.acquire() and (self.lease.acquire() or self._inherited())

    def holder(self) -> str:
        """Who has the lease; empty if nobody has."""
        return self._holder().name

    def renew(self) -> None:
        """Renew the lease when that is due."""
        now = self._wall.now_ns()
        if now < self.renew_at:
            return
        try:
            self.lease.renew()
        except RetryableError as error:
            self._say(f"the lease could not be renewed and is tried again: {error}")
            self.renew_at = now + _AGAIN_NS
            return
        self.renew_at = now + self._ns // _PARTS

    def give_back(self) -> None:
        """Release what is held."""
        try:
            if self.lease.deadline_ns:
                self.lease.release()
        except (RetryableError, HaltError) as error:
            self._say(f"the lease could not be given back, and ends by itself: {error}")
        finally:
            if self._file is not None:
                self._file.release()

    def _holder(self) -> Holder:
        with self._store.read() as connection:
            return holder_of(connection)

    def _lease_of(self, holder: str) -> Lease:
        return Lease(self._store, RUNNER, holder, self._ns, self._wall.now_ns)

    def _freed(self) -> bool:
        """Whether the lease may be asked for: nobody's any more, and its row not locked by who stands still."""
        holder = self._holder()
        if holder.runs(self._wall.now_ns()):
            return False
        # Who renewed last a whole lease ago stands in a transaction that has begun before the next renewal was due.
        ended = self._store.end_long_holders(leases, self._ns / _PARTS / 1e9)
        if ended:
            self._say(f"{holder.name or 'somebody'} stood still in a transaction, which was ended: it changed nothing.")
        return True

    def _inherited(self) -> bool:
        """Take the lease of who held the lock of the file before and has ended, however it ended, without waiting."""
        holder = self.holder()
        if not holder.startswith(f"{machine_name()} pid "):
            return False
        gone = self._lease_of(holder)
        if gone.acquire():
            gone.release()
        return self.lease.acquire()
