"""From the database to a deployment at work, at its first start and after any end."""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa

from workbench.brokers.port import Event, Request
from workbench.engine.records import Records
from workbench.errors import HaltError
from workbench.jit import engine_hash
from workbench.journal import tables
from workbench.live.beginning import History
from workbench.live.days import calendars_before
from workbench.live.deployed import Deployed, layout, remember
from workbench.live.feed import ClosedBar
from workbench.live.given import Given, Unreadable, readable
from workbench.live.inbox import stored_bars
from workbench.live.intents import OPEN, Intent, IntentState
from workbench.live.kept_bars import Key
from workbench.live.schedule import Interval, Schedule, schedule_of
from workbench.live.standing import Known, Standing, Status
from workbench.live.together import Together
from workbench.market.timeframe import DAY_NS

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


def restored(connection: sa.Connection, given: Given) -> Standing:
    """A deployment as it was left, its expressions fed up to there.

    Raises
    ------
    StateError
        Its account was stored by an engine with another layout, or its calendar has no sessions to come.
    """
    states = tables.deployment_states
    row = connection.execute(states.select().where(states.c.deployment_id == given.id)).mappings().one()
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
    standing.history = feed_again(connection, standing, [*courses, (until_ns, schedule)], first)
    _orders(connection, standing)
    return standing


def open_intents(connection: sa.Connection, standing: Standing, resent: bool) -> list[Intent]:
    """Intents with which something is still to be done, by number.

    ``resent`` says that the broker takes an id once for ever: what is planned may be sent without a word before.
    """
    table, found = tables.intents, []
    states = [one.value for one in OPEN]
    wanted = table.select().where(table.c.deployment_id == standing.id, table.c.state.in_(states))
    for row in connection.execute(wanted.order_by(table.c.number)):
        request = Request(
            standing.deployed.given.account, row.cid, row.action, row.instrument, row.side, row.qty, row.kind,
            row.price, row.reduces, row.order_no, row.decided_ns, bool(row.contingent),
        )  # fmt: skip
        # Where sending twice is safe nobody notes that the wire is touched: what is planned may have been sent.
        state = IntentState.UNKNOWN if row.state == IntentState.PLANNED.value and resent else IntentState(row.state)
        found.append(Intent(row.number, request, state))
        if row.state == IntentState.HELD.value:
            standing.held[row.order_no] = row.number
    return found


def _orders(connection: sa.Connection, standing: Standing) -> None:
    table = tables.orders
    wanted = table.select().where(table.c.deployment_id == standing.id, table.c.status == "WORKING")
    for row in connection.execute(wanted):
        standing.known[row.order_no] = Known(row.cid, row.instrument, row.side, row.qty, row.kind, row.reason)
    fills = tables.fills
    parts = fills.select().where(fills.c.deployment_id == standing.id, fills.c.order_no.in_(list(standing.known)))
    for row in connection.execute(parts.order_by(fills.c.number)) if standing.known else ():
        event = Event(0, row.cid, "", "FILL", row.exec_id, row.ns, row.qty, row.price, row.charges)
        standing.parts.setdefault(row.order_no, []).append(event)


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
    connection: sa.Connection,
    standing: Standing,
    courses: Sequence[tuple[int, Schedule]],
    first: Interval,
    remembered: bool = True,
) -> str:
    """Let the intervals up to an instant pass through the expressions alone, from the last memory if it may be used.

    Parameters
    ----------
    connection : sa.Connection
        A reading transaction.
    standing : Standing
        Whose.
    courses : sequence of (int, Schedule)
        Schedules in the order in which they were in force, each with the instant up to which; the last one is that of
        today, with the instant up to which is fed.
    first : Interval
        The first one of the history.
    remembered : bool
        Whether a memory may be used.

    Returns
    -------
    str
        Hash of the bars that passed.
    """
    deployed, given = standing.deployed, standing.deployed.given
    (until_ns, schedule), memories = courses[-1], tables.memories
    kept = connection.execute(memories.select().where(memories.c.deployment_id == given.id)).one_or_none()
    after_ns = given.history_from_ns - 1 if given.timeframe.is_daily else first.open_ns
    at_ns = given.history_from_ns
    if remembered and kept is not None and kept.engine == engine_hash() and kept.instant_ns <= until_ns:
        remember(deployed, kept.content)
        deployed.passed_ns = after_ns = at_ns = kept.instant_ns
    since = min(after_ns - DAY_NS, first.ts_ns)
    bars = stored_bars(connection, deployed.names, str(given.timeframe), since, until_ns + DAY_NS)
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


def bars_not_passed(connection: sa.Connection, given: Given, passed_ns: int) -> tuple[list[ClosedBar], list[Key]]:
    """Bars of its instruments that are stored for intervals after an instant; and those that came too late for others.

    The runner ended between storing and using them, or they came with the history of another deployment.
    """
    table, coming = tables.bars, schedule_of(given.calendar, given.timeframe).after(passed_ns)
    wanted = sa.select(*(table.c[name] for name in ClosedBar._fields), table.c.late).where(
        table.c.instrument.in_(given.names),
        table.c.timeframe == str(given.timeframe),
        table.c.ts_ns >= (FAR_NS if coming is None else coming.ts_ns),
        table.c.revision == 0,
    )
    used, late = list[ClosedBar](), list[Key]()
    for *values, was_late in connection.execute(wanted.order_by(table.c.ts_ns)):
        bar = ClosedBar(*values)
        if was_late:
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
