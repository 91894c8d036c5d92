"""What a deployment has out: orders that work at the broker, and intents whose end is not known."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from workbench.journal import tables
from workbench.live.frames import instant
from workbench.live.intents import OPEN


def working_orders(connection: sa.Connection, deployment_id: str) -> list[dict[str, Any]]:
    """Orders that work, in the order of sending."""
    table = tables.orders
    wanted = table.select().where(table.c.deployment_id == deployment_id, table.c.status == "WORKING")
    return [
        {
            "order_id": row.cid,
            "ts": instant(row.decided_ns),
            "instrument": row.instrument,
            "side": "BUY" if row.side > 0 else "SELL",
            "qty": row.qty,
            "kind": row.kind,
            "price": row.price or None,
            "reason": row.reason,
            "broker_id": row.broker_id,
        }
        for row in connection.execute(wanted.order_by(table.c.order_no))
    ]


def open_intents(connection: sa.Connection, deployment_id: str) -> list[dict[str, Any]]:
    """Intents that are on their way, or that a person must look at, in the order of their numbers."""
    table = tables.intents
    states = [*(one.value for one in OPEN), "NEEDS_OPERATOR"]
    wanted = table.select().where(table.c.deployment_id == deployment_id, table.c.state.in_(states))
    columns = ("number", "action", "instrument", "qty", "kind", "reason", "state", "detail")
    return [
        {**{name: row[name] for name in columns}, "order_id": row["cid"], "ts": instant(row["decided_ns"])}
        for row in connection.execute(wanted.order_by(table.c.number)).mappings()
    ]
