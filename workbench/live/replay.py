"""Proof that a deployment did what the engine does: its journal through the same functions again (rules P3, R4).

Inputs are what the journal recorded of the world: bars, fills, orders that ended, signals that were held back.
Everything else, every decision, order, level, trade and sum, is made anew and compared with what was written, to the
last bit. The hash chain is checked first; then the other tables must say what the journal says.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import dropwhile
from typing import Any, NamedTuple

import sqlalchemy as sa

from workbench.brokers.port import Event
from workbench.errors import ConfigError
from workbench.journal import tables
from workbench.journal.chain import canonical
from workbench.journal.rows import journal_rows, points_of
from workbench.journal.verify import faults
from workbench.live.beginning import beginning
from workbench.live.by_hand import hand_over, leave, take_over, terms_of
from workbench.live.days import calendar_of
from workbench.live.deciding import decide, drop, report, warm
from workbench.live.deployed import Bar, Deployed, layout
from workbench.live.gates import ENTRIES, MASKS
from workbench.live.given import Given
from workbench.live.heard import Heard
from workbench.live.inbox import stored_bars
from workbench.live.page import Page
from workbench.live.restore import feed_again, warm_until
from workbench.live.said import Said
from workbench.live.schedule import Interval, schedule_of
from workbench.live.standing import Standing
from workbench.live.stopping import cancel_orders
from workbench.live.together import Together
from workbench.market.timeframe import DAY_NS

#: What the engine says; the other kinds tell of people, brokers and time.
MADE = frozenset(
    "STARTED BAR_WARMED EVALUATED BAR_CLOSED_RECEIVED ORDER_INTENT_CREATED PROTECTIVE_SET PROTECTIVE_MOVED "
    "ORDER_CANCELLED FILLED ORDER_ENDED ORDER_REST_CANCELLED RISK_EXIT_TRIGGERED TRADE_CLOSED FLATTEN_FAILED".split()
)
_INTENT = ("number", "action", "cid", "order_no", "instrument", "side", "qty", "kind", "reason", "price", "decided_ns")
_POINT = ("ts_ns", "cash", "position_value", "held")


class Verdict(NamedTuple):
    """What a replay found.

    Attributes
    ----------
    rows, intervals : int
        Rows of the journal, and intervals that were run again.
    differences : list of str
        Each in a sentence, the first one first; empty when everything is as it was written.
    """

    rows: int
    intervals: int
    differences: list[str]


class Row(NamedTuple):
    """One row of the journal."""

    seq: int
    instant_ns: int
    at_ns: int
    kind: str
    body: Mapping[str, Any]


def replayed(connection: sa.Connection, given: Given) -> Verdict:
    """Run a journal again and compare."""
    return Replay(connection, given).verdict()


class Replay:
    """One deployment run again from its journal.

    Parameters
    ----------
    connection : Connection
        A reading transaction.
    given : Given
        The deployment.
    """

    def __init__(self, connection: sa.Connection, given: Given) -> None:
        self._connection, self.given = connection, given
        self.differences = faults(connection, given.id)
        self._rows = [
            Row(row.seq, row.instant_ns, row.at_ns, row.kind, json.loads(row.body))
            for row in journal_rows(connection, given.id)
        ]
        if self._rows:
            # The calendar that was in force, not the one of today.
            given = replace(given, calendar=calendar_of(given.calendar.name, self._rows[0].body))
        self.given = given
        self._schedule = schedule_of(given.calendar, given.timeframe)
        first = self._schedule.after(given.history_from_ns)
        assert first is not None, "the calendar of a deployment has sessions"
        self._first = first
        self.standing = Standing(Deployed(given, self._schedule.day(first.day)))
        self._page = Page()
        self._bars: dict[int, dict[str, Bar]] = {}
        self._intervals = 0
        self._alone: Together | None = None

    def verdict(self) -> Verdict:
        """The journal, then the other tables."""
        made = self._made()
        recorded = [row for row in self._rows if row.kind in MADE]
        if not self.differences:
            self._compare(recorded, made)
        if not self.differences:
            self._compare_tables()
        return Verdict(len(self._rows), self._intervals, self.differences)

    # --- again -------------------------------------------------------------------------------------------------------

    def _made(self) -> list[dict[str, Any]]:
        """Rows of the journal made anew."""
        # Before it began it may have stood aside, and been tried again.
        rows = list(dropwhile(lambda row: row.kind in ("ERROR", "RESUMED"), self._rows))
        if not rows or rows[0].kind != "STARTED":
            self.differences.append("the journal does not begin with STARTED")
            return []
        self._begin(rows[0])
        for row in rows[1:]:
            try:
                self._one(row)
            except (AssertionError, KeyError, IndexError, ValueError) as error:
                self.differences.append(f"row {row.seq} ({row.kind}): the engine cannot follow it: {error!r}")
                break
        return self._page.inserted["journal"]

    def _begin(self, row: Row) -> None:
        given, standing = self.given, self.standing
        until_ns = warm_until(self._schedule, given, self._first)
        courses = [(until_ns, self._schedule)]
        bars = partial(stored_bars, self._connection, given.names, str(given.timeframe))
        history = feed_again(bars, standing, courses, self._first)
        standing.write(self._page, row.instant_ns, row.at_ns, "STARTED", beginning(given, history))
        since = min(self._first.ts_ns, given.history_from_ns)
        until = max(one.instant_ns for one in self._rows) + DAY_NS
        self._bars = bars(since, until)

    def _one(self, row: Row) -> None:
        said = Said(self.standing, self._page, row.at_ns, 0)
        if row.kind in ("EVALUATED", "BAR_CLOSED_RECEIVED"):
            self._close(row, said)
        elif row.kind == "BAR_WARMED":
            interval = self._coming()
            warm(said, interval, self._fed(row, interval).digest(0))
        elif row.kind == "FILLED":
            executions = tuple(
                Event(0, row.body["cid"], "", "FILL", ident, ns, qty, price, charges)
                for ident, ns, qty, price, charges in row.body["executions"]
            )
            heard = Heard(row.body["order"], row.body["instrument"], executions)
            self._report(said, heard, row.body.get("gone", ()))
        elif row.kind == "ORDER_ENDED":
            order = row.body["order"]
            self._report(said, Heard(order, row.body["instrument"], ()), (order,))
        elif row.kind == "ORDER_CANCELLED" and row.body["action"] == "CANCEL_NO_SLOT":
            if not drop(said, self.standing.deployed.number[row.body["instrument"]], self._coming()):
                raise ValueError("the entry waited for nothing")
        elif row.kind == "CALENDAR_CHANGED":
            self._change_calendar(row)
        elif row.kind == "FLATTEN_REQUESTED":
            leave(said, row.body["instruments"], row.instant_ns)
        elif row.kind == "POSITION_HANDED_OVER":
            hand_over(said, row.body["instrument"], row.instant_ns, row.body["price"])
        elif row.kind == "POSITION_ADOPTED":
            take_over(said, row.body["instrument"], row.instant_ns, terms_of(row.body))
        elif row.kind == "ORDER_REST_CANCELLED":
            said.cut(row.body["order"], row.instant_ns)
        elif row.kind in ("ORDER_EXPIRED", "ORDER_REJECTED") and row.body["action"] == "SUBMIT":
            self._withdraw(row, said)
        elif row.kind == "STOPPED":
            numbers = {known.cid: order for order, known in self.standing.known.items()}
            cancel_orders(said, [numbers[cid] for cid in row.body["orders_cancelled"]])

    def _change_calendar(self, row: Row) -> None:
        deployed = self.standing.deployed
        deployed.given = replace(deployed.given, calendar=calendar_of(deployed.given.calendar.name, row.body))
        self._schedule = schedule_of(deployed.given.calendar, deployed.given.timeframe)
        self._alone = None  # the next interval enters a session of the new one

    def _report(self, said: Said, one: Heard, gone: Collection[int]) -> None:
        report(said, one, self._coming(), gone)
        self._release()

    def _withdraw(self, row: Row, said: Said) -> None:
        deployed, order = self.standing.deployed, row.body["order"]
        if order not in self.standing.known:
            return  # it had been taken back before it was given up
        k = deployed.number[self.standing.known[order].instrument]
        deployed.withdraw(k, order, row.at_ns)
        said.actions(deployed.taken()["actions"], gone=(order,))
        self.standing.known.pop(order, None)

    def _release(self) -> None:
        """D8: what waits no more is held no more."""
        standing = self.standing
        for order in list(standing.held):
            if not standing.deployed.one.waits(standing.deployed.number[standing.known[order].instrument]):
                del standing.held[order]

    def _close(self, row: Row, said: Said) -> None:
        interval, deployed = self._coming(), self.standing.deployed
        bars = self._bars.get(interval.ts_ns, {})
        for k in deployed.working_entries():
            if deployed.names[k] in bars and deployed.one.waits(k):
                raise ValueError(f"the entry of {deployed.names[k]} should have been dropped (D8)")
        if not deployed.decides_at(interval):
            raise ValueError("decisions have not begun (B8)")
        alone, mask, stale = self._fed(row, interval), MASKS[row.body.get("held_back", "")], row.body.get("stale", ())
        alone.hold_back(0, stale, ENTRIES)
        alone.close(interval, [0], [mask.bits])
        decide(self._page, said, interval, alone.outcome(0), mask.word, stale)
        self._intervals += 1

    def _fed(self, row: Row, interval: Interval) -> Together:
        """Let the bars of the interval that a row is about pass through the expressions."""
        deployed = self.standing.deployed
        if interval.close_ns != row.instant_ns:
            raise ValueError(f"the next interval closes at {interval.close_ns}")
        if interval.day != deployed.day.day or self._alone is None:
            deployed.enter(self._schedule.day(interval.day))
            self._alone = Together([deployed])
        self._alone.feed(interval, self._bars.get(interval.ts_ns, {}))
        return self._alone

    def _coming(self) -> Interval:
        found = self._schedule.after(self.standing.deployed.passed_ns)
        assert found is not None, "the calendar goes on"
        return found

    # --- compared ----------------------------------------------------------------------------------------------------

    def _compare(self, recorded: list[Row], made: list[dict[str, Any]]) -> None:
        """Each kind of statement in its own order: at one instant several orders are booked together."""
        for name, kinds in _STREAMS.items():
            ours = [row for row in recorded if row.kind in kinds]
            theirs = [row for row in made if row["kind"] in kinds]
            for row, again in zip(ours, theirs, strict=False):
                body = canonical(row.body)
                if (row.instant_ns, row.kind, body) != (again["instant_ns"], again["kind"], again["body"]):
                    self.differences.append(f"row {row.seq}: the journal says {row.kind} {body}, the engine "
                                            f"{again['kind']} {again['body']}")
                    break
            if len(ours) != len(theirs):
                self.differences.append(f"{name}: {len(ours)} in the journal, {len(theirs)} by the engine")

    def _compare_tables(self) -> None:
        page, standing = self._page, self.standing
        state = self._connection.execute(
            tables.deployment_states.select().where(tables.deployment_states.c.deployment_id == self.given.id)
        ).one()
        if state.layout == layout() and bytes(state.records) != standing.deployed.state():
            self.differences.append("deployment_states: account and positions are not those of the journal")
        points = [tuple(row[name] for name in _POINT) for row in page.inserted["equity_points"]]
        stored = points_of(self._connection, self.given.id)
        self._same("equity_points", [tuple(getattr(row, name) for name in _POINT) for row in stored], points)
        intents = [tuple(row[name] for name in _INTENT) for row in page.inserted["intents"]]
        stored = self._select(tables.intents, tables.intents.c.number)
        self._same("intents", [tuple(getattr(row, name) for name in _INTENT) for row in stored], intents)
        told = [
            (one[0], one[1], one[2], one[3], one[4])
            for row in self._rows if row.kind == "FILLED" for one in row.body["executions"]
        ]  # fmt: skip
        fills = self._select(tables.fills, tables.fills.c.number)
        done = {row.body["order"] for row in self._rows if row.kind == "FILLED"}
        # What nobody expected is kept, and no order was booked by it.
        reconciled = (row.body for row in self._rows if row.kind == "RECONCILIATION_ACTION")
        strange = {body["unexpected_fill"]["exec_id"] for body in reconciled if "unexpected_fill" in body}
        fills = (row for row in fills if row.order_no in done and row.exec_id not in strange)
        booked = [(row.exec_id, row.ns, row.qty, row.price, row.charges) for row in fills]
        self._same("fills", sorted(booked), sorted(told))

    def _same(self, name: str, stored: list[tuple[Any, ...]], made: list[tuple[Any, ...]]) -> None:
        for place, (one, other) in enumerate(zip(stored, made, strict=False)):
            if _bits(one) != _bits(other):
                self.differences.append(f"{name}, row {place}: {one} is stored, {other} follows from the journal")
                return
        if len(stored) != len(made):
            self.differences.append(f"{name}: {len(stored)} rows are stored, {len(made)} follow from the journal")

    def _select(self, table: sa.Table, order: Any) -> Iterator[Any]:
        wanted = table.select().where(table.c.deployment_id == self.given.id).order_by(order)
        return iter(self._connection.execute(wanted).all())


#: Statements that follow each other in one order.
_STREAMS = {
    "instants": ("STARTED", "BAR_WARMED", "EVALUATED", "BAR_CLOSED_RECEIVED"),
    "actions": tuple("ORDER_INTENT_CREATED PROTECTIVE_SET PROTECTIVE_MOVED ORDER_CANCELLED FILLED ORDER_ENDED".split()),
    "risk exits": ("RISK_EXIT_TRIGGERED",),
    "rests": ("ORDER_REST_CANCELLED",),
    "trades": ("TRADE_CLOSED",),
    "notes": ("FLATTEN_FAILED",),
}


def _bits(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(one.hex() if isinstance(one, float) else one for one in row)


def find(connection: sa.Connection, name: str, owner: str) -> Given:
    """A deployment by its name or id.

    Raises
    ------
    ConfigError
        The owner has none of that name.
    """
    table, versions = tables.deployments, tables.strategy_versions
    wanted = sa.select(table, versions.c.content).join(versions, versions.c.hash == table.c.strategy_hash)
    named = sa.or_(table.c.name == name, table.c.id == name)
    row = connection.execute(wanted.where(named, table.c.owner == owner)).mappings().first()
    if row is None:
        raise ConfigError(f"there is no deployment called {name!r}.")
    return Given.of(row, row["content"])
