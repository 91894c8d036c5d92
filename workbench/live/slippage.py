"""What each order of a deployment got, beside what the fill model of the law gives it on the same bars (rule P4).

Live differs from paper only in where fills come from, so that the difference is the price of being real: per order, the
mean price of its executions less the model's (F1, F4, F5), in basis points. On paper it is exactly nothing.

An order at the open is priced by the first bar of its instrument that opens at or after its decision (X1); a stop or
target by its level and the bar in which it filled. Where that bar does not touch the level, the model has no fill.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import sqlalchemy as sa

from workbench.engine.desk import config_record
from workbench.engine.fills import market_price, touched
from workbench.engine.records import Records
from workbench.journal import tables
from workbench.live.frames import table
from workbench.live.given import Given
from workbench.live.inbox import stored_bars
from workbench.live.schedule import schedule_of
from workbench.market.timeframe import DAY_NS
from workbench.schema import OrderKind

#: Columns of the report; ``cost_bps`` is the difference against the trader, whichever side it is on.
COLUMNS = (
    "ts", "instrument", "side", "qty", "kind", "reason", "fill_price", "model_price", "difference_bps", "cost_bps",
    "cost", "order_id",
)  # fmt: skip


class Priced(NamedTuple):
    """One base bar: its interval, open, high and low."""

    open_ns: int
    close_ns: int
    open: float
    high: float
    low: float


class Order(NamedTuple):
    """As much of an order as its price in the model needs: ``price`` is the level of a stop or target."""

    kind: str
    side: int
    price: float
    decided_ns: int


def model_price(order: Order, filled_ns: int, bars: Sequence[Priced], config: Records) -> float | None:
    """What the fill model gives an order; None where it gives no fill.

    Parameters
    ----------
    order : Order
        Which.
    filled_ns : int
        Of its first execution: a stop or target is priced in this bar.
    bars : sequence of Priced
        Of its instrument, in order.
    config : Records
        One record of ``config_dtype``: slippage and how bars are read.
    """
    slippage = float(config[0]["slippage_frac"])
    if order.kind == "open":
        bar = next((one for one in bars if one.open_ns >= order.decided_ns), None)
        return None if bar is None else float(market_price(bar.open, order.side, slippage))
    bar = next((one for one in bars if one.open_ns <= filled_ns < one.close_ns), None)
    if bar is None:
        return None
    levels = (order.price, np.nan) if order.kind == "stop" else (np.nan, order.price)
    entered_here = order.decided_ns >= bar.open_ns
    kind, price = touched(config[0], *levels, (bar.open, bar.high, bar.low), -order.side, entered_here)
    if kind == OrderKind.STOP:
        return float(market_price(price, order.side, slippage))
    return float(price) if kind == OrderKind.TARGET else None


def slippage_frame(connection: sa.Connection, given: Given) -> pd.DataFrame:
    """One row an order that has filled, in the order of its first execution.

    Parameters
    ----------
    connection : sa.Connection
        Of ``Store.read``.
    given : Given
        The deployment.
    """
    fills, orders = tables.fills, tables.orders
    wanted = sa.select(fills, orders.c.price.label("level"), orders.c.decided_ns)
    wanted = wanted.join(orders, orders.c.cid == fills.c.cid).where(fills.c.deployment_id == given.id)
    executed: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(wanted.order_by(fills.c.number)).mappings():
        executed[row["cid"]].append(row)
    bars = _bars(connection, given, [row for rows in executed.values() for row in rows])
    config = config_record(given.strategy, given.costs.slippage_frac)
    return table([_row(rows, bars[rows[0]["instrument"]], config) for rows in executed.values()], COLUMNS)


def _row(rows: Sequence[Mapping[Any, Any]], bars: Sequence[Priced], config: Records) -> dict[str, Any]:
    first, qty = rows[0], sum(row["qty"] for row in rows)
    # One execution at its own price, to the bit: a mean of one need not be.
    got = first["price"] if len(rows) == 1 else sum(row["price"] * row["qty"] for row in rows) / qty
    side = int(first["side"])
    model = model_price(Order(first["kind"], side, first["level"], first["decided_ns"]), first["ns"], bars, config)
    bps = None if model is None else (got - model) / model * 1e4
    return {
        "ts": first["ns"],
        "instrument": first["instrument"],
        "side": "BUY" if side > 0 else "SELL",
        "qty": qty,
        "kind": first["kind"],
        "reason": first["reason"],
        "fill_price": got,
        "model_price": model,
        "difference_bps": bps,
        "cost_bps": None if bps is None else side * bps + 0.0,
        "cost": None if model is None else side * (got - model) * qty + 0.0,
        "order_id": first["cid"],
    }


def _bars(connection: sa.Connection, given: Given, rows: Sequence[Mapping[Any, Any]]) -> dict[str, list[Priced]]:
    """Stored base bars of each instrument over the time of all orders, in order."""
    found: dict[str, list[Priced]] = {name: [] for name in given.names}
    if not rows:
        return found
    since = min(row["decided_ns"] for row in rows) - DAY_NS
    until = max(max(row["ns"], row["decided_ns"]) for row in rows) + DAY_NS
    schedule = schedule_of(given.calendar, given.timeframe)
    stored = stored_bars(connection, given.names, str(given.timeframe), since, until)
    for ts_ns in sorted(stored):
        interval = schedule.after(ts_ns)
        assert interval is not None and interval.ts_ns == ts_ns, "a stored bar lies on the calendar's grid"
        for name, bar in stored[ts_ns].items():
            found[name].append(Priced(interval.open_ns, interval.close_ns, *bar[:3]))
    return found
