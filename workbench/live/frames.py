"""Orders, fills, trades and equity of a deployment as the tables of a result (rule N5), from stored rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from workbench.engine.levels import excursion_frac
from workbench.engine.records import Records
from workbench.journal import tables
from workbench.journal.rows import journal_rows, points_of
from workbench.schema import Reason

_TEXT = ("instrument", "side", "kind", "reason", "status", "order_id", "direction", "entry_reason", "exit_reason")
_TIMES = ("ts", "entry_ts", "exit_ts", "instant", "at")

ORDERS = ("ts", "instrument", "side", "qty", "kind", "limit_price", "stop_price", "reason", "status", "order_id")
FILLS = ("ts", "instrument", "side", "qty", "price", "charges", "reason", "kind", "order_id")
TRADES = (
    "instrument", "direction", "qty", "entry_ts", "entry_price", "entry_reason", "exit_ts", "exit_price", "exit_reason",
    "gross_pnl", "charges", "net_pnl", "return_frac", "r_multiple", "mae_frac", "mfe_frac", "bars_held", "is_open",
)  # fmt: skip
JOURNAL = ("seq", "instant", "at", "kind", "body")

#: Columns of whole numbers and of truths; what is not text, a time or one of these is a number with a fraction.
_KINDS = {"bars_held": "int64", "is_open": "bool", "seq": "int64", "body": "object"}


def instant(ns: int) -> pd.Timestamp | None:
    """Nanoseconds since 1970-01-01 as a time in UTC; None for 0, which means never."""
    return pd.Timestamp(ns, tz="UTC") if ns > 0 else None


def times(ns: Sequence[int]) -> pd.DatetimeIndex:
    """The same of many; below 1 is missing."""
    stamps = np.array(ns, np.int64).astype("datetime64[ns]")
    stamps[np.array(ns, np.int64) < 1] = np.datetime64("NaT")
    return pd.DatetimeIndex(stamps).tz_localize("UTC")


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Rows as a table whose columns are of the same kinds whether or not there is a row."""
    listed = list(rows)
    found: dict[str, Any] = {}
    for name in columns:
        cells = [row[name] for row in listed]
        if name in _TIMES:
            found[name] = times(cells)
        elif name in _TEXT:
            found[name] = pd.Series(cells, dtype="str")
        else:
            found[name] = pd.Series(cells, dtype=_KINDS.get(name, "float64"))
    return pd.DataFrame(found, columns=list(columns))


def orders_frame(connection: sa.Connection, deployment_id: str) -> pd.DataFrame:
    """One row an order, in the order of sending; protective orders with their last level."""
    at = tables.orders
    wanted = at.select().where(at.c.deployment_id == deployment_id).order_by(at.c.order_no)
    rows = [
        {
            "ts": row.decided_ns,
            "instrument": row.instrument,
            "side": _side(row.side),
            "qty": row.qty,
            "kind": row.kind,
            "limit_price": row.price if row.kind == "target" else None,
            "stop_price": row.price if row.kind == "stop" else None,
            "reason": row.reason,
            "status": row.status,
            "order_id": row.cid,
        }
        for row in connection.execute(wanted)
    ]
    return table(rows, ORDERS)


def fills_frame(connection: sa.Connection, deployment_id: str) -> pd.DataFrame:
    """One row an execution, in the order of booking; ``ts`` is the opening instant of its base bar."""
    at = tables.fills
    wanted = at.select().where(at.c.deployment_id == deployment_id).order_by(at.c.number)
    rows = [
        {**row, "ts": row["ns"], "side": _side(row["side"]), "order_id": row["cid"]}
        for row in connection.execute(wanted).mappings()
    ]
    return table(rows, FILLS)


def trades_frame(
    connection: sa.Connection, deployment_id: str, names: Sequence[str], positions: Records | None
) -> pd.DataFrame:
    """One row a trade: closed ones in the order of their exits, then open ones by name, marked at their last close.

    Parameters
    ----------
    connection : sa.Connection
        Of ``Store.read``.
    deployment_id : str
        Whose.
    names : sequence of str
        Of its instruments, in the order of the positions.
    positions : Records or None
        Where it stands; None leaves open trades out.
    """
    rows = [_closed(body) for body in closed_trades(connection, deployment_id)]
    held = [] if positions is None else zip(names, positions, strict=True)
    rows += [_open(name, row) for name, row in held if row["qty"] != 0.0]
    return table(rows, TRADES)


def closed_trades(connection: sa.Connection, deployment_id: str) -> list[dict[str, Any]]:
    """What the journal says of each trade that ended, in the order of their exits."""
    return [json.loads(row.body) for row in journal_rows(connection, deployment_id, ("body",), ("TRADE_CLOSED",))]


def equity_frame(connection: sa.Connection, deployment_id: str, initial_cash: float) -> pd.DataFrame:
    """One row an instant at which an instrument had a bar: cash, position value, equity, drawdown (R2)."""
    rows = list(points_of(connection, deployment_id))
    cash, value = (np.array([getattr(row, name) for row in rows], np.float64) for name in ("cash", "position_value"))
    equity = cash + value
    peak = np.maximum.accumulate(np.maximum(equity, initial_cash))
    return pd.DataFrame(
        {"cash": cash, "position_value": value, "equity": equity, "drawdown_frac": equity / peak - 1.0},
        index=times([row.ts_ns for row in rows]).rename("ts_close"),
    )


def journal_page(
    connection: sa.Connection, deployment_id: str, kind: str | None, before: int | None, limit: int
) -> list[sa.Row[Any]]:
    """Rows of the journal as they are stored, the newest first."""
    kinds = None if kind is None else (kind,)
    return list(islice(journal_rows(connection, deployment_id, None, kinds, before, newest_first=True), limit))


def journal_frame(found: Iterable[sa.Row[Any]]) -> pd.DataFrame:
    """Rows of a journal as a table; ``body`` as plain data."""
    rows = [
        {"seq": row.seq, "instant": row.instant_ns, "at": row.at_ns, "kind": row.kind, "body": json.loads(row.body)}
        for row in found
    ]
    frame = table(rows, JOURNAL)
    return frame.astype({"kind": "str"})


def _side(side: int) -> str:
    return "BUY" if side > 0 else "SELL"


def _closed(body: Mapping[str, Any]) -> dict[str, Any]:
    net = body["gross_pnl"] - body["charges"]
    return {
        **body,
        "direction": "LONG" if body["direction"] > 0 else "SHORT",
        "entry_ts": body["entry_ns"],
        "exit_ts": body["exit_ns"],
        "entry_reason": Reason.ENTRY_SIGNAL.name,
        "net_pnl": net,
        "return_frac": net / (body["entry_price"] * body["qty"]),
        "is_open": False,
        # A short that never moved has an excursion of -0.0, which is no number to show.
        "mae_frac": body["mae_frac"] + 0.0,
        "mfe_frac": body["mfe_frac"] + 0.0,
    }


def _open(name: str, row: Any) -> dict[str, Any]:
    """A trade that nothing has closed, marked at its last close."""
    qty, entry, charges = float(row["qty"]), float(row["entry_price"]), float(row["entry_charges"])
    direction = 1 if qty > 0.0 else -1
    gross = qty * (float(row["mark"]) - entry)
    risk = abs(entry - float(row["first_level"])) * abs(qty)
    return {
        "instrument": name,
        "direction": "LONG" if direction > 0 else "SHORT",
        "qty": abs(qty),
        "entry_ts": int(row["entry_ns"]),
        "entry_price": entry,
        "entry_reason": Reason.ENTRY_SIGNAL.name,
        "exit_ts": 0,
        "exit_price": None,
        "exit_reason": "",
        "gross_pnl": gross,
        "charges": charges,
        "net_pnl": gross - charges,
        "return_frac": (gross - charges) / (entry * abs(qty)),
        "r_multiple": (gross - charges) / risk if risk > 0.0 else None,
        "mae_frac": excursion_frac(entry, float(row["worst"]), direction) + 0.0,
        "mfe_frac": excursion_frac(entry, float(row["best"]), direction) + 0.0,
        "bars_held": max(int(row["bars_held"]), 0),
        "is_open": True,
    }
