"""The kill switch: a file that stands beside the database while somebody wants nothing new to be done.

It is looked at before every decision and before every entry is sent, without asking the database: it works while that
is locked, full or away, and after any restart. A kill stops evaluations and new entries; it neither cancels protective
orders nor keeps a forced flatten from being sent. The runner tells each journal what the switch says, not the other
way round.

A file that cannot be read stops everything: an empty one, made by hand, is enough.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import filelock

from workbench.errors import HaltError, RetryableError
from workbench.live.wall import Stamp, stamp_of
from workbench.market.home import write_atomically

#: How long one waits for another who writes the file.
_TURN_S = 1.0


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
            The one in force: an older one of the same deployments stays as it is.

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
            self._write((*kills, kill))
        return kill

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
