"""The market and a feed of it that is late, mute, repeats or corrects itself; honest about how far it is complete.

``Market`` is the world: it outlives the runner. ``SimulatedFeed`` is one connection to it: after a crash there is a new
one, which hands over again what closed after the runner's last instant.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from tests.simulation.faults import Dice
from workbench.live.feed import ClosedBar, Gap
from workbench.market.calendar import Calendar


class Slot(NamedTuple):
    """One interval of the simulated sessions, in nanoseconds; ``day`` counts from 1970-01-01."""

    day: int
    ts_ns: int
    open_ns: int
    close_ns: int


class Delivery(NamedTuple):
    """A bar and when it can be had."""

    at_ns: int
    close_ns: int
    bar: ClosedBar


def walked(slots: Sequence[Slot], name: str, timeframe: str, source: random.Random) -> list[ClosedBar]:
    """A rough walk: bars that touch stops and targets often. Prices are whole ticks of 0.05."""
    bars, last = [], 100.0
    for slot in slots:
        opened = _ticks(last + source.choice((0.0, 0.0, 0.0, -0.3, 0.3)))
        closed = _ticks(opened + source.gauss(0.0, 0.35))
        high = _ticks(max(opened, closed) + abs(source.gauss(0.0, 0.2)))
        low = _ticks(min(opened, closed) - abs(source.gauss(0.0, 0.2)))
        bars.append(
            ClosedBar(name, timeframe, slot.ts_ns, opened, high, low, closed, float(source.randint(1, 9) * 100))
        )
        last = closed
    return bars


def _ticks(price: float) -> float:
    return round(round(price / 0.05) * 0.05, 2)


class Market:
    """Bars of every instrument, and when each can be had.

    Parameters
    ----------
    slots : sequence of Slot
        Intervals.
    bars : mapping of str to list of ClosedBar
        The truth, one for every interval.
    dice : Dice
        What goes wrong.
    calm_ns : int
        From this instant on every bar comes as it closes.
    """

    def __init__(self, slots: Sequence[Slot], bars: dict[str, list[ClosedBar]], dice: Dice, calm_ns: int) -> None:
        self.slots, self.bars = list(slots), bars
        self.deliveries: list[Delivery] = []
        mute_until = 0
        for at, slot in enumerate(slots):
            is_calm = slot.close_ns > calm_ns
            if not is_calm and dice.happens("mute"):
                mute_until = slot.close_ns + dice.span_ns()
            for name in sorted(bars):
                bar = bars[name][at]
                if is_calm:
                    self.deliveries.append(Delivery(slot.close_ns, slot.close_ns, bar))
                    continue
                if dice.happens("bar_missing"):
                    continue
                at_ns = max(slot.close_ns, mute_until)
                if dice.happens("bar_late"):
                    at_ns = max(at_ns, slot.close_ns + dice.span_ns())
                self.deliveries.append(Delivery(at_ns, slot.close_ns, bar))
                if dice.happens("bar_twice"):
                    self.deliveries.append(Delivery(at_ns + dice.span_ns(), slot.close_ns, bar))
                if dice.happens("bar_revised"):
                    other = bar._replace(close=bar.open, volume=bar.volume + 1.0)
                    after_ns = 0 if dice.between(0, 1) else dice.span_ns()
                    self.deliveries.append(Delivery(at_ns + after_ns, slot.close_ns, other))
        self.deliveries.sort(key=lambda one: (one.at_ns, one.close_ns, one.bar.instrument))


class SimulatedFeed:
    """One connection to a market.

    Parameters
    ----------
    market : Market
        What there is.
    """

    def __init__(self, market: Market) -> None:
        self._market = market
        self._since: dict[str, int] = {}
        self._handed: set[int] = set()
        self._now_ns = 0
        self.taken: list[tuple[int, ClosedBar]] = []

    def follow(self, instrument: str, timeframe: str, calendar: Calendar, since_ns: int) -> None:
        """Begin to hand over the bars that close after an instant."""
        self._since.setdefault(instrument, since_ns)

    def take(self, now_ns: int) -> list[ClosedBar]:
        """What can be had by now and was not handed over."""
        self._now_ns, found = max(self._now_ns, now_ns), []
        for at, one in enumerate(self._market.deliveries):
            if one.at_ns > now_ns:
                break
            since = self._since.get(one.bar.instrument)
            if at not in self._handed and since is not None and one.close_ns > since:
                self._handed.add(at)
                found.append((one.close_ns, one.bar))
        found.sort(key=lambda one: one[0])
        self.taken += [(now_ns, bar) for _, bar in found]
        return [bar for _, bar in found]

    def through_ns(self, instrument: str, timeframe: str) -> int:
        """Everything that closes by this instant and exists could be had, by whomever it was asked for."""
        if instrument not in self._since:
            return 0
        first: dict[int, int] = {}
        for one in self._market.deliveries:
            if one.bar.instrument == instrument:
                first[one.close_ns] = min(one.at_ns, first.get(one.close_ns, one.at_ns))
        owed = [close_ns - 1 for close_ns, at_ns in first.items() if at_ns > self._now_ns]
        return min([self._now_ns, *owed])

    def next_ns(self, now_ns: int) -> int | None:
        """When something can be had again."""
        coming = [one.at_ns for at, one in enumerate(self._market.deliveries) if at not in self._handed]
        return min((at_ns for at_ns in coming if at_ns > now_ns), default=None)

    def gaps(self) -> list[Gap]:
        """Nothing that was not told otherwise."""
        return []
