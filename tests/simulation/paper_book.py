"""The paper broker's book as the oracle reads it: rows of its own three tables by plain SQL, nothing of the product.

It looks like ``emulated.EmulatedBroker`` to whoever asks for accounts and executions. What it shows is what the
database shows now: inside a transaction what was written there, and after it was undone what was there before.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from tests.simulation.emulated import Book, Execution, Order


class PaperBooks:
    """What the tables of the paper broker say.

    Parameters
    ----------
    driver : sqlite3.Connection
        The database.
    idempotency : port.Idempotency
        What asking twice does.
    now_ns : callable
        The clock.
    accounts : iterable of str
        Every account that there may be.

    Attributes
    ----------
    mute_ns : int
        It is in the same process, and always answers.
    """

    mute_ns = -1

    def __init__(
        self, driver: sqlite3.Connection, idempotency: Any, now_ns: Callable[[], int], accounts: Iterable[str]
    ) -> None:
        self._driver, self.idempotency, self._now_ns = driver, idempotency, now_ns
        self._accounts = tuple(accounts)
        self._at = -1
        self._books: dict[str, Book] = {}
        self._executions: list[Execution] = []
        self._told: dict[tuple[str, str], tuple[float, int]] = {}  # what was held, and since when

    @property
    def books(self) -> dict[str, Book]:
        """Every account."""
        self._read()
        return self._books

    @property
    def executions(self) -> list[Execution]:
        """Everything that was executed."""
        self._read()
        return self._executions

    def open_account(self, name: str) -> None:
        """Nothing: it is opened where the broker lives."""

    def settle(self) -> None:
        """Nothing is on its way."""

    def _read(self) -> None:
        """Read the tables, unless nothing can have changed since."""
        at = self._driver.total_changes
        if at == self._at and not self._driver.in_transaction:
            return
        # Inside a transaction nobody knows whether what was read will be kept.
        self._at = -1 if self._driver.in_transaction else at
        self._books = {name: Book() for name in self._accounts}
        self._executions = []
        orders = {one.broker_id: one for one in map(_order, self._rows("paper_orders", "account, place"))}
        for one in orders.values():
            self._books[one.account].orders.append(one)
        for account, _, content in self._rows("paper_events", "account, seq"):
            self._see(account, orders, json.loads(content))
        for account, positions in self._rows("paper_accounts", "account"):
            self._books[account].positions = {name: one[0] for name, one in json.loads(positions).items()}
        if not self._driver.in_transaction:
            self._note()

    def _rows(self, table: str, order: str) -> list[tuple[Any, ...]]:
        return self._driver.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()

    def _see(self, account: str, orders: dict[str, Order], told: list[Any]) -> None:
        """One event; a fill is an execution, and told as it happens."""
        _, cid, broker_id, kind, exec_id, ns, qty, price, charges, _, instrument, side = told
        if kind != "FILL":
            return
        order, book = orders[broker_id], self._books[account]
        order.filled += qty
        book.told[instrument] = book.told.get(instrument, 0.0) + side * qty
        self._executions.append(
            Execution(account, exec_id, cid, instrument, side, qty, price, charges, ns, ns, order.is_transfer)
        )

    def _note(self) -> None:
        """Since when each position is what it is."""
        now = self._now_ns()
        for account, book in self._books.items():
            for name, qty in book.told.items():
                before = self._told.get((account, name))
                if before is None or before[0] != qty:
                    before = self._told[account, name] = (qty, now)
                book.told_ns[name] = before[1]


def _order(row: tuple[Any, ...]) -> Order:
    """A row of the table of orders."""
    broker_id, account, cid, _, content, works = row
    told = json.loads(content)
    (_, _, action, instrument, side, qty, kind, price, reduces, number, decided_ns, contingent) = told["request"]
    at_ns, state = told["accepted_ns"], told["state"]
    assert (state == "WORKING") == bool(works), row
    return Order(
        broker_id, account, cid, instrument, side, qty, kind, price, reduces, contingent, number, decided_ns, at_ns,
        at_ns, at_ns, is_transfer=action == "TRANSFER", state=state,
    )  # fmt: skip
