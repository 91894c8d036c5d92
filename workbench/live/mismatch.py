"""A deployment beside a position that it may not hold: it begins paused, and goes on when a person has made it so."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.live.beside import MISMATCH, Beside, against, facts_beside, mismatch_words
from workbench.live.page import Page
from workbench.live.standing import Standing, Status
from workbench.live.stopping import entries_of

#: In ``Standing.counts``: nothing is entered any more, for it took a position over only to leave it.
EXIT_ONLY = "exit_only"
#: In ``Standing.counts``: it goes on by itself once what was against it is closed.
CONTINUES = "continues"


def takes_over(standing: Standing) -> bool:
    """Whether a position is on its way to a deployment: one that only exits has no other entry."""
    return EXIT_ONLY in standing.counts and bool(entries_of(standing))


def begin_beside(page: Page, standing: Standing, found: Sequence[Beside], now_ns: int) -> None:
    """At the start: tell the journal what is held beside it, and pause where that is the other direction."""
    if not found:
        return
    given, passed_ns = standing.deployed.given, standing.deployed.passed_ns
    direction = given.strategy.direction
    body = {"direction": direction, "beside": facts_beside(found, {})}
    standing.write(page, passed_ns, now_ns, "EXISTING_POSITION", body)
    if against(found, direction):
        standing.state, standing.note = MISMATCH, mismatch_words(given.name, direction, found)
        body = {"why": "DIRECTION_MISMATCH", "direction": direction, "beside": facts_beside(found, {})}
        standing.write(page, passed_ns, now_ns, "PAUSED", body)


def go_on(page: Page, standing: Standing, found: Sequence[Beside], now_ns: int) -> None:
    """Go on if what was against it is closed, as a person chose."""
    if standing.status is not Status.RUNNING or against(found, standing.deployed.given.strategy.direction):
        return
    del standing.counts[CONTINUES]
    body = {"who": "", "why": "what was held against its direction is closed", "was": standing.state}
    standing.status, standing.state, standing.note = Status.RUNNING, "FLAT", ""
    standing.write(page, standing.deployed.passed_ns, now_ns, "RESUMED", body)
