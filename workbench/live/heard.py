"""What a broker reported, told apart: orders that are done, parts of orders that are not, and fills nobody expected.

An order is booked once, when it is done: filled, or ended with a part. Until then its executions are kept as they came,
each once by its id, so that what is held is always the sum of what was executed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from workbench.brokers.port import Broker, Event, Unknown
from workbench.journal import tables
from workbench.live.lease import Lease
from workbench.live.page import Page
from workbench.live.standing import Known, Standing
from workbench.tolerance import less_equal

_ENDS = ("CANCELLED", "EXPIRED", "REJECTED")


class Heard(NamedTuple):
    """An order of ours that is done at the broker.

    Attributes
    ----------
    order, instrument : int, str
        Which.
    executions : tuple of Event
        Its fills; none when it ended without.
    """

    order: int
    instrument: str
    executions: tuple[Event, ...]

    @property
    def ns(self) -> int:
        """Of the first execution."""
        return self.executions[0].ns

    @property
    def qty(self) -> float:
        """Units that were executed."""
        return sum(one.qty for one in self.executions)

    @property
    def price(self) -> float:
        """Mean price of a unit."""
        if len(self.executions) == 1:
            return self.executions[0].price
        return sum(one.price * one.qty for one in self.executions) / self.qty

    @property
    def charges(self) -> float:
        """Money, of all executions."""
        return sum(one.charges for one in self.executions)


class News(NamedTuple):
    """What events mean for one deployment.

    Attributes
    ----------
    executions : list of (int, Event)
        New fills of our working orders, by number.
    done : list of Heard
        Orders that are done, in the broker's order.
    strange : list of Event
        Fills of orders that do not work.
    arrived : dict of str to str
        The broker's id of every order of which it said anything, by client id: a proof that it was sent.
    """

    executions: list[tuple[int, Event]]
    done: list[Heard]
    strange: list[Event]
    arrived: dict[str, str]

    def __bool__(self) -> bool:
        return bool(self.executions or self.done or self.strange)


#: Nothing was said. Not to be written to.
SILENCE = News([], [], [], {})


def heard(broker: Broker, standing: Standing, read: Sequence[Event] = ()) -> News:
    """What happened in the account of a deployment since the last look.

    ``read`` are events that were read already and not looked at: all there is when the broker cannot be asked now.
    """
    try:
        events = broker.events(standing.deployed.given.account, standing.counts["events"])
    except Unknown:
        events = read
    return sorted_out(standing, events) if events else SILENCE


def sorted_out(standing: Standing, events: Iterable[Event]) -> News:
    """What events mean; each counts once, and so does each execution."""
    news = News([], [], [], {})
    orders = {known.cid: number for number, known in standing.known.items()} if events else {}
    for event in sorted(events, key=_place):
        if event.seq <= standing.counts["events"]:
            continue
        standing.counts["events"] = event.seq
        news.arrived[event.cid] = event.broker_id
        order = orders.get(event.cid)
        if order is None:
            if event.kind == "FILL":
                news.strange.append(event)
            continue
        parts = standing.parts.get(order, [])
        if event.kind == "FILL" and all(event.exec_id != one.exec_id for one in parts):
            parts = standing.parts[order] = [*parts, event]
            news.executions.append((order, event))
        whole = less_equal(standing.known[order].qty, sum(one.qty for one in parts))
        if (event.kind == "FILL" and whole) or event.kind in _ENDS:
            del orders[event.cid]
            executed = tuple(standing.parts.pop(order, ()))
            news.done.append(Heard(order, standing.known[order].instrument, executed))
    return news


def _place(event: Event) -> int:
    return event.seq


def is_booked(lease: Lease, standing: Standing, event: Event, page: Page) -> bool:
    """Whether an execution is stored already, or about to be: brokers tell some of them twice."""
    table, account = tables.fills, standing.deployed.given.account
    if any((row["account"], row["exec_id"]) == (account, event.exec_id) for row in page.inserted["fills"]):
        return True
    with lease.store.read() as connection:
        same = table.select().where(table.c.account == account, table.c.exec_id == event.exec_id)
        return connection.execute(same).first() is not None


def known_before(lease: Lease, standing: Standing, event: Event) -> tuple[int, Known] | None:
    """An order of ours that works no more, with its number; None for one that was never ours."""
    table = tables.orders
    with lease.store.read() as connection:
        ours = table.select().where(table.c.cid == event.cid, table.c.deployment_id == standing.id)
        row = connection.execute(ours).first()
    if row is None:
        return None
    return row.order_no, Known(row.cid, row.instrument, row.side, row.qty, row.kind, row.reason)
