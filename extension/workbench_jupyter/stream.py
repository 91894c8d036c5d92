"""A websocket that tells one browser or notebook what the watch sees; it takes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, cast

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado import web
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from workbench_jupyter.watch import Watch

#: Where it is, below the API.
PATH = "stream"
#: More than anybody has to say: nothing is listened to.
_MOST_BYTES = 1_024


class Watching(Protocol):
    """What the stream asks of the extension."""

    watch: Watch


class Stream(ExtensionHandlerMixin, WebSocketMixin, WebSocketHandler, JupyterHandler):
    """One listener."""

    auth_resource = "workbench"

    @property
    def max_message_size(self) -> int:
        """Of what may be sent to us."""
        return _MOST_BYTES

    @property
    def watch(self) -> Watch:
        """What is listened to."""
        return cast(Watching, self.extensionapp).watch

    @ws_authenticated
    async def get(self, *args: Any, **names: Any) -> None:
        """Open it for whoever may read."""
        may = self.authorizer.is_authorized(self, self.current_user, "read", self.auth_resource)
        if not await ensure_async(may):
            raise web.HTTPError(403)
        await super().get(*args, **names)

    def open(self, *args: str, **names: str) -> None:
        """Begin to listen."""
        super().open(*args, **names)
        self._writing: asyncio.Future[None] | None = None
        self._is_behind = True
        self.watch.join(self)

    def on_message(self, message: str | bytes) -> None:
        """Nothing is taken; who asks for something uses the other paths."""

    def on_close(self) -> None:
        """Listen no more."""
        self.watch.leave(self)
        super().on_close()

    def tell(self, message: bytes, everything: Callable[[], bytes]) -> None:
        """Send a message; while an earlier one has not left, nothing is kept waiting: all is told when it has."""
        if self._writing is not None and not self._writing.done():
            self._is_behind = True
            return
        try:
            self._writing = self.write_message(everything() if self._is_behind else message)
        except WebSocketClosedError:
            self.watch.leave(self)
            return
        # A line that breaks while it is written to is closed, and says so there.
        self._writing.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._is_behind = False
