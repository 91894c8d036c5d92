"""What may stand between a signal and an order: closed for entries, open for exits (design §3).

A gate never changes what the engine is; it takes away signals before the step sees them, which the journal tells, or
refuses an entry that is about to be sent. Exits, stops and the forced flatten pass every gate.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple

from workbench.jit import engine_hash
from workbench.live.intents import Intent, IntentState
from workbench.live.limits import WORDS, Limits
from workbench.live.mismatch import EXIT_ONLY
from workbench.live.schedule import Interval
from workbench.live.standing import Standing, Status
from workbench.schema import Signal

#: Signals that open.
ENTRIES = int(Signal.ENTRY | Signal.SHORT_ENTRY)
_EVERY = sum(int(one) for one in Signal)


class Mask(NamedTuple):
    """Signals that pass, as bits, and why the others do not; an empty word means all pass."""

    bits: int
    word: str


OPEN = Mask(_EVERY, "")
#: A paused deployment is not evaluated: neither entry nor exit signal reaches the step. Its stops and limits stay.
PAUSED = Mask(int(Signal.BAR | Signal.WARM), "PAUSED")
KILLED = PAUSED._replace(word="KILLED")
STALE = Mask(_EVERY - ENTRIES, "STALE_DATA")
#: It took a position over only to leave it.
LEAVING = STALE._replace(word="EXIT_ONLY")
#: By the limit that is reached, or by the empty word.
LIMITED = {"": OPEN, **{word: STALE._replace(word=word) for word in WORDS.values()}}

#: Every mask by its word, as the journal tells it.
MASKS = {one.word: one for one in (OPEN, PAUSED, KILLED, STALE, LEAVING, *LIMITED.values())}


#: Held by whoever looks at the gates and then sends entries; False where no entry may be sent now.
Sending = Callable[[], AbstractContextManager[bool]]


def _never(_owner: str, _name: str) -> bool:
    return False


def _alone() -> AbstractContextManager[bool]:
    return nullcontext(True)


@dataclass
class Gates:
    """The gates of one runner.

    Attributes
    ----------
    now_ns : callable
        The clock.
    killed : callable
        Whether the kill switch is down for a deployment (its owner, its name), without asking the database.
    stale_after_ns : int
        Age of a bar at which it may not open positions any more, besides its own length.
    sending : callable
        Holds up a kill while entries are on their way from ``refusal`` to the wire.
    limits : Limits, optional
        How many orders an owner may send; without them nobody counts.
    """

    now_ns: Callable[[], int]
    killed: Callable[[str, str], bool] = _never
    stale_after_ns: int = 5 * 10**9
    sending: Sending = _alone
    limits: Limits | None = None

    def __post_init__(self) -> None:
        self.engine = engine_hash()

    def mask(self, standing: Standing, interval: Interval, now_ns: int) -> Mask:
        """What the step may see of the signals of one interval."""
        if self.killed(standing.deployed.given.owner, standing.deployed.given.name):
            return KILLED
        if standing.status is not Status.RUNNING or standing.state.startswith("PAUSED"):
            return PAUSED
        if now_ns - interval.close_ns > interval.close_ns - interval.open_ns + self.stale_after_ns:
            return STALE
        if EXIT_ONLY in standing.counts:
            return LEAVING
        return LIMITED[self._limit(standing, now_ns)]

    def refusal(self, standing: Standing, intent: Intent) -> str:
        """Why an entry must not be sent now; empty for everything else and when it may."""
        request = intent.request
        if not request.opens:
            return ""
        if self.killed(standing.deployed.given.owner, standing.deployed.given.name):
            return "KILLED"
        if standing.status is not Status.RUNNING or standing.state.startswith("PAUSED"):
            return "PAUSED"
        if request.instrument in standing.stale:
            return STALE.word
        length = standing.deployed.given.timeframe.ns
        if not request.contingent and self.now_ns() - request.decided_ns > length + self.stale_after_ns:
            return "LATE"
        # What may have been sent has been counted: asking again is how one learns what became of it.
        return self._limit(standing, self.now_ns()) if intent.state is IntentState.PLANNED else ""

    def sent(self, standing: Standing) -> None:
        """Count what goes to a broker: exits and cancels too, which no limit blocks."""
        if self.limits is not None:
            self.limits.sent(standing.deployed.given.owner, self.now_ns())

    def _limit(self, standing: Standing, now_ns: int) -> str:
        return "" if self.limits is None else self.limits.reached(standing.deployed.given.owner, now_ns)
