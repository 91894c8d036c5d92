"""The calendar of a deployment in its journal, and what becomes of one that is changed while the deployment runs (C2).

An upload may change days to come: a hole is filled, a holiday is added. From where a deployment stands, the new
calendar counts, and its journal holds both, so that a replay, and whoever feeds the expressions again, goes by the one
that was in force. What an upload says of days that have passed changes nothing (B5), and is told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import sqlalchemy as sa

from workbench.journal.chain import canonical
from workbench.journal.rows import journal_rows
from workbench.live.given import Given
from workbench.live.page import Page
from workbench.live.standing import Standing
from workbench.market.calendar import Calendar, resolve_calendar
from workbench.market.calendar_rows import CalendarRow, CalendarRows
from workbench.market.sessions import date_of
from workbench.market.timeframe import DAY_NS

#: In ``Standing.counts``: a number made of the calendar's hash of which the journal was told last.
TOLD = "calendar"
#: The same: how often it was told.
TIMES = "calendar_changes"
#: Days that are named in a note.
_NAMED = 5


#: Calendars with the instant up to which each was in force, in order.
Past = list[tuple[int, Calendar]]


def mark_of(calendar: Calendar) -> int:
    """A number made of a calendar's hash."""
    return int(calendar.digest[:12], 16)


def plain(calendar: Calendar) -> dict[str, Any]:
    """A calendar as a journal holds it: its hash, and what was uploaded for it."""
    rows = [[row.day, row.exchange, row.session_type, row.open_minute, row.close_minute, row.notes]
            for row in calendar.uploaded.rows]  # fmt: skip
    return {"calendar": calendar.digest, "uploaded": {"rows": rows, "years": sorted(calendar.uploaded.years)}}


def calendar_of(name: str, body: Mapping[str, Any]) -> Calendar:
    """The calendar that a row of a journal holds; the one of today where an older journal holds none."""
    uploaded = body.get("uploaded")
    return resolve_calendar(name) if uploaded is None else _uploaded(name, canonical(uploaded))


@lru_cache(maxsize=64)
def _uploaded(name: str, text: str) -> Calendar:
    """One object for all deployments that name it, so that sessions are laid out once."""
    told = json.loads(text)
    rows = CalendarRows(tuple(CalendarRow(*row) for row in told["rows"]), frozenset(told["years"]))
    return resolve_calendar(name).with_rows(rows)


def follow_calendar(connection: sa.Connection, page: Page, standing: Standing, now_ns: int) -> None:
    """Tell the journal that the calendar of a deployment is another one since it was seen last, if it is."""
    given, passed_ns = standing.deployed.given, standing.deployed.passed_ns
    if standing.counts.get(TOLD) == mark_of(given.calendar):
        return
    standing.counts[TOLD] = mark_of(given.calendar)
    _, before = told_calendars(connection, given)[-1]
    if before != given.calendar:
        standing.counts[TIMES] = standing.counts.get(TIMES, 0) + 1
        days = altered(before, given.calendar, given.history_from_ns, passed_ns)
        body = {**plain(given.calendar), "was": before.digest, "altered": days}
        standing.write(page, passed_ns, now_ns, "CALENDAR_CHANGED", body)
        if days and not standing.note:
            more = f" and {len(days) - _NAMED} more" if len(days) > _NAMED else ""
            standing.note = (
                f"the calendar {given.calendar.name} was changed on days that have passed, which changes nothing: "
                f"{', '.join(days[:_NAMED])}{more}"
            )
    standing.keep(page, now_ns)


def told_calendars(connection: sa.Connection, given: Given) -> list[tuple[int, Calendar]]:
    """Calendars that the journal tells of, in order, each with the instant up to which the one before was in force."""
    rows = journal_rows(connection, given.id, kinds=("STARTED", "CALENDAR_CHANGED"))
    return [(row.instant_ns, calendar_of(given.calendar.name, json.loads(row.body))) for row in rows]


def calendars_before(connection: sa.Connection, given: Given, counts: Mapping[str, int], passed_ns: int) -> Past:
    """Calendars that were in force before the one of today, each with the instant up to which it was."""
    if not counts.get(TIMES) and counts.get(TOLD, mark_of(given.calendar)) == mark_of(given.calendar):
        return []
    told = told_calendars(connection, given)
    ends = [*(since_ns for since_ns, _ in told[1:]), passed_ns]
    past = [(end_ns, calendar) for (_, calendar), end_ns in zip(told, ends, strict=True)]
    return past[:-1] if past and past[-1][1] == given.calendar else past


def altered(before: Calendar, now: Calendar, first_ns: int, passed_ns: int) -> list[str]:
    """Dates whose hours, up to an instant that has passed, are not the same in two calendars."""
    ours, theirs = (_hours(one, first_ns, passed_ns) for one in (before, now))
    days = sorted(day for day in ours.keys() | theirs.keys() if ours.get(day) != theirs.get(day))
    return [str(date_of(day)) for day in days]


def _hours(calendar: Calendar, first_ns: int, passed_ns: int) -> dict[int, tuple[Any, ...]]:
    """By date: when each session opened, closed and paused, as far as it has passed."""
    table = calendar.table(first_ns // DAY_NS - 1, passed_ns // DAY_NS + 1)
    found = {}
    for row in np.flatnonzero((table.close_ns > first_ns) & (table.open_ns < passed_ns)).tolist():
        pauses = slice(int(table.pause_first[row]), int(table.pause_first[row + 1]))
        starts, ends = table.pause_start_ns[pauses], table.pause_end_ns[pauses]
        passed = tuple((int(a), min(int(b), passed_ns)) for a, b in zip(starts, ends, strict=True) if a < passed_ns)
        hours = (int(table.open_ns[row]), min(int(table.close_ns[row]), passed_ns), passed)
        found[int(table.date[row])] = hours
    return found
