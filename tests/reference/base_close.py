"""D2 on_base_close: marks, peaks, trailing stops, expiry of waiting entries, and the exits that need no signal."""

from __future__ import annotations

from tests.reference.fills import keep_stop_order, move_trailing, touch_extremes, working_stop
from tests.reference.numbers import at_or_above, at_or_below, less_equal, strictly_above
from tests.reference.world import Book, Order, Position, World


def on_base_close(world: World, book: Book, i: int) -> dict[str, str]:
    """One instant of the base grid, bar or no bar; returns the exits it decided as instrument -> reason."""
    book.leaving = []
    mark_to_market(world, book, i)
    move_protection(world, book, i)
    expire_entries(world, book, i)
    update_blocks(world, book)
    decided = {}
    if book.killed or book.daily_loss or is_flatten(world, i):
        cancel_entries(book)  # D5, X1, X4
    for name in sorted(book.positions):
        position = book.positions[name]
        reason = forced_reason(world, book, position, i)
        if reason is not None and position.exit_order is None:  # D4: no second exit
            decide_exit(world, book, position, reason, i)
            decided[name] = reason
    report_flatten_failed(world, book, i)
    return decided


def mark_to_market(world: World, book: Book, i: int) -> None:
    """D2, S5, B7: marks at the last close, equity, peak equity."""
    for name in world.names:
        if world.bar(name, i):
            book.marks[name] = world.bar(name, i)[3]
    book.equity = book.cash + position_value(book)  # S5
    book.peak_equity = max(book.peak_equity, book.equity)


def position_value(book: Book) -> float:
    """S5: sum of signed quantity times mark."""
    return sum(p.direction * p.qty * book.marks[name] for name, p in sorted(book.positions.items()))


def unrealised(book: Book, position: Position) -> float:
    """D5: before charges, at the mark."""
    return position.direction * position.qty * (book.marks[position.instrument] - position.entry_price)


def move_protection(world: World, book: Book, i: int) -> None:
    """D2: best price, trailing stop, peak P&L, and the extremes of R1."""
    for name in sorted(book.positions):
        position = book.positions[name]
        position.peak_pnl = max(position.peak_pnl, unrealised(book, position))  # D5
        bar = world.bar(name, i)
        if bar is None:
            continue
        _, high, low, _, _ = bar
        position.best = max(position.best, high) if position.direction > 0 else min(position.best, low)  # D2
        touch_extremes(position, low, high)
        move_trailing(world, position)
        keep_stop_order(world, book, position, world.grid[i]["close_ns"])


def expire_entries(world: World, book: Book, i: int) -> None:
    """X1: how long an entry waits."""
    session, now = world.grid[i]["session"], world.grid[i]["close_ns"]
    for order in list(book.entries):
        window_over = world.strategy["execution"] == "proxy_close" and now >= world.session_of(i)["close_ns"]
        # point 15: every later session ends the wait with its first interval; the MIS flatten is in on_base_close
        if session != order.session or window_over:
            order.status = "CANCELLED"
            book.entries.remove(order)


def cancel_entries(book: Book) -> None:
    """D5, X1, X4: every working entry is cancelled."""
    for order in book.entries:
        order.status = "CANCELLED"
    book.entries = []


def update_blocks(world: World, book: Book) -> None:
    """D5: KILL for good, DAILY_LOSS for the session."""
    strategy = world.strategy
    if less_equal(book.equity, 0.0):
        book.killed = True  # D5: or equity <= 0
    if strategy["max_drawdown_frac"] is not None:
        floor = book.peak_equity * (1 - strategy["max_drawdown_frac"])
        book.killed = book.killed or less_equal(book.equity, floor)  # D5
    if strategy["daily_loss_limit_frac"] is not None:
        floor = book.session_start_equity * (1 - strategy["daily_loss_limit_frac"])
        book.daily_loss = book.daily_loss or less_equal(book.equity, floor)  # D5


def is_flatten(world: World, i: int) -> bool:
    """X2, X4: FORCED_FLATTEN is in force from its instant to the session's end."""
    session, now = world.grid[i]["session"], world.grid[i]["close_ns"]
    mis = world.strategy["product"] == "MIS" and now >= world.flatten_ns[session]  # X2
    return mis or now >= world.exit_ns[session]  # X4


def forced_reason(world: World, book: Book, position: Position, i: int) -> str | None:
    """D4: the exits on_base_close decides, in order of precedence."""
    if book.killed:
        return "KILL"
    if book.daily_loss:
        return "DAILY_LOSS"
    if is_flatten(world, i):
        return "FORCED_FLATTEN"
    if is_trade_drawdown(world, book, position):
        return "TRADE_DRAWDOWN"
    if in_sell_window(world, i) and world.strategy["stop_execution"] == "close":  # D2, point 13
        return stop_rule(world, position, book.marks[position.instrument])  # against the mark, bar or no bar
    return None


def is_trade_drawdown(world: World, book: Book, position: Position) -> bool:
    """D5: peak unrealised - unrealised >= frac * equity."""
    frac = world.strategy["max_trade_drawdown_frac"]
    return frac is not None and less_equal(frac * book.equity, position.peak_pnl - unrealised(book, position))


def in_sell_window(world: World, i: int) -> bool:
    """C4: (open, open + sell_after_open] on the instant, in proxy_close only."""
    session, now = world.session_of(i), world.grid[i]["close_ns"]
    return world.strategy["execution"] == "proxy_close" and session["open_ns"] < now <= session["sell_end_ns"]


def stop_rule(world: World, position: Position, price: float) -> str | None:
    """D4, F7: stop, trailing stop and target compared with one price."""
    d = position.direction
    level, reason = working_stop(position)
    if level is not None and at_or_below(price, level, d):
        return reason
    beyond = strictly_above if world.strategy["target_touch"] == "through" else at_or_above
    if position.target is not None and beyond(price, position.target, d):
        return "TAKE_PROFIT"
    return None


def decide_exit(world: World, book: Book, position: Position, reason: str, i: int) -> Order:
    """X1: a market exit, filled at the open of the instrument's next base bar."""
    position.exit_order = book.new_order(
        ts=world.grid[i]["close_ns"], instrument=position.instrument, side=-position.direction, qty=position.qty,
        kind="open", reason=reason, session=world.grid[i]["session"],
    )
    book.leaving.append(position.exit_order)
    return position.exit_order


def report_flatten_failed(world: World, book: Book, i: int) -> None:
    """X1: a MIS position held over a session's end."""
    now = world.grid[i]["close_ns"]
    if world.strategy["product"] == "MIS" and now >= world.session_of(i)["close_ns"]:
        for name in sorted(book.positions):
            book.notes.append({"ts": now, "instrument": name, "note": "FLATTEN_FAILED"})
