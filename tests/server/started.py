"""A Jupyter server in a process of its own, with no settings of this machine, and what it answers."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tests.browser.lab import TOKEN, free_port


class Started(NamedTuple):
    """A server that starts or runs: its address, its process, and the file of what it says."""

    url: str
    process: subprocess.Popen[bytes]
    said: pathlib.Path

    def get(self, path: str) -> bytes:
        """What is answered; nothing while there is no answer, or not a good one."""
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"token {TOKEN}"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return bytes(answer.read())
        except OSError:
            return b""

    def until(self, so: Callable[[], bool], seconds: float = 180.0) -> bool:
        """Whether something is so within some seconds, while the server runs."""
        end = time.monotonic() + seconds
        while not so() and time.monotonic() < end and self.process.poll() is None:
            time.sleep(0.2)
        return so()


@contextlib.contextmanager
def started(folder: pathlib.Path, command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Started]:
    """Start a server with the options of one that nobody looks at; it is ended with the block."""
    port = free_port()
    own = {f"JUPYTER_{kind}_DIR": str(folder / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    options = ["--no-browser", "--allow-root", f"--port={port}", "--port-retries=0"]
    whole, around = [*command, *options, f"--IdentityProvider.token={TOKEN}"], {**environment, **own}
    with (
        (folder / "said").open("wb") as said,
        subprocess.Popen(whole, env=around, stdout=said, stderr=said, cwd=folder) as process,
    ):
        try:
            yield Started(f"http://127.0.0.1:{port}/", process, folder / "said")
        finally:
            process.terminate()
            process.wait(30)
