"""Paper trading in a test: the real runner, the real SQL, virtual time; stopped and restarted where a test says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from workbench.costs import CostModel
from workbench.engine.desk import written
from workbench.engine.fitting import common_grid
from workbench.engine.records import Action
from workbench.journal import tables
from workbench.journal.store import Store
from workbench.live.assembly import LEASE_NS, assembled
from workbench.live.clock import VirtualClock
from workbench.live.deploy import Wish, deploy
from workbench.live.feeds.replay import ReplayFeed
from workbench.live.lease import Lease
from workbench.live.runner import GRACE_NS, Runner
from workbench.live.starting import start_ns_of
from workbench.market.bars import Bars
from workbench.schema import OrderKind, Reason
from workbench.strategy import Strategy

Stop = Callable[[int], bool]

#: Virtual time leaps over nights and holidays; a lease of the real length would end at each of them.
LONG_NS = LEASE_NS * 10**6
RENEWED_NS = LONG_NS // 2


def never(_turn: int) -> bool:
    return False


def started(store: Store, data: Mapping[str, Bars], clock: VirtualClock, holder: str) -> Runner:
    """A runner that holds the lease."""
    lease = Lease(store, "runner", holder, LONG_NS, clock.now_ns)
    assert lease.acquire()
    return assembled(store, clock, ReplayFeed(data), lease)


def paper_run(
    store: Store, strategy: Strategy, data: Mapping[str, Bars], costs: CostModel, cash: float, stop: Stop = never,
    start: Any = None,
) -> str:  # fmt: skip
    """Deploy and run to the end of the data; ``stop`` says after which turns all but the database is forgotten.

    ``start`` is that of a backtest: without one decisions begin with the first bar.
    """
    ident = deployed(store, strategy, data, costs, cash, start)
    passed(store, data, stop)
    return ident


def deployed(
    store: Store, strategy: Strategy, data: Mapping[str, Bars], costs: CostModel, cash: float, start: Any = None,
    name: str = "",
) -> str:  # fmt: skip
    """Deploy before anything has passed; decisions begin as in a backtest."""
    since_ns = 0 if start is None else start_ns_of(start, common_grid(data))
    return deploy(store, Wish(strategy, data, costs, cash, since_ns, name=name), 0)


def passed(store: Store, data: Mapping[str, Bars], stop: Stop) -> None:
    """Let all bars pass through the runner of a database."""
    clock, turn = VirtualClock(0), 0
    clock.wait_until(min(int(one.ts_ns[0]) for one in data.values()))
    runner = started(store, data, clock, "one")
    last = max(int(one.grid.close_ns[-1]) for one in data.values())
    while True:
        if not runner.lease.lasts(RENEWED_NS):
            runner.lease.renew()
        due = runner.turn()
        turn += 1
        if due is None or due > last + GRACE_NS:
            return
        if stop(turn):
            clock = VirtualClock(clock.now_ns())
            runner = started(store, data, clock, "one")
        clock.wait_until(due)


def rows(store: Store, name: str, ident: str, *order: str) -> list[dict[str, Any]]:
    """Rows of one deployment."""
    table = tables.metadata.tables[name]
    with store.read() as connection:
        found = connection.execute(
            table.select().where(table.c.deployment_id == ident).order_by(*(table.c[one] for one in order))
        )
        return [dict(row._mapping) for row in found]


def differences(store: Store, ident: str, result: Any) -> list[str]:
    """Everything in which a paper run differs from a backtest, as sentences; empty when it is the same to the bit."""
    pairs = {
        "decisions": (paper_decisions(store, ident), backtest_decisions(result)),
        "actions": (paper_actions(store, ident), backtest_actions(result)),
        "fills": (paper_fills(store, ident), backtest_fills(result)),
        "orders": (paper_orders(store, ident), backtest_orders(result)),
        "trades": (paper_trades(store, ident), backtest_trades(result)),
        "equity": (paper_equity(store, ident), backtest_equity(result)),
    }
    out = []
    for name, (ours, theirs) in pairs.items():
        if len(ours) != len(theirs):
            out.append(f"{name}: {len(ours)} rows on paper, {len(theirs)} in the backtest")
        for place, (one, other) in enumerate(zip(ours, theirs, strict=False)):
            if bits(one) != bits(other):
                out.append(f"{name}, row {place}: {one} on paper, {other} in the backtest")
                break
    return out


def bits(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row in which numbers are their bytes: 0.0 and -0.0 differ, a missing number is None."""
    return tuple(float(one).hex() if isinstance(one, float) else one for one in row)


def plain(value: Any) -> Any:
    """A cell of a frame as the journal would say it."""
    if isinstance(value, float) and np.isnan(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def paper_decisions(store: Store, ident: str) -> list[tuple[Any, ...]]:
    told = rows(store, "journal", ident, "seq")
    return sorted((row["instant_ns"], *one) for row in told for one in json.loads(row["body"]).get("decisions", ()))


def backtest_decisions(result: Any) -> list[tuple[Any, ...]]:
    frame = result.decisions
    columns = [frame["ts"].astype("int64"), *(frame[name].astype(str) for name in frame.columns[1:])]
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


ORDER_KINDS = ("ORDER_INTENT_CREATED", "PROTECTIVE_SET", "PROTECTIVE_MOVED", "ORDER_CANCELLED", "FILLED")


def paper_actions(store: Store, ident: str) -> list[tuple[Any, ...]]:
    found = []
    for row in rows(store, "journal", ident, "seq"):
        if row["kind"] in ORDER_KINDS:
            b = json.loads(row["body"])
            what = (b["action"], b["order"], b["instrument"], b["kind"], b["reason"], b["side"], b["qty"], b["price"])
            found.append((row["instant_ns"], *what))
    return found


def backtest_actions(result: Any) -> list[tuple[Any, ...]]:
    run, found = result._run, []
    for row in written(run.desk, "actions"):
        kind, reason = OrderKind(int(row["kind"])).name.lower(), Reason(int(row["reason"])).name
        found.append((int(row["ns"]), Action(int(row["action"])).name, int(row["order"]),
                      run.instruments[int(row["instrument"])], kind, reason, int(row["side"]), float(row["qty"]),
                      plain(float(row["price"]))))  # fmt: skip
    return found


def paper_fills(store: Store, ident: str) -> list[tuple[Any, ...]]:
    return [
        (row["ns"], row["instrument"], "BUY" if row["side"] > 0 else "SELL", row["qty"], row["price"], row["charges"],
         row["reason"], row["kind"])
        for row in rows(store, "fills", ident, "number")
    ]  # fmt: skip


def backtest_fills(result: Any) -> list[tuple[Any, ...]]:
    frame = result.fills.assign(ts=result.fills["ts"].astype("int64")).drop(columns="order_id")
    return list(frame.itertuples(index=False, name=None))


def paper_orders(store: Store, ident: str) -> list[tuple[Any, ...]]:
    found = []
    for row in rows(store, "orders", ident, "order_no"):
        limit, stop = (row["price"] if row["kind"] == kind else None for kind in ("target", "stop"))
        side = "BUY" if row["side"] > 0 else "SELL"
        found.append((row["decided_ns"], row["instrument"], side, row["qty"], row["kind"], limit, stop, row["reason"],
                      row["status"]))  # fmt: skip
    return found


def backtest_orders(result: Any) -> list[tuple[Any, ...]]:
    frame = result.orders.assign(ts=result.orders["ts"].astype("int64")).drop(columns="order_id")
    return [tuple(plain(one) for one in row) for row in frame.itertuples(index=False, name=None)]


def paper_trades(store: Store, ident: str) -> list[tuple[Any, ...]]:
    found = []
    for row in rows(store, "journal", ident, "seq"):
        if row["kind"] == "TRADE_CLOSED":
            body = json.loads(row["body"])
            found.append(tuple(body[name] for name in sorted(body)))
    return found


def backtest_trades(result: Any) -> list[tuple[Any, ...]]:
    run, found = result._run, []
    for row in written(run.desk, "trades"):
        body = {name: plain(row[name]) for name in row.dtype.names}
        body["instrument"] = run.instruments[int(row["instrument"])]
        body["exit_reason"] = Reason(int(row["exit_reason"])).name
        found.append(tuple(body[name] for name in sorted(body)))
    return found


def paper_equity(store: Store, ident: str) -> list[tuple[Any, ...]]:
    found = rows(store, "equity_points", ident, "ts_ns")
    return [(row["ts_ns"], row["cash"], row["position_value"]) for row in found]


def backtest_equity(result: Any) -> list[tuple[Any, ...]]:
    frame = result.equity
    return list(zip(frame.index.asi8.tolist(), frame["cash"].tolist(), frame["position_value"].tolist(), strict=True))
