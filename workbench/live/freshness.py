"""Whether bars come when the calendar says that they should: a feed that is mute is noticed, bytes or no bytes.

The first interval that closes after the newest known bar is expected. One bar and ``LATE_NS`` after its close it is
missing, unless the feed vouches for having handed over everything up to there: then nothing was traded (rule B7). The
next bar ends it.

Nothing of a stale instrument is entered: neither a signal of its bars nor an entry that is about to be sent. Its exits,
stops and targets stay, and so do the other instruments of its deployment.

Invariants: an instrument is stale from its deadline on, at the first look after it; who asks ``next_ns`` comes back
then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workbench.live.feed import ClosedBar, Feed
from workbench.live.page import Page
from workbench.live.schedule import Schedule
from workbench.live.standing import Standing, Status

#: How long after the bar that follows a missing one may still come.
LATE_NS = 5 * 10**9
#: Later than everything.
_NEVER = 2**63 - 1

Key = tuple[str, str]  # instrument, timeframe


@dataclass
class _Followed:
    """One instrument: the newest bar's stamp, the instant up to which it is known, and when the next is missing."""

    schedule: Schedule
    stamp_ns: int
    known_ns: int
    deadline_ns: int = 0


class Freshness:
    """Of every instrument that a runner follows.

    Parameters
    ----------
    feed : Feed
        Says how far it is complete.

    Attributes
    ----------
    stale : dict of Key to int
        Instruments whose bars are missing, with the instant up to which they are known.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._followed: dict[Key, _Followed] = {}
        self._soonest = 0
        self.stale: dict[Key, int] = {}

    def follows(self, instrument: str, timeframe: str) -> bool:
        """Whether bars of an instrument are expected already."""
        return (instrument, timeframe) in self._followed

    def follow(self, instrument: str, schedule: Schedule, since_ns: int, stamp_ns: int) -> None:
        """Expect bars of an instrument; asking again changes nothing.

        Parameters
        ----------
        instrument : str
            Whose.
        schedule : Schedule
            Its calendar and timeframe.
        since_ns : int
            The instant up to which it is known when there is no bar yet.
        stamp_ns : int
            Of the newest bar there is; 0 for none.
        """
        key = instrument, str(schedule.timeframe)
        if key not in self._followed:
            self._followed[key] = _Followed(schedule, stamp_ns, 0 if stamp_ns else since_ns)
            self._soonest = 0

    def saw(self, bars: Iterable[ClosedBar]) -> None:
        """Bars that have come."""
        for one in bars:
            followed = self._followed.get((one.instrument, one.timeframe))
            if followed is not None and one.ts_ns > followed.stamp_ns:
                followed.stamp_ns = one.ts_ns
                if (one.instrument, one.timeframe) in self.stale:
                    followed.deadline_ns = self._soonest = 0

    def look(self, now_ns: int) -> bool:
        """See what is missing by now; whether that changed."""
        if now_ns < self._soonest:
            return False
        before = dict(self.stale)
        for key in self._before(now_ns + 1):
            self.stale[key] = self._followed[key].known_ns
        for key in before:
            if self._followed[key].deadline_ns > now_ns:
                del self.stale[key]
        self._soonest = min((one.deadline_ns for one in self._followed.values()), default=_NEVER)
        if self.stale:
            self._soonest = 0  # the feed may vouch for what is missing, without a bar
        return self.stale.keys() != before.keys()

    def next_ns(self, before_ns: int) -> int | None:
        """When something will be missing, if that is before an instant; None if nothing is."""
        found = [self._followed[key].deadline_ns for key in self._before(before_ns) if key not in self.stale]
        return min(found, default=None)

    def _before(self, until_ns: int) -> list[Key]:
        """Instruments whose deadline, by what is known now, lies before an instant."""
        out = []
        for key, one in self._followed.items():
            if one.deadline_ns < until_ns:
                self._know(key, one)
                if one.deadline_ns < until_ns:
                    out.append(key)
        return out

    def _know(self, key: Key, one: _Followed) -> None:
        """Move the deadline to where bar and feed say it is."""
        bar = one.schedule.after(one.stamp_ns) if one.stamp_ns else None
        closed_ns = 0 if bar is None else bar.close_ns
        one.known_ns = max(one.known_ns, closed_ns, self._feed.through_ns(*key))
        expected = one.schedule.after(one.known_ns)
        one.deadline_ns = _NEVER
        if expected is not None:
            one.deadline_ns = expected.close_ns + (expected.close_ns - expected.open_ns) + LATE_NS


def tell(page: Page, standings: Iterable[Standing], stale: Mapping[Key, int], now_ns: int) -> None:
    """Write down what began and what ended to be stale, in the journal of every deployment that it concerns."""
    for one in standings:
        frame = str(one.deployed.given.timeframe)
        missing = {name: stale[name, frame] for name in one.deployed.names if (name, frame) in stale}
        if one.status is Status.STOPPED or missing.keys() == one.stale.keys():
            continue
        for name in sorted(missing.keys() ^ one.stale.keys()):
            known_ns = missing.get(name, one.stale.get(name))
            body = {"instrument": name, "is_stale": name in missing, "known_ns": known_ns}
            one.write(page, one.deployed.passed_ns, now_ns, "STALE_DATA", body)
        one.stale = missing
        one.keep(page, now_ns)
