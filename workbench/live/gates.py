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
from workbench.live.intents import Intent
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

#: Every mask by its word, as the journal tells it.
MASKS = {one.word: one for one in (OPEN, PAUSED, KILLED, STALE)}


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
    """

    now_ns: Callable[[], int]
    killed: Callable[[str, str], bool] = _never
    stale_after_ns: int = 5 * 10**9
    sending: Sending = _alone

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
        return OPEN

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
        return ""
