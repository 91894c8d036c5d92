"""What the calendar says of a deployment: when it is evaluated next, how warm it is, whether today is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from workbench.engine.records import Instant
from workbench.journal import tables
from workbench.live.given import Given
from workbench.live.schedule import DAYS_AHEAD, Schedule
from workbench.market.calendar import Calendar
from workbench.market.grid import buckets, build_grid
from workbench.market.sessions import DayKind, date_of
from workbench.market.timeframe import DAY_NS


def next_evaluations(given: Given, after_ns: int, count: int = 3) -> list[int]:
    """Instants at which a deployment's next strategy bars close, as far as the calendar knows sessions.

    Parameters
    ----------
    given : Given
        The deployment.
    after_ns : int
        Those after this instant.
    count : int
        How many at most.
    """
    schedule, found, at_ns = Schedule(given.calendar, given.timeframe), list[int](), after_ns
    until_ns = after_ns + DAYS_AHEAD * DAY_NS
    while len(found) < count and at_ns < until_ns:
        day = schedule.day_after(at_ns)
        if day is None:
            break
        closes, flags = day.grid.close_ns, day.times(given.strategy).flags
        due = closes[((flags & Instant.STRATEGY_CLOSE) != 0) & (closes > at_ns)]
        if given.start_ns:
            first = day.first_of_bar_from(given.strategy, given.start_ns)
            due = due[due > day.grid.open_ns[first]] if first < len(day) else due[:0]
        found += due[: count - len(found)].tolist()
        at_ns = int(closes[-1])
    return found


def strategy_bars_seen(connection: sa.Connection, given: Given, until_ns: int) -> int:
    """Strategy bars, of the instrument that has the fewest, that a deployment's expressions have seen in full.

    Parameters
    ----------
    connection : sa.Connection
        Of ``Store.read``.
    given : Given
        The deployment.
    until_ns : int
        Close of the last interval that passed.
    """
    return min(_bars_seen(connection, given, name, until_ns) for name in given.names)


def _bars_seen(connection: sa.Connection, given: Given, name: str, until_ns: int) -> int:
    table = tables.bars
    wanted = sa.select(table.c.ts_ns).where(
        table.c.instrument == name,
        table.c.timeframe == str(given.timeframe),
        table.c.ts_ns >= given.history_from_ns,
        table.c.ts_ns < until_ns,
        table.c.revision == 0,
        table.c.late.is_(False),
    )
    return bars_within(given, np.array(connection.execute(wanted.order_by(table.c.ts_ns)).scalars().all(), np.int64))


def bars_within(given: Given, stamps: npt.NDArray[np.int64]) -> int:
    """How many strategy bars base bars with some stamps, in order, make."""
    if not len(stamps):
        return 0
    grid = build_grid(given.calendar, given.timeframe, int(stamps[0]), int(stamps[-1]))
    cut = given.strategy.execution == "proxy_close"
    bucket = buckets(grid, given.strategy.bar_timeframe, cut).bucket[grid.locate(stamps)]
    return len(np.unique(bucket[bucket >= 0]))


def day_kind(calendar: Calendar, now_ns: int) -> dict[str, Any]:
    """Today's date there, and what the calendar says of it: a kind of session, CLOSED or CALENDAR_UNKNOWN."""
    day = now_ns // DAY_NS
    table = calendar.table(day - 2, day + 2)
    # Zones and FX move a session by up to a day from its date: the session that runs, or the one of the date in UTC.
    running = np.flatnonzero((table.open_ns <= now_ns) & (now_ns < table.close_ns))
    rows = running if len(running) else np.flatnonzero(table.date == day)
    if not len(rows):
        return {"date": date_of(day), "session": "CLOSED", "is_known": True}
    row = int(rows[0])
    kind = DayKind(int(table.kind[row]))
    known = bool(table.known[row])
    return {
        "date": date_of(int(table.date[row])),
        "session": kind.name if known else "CALENDAR_UNKNOWN",
        "is_known": known,
    }


#: Sessions to come of which it is told whether the calendar knows them.
SESSIONS_AHEAD = 10


def calendar_facts(calendar: Calendar, now_ns: int) -> dict[str, Any]:
    """Today there, and whether the sessions to come are known: ``unknown`` are the dates of those that are not."""
    count, unknown = coverage(calendar, now_ns, SESSIONS_AHEAD)
    return {"name": calendar.name, **day_kind(calendar, now_ns), "sessions": count, "unknown": list(unknown)}


def coverage(calendar: Calendar, now_ns: int, sessions: int) -> tuple[int, Sequence[str]]:
    """How many sessions from now on there are, up to a number, and the dates of those that no calendar covers."""
    day = now_ns // DAY_NS
    table = calendar.table(day - 1, day + 4 * sessions + DAYS_AHEAD)
    rows = np.flatnonzero(table.close_ns > now_ns)[:sessions]
    unknown = [str(date_of(int(table.date[row]))) for row in rows if not table.known[row]]
    return len(rows), unknown
