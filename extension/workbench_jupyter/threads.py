"""Threads for what must not be done on the event loop: many for what may wait, and a few that a kill always finds free.

The loop's own pool has a handful, which all may stand and wait for a runner's answer or for a locked database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

#: Threads for requests, and for kills.
MANY, FEW = 32, 4

T = TypeVar("T")


class Threads:
    """Two pools; threads are started when they are needed."""

    def __init__(self) -> None:
        self._many = ThreadPoolExecutor(MANY, "workbench")
        self._few = ThreadPoolExecutor(FEW, "workbench-kill")

    async def run(self, call: Callable[..., T], *given: Any) -> T:
        """Do something that may wait for others."""
        return await asyncio.get_running_loop().run_in_executor(self._many, call, *given)

    async def run_at_once(self, call: Callable[..., T], *given: Any) -> T:
        """Do something that waits for nobody who only asks."""
        return await asyncio.get_running_loop().run_in_executor(self._few, call, *given)

    def close(self) -> None:
        """Take nothing more; what is under way ends by itself, for the server does not wait for it."""
        self._many.shutdown(wait=False, cancel_futures=True)
        self._few.shutdown(wait=False, cancel_futures=True)
