"""Paper trading beside its backtest: every decision, action, order, fill, trade and point of equity, to the last bit.

The paper side is read from the database, the other from what a backtest left (rule P1).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from workbench.engine.desk import written
from workbench.engine.records import Action
from workbench.journal import tables
from workbench.journal.store import Store
from workbench.research.result import Result, run_of
from workbench.schema import OrderKind, Reason

Row = tuple[Any, ...]

#: Kinds of rows of the journal that tell of an action of the engine.
ORDER_KINDS = ("ORDER_INTENT_CREATED", "PROTECTIVE_SET", "PROTECTIVE_MOVED", "ORDER_CANCELLED", "FILLED")


class Compared(NamedTuple):
    """One kind of rows, side by side.

    Attributes
    ----------
    name : str
        What is compared.
    on_paper, in_backtest : int
        Rows of each.
    first : str
        The first difference in words; empty when there is none.
    """

    name: str
    on_paper: int
    in_backtest: int
    first: str


def compared(store: Store, ident: str, result: Result) -> list[Compared]:
    """A paper run beside a backtest, kind by kind.

    Parameters
    ----------
    store : Store
        Where the deployment traded.
    ident : str
        Its id.
    result : Result
        The backtest of the same.
    """
    out = []
    for name, (on_paper, in_backtest) in _SIDES.items():
        ours, theirs = on_paper(store, ident), in_backtest(result)
        out.append(Compared(name, len(ours), len(theirs), _first_difference(ours, theirs)))
    return out


def _first_difference(ours: list[Row], theirs: list[Row]) -> str:
    for place, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        if bits(one) != bits(other):
            return f"row {place}: {one} on paper, {other} in the backtest"
    if len(ours) != len(theirs):
        more = ours if len(ours) > len(theirs) else theirs
        place = min(len(ours), len(theirs))
        return f"row {place}: {more[place]} {'on paper' if more is ours else 'in the backtest'} only"
    return ""


def bits(row: Row) -> Row:
    """A row in which numbers are their bytes: 0.0 and -0.0 differ, a missing number is None."""
    return tuple(float(one).hex() if isinstance(one, float) else one for one in row)


def _plain(value: Any) -> Any:
    """A cell of a frame as the journal would say it."""
    if isinstance(value, float) and np.isnan(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


# --- what the database says -------------------------------------------------------------------------------------------


def rows_of(store: Store, name: str, ident: str, *order: str) -> list[dict[str, Any]]:
    """Rows of one deployment from a table, in an order."""
    table = tables.metadata.tables[name]
    with store.read() as connection:
        found = connection.execute(
            table.select().where(table.c.deployment_id == ident).order_by(*(table.c[one] for one in order))
        )
        return [dict(row) for row in found.mappings()]


def paper_decisions(store: Store, ident: str) -> list[Row]:
    """Decisions by instant."""
    told = rows_of(store, "journal", ident, "seq")
    return sorted((row["instant_ns"], *one) for row in told for one in json.loads(row["body"]).get("decisions", ()))


def paper_actions(store: Store, ident: str) -> list[Row]:
    """What the engine did with orders."""
    found = []
    for row in rows_of(store, "journal", ident, "seq"):
        if row["kind"] in ORDER_KINDS:
            b = json.loads(row["body"])
            what = (b["action"], b["order"], b["instrument"], b["kind"], b["reason"], b["side"], b["qty"], b["price"])
            found.append((row["instant_ns"], *what))
    return found


def paper_fills(store: Store, ident: str) -> list[Row]:
    """Executions."""
    return [
        (row["ns"], row["instrument"], "BUY" if row["side"] > 0 else "SELL", row["qty"], row["price"], row["charges"],
         row["reason"], row["kind"])
        for row in rows_of(store, "fills", ident, "number")
    ]  # fmt: skip


def paper_orders(store: Store, ident: str) -> list[Row]:
    """Orders with their last level and where they stand."""
    found = []
    for row in rows_of(store, "orders", ident, "order_no"):
        limit, stop = (row["price"] if row["kind"] == kind else None for kind in ("target", "stop"))
        side = "BUY" if row["side"] > 0 else "SELL"
        found.append((row["decided_ns"], row["instrument"], side, row["qty"], row["kind"], limit, stop, row["reason"],
                      row["status"]))  # fmt: skip
    return found


def paper_trades(store: Store, ident: str) -> list[Row]:
    """Trades that have closed."""
    found = []
    for row in rows_of(store, "journal", ident, "seq"):
        if row["kind"] == "TRADE_CLOSED":
            body = json.loads(row["body"])
            found.append(tuple(body[name] for name in sorted(body)))
    return found


def paper_equity(store: Store, ident: str) -> list[Row]:
    """Points of equity."""
    found = rows_of(store, "equity_points", ident, "ts_ns")
    return [(row["ts_ns"], row["cash"], row["position_value"]) for row in found]


# --- what the backtest says -------------------------------------------------------------------------------------------


def backtest_decisions(result: Any) -> list[Row]:
    """Decisions by instant."""
    frame = result.decisions
    columns = [frame["ts"].astype("int64"), *(frame[name].astype(str) for name in frame.columns[1:])]
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def backtest_actions(result: Any) -> list[Row]:
    """What the engine did with orders."""
    run, found = run_of(result), list[Row]()
    for row in written(run.desk, "actions"):
        kind, reason = OrderKind(int(row["kind"])).name.lower(), Reason(int(row["reason"])).name
        found.append((int(row["ns"]), Action(int(row["action"])).name, int(row["order"]),
                      run.instruments[int(row["instrument"])], kind, reason, int(row["side"]), float(row["qty"]),
                      _plain(float(row["price"]))))  # fmt: skip
    return found


def backtest_fills(result: Any) -> list[Row]:
    """Executions."""
    frame = result.fills.assign(ts=result.fills["ts"].astype("int64")).drop(columns="order_id")
    return list(frame.itertuples(index=False, name=None))


def backtest_orders(result: Any) -> list[Row]:
    """Orders with their last level and where they stand."""
    frame = result.orders.assign(ts=result.orders["ts"].astype("int64")).drop(columns="order_id")
    return [tuple(_plain(one) for one in row) for row in frame.itertuples(index=False, name=None)]


def backtest_trades(result: Any) -> list[Row]:
    """Trades that have closed."""
    run, found = run_of(result), list[Row]()
    for row in written(run.desk, "trades"):
        body = {name: _plain(row[name]) for name in row.dtype.names}
        body["instrument"] = run.instruments[int(row["instrument"])]
        body["exit_reason"] = Reason(int(row["exit_reason"])).name
        found.append(tuple(body[name] for name in sorted(body)))
    return found


def backtest_equity(result: Any) -> list[Row]:
    """Points of equity."""
    frame = result.equity
    return list(zip(frame.index.asi8.tolist(), frame["cash"].tolist(), frame["position_value"].tolist(), strict=True))


_SIDES: dict[str, tuple[Callable[[Store, str], list[Row]], Callable[[Any], list[Row]]]] = {
    "decisions": (paper_decisions, backtest_decisions),
    "actions": (paper_actions, backtest_actions),
    "orders": (paper_orders, backtest_orders),
    "fills": (paper_fills, backtest_fills),
    "trades": (paper_trades, backtest_trades),
    "equity": (paper_equity, backtest_equity),
}
