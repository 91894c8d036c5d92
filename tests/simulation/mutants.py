"""Bugs put in on purpose, one at a time: an oracle that never fails proves nothing.

Each is one function replaced, with a sentence that says what it does wrong. ``python -m tests.simulation.mutants``
plays each against seeds until the oracle complains, and prints who was caught, by which seed and invariant, and who
was not.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple
from unittest import mock

from tests.simulation import (
    mutants_at_once,
    mutants_of_decisions,
    mutants_of_hands,
    mutants_of_orders,
    mutants_of_storage,
)
from tests.simulation.mutation import Mutant
from tests.simulation.run import play
from tests.simulation.world import new_database

MUTANTS: tuple[Mutant, ...] = (
    *mutants_of_storage.MUTANTS,
    *mutants_at_once.MUTANTS,
    *mutants_of_orders.MUTANTS,
    *mutants_of_decisions.MUTANTS,
    *mutants_of_hands.MUTANTS,
)
#: Schedules in which a bug must show.
MOST = 2_000


class Caught(NamedTuple):
    """Where a mutant was caught: the seed, how many schedules that took, and what was said."""

    seed: int
    schedules: int
    invariant: str
    what: str


@contextlib.contextmanager
def injected(mutant: Mutant) -> Iterator[None]:
    """Inside, the bug is in."""
    with contextlib.ExitStack() as stack:
        for owner, name, replacement in mutant.patches():
            stack.enter_context(mock.patch.object(owner, name, replacement))
        yield


def caught(mutant: Mutant, most: int = MOST, first: int = 0) -> Caught | None:
    """The first seed that shows a mutant; None if no seed does."""
    driver = new_database()
    for at, seed in enumerate(range(first, first + most)):
        with injected(mutant):
            found = play(seed, driver).found
        # A seed that fails without the bug too says nothing of the bug.
        if found and not play(seed, driver).found:
            return Caught(seed, at + 1, found[0].invariant, found[0].what)
    return None


def main(arguments: Sequence[str], say: Callable[[str], Any] = print) -> int:
    """Try every mutant, or those that are named; the number of survivors."""
    named = [one for one in arguments if "=" not in one]
    options = dict(one.split("=", 1) for one in arguments if "=" in one)
    most = int(options.get("MOST", MOST))
    chosen = [one for one in MUTANTS if not named or one.name in named]
    survivors = []
    for one in chosen:
        found = caught(one, most)
        if found is None:
            survivors.append(one.name)
            say(f"SURVIVED  {one.name:36} {one.sentence}")
        else:
            say(f"caught    {one.name:36} seed {found.seed:<5} {found.invariant:4} {found.what[:70]}")
    say(f"{len(chosen) - len(survivors)} of {len(chosen)} caught; survivors: {', '.join(survivors) or 'none'}")
    return len(survivors)


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
