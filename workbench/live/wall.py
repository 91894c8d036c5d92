"""What a process knows of the outside: the wall's clock, signals, its own name, and files that change.

The only module of the runner that asks the operating system; everything else is handed what is here.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, Self

from workbench.live.clock import VirtualClock

#: How soon a sleeper notices that it was woken.
SLICE_S = 0.1

Stamp = tuple[int, int, int]


def stamp_of(path: str | Path) -> Stamp | None:
    """When a file was written, its size and its number: other ones after every change; None where there is no file.

    Raises
    ------
    OSError
        It cannot be looked at.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - half the price of the method of a path, and asked at every decision
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def free_bytes(folder: Path) -> int:
    """Room that is left on the disk of a folder."""
    return shutil.disk_usage(folder).free


def setting(name: str) -> str:
    """A setting of the environment; empty when it is not set."""
    return os.environ.get(name, "")


def written_time(ns: int | None = None) -> str:
    """An instant as UTC to the second, now by default: ``2026-11-21 09:30:12Z``."""
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(time.time() if ns is None else ns // 10**9))


#: How the name of a runner ends whose time is that of stored bars.
REPLAYS = ", replaying"


def holder_name(since_ns: int, replays: bool = False) -> str:
    """Machine, number and begin of this process, and whether its time is virtual: no other that runs has the same."""
    return f"{machine_name()} pid {os.getpid()} since {written_time(since_ns)}{REPLAYS if replays else ''}"


def machine_name() -> str:
    """Of the machine this runs on."""
    return os.uname().nodename


class Wake:
    """A file that grows by a byte when something was written for the runner.

    Parameters
    ----------
    path : Path
        The file; made when it is first rung.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._heard = self._look()

    def ring(self) -> None:
        """Wake whoever sleeps; where it cannot be written, the runner looks after a few seconds by itself."""
        # Grown, not only touched: two touches within one tick of the file system would look like one.
        with contextlib.suppress(OSError), self._path.open("ab") as file:
            file.write(b".")

    @property
    def rung(self) -> bool:
        """Whether it was rung since ``answer``."""
        return self._look() != self._heard

    def answer(self) -> bool:
        """Whether it was rung since this was last asked; to be asked before looking for what was written."""
        before, self._heard = self._heard, self._look()
        return before != self._heard

    def _look(self) -> Stamp | None:
        try:
            return stamp_of(self._path)
        except OSError:
            return None


class Ending:
    """Whether the process was asked to end, by SIGTERM, Ctrl-C or a closed terminal; a second Ctrl-C ends it at once.

    As a context manager it hears the signals, in the main thread of a process.
    """

    def __init__(self) -> None:
        self.asked = ""
        self._before: dict[int, Any] = {}

    def ask(self, why: str) -> None:
        """Ask it to end after what it is doing."""
        self.asked = self.asked or why

    def __bool__(self) -> bool:
        return bool(self.asked)

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # what nohup ignores stays ignored
                self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before.clear()

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            _interrupt()
        self.ask(signal.Signals(number).name)


def _interrupt() -> NoReturn:
    raise KeyboardInterrupt


def _never() -> bool:
    return False


class WallClock:
    """The clock on the wall.

    It never goes back: when the wall's is set back it goes on at half speed, until the wall has caught up.

    Parameters
    ----------
    is_roused : callable, optional
        Whether a sleeper should come back now.
    """

    def __init__(self, is_roused: Callable[[], bool] = _never) -> None:
        self._is_roused = is_roused
        self._now, self._ran = time.time_ns(), time.monotonic_ns()

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        wall, ran = time.time_ns(), time.monotonic_ns()
        self._now, self._ran = max(wall, self._now + (ran - self._ran) // 2), ran
        return self._now

    def wait_until(self, ns: int | None) -> None:
        """Sleep to an instant, or until roused."""
        while not self._is_roused():
            left_ns = None if ns is None else ns - self.now_ns()
            if left_ns is not None and left_ns <= 0:
                return
            time.sleep(SLICE_S if left_ns is None else min(SLICE_S, left_ns / 1e9))


class PacedClock(VirtualClock):
    """A virtual clock that goes so many times as fast as the wall's; it stands while something is done.

    Parameters
    ----------
    ns : int
        Where it stands at first.
    speed : float
        Virtual seconds a second, above 0.
    is_roused : callable, optional
        Whether a sleeper should come back now.
    """

    def __init__(self, ns: int, speed: float, is_roused: Callable[[], bool] = _never) -> None:
        super().__init__(ns)
        self._speed, self._is_roused = speed, is_roused
        self._anchor = ns, time.monotonic_ns()

    def wait_until(self, ns: int | None) -> None:
        """Sleep to an instant, or until roused; then go on to where it is."""
        while not self._is_roused():
            here = self._anchor[0] + int((time.monotonic_ns() - self._anchor[1]) * self._speed)
            if ns is not None and here >= ns:
                super().wait_until(ns)
                return
            super().wait_until(here)
            left_s = SLICE_S if ns is None else (ns - here) / 1e9 / self._speed
            time.sleep(min(SLICE_S, left_s))
