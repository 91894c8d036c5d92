"""The runner's process with a wire that takes a moment, and that notes when an entry was on it.

``python -m tests.kills.recorded FILE WIRE_S ...``: what follows is for ``python -m workbench.live``. For every batch
with an entry a line of FILE says when the broker was called and when it had answered, by the monotonic clock.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Sequence

from workbench.brokers.paper import PaperBroker
from workbench.brokers.port import Answer, Request
from workbench.live.__main__ import main

Send = Callable[[PaperBroker, Sequence[Request]], Sequence[Answer | Exception]]


def recorded(send: Send, file: int, wire_s: float) -> Send:
    """A broker's ``send`` after a drawn moment, written down when it is answered."""
    drawn = random.Random(1)

    def send_and_note(self: PaperBroker, requests: Sequence[Request]) -> Sequence[Answer | Exception]:
        opens = sum(one.opens for one in requests)
        begun = time.monotonic_ns()
        if opens:
            time.sleep(drawn.uniform(0.0, wire_s))
        answers = send(self, requests)
        if opens:
            os.write(file, f"{begun} {time.monotonic_ns()} {opens}\n".encode())
        return answers

    return send_and_note


if __name__ == "__main__":
    noted = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    PaperBroker.send = recorded(PaperBroker.send, noted, float(sys.argv[2]))  # type: ignore[method-assign]
    sys.exit(main(sys.argv[3:]))
