"""The extension: what can be set, the database that it reads, and the runner that it hosts."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import jupyter_server
from jupyter_events import EventLogger
from jupyter_server.extension.application import ExtensionApp
from traitlets import Enum, Unicode

from workbench.errors import ConfigError, HaltError, WorkbenchError
from workbench.live.supervisor import Hosted, Supervisor, environment_with
from workbench_jupyter.events import register, tell
from workbench_jupyter.feeding import options_of
from workbench_jupyter.handlers import handlers
from workbench_jupyter.inherited import database_of, handed_down
from workbench_jupyter.lookout import Lookout
from workbench_jupyter.server_version import refuse_hosting, why_only_paper
from workbench_jupyter.threads import Threads
from workbench_jupyter.watch import Watch

if TYPE_CHECKING:  # a server starts without the engine
    from workbench.journal.store import Store
    from workbench.live.client import Client
    from workbench.live.killswitch import Flag
    from workbench.live.overview import Overview

#: Seconds that the server waits for its runner when it ends.
STOP_S = 3.0
#: Seconds after its start when it looks at the database first, unless somebody asks before.
FIRST_LOOK_S = 5.0


class WorkbenchApp(ExtensionApp):
    """Workbench in a Jupyter server."""

    name = "workbench"
    description = "Strategies on paper and live, beside your notebooks."

    database = Unicode(
        help="Path of an SQLite file, or postgresql://...; WORKBENCH_DATABASE by default."
    ).tag(config=True)  # fmt: skip
    owner = Unicode("local", help="Whose deployments are shown.").tag(config=True)
    runner = Enum(
        ("hosted", "attached"), "hosted",
        help="hosted: the server starts a runner, watches it and stops it; attached: one runs by itself.",
    ).tag(config=True)  # fmt: skip
    feed = Unicode(
        help="Where a hosted runner's bars come from: options of `workbench run`; the folder `feed` in the home "
        "folder by default."
    ).tag(config=True)

    def initialize_settings(self) -> None:
        """Prepare what the handlers need; nothing is opened yet."""
        self.database = database_of(self.database)
        self._inherited = contextlib.ExitStack()
        self._store: Store | None = None
        self._opening = asyncio.Lock()
        self.supervisor: Supervisor | None = None
        self._overview: Overview | None = None
        self.threads = Threads()
        self.lookout = Lookout(self._eye, self.hosting, self._tell, self.threads)
        self.watch = Watch(self.lookout.look, self.log)
        self._first_look: asyncio.TimerHandle | None = None
        register(self._events)
        self.only_paper, self._refusal = why_only_paper(jupyter_server.__version__), ""
        if self.only_paper:
            self.log.warning("Workbench: %s.", self.only_paper)
        if self.runner == "hosted":
            command = [sys.executable, "-m", "workbench.live", "--tied", *options_of(self.feed)]
            self.supervisor = Supervisor(command, environment_with(self.database), self._changed)

    def initialize_handlers(self) -> None:
        """Everything of the table of routes."""
        self.handlers.extend(handlers())

    async def _start_jupyter_server_extension(self, _serverapp: Any) -> None:
        # Events are told from then on, whether or not a browser looks; a server that starts is not slowed by it.
        self._first_look = asyncio.get_running_loop().call_later(FIRST_LOOK_S, self.watch.start)
        self._inherited.enter_context(handed_down(self.database))
        if self.supervisor is None:
            return
        if self.only_paper:
            try:
                await self.threads.run(refuse_hosting, self.only_paper, self.database)
            except WorkbenchError as error:
                self._refusal = f"no runner is started: {error}"
                self.log.critical("Workbench: %s", self._refusal)
                return
        self.supervisor.start()

    async def client(self, who: str) -> Client:
        """A hand on the runner for whoever asks."""
        store = await self._open()
        from workbench.live.client import Client

        return Client(store, self.owner, who)

    def put_down(self, who: str, why: str, name: str) -> Flag:
        """The kill switch, of a deployment or of everything; the database is not asked."""
        from workbench.live.emergency import Hand

        return Hand(self.database, self.owner, who).kill(why, name)

    def hosting(self) -> dict[str, Any]:
        """How the hosted runner stands; ATTACHED when the server hosts none."""
        if self.supervisor is None:
            return {"state": "ATTACHED", "pid": 0, "attempt": 0, "since": None, "said": ""}
        now = self.supervisor.now()._asdict()
        since_ns = now.pop("since_ns")
        since = datetime.fromtimestamp(since_ns / 1e9, UTC).isoformat() if since_ns else None
        refused = {"state": "LOOK", "said": self._refusal} if self._refusal else {}
        return {**now, "state": now["state"].value, "since": since, **refused}

    def examined(self) -> dict[str, Any]:
        """What is well and what is not, and what the hosted runner said last."""
        from workbench.live.doctor import findings

        found = findings(self.database, time.time_ns(), self.owner)
        lines = [] if self.supervisor is None else self.supervisor.lines()
        return {"findings": [one._asdict() for one in found], "lines": lines}

    async def stop_extension(self) -> None:
        """Stop the runner; the server does not wait for it longer than a few seconds, and may ask twice."""
        if self._first_look is not None:
            self._first_look.cancel()
        await self.watch.stop()
        with contextlib.suppress(Exception):
            if self.supervisor is not None:
                await asyncio.wait_for(self.supervisor.stop(STOP_S / 3), STOP_S)
        self._inherited.close()
        store, self._store = self._store, None
        if store is not None:
            await self.threads.run(store.close)
        self.threads.close()

    async def _open(self) -> Store:
        """The database; it is opened by the first who asks, off the event loop."""
        async with self._opening:
            if self._store is None:
                try:
                    self._store = await self.threads.run(_opened, self.database)
                except ConfigError as error:
                    # What was set for the server is no fault of the request.
                    raise HaltError(str(error)) from error
            return self._store

    async def _eye(self) -> Overview:
        """What looks at the database, and remembers what it saw."""
        store = await self._open()
        from workbench.live.overview import Overview

        if self._overview is None or self._overview.store is not store:
            self._overview = Overview(store, self.owner)
        return self._overview

    def _tell(self, rows: Sequence[Mapping[str, Any]]) -> None:
        tell(self._events, rows)

    @property
    def _events(self) -> EventLogger:
        """Jupyter's own stream of events."""
        assert self.serverapp is not None and self.serverapp.event_logger is not None
        return self.serverapp.event_logger

    def current_activity(self) -> dict[str, int] | None:
        """What keeps an idle server alive: a runner that it hosts."""
        pid = self.supervisor.now().pid if self.supervisor is not None else 0
        return {"runner": pid} if pid else None

    def _changed(self, hosted: Hosted) -> None:
        self.log.info("The runner is %s (attempt %d). %s", hosted.state.value, hosted.attempt, hosted.said)
        self.watch.wake()


def _opened(database: str) -> Store:
    """The store; the engine is loaded by the first who asks, in a thread."""
    import workbench.live.client  # noqa: F401 - whoever asked needs it next
    from workbench.journal.store import Store

    return Store.open(database)
