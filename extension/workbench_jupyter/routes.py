"""Everything that can be asked over HTTP, in one table: path, verb, what may be sent, what is done.

The handlers, the OpenAPI document and the tests of who may ask what are made from it.
"""

from __future__ import annotations

from typing import NamedTuple

from pydantic import BaseModel

from workbench_jupyter import calls
from workbench_jupyter.bodies import (
    EquityQuery,
    JournalQuery,
    KillAll,
    Limit,
    Reason,
    Resolve,
    Resume,
    Stop,
    Wanted,
    Why,
)
from workbench_jupyter.calls import Call, asked, table
from workbench_jupyter.deploying import deployed, previewed


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
    is_kill : bool
        Whether it puts the kill switch down, before the database is asked for anything.
    """

    verb: str
    path: str
    call: Call
    summary: str
    sent: type[BaseModel] | None = None
    is_kill: bool = False

    @property
    def names(self) -> list[str]:
        """Names in the path."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]


ONE = "deployments/{name}"

ROUTES = (
    Route("GET", "deployments", table("deployments"), "Every deployment: what it is, and whether it is evaluated"),
    Route("POST", "deployments", deployed, "Hand a strategy to the runner; this trades nothing by itself", Wanted),
    Route("POST", "preview", previewed, "What deploying it would do and meet; writes nothing", Wanted),
    Route("GET", "strategies", calls.strategies, "What was deployed, as it was pinned"),
    Route("GET", "calendar/{name}", calls.calendar, "Today there, and whether the sessions to come are known"),
    Route("GET", ONE, calls.status, "Everything that is known of one"),
    Route("GET", f"{ONE}/journal", calls.journal, "Rows of its journal, the newest first", JournalQuery),
    Route("GET", f"{ONE}/orders", table("orders"), "Its orders"),
    Route("GET", f"{ONE}/fills", table("fills"), "Its executions"),
    Route("GET", f"{ONE}/trades", table("trades"), "Its trades, open ones last"),
    Route("GET", f"{ONE}/equity", calls.equity, "Its account at every bar", EquityQuery),
    Route("GET", f"{ONE}/slippage", table("slippage"), "Each fill beside the fill model"),
    Route("POST", f"{ONE}/pause", asked("pause"), "No evaluation and no new order; protective orders stay", Why),
    Route("POST", f"{ONE}/resume", asked("resume"), "Evaluate again", Resume),
    Route("POST", f"{ONE}/stop", asked("stop"), "End it for good", Stop),
    Route("POST", f"{ONE}/flatten", asked("flatten"), "Close its positions at the next open, and pause", Why),
    Route("POST", f"{ONE}/resolve", asked("resolve"), "Choose beside a position of the other direction", Resolve),
    Route("POST", f"{ONE}/kill", asked("kill"), "Stop its evaluations and entries", Reason, is_kill=True),
    Route("POST", f"{ONE}/arm", asked("arm"), "Lift its kill", Reason),
    Route("GET", "exposure", table("exposure"), "What all deployments hold together"),
    Route("GET", "limits", table("limits"), "How much may be done, and what is used of it"),
    Route("PUT", "limits/{name}", calls.set_limit, "Set a limit", Limit),
    Route("POST", "kill", calls.kill, "Stop evaluations and entries; close all, if asked", KillAll, is_kill=True),
    Route("POST", "arm", asked("arm"), "Lift the kill of everything", Reason),
)
