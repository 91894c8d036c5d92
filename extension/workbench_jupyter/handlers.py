"""From a request to an answer: who asks, what was sent, what is done off the event loop, and what went wrong.

Every handler is made from the table of routes. Errors become answers in one place (``answer_to``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, cast

import orjson
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from pydantic import BaseModel, ValidationError
from tornado import web

from workbench import __version__
from workbench.errors import ConfigError, HaltError, NotFound, Refused, RetryableError, Unwritable, WorkbenchError
from workbench_jupyter.calls import killed_alone
from workbench_jupyter.lookout import Lookout
from workbench_jupyter.openapi import document
from workbench_jupyter.plain import encoded
from workbench_jupyter.routes import ROUTES, Route
from workbench_jupyter.server_version import refuse_risk
from workbench_jupyter.stream import PATH, Stream
from workbench_jupyter.threads import Threads
from workbench_jupyter.watch import Watch

if TYPE_CHECKING:  # a server starts without the engine
    from workbench.live.client import Client
    from workbench.live.killswitch import Flag

#: Under this resource an Authorizer decides who may read and write.
RESOURCE = "workbench"


class Workbench(Protocol):
    """What handlers ask of the extension."""

    only_paper: str

    async def client(self, who: str) -> Client:
        """A hand on the runner for whoever asks."""

    def put_down(self, who: str, why: str, name: str) -> Flag:
        """The kill switch, of a deployment or of everything; the database is not asked."""

    threads: Threads
    lookout: Lookout
    watch: Watch

    def examined(self) -> dict[str, Any]:
        """What is well and what is not."""


class Answer(NamedTuple):
    """What is sent back: a status, and a body."""

    status: HTTPStatus
    body: dict[str, Any]


def answer_to(error: Exception) -> Answer:
    """What an error is to whoever asked; the one place that decides it.

    Raises
    ------
    Exception
        The same, when it is none of ours: the server answers 500 and writes it down.
    """
    if isinstance(error, ValidationError):
        faults = [
            {"field": ".".join(map(str, one["loc"])) or "body", "message": one["msg"]}
            for one in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        text = "; ".join(f"{one['field']}: {one['message']}" for one in faults)
        return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, {"message": text, "fields": faults})
    statuses = (
        (NotFound, HTTPStatus.NOT_FOUND),
        (Refused, HTTPStatus.CONFLICT),
        (ConfigError, HTTPStatus.UNPROCESSABLE_ENTITY),
        (RetryableError, HTTPStatus.SERVICE_UNAVAILABLE),
        (Unwritable, HTTPStatus.INSUFFICIENT_STORAGE),
        (HaltError, HTTPStatus.INTERNAL_SERVER_ERROR),
    )
    for kind, status in statuses:
        if isinstance(error, kind):
            return Answer(status, {"message": str(error)})
    raise error


class WorkbenchHandler(ExtensionHandlerMixin, APIHandler):
    """One path: the routes that share it, by verb."""

    auth_resource = RESOURCE
    by_verb: ClassVar[Mapping[str, Route]] = {}

    @property
    def who(self) -> str:
        """Who asks, as journals say it; for a request with nothing but a token the server makes up a name each time."""
        user = self.current_user
        return "server token" if user.name.startswith("Anonymous ") else str(user.username)

    @property
    def workbench(self) -> Workbench:
        """The extension."""
        return cast(Workbench, self.extensionapp)

    @web.authenticated
    @authorized
    async def get(self, **names: str) -> None:
        """Read."""
        await self._answered("GET", names, self._query)

    @web.authenticated
    @authorized
    async def post(self, **names: str) -> None:
        """Ask for something to be done."""
        await self._answered("POST", names, self._body)

    @web.authenticated
    @authorized
    async def put(self, **names: str) -> None:
        """Set something."""
        await self._answered("PUT", names, self._body)

    async def _answered(self, verb: str, names: dict[str, str], sent: Callable[[type[BaseModel]], BaseModel]) -> None:
        route = self.by_verb.get(verb)
        if route is None:
            verbs = ", ".join(sorted(self.by_verb))
            self.set_header("Allow", verbs)
            return self._answer(HTTPStatus.METHOD_NOT_ALLOWED, {"message": f"this takes {verbs}."})
        try:
            given = None if route.sent is None else sent(route.sent)
            found = await self._found(route, names, given)
        except Exception as error:  # noqa: BLE001 - what is none of ours is raised again
            status, body = answer_to(error)
            if status is HTTPStatus.SERVICE_UNAVAILABLE:
                self.set_header("Retry-After", "1")
            return self._answer(status, body)
        return self._answer(HTTPStatus.OK, found)

    async def _found(self, route: Route, names: dict[str, str], given: BaseModel | None) -> Any:
        if route.is_kill:
            return await self._killed(route, names, given)
        client = await self.workbench.client(self.who)
        return await self.workbench.threads.run(self._called, route, client, names, given)

    async def _killed(self, route: Route, names: dict[str, str], given: Any) -> Any:
        """The switch first: the database may be locked, or away, and every other thread may wait for it."""
        threads, name = self.workbench.threads, names.get("name", "")
        flag = await threads.run_at_once(self.workbench.put_down, self.who, given.why, name)
        try:
            client = await self.workbench.client(self.who)
        except WorkbenchError as error:
            return await threads.run_at_once(killed_alone, flag, given, error)
        try:
            return await threads.run_at_once(self._called, route, client, names, given)
        except ConfigError:
            await threads.run_at_once(flag.lift)
            raise

    def _called(self, route: Route, client: Client, names: dict[str, str], given: BaseModel | None) -> Any:
        refuse_risk(self.workbench.only_paper, client, route.path, names)
        return route.call(client, names, given)

    def _answer(self, status: HTTPStatus, body: object) -> None:
        self.set_status(status)
        self.finish(encoded(body))

    def _query(self, kind: type[BaseModel]) -> BaseModel:
        return kind.model_validate({name: self.get_query_argument(name) for name in self.request.query_arguments})

    def _body(self, kind: type[BaseModel]) -> BaseModel:
        try:
            return kind.model_validate(orjson.loads(self.request.body or b"{}"))
        except orjson.JSONDecodeError as error:
            raise ConfigError(f"the body is not JSON: {error}.") from error


class Health(WorkbenchHandler):
    """How the runner stands, what the kill switch says, how many deployments are evaluated, and how many watch."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Read; answers while the database is locked or away, and says so."""
        seen = await self.workbench.lookout.look()
        self._answer(HTTPStatus.OK, {**seen.health, "streams": len(self.workbench.watch)})


class Overview(WorkbenchHandler):
    """Everything that a panel shows at a glance."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Read; while the database is locked or away, ``health`` says so and there is nothing else."""
        seen = await self.workbench.lookout.look()
        self._answer(HTTPStatus.OK, seen._replace(deployments=seen.deployments or [])._asdict())


class Doctor(WorkbenchHandler):
    """What is well and what is not, and what the hosted runner said last."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Read."""
        self._answer(HTTPStatus.OK, await self.workbench.threads.run(self.workbench.examined))


class Metrics(WorkbenchHandler):
    """Figures for Prometheus."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Read."""
        from workbench_jupyter.metrics import metrics_text

        client = await self.workbench.client(self.who)
        text = await self.workbench.threads.run(metrics_text, client)
        self.finish(text, set_content_type="text/plain; version=0.0.4; charset=utf-8")


class OpenApi(WorkbenchHandler):
    """What can be asked, for programs."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Read."""
        self._answer(HTTPStatus.OK, _document())


@cache
def _document() -> dict[str, Any]:
    """What can be asked; made once, for making it keeps everybody waiting for some 20 ms."""
    others = {path: (kind.__doc__ or "").partition("\n")[0] for path, kind in OTHERS}
    return document(ROUTES, others, __version__)


#: What is only read, and is no route of the table.
OTHERS: tuple[tuple[str, type[WorkbenchHandler]], ...] = (
    ("health", Health),
    ("overview", Overview),
    ("doctor", Doctor),
    ("metrics", Metrics),
    ("openapi.json", OpenApi),
)


class NothingHere(WorkbenchHandler):
    """Every other path below ours: an answer for programs instead of a page for people."""

    async def _answered(self, *_: object) -> None:
        raise web.HTTPError(HTTPStatus.NOT_FOUND)


def pattern_of(path: str) -> str:
    """The pattern of a path, below the server's base URL."""
    parts = (f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else part for part in path.split("/"))
    return "/workbench/api/" + "/".join(parts)


def handlers() -> list[tuple[str, type[JupyterHandler]]]:
    """A handler for every path of the table."""
    paths: dict[str, dict[str, Route]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.verb] = route
    made = [
        (pattern_of(path), type("PathHandler", (WorkbenchHandler,), {"by_verb": by_verb, "__doc__": path}))
        for path, by_verb in paths.items()
    ]
    others: list[tuple[str, type[JupyterHandler]]] = [*OTHERS, (PATH, Stream)]
    return [*made, *((pattern_of(path), kind) for path, kind in others), ("/workbench/api/(?P<path>.*)", NothingHere)]
