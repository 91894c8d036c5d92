"""A broker of its own for the simulation: accounts, a book, executions, and every way in which a wire can lie.

It shares no code with the paper broker or the engine. It survives whatever happens to the runner, and what it holds is
the truth that the oracle compares with. How it misbehaves is asked of a ``Mood``; with a calm one it is a plain broker.

The fill model is plain too: market orders fill at a bar's open, stops and targets where a bar touches them, an order
that reduces never opens a position. A bar is seen whole at its close, so that an order fills in it if it was decided by
its open and arrived before its close, or answers to a fill of this very bar.

Invariants: an event has the next number of its account when it is published and never another one; an execution has an
id of its own and happens once, however often it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from workbench.brokers.port import (
    Answer,
    Event,
    Idempotency,
    NotSent,
    OrderReport,
    Phase,
    Request,
    TradedBar,
    Unknown,
)

#: Of what is traded; money a unit of money.
CHARGES_FRAC = 0.0003
#: Of what has not traded yet.
FIRST_PRICE = 100.0


class Fate(NamedTuple):
    """What becomes of one request on its way.

    Attributes
    ----------
    kind : str
        ``ok``; ``not_sent``; ``lost`` (nothing arrives, nobody knows); ``silent`` (arrives, nobody knows); ``late``
        (arrives after ``delay_ns``, nobody knows); ``reject`` (refused in the answer); ``reject_later`` (taken, and
        refused by an event).
    delay_ns : int
        Of a late one.
    """

    kind: str
    delay_ns: int = 0


OK = Fate("ok")


class Mood(Protocol):
    """How the broker behaves, asked at every turn of things."""

    #: Whether it cancels what protects a position that is gone.
    cleans: bool

    def fate(self, request: Request) -> Fate:
        """Of a request."""

    def share(self) -> float:
        """Part of what is left of an order that fills now, in (0, 1]."""

    def cancels_rest(self) -> bool:
        """Whether the rest of a partial fill is cancelled by the broker."""

    def fills_first(self) -> bool:
        """Whether an entry fills in the moment before its CANCEL arrives."""

    def told_after_ns(self) -> Sequence[int]:
        """When an event is published, once or several times, from now."""

    def invisible_ns(self) -> int:
        """How long a new order cannot be looked up."""

    def is_blind(self, what: str) -> bool:
        """Whether ``events``, ``find`` or ``positions`` cannot be asked now."""


@dataclass
class Order:
    """One order in the book; it is never taken out."""

    broker_id: str
    account: str
    cid: str
    instrument: str
    side: int
    qty: float
    kind: str
    level: float
    reduces: bool
    contingent: bool
    number: int
    decided_ns: int
    arrived_ns: int
    visible_ns: int
    sent_ns: int
    is_transfer: bool = False
    state: str = "WORKING"
    filled: float = 0.0
    triggered: bool = False

    @property
    def left(self) -> float:
        """Units that are not executed yet."""
        return self.qty - self.filled


class Execution(NamedTuple):
    """Something that truly happened."""

    account: str
    exec_id: str
    cid: str
    instrument: str
    side: int
    qty: float
    price: float
    charges: float
    at_ns: int
    bar_ns: int
    is_transfer: bool = False


@dataclass
class Book:
    """One account."""

    orders: list[Order] = field(default_factory=list)
    positions: dict[str, float] = field(default_factory=dict)
    told: dict[str, float] = field(default_factory=dict)  # positions as far as they were told
    told_ns: dict[str, int] = field(default_factory=dict)  # when one of these changed last
    events: list[Event] = field(default_factory=list)
    untold: list[tuple[int, int, Event]] = field(default_factory=list)  # when, in which order, what
    arrivals: list[tuple[int, Request, int]] = field(default_factory=list)  # late requests

    def under(self, cid: str) -> list[Order]:
        """Every order with a client id."""
        return [one for one in self.orders if one.cid == cid]

    def ends_untold(self, instrument: str) -> bool:
        """Whether an order ended without a word so far."""
        ended = {event.broker_id for _, _, event in self.untold if event.kind in ("CANCELLED", "EXPIRED", "REJECTED")}
        return any(one.instrument == instrument and one.broker_id in ended for one in self.orders)

    def working(self) -> list[Order]:
        """Orders that work."""
        return [one for one in self.orders if one.state == "WORKING"]


class EmulatedBroker:
    """A broker in memory.

    Parameters
    ----------
    idempotency : Idempotency
        What asking twice does.
    now_ns : callable
        The clock.
    mood : Mood
        How it behaves.

    Attributes
    ----------
    executions : list of Execution
        The truth, in order.
    rejected : set of str
        Client ids of orders that it refused.
    mute_ns : int
        When it was asked last what happened, and did not say.
    """

    def __init__(self, idempotency: Idempotency, now_ns: Callable[[], int], mood: Mood) -> None:
        self._idempotency, self._now_ns, self.mood = idempotency, now_ns, mood
        self.books: dict[str, Book] = {}
        self.executions: list[Execution] = []
        self.rejected: set[str] = set()
        self._told = 0
        self.mute_ns = -1
        self._last: dict[str, TradedBar] = {}

    @property
    def idempotency(self) -> Idempotency:
        """What asking twice does."""
        return self._idempotency

    def open_account(self, name: str, _terms: object = None) -> None:
        """Open an account, or find it as it is."""
        self.books.setdefault(name, Book())

    # --- the wire ----------------------------------------------------------------------------------------------------

    def send(self, requests: Sequence[Request]) -> list[Answer | Exception]:
        """Ask several things, in order."""
        self._arrive_late()
        return [self._asked(one) for one in requests]

    def events(self, account: str, after_seq: int) -> list[Event]:
        """What happened in an account after an event, as far as it was published."""
        self._arrive_late()
        if self.mood.is_blind("events"):
            self.mute_ns = self._now_ns()
            raise Unknown("the connection was lost")
        book = self.books[account]
        self._publish(book)
        return book.events[after_seq:]

    def find(self, account: str, cid: str) -> list[OrderReport]:
        """Every order with a client id that can be seen by now."""
        self._arrive_late()
        if self.mood.is_blind("find"):
            raise Unknown("the connection was lost")
        now = self._now_ns()
        found = [one for one in self.books[account].under(cid) if one.visible_ns <= now]
        return [OrderReport(cid, one.broker_id, one.state, one.filled) for one in found]

    def positions(self, account: str) -> dict[str, float]:
        """Signed units held by instrument."""
        self._arrive_late()
        if self.mood.is_blind("positions"):
            raise Unknown("the connection was lost")
        return {name: qty for name, qty in self.books[account].positions.items() if qty != 0.0}

    def reached(self, bars: Mapping[str, TradedBar], accounts: Iterable[str]) -> list[str]:
        """Accounts in which an order works: what fills is drawn when it is asked to trade."""
        del bars
        self._arrive_late()
        return [account for account in accounts if self.books[account].working()]

    def _asked(self, request: Request) -> Answer | Exception:
        now, fate = self._now_ns(), self.mood.fate(request)
        if fate.kind == "not_sent":
            return NotSent("the connection was refused")
        if fate.kind == "lost":
            return Unknown("no answer")
        if fate.kind == "late":
            self.books[request.account].arrivals.append((now + fate.delay_ns, request, now))
            return Unknown("no answer")
        if fate.kind == "reject" and request.action == "SUBMIT" and not self.books[request.account].under(request.cid):
            self.rejected.add(request.cid)
            return Answer(False, reason="margin")
        answer = self._arrived(request, now, now)
        if fate.kind == "reject_later" and answer.accepted and request.action == "SUBMIT":
            self.rejected.add(request.cid)
            self._end(self.books[request.account].orders[-1], "REJECTED", "margin")
        return Unknown("no answer") if fate.kind == "silent" else answer

    def _arrive_late(self) -> None:
        now = self._now_ns()
        for book in self.books.values():
            if book.arrivals:
                due = sorted(one for one in book.arrivals if one[0] <= now)
                book.arrivals = [one for one in book.arrivals if one[0] > now]
                for at_ns, request, sent_ns in due:
                    self._arrived(request, at_ns, sent_ns)

    def _arrived(self, request: Request, at_ns: int, sent_ns: int) -> Answer:
        book = self.books[request.account]
        there = book.under(request.cid)
        working = [one for one in there if one.state == "WORKING"]
        if request.action == "TRANSFER":
            return self._transferred(book, request, at_ns, sent_ns)
        if request.action == "SUBMIT":
            if request.cid in self.rejected and self._idempotency is Idempotency.UNIQUE_FOREVER and not there:
                return Answer(False, reason="the id was refused before")
            taken = there if self._idempotency is Idempotency.UNIQUE_FOREVER else working
            if taken and self._idempotency is not Idempotency.LABEL_ONLY:
                return Answer(False, taken[0].broker_id, duplicate=True, reason="the id is taken")
            return self._taken(book, request, at_ns, sent_ns)
        if not working:
            return Answer(False, reason="no such order works")
        if request.action == "CANCEL" and self._races(working[0]):
            return Answer(False, reason="no such order works")
        for order in working:
            if request.action == "CANCEL":
                self._end(order, "CANCELLED", "as asked")
            else:
                order.level, order.qty = request.price, max(request.qty, order.filled)
                if order.left <= 0.0:
                    self._end(order, "CANCELLED", "nothing is left")
        return Answer(True, working[0].broker_id)

    def _transferred(self, book: Book, request: Request, at_ns: int, sent_ns: int) -> Answer:
        """A position changes hands inside the house: once by its id, whole, at its price, and without charges."""
        if there := book.under(request.cid):
            return Answer(False, there[0].broker_id, duplicate=True, reason="it has changed hands")
        answer, order = self._taken(book, request, at_ns, sent_ns), book.orders[-1]
        qty = order.qty
        if order.reduces:
            qty = min(qty, max(0.0, -order.side * book.positions.get(order.instrument, 0.0)))
        if qty <= 0.0:
            self._end(order, "EXPIRED", "there is no position to hand over")
        else:
            self._executed(book, order, (qty, request.price, 0.0), self._now_ns())
        return answer

    def _races(self, order: Order) -> bool:
        """Whether an entry has filled after all, between two bars, at the last price there was."""
        if order.reduces or not self.mood.fills_first():
            return False
        now, first = self._now_ns(), TradedBar(0, 0, 0, FIRST_PRICE, FIRST_PRICE, FIRST_PRICE)
        bar = self._last.get(order.instrument, first)._replace(open_ns=now)
        self._fill(self.books[order.account], order, bar, bar.open)
        return order.state != "WORKING"

    def _taken(self, book: Book, request: Request, at_ns: int, sent_ns: int) -> Answer:
        order = Order(
            broker_id=f"{request.account[:4]}-{len(book.orders) + 1}", account=request.account, cid=request.cid,
            instrument=request.instrument, side=request.side, qty=request.qty, kind=request.kind, level=request.price,
            reduces=request.reduces, contingent=request.contingent, number=request.number,
            decided_ns=request.decided_ns, arrived_ns=at_ns, visible_ns=at_ns + self.mood.invisible_ns(),
            sent_ns=sent_ns, is_transfer=request.action == "TRANSFER",
        )  # fmt: skip
        book.orders.append(order)
        self._tell(book, order, "ACCEPTED", at_ns)
        return Answer(True, order.broker_id)

    # --- the market --------------------------------------------------------------------------------------------------

    def trade(self, phase: Phase, bars: Mapping[str, TradedBar], accounts: Iterable[str]) -> None:
        """Fill what fills in one phase of one bar."""
        self._arrive_late()
        self._last.update(bars)
        for account in accounts:
            book = self.books[account]
            for order in sorted(book.working(), key=lambda one: (one.kind != "stop", one.number)):
                bar = bars.get(order.instrument)
                if bar is None or order.state != "WORKING" or not _meets(order, bar):
                    continue
                if phase is Phase.PROTECTIVE:
                    price = _touched(order, bar) if order.kind != "open" else None
                elif order.kind == "open" and order.reduces == (phase is Phase.EXITS):
                    price = bar.open
                else:
                    price = None
                if price is not None:
                    self._fill(book, order, bar, price)

    def _fill(self, book: Book, order: Order, bar: TradedBar, price: float) -> None:
        held, most = book.positions.get(order.instrument, 0.0), order.left
        if order.reduces:
            most = min(most, max(0.0, -order.side * held))
            if most <= 0.0:
                self._end(order, "EXPIRED", "there is no position to reduce")
                return
        share = self.mood.share()
        qty = most if share >= 1.0 else max(1.0, float(int(most * share)))
        qty = min(qty, most)
        self._executed(book, order, (qty, price, qty * price * CHARGES_FRAC), bar.open_ns)

    def _executed(self, book: Book, order: Order, terms: tuple[float, float, float], bar_ns: int) -> None:
        """Units change hands at a price, with charges."""
        (qty, price, charges), name = terms, order.instrument
        order.filled += qty
        order.triggered = True
        book.positions[name] = book.positions.get(name, 0.0) + order.side * qty
        execution = Execution(
            order.account, f"X{len(self.executions) + 1}", order.cid, name, order.side, qty, price, charges,
            self._now_ns(), bar_ns, order.is_transfer,
        )  # fmt: skip
        self.executions.append(execution)
        if order.left <= 0.0:
            order.state = "FILLED"
        self._tell(book, order, "FILL", bar_ns, execution)
        if order.state == "WORKING" and (self.mood.cancels_rest() or (order.reduces and book.positions[name] == 0.0)):
            self._end(order, "CANCELLED", "the rest is cancelled")
        if book.positions[name] == 0.0 and self.mood.cleans:
            for other in book.working():
                if other.instrument == name and other.reduces:
                    self._end(other, "CANCELLED", "its position is closed")

    # --- what is told ------------------------------------------------------------------------------------------------

    def _end(self, order: Order, state: str, why: str) -> None:
        order.state = state
        self._tell(self.books[order.account], order, state, self._now_ns(), why=why)

    def _tell(self, book: Book, order: Order, kind: str, ns: int, fill: Execution | None = None, why: str = "") -> None:
        event = Event(0, order.cid, order.broker_id, kind, ns=ns, detail=why)
        if fill is not None:
            event = event._replace(exec_id=fill.exec_id, qty=fill.qty, price=fill.price, charges=fill.charges)
        now = self._now_ns()
        for after_ns in self.mood.told_after_ns():
            self._told += 1
            book.untold.append((now + after_ns, self._told, event))

    def _publish(self, book: Book) -> None:
        if not book.untold:
            return
        now = self._now_ns()
        due = sorted(one for one in book.untold if one[0] <= now)
        book.untold = [one for one in book.untold if one[0] > now]
        known = {event.exec_id for event in book.events}
        by_id = {one.broker_id: one for one in book.orders}
        for _, _, event in due:
            book.events.append(event._replace(seq=len(book.events) + 1))
            order = by_id[event.broker_id]
            if event.kind == "FILL" and event.exec_id not in known:
                known.add(event.exec_id)
                book.told[order.instrument] = book.told.get(order.instrument, 0.0) + order.side * event.qty
                book.told_ns[order.instrument] = now

    def settle(self) -> None:
        """Let everything that is under way arrive now: faults are over."""
        now = self._now_ns()
        for book in self.books.values():
            book.arrivals = [(min(at_ns, now), request, sent_ns) for at_ns, request, sent_ns in book.arrivals]
            book.untold = [(min(at_ns, now), number, event) for at_ns, number, event in book.untold]
            for order in book.orders:
                order.visible_ns = min(order.visible_ns, now)


def _meets(order: Order, bar: TradedBar) -> bool:
    """Whether an order works in a bar."""
    if order.decided_ns > bar.open_ns:
        return False
    answers = order.contingent or (order.kind != "open" and order.decided_ns == bar.open_ns)
    return answers or order.arrived_ns < bar.close_ns


def _touched(order: Order, bar: TradedBar) -> float | None:
    """Price at which a stop or target fills in a bar, None if it does not."""
    if order.triggered:
        return bar.open
    if order.kind == "stop":
        if order.side < 0:
            return min(bar.open, order.level) if bar.low <= order.level else None
        return max(bar.open, order.level) if bar.high >= order.level else None
    if order.side < 0:
        return max(bar.open, order.level) if bar.high >= order.level else None
    return min(bar.open, order.level) if bar.low <= order.level else None
