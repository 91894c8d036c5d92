"""The driver: intervals in order; in each the fills, then on_base_close, then step.

Input is plain Python (see ``run``); prices and money are floats, times are nanoseconds UTC, fractions are fractions.
"""

from __future__ import annotations

import math
from typing import Any

from tests.reference.base_close import on_base_close, position_value
from tests.reference.fills import fill_interval, side_name, trade_row
from tests.reference.step import step
from tests.reference.world import DEFAULTS, Book, Order, World, exit_time_ns, flatten_instant_ns


def run(
    *,
    strategy: dict[str, Any],
    instruments: dict[str, dict[str, float]],
    sessions: list[dict[str, Any]],
    grid: list[dict[str, int]],
    bars: dict[str, dict[int, tuple[float, float, float, float, float]]],
    strategy_closes: set[int],
    signals: dict[str, dict[int, dict[str, Any]]],
    costs: dict[str, Any],
    initial_cash: float,
    start_ns: int | None = None,
    strategy_opens: dict[int, int] | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """Run the law over the whole data.

    ``strategy_opens`` gives the opening stamp of the strategy bar that closes with an interval; without it the bar
    opens where the one before closed in the same session. Returns rows of orders, fills, trades, decisions, equity
    and notes with the columns of N5.
    """
    world = World(
        strategy=checked({**DEFAULTS, **strategy}), instruments=instruments, sessions=sessions, grid=grid, bars=bars,
        strategy_closes=strategy_closes, signals=signals, slippage=costs["slippage_frac"], charges=costs["charges"],
        initial_cash=initial_cash, names=sorted(instruments),
    )
    prepare_sessions(world)
    prepare_start(world, start_ns, strategy_opens)
    book = Book(cash=initial_cash, equity=initial_cash, peak_equity=initial_cash, session_start_equity=initial_cash)
    for i in range(len(grid)):
        begin_session(world, book, i)
        fill_interval(world, book, i)
        decided = on_base_close(world, book, i)
        rows = {name: {"decision": "EXIT_TRUE", "entry": None, "reason": r} for name, r in decided.items()}  # D9
        if i in strategy_closes and i >= world.first_step:  # B8: before start nothing is decided
            rows = step(world, book, i, decided)
        now = grid[i]["close_ns"]
        book.decisions += [{"ts": now, "instrument": name, **rows[name]} for name in sorted(rows)]
        equity_row(world, book, i)
    return results(book)


def checked(strategy: dict[str, Any]) -> dict[str, Any]:
    """The contradictions the law names as configuration errors."""
    if strategy["stop_loss_frac"] is not None and strategy["stop_loss_atr"] is not None:
        raise ValueError("F2: stop_loss_frac and stop_loss_atr exclude each other")
    if strategy["product"] == "MIS" and strategy["execution"] == "proxy_close":
        raise ValueError("X3: MIS cannot run on proxy_close")
    if strategy["product"] == "CNC" and strategy["direction"] != "LONG":
        raise ValueError("X5: CNC is long only")
    stops = ("stop_loss_frac", "stop_loss_atr", "trailing_stop_frac")
    if strategy["sizing"][0] == "RiskPerTrade" and all(strategy[key] is None for key in stops):
        raise ValueError("S2: RiskPerTrade needs a stop")
    return strategy


def prepare_sessions(world: World) -> None:
    """X2, X4: the flatten instant and the exit time of every session of the grid."""
    base_ns = max(interval["close_ns"] - interval["open_ns"] for interval in world.grid)
    for s in {interval["session"] for interval in world.grid}:
        closes = [interval["close_ns"] for interval in world.grid if interval["session"] == s]
        world.flatten_ns[s] = flatten_instant_ns(world.sessions[s], closes, base_ns)
        world.exit_ns[s] = exit_time_ns(world.strategy["exit_time"], world.sessions[s])


def prepare_start(world: World, start_ns: int | None, opens: dict[int, int] | None) -> None:
    """B8: decisions begin with the first strategy bar whose opening stamp is at or after start."""
    if start_ns is None:
        return
    world.first_step = world.first_row = len(world.grid)
    begins = 0
    for i, interval in enumerate(world.grid):
        if i and world.grid[i - 1]["session"] != interval["session"]:
            begins = i  # coarser bars are built inside one session (B3)
        if i in world.strategy_closes:
            opening = world.grid[begins]["open_ns"] if opens is None else opens[i]
            if opening >= start_ns:
                world.first_step, world.first_row = i, begins
                return
            begins = i + 1


def begin_session(world: World, book: Book, i: int) -> None:
    """D5, D6: what lasts for a session starts anew."""
    if world.grid[i]["session"] == book.session:
        return
    book.session = world.grid[i]["session"]
    book.session_start_equity = book.equity  # point 16: equity at the last instant before it
    book.daily_loss = False
    book.sent = 0


def equity_row(world: World, book: Book, i: int) -> None:
    """R2: one row for each interval in which any instrument has a bar."""
    if i < world.first_row or not any(world.bar(name, i) for name in world.names):
        return
    book.curve.append({
        "ts": world.grid[i]["close_ns"], "cash": book.cash, "position_value": position_value(book),
        "equity": book.equity, "drawdown_frac": book.equity / book.peak_equity - 1,
    })


def results(book: Book) -> dict[str, list[dict[str, Any]]]:
    """F9, R: all rows; positions still open become open trades."""
    for name in sorted(book.positions):
        book.trades.append(trade_row(book.positions[name], book.marks[name], None, None, 0.0))
    return {
        "orders": [order_row(order) for order in book.orders], "fills": book.fills, "trades": book.trades,
        "decisions": book.decisions, "equity": book.curve, "notes": book.notes,
    }


def order_row(order: Order) -> dict[str, Any]:
    """N5: the columns of orders."""
    assert not math.isnan(order.qty)
    return {
        "ts": order.ts, "instrument": order.instrument, "side": side_name(order.side), "qty": order.qty,
        "kind": order.kind, "limit_price": order.limit_price, "stop_price": order.stop_price,
        "reason": order.reason, "status": order.status, "order_id": order.order_id,
    }
