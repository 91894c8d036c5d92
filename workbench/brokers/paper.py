"""The embedded paper broker: a book of orders that fill by the law's fill model (rules F1 to F5, F10).

It is a broker like another: it knows accounts, orders and executions, and nothing of strategies. What it accepted or
executed is in the database before it answers. It can behave like each class of real broker when an id comes twice.
It lives in a runner's process, so that its book is written by whoever may write: a runner that was taken over has an
account that takes nothing and fills nothing. Where a runner's transaction is open (``Lease.together``) its book is
written in that.

Invariants: an execution has an id of its own and happens once; an order that reduces never opens a position; an order
fills in no bar that opened before it was decided, and in none that had closed before it arrived.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa

from workbench.brokers.paper_accounts import Account, Holding, Resting, Terms, resting, row_of
from workbench.brokers.paper_bars import entry_order, exit_order, hits, working_in
from workbench.brokers.port import Answer, Event, Idempotency, OrderReport, Phase, Request, TradedBar
from workbench.engine.costs import charges_of
from workbench.engine.fills import market_price
from workbench.journal import tables
from workbench.journal.chain import canonical
from workbench.journal.driver import execute_many
from workbench.journal.store import Store
from workbench.market.timeframe import DAY_NS

_KEY: Any = sa.bindparam("key")
_ADD_ORDER, _ADD_EVENT = tables.paper_orders.insert(), tables.paper_events.insert()
_ADD_ACCOUNT = tables.paper_accounts.insert()
_DROP_ORDER = tables.paper_orders.delete().where(tables.paper_orders.c.broker_id == _KEY)
_DROP_ACCOUNT = tables.paper_accounts.delete().where(tables.paper_accounts.c.account == _KEY)

#: What accounts are opened with: orders that work; positions, and how many orders were placed and events told.
_KEYS: Any = sa.bindparam("keys", expanding=True)
_WORKING = (
    tables.paper_orders.select()
    .where(tables.paper_orders.c.account.in_(_KEYS), tables.paper_orders.c.works)
    .order_by(tables.paper_orders.c.account, tables.paper_orders.c.place)
)
_HELD = tables.paper_accounts.c
_ACCOUNTS = sa.select(
    _HELD.account,
    _HELD.positions,
    sa.select(sa.func.max(tables.paper_orders.c.place))
    .where(tables.paper_orders.c.account == _HELD.account)
    .scalar_subquery()
    .label("placed"),
    sa.select(sa.func.max(tables.paper_events.c.seq))
    .where(tables.paper_events.c.account == _HELD.account)
    .scalar_subquery()
    .label("told"),
).where(_HELD.account.in_(_KEYS))

#: Those of some client ids that came before.
_TAKEN = sa.select(tables.paper_orders.c.cid).where(tables.paper_orders.c.cid.in_(_KEYS))

#: Client ids that one statement asks for; a database takes only so many values.
LOOKED_UP = 500


class PaperBroker:
    """A broker whose fills come from bars.

    Parameters
    ----------
    store : Store
        Where its book is kept.
    writes : callable
        Gives the transaction in which its book is written; it raises for who may not write (``Lease.fenced``).
    now_ns : callable
        Its clock.
    idempotency : Idempotency
        What it does with a client id that it has seen.
    """

    def __init__(
        self,
        store: Store,
        writes: Callable[[], AbstractContextManager[sa.Connection]],
        now_ns: Callable[[], int],
        idempotency: Idempotency = Idempotency.UNIQUE_FOREVER,
    ) -> None:
        self._store, self._writes, self._now_ns, self._idempotency = store, writes, now_ns, idempotency
        self._accounts: dict[str, Account] = {}
        self._changed: dict[tuple[str, str], Resting] = {}
        self._told: list[tuple[str, Event]] = []
        self._looked: dict[str, tuple[list[Any], list[Any]]] = {}

    @property
    def idempotency(self) -> Idempotency:
        """What asking twice does."""
        return self._idempotency

    @property
    def shares_database(self) -> bool:
        """It writes with whoever asks."""
        return True

    def look(self, connection: sa.Connection, names: Sequence[str]) -> None:
        """Read what some accounts were left with, to be opened next; what was read of others is forgotten."""
        self._looked = {name: ([], []) for name in names}
        for row in connection.execute(_ACCOUNTS, {"keys": list(names)}):
            self._looked[row.account][0].append(row)
        for row in connection.execute(_WORKING, {"keys": list(names)}):
            self._looked[row.account][1].append(row)

    def open_account(self, name: str, terms: Terms) -> None:
        """Open an account, or find it again as it was left."""
        account = self._accounts[name] = Account(name, terms)
        if name not in self._looked:
            with self._store.read() as connection:
                self.look(connection, [name])
        stands, working = self._looked.pop(name)
        for row in working:
            account.put(resting(row.broker_id, row.content))
        for row in stands:
            account.placed, account.told = row.placed or 0, row.told or 0
            account.holdings = {key: Holding(*value) for key, value in json.loads(row.positions).items()}

    # --- what a client asks ------------------------------------------------------------------------------------------

    def send(self, requests: Sequence[Request]) -> Sequence[Answer | Exception]:
        """Ask several things, in order."""
        seen = self._seen([one.cid for one in requests if one.action == "SUBMIT"])
        answers = [self._asked(self._accounts[one.account], one, seen) for one in requests]
        self._save()
        return answers

    def events(self, account: str, after_seq: int) -> Sequence[Event]:
        """What happened in an account after an event."""
        book = self._accounts[account]
        before = book.told - len(book.recent)
        if after_seq >= before:
            return book.recent[after_seq - before :]
        told = tables.paper_events
        wanted = told.select().where(told.c.account == account, told.c.seq > after_seq).order_by(told.c.seq)
        with self._store.read() as connection:
            return [Event(*json.loads(row.content)) for row in connection.execute(wanted)]

    def find(self, account: str, cid: str) -> Sequence[OrderReport]:
        """Every order with a client id."""
        filled = {one.broker_id: one.qty for one in self.events(account, 0) if one.kind == "FILL" and one.cid == cid}
        return [
            OrderReport(cid, one.broker_id, one.state, filled.get(one.broker_id, 0.0))
            for one in self._ever(account, cid)
        ]

    def _ever(self, account: str, cid: str) -> list[Resting]:
        """Every order with a client id, from the database."""
        book = tables.paper_orders
        wanted = book.select().where(book.c.account == account, book.c.cid == cid).order_by(book.c.place)
        with self._store.read() as connection:
            stored = [resting(row.broker_id, row.content) for row in connection.execute(wanted)]
        return list({one.broker_id: one for one in [*stored, *self._fresh(account, cid)]}.values())

    def _fresh(self, account: str, cid: str) -> list[Resting]:
        """Orders with a client id that are not in the database yet."""
        return [one for (name, _), one in self._changed.items() if name == account and one.request.cid == cid]

    def _seen(self, cids: Sequence[str]) -> set[str]:
        """Those client ids that came before, in any account: one look at the database for a whole batch."""
        if self._idempotency is not Idempotency.UNIQUE_FOREVER or not cids:
            return set()
        found = set[str]()
        with self._store.read() as connection:
            for at in range(0, len(cids), LOOKED_UP):
                found |= set(connection.execute(_TAKEN, {"keys": cids[at : at + LOOKED_UP]}).scalars())
        return found | {cid for cid, times in Counter(cids).items() if times > 1}

    def positions(self, account: str) -> dict[str, float]:
        """Signed units held by instrument."""
        return {name: one.qty for name, one in self._accounts[account].holdings.items() if one.qty != 0.0}

    def _asked(self, account: Account, request: Request, seen: Collection[str]) -> Answer:
        if request.action == "SUBMIT":
            return self._submitted(account, request, request.cid in seen)
        if request.action == "TRANSFER":
            return self._transferred(account, request)
        working = account.under(request.cid)
        if not working:
            return Answer(False, reason="no such order works")
        for order in working:
            if request.action == "MOVE":
                moved = order.request._replace(price=request.price, qty=request.qty)
                self._put(account, order._replace(request=moved))
            else:
                self._end(account, order, "CANCELLED", "as asked")
        return Answer(True, working[0].broker_id)

    def _submitted(self, account: Account, request: Request, seen: bool) -> Answer:
        if self._idempotency is Idempotency.UNIQUE_FOREVER:
            known = self._ever(account.name, request.cid) if seen else []
            why = "client order id must be unique"
        elif self._idempotency is Idempotency.UNIQUE_WHILE_PENDING:
            known, why = account.under(request.cid), "client order id is pending"
        else:
            known, why = [], ""
        if known:
            return Answer(False, known[0].broker_id, duplicate=True, reason=why)
        return Answer(True, self._taken(account, request).broker_id)

    def _transferred(self, account: Account, request: Request) -> Answer:
        """A position changes hands inside the house: at the price that was agreed, once, whatever ids mean here."""
        if known := self._ever(account.name, request.cid):
            return Answer(False, known[0].broker_id, duplicate=True, reason="it has changed hands already")
        order, now = self._taken(account, request), self._now_ns()
        at = TradedBar(now, now, now // DAY_NS, request.price, request.price, request.price)
        self._fill(account, order, at, request.price)
        return Answer(True, order.broker_id)

    def _taken(self, account: Account, request: Request) -> Resting:
        account.placed += 1
        order = Resting(f"{account.name}:{account.placed}", request, self._now_ns(), "WORKING")
        self._put(account, order)
        self._tell(account, Event(0, request.cid, order.broker_id, "ACCEPTED", ns=order.accepted_ns))
        return order

    # --- what bars do ------------------------------------------------------------------------------------------------

    def trade(self, phase: Phase, bars: Mapping[str, TradedBar], accounts: Iterable[str]) -> None:
        """Fill what fills in one phase of one interval."""
        for name in accounts:
            account = self._accounts[name]
            if not account.working:
                continue
            live = working_in(account, bars)
            if phase is Phase.PROTECTIVE:
                for order, price in hits(account, live, bars):
                    self._fill(account, order, bars[order.request.instrument], price)
                continue
            reduces = phase is Phase.EXITS
            due = [one for one in live if one.request.kind == "open" and one.request.reduces == reduces]
            for order in sorted(due, key=exit_order if reduces else entry_order):
                self._at_open(account, order, bars[order.request.instrument])
        self._save()

    def reached(self, bars: Mapping[str, TradedBar], accounts: Iterable[str]) -> Collection[str]:
        """Those accounts in which something fills or ends on these bars."""
        found = set[str]()
        for name in accounts:
            account = self._accounts[name]
            live = working_in(account, bars) if account.working else []
            if any(one.request.kind == "open" for one in live) or hits(account, live, bars):
                found.add(name)
        return found

    def _at_open(self, account: Account, order: Resting, bar: TradedBar) -> None:
        slippage = float(account.terms.config[0]["slippage_frac"])
        self._fill(account, order, bar, market_price(bar.open, order.request.side, slippage))

    def _fill(self, account: Account, order: Resting, bar: TradedBar, price: float) -> None:
        request, name = order.request, order.request.instrument
        held = account.holdings.get(name, Holding(0.0, 0, 0))
        qty = request.qty
        if request.reduces:
            qty = min(qty, max(0.0, -request.side * held.qty))
            if qty == 0.0:
                self._end(account, order, "EXPIRED", "there is no position to reduce")
                return
        same = not request.reduces or held.session == bar.session
        charged = 0.0  # what changes hands inside the house passes no exchange
        if request.action != "TRANSFER":
            charged = float(charges_of(account.terms.rates[name], bar.open_ns, request.side, qty, price, same))
        now = held.qty + request.side * qty
        if held.qty == 0.0:
            account.holdings[name] = Holding(now, bar.open_ns, bar.session)
        else:
            account.holdings[name] = held._replace(qty=now)
        self._put(account, order._replace(state="FILLED"))
        self._tell(
            account,
            Event(
                0, request.cid, order.broker_id, "FILL", f"{order.broker_id}.1", bar.open_ns, qty, price, charged,
                instrument=name, side=request.side,
            ),
        )  # fmt: skip
        if now == 0.0:
            for other in list(account.working.values()):
                if other.request.instrument == name and other.request.reduces:
                    self._end(account, other, "CANCELLED", "its position is closed")

    # --- the book ----------------------------------------------------------------------------------------------------

    def _put(self, account: Account, order: Resting) -> None:
        account.put(order)
        self._changed[account.name, order.broker_id] = order

    def _end(self, account: Account, order: Resting, state: str, why: str) -> None:
        self._put(account, order._replace(state=state))
        self._tell(account, Event(0, order.request.cid, order.broker_id, state, ns=self._now_ns(), detail=why))

    def _tell(self, account: Account, event: Event) -> None:
        account.told += 1
        numbered = event._replace(seq=account.told)
        account.recent.append(numbered)
        self._told.append((account.name, numbered))

    def _save(self) -> None:
        """Write what changed; nothing has been answered before."""
        if not self._changed and not self._told:
            return
        orders = [row_of(name, order) for (name, _), order in self._changed.items()]
        events = [{"account": name, "seq": one.seq, "content": canonical(tuple(one))} for name, one in self._told]
        touched_accounts = sorted({name for name, _ in self._changed} | {name for name, _ in self._told})
        with self._writes() as connection:
            if orders:
                ids = [{"key": row["broker_id"]} for row in orders]
                execute_many(connection, _DROP_ORDER, ids)
                execute_many(connection, _ADD_ORDER, orders)
            if events:
                execute_many(connection, _ADD_EVENT, events)
            accounts = [{"key": name} for name in touched_accounts]
            execute_many(connection, _DROP_ACCOUNT, accounts)
            execute_many(connection, _ADD_ACCOUNT, [self._positions_row(name) for name in touched_accounts])
        self._changed.clear()
        self._told.clear()

    def _positions_row(self, name: str) -> dict[str, Any]:
        holdings = {key: tuple(one) for key, one in self._accounts[name].holdings.items()}
        return {"account": name, "positions": canonical(holdings)}
