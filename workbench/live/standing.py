"""Where a deployment stands besides what the engine knows: status, counts, and the head of its journal."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from workbench.brokers.port import Event
from workbench.journal import tables
from workbench.journal.chain import FIRST, canonical, link
from workbench.live.deployed import Deployed, layout
from workbench.live.page import Page, Row

#: What a deployment has counted before it begins.
NO_COUNTS = {"intents": 0, "fills": 0, "bars": 0, "events": 0}


#: Runtime states of what was stopped: the broker's last word is awaited; it left a position that nobody manages.
LEAVING = "STOPPING"
UNMANAGED = "UNMANAGED_POSITION"


class Status(Enum):
    """What a person asked for, or what went wrong."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"
    ERROR = "ERROR"


class Known(NamedTuple):
    """A working order as both sides name it."""

    cid: str
    instrument: str
    side: int
    qty: float
    kind: str
    reason: str


@dataclass
class Standing:
    """A deployment with its place in the journal.

    Attributes
    ----------
    deployed : Deployed
        The engine's side of it.
    status : Status
        PAUSED evaluates nothing and sends no new order but what protects or flattens.
    state : str
        FLAT, IN_POSITION, WARMING_UP or a PAUSED_ that says why; of what was stopped also ``LEAVING``, ``UNMANAGED``.
    head_seq, head_hash : int, str
        Last row of the journal.
    counts : dict
        ``intents``, ``fills`` and ``bars`` (strategy bars evaluated) so far; ``events`` of the broker seen.
    known : dict of int to Known
        Every order that works, by its number.
    parts : dict of int to list of Event
        Executions of orders that are not done, by the number of the order.
    held : dict of int to int
        Orders that wait for exits (D8), with the number of the intent to submit them.
    history : str
        Hash of the bars that were fed when it was put together.
    cut : set of int
        Entries of which a part has filled and the rest was taken back.
    stale : dict of str to int
        Instruments whose bars are missing (``freshness``), with the instant up to which they are known.
    """

    deployed: Deployed
    status: Status = Status.RUNNING
    state: str = "WARMING_UP"
    heartbeat_ns: int = 0
    evaluated_ns: int = 0
    decision: str = ""
    reason: str = ""
    note: str = ""
    head_seq: int = 0
    head_hash: str = FIRST
    counts: dict[str, int] = field(default_factory=lambda: dict(NO_COUNTS))
    known: dict[int, Known] = field(default_factory=dict)
    parts: dict[int, list[Event]] = field(default_factory=dict)
    held: dict[int, int] = field(default_factory=dict)
    history: str = ""
    cut: set[int] = field(default_factory=set)
    stale: dict[str, int] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Of the deployment."""
        return self.deployed.given.id

    def held_qty(self) -> dict[str, float]:
        """Signed units by instrument, executions of orders that are not done included."""
        deployed = self.deployed
        held = {name: float(deployed.desk.positions[k]["qty"]) for k, name in enumerate(deployed.names)}
        for order, parts in self.parts.items():
            known = self.known[order]
            held[known.instrument] += known.side * sum(one.qty for one in parts)
        return {name: qty for name, qty in held.items() if qty != 0.0}

    def write(self, page: Page, instant_ns: int, at_ns: int, kind: str, body: Any) -> None:
        """Append one row to its journal."""
        text = canonical(body)
        self.head_seq += 1
        self.head_hash = link(self.head_hash, self.id, self.head_seq, instant_ns, at_ns, kind, text)
        page.add(
            tables.journal,
            {
                "deployment_id": self.id,
                "seq": self.head_seq,
                "instant_ns": instant_ns,
                "at_ns": at_ns,
                "kind": kind,
                "body": text,
                "hash": self.head_hash,
            },
        )

    def keep(self, page: Page, at_ns: int) -> None:
        """Write where it stands now."""
        self.heartbeat_ns = at_ns
        if self.state in _SHOWN:  # a PAUSED_ state lasts until a person ends it
            self.state = self._shown()
        page.states[self.id,] = self.columns()

    def columns(self) -> Row:
        """Its row of ``deployment_states``, without the key."""
        return {
            "status": self.status.value,
            "runtime_state": self.state,
            "instant_ns": self.deployed.passed_ns,
            "phase": 0,
            "heartbeat_ns": self.heartbeat_ns,
            "evaluated_ns": self.evaluated_ns,
            "decision": self.decision,
            "reason": self.reason,
            "warm_bars": self.counts["bars"],
            "records": self.deployed.state(),
            "layout": layout(),
            "counts": canonical(self.counts),
            "head_seq": self.head_seq,
            "head_hash": self.head_hash,
            "note": self.note,
            "stale": json.dumps(self.stale) if self.stale else "",
        }

    def _shown(self) -> str:
        if self.deployed.is_in_position:
            return "IN_POSITION"
        return "FLAT" if self.deployed.is_warm else "WARMING_UP"

    @classmethod
    def of(cls, deployed: Deployed, row: Row) -> Standing:
        """From a row of ``deployment_states``; account and positions are put back too."""
        if row["instant_ns"]:
            deployed.restore(row["records"])
        return cls(
            deployed=deployed,
            status=Status(row["status"]),
            state=row["runtime_state"],
            heartbeat_ns=row["heartbeat_ns"],
            evaluated_ns=row["evaluated_ns"],
            decision=row["decision"],
            reason=row["reason"],
            note=row["note"],
            head_seq=row["head_seq"],
            head_hash=row["head_hash"],
            counts=json.loads(row["counts"]),
            stale=json.loads(row["stale"] or "{}"),
        )


_SHOWN = ("FLAT", "IN_POSITION", "WARMING_UP")


def is_leaving(state: str) -> bool:
    """Whether a stopped deployment in a runtime state is still with its runner."""
    return state == LEAVING or state.startswith("PAUSED")
