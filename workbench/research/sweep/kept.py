"""Finished sets on disk, so that an interrupted sweep goes on where it was.

A file holds rows over one set of bars at one cost by one engine; its name is the hash of all that. A row is found by
the hash of its strategy, so that more values, another order or another sample use what is there; what is swept is told
apart from what is not, so a sweep of other parameters begins anew.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import re
import time
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from workbench.market.home import home_folder, write_atomically
from workbench.research.sweep.run import Row

#: Seconds between two times that finished sets are written, at least.
WRITE_EVERY_S = 5.0

#: All are written each time, so that the more there are the rarer: writing takes one part in so many of the time.
PART = 20


class Kept:
    """Finished rows over the same bars.

    Parameters
    ----------
    where : bool or path
        A folder; True is the project's home, False keeps nothing.
    name : str
        Of the strategy; part of the file's name, for people.
    key : str
        Hash of what all rows depend on.
    """

    def __init__(self, where: bool | str | os.PathLike[str], name: str, key: str) -> None:
        self.path: pathlib.Path | None = None
        if where is not False:
            folder = home_folder() / "sweeps" if where is True else pathlib.Path(where)
            self.path = folder / f"{re.sub(r'[^A-Za-z0-9_-]+', '_', name)}_{key}.parquet"
        self._rows: dict[str, Row] = {}
        self._unwritten, self._due_s = 0, time.monotonic() + WRITE_EVERY_S
        if self.path is not None and self.path.exists():
            self._rows = _read(self.path)

    def row(self, key: str, names: Sequence[str]) -> Row | None:
        """A finished row that has these statistics, or None."""
        found = self._rows.get(key)
        return found if found is not None and all(name in found.stats for name in names) else None

    def add(self, key: str, row: Row) -> None:
        """Keep one more row; now and then all are written."""
        if self.path is None:
            return
        self._rows[key] = row
        self._unwritten += 1
        if time.monotonic() > self._due_s:
            self._write()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """What is finished is on disk in the end, whether or not the end was reached."""
        try:
            yield
        finally:
            self._write()

    def _write(self) -> None:
        if self.path is None or not self._unwritten:
            return
        begun_s = time.monotonic()
        table = pd.DataFrame(
            {
                "strategy": list(self._rows),
                "stats": [json.dumps(row.stats) for row in self._rows.values()],
                "dates": [row.dates.astype("<i4").tobytes() for row in self._rows.values()],
                "returns": [row.returns.astype("<f8").tobytes() for row in self._rows.values()],
            }
        )
        buffer = io.BytesIO()
        table.to_parquet(buffer, index=False)
        write_atomically(self.path, buffer.getvalue())
        now_s = time.monotonic()
        self._unwritten, self._due_s = 0, now_s + max(WRITE_EVERY_S, PART * (now_s - begun_s))


def _read(path: pathlib.Path) -> dict[str, Row]:
    """Rows of a file; none of a damaged one, which costs time and nothing else."""
    try:
        table = pd.read_parquet(path)
        return {
            strategy: Row(json.loads(stats), np.frombuffer(dates, "<i4"), np.frombuffer(returns, "<f8"))
            for strategy, stats, dates, returns in zip(
                table["strategy"], table["stats"], table["dates"], table["returns"], strict=True
            )
        }
    except (OSError, ValueError, KeyError):
        return {}
