"""One look a second at the database for everybody who watches, however many browsers and notebooks that is.

Whoever joins is told everything, then what changes: rows that are new or different, at most one message a second and at
least one every five, so that a silent line is known to be dead. Nobody waits for a slow listener: what it could not
take is left out, and it is told everything when it can take again.

Invariant: one look at a time, always in a thread, never on the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

from workbench_jupyter.plain import encoded

#: Seconds between two looks while somebody listens, and while nobody does.
INTERVAL_S, QUIET_INTERVAL_S = 1.0, 5.0
#: Seconds after which a message goes out even when nothing has changed.
SILENCE_S = 5.0


class Sight(NamedTuple):
    """What was seen at one look, as ``Glance`` with how the runner is hosted; rows are compared by identity.

    Attributes
    ----------
    at : object
        When.
    health : dict
        With ``hosting`` and ``database``, the latter in words when it could not be looked at.
    deployments : list of dict or None
        Rows; None when the database could not be looked at, and what was known stays.
    exposure : list of dict
        By instrument.
    """

    at: object
    health: dict[str, Any]
    deployments: list[dict[str, Any]] | None
    exposure: list[dict[str, Any]]


class Listener(Protocol):
    """Somebody who watches: a websocket."""

    def tell(self, message: bytes, everything: Callable[[], bytes]) -> None:
        """Take a message; ``everything`` makes the one that is told first, and after one that was missed."""


class Watch:
    """Looks, and tells who listens.

    Parameters
    ----------
    look : callable
        One look; raises nothing.
    log : Logger
        For what should not happen.
    """

    def __init__(self, look: Callable[[], Awaitable[Sight]], log: logging.Logger) -> None:
        self._look, self._log = look, log
        self._listeners: set[Listener] = set()
        self._known = Sight(None, {}, [], [])
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._told_s, self._is_awaited = 0.0, False

    def __len__(self) -> int:
        return len(self._listeners)

    def start(self) -> None:
        """Begin; nothing happens if it has begun. In a running event loop."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep(), name="workbench-watch")

    async def stop(self) -> None:
        """End; may be called several times."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def wake(self) -> None:
        """Look now: something is known to have changed."""
        self._woken.set()

    def join(self, listener: Listener) -> None:
        """Tell somebody everything at the next look, which is now."""
        self._listeners.add(listener)
        self._is_awaited = True
        self.start()
        self.wake()

    def leave(self, listener: Listener) -> None:
        """Tell them no more."""
        self._listeners.discard(listener)

    async def _keep(self) -> None:
        while True:
            self._woken.clear()
            began = time.monotonic()
            try:
                self._tell(await self._look())
            except Exception:  # noqa: BLE001 - whoever watches is told again at the next look
                self._log.exception("Workbench could not tell what it saw.")
            interval = INTERVAL_S if self._listeners else QUIET_INTERVAL_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), max(0.0, began + interval - time.monotonic()))

    def _tell(self, seen: Sight) -> None:
        before, rows = self._known, seen.deployments
        if rows is None:
            seen = seen._replace(deployments=before.deployments, exposure=before.exposure)
        self._known = seen
        known = {id(row) for row in before.deployments or ()}
        names = {row["name"] for row in seen.deployments or ()}
        changed = [row for row in seen.deployments or () if id(row) not in known]
        gone = [row["name"] for row in before.deployments or () if row["name"] not in names]
        exposure = None if seen.exposure == before.exposure else seen.exposure
        now_s = time.monotonic()
        is_news = changed or gone or exposure is not None or seen.health != before.health
        if not (is_news or self._is_awaited) and now_s - self._told_s < SILENCE_S:
            return
        self._told_s, self._is_awaited = now_s, False
        told = {"kind": "changes", "at": seen.at, "health": seen.health, "deployments": changed, "gone": gone}
        message = encoded({**told, "exposure": exposure})
        for listener in tuple(self._listeners):
            listener.tell(message, self._everything)

    def _everything(self) -> bytes:
        return encoded({"kind": "all", **self._known._asdict()})
