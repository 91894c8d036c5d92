"""How far a sweep has come, with the time that is left."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any


class Interrupted(KeyboardInterrupt):
    """A sweep was interrupted.

    Parameters
    ----------
    finished, total : int
        Sets.
    """

    def __init__(self, finished: int, total: int) -> None:
        super().__init__(f"{finished:,} of {total:,} sets are finished")
        self.finished, self.total = finished, total


@contextlib.contextmanager
def watched(total: int, shown: bool) -> Iterator[Callable[[], None]]:
    """A bar on a terminal or in a notebook; nothing when output goes to a file, or to whoever asked for none.

    Yields
    ------
    callable
        To be called when a set is finished.

    Raises
    ------
    Interrupted
        Instead of a plain KeyboardInterrupt, with the count of finished sets.
    """
    finished = 0
    with _bar(total, shown) as bar:

        def tick() -> None:
            nonlocal finished
            finished += 1
            if bar is not None:
                bar.update()

        try:
            yield tick
        except KeyboardInterrupt as error:
            raise Interrupted(finished, total) from error


def _bar(total: int, shown: bool) -> contextlib.AbstractContextManager[Any]:
    notebook = "ipykernel" in sys.modules
    if not shown or not (notebook or sys.stderr.isatty()):
        return contextlib.nullcontext()
    from tqdm.auto import tqdm  # type: ignore[import-untyped]

    bar: contextlib.AbstractContextManager[Any] = tqdm(
        total=total, unit="set", desc="Sweep", mininterval=0.2, leave=False
    )
    return bar
