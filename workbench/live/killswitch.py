"""The kill switch: a file that stands beside the database while somebody wants nothing new to be done.

It is looked at before every decision and before every entry is sent, without asking the database: it works while that
is locked, full or away, and after any restart. A kill stops evaluations and new entries; it neither cancels protective
orders nor keeps a forced flatten from being sent. The runner tells each journal what the switch says, not the other
way round.

A file that cannot be read stops everything: an empty one, made by hand, is enough.

Between a look at the switch and the wire lies time, though little. Whoever sends entries holds a lock for so long, and
whoever kills waits for it (``settled``) before saying that it is done: after that word no entry follows.
"""

from __future__ import annotations

import contextlib
import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import filelock

from workbench.errors import HaltError, RetryableError, Unwritable
from workbench.journal.failures import takes_nothing
from workbench.live.wall import Stamp, stamp_of
from workbench.market.home import write_atomically

#: How long one waits for another who writes the file, or sends.
_TURN_S = 1.0
#: Between two tries.
_POLL_S = 0.001

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class Kill(NamedTuple):
    """One thing that was killed.

    Attributes
    ----------
    owner : str
        Whose deployments; empty for everybody's.
    name : str
        Of the deployment; empty for all of the owner's.
    who, why : str
        Who did it, and what they said.
    when_ns : int
        When.
    """

    owner: str
    name: str
    who: str
    why: str
    when_ns: int

    def stops(self, owner: str, name: str) -> bool:
        """Whether it stops a deployment."""
        return self.owner in ("", owner) and self.name in ("", name)

    def words(self) -> str:
        """In words, without an end: ``everything of local, by asha: fat finger``."""
        what = self.name or (f"everything of {self.owner}" if self.owner else "everything of everybody")
        return f"{what}, by {self.who or 'somebody'}{f': {self.why}' if self.why else ''}"


def down_words(kill: Kill, is_settled: bool) -> str:
    """What is so once a kill is in force, in words; ``is_settled`` is what ``KillSwitch.settled`` said after it."""
    down = f"The kill switch is down ({kill.words()}): nothing is evaluated and nothing is entered."
    return down if is_settled else f"{down} Nobody knows what is on its way: an entry may still arrive."


class Flag(NamedTuple):
    """What was asked to be killed, on the disk, before a database was asked for anything.

    Attributes
    ----------
    switch : KillSwitch
        That holds it.
    kill : Kill
        In force; an older one of the same deployments, where there was one.
    is_new : bool
        Whether it was put down now.
    """

    switch: KillSwitch
    kill: Kill
    is_new: bool

    def words(self) -> str:
        """What is so, in words; waits a moment for what is on its way."""
        return down_words(self.kill, self.switch.settled())

    def lift(self) -> None:
        """Take it back: what was to be killed does not exist. An older kill stays."""
        if self.is_new:
            self.switch.arm(self.kill.owner, self.kill.name, self.kill.when_ns)


class KillSwitch:
    """The kill switch of one database.

    Parameters
    ----------
    path : Path
        The flag file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._name = str(path)
        self._read: tuple[Stamp, tuple[Kill, ...]] | None = None

    def down(self, owner: str = "", name: str = "") -> bool:
        """Whether a deployment is stopped; without arguments, whether anything is. One look at the file system.

        Parameters
        ----------
        owner, name : str, optional
            Of the deployment.
        """
        kills = self.kills()
        return bool(kills) and (not owner or any(one.stops(owner, name) for one in kills))

    def kills(self) -> tuple[Kill, ...]:
        """Everything that is killed, the oldest first; empty when nothing is."""
        try:
            stamp = stamp_of(self._name)
        except OSError as error:
            return (Kill("", "", "", f"the flag of the kill switch cannot be looked at: {error}", 0),)
        if stamp is None:
            return ()
        if self._read is None or self._read[0] != stamp:
            self._read = stamp, self._content(stamp)
        return self._read[1]

    def kill(self, kill: Kill) -> Kill:
        """Put the switch down: it is on the disk when this returns.

        Returns
        -------
        Kill
            The one in force: an older one of the same deployments stays as it is. On a disk without room it is one of
            everybody, for an empty file needs none.

        Raises
        ------
        HaltError
            The flag cannot be written.
        """
        with self._turn(needed=False):
            kills = self.kills()
            for one in kills:
                if (one.owner, one.name) == (kill.owner, kill.name):
                    return one
            try:
                self._write((*kills, kill))
            except HaltError as error:
                if getattr(error.__cause__, "errno", None) not in _NO_ROOM or not self._emptied():
                    raise
                return self.kills()[0]
        return kill

    def put_down(self, asked: Kill) -> Flag:
        """The same as ``kill``, as something that can be taken back."""
        kill = self.kill(asked)
        return Flag(self, kill, kill is asked)

    def settled(self) -> bool:
        """Whether every entry that passed the switch before now is with its broker; waits for those for a moment.

        False says that the runner stands in the middle of sending, or that nobody can know.
        """
        try:
            with self._passing():
                return True
        except (filelock.Timeout, OSError):
            return False

    @contextlib.contextmanager
    def sending(self) -> Iterator[bool]:
        """From the look at the switch until the wire has the entries: a kill in between waits for the end of this.

        Yields
        ------
        bool
            False when somebody else holds it for long: no entry may be sent then.

        Raises
        ------
        HaltError
            The file of the lock cannot be made; Unwritable for want of rights or room.
        """
        with contextlib.ExitStack() as held:
            is_free = True
            try:
                held.enter_context(self._passing())
            except filelock.Timeout:
                is_free = False
            except OSError as error:
                raise (Unwritable if takes_nothing(error) else HaltError)(
                    f"the lock {self.path}.sending cannot be made, without which a kill could not hold up an entry: "
                    f"{error.strerror or error}. Give the right to write into its folder"
                ) from error
            yield is_free

    def arm(self, owner: str, name: str, before_ns: int) -> tuple[Kill, ...]:
        """Lift what was killed under exactly this owner and name, up to an instant; what was killed later stays.

        Returns
        -------
        tuple of Kill
            What was lifted.

        Raises
        ------
        RetryableError
            Somebody else is writing the flag.
        HaltError
            The flag cannot be written.
        """
        with self._turn(needed=True):
            kills = self.kills()
            lifted = tuple(one for one in kills if (one.owner, one.name) == (owner, name) and one.when_ns <= before_ns)
            if lifted:
                self._write(tuple(one for one in kills if one not in lifted))
        return lifted

    def _content(self, stamp: Stamp) -> tuple[Kill, ...]:
        try:
            kills = tuple(Kill(**one) for one in json.loads(self.path.read_bytes())["kills"])
            if kills and all(isinstance(one.when_ns, int) for one in kills):
                return kills
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, TypeError, KeyError):
            pass
        return (Kill("", "", "", f"the file {self.path} is there, and nobody can read in it who is meant", stamp[0]),)

    def _emptied(self) -> bool:
        """Empty the file, or make an empty one, which stops everybody; whether that was possible."""
        with contextlib.suppress(OSError):
            self.path.open("wb").close()
            return True
        return False

    def _passing(self) -> contextlib.AbstractContextManager[object]:
        """One at a time, of those who send entries and those who wait for them."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return filelock.FileLock(
            f"{self.path}.sending", timeout=_TURN_S, poll_interval=_POLL_S, thread_local=False, fallback_to_soft=False
        )

    def _write(self, kills: tuple[Kill, ...]) -> None:
        try:
            if kills:
                write_atomically(self.path, json.dumps({"kills": [one._asdict() for one in kills]}, indent=1).encode())
            else:
                self.path.unlink(missing_ok=True)
        except OSError as error:
            raise HaltError(
                f"the flag of the kill switch {self.path} cannot be written: {error.strerror or error}. Make a file of "
                "that name by hand, or end the runner"
            ) from error

    @contextlib.contextmanager
    def _turn(self, needed: bool) -> Iterator[None]:
        """One writer at a time; a kill does not wait for a process that stands still."""
        lock = filelock.FileLock(f"{self.path}.lock", timeout=_TURN_S, thread_local=False)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except (filelock.Timeout, OSError) as error:
            if needed:
                raise RetryableError(
                    f"the kill switch {self.path} is in the hands of somebody else; try again"
                ) from error
        try:
            yield
        finally:
            lock.release()
