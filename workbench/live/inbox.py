"""Bars that have arrived and wait for their instant (rules B5, B7).

A bar is used if it came before its interval passed. One that comes later changes nothing that was decided: it is kept
as a later revision and told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from workbench.journal import tables
from workbench.live.deployed import Bar
from workbench.live.feed import ClosedBar
from workbench.live.page import Page

Key = tuple[str, int]  # timeframe, stamp


class Inbox:
    """Bars by timeframe and stamp, until their interval has passed."""

    def __init__(self) -> None:
        self._waiting: dict[Key, dict[str, Bar]] = {}
        self._stored: set[tuple[str, str, int]] = set()
        self._revised: list[ClosedBar] = []
        self._left_out: set[tuple[str, str, int]] = set()

    def take(self, bars: Iterable[ClosedBar], stored: bool = False) -> None:
        """Keep bars that arrived; of two for one interval the first is used.

        ``stored`` says that they lie in the database already, where they were first: the runner ended between storing
        and using them, or they came with the history of a deployment.
        """
        for one in bars:
            key = (one.instrument, one.timeframe, one.ts_ns)
            if key in self._left_out:
                continue
            there = self._waiting.setdefault(key[1:], {})
            values = (one.open, one.high, one.low, one.close, one.volume)
            if stored and key not in self._stored:
                self._stored.add(key)
                if there.get(one.instrument, values) != values:
                    self._revised.append(ClosedBar(*key, *there[one.instrument]))
                there[one.instrument] = values
            elif there.setdefault(one.instrument, values) != values:
                self._revised.append(one)

    def leave_out(self, keys: Iterable[tuple[str, str, int]]) -> None:
        """Pass over bars that were told as late before: who is behind must not use what others could not."""
        self._left_out.update(keys)

    def at(self, timeframe: str, ts_ns: int) -> dict[str, Bar]:
        """Bars of one interval, by instrument."""
        return self._waiting.get((timeframe, ts_ns), {})

    def store(self, page: Page, timeframe: str, ts_ns: int, now_ns: int, names: Iterable[str] = ()) -> None:
        """Write the bars of one interval, as they are used, that are not in the database yet.

        ``names`` are the instruments that it passes for: of those without a bar none may be stored meanwhile.
        """
        there = self.at(timeframe, ts_ns)
        page.absent += [(name, timeframe, ts_ns) for name in names if name not in there]
        for name, bar in sorted(there.items()):
            if (name, timeframe, ts_ns) not in self._stored:
                self._stored.add((name, timeframe, ts_ns))
                page.add(tables.bars, bar_row(ClosedBar(name, timeframe, ts_ns, *bar), 0, now_ns, late=False))

    def pass_through(self, timeframe: str, ts_ns: int, names: Iterable[str]) -> None:
        """Forget the bars of some instruments at an interval: it has passed for those who follow them."""
        there = self._waiting.get((timeframe, ts_ns), {})
        for name in names:
            there.pop(name, None)
            self._stored.discard((name, timeframe, ts_ns))
        if not there:
            self._waiting.pop((timeframe, ts_ns), None)

    def too_late(self, timeframe: str, ts_ns: int, names: Collection[str]) -> list[ClosedBar]:
        """Take out bars of instruments whose interval passed before they came, and other versions of earlier bars.

        Only of some instruments: those of another calendar have not come so far.
        """
        found = []
        for key in [key for key in self._waiting if key[0] == timeframe and key[1] < ts_ns]:
            there = self._waiting[key]
            found += [ClosedBar(name, *key, *there.pop(name)) for name in list(there) if name in names]
            if not there:
                del self._waiting[key]
        # Another version of a bar is told once the first one has been used: until then there is nothing to revise.
        passed = [
            one for one in self._revised
            if one.timeframe == timeframe and one.ts_ns < ts_ns and one.instrument in names
        ]  # fmt: skip
        self._revised = [one for one in self._revised if one not in passed]
        return found + passed


def bar_row(bar: ClosedBar, revision: int, received_ns: int, late: bool) -> dict[str, object]:
    """One row of ``bars``."""
    return {**bar._asdict(), "revision": revision, "received_ns": received_ns, "late": late}


def revision_of(connection: sa.Connection, bar: ClosedBar, also: int = 0) -> int | None:
    """Number of the next version of a bar: 0 if none is stored, None if this very one is; ``also`` are about to be."""
    table = tables.bars
    same = (table.c.instrument == bar.instrument, table.c.timeframe == bar.timeframe, table.c.ts_ns == bar.ts_ns)
    rows = connection.execute(table.select().where(*same)).all()
    if any((row.open, row.high, row.low, row.close, row.volume) == tuple(bar[3:]) for row in rows):
        return None
    return len(rows) + also


_PASSED = sa.select(
    *(tables.bars.c[name] for name in ("ts_ns", "instrument", "open", "high", "low", "close", "volume"))
).where(
    tables.bars.c.instrument.in_(sa.bindparam("names", expanding=True)),
    tables.bars.c.timeframe == sa.bindparam("frame"),
    tables.bars.c.ts_ns >= sa.bindparam("after"),
    tables.bars.c.ts_ns < sa.bindparam("until"),
    tables.bars.c.revision == 0,
    tables.bars.c.late.is_(False),
)


def stored_bars(
    connection: sa.Connection, names: Iterable[str], timeframe: str, after_ns: int, until_ns: int
) -> dict[int, dict[str, Bar]]:
    """Bars that were used, by stamp and instrument, with ``after_ns <= stamp < until_ns``."""
    found: dict[int, dict[str, Bar]] = {}
    asked = {"names": list(names), "frame": timeframe, "after": after_ns, "until": until_ns}
    for ts_ns, name, *values in connection.execute(_PASSED, asked):
        found.setdefault(ts_ns, {})[name] = tuple(values)
    return found


_NEWEST = sa.select(sa.func.max(tables.bars.c.ts_ns)).where(
    tables.bars.c.instrument == sa.bindparam("name"), tables.bars.c.timeframe == sa.bindparam("frame")
)


def newest_bars(connection: sa.Connection, names: Iterable[str], timeframe: str) -> dict[str, int]:
    """Stamp of the newest stored bar of each instrument, nanoseconds; 0 where there is none."""
    return {name: connection.execute(_NEWEST, {"name": name, "frame": timeframe}).scalar() or 0 for name in names}
