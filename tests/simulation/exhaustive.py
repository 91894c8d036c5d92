"""Small scope, exhaustively: one intent over two bars, and every way in which it can go wrong within a budget.

A schedule is a list of choices. Each run takes the choices of a prefix and then the first option, which is that nothing
goes wrong, and says how many options each choice had; the next prefix is the next list in order. So every list is
played once. The budget is in crashes, network faults and takeovers by another runner.

A crash is tried where it makes a difference: inside a transaction and between its parts, after a commit, after a word
to the broker or a bar shown to it. Between two of these nothing changes that outlives the process.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from tests.simulation.emulated import OK, Fate
from tests.simulation.faults import S_NS, Dice, Plan
from tests.simulation.machine import Machine
from tests.simulation.run import CLASSES, played
from tests.simulation.world import BAR_NS, SMALL, new_database, parsed_once, world
from workbench.brokers.port import Idempotency, Request

#: Where something can happen to a process that was not possible just before.
_CRASHES = ("after commit", "after send", "after trade", "between parts")
_TAKEOVERS = ("after commit", "before send", "after send", "after trade")
#: A while that is over before an order must be visible, and one that lasts beyond it.
_SHORT_NS, _LONG_NS = 20 * S_NS, 400 * S_NS

#: What can become of a request that is no order, and of one that is.
_WORDS = (OK, Fate("not_sent"), Fate("lost"), Fate("silent"))
_ORDERS = (*_WORDS, Fate("late", _SHORT_NS), Fate("late", _LONG_NS), Fate("reject"), Fate("reject_later"))


class Budget(NamedTuple):
    """How much may go wrong in one schedule."""

    crashes: int
    network: int
    takeovers: int


class Script(Dice):
    """A dice that does what it is told, and nothing once it has been told everything.

    Parameters
    ----------
    budget : Budget
        How much may go wrong.
    prefix : sequence of int
        Choices to be taken, in order; afterwards the first option.

    Attributes
    ----------
    taken, widths : list of int
        What was chosen, and among how many.
    """

    def __init__(self, budget: Budget, prefix: Sequence[int]) -> None:
        super().__init__(Plan(), random.Random(0), BAR_NS)
        self._left = {"crash": budget.crashes, "network": budget.network, "takeover": budget.takeovers}
        self._prefix = prefix
        self.taken: list[int] = []
        self.widths: list[int] = []

    def _choose(self, kind: str, options: Sequence[Any]) -> Any:
        """One of several options, of which the first costs nothing."""
        if self.calm or self._left[kind] == 0:
            return options[0]
        at = len(self.taken)
        chosen = self._prefix[at] if at < len(self._prefix) else 0
        self.taken.append(chosen)
        self.widths.append(len(options))
        if chosen:
            self._left[kind] -= 1
            self.drawn[kind] = self.drawn.get(kind, 0) + 1
        return options[chosen]

    # --- what is asked of a dice -------------------------------------------------------------------------------------

    def happens(self, kind: str) -> bool:
        """Of faults that are asked one by one, only an end inside a transaction."""
        return bool(kind == "crash" and self._choose("crash", (False, True)))

    def strike(self, where: str) -> str:
        """An end, or another runner, where it makes a difference."""
        if where.startswith(_CRASHES) and self._choose("crash", (False, True)):
            return "crash"
        return "takeover" if where.startswith(_TAKEOVERS) and self._choose("takeover", (False, True)) else ""

    def fate(self, request: Request) -> Fate:
        """Of a request."""
        fate: Fate = self._choose("network", _ORDERS if request.action == "SUBMIT" else _WORDS)
        return fate

    def share(self) -> float:
        """Of a fill."""
        return float(self._choose("network", (1.0, 0.5)))

    def cancels_rest(self) -> bool:
        """Of a part: it works on."""
        return False

    def told_after_ns(self) -> list[int]:
        """Of an event."""
        return list(self._choose("network", ((0,), (1,), (_LONG_NS,), (0, 0), (0, _LONG_NS))))

    def invisible_ns(self) -> int:
        """Of a new order."""
        return int(self._choose("network", (0, 100 * S_NS)))

    def is_blind(self, what: str) -> bool:
        """Of a question, once; then for a while."""
        if self.calm or self.now_ns() < self._blind_until.get(what, 0):
            return not self.calm
        if not self._choose("network", (False, True)):
            return False
        self._blind_until[what] = self.now_ns() + _SHORT_NS
        return True

    def between(self, low: int, high: int) -> int:
        """The least."""
        return low

    def look_again_s(self) -> int:
        """Often enough for every wait to end."""
        return 45


class Counted(NamedTuple):
    """What came of all schedules of one class: how many, and those that failed."""

    schedules: int
    failures: list[tuple[list[int], list[str]]]


def every(
    idempotency: Idempotency, budget: Budget, on_paper: str = ""
) -> Iterator[tuple[list[int], list[str]]]:
    """Play every schedule within a budget: its choices, and what was violated.

    ``on_paper`` names a world that is played on the product's own paper broker; else it is the smallest, elsewhere.
    """
    driver, prefix, small = new_database(), list[int](), world(on_paper or SMALL)
    bars = small.bars(random.Random("small scope"))
    while True:
        script = Script(budget, prefix)
        machine = Machine(small, script, idempotency, bars, driver, bool(on_paper))
        with parsed_once():
            played(machine, bars)
        yield script.taken, [f"{one.invariant} {one.what}" for one in machine.checker.found]
        taken, widths = script.taken, script.widths
        while taken and taken[-1] + 1 == widths[len(taken) - 1]:
            taken.pop()
        if not taken:
            return
        prefix = [*taken[:-1], taken[-1] + 1]


def count(idempotency: Idempotency, budget: Budget, on_paper: str = "") -> Counted:
    """How many schedules there are within a budget, and which fail."""
    failures, schedules = [], 0
    for taken, found in every(idempotency, budget, on_paper):
        schedules += 1
        if found:
            failures.append((list(taken), found))
    return Counted(schedules, failures)


def main(arguments: Sequence[str], say: Callable[[str], Any] = print) -> int:
    """Count every class within ``CRASHES=2 NETWORK=1 TAKEOVERS=0``, or as it is said; the number of failures.

    ``PAPER=stops`` plays that world on the paper broker.
    """
    given = dict(one.split("=", 1) for one in arguments)
    budget = Budget(int(given.get("CRASHES", 2)), int(given.get("NETWORK", 1)), int(given.get("TAKEOVERS", 0)))
    wanted = [Idempotency[given["CLASS"]]] if "CLASS" in given else CLASSES
    failed = 0
    for idempotency in wanted:
        began = time.perf_counter()
        counted = count(idempotency, budget, given.get("PAPER", ""))
        failed += len(counted.failures)
        say(
            f"{idempotency.value}: all {counted.schedules:,} schedules within {budget._asdict()} played in "
            f"{time.perf_counter() - began:.0f} s; {len(counted.failures)} violate an invariant"
        )
        for taken, found in counted.failures[:10]:
            say(f"    choices {taken}: {found[0]}")
    return failed


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
