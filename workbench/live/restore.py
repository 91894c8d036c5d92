"""From the database to a deployment at work, at its first start and after any end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa

from workbench.brokers.port import Broker, Event, Idempotency, Request
from workbench.engine.records import Records
from workbench.errors import HaltError
from workbench.jit import engine_hash
from workbench.journal import tables
from workbench.live.ahead import Ahead, Left
from workbench.live.beginning import History
from workbench.live.days import calendars_before
from workbench.live.deployed import Bar, Deployed, layout, remember
from workbench.live.feed import ClosedBar
from workbench.live.given import Given, Unreadable, readable
from workbench.live.intents import Intent, IntentState
from workbench.live.kept_bars import Key
from workbench.live.schedule import Interval, Schedule, schedule_of
from workbench.live.standing import Known, Standing, Status
from workbench.live.together import Together
from workbench.market.timeframe import DAY_NS

#: Bars that were used, by stamp and instrument, with ``first stamp <= stamp < second stamp``.
Bars = Callable[[int, int], Mapping[int, Mapping[str, Bar]]]

#: Beyond every bar: who stood aside for weeks is as far behind.
FAR_NS = 2**63 - 1


class StateError(HaltError):
    """A deployment cannot go on from what is stored of it."""


def given_deployments(connection: sa.Connection) -> tuple[list[Given], list[Unreadable]]:
    """Every deployment that is neither stopped nor stands aside; and those whose rows cannot be read.

    The one that is furthest behind comes first: a feed hands over from where it was first asked.
    """
    table, versions, states = tables.deployments, tables.strategy_versions, tables.deployment_states
    wanted = (
        sa.select(table, versions.c.content)
        .join(versions, versions.c.hash == table.c.strategy_hash)
        .join(states, states.c.deployment_id == table.c.id)
        .where(states.c.status.not_in([Status.STOPPED.value, Status.ERROR.value]))
        .order_by(sa.case((states.c.instant_ns > 0, states.c.instant_ns), else_=table.c.start_ns), table.c.id)
    )
    return readable(connection.execute(wanted).mappings())


def restored(connection: sa.Connection, given: Given, ahead: Ahead | None = None) -> Standing:
    """A deployment as it was left, its expressions fed up to there.

    ``ahead`` has its rows, if they were read with those of others.

    Raises
    ------
    StateError
        Its account was stored by an engine with another layout, or its calendar has no sessions to come.
    """
    ahead = ahead or Ahead()
    left = ahead.left(connection, given.id)
    row = left.state
    if row["instant_ns"] and row["layout"] != layout():
        raise StateError(
            f"deployment {given.name}: its state was stored by another version of the engine. "
            "Run it with that version, or stop it and deploy it anew."
        )
    past = calendars_before(connection, given, json.loads(row["counts"]), row["instant_ns"])
    courses = [(end_ns, schedule_of(one, given.timeframe)) for end_ns, one in past]
    schedule = schedule_of(given.calendar, given.timeframe)
    began = courses[0][1] if courses else schedule
    first = began.after(given.history_from_ns)
    if first is None:
        calendar = given.calendar.name
        raise StateError(f"deployment {given.name}: calendar {calendar} knows no session after its history.")
    deployed = Deployed(given, began.day(first.day))
    standing = Standing.of(deployed, dict(row))
    until_ns = row["instant_ns"] or warm_until(schedule, given, first)
    bars = partial(ahead.passed, connection, given)
    standing.history = feed_again(bars, standing, [*courses, (until_ns, schedule)], first, left.memories)
    _orders(left, standing)
    return standing


def open_intents(
    connection: sa.Connection, standing: Standing, broker: Broker, ahead: Ahead | None = None
) -> list[Intent]:
    """Intents with which something is still to be done at a broker, by number."""
    # Where sending twice is safe nobody notes that the wire is touched: what is planned may have been sent. Where the
    # broker's book is in our database it was not: what is sent is kept together with its answer.
    is_unclear = broker.idempotency is Idempotency.UNIQUE_FOREVER and not broker.shares_database
    found = []
    for row in (ahead or Ahead()).left(connection, standing.id).intents:
        request = Request(
            standing.deployed.given.account, row.cid, row.action, row.instrument, row.side, row.qty, row.kind,
            row.price, row.reduces, row.order_no, row.decided_ns, bool(row.contingent),
        )  # fmt: skip
        is_planned = row.state == IntentState.PLANNED.value
        state = IntentState.UNKNOWN if is_planned and is_unclear else IntentState(row.state)
        found.append(Intent(row.number, request, state))
        if row.state == IntentState.HELD.value:
            standing.held[row.order_no] = row.number
    return found


def _orders(left: Left, standing: Standing) -> None:
    for row in left.orders:
        standing.known[row.order_no] = Known(row.cid, row.instrument, row.side, row.qty, row.kind, row.reason)
    for row in left.parts:
        event = Event(0, row.cid, "", "FILL", row.exec_id, row.ns, row.qty, row.price, row.charges)
        standing.parts.setdefault(row.order_no, []).append(event)
    standing.cut |= {row.order_no for row in left.cut if row.order_no in standing.parts}


def warm_until(schedule: Schedule, given: Given, first: Interval) -> int:
    """Close of the last interval before a start, up to which history is fed at once; 0 when decisions begin with it.

    Decisions begin with the first strategy bar that opens at or after the start (B8). What comes in between is fed bar
    by bar: a strategy bar that began before the start is made of all its base bars, or its values would be wrong.
    """
    if given.start_ns == 0:
        return 0
    day = schedule.day_after(given.start_ns)
    if day is None:
        return 0
    until = day.interval(day.first_after(given.start_ns)).open_ns
    return until if until > first.open_ns else 0


def feed_again(
    bars_between: Bars,
    standing: Standing,
    courses: Sequence[tuple[int, Schedule]],
    first: Interval,
    memories: Sequence[sa.Row[Any]] = (),
) -> str:
    """Let the intervals up to an instant pass through the expressions alone, from the last memory if it may be used.

    Parameters
    ----------
    bars_between : callable
        Reads stored bars.
    standing : Standing
        Whose.
    courses : sequence of (int, Schedule)
        Schedules in the order in which they were in force, each with the instant up to which; the last one is that of
        today, with the instant up to which is fed.
    first : Interval
        The first one of the history.
    memories : sequence of Row
        Memories of the expressions that may be used: one or none.

    Returns
    -------
    str
        Hash of the bars that passed.
    """
    deployed, given = standing.deployed, standing.deployed.given
    until_ns, schedule = courses[-1]
    at_ns, since_ns = given.history_from_ns, min(first.open_ns - DAY_NS, first.ts_ns)
    for kept in memories:
        if kept.engine == engine_hash() and kept.instant_ns <= until_ns:
            remember(deployed, kept.content)
            deployed.passed_ns = at_ns = kept.instant_ns
            # A session ends within two days of the stamp of a daily bar: its date, at midnight of UTC.
            since_ns = max(since_ns, at_ns - 2 * DAY_NS)
    bars = bars_between(since_ns, until_ns + DAY_NS)
    history = History()
    for end_ns, course in courses:
        interval, alone = course.after(at_ns) if at_ns < end_ns else None, None
        while interval is not None and interval.close_ns <= end_ns:
            if alone is None or interval.day != deployed.day.day:
                deployed.enter(course.day(interval.day))
                alone = Together([deployed])
            alone.feed(interval, bars.get(interval.ts_ns, {}))
            history.add(alone.digest(0))
            interval = course.after(interval.close_ns)
        at_ns = max(at_ns, end_ns)
    deployed.passed_ns = max(until_ns, first.open_ns)
    following = schedule.day_after(deployed.passed_ns)
    if following is not None and following is not deployed.day:
        deployed.enter(following)
    return history.text()


def bars_not_passed(
    connection: sa.Connection, given: Given, passed_ns: int, ahead: Ahead | None = None
) -> tuple[list[ClosedBar], list[Key]]:
    """Bars of its instruments that are stored for intervals after an instant; and those that came too late for others.

    The runner ended between storing and using them, or they came with the history of another deployment.
    """
    coming = schedule_of(given.calendar, given.timeframe).after(passed_ns)
    since_ns = FAR_NS if coming is None else coming.ts_ns
    used, late = list[ClosedBar](), list[Key]()
    for row in (ahead or Ahead()).not_passed(connection, given, since_ns):
        bar = ClosedBar._make(row[:-1])
        if row.late:
            late.append((bar.instrument, bar.timeframe, bar.ts_ns))
        else:
            used.append(bar)
    return used, late


def rates_of(given: Given) -> dict[str, Records]:
    """Charges of each instrument by its own table."""
    product = given.strategy.product
    return {
        one.name: given.costs.rates(product, one.exchange, one.currency, one.symbol) for one in given.instruments
    }
