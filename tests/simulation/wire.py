"""The wire of one runner: every call may be the last thing its process does, and is written down for the oracle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from tests.simulation.emulated import EmulatedBroker
from workbench.brokers.port import Answer, Event, Idempotency, OrderReport, Phase, Request, TradedBar
from workbench.live.given import Given


class Host(Protocol):
    """The process at whose end of the wire this is."""

    def boundary(self, where: str) -> None:
        """A place at which it may end, stand still or lose time."""

    def asks(self, requests: Sequence[Request]) -> None:
        """It is about to ask."""

    def cut(self, count: int) -> int:
        """After how many of so many requests it ends; all of them if it does not."""

    def die(self, where: str) -> None:
        """It ends now."""


class Wire:
    """One process's connection to the emulated broker.

    Parameters
    ----------
    broker : EmulatedBroker
        Who is at the other end.
    host : Host
        Who is at this one.
    """

    def __init__(self, broker: EmulatedBroker, host: Host) -> None:
        self._broker, self._host = broker, host

    @property
    def idempotency(self) -> Idempotency:
        """What asking twice does."""
        return self._broker.idempotency

    @property
    def shares_database(self) -> bool:
        """It is elsewhere: nothing of it is in our transactions."""
        return False

    def send(self, requests: Sequence[Request]) -> Sequence[Answer | Exception]:
        """Ask several things, in order."""
        self._host.asks(requests)
        self._host.boundary("before send")
        count = self._host.cut(len(requests))
        answers = self._broker.send(requests[:count])
        if count < len(requests):
            self._host.die(f"between requests {count} and {count + 1}")
        self._host.boundary("after send")
        return answers

    def events(self, account: str, after_seq: int) -> Sequence[Event]:
        """What happened in an account after an event."""
        self._host.boundary("before events")
        found = self._broker.events(account, after_seq)
        self._host.boundary("after events")
        return found

    def find(self, account: str, cid: str) -> Sequence[OrderReport]:
        """Every order with a client id."""
        self._host.boundary("before find")
        return self._broker.find(account, cid)

    def positions(self, account: str) -> dict[str, float]:
        """Signed units held by instrument."""
        self._host.boundary("before positions")
        return self._broker.positions(account)

    def reached(self, bars: Mapping[str, TradedBar], accounts: Sequence[str]) -> Sequence[str]:
        """Accounts in which something may fill on these bars."""
        return self._broker.reached(bars, accounts)

    def open_for(self, given: Given) -> None:
        """Open the account of a deployment, or find it as it is."""
        self._broker.open_account(given.account)

    def trade(self, phase: Phase, bars: Mapping[str, TradedBar], accounts: Sequence[str]) -> None:
        """Fill what fills in one phase of one bar."""
        self._host.boundary(f"before trade {phase.value}")
        self._broker.trade(phase, bars, accounts)
        self._host.boundary(f"after trade {phase.value}")
