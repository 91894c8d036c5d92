"""What a runner's process is given: where its database is, where bars come from, how time goes, who is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from workbench.live.assembly import LEASE_NS
from workbench.live.sources import Source
from workbench.live.wall import Ending

#: Takes a line of text for whoever watches.
Say = Callable[[str], None]


@dataclass(frozen=True)
class Pace:
    """How time goes.

    Attributes
    ----------
    begin : date, timestamp, str or None
        Virtual time begins with the first session at or after it, or where the deployments stand if that is later; None
        is the wall's time.
    speed : float or None
        Virtual seconds a second; None for as fast as it goes.
    """

    begin: Any = None
    speed: float | None = None


@dataclass
class Service:
    """What a runner is given.

    Attributes
    ----------
    url : str
        Of the database.
    source : Source
        Of its bars.
    say : callable
        Takes a line of text for whoever watches.
    pace : Pace
        How time goes.
    ending : Ending
        Whether it was asked to end.
    lease_ns : int
        How long it may be silent before another takes over.
    """

    url: str
    source: Source
    say: Say
    pace: Pace = field(default_factory=Pace)
    ending: Ending = field(default_factory=Ending)
    lease_ns: int = LEASE_NS
