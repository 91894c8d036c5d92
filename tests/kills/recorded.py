"""The runner's process with a wire that takes a moment, and that notes when an entry was on it.

``python -m tests.kills.recorded FILE WIRE_S ...``: what follows is for ``python -m workbench.live``. For every batch
with an entry a line of FILE says when the broker was called, and when what it took was in the database, by the
monotonic clock.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from workbench.brokers.paper import PaperBroker
from workbench.brokers.port import Answer, Request
from workbench.live.__main__ import main
from workbench.live.lease import Lease
from workbench.live.rehearsal import rehearse

Send = Callable[[PaperBroker, Sequence[Request]], Sequence[Answer | Exception]]
Together = Callable[[Lease], contextlib.AbstractContextManager[None]]


def recorded(send: Send, wire_s: float, on_its_way: list[tuple[int, int]]) -> Send:
    """A broker's ``send`` after a drawn moment; what it took is on its way until it is kept."""
    drawn = random.Random(1)

    def send_and_note(self: PaperBroker, requests: Sequence[Request]) -> Sequence[Answer | Exception]:
        opens = sum(one.opens for one in requests)
        begun = time.monotonic_ns()
        if opens:
            time.sleep(drawn.uniform(0.0, wire_s))
        answers = send(self, requests)
        if opens:
            on_its_way.append((begun, opens))
        return answers

    return send_and_note


def kept(together: Together, file: int, on_its_way: list[tuple[int, int]]) -> Together:
    """One transaction, at whose end is written down what was sent in it."""

    @contextlib.contextmanager
    def together_and_note(self: Lease) -> Iterator[None]:
        on_its_way.clear()
        with together(self):
            yield
        for begun, opens in on_its_way:
            os.write(file, f"{begun} {time.monotonic_ns()} {opens}\n".encode())
        on_its_way.clear()

    return together_and_note


if __name__ == "__main__":
    rehearse(lambda _: None)  # on a database of its own and without a switch: what it sends there is no race
    noted = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    batches: list[tuple[int, int]] = []
    PaperBroker.send = recorded(PaperBroker.send, float(sys.argv[2]), batches)  # type: ignore[method-assign]
    Lease.together = kept(Lease.together, noted, batches)  # type: ignore[method-assign]
    sys.exit(main(sys.argv[3:]))
