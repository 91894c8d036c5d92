"""The product's own paper broker, in the process of the runner: between any two of its words that process may end.

Nothing is lost on the way to it and nothing comes late, for there is no way. What it writes is part of the runner's
transaction, so that most of these ends lie inside one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from tests.simulation.wire import Host
from workbench.brokers.paper import PaperBroker
from workbench.brokers.paper_accounts import Terms
from workbench.brokers.port import Answer, Event, Idempotency, OrderReport, Phase, Request, TradedBar
from workbench.engine.desk import config_record
from workbench.live.given import Given
from workbench.live.restore import rates_of


class PaperWire:
    """One process's paper broker.

    Parameters
    ----------
    broker : PaperBroker
        The product's.
    host : Host
        The process.
    """

    def __init__(self, broker: PaperBroker, host: Host) -> None:
        self._broker, self._host = broker, host

    @property
    def idempotency(self) -> Idempotency:
        """What asking twice does."""
        return self._broker.idempotency

    @property
    def shares_database(self) -> bool:
        """As it says itself: its book is in the runner's transactions."""
        return self._broker.shares_database

    def open_for(self, given: Given) -> None:
        """Open the account of a deployment as it was left."""
        terms = Terms(config_record(given.strategy, given.costs.slippage_frac), rates_of(given))
        self._broker.open_account(given.account, terms)

    def send(self, requests: Sequence[Request]) -> Sequence[Answer | Exception]:
        """Ask several things, in order."""
        self._host.asks(requests)
        self._host.boundary("before send")
        answers = self._broker.send(requests)
        self._host.boundary("after send")
        return answers

    def events(self, account: str, after_seq: int) -> Sequence[Event]:
        """What happened in an account after an event."""
        return self._broker.events(account, after_seq)

    def find(self, account: str, cid: str) -> Sequence[OrderReport]:
        """Every order with a client id."""
        return self._broker.find(account, cid)

    def positions(self, account: str) -> dict[str, float]:
        """Signed units held by instrument."""
        return self._broker.positions(account)

    def reached(self, bars: Mapping[str, TradedBar], accounts: Iterable[str]) -> Collection[str]:
        """Accounts in which something fills on these bars."""
        return self._broker.reached(bars, accounts)

    def trade(self, phase: Phase, bars: Mapping[str, TradedBar], accounts: Sequence[str]) -> None:
        """Fill what fills in one phase of one bar."""
        self._host.boundary(f"before trade {phase.value}")
        self._broker.trade(phase, bars, accounts)
        self._host.boundary(f"after trade {phase.value}")
