"""An hour of updates, one a second, leaves the server as large as it was."""

from __future__ import annotations

import gc
import logging
import pathlib
import tracemalloc
from collections.abc import Callable

import pytest

from tests.operated import Operated, folder  # noqa: F401 - a fixture
from workbench.journal import tables
from workbench.live.overview import Overview
from workbench_jupyter.lookout import Lookout
from workbench_jupyter.threads import Threads
from workbench_jupyter.watch import Watch

SECONDS, DEPLOYMENTS = 3_600, 10


class Ear:
    """A browser that takes everything and keeps nothing."""

    heard = 0

    def tell(self, message: bytes, everything: Callable[[], bytes]) -> None:
        self.heard += len(message) > 0


def traced() -> int:
    """Bytes that Python holds, without what waits to be collected."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.soak
async def test_an_hour_of_updates_leaves_nothing_behind(folder: pathlib.Path) -> None:  # noqa: F811
    desk, ear, known = Operated(folder), Ear(), dict[int, int]()
    for number in range(DEPLOYMENTS):
        desk.deploy(f"d{number}")
    eye = Overview(desk.store, clock=desk.clock)

    async def overview() -> Overview:
        return eye

    lookout = Lookout(overview, lambda: {"state": "ATTACHED"}, lambda _: None, Threads())
    watch = Watch(lookout.look, logging.getLogger("test"))
    watch.join(ear)
    await watch.stop()
    now_ns = desk.clock.now_ns()
    tracemalloc.start()
    for second in range(SECONDS):
        desk.clock.wait_until(now_ns + second * 10**9)
        with desk.store.write() as connection:
            connection.execute(tables.deployment_states.update().values(heartbeat_ns=desk.clock.now_ns()))
        watch._tell(await lookout.look())
        if second in (SECONDS // 4, SECONDS - 1):
            known[second] = traced()
    tracemalloc.stop()
    desk.store.close()
    first, last = known.values()
    assert ear.heard == SECONDS
    assert last - first < 100_000, f"{first:,} bytes after a quarter of an hour, {last:,} after an hour"
