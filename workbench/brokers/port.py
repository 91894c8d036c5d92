"""The port to a broker: what it is asked, what it answers, and what it promises about asking twice.

A call either returns an ``Answer``, which the broker gave and which proves what it says, or raises ``Unknown``: the
request may or may not have arrived. Nothing else is ever concluded from silence. What may be done next depends on the
``Idempotency`` of the broker.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol


class Idempotency(Enum):
    """What a broker does with a client order id that it has seen before."""

    UNIQUE_FOREVER = "UNIQUE_FOREVER"  # refuses it for ever: sending again is safe
    UNIQUE_WHILE_PENDING = "UNIQUE_WHILE_PENDING"  # refuses it while the first one works
    LABEL_ONLY = "LABEL_ONLY"  # takes it as a label: sending again makes a second order


class Unknown(Exception):  # noqa: N818 (a state of knowledge, not a fault)
    """The request may or may not have arrived: timeout, lost connection, an answer nobody can read."""


class NotSent(Exception):  # noqa: N818
    """The request provably did not arrive: it failed before its first byte left."""


class Request(NamedTuple):
    """One thing asked of a broker.

    Attributes
    ----------
    account : str
        Whose; for paper, the deployment.
    cid : str
        Our id of the order, 20 characters of A-Z and 2-7.
    action : str
        SUBMIT, MOVE or CANCEL; TRANSFER books a position that changes hands inside the house, at ``price``, without
        the market: it happens once by its id, however often it is asked.
    instrument : str
        ``EXCHANGE:SYMBOL``.
    side : int
        +1 buys, -1 sells.
    qty : float
        Units, above 0.
    kind : str
        open (a market order), stop or target.
    price : float
        Level of a stop or target, price of a transfer; 0 for another open order.
    reduces : bool
        It closes or protects a position and must never open one.
    number : int
        Our number of the order; a broker that fills several at one instant fills them in this order (F1).
    decided_ns : int
        Close of the bar on which it was decided, or the fill that it protects.
    contingent : bool
        It was held back for exits and is sent the moment they have filled (D8).
    """

    account: str
    cid: str
    action: str
    instrument: str
    side: int
    qty: float
    kind: str
    price: float
    reduces: bool
    number: int
    decided_ns: int
    contingent: bool = False

    @property
    def opens(self) -> bool:
        """Whether it asks for a new order that may open a position: what gates are closed for."""
        return self.action == "SUBMIT" and not self.reduces


class Answer(NamedTuple):
    """What a broker said to one request.

    Attributes
    ----------
    accepted : bool
        Taken, or refused for good.
    broker_id : str
        Its id of the order; empty when refused.
    duplicate : bool
        Refused because the id is taken: the order is there.
    reason : str
        Why it was refused.
    """

    accepted: bool
    broker_id: str = ""
    duplicate: bool = False
    reason: str = ""


class Event(NamedTuple):
    """Something that happened to an order, in the broker's own order.

    Attributes
    ----------
    seq : int
        From 1, without holes, by account.
    cid, broker_id : str
        Of the order.
    kind : str
        ACCEPTED, REJECTED, FILL, CANCELLED, EXPIRED.
    exec_id : str
        Of a fill, unique by account; else empty.
    ns : int
        Opening instant of the base bar for a paper fill, else the broker's clock.
    qty, price, charges : float
        Of a fill; 0 else. Charges are money.
    detail : str
        In the broker's words.
    instrument, side : str, int
        Of the order.
    """

    seq: int
    cid: str
    broker_id: str
    kind: str
    exec_id: str = ""
    ns: int = 0
    qty: float = 0.0
    price: float = 0.0
    charges: float = 0.0
    detail: str = ""
    instrument: str = ""
    side: int = 0


class OrderReport(NamedTuple):
    """What a broker knows of one order: its state is WORKING, FILLED, CANCELLED or REJECTED."""

    cid: str
    broker_id: str
    state: str
    filled_qty: float


class Broker(Protocol):
    """A broker, as the executor and the reconciler see it."""

    @property
    def idempotency(self) -> Idempotency:
        """What asking twice does."""

    @property
    def shares_database(self) -> bool:
        """Whether its book is kept by our own transactions: what it takes and what we ask are kept at once."""

    def send(self, requests: Sequence[Request]) -> Sequence[Answer | Exception]:
        """Ask several things, in order; each answered, or an ``Unknown`` or ``NotSent`` in its place."""

    def events(self, account: str, after_seq: int) -> Sequence[Event]:
        """What happened in an account after an event that is known already; raises ``Unknown``."""

    def find(self, account: str, cid: str) -> Sequence[OrderReport]:
        """Every order with a client id, finished ones too, as far as the broker shows them; raises ``Unknown``."""

    def positions(self, account: str) -> dict[str, float]:
        """Signed units held by instrument; raises ``Unknown``."""


class Phase(Enum):
    """Where inside a base interval a broker that fills from bars stands (F1)."""

    EXITS = "EXITS"  # market orders that reduce, at the open
    ENTRIES = "ENTRIES"  # market orders that open, at the open
    PROTECTIVE = "PROTECTIVE"  # stops and targets, inside the bar


class TradedBar(NamedTuple):
    """A base bar as a broker fills from it: its interval, its session's number, its prices."""

    open_ns: int
    close_ns: int
    session: int
    open: float
    high: float
    low: float


class Venue(Broker, Protocol):
    """A broker that is embedded: its fills come from the bars that the runner shows it."""

    def trade(self, phase: Phase, bars: Mapping[str, TradedBar], accounts: Sequence[str]) -> None:
        """Fill what fills in one phase of one interval, in the named accounts; afterwards ``events`` tells."""

    def reached(self, bars: Mapping[str, TradedBar], accounts: Iterable[str]) -> Collection[str]:
        """Those accounts in which ``trade`` may change something on these bars; all whose orders work will do."""
