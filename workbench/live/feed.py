"""The port through which closed bars reach the runner (rules B1, B5, B7).

A feed hands over bars once, when they are final, and says how far it is complete. It never fills a gap, never hands
over a running bar and never waits inside a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from workbench.market.calendar import Calendar


class ClosedBar(NamedTuple):
    """One final bar, as a feed hands it over.

    Attributes
    ----------
    instrument, timeframe : str
        Of what.
    ts_ns : int
        Opening instant; of a daily bar the 00:00 UTC label of its date (B1).
    open, high, low, close, volume : float
        Prices in the instrument's currency, units.
    """

    instrument: str
    timeframe: str
    ts_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Gap(NamedTuple):
    """Something a feed saw that a person should know: a hole, a late tick, a file it could not read."""

    instrument: str
    timeframe: str
    ts_ns: int
    what: str


class Feed(Protocol):
    """Where closed bars come from."""

    def follow(self, instrument: str, timeframe: str, calendar: Calendar, since_ns: int) -> None:
        """Begin to hand over bars of an instrument that close after ``since_ns``; asking again changes nothing."""

    def take(self, now_ns: int) -> Sequence[ClosedBar]:
        """Every followed bar that became final by ``now_ns`` and was not handed over yet, in order of its close."""

    def through_ns(self, instrument: str, timeframe: str) -> int:
        """Every bar of an instrument that closes at or before this instant has been handed over; 0 if not known."""

    def next_ns(self, now_ns: int) -> int | None:
        """When ``take`` will have more; None when nobody can know."""

    def gaps(self) -> Sequence[Gap]:
        """What went wrong since this was last asked."""
