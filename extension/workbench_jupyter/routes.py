"""Everything that can be asked over HTTP, in one table: path, verb, what may be sent, what is done.

The handlers, the OpenAPI document and the tests of who may ask what are made from it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel

from workbench_jupyter.bodies import JournalQuery, Limit, Reason, Resolve, Resume, Stop, Why
from workbench_jupyter.plain import plain, rows_of

if TYPE_CHECKING:  # a server starts without the engine
    from workbench.live.client import Client

Call = Callable[["Client", dict[str, str], Any], Any]


class Route(NamedTuple):
    """One thing that can be asked.

    Attributes
    ----------
    verb, path : str
        Such as ``GET`` and ``deployments/{name}/journal``.
    call : callable
        What is done: of the client, the names in the path, and what was sent.
    summary : str
        In words.
    sent : type of BaseModel, optional
        The body of a POST or PUT, the query of a GET.
    """

    verb: str
    path: str
    call: Call
    summary: str
    sent: type[BaseModel] | None = None

    @property
    def names(self) -> list[str]:
        """Names in the path."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]


def _reply(reply: Any) -> dict[str, Any]:
    return {"number": reply.number, "is_done": reply.is_done, "text": reply.text}


def _table(read: str, index: str | None = None) -> Call:
    def call(client: Client, names: dict[str, str], _: Any) -> Any:
        return rows_of(getattr(client, read)(**names), index)

    return call


def _asked(verb: str) -> Call:
    """A command to the runner: everything that was sent is an argument."""

    def call(client: Client, names: dict[str, str], sent: Any) -> Any:
        return _reply(getattr(client, verb)(**names, **sent.model_dump()))

    return call


def _journal(client: Client, names: dict[str, str], sent: Any) -> Any:
    return rows_of(client.journal(names["name"], sent.kind, sent.before, sent.limit))


def _set_limit(client: Client, names: dict[str, str], sent: Any) -> Any:
    client.set_limit(names["name"], sent.value)
    return rows_of(client.limits())


ONE = "deployments/{name}"

ROUTES = (
    Route("GET", "deployments", _table("deployments"), "Every deployment: what it is, and whether it is evaluated"),
    Route("GET", ONE, lambda client, names, _: plain(client.status(**names)), "Everything that is known of one"),
    Route("GET", f"{ONE}/journal", _journal, "Rows of its journal, the newest first", JournalQuery),
    Route("GET", f"{ONE}/orders", _table("orders"), "Its orders"),
    Route("GET", f"{ONE}/fills", _table("fills"), "Its executions"),
    Route("GET", f"{ONE}/trades", _table("trades"), "Its trades, open ones last"),
    Route("GET", f"{ONE}/equity", _table("equity", "ts_close"), "Its account at every bar"),
    Route("GET", f"{ONE}/slippage", _table("slippage"), "Each fill beside the fill model"),
    Route("POST", f"{ONE}/pause", _asked("pause"), "No evaluation and no new order; protective orders stay", Why),
    Route("POST", f"{ONE}/resume", _asked("resume"), "Evaluate again", Resume),
    Route("POST", f"{ONE}/stop", _asked("stop"), "End it for good", Stop),
    Route("POST", f"{ONE}/flatten", _asked("flatten"), "Close its positions at the next open, and pause", Why),
    Route("POST", f"{ONE}/resolve", _asked("resolve"), "Choose beside a position of the other direction", Resolve),
    Route("POST", f"{ONE}/kill", _asked("kill"), "Stop its evaluations and entries until it is armed", Reason),
    Route("POST", f"{ONE}/arm", _asked("arm"), "Lift its kill", Reason),
    Route("GET", "exposure", _table("exposure"), "What all deployments hold together"),
    Route("GET", "limits", _table("limits"), "How much may be done, and what is used of it"),
    Route("PUT", "limits/{name}", _set_limit, "Set a limit", Limit),
    Route("POST", "kill", _asked("kill"), "Stop evaluations and entries of everything until armed", Reason),
    Route("POST", "arm", _asked("arm"), "Lift the kill of everything", Reason),
)
