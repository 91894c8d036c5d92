"""Which bars of a file are final, which of them are new or differ, and which are missing (rules B1, B5, B7; pure).

What was handed over is remembered as it was handed over. A bar is handed over when it closed, when the file was written
after it closed, and when no equal bar was handed over before.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from workbench.live.feed import ClosedBar, Gap
from workbench.live.feeds.holes import empty_stretches
from workbench.market.bars import Bars
from workbench.market.calendar import Calendar
from workbench.market.checks import Float64
from workbench.market.sessions import Bool, Int64
from workbench.market.timeframe import Timeframe

_NO_TIME = np.iinfo(np.int64).min
_EARLY = "the file was written before this bar closed and not since: the bar may not be whole, and waits"


class _Rows(NamedTuple):
    """Bars as arrays: stamps int64[n], closes int64[n], and float64[5, n] of open, high, low, close, volume."""

    ts_ns: Int64
    close_ns: Int64
    block: Float64

    def where(self, chosen: Bool | Int64) -> _Rows:
        return _Rows(self.ts_ns[chosen], self.close_ns[chosen], self.block[:, chosen])


_NO_ROWS = _Rows(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((5, 0)))


class FileBars:
    """The bars of one instrument and timeframe that come from a file.

    Parameters
    ----------
    instrument, timeframe, calendar
        Whose bars.
    since_ns : int
        Bars that close at or before it are never handed over, nor is anything told of them.
    early_ns : int
        How long before a bar's close, by the file system's clock, a file may have been written that holds the bar as
        it closed.
    """

    def __init__(self, instrument: str, timeframe: Timeframe, calendar: Calendar, since_ns: int, early_ns: int) -> None:
        self.instrument, self.timeframe, self.calendar = instrument, timeframe, calendar
        self.through_ns = 0
        self._since_ns, self._early_ns, self._written_ns = since_ns, early_ns, 0
        self._handed, self._waiting = _NO_ROWS, _NO_ROWS
        self._told: list[Gap] = []
        self._known: set[tuple[int, str]] = set()

    def replace(self, bars: Bars, written_ns: int) -> None:
        """Take the newest content of the file.

        Parameters
        ----------
        bars : Bars
            All that the file holds, with the report of what was dropped.
        written_ns : int
            When the file was written.
        """
        rows = _Rows(bars.ts_ns, bars.grid.close_ns[bars.at],
                     np.array([bars.open, bars.high, bars.low, bars.close, bars.volume]))
        self._written_ns = written_ns
        self._waiting = rows.where((rows.close_ns > self._since_ns) & ~self._is_handed(rows))

    def tell_report(self, bars: Bars, name: str, now_ns: int) -> None:
        """Tell of rows that were dropped or clamped, and of what was assumed, each once."""
        report = bars.report
        stamps = pd.DatetimeIndex(report["ts"]).as_unit("ns").asi8.tolist()
        for row, ts_ns, action, reason in zip(report["row"], stamps, report["action"], report["reason"], strict=True):
            if ts_ns == _NO_TIME:
                self._tell_once((row, reason), now_ns, f"{name}, row {row}: {action}: {reason}")
            elif ts_ns + self.timeframe.ns > self._since_ns:
                self._tell_once((ts_ns, reason), ts_ns, f"{name}, row {row}: {action}: {reason}")
        for note in bars.notes:
            # The numbers in a note change with every bar, what it says does not.
            self._tell_once((0, re.sub(r"\d+", "", note)), now_ns, f"{name}: {note}")

    def take(self, now_ns: int) -> list[tuple[int, ClosedBar]]:
        """Bars that are final at ``now_ns`` and were not handed over as they are, each with its close."""
        waiting = self._waiting
        if not len(waiting.ts_ns) or waiting.close_ns[0] > now_ns:
            return []
        due = waiting.close_ns <= min(now_ns, self._written_ns + self._early_ns)
        for ts_ns in waiting.ts_ns[~due & (waiting.close_ns <= now_ns - self.timeframe.ns)].tolist():
            self._tell_once((ts_ns, _EARLY), ts_ns, _EARLY)
        if not due.any():
            return []
        rows, self._waiting = waiting.where(due), waiting.where(~due)
        self._keep(rows)
        self.through_ns = max(self.through_ns, int(rows.close_ns[-1]))
        values = zip(rows.close_ns.tolist(), rows.ts_ns.tolist(), rows.block.T.tolist(), strict=True)
        return [(close_ns, ClosedBar(self.instrument, self.timeframe.text, ts, *bar)) for close_ns, ts, bar in values]

    def next_ns(self) -> int | None:
        """Close of the first bar that waits for nothing but its close; None when there is none."""
        first = self._waiting.close_ns[:1]
        return int(first[0]) if len(first) and first[0] <= self._written_ns + self._early_ns else None

    def tell(self, ts_ns: int, what: str) -> None:
        """Keep something for whoever asks next."""
        self._told.append(Gap(self.instrument, self.timeframe.text, ts_ns, what))

    def told(self) -> list[Gap]:
        """What was told since this was last asked."""
        told, self._told = self._told, []
        return told

    def _tell_once(self, about: tuple[int, str], ts_ns: int, what: str) -> None:
        if about not in self._known:
            self._known.add(about)
            self.tell(ts_ns, what)

    def _is_handed(self, rows: _Rows) -> Bool:
        """Which rows were handed over with the very same values."""
        handed = self._handed
        if not len(handed.ts_ns):
            return np.zeros(len(rows.ts_ns), np.bool_)
        at = np.minimum(handed.ts_ns.searchsorted(rows.ts_ns), len(handed.ts_ns) - 1)
        equal: Bool = (handed.ts_ns[at] == rows.ts_ns) & (handed.block[:, at] == rows.block).all(axis=0)
        return equal

    def _keep(self, rows: _Rows) -> None:
        """Remember rows as handed over, and tell of the intervals without a bar up to the newest."""
        handed = self._handed
        stays = handed.where(~np.isin(handed.ts_ns, rows.ts_ns))
        whole = _Rows(*(np.concatenate(both, axis=-1) for both in zip(stays, rows, strict=True)))
        self._handed = whole.where(np.argsort(whole.ts_ns))
        before = int(handed.ts_ns[-1]) if len(handed.ts_ns) else int(rows.ts_ns[0])
        fresh = self._handed.ts_ns[self._handed.ts_ns >= before]
        for ts_ns, what in empty_stretches(fresh, self.timeframe, self.calendar):
            self.tell(ts_ns, what)
