"""How far a sweep has come, with the time that is left."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def watched(total: int, shown: bool) -> Iterator[Callable[[], None]]:
    """A bar on a terminal or in a notebook; nothing when output goes to a file, or to whoever asked for none.

    Yields
    ------
    callable
        To be called when a set is finished.
    """
    notebook = "ipykernel" in sys.modules
    if not shown or not (notebook or sys.stderr.isatty()):
        yield lambda: None
        return
    from tqdm.auto import tqdm  # type: ignore[import-untyped]

    with tqdm(total=total, unit="set", desc="Sweep", mininterval=0.2, leave=False) as bar:

        def tick() -> None:
            bar.update()

        yield tick
