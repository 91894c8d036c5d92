"""Ticks in, closed base bars out (rules B1, B2, B5, B7).

An interval of the grid gets its bar from the ticks whose instants lie in it, in whatever order they arrive. A bar is
final a moment after its interval has closed, because ticks travel; what comes after that is late and changes nothing.
"""

from __future__ import annotations

from workbench.errors import ConfigError
from workbench.live.feed import ClosedBar, Gap
from workbench.live.feeds.forming import NEVER_NS, Building, Hole, TickCount, stretch
from workbench.market.calendar import Calendar
from workbench.market.timeframe import DAY_NS, Timeframe

TWO_SECONDS_NS = 2_000_000_000
#: No interval lasts as long: a hole that ended so long before the last final instant concerns none that is not final.
_LONGEST_NS = 2 * DAY_NS


class TickFeed:
    """A feed that makes bars from ticks.

    The open is the price of the earliest tick of the interval and the close that of the latest, by their instants;
    among ticks of one instant by their arrival. Volume is the exact sum of the quantities, rounded once, so that the
    order of arrival changes no bit of a bar. An interval without ticks has no bar.

    Parameters
    ----------
    lateness_ns : int
        How long after an interval's close its ticks may still arrive, nanoseconds; its bar is final then.

    Raises
    ------
    ConfigError
        The lateness is negative.
    """

    def __init__(self, lateness_ns: int = TWO_SECONDS_NS) -> None:
        if lateness_ns < 0:
            raise ConfigError(f"lateness_ns={lateness_ns} is negative. It is zero or more, such as {TWO_SECONDS_NS}.")
        self._lateness_ns = lateness_ns
        self._followed: dict[tuple[str, Timeframe], Building] = {}
        self._by_instrument: dict[str, list[Building]] = {}
        self._holes: list[Hole] = []
        self._down_since: int | None = None
        self._was_connected = False

    def follow(self, instrument: str, timeframe: str, calendar: Calendar, since_ns: int) -> None:
        """Begin to make bars of an instrument that close after ``since_ns``; asking again changes nothing."""
        key = (instrument, Timeframe.parse(timeframe))
        if key not in self._followed:
            one = self._followed[key] = Building(*key, calendar, since_ns)
            self._by_instrument.setdefault(instrument, []).append(one)

    def tick(self, instrument: str, ns: int, price: float, qty: float) -> None:
        """Take one trade; an instrument that nobody follows is passed over.

        Parameters
        ----------
        instrument : str
            ``EXCHANGE:SYMBOL``.
        ns : int
            When it was traded, by the exchange's clock, nanoseconds UTC.
        price : float
            In the instrument's currency, above 0.
        qty : float
            Units, 0 or more.
        """
        for one in self._by_instrument.get(instrument, ()):
            one.add(ns, price, qty)

    def connected(self, ns: int) -> None:
        """Say that ticks come from this instant on; said for the first time, those before it were never seen."""
        if self._down_since is not None:
            self._holes.append((self._down_since, ns))
        elif not self._was_connected:
            self._holes.append((0, ns))
        self._down_since, self._was_connected = None, True

    def disconnected(self, ns: int) -> None:
        """Say that no ticks come from this instant on: an interval that is not seen whole gets no bar."""
        if self._down_since is not None:
            return
        self._down_since = ns
        for one in self._followed.values():
            one.tell(ns, f"no ticks come {stretch((ns, NEVER_NS))}: an interval that is not seen whole gets no bar")

    def take(self, now_ns: int) -> list[ClosedBar]:
        """Bars whose intervals closed ``lateness_ns`` before ``now_ns`` or earlier, in the order of their close."""
        final_ns = now_ns - self._lateness_ns
        holes = [*self._holes, *([] if self._down_since is None else [(self._down_since, NEVER_NS)])]
        closed = [found for one in self._followed.values() for found in one.closed(final_ns, holes)]
        self._holes = [hole for hole in self._holes if hole[1] > final_ns - _LONGEST_NS]
        closed.sort(key=lambda found: (found[0], found[1].instrument, Timeframe.parse(found[1].timeframe)))
        return [bar for _, bar in closed]

    def through_ns(self, instrument: str, timeframe: str) -> int:
        """The last instant that was asked for, less the lateness, whether or not anything traded; 0 if not known."""
        one = self._followed.get((instrument, Timeframe.parse(timeframe)))
        return 0 if one is None else one.through_ns

    def next_ns(self, now_ns: int) -> int | None:
        """When the first of the bars that have ticks will be final; None when none has."""
        closes = [close_ns for one in self._followed.values() for close_ns in one.closes()]
        return min(closes) + self._lateness_ns if closes else None

    def gaps(self) -> list[Gap]:
        """Ticks that were late or refused, and bars that were not made because ticks were missed."""
        return [gap for one in self._followed.values() for gap in one.told()]

    def count(self, instrument: str, timeframe: str) -> TickCount:
        """What became of the ticks of an instrument since it was followed."""
        one = self._followed.get((instrument, Timeframe.parse(timeframe)))
        return TickCount() if one is None else one.count
