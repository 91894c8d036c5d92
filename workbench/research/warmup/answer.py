"""What ``wb.warmup_check`` answers, and how it is put in words."""

from __future__ import annotations

import html
from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Warmup:
    """The smallest history after which decisions no longer change; ``passed`` follows from what was found.

    Attributes
    ----------
    name : str
        Of the strategy.
    bars : int or None
        Strategy bars before the first one that is decided; None if even the longest history changes something.
    longest : int
        The longest history that was tried.
    n_true : int
        How often a decision was true on the bars that were decided again.
    warm_bars : int
        After how many bars the expressions have values (rule E7).
    changed : DataFrame
        One row a length and instrument: history_bars, instrument, compared, changed (values), columns (where).
    notes : tuple of str
        What a reader should know besides.
    """

    name: str
    bars: int | None
    longest: int
    n_true: int
    warm_bars: int
    changed: pd.DataFrame = field(default_factory=pd.DataFrame)
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the data are long enough to say: twice that history was tried, and decisions were true."""
        return self.bars is not None and self.n_true > 0 and 0 < self.longest >= 2 * self.bars

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return "\n".join([self._verdict(), *(f"  {line}" for line in self._lines())])

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{html.escape(line)}</li>" for line in self._lines())
        table = self.changed.to_html(index=False, border=0)
        return f"<div><b>{html.escape(self._verdict())}</b><ul>{lines}</ul>{table}</div>"

    def _verdict(self) -> str:
        if self.passed:
            return f"{self.name}: {self.bars:,} strategy bars of history are enough"
        return f"{self.name}: NOT PASSED, {self._why()}"

    def _why(self) -> str:
        if not self.longest:
            return "there are too few bars to leave any out"
        if self.bars is None or self.longest < 2 * self.bars:
            return (f"decisions still change with a history of {self._last_changed():,} bars, and the longest that "
                    f"could be tried has {self.longest:,}: give data from earlier on")
        return "no decision was ever true on the bars that were decided again: any history does as well"

    def _last_changed(self) -> int:
        with_changes = self.changed[self.changed["changed"] > 0]
        return int(with_changes["history_bars"].max()) if len(with_changes) else 0

    def _lines(self) -> list[str]:
        if not len(self.changed):
            return []
        lengths = self.changed["history_bars"].nunique()
        lines = [f"{lengths} lengths of 0 to {self.longest:,} bars tried; {self.n_true:,} decisions were true",
                 f"the expressions have values after {self.warm_bars:,} bars"]
        if self.bars is not None and self.bars > 0:
            row = self.changed[self.changed["changed"] > 0].sort_values("history_bars").iloc[-1]
            who = f" of {row['instrument']}" if len(set(self.changed["instrument"])) > 1 else ""
            lines.append(f"with {row['history_bars']:,} bars {row['changed']:,} of {row['compared']:,} values{who} "
                         f"change ({row['columns']})")
        return [*lines, *self.notes]
