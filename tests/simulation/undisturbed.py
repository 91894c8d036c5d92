"""A schedule on the paper broker beside the one in which nothing goes wrong, and its journals through the engine again.

What fails on the way to the paper broker is undone on both sides, so that ends of processes leave no trace at all:
where no person acted, every bar came as it closed and somebody was always back before the next close, everything that
is kept must be what is kept without a fault. No other broker can be held to that.
"""

from __future__ import annotations

import random
import sqlite3
from functools import cache

from tests.simulation.faults import UNSEEN, Dice, Plan
from tests.simulation.feed import Slot
from tests.simulation.machine import Machine
from tests.simulation.store import QuickConnection
from tests.simulation.world import BAR_NS, new_database
from workbench.live.feed import ClosedBar
from workbench.live.replay import find, replayed


def must_be_undisturbed(machine: Machine) -> bool:
    """Whether nothing happened but what may leave no trace."""
    if not machine.is_paper or machine.world.later or set(machine.dice.drawn) - set(UNSEEN):
        return False
    return all(_was_back(machine, slot) for slot in machine.world.slots)


def _was_back(machine: Machine, slot: Slot) -> bool:
    """Whether a turn that began after a close ended well before the next: what is decided later is another decision."""
    return any(slot.close_ns <= began and ended < slot.close_ns + BAR_NS for began, ended in machine.whole)


def check_undisturbed(machine: Machine, bars: dict[str, list[ClosedBar]]) -> None:
    """P1: what is kept is what is kept without a fault."""
    beside = Machine(machine.world, Dice(Plan(), random.Random(0), BAR_NS), machine.broker.idempotency, bars, _spare(),
                     is_paper=True)  # fmt: skip
    beside.play()
    for one in beside.checker.found:
        machine.checker.found_beside(one.invariant, f"without a fault: {one.what}")
    theirs = beside.checker.rows()
    for name, ours in machine.checker.rows().items():
        if ours == theirs[name]:
            continue
        pairs = zip([*ours, None], [*theirs[name], None], strict=False)
        one, other = next((pair for pair in pairs if pair[0] != pair[1]), (None, None))
        machine.checker.found_beside("P1", f"{name}: {one} is kept, and {other} without a fault")


def check_replayed(machine: Machine) -> None:
    """P3: what every journal says follows from bars and fills alone."""
    connection = QuickConnection(machine.driver)
    for ident in machine.checker.idents:
        verdict = replayed(connection, find(connection, ident, "local"))  # type: ignore[arg-type]
        for what in verdict.differences[:1]:
            machine.checker.found_beside("P3", f"{ident[:4]}: {what}")


@cache
def _spare() -> sqlite3.Connection:
    """A second database: the first one is still looked at."""
    return new_database()
