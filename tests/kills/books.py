"""What must hold in a database whatever was done to its runners, by plain SQL."""

from __future__ import annotations

import json
from collections import Counter

import sqlalchemy as sa

from workbench.journal.store import Store
from workbench.journal.verify import faults as chain_faults

#: What a query must find nothing of, and what it would be.
NOTHING = {
    "jobs done twice": "SELECT key FROM jobs WHERE deployment_id = :one GROUP BY key HAVING count(*) > 1",
    "instants that passed twice": "SELECT instant_ns FROM journal WHERE deployment_id = :one AND kind IN "
    "('EVALUATED', 'BAR_CLOSED_RECEIVED') GROUP BY instant_ns HAVING count(*) > 1",
    "executions booked twice": "SELECT cid FROM fills WHERE deployment_id = :one GROUP BY cid, exec_id "
    "HAVING count(*) > 1",
    "orders taken twice by the broker": "SELECT cid FROM paper_orders WHERE account = :one GROUP BY cid "
    "HAVING count(*) > 1",
    "orders at the broker that were never meant": "SELECT cid FROM paper_orders WHERE account = :one AND cid NOT IN "
    "(SELECT cid FROM intents WHERE deployment_id = :one)",
    "executions of no order": "SELECT cid FROM fills WHERE deployment_id = :one AND cid NOT IN "
    "(SELECT cid FROM orders WHERE deployment_id = :one)",
}
HELD = "SELECT instrument, sum(side * qty) AS qty FROM fills WHERE deployment_id = :one GROUP BY instrument"
AT_BROKER = "SELECT positions FROM paper_accounts WHERE account = :one"
TOLD = "SELECT content FROM paper_events WHERE account = :one"


def faults(store: Store, ident: str) -> list[str]:
    """Everything that must not be, as sentences; empty when all is well."""
    out = []
    with store.read() as connection:
        for what, query in NOTHING.items():
            found = connection.execute(sa.text(query), {"one": ident}).scalars().all()
            out += [f"{what}: {found[:5]}"] if found else []
        held = {row.instrument: row.qty for row in connection.execute(sa.text(HELD), {"one": ident}) if row.qty}
        stored = connection.execute(sa.text(AT_BROKER), {"one": ident}).scalar()
        there = {name: one[0] for name, one in json.loads(stored or "{}").items() if one[0]}
        if held != there:
            out.append(f"fills say {held}, the broker {there}")
        told = [json.loads(one) for one in connection.execute(sa.text(TOLD), {"one": ident}).scalars()]
        again = [key for key, count in Counter(one[4] for one in told if one[3] == "FILL").items() if count > 1]
        out += [f"executions told twice: {again}"] if again else []
        out += chain_faults(connection, ident)
    return out
