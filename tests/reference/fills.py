"""What happens inside one base interval: the fill model (F) and the booking of fills (D1, R1)."""

from __future__ import annotations

from typing import Any

from tests.reference.numbers import (
    at_or_above,
    at_or_below,
    is_missing,
    stop_on_tick,
    strictly_above,
    target_on_tick,
)
from tests.reference.world import NAN, Book, Order, Position, World


def fill_interval(world: World, book: Book, i: int) -> None:
    """All fills of interval ``i``, in the order of F1."""
    for name in sorted(book.positions):  # F1: market exits first, by name
        position = book.positions[name]
        if position.exit_order is not None and world.bar(name, i):  # X1: exits carry until a bar fills them
            fill_exit(world, book, position, position.exit_order, market_price(world, name, i, -position.direction), i)
    for order in list(book.entries):  # F1: then market entries, in sending order
        if world.bar(order.instrument, i):
            open_or_cancel(world, book, order, i)
    if world.strategy["stop_execution"] == "intrabar":  # F3
        for name in sorted(book.positions):  # F1: then protective orders, by name
            if world.bar(name, i):
                test_protective(world, book, book.positions[name], i)


def market_price(world: World, name: str, i: int, side: int) -> float:
    """F1: the open, slipped against the trader, not rounded."""
    return world.bar(name, i)[0] * (1 + side * world.slippage)


def open_or_cancel(world: World, book: Book, order: Order, i: int) -> None:
    """D8: an entry fills only when the exits it named have filled, checked when its own bar opens."""
    book.entries.remove(order)
    if any(exit_order.status != "FILLED" for exit_order in order.named):
        order.status = "CANCELLED_NO_SLOT"
        return
    fill_entry(world, book, order, market_price(world, order.instrument, i, order.side), i)


def record_fill(world: World, book: Book, order: Order, price: float, i: int, same_session: bool) -> float:
    """One fill row; moves the cash (S5: nothing else does); returns the charges of the fill (F10)."""
    ts = world.grid[i]["open_ns"]  # N5: the opening instant of the base bar
    charges = world.charges(ts, order.side, order.qty, price, same_session)
    order.status = "FILLED"
    book.cash += -order.side * order.qty * price - charges  # S5
    book.fills.append({
        "ts": ts, "instrument": order.instrument, "side": side_name(order.side), "qty": order.qty, "price": price,
        "charges": charges, "reason": order.reason, "kind": order.kind, "order_id": order.order_id,
    })
    return charges


def side_name(side: int) -> str:
    """N5: BUY or SELL."""
    return "BUY" if side > 0 else "SELL"


def fill_entry(world: World, book: Book, order: Order, price: float, i: int) -> None:
    """D1: book the entry and set what protects it."""
    charges = record_fill(world, book, order, price, i, same_session=True)
    position = Position(
        instrument=order.instrument, direction=order.side, qty=order.qty, entry_price=price,
        entry_ts=world.grid[i]["open_ns"], entry_charges=charges, session=world.grid[i]["session"], interval=i,
        best=price,  # D2: the entry price itself
    )
    book.positions[order.instrument] = position
    set_protection(world, book, position, order.atr)


def set_protection(world: World, book: Book, position: Position, atr: float | None) -> None:
    """F2: stop and target from the fill price (an ATR stop with the decision bar's ATR), rounded to the tick."""
    strategy, d, entry = world.strategy, position.direction, position.entry_price
    tick = world.instruments[position.instrument]["tick"]
    if strategy["stop_loss_frac"] is not None:
        position.stop = stop_on_tick(entry * (1 - d * strategy["stop_loss_frac"]), tick, d)  # F2
    if strategy["stop_loss_atr"] is not None:
        position.stop = stop_on_tick(entry - d * strategy["stop_loss_atr"] * atr, tick, d)  # F2
    if strategy["take_profit_frac"] is not None:
        position.target = target_on_tick(entry * (1 + d * strategy["take_profit_frac"]), tick, d)  # F2
        if strategy["stop_execution"] == "intrabar":
            position.target_order = book.new_order(
                ts=position.entry_ts, instrument=position.instrument, side=-d, qty=position.qty, kind="target",
                reason="TAKE_PROFIT", limit_price=position.target,
            )
    move_trailing(world, position)  # F6: with activation 0 it is active from the entry price on
    keep_stop_order(world, book, position, position.entry_ts)


def move_trailing(world: World, position: Position) -> None:
    """F6: level = best * (1 - trailing_stop_frac) once best has reached the activation; only in the trade's favour."""
    strategy, d = world.strategy, position.direction
    if strategy["trailing_stop_frac"] is None:
        return
    activation = position.entry_price * (1 + d * (strategy["trailing_activation_frac"] or 0.0))
    if not at_or_above(position.best, activation, d):  # F6: inactive until
        return
    tick = world.instruments[position.instrument]["tick"]
    level = stop_on_tick(position.best * (1 - d * strategy["trailing_stop_frac"]), tick, d)  # F6: rounded like a stop
    if position.trail is None or d * level > d * position.trail:
        position.trail = level


def working_stop(position: Position) -> tuple[float | None, str]:
    """F6: the better of stop and trailing level, and the reason a touch of it has."""
    if position.trail is None:
        return position.stop, "STOP_LOSS"
    if position.stop is None or strictly_above(position.trail, position.stop, position.direction):
        return position.trail, "TRAILING_STOP"  # F6: strictly the better
    return position.stop, "STOP_LOSS"


def keep_stop_order(world: World, book: Book, position: Position, ts: int) -> None:
    """Point 9: at most one stop row a position, at its latest level; R1 remembers the first working level."""
    level, reason = working_stop(position)
    if level is None:
        return
    if position.first_level is None:
        position.first_level = level  # R1
    if world.strategy["stop_execution"] != "intrabar":
        return
    if position.stop_order is None:
        position.stop_order = book.new_order(
            ts=ts, instrument=position.instrument, side=-position.direction, qty=position.qty, kind="stop",
            reason=reason,
        )
    position.stop_order.stop_price = level
    position.stop_order.reason = reason


def test_protective(world: World, book: Book, position: Position, i: int) -> None:
    """F4, F5: at most one of stop and target fills in a bar."""
    found = protective_fill(world, position, i)
    if found is not None:
        kind, price = found
        order = position.stop_order if kind == "stop" else position.target_order
        fill_exit(world, book, position, order, price, i)


test_protective.__test__ = False  # a rule, not a test


def protective_fill(world: World, position: Position, i: int) -> tuple[str, float] | None:
    """Which protective order the bar fills and at what price, or None."""
    d, strategy = position.direction, world.strategy
    open_, high, low, _, _ = world.bar(position.instrument, i)
    stop, target = working_stop(position)[0], position.target
    slip = 1 - d * world.slippage  # F5: on stops, not on targets
    if i != position.interval and stop is not None and at_or_below(open_, stop, d):  # F4 gap
        return "stop", open_ * slip
    if i != position.interval and target is not None and at_or_above(open_, target, d):  # F4 gap
        return "target", open_
    losing, winning = (low, high) if d > 0 else (high, low)
    stop_touched = stop is not None and at_or_below(losing, stop, d)  # F5
    beyond = strictly_above if strategy["target_touch"] == "through" else at_or_above  # F5
    target_touched = target is not None and beyond(winning, target, d)
    if stop_touched and (not target_touched or strategy["ambiguous_bar"] == "stop"):  # F5: the stop wins
        if not at_or_above(winning, stop, d):  # slippage set a stop beyond the whole entry bar
            return "stop", open_ * slip
        return "stop", stop * slip
    if target_touched:
        return "target", target
    return None


def fill_exit(world: World, book: Book, position: Position, order: Order, price: float, i: int) -> None:
    """D1: book the exit, close the trade, cancel what protected it (F8)."""
    same_session = position.session == world.grid[i]["session"]
    charges = record_fill(world, book, order, price, i, same_session)
    for other in (position.stop_order, position.target_order):
        if other is not None and other.status == "WORKING":
            other.status = "CANCELLED"  # F8
    touch_extremes(position, price, price)  # R1: plus the exit price
    book.trades.append(trade_row(position, price, world.grid[i]["open_ns"], order.reason, charges))
    del book.positions[position.instrument]  # F8: flat from this base bar on
    book.since_exit[position.instrument] = -1  # D10: the strategy bar that holds the fill will be number 0


def touch_extremes(position: Position, low: float, high: float) -> None:
    """R1: MAE <= 0 <= MFE, as fractions of the entry price."""
    losing, winning = (low, high) if position.direction > 0 else (high, low)
    entry, d = position.entry_price, position.direction
    position.worst_frac = min(position.worst_frac, d * (losing - entry) / entry)
    position.top_frac = max(position.top_frac, d * (winning - entry) / entry)


def trade_row(
    position: Position, price: float, exit_ts: int | None, reason: str | None, exit_charges: float
) -> dict[str, Any]:
    """R1: one row a trade; ``exit_ts`` None is an open one, marked at ``price`` (F9)."""
    d, qty, entry = position.direction, position.qty, position.entry_price
    gross = d * (price - entry) * qty
    charges = position.entry_charges + exit_charges  # F10
    net = gross - charges
    risk = 0.0 if is_missing(position.first_level) else abs(entry - position.first_level) * qty
    return {
        "instrument": position.instrument, "direction": "LONG" if d > 0 else "SHORT", "qty": qty,
        "entry_ts": position.entry_ts, "entry_price": entry, "entry_reason": "ENTRY_SIGNAL",
        "exit_ts": exit_ts, "exit_price": NAN if exit_ts is None else price, "exit_reason": reason,
        "gross_pnl": gross, "charges": charges, "net_pnl": net, "return_frac": net / (entry * qty),
        "r_multiple": net / risk if risk > 0 else NAN, "mae_frac": position.worst_frac,
        "mfe_frac": position.top_frac, "bars_held": max(0, position.bars_held), "is_open": exit_ts is None,
    }
