"""A runner's process, started, watched, started again when it ends, and stopped; whoever asks knows how it stands.

The process is tied to ours by a pipe: it ends, gracefully, when ours is gone, however ours ended (``live.tie``). What
it says last is kept, so that a person can be told why it is not there.

Invariants: at most one process at a time; what a person must look at is not started again by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from workbench.live.exit_codes import Exit

#: Seconds before the first new start, at most, and how long one must have run for the wait to begin anew.
BACKOFF_S, MOST_BACKOFF_S, STEADY_S = 1.0, 60.0, 60.0
#: Seconds that it has to end by itself, and then after a signal.
GRACE_S = 5.0
#: Lines of what it said that are kept.
KEPT_LINES = 50


class Hosting(Enum):
    """How a hosted runner stands."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    RESTARTING = "RESTARTING"  # it ended, and is started again
    WAITING = "WAITING"  # another runner has the database
    LOOK = "LOOK"  # it ended because a person must look
    ENDED = "ENDED"  # its bars are at their end
    STOPPED = "STOPPED"  # we stopped it, or never started it


class Hosted(NamedTuple):
    """A hosted runner at a moment.

    Attributes
    ----------
    state : Hosting
        How it stands.
    pid : int
        Of its process; 0 when there is none.
    attempt : int
        How often it was started since it last ran steadily.
    since_ns : int
        When it came into this state, on the wall; 0 for never.
    said : str
        The last line it said.
    """

    state: Hosting
    pid: int
    attempt: int
    since_ns: int
    said: str


class Supervisor:
    """Keeps one runner's process running.

    Parameters
    ----------
    command : sequence of str
        What starts it, such as ``python -m workbench.live --tied ...``.
    environment : mapping of str to str, optional
        Of the process, instead of ours. What must not be seen in a list of processes goes here.
    changed : callable, optional
        Called after every change of the state.
    backoff_s : float
        Seconds before the first new start.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        changed: Callable[[Hosted], None] = lambda _: None,
        backoff_s: float = BACKOFF_S,
    ) -> None:
        self._command, self._environment, self._changed = list(command), environment, changed
        self._first_backoff_s = self._backoff_s = backoff_s
        self._state, self._since_ns = Hosting.STOPPED, 0
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._attempt, self._lines = 0, deque[str](maxlen=KEPT_LINES)

    def now(self) -> Hosted:
        """How it stands."""
        running = self._process is not None and self._process.returncode is None
        pid = self._process.pid if running and self._process is not None else 0
        said = self._lines[-1] if self._lines else ""
        return Hosted(self._state, pid, self._attempt, self._since_ns, said)

    def lines(self) -> list[str]:
        """What it said last, the oldest first."""
        return list(self._lines)

    def start(self) -> None:
        """Begin; nothing happens if it has begun. In a running event loop."""
        if self._task is None or self._task.done():
            self._attempt, self._backoff_s = 0, self._first_backoff_s
            self._task = asyncio.create_task(self._keep(), name="workbench-runner")

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """End the process, by asking first; may be called several times, and when nothing runs."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._end(grace_s)
        self._become(Hosting.STOPPED)

    async def _keep(self) -> None:
        while True:
            self._attempt += 1
            self._become(Hosting.STARTING if self._attempt == 1 else Hosting.RESTARTING)
            began = time.monotonic()
            code = await self._run()
            if code == Exit.LOOK:
                return self._become(Hosting.LOOK)
            if code == Exit.DONE:
                return self._become(Hosting.ENDED)
            if time.monotonic() - began > STEADY_S:
                self._attempt, self._backoff_s = 0, self._first_backoff_s
            self._become(Hosting.WAITING if code == Exit.FENCED else Hosting.RESTARTING)
            await asyncio.sleep(self._backoff_s)
            self._backoff_s = min(2.0 * self._backoff_s, MOST_BACKOFF_S)

    async def _run(self) -> int:
        """One process from its start to its end; its exit code."""
        pipe = asyncio.subprocess.PIPE
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT, env=self._environment
            )
        except OSError as error:
            self._lines.append(f"it cannot be started: {error}")
            return -1
        self._become(Hosting.RUNNING)
        assert self._process.stdout is not None
        while line := await _line(self._process.stdout):
            self._lines.append(line.decode(errors="replace").rstrip())
        return await self._process.wait()

    async def _end(self, grace_s: float) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None
        process.stdin.close()  # it is tied: this asks it to end
        for ask in (None, process.terminate, process.kill):
            with contextlib.suppress(ProcessLookupError):
                if ask is not None:
                    ask()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), grace_s)
                return

    def _become(self, state: Hosting) -> None:
        if state is not self._state:
            self._state, self._since_ns = state, time.time_ns()
            self._changed(self.now())


async def _line(stream: asyncio.StreamReader) -> bytes:
    """The next line, or what there is of one that is too long; nothing at the end."""
    try:
        return await stream.readline()
    except ValueError:
        return await stream.read(1) or b""


def environment_with(database: str) -> dict[str, str]:
    """Our environment with a runner's database: a URL may hold a password, and arguments can be read by anybody."""
    return {**os.environ, "WORKBENCH_DATABASE": database}
