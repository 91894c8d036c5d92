"""A deployment that cannot be put together stands aside alone: status ERROR, what is wrong, and how it goes on.

Its row was damaged, its calendar is not here, or another version of the engine stored its state. The others run on. It
is tried again when a person says RESUME, and may be given up by STOP; nothing else is done with it, for nobody knows
what it would decide. What it has at the broker stays there.

Invariants: status, note and row of the journal are one transaction; a journal goes on from its head.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from workbench.journal import tables
from workbench.journal.chain import canonical, link
from workbench.live.asking import Answer, Asked, Verb
from workbench.live.given import Given
from workbench.live.intents import OPEN, IntentState
from workbench.live.lease import Lease
from workbench.live.page import Page
from workbench.live.restore import StateError, restored
from workbench.live.standing import UNMANAGED, Status, is_leaving
from workbench.live.words import counted, figure

#: What putting a deployment together may end with, besides what the database itself does.
REASONS = (StateError, ValueError, LookupError, TypeError)

_STATES = tables.deployment_states
_ROW = (
    sa.select(
        tables.deployments,
        tables.strategy_versions.c.content,
        *(column for column in _STATES.c if column.name != "deployment_id"),
    )
    .join(tables.strategy_versions, tables.strategy_versions.c.hash == tables.deployments.c.strategy_hash)
    .join(_STATES, _STATES.c.deployment_id == tables.deployments.c.id)
    .where(tables.deployments.c.id == sa.bindparam("ident"))
)


def stand_aside(lease: Lease, ident: str, why: str, now_ns: int) -> None:
    """Write down that a deployment cannot be put together; one that was stopped stays stopped, and waits for a person.

    Parameters
    ----------
    lease : Lease
        The right to write.
    ident : str
        Of the deployment.
    why : str
        What is wrong.
    now_ns : int
        When.
    """
    page = Page()
    with lease.fenced() as connection:
        row = connection.execute(_ROW, {"ident": ident}).mappings().one()
        name = row["name"]
        how = f"Mend that, then `workbench resume {name}`; or give it up: `workbench stop {name} --keep`"
        changes = {"status": Status.ERROR.value, "note": f"cannot be put together: {why.rstrip('.')}. {how}"}
        if row["status"] == Status.STOPPED.value:
            note = f"stopped, and cannot be put together to listen: {why}"
            changes = {"runtime_state": "PAUSED_RECONCILE", "note": note}
        if any(row[key] != value for key, value in changes.items()):
            _append(
                page, row, now_ns, "ERROR", {"why": why, "was": {key: row[key] for key in ("status", "note")}}, changes
            )
            page.write(connection)


class Aside:
    """Obeys what is asked of deployments that stand aside, for one runner.

    Parameters
    ----------
    lease : Lease
        The right to write, and the database.
    killing : callable
        Does what KILL and ARM say: page, command, name of the deployment, now.
    """

    def __init__(self, lease: Lease, killing: Callable[[Page, Asked, str, int], Answer]) -> None:
        self._lease, self._killing = lease, killing

    def obey(self, page: Page, one: Asked, now_ns: int) -> Answer | None:
        """Answer a command about one that stands aside; None for any other deployment."""
        with self._lease.store.read() as connection:
            row = connection.execute(_ROW, {"ident": one.deployment_id}).mappings().one_or_none()
        if row is None or row["owner"] != one.owner:
            return None
        verb = Verb(one.verb)
        if verb is Verb.STOP and row["status"] == Status.STOPPED.value and is_leaving(row["runtime_state"]):
            return self._stop(page, one, row, now_ns)
        if row["status"] != Status.ERROR.value:
            return None
        if verb in (Verb.KILL, Verb.ARM):
            return self._killing(page, one, row["name"], now_ns)
        if verb is Verb.RESUME:
            return self._resume(page, one, row, now_ns)
        if verb is Verb.STOP:
            return self._stop(page, one, row, now_ns)
        return Answer(False, f"{row['name']} is not run: it {row['note']}.")

    def _resume(self, page: Page, one: Asked, row: Any, now_ns: int) -> Answer:
        """Try again; the runner takes it on at its next look."""
        try:
            given = Given.of(row, row["content"])
            with self._lease.store.read() as connection:
                restored(connection, given)
        except REASONS as error:
            return Answer(False, f"{row['name']} still cannot be put together: {reason(error)}")
        note = f"{row['runtime_state']} before it stood aside" if row["runtime_state"].startswith("PAUSED") else ""
        changes = {"status": Status.RUNNING.value, "note": note}
        _append(page, row, now_ns, "RESUMED", {**one.by(), "was": Status.ERROR.value}, changes)
        return Answer(True, f"{row['name']} can be put together again: it is taken on now.")

    def _stop(self, page: Page, one: Asked, row: Any, now_ns: int) -> Answer:
        """Give it up: it cannot take its orders back, so that whatever it has at the broker is named."""
        ident, name, keep = row["id"], row["name"], one.body.get("keep") is True
        held, orders, unsaid = self._left(ident)
        what = ", ".join(f"{figure(qty)} {instrument}" for instrument, qty in sorted(held.items()))
        left = f"it holds {what or 'nothing'}; {counted(len(orders), 'order')} may work at the broker"
        if (held or orders) and not keep:
            return Answer(
                False,
                f"{name} stands aside, so that nothing of it can be cancelled: by its fills {left}. Nothing was "
                "changed. Look at the broker; then say that what is there is kept: --keep, keep=True.",
            )
        for intent in unsaid:
            never = intent.state in (IntentState.HELD.value, IntentState.PLANNED.value)
            state = IntentState.EXPIRED if never else IntentState.OPERATOR
            page.intent(ident, intent.number, state=state.value, detail="given up when it stood aside")
        who = f"stopped by {one.who}{f': {one.why}' if one.why else ''}"
        note = f"{who}. It stood aside, and {left}: nobody manages that. Close and cancel at the broker"
        is_left = bool(held or orders)
        changes = {
            "status": Status.STOPPED.value,
            "runtime_state": UNMANAGED if is_left else "FLAT",
            "note": note if is_left else who,
        }
        body = {**one.by(), "held": dict(sorted(held.items())), "orders_kept": orders, "orders_cancelled": []}
        _append(page, row, now_ns, "STOPPED", body, changes)
        return Answer(True, f"{name} is stopped. By its fills {left}{': ' if orders else ''}{', '.join(orders)}.")

    def _left(self, ident: str) -> tuple[dict[str, float], list[str], list[Any]]:
        """What its fills leave by instrument, ids of orders that may work, and intents with which we are not done."""
        fills, orders, intents = tables.fills, tables.orders, tables.intents
        summed = sa.select(fills.c.instrument, sa.func.sum(fills.c.side * fills.c.qty)).group_by(fills.c.instrument)
        working = sa.select(orders.c.cid).where(orders.c.deployment_id == ident, orders.c.status == "WORKING")
        states = [one.value for one in OPEN]
        unsaid = intents.select().where(intents.c.deployment_id == ident, intents.c.state.in_(states))
        with self._lease.store.read() as connection:
            held = {
                name: float(qty)
                for name, qty in connection.execute(summed.where(fills.c.deployment_id == ident))
                if qty
            }
            cids = list(connection.execute(working.order_by(orders.c.order_no)).scalars())
            return held, cids, list(connection.execute(unsaid))


def reason(error: Exception) -> str:
    """What is wrong, as a sentence: errors that were not meant for a person are named."""
    if type(error).__module__.startswith("workbench"):
        return str(error)
    return f"what is stored of it cannot be read: {error!r}."


def _append(page: Page, row: Any, now_ns: int, kind: str, body: dict[str, Any], changes: dict[str, Any]) -> None:
    """One row of a journal of which nothing is in memory, and what changes with it."""
    ident, seq, text = row["id"], row["head_seq"] + 1, canonical(body)
    digest = link(row["head_hash"], ident, seq, row["instant_ns"], now_ns, kind, text)
    page.add(
        tables.journal,
        {
            "deployment_id": ident,
            "seq": seq,
            "instant_ns": row["instant_ns"],
            "at_ns": now_ns,
            "kind": kind,
            "body": text,
            "hash": digest,
        },
    )
    page.states[ident,] = {**changes, "head_seq": seq, "head_hash": digest}
