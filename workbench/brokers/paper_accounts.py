"""What an account at the paper broker is made of: its terms, orders that work, positions, and what was told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from workbench.brokers.port import Event, Request
from workbench.engine.records import Records
from workbench.journal.chain import canonical


class Terms(NamedTuple):
    """What an account trades on.

    Attributes
    ----------
    config : Records
        One record of ``engine.records.config_dtype``: slippage and how bars are read.
    rates : mapping of str to Records
        Rows of charges of each instrument.
    """

    config: Records
    rates: Mapping[str, Records]


class Resting(NamedTuple):
    """One order in the book."""

    broker_id: str
    request: Request
    accepted_ns: int
    state: str  # WORKING, FILLED, CANCELLED, EXPIRED


class Holding(NamedTuple):
    """One position: signed units, and the interval and session in which it was opened."""

    qty: float
    entry_ns: int
    session: int


class Account:
    """What of one account's book is needed from bar to bar; the rest is in the database.

    Attributes
    ----------
    working : dict of str to Resting
        Orders that work, by the broker's id, in the order of arrival.
    placed, told : int
        Orders taken and events told so far.
    recent : list of Event
        Events since the account was opened in this process.
    """

    def __init__(self, name: str, terms: Terms) -> None:
        self.name, self.terms = name, terms
        self.working: dict[str, Resting] = {}
        self.holdings: dict[str, Holding] = {}
        self.placed, self.told = 0, 0
        self.recent: list[Event] = []

    def put(self, order: Resting) -> None:
        """Add an order or replace what is known of it."""
        if order.state == "WORKING":
            self.working[order.broker_id] = order
        else:
            self.working.pop(order.broker_id, None)

    def under(self, cid: str) -> list[Resting]:
        """Orders that work under a client id; more than one only where ids are labels."""
        return [one for one in self.working.values() if one.request.cid == cid]


def resting(broker_id: str, content: str) -> Resting:
    """An order as it is stored."""
    told = json.loads(content)
    return Resting(broker_id, Request(*told["request"]), told["accepted_ns"], told["state"])


def row_of(name: str, order: Resting) -> dict[str, Any]:
    """An order of an account, to be stored."""
    content = {"request": tuple(order.request), "accepted_ns": order.accepted_ns, "state": order.state}
    return {
        "broker_id": order.broker_id,
        "account": name,
        "cid": order.request.cid,
        "place": int(order.broker_id.rpartition(":")[2]),
        "content": canonical(content),
        "works": order.state == "WORKING",
    }
