"""What ``wb.lookahead_check`` answers, and how it is put in words."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from workbench.research.lookahead.differing import Difference, first_of

_PROBES = {
    "cut": "when the bars after {} are cut off",
    "replaced": "when the bars after {} are replaced by others",
    "again": "when asked again about the same bars",
}


@dataclass(frozen=True, eq=False, repr=False)
class Lookahead:
    """The answer of a check for look-ahead; ``passed`` follows from what was found and is stored nowhere.

    Attributes
    ----------
    name : str
        Of the strategy or function.
    bars : int
        Bars that have a later one, over all instruments: so many histories can be cut short.
    compared : int
        Bars at which the data were cut and the rest compared with the whole.
    replaced : int
        Other futures that were tried; each compares every bar before it.
    n_values : int
        Values compared that are not missing on both sides.
    deterministic : bool
        Whether asking again about the same bars gave the same.
    reads_prices : bool
        Whether other prices made a function say anything else. One that reads prices elsewhere (a global, a file)
        cannot be checked, for the future it sees there is not taken away.
    differences : DataFrame
        One row a bar and column that depends on later bars: instrument, ts, column, with_future, without,
        known_until, probe.
    not_comparable : DataFrame
        Histories about which nothing was said: instrument, ts (of their last bar), probe, reason, and warm_up, whether
        a longer history that ends at the same bar was enough.
    notes : tuple of str
        How bars were sampled, and what else a reader should know.
    """

    name: str
    bars: int
    compared: int
    replaced: int
    n_values: int
    deterministic: bool
    reads_prices: bool
    differences: pd.DataFrame = field(default_factory=pd.DataFrame)
    not_comparable: pd.DataFrame = field(default_factory=pd.DataFrame)
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether something could be compared, nothing differed, and every failure was a lack of history."""
        return (
            self.compared > 0 and self.n_values > 0 and self.deterministic and self.reads_prices
            and not len(self.differences) and not self.unexplained
        )

    @property
    def complete(self) -> bool:
        """Whether the data were cut at every bar, not at a sample."""
        return self.compared == self.bars

    @property
    def unexplained(self) -> int:
        """Failures that a longer history does not mend."""
        return int((~self.not_comparable["warm_up"].astype(bool)).sum()) if len(self.not_comparable) else 0

    @cached_property
    def first(self) -> Difference | None:
        """The first bar that differs; None if none does."""
        return first_of(self.differences)

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return "\n".join([self._verdict(), *(f"  {line}" for line in self._lines())])

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{html.escape(line)}</li>" for line in self._lines())
        table = self.differences.head(10).to_html(index=False, border=0) if len(self.differences) else ""
        return f"<div><b>{html.escape(self._verdict())}</b><ul>{lines}</ul>{table}</div>"

    def _verdict(self) -> str:
        if self.passed:
            return f"{self.name}: no look-ahead found"
        if not self.deterministic:
            return f"{self.name}: NOT PASSED, it answers the same question differently"
        if len(self.differences):
            return f"{self.name}: LOOK-AHEAD"
        if not self.compared or not self.n_values:
            return f"{self.name}: NOT PASSED, nothing could be compared"
        if self.unexplained:
            return f"{self.name}: NOT PASSED, it fails without later bars"
        return (f"{self.name}: NOT PASSED, other prices do not change what it says: it reads them elsewhere, or "
                "nothing on these bars brings it to decide")

    def _lines(self) -> list[str]:
        lines = []
        if self.first is not None:
            lines.append(_in_words(self.first))
            counts = self.differences["column"].value_counts(sort=False)
            told = ", ".join(f"{name} at {count:,}" for name, count in counts.items())
            lines.append(f"bars that differ: {told}")
        how = "every one" if self.complete else f"{self.compared:,}"
        lines.append(f"cut after {how} of {self.bars:,} bars that have a later one; {self.replaced:,} other futures "
                     f"tried; {self.n_values:,} values compared")
        if len(self.not_comparable):
            lines += self._failures()
        return [*lines, *self.notes]

    def _failures(self) -> list[str]:
        lines = []
        for explained, what in ((True, "warm-up: a longer history that ends there is enough"),
                                (False, "no lack of history: later bars decide whether it runs at all")):
            part = self.not_comparable[self.not_comparable["warm_up"].astype(bool) == explained]
            if len(part):
                row = part.iloc[0]
                lines.append(f"not comparable at {len(part):,} bars, first {row['ts']} ({what}): {row['reason']}")
        return lines


def _in_words(one: Difference) -> str:
    where = f"{one.instrument} " if one.instrument else ""
    said = ["missing" if value is None else str(value) for value in (one.with_future, one.without)]
    return (f"{where}{one.column} at {one.ts} is {said[0]} with all the data, and {said[1]} "
            f"{_PROBES[one.probe].format(one.known_until)}")
