"""What happened, on Jupyter's own stream of events: rows of journals under the topics that programs subscribe to.

Anybody who may use the server can listen at ``api/events/subscribe``; JupyterLab does. A row of a journal is told once
while the server runs, within seconds of its commit. What must not be missed is read from the journal itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_events import EventLogger

from workbench_jupyter.plain import plain

#: Kinds of rows, by topic.
TOPICS: Mapping[str, tuple[str, ...]] = {
    "strategy.execution.started": ("STARTED", "RESUMED"),
    "strategy.execution.stopped": ("PAUSED", "STOPPED", "KILLED"),
    "strategy.trade": ("FILLED", "PARTIAL_FILL", "TRADE_CLOSED"),
    "strategy.error": ("ERROR", "ORDER_REJECTED", "STALE_DATA", "FLATTEN_FAILED", "RECONCILIATION_ACTION"),
}
#: The kind and the topic of a deployment that was not there before.
DEPLOYED, _DEPLOYED_TOPIC = "DEPLOYED", "strategy.deployed"

_TOPIC_OF = {DEPLOYED: _DEPLOYED_TOPIC, **{kind: topic for topic, kinds in TOPICS.items() for kind in kinds}}

#: Every kind of row that is told.
KINDS = tuple(kind for kinds in TOPICS.values() for kind in kinds)

_TEXT = {"type": "string"}
_TIME = {"type": ["string", "null"], "format": "date-time"}


def schema_id(topic: str) -> str:
    """The name under which Jupyter knows a topic."""
    return f"urn:workbench:{topic}"


def register(logger: EventLogger) -> None:
    """Tell Jupyter what will be told; a second time does nothing."""
    for topic in sorted(set(_TOPIC_OF.values())):
        if schema_id(topic) not in logger.schemas:
            logger.register_event_schema(_schema(topic))


def tell(logger: EventLogger, rows: Sequence[Mapping[str, Any]]) -> None:
    """Tell rows of journals, as ``Overview.news`` gives them."""
    for row in rows:
        data = {name: plain(row[name]) for name in ("deployment", "seq", "kind", "instant", "at", "body")}
        logger.emit(schema_id=schema_id(_TOPIC_OF[row["kind"]]), data=data)


def _schema(topic: str) -> dict[str, Any]:
    return {
        "$id": schema_id(topic),
        "version": "1",
        "title": f"Workbench: {topic}",
        "description": "A row of a deployment's journal.",
        "type": "object",
        "required": ["deployment", "seq", "kind", "instant", "at", "body"],
        "properties": {
            "deployment": {**_TEXT, "title": "Its name"},
            "seq": {"type": "integer", "title": "Number of the row in its journal, 0 for no row"},
            "kind": {**_TEXT, "title": "Kind of the row"},
            "instant": {**_TIME, "title": "What it is about"},
            "at": {**_TIME, "title": "When it was written"},
            "body": {"type": "object", "title": "What the row says"},
        },
    }
