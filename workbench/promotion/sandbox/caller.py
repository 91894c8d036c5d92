"""Asks a function in its own process, and ends that process when it is silent for too long.

A process is for one caller and one question after the other; what it did with an earlier one is still there, as it
would be in a runner.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from workbench.market.bars import Bars
from workbench.market.columns import FIELDS
from workbench.promotion.sandbox.messages import Message, packed, unpacked

Codes = npt.NDArray[np.uint8]

#: How long a process may take to begin, s.
BEGIN_S = 60.0
_LENGTH = 8


class Broke(Exception):  # noqa: N818 - what a function did, not what went wrong here
    """The function raised, hung, or ended its process; says which."""


class Caller:
    """A function that can be asked; to be used in ``with``.

    Parameters
    ----------
    kind, function : str, bytes
        ``pickle`` or ``python``, and its content.
    limit_s : float
        Longest that a question may take, seconds of the wall and of the processor.
    hash_seed : int, optional
        Of the hashes of text, which the order of sets depends on.

    Attributes
    ----------
    fields : dict
        Of the strategy, as the function's file says.
    apart : tuple of str
        What its process lacks by the system's word, and not only by Python's: ``network``, ``files``.
    """

    def __init__(self, kind: str, function: bytes, limit_s: float, hash_seed: int = 0) -> None:
        self._limit_s = limit_s
        self._folder = tempfile.TemporaryDirectory()
        # Neither the folder nor the user's own packages are looked into; the environment is all ours.
        command = [sys.executable, "-P", "-s", "-m", "workbench.promotion.sandbox.host"]
        environment = {
            "PATH": os.defpath, "TZ": "UTC", "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1",
            "PYTHONHASHSEED": str(hash_seed),
        }  # fmt: skip
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
            cwd=self._folder.name, start_new_session=True, bufsize=0,
        )  # fmt: skip
        try:
            told = self._ask(
                {"kind": kind, "function": np.frombuffer(function, np.uint8), "seconds": int(limit_s) + 1},
                max(BEGIN_S, limit_s),
            )
        except BaseException:
            self.close()
            raise
        self.fields: dict[str, Any] = json.loads(str(told["fields"]))
        self.apart = tuple(name for name in ("network", "files") if bool(told[name]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process and whatever it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()
        self._folder.cleanup()

    def whole(self, bars: Bars, first: int = 0) -> Codes:
        """What it says of every bar from ``first`` on, which are all it is shown."""
        return self._codes({**_asked(bars), "first": first})

    def upto(self, bars: Bars, at: npt.NDArray[np.intp]) -> Codes:
        """What it says of each bar of ``at`` when that is the last one it is shown."""
        return self._codes({**_asked(bars), "upto": at})

    def _codes(self, asked: dict[str, Any]) -> Codes:
        return np.asarray(self._ask(asked, self._limit_s)["codes"], np.uint8)

    def _ask(self, asked: dict[str, Any], limit_s: float) -> Message:
        until = time.monotonic() + limit_s
        try:
            self._send(packed(asked), until)
            told = unpacked(self._read(int.from_bytes(self._read(_LENGTH, until), "big"), until))
        except (BrokenPipeError, EOFError):
            raise Broke(f"it ended its process ({self._ended()})") from None
        if "wrong" in told:
            raise Broke(str(told["wrong"]))
        return told

    def _send(self, content: bytes, until: float) -> None:
        stream = self._process.stdin
        assert stream is not None
        os.set_blocking(stream.fileno(), False)
        rest = memoryview(content)
        while rest:
            self._wait(until, writes=True)
            rest = rest[os.write(stream.fileno(), rest[:65_536]) :]

    def _read(self, length: int, until: float) -> bytes:
        stream, found = self._process.stdout, bytearray()
        assert stream is not None
        while len(found) < length:
            self._wait(until, writes=False)
            part = os.read(stream.fileno(), min(65_536, length - len(found)))
            if not part:
                raise EOFError
            found += part
        return bytes(found)

    def _wait(self, until: float, writes: bool) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        left = until - time.monotonic()
        reads, sends = ([], [self._process.stdin]) if writes else ([self._process.stdout], [])
        if left <= 0 or not any(select.select(reads, sends, [], left)):
            raise Broke("it did not answer in time: it hangs, or takes too long")

    def _ended(self) -> str:
        code = self._process.wait(timeout=5)
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _asked(bars: Bars) -> dict[str, Any]:
    return {"ts": bars.ts_ns, "block": np.stack([getattr(bars, name) for name in FIELDS])}
