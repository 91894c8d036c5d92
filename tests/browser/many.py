"""A database with many deployments, a long journal, and hostile text wherever text can be; no runner looks at it."""

from __future__ import annotations

import json
import pathlib

import sqlalchemy as sa

import workbench as wb
from tests.browser.lab import CALENDAR, sample, strategy
from workbench.journal import tables
from workbench.live.client import Client

#: Each would raise ``hurt`` if it were taken for more than text.
CORPUS = (
    "<img src=x onerror=window.hurt=1>",
    "<script>window.hurt=1</script>",
    '"><svg onload=window.hurt=1>',
    "<iframe srcdoc='<script>parent.hurt=1</script>'>",
    "javascript:window.hurt=1",
    "{{constructor.constructor('hurt=1')()}}",
    "<details open ontoggle=window.hurt=1>x</details>",
    "<style>@import 'javascript:hurt=1'</style>",
    "&lt;b onclick=hurt=1&gt;",
    '<a href="javascript:window.hurt=1">x</a>',
    "`${window.hurt=1}`",
    "\u202e<img src=x onerror=hurt=1>",
)
HOSTILE = " ".join(CORPUS)
#: Name of the deployment that all of it is written into; names may hold anything but slashes.
EVIL = "<img src=x onerror=window.hurt=1>'\"|&"
LONG, COUNT, ROWS = "d000", 200, 10_000
#: What is shown of it: signs that turn the direction of text are not.
SHOWN = HOSTILE.replace("\u202e", "\ufffd")
_NS = 10**9
_BEGIN = 1_673_308_800 * _NS


def crowded(folder: pathlib.Path) -> pathlib.Path:
    """A database with ``COUNT`` deployments, of which one has ``ROWS`` rows in its journal."""
    database = folder / "workbench.db"
    history = wb.Bars(sample().frame[:"2023-01-04"], "5m", CALENDAR)
    with Client.open(database) as client:
        for number in range(COUNT):
            name = EVIL if number == COUNT - 1 else f"d{number:03}"
            client.deploy(strategy(), history, wb.costs.none(), 100_000.0, name=name)
        names = client.deployments()["name"]
        assert len(names) == COUNT
        ids = {name: client.status(name)["id"] for name in (LONG, EVIL)}
        with client.store.write() as connection:
            _lengthen(connection, ids[LONG])
            _poison(connection, ids[EVIL])
    return database


def _journal(connection: sa.Connection, ident: str, rows: list[tuple[str, dict[str, object]]]) -> None:
    """Write rows that nobody chained: they are read, and never verified."""
    connection.execute(tables.journal.insert(), [
        {
            "seq": number, "deployment_id": ident, "instant_ns": _BEGIN + number * 300 * _NS,
            "at_ns": _BEGIN + number * 300 * _NS, "kind": kind, "body": json.dumps(body), "hash": "",
        }
        for number, (kind, body) in enumerate(rows, 1)
    ])  # fmt: skip
    states = tables.deployment_states
    connection.execute(states.update().where(states.c.deployment_id == ident).values(head_seq=len(rows)))


def _lengthen(connection: sa.Connection, ident: str) -> None:
    kinds = ("EVALUATED", "BAR_CLOSED_RECEIVED", "BAR_CLOSED_RECEIVED", "FILLED")
    body = {"open": 0, "bars": "0", "decisions": [["A", "ENTRY_FALSE", "", ""]]}
    _journal(connection, ident, [(kinds[number % 4], body) for number in range(ROWS)])


def _poison(connection: sa.Connection, ident: str) -> None:
    """Hostile text in every column of text that a panel shows."""
    order = {
        "cid": HOSTILE,
        "instrument": HOSTILE,
        "kind": HOSTILE,
        "reason": HOSTILE,
        "side": 1,
        "qty": 1,
        "price": 1.0,
    }
    trade = {
        "instrument": HOSTILE, "direction": 1, "qty": 1.0, "entry_ns": _BEGIN + 600 * _NS, "entry_price": 100.0,
        "exit_ns": _BEGIN + 900 * _NS, "exit_price": 101.0, "exit_reason": HOSTILE, "gross_pnl": 1.0,
        "charges": 0.0, "r_multiple": None, "mae_frac": 0.0, "mfe_frac": 0.0, "bars_held": 3,
    }  # fmt: skip
    decided = {"decisions": [[HOSTILE, "ENTRY_TRUE", HOSTILE, HOSTILE]], "values": [[1.0, None]], "held_back": HOSTILE}
    _journal(connection, ident, [
        *[("BAR_CLOSED_RECEIVED", {"open": 0})] * 4,
            ("STARTED", {HOSTILE: HOSTILE}), (HOSTILE[:120], {"who": HOSTILE, "why": HOSTILE}),
        ("PAUSED", {"who": HOSTILE, "why": HOSTILE, "deep": {HOSTILE: [HOSTILE]}}), ("EVALUATED", decided),
        ("ORDER_INTENT_CREATED", order), ("FILLED", order), ("TRADE_CLOSED", trade),
    ])  # fmt: skip
    states, orders = tables.deployment_states, tables.orders
    said = {"status": "PAUSED", "runtime_state": "PAUSED_DIRECTION_MISMATCH", "note": HOSTILE,
            "decision": HOSTILE[:120], "reason": HOSTILE[:120], "stale": json.dumps({HOSTILE: 1})}  # fmt: skip
    connection.execute(states.update().where(states.c.deployment_id == ident).values(said))
    connection.execute(orders.insert(), {
        "cid": HOSTILE[:120], "deployment_id": ident, "order_no": 1, "instrument": HOSTILE[:120], "side": 1, "qty": 1.0,
        "kind": HOSTILE[:120], "reason": HOSTILE[:120], "price": 1.0, "decided_ns": _NS, "status": "WORKING",
        "filled_qty": 0.0, "broker_id": HOSTILE[:120],
    })  # fmt: skip
    connection.execute(tables.equity_points.insert(), [
        {"ts_ns": _BEGIN + 300 * number * _NS, "deployment_id": ident, "cash": 100_000.0 + number,
         "position_value": 0.0, "held": False} for number in range(1, 8)
    ])  # fmt: skip
