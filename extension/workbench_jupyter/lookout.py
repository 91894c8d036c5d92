"""One look at the database and at the hosted runner, for the watch, for whoever asks once, and for Jupyter's events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from workbench.errors import ConfigError, HaltError, RetryableError
from workbench_jupyter.events import DEPLOYED, KINDS
from workbench_jupyter.threads import Threads
from workbench_jupyter.watch import Sight

if TYPE_CHECKING:
    from workbench.live.overview import Glance, Overview

#: What is said of the deployments when nothing can be known of them.
_UNKNOWN: Mapping[str, Any] = {
    "runner": "", "kills": [], "deployments": 0, "evaluated": 0, "waiting": [], "errors": [], "stale": [],
    "next_evaluation": None, "clock": None,
}  # fmt: skip


class Lookout:
    """Looks when asked, one look at a time, in a thread.

    Parameters
    ----------
    overview : callable
        Gives the eye on the database; may raise what the database raises.
    hosting : callable
        Says how the hosted runner stands.
    tell : callable
        Takes the rows that journals have got since the look before, the first look's left out.
    threads : Threads
        In which it looks.
    """

    def __init__(
        self,
        overview: Callable[[], Awaitable[Overview]],
        hosting: Callable[[], dict[str, Any]],
        tell: Callable[[Sequence[Mapping[str, Any]]], None],
        threads: Threads,
    ) -> None:
        self._overview, self._hosting, self._tell, self._threads = overview, hosting, tell, threads
        self._looking = asyncio.Lock()
        self._coming: asyncio.Future[Sight] | None = None
        self._heads: dict[str, int] | None = None

    async def look(self) -> Sight:
        """What there is now; a database that cannot be looked at is told in ``health``.

        Whoever asks while a look is under way gets the next one, together with all who ask meanwhile: what they see
        is not older than their question, and a slow database is not asked once for each of them.
        """
        if self._coming is None:
            self._coming = asyncio.ensure_future(self._next())
        return await asyncio.shield(self._coming)

    async def _next(self) -> Sight:
        async with self._looking:
            self._coming = None
            return await self._look()

    async def _look(self) -> Sight:
        try:
            overview = await self._overview()
            glance, rows = await self._threads.run(self._seen, overview)
        except (RetryableError, HaltError, ConfigError) as error:
            health = {"hosting": self._hosting(), **_UNKNOWN, "database": str(error)}
            return Sight(datetime.now(UTC).isoformat(), health, None, [])
        self._tell(rows)
        health = {"hosting": self._hosting(), "database": "", **glance.health}
        return Sight(glance.at, health, glance.deployments, glance.exposure)

    def _seen(self, overview: Overview) -> tuple[Glance, list[dict[str, Any]]]:
        glance = overview.glance()
        heads, before = {line["name"]: line["seq"] for line in glance.deployments}, self._heads
        rows = [] if before is None else self._news(overview, glance, heads, before)
        self._heads = heads
        return glance, rows

    def _news(
        self, overview: Overview, glance: Glance, heads: dict[str, int], before: dict[str, int]
    ) -> list[dict[str, Any]]:
        """New deployments, then rows of journals; what was deployed by the first look is no news."""
        deployed = [
            {
                "deployment": line["name"], "seq": 0, "kind": DEPLOYED, "instant": None, "at": glance.at,
                "body": {"strategy": line["strategy"], "version": line["version"], "mode": line["mode"]},
            }
            for line in glance.deployments
            if line["name"] not in before
        ]  # fmt: skip
        grown = {name: before.get(name, 0) for name, head in heads.items() if head > before.get(name, 0)}
        return [*deployed, *(overview.news(grown, KINDS) if grown else [])]
