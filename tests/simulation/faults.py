"""What goes wrong in one schedule, all of it drawn from its seed.

A seed first draws which kinds of faults there are and how often (a swarm: a schedule with few kinds of faults reaches
states that one with all of them never does), then each fault as it comes. ``Dice`` answers every question; after
``calm`` nothing goes wrong any more.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.simulation.emulated import OK, Fate
from workbench.brokers.port import Idempotency, Request

S_NS = 10**9
MINUTE_NS = 60 * S_NS

#: How often, when there is such a fault at all.
RATES = (0.02, 0.08, 0.25)
#: Faults of a boundary, and of a commit alone: a turn has dozens.
AT_BOUNDARIES = ("crash", "kill", "slow", "takeover")
AT_COMMITS = ("busy", "uncertain", "full")
#: The same for what is asked only a few times a schedule.
RATES_OF_ORDERS = (0.06, 0.2, 0.5)
OF_ORDERS = (
    "not_sent", "lost", "silent", "late", "reject", "reject_later", "partial", "rest_cancelled", "told_late",
    "told_twice", "shuffled", "invisible", "reacts", "races", "leaves",
)  # fmt: skip


#: What there is of all that on the paper broker, whose words cannot be lost: it lives in the process.
OF_PAPER = (
    "crash", "busy", "uncertain", "full", "jump", "slow", "bar_late", "bar_missing", "bar_twice", "bar_revised", "mute",
    "ahead", "takeover", "pause", "reacts", "kill", "stop", "flatten", "leaves",
)  # fmt: skip
#: Of these, what leaves no trace there.
UNSEEN = ("crash", "busy", "uncertain", "full", "slow")
#: How often a process ends on the way to it: every end undoes a transaction, and a bar has few.
RATES_OF_ENDS = (0.005, 0.015, 0.04)


class Crash(BaseException):
    """The process is gone."""


@dataclass(frozen=True)
class Plan:
    """Chances of everything that may go wrong in one schedule; 0 is never.

    Attributes
    ----------
    crash : float
        At a boundary of a commit or a wire call.
    not_sent, lost, silent, late, reject, reject_later : float
        Of a request (``emulated.Fate``).
    partial, rest_cancelled : float
        Of a fill, and of what is left then.
    races : float
        Of an entry that fills in the moment before its CANCEL arrives.
    told_late, told_twice, shuffled : float
        Of an event.
    blind, invisible : float
        Of a question to the broker, and of a new order.
    busy, uncertain, full : float
        Of a write: refused, of unknown outcome, refused for good.
    jump : float
        Of the clock between two turns.
    slow : float
        Of a wire call that takes seconds.
    bar_late, bar_missing, bar_twice, bar_revised, mute : float
        Of a bar; of a stretch without bars.
    ahead : float
        That somebody stores the bar to come, as the history of a new deployment does, now and then another version.
    takeover : float
        That another runner takes the lease while this one stands still, at a boundary.
    pause, kill, stop, flatten : float
        That a person acts between two turns.
    reacts : float
        That a person pauses because an order hangs.
    leaves : float
        That a person stops what has an entry at the broker.
    cleans : bool
        Whether the broker cancels what protects a position that is gone.
    """

    crash: float = 0.0
    not_sent: float = 0.0
    lost: float = 0.0
    silent: float = 0.0
    late: float = 0.0
    reject: float = 0.0
    reject_later: float = 0.0
    partial: float = 0.0
    rest_cancelled: float = 0.0
    told_late: float = 0.0
    told_twice: float = 0.0
    shuffled: float = 0.0
    blind: float = 0.0
    invisible: float = 0.0
    busy: float = 0.0
    uncertain: float = 0.0
    full: float = 0.0
    jump: float = 0.0
    slow: float = 0.0
    bar_late: float = 0.0
    bar_missing: float = 0.0
    bar_twice: float = 0.0
    bar_revised: float = 0.0
    mute: float = 0.0
    ahead: float = 0.0
    takeover: float = 0.0
    pause: float = 0.0
    reacts: float = 0.0
    kill: float = 0.0
    stop: float = 0.0
    flatten: float = 0.0
    races: float = 0.0
    leaves: float = 0.0
    cleans: bool = True

    @classmethod
    def drawn(cls, dice: random.Random, only: Sequence[str] = ()) -> Plan:
        """The plan of a schedule; ``only`` names the kinds that may be drawn, all by default."""
        kinds = [one.name for one in dataclasses.fields(cls) if one.name not in {"crash", "cleans"}]
        density = dice.choice((0.0, 0.15, 0.4))
        rates = {
            name: dice.choice(RATES_OF_ORDERS if name in OF_ORDERS else RATES)
            for name in kinds
            if dice.random() < density
        }
        for name in ("jump", "mute", "ahead", "pause", "stop"):
            if name in rates:
                rates[name] = min(rates[name], 0.08)
        for name in (*AT_BOUNDARIES[1:], *AT_COMMITS):
            if name in rates:
                rates[name] /= 10.0
        rates["crash"] = dice.choice((0.0, 0.002, 0.006, 0.012))
        if "partial" in rates and dice.random() < 0.5:
            rates["rest_cancelled"] = dice.choice(RATES_OF_ORDERS)
        if "races" in rates:
            rates["leaves"] = dice.choice(RATES_OF_ORDERS)
        if "flatten" in rates and dice.random() < 0.5:
            rates["reject"] = dice.choice(RATES_OF_ORDERS)
        cleans = dice.random() < 0.5
        if only:
            rates = {name: rate for name, rate in rates.items() if name in only}
        return cls(**rates, cleans=cleans)

    @classmethod
    def drawn_of_paper(cls, dice: random.Random) -> Plan:
        """The plan of a schedule on the paper broker; every second one has nothing that may leave a trace."""
        plan = cls.drawn(dice, UNSEEN if dice.random() < 0.5 else OF_PAPER)
        return dataclasses.replace(plan, crash=dice.choice(RATES_OF_ENDS))

    def kinds(self) -> list[str]:
        """Kinds of faults that there are."""
        return [one.name for one in dataclasses.fields(self) if one.name != "cleans" and getattr(self, one.name)]

    def scaled(self, factor: float) -> Plan:
        """The same kinds of ambiguity about orders, more or less often."""
        wire = ("crash", "lost", "silent", "late", "blind", "invisible", "takeover", "uncertain")
        return dataclasses.replace(self, **{name: getattr(self, name) * factor for name in wire})


class Dice:
    """Draws every fault of one schedule; the mood of its broker.

    Parameters
    ----------
    plan : Plan
        How often.
    source : random.Random
        Of this schedule.
    bar_ns : int
        Length of a base bar.

    Attributes
    ----------
    calm : bool
        Whether faults are over.
    drawn : dict of str to int
        Faults by kind, so far.
    """

    def __init__(self, plan: Plan, source: random.Random, bar_ns: int) -> None:
        self.plan, self._source, self._bar_ns = plan, source, bar_ns
        self._rates: dict[str, float] = {name: getattr(plan, name) for name in plan.kinds()}
        self._boundary = sum(self._rates.get(kind, 0.0) for kind in AT_BOUNDARIES)
        self.calm = False
        self.drawn: dict[str, int] = {}
        self.cleans = plan.cleans
        self._blind_until: dict[str, int] = {}
        self.now_ns: Callable[[], int] = lambda: 0

    def happens(self, kind: str) -> bool:
        """Whether a fault of a kind happens now."""
        rate = self._rates.get(kind)
        if rate is None or self.calm or self._source.random() >= rate:
            return False
        self.drawn[kind] = self.drawn.get(kind, 0) + 1
        return True

    def strike(self, where: str) -> str:
        """What happens at a boundary, of which a turn has dozens: one kind, or nothing."""
        del where  # to whoever chooses instead of drawing it matters
        if self.calm or self._boundary == 0.0:
            return ""
        drawn = self._source.random()
        if drawn >= self._boundary:
            return ""
        for kind in AT_BOUNDARIES:
            drawn -= self._rates.get(kind, 0.0)
            if drawn < 0.0:
                self.drawn[kind] = self.drawn.get(kind, 0) + 1
                return kind
        return ""

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends possible."""
        return self._source.randint(low, high)

    def wait_s(self) -> int:
        """Seconds that a slow call takes; now and then as long as a lease."""
        return self._source.choice((1, 1, 2, 4, 12))

    def look_again_s(self) -> int:
        """Seconds until somebody wakes the runner while an order hangs."""
        return self._source.randint(1, 60)

    def span_ns(self) -> int:
        """A while: seconds, minutes or bars."""
        scale = self._source.choice((S_NS, MINUTE_NS, self._bar_ns))
        return self._source.randint(1, 3) * scale

    # --- the broker's mood -------------------------------------------------------------------------------------------

    def fate(self, request: Request) -> Fate:
        """Of a request."""
        for kind in ("not_sent", "lost", "silent"):
            if self.happens(kind):
                return Fate(kind)
        if request.action == "SUBMIT":
            if self.happens("late"):
                return Fate("late", self.span_ns())
            for kind in ("reject", "reject_later"):
                if self.happens(kind):
                    return Fate(kind)
        return OK

    def share(self) -> float:
        """Of a fill."""
        return self._source.choice((0.2, 0.5, 0.8)) if self.happens("partial") else 1.0

    def cancels_rest(self) -> bool:
        """Of a part."""
        return self.happens("rest_cancelled")

    def fills_first(self) -> bool:
        """Of an entry that is being cancelled."""
        return self.happens("races")

    def told_after_ns(self) -> list[int]:
        """Of an event."""
        if self.happens("told_late"):
            first = self.span_ns()
        elif self.happens("shuffled"):
            first = self._source.randint(1, 20)
        else:
            first = 0
        return [first, first + self.span_ns()] if self.happens("told_twice") else [first]

    def invisible_ns(self) -> int:
        """Of a new order; within what the runner believes possible."""
        return self._source.randint(1, 170) * S_NS if self.happens("invisible") else 0

    def is_blind(self, what: str) -> bool:
        """Of a question; once blind, it stays so for a while."""
        if self.calm:
            return False
        now = self.now_ns()
        if now < self._blind_until.get(what, 0):
            return True
        if not self.happens("blind"):
            return False
        self._blind_until[what] = now + self._source.choice((0, S_NS, MINUTE_NS, self._bar_ns))
        return True


def classes() -> list[Idempotency]:
    """Every class of broker."""
    return list(Idempotency)
