"""Where two sayings about the same bars differ: each bar and column once, by the shortest history that shows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.research.lookahead.probed import DECISIONS, Float64, Said
from workbench.tolerance import RELATIVE

#: Conditions that are told as True and False besides the decisions.
FLAGS = (*DECISIONS, "warm")

#: Parts of a column's typical magnitude that rounding may come to, where it cancels to nearly zero.
ROUNDING = 1e-12

COLUMNS = ["instrument", "ts", "column", "with_future", "without", "known_until", "probe"]


@dataclass(frozen=True)
class Difference:
    """One value that depends on bars that come later.

    Attributes
    ----------
    instrument : str
        Empty where there is one only.
    ts : Timestamp
        Opening stamp of the bar, UTC.
    column : str
        What differs.
    with_future, without : float, bool or None
        What the whole data say of the bar, and what is said with the later bars cut off or replaced; None is missing.
    known_until : Timestamp
        Opening stamp of the last bar that was given, or that was not replaced.
    probe : str
        ``cut``, ``replaced``, or ``again`` for another answer to the same bars.
    """

    instrument: str
    ts: pd.Timestamp
    column: str
    with_future: float | bool | None
    without: float | bool | None
    known_until: pd.Timestamp
    probe: str


class Differing:
    """Collects what differs from what was said of the whole.

    Parameters
    ----------
    whole : Said
        What everything is compared with.
    exact : bool
        Whether numbers must be equal to the last bit; else by rule E5, rounding near zero apart.
    """

    def __init__(self, whole: Said, exact: bool) -> None:
        self.whole, self.exact = whole, exact
        self.n_values = 0
        self._seen: dict[str, npt.NDArray[np.bool_]] = {}
        self._found: list[tuple[str, npt.NDArray[np.intp], Float64, Float64, int, str]] = []
        self._floor: dict[str, float] = {}

    def __len__(self) -> int:
        return sum(len(rows) for _, rows, *_ in self._found)

    def add(self, said: Said, rows: int, known_until: int, probe: str) -> bool:
        """Compare the first ``rows`` rows; whether anything in them differs.

        Parameters
        ----------
        said : Said
            Of a part of the bars, or of other ones.
        rows : int
            How many of its first rows say what is known.
        known_until : int
            Stamp of the last bar that was known, ns UTC.
        probe : str
            How the future was taken away.
        """
        differs = False
        if not np.array_equal(said.ts[:rows], self.whole.ts[:rows]):
            # Other bars altogether: everything from the first strange one on is a difference.
            count = min(len(said.ts), rows)
            strange = np.ones(rows, np.bool_)
            strange[:count] = said.ts[:count] != self.whole.ts[:count]
            self._keep("bar", strange, np.ones(rows), np.where(strange, np.nan, 1.0), (known_until, probe))
            rows, differs = int(np.argmax(strange)), True
        for name in {**self.whole.columns, **said.columns}:
            ours = self._column(self.whole, name, rows)
            theirs = self._column(said, name, rows)
            if name != "warm":  # always there, also where nothing else is
                self.n_values += rows - int(np.count_nonzero(np.isnan(ours) & np.isnan(theirs)))
            if np.array_equal(ours, theirs, equal_nan=True):
                continue
            unlike = ~self._alike(name, ours, theirs)
            if unlike.any():
                differs = True
                self._keep(name, unlike, ours, theirs, (known_until, probe))
        return differs

    @staticmethod
    def _column(said: Said, name: str, rows: int) -> Float64:
        column = said.columns.get(name)
        return np.full(rows, np.nan) if column is None else column[:rows]

    def _alike(self, name: str, ours: Float64, theirs: Float64) -> npt.NDArray[np.bool_]:
        alike = np.asarray((ours == theirs) | (np.isnan(ours) & np.isnan(theirs)))
        if self.exact or name in FLAGS:
            return alike
        if name not in self._floor:
            sizes = np.abs(self.whole.columns.get(name, np.zeros(1)))
            sizes = sizes[np.isfinite(sizes)]
            self._floor[name] = ROUNDING * float(np.median(sizes)) if len(sizes) else 0.0
        both = np.isfinite(ours) & np.isfinite(theirs)
        with np.errstate(invalid="ignore"):
            near = np.abs(ours - theirs) <= RELATIVE * np.maximum(np.abs(ours), np.abs(theirs)) + self._floor[name]
        return np.asarray(alike | (both & near))

    def _keep(
        self, name: str, unlike: npt.NDArray[np.bool_], ours: Float64, theirs: Float64, how: tuple[int, str]
    ) -> None:
        seen = self._seen.setdefault(name, np.zeros(max(len(self.whole.ts), len(unlike)), np.bool_))
        new = np.flatnonzero(unlike & ~seen[: len(unlike)])
        if len(new):
            seen[new] = True
            self._found.append((name, new, ours[new], theirs[new], *how))

    def table(self, instrument: str) -> pd.DataFrame:
        """All of them by bar, the decisions of a bar first."""
        order = {name: k for k, name in enumerate(["bar", *self.whole.columns])}
        sizes = [len(rows) for _, rows, *_ in self._found]
        rows = np.concatenate([np.zeros(0, np.intp), *(rows for _, rows, *_ in self._found)])
        told = {
            "instrument": [instrument] * len(rows),
            "ts": pd.to_datetime(self.whole.ts[rows], utc=True),
            "column": np.repeat(np.array([name for name, *_ in self._found], object), sizes),
            "with_future": np.concatenate([np.zeros(0), *(found[2] for found in self._found)]),
            "without": np.concatenate([np.zeros(0), *(found[3] for found in self._found)]),
            "known_until": pd.to_datetime(np.repeat(np.array([f[4] for f in self._found], np.int64), sizes), utc=True),
            "probe": np.repeat(np.array([found[5] for found in self._found], object), sizes),
            "order": np.repeat([order.get(name, len(order)) for name, *_ in self._found], sizes),
        }
        table = pd.DataFrame(told).sort_values(["ts", "order"], kind="stable", ignore_index=True)
        return table[COLUMNS]


def first_of(table: pd.DataFrame) -> Difference | None:
    """The first row of a table of differences, in words that a person reads; nothing for an empty one."""
    if not len(table):
        return None
    row = table.iloc[0]
    as_flag = row["column"] in FLAGS
    with_future, without = (_value(row[name], as_flag) for name in ("with_future", "without"))
    return Difference(
        row["instrument"], row["ts"], row["column"], with_future, without, row["known_until"], row["probe"]
    )


def _value(value: float, as_flag: bool) -> float | bool | None:
    if value != value:
        return None
    return bool(value) if as_flag else float(value)
