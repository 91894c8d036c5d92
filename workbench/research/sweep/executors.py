"""Where the sets of a sweep run. Whatever the order in which they finish, a row is the same to the last bit."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from workbench.research.sweep.run import Row


def in_threads(row: Callable[[int], Row], sets: Sequence[int], workers: int) -> Iterator[tuple[int, Row]]:
    """Rows as they finish. Leaving early, by an error or Ctrl-C, begins no further set."""
    if workers == 1:
        for i in sets:
            yield i, row(i)
        return
    waiting = iter(sets)
    with ThreadPoolExecutor(workers, thread_name_prefix="sweep") as pool:
        running: dict[Future[Row], int] = {}
        try:
            while True:
                for i in itertools.islice(waiting, max(0, 2 * workers - len(running))):
                    running[pool.submit(row, i)] = i
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in sorted(done, key=running.__getitem__):
                    yield running.pop(future), future.result()
        finally:
            for future in running:
                future.cancel()
