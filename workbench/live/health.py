"""How an owner's deployments stand in a few figures: who runs the database, what is killed, who waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.live.facts import Moment


def health_of(lines: Sequence[dict[str, Any]], moment: Moment, owner: str) -> dict[str, Any]:
    """Who runs the database, what is killed, and how many deployments are evaluated or wait for a person.

    Parameters
    ----------
    lines : sequence of dict
        Of ``facts.listed``, every deployment of the owner.
    moment : Moment
        Now.
    owner : str
        Whose kills are named.
    """
    alive = [line for line in lines if line["status"] != "STOPPED"]
    return {
        "runner": moment.holder.name if moment.holder.runs(moment.now_ns) else "",
        "kills": [kill.words() for kill in moment.kills if kill.owner in ("", owner)],
        "deployments": len(alive),
        "evaluated": sum(line["is_evaluated"] for line in alive),
        "waiting": [line["name"] for line in alive if line["runtime_state"].startswith("PAUSED_")],
        "errors": [line["name"] for line in alive if line["status"] == "ERROR"],
        "stale": [line["name"] for line in alive if line["stale"]],
    }
