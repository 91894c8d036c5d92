"""A process that ends with the one that started it: it holds one end of a pipe, and notices when the other is gone.

It works on every system, and however the other ended: a killed process closes its pipes too. A signal of the kernel
would end a runner in the middle of a bar; this asks it to end after what it is doing.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable


def tie(file: int, gone: Callable[[str], None]) -> threading.Thread:
    """Call ``gone`` with the reason when the other end of a pipe is closed; what is written to it is passed over.

    Parameters
    ----------
    file : int
        Our end, to be read; that of standard input by custom.
    gone : callable
        Called once, from a thread of its own.
    """

    def watch() -> None:
        try:
            while os.read(file, 4096):
                pass
        except OSError:
            pass
        gone("the process that it was started by has ended")

    thread = threading.Thread(target=watch, name="tie", daemon=True)
    thread.start()
    return thread
