"""Rule D1: what a fill changes.

Rules held here: D1 (book, set and cancel protective orders), F2 (levels from the fill price), F8 (flat from that
bar on), F10 (charges belong to the trade they open or close), R1 (the trade's row), D10 (the bar that holds the
exit).

How it works: the fill is a row of ``desk.fills``, written by the fill model in backtest and paper and
from the broker's report when live; ``on_fill`` neither knows nor asks.

Invariants: after a closing fill the instrument is flat, has no protective order and no exit working.
"""

from __future__ import annotations

import math

from workbench.engine.ledger import book, clear_entry, emit, submit
from workbench.engine.levels import excursion_frac, stop_level, target_level, trailing_level, working_stop
from workbench.engine.records import Action
from workbench.jit import inlined, njit
from workbench.schema import OrderKind, Reason


@inlined
def on_fill(desk, row, session):  # type: ignore[no-untyped-def]
    """Apply row ``row`` of ``desk.fills``, which fell into session number ``session``."""
    fill = desk.fills[row]
    book(desk, fill["side"], fill["qty"], fill["price"], fill["charges"])
    k = fill["instrument"]
    emit(
        desk, fill["ns"], k, fill["order"], Action.FILL.value, fill["kind"], fill["reason"], fill["side"], fill["qty"],
        fill["price"],
    )  # fmt: skip
    if fill["reason"] == Reason.ENTRY_SIGNAL:
        open_position(desk, k, fill, session)
    else:
        close_position(desk, k, fill)


@inlined
def open_position(desk, k, fill, session):  # type: ignore[no-untyped-def]
    """Begin a trade: the position, its levels (F2) and its protective orders."""
    config = desk.config[0]
    position = desk.positions[k]
    side = fill["side"]
    price = fill["price"]
    position["qty"] = side * fill["qty"]
    position["entry_price"] = price
    position["entry_ns"] = fill["ns"]
    position["entry_session"] = session
    position["entry_charges"] = fill["charges"]
    position["bars_held"] = -1
    position["best"] = price
    position["worst"] = price
    position["peak_pnl"] = 0.0
    desk.account[0]["n_positions"] += 1
    set_levels(config, position, desk.instruments[k]["tick"], side)
    clear_entry(desk, k)
    if config["stop_intrabar"]:
        protect(desk, k, fill["ns"])


@inlined
def set_levels(config, position, tick, side):  # type: ignore[no-untyped-def]
    """Stop, target and trailing level from the fill price (F2, F6)."""
    price = position["entry_price"]
    position["stop"] = math.nan
    position["target"] = math.nan
    if not math.isnan(config["stop_loss_frac"]):
        position["stop"] = stop_level(price * (1.0 - side * config["stop_loss_frac"]), side, tick)
    if not math.isnan(config["stop_loss_atr"]):
        position["stop"] = stop_level(price - side * config["stop_loss_atr"] * position["pending_atr"], side, tick)
    if not math.isnan(config["take_profit_frac"]):
        position["target"] = target_level(price * (1.0 + side * config["take_profit_frac"]), side, tick)
    position["trail"] = trailing_level(config, price, price, side, tick)
    position["first_level"] = working_stop(position["stop"], position["trail"], side)
    position["stop_order"] = -1
    position["target_order"] = -1


@inlined
def protect(desk, k, ns):  # type: ignore[no-untyped-def]
    """Send the protective orders that have a level."""
    position = desk.positions[k]
    side = -1 if position["qty"] > 0.0 else 1
    qty = abs(position["qty"])
    stop = working_stop(position["stop"], position["trail"], -side)
    if not math.isnan(stop):
        reason = stop_reason(position, -side)
        position["stop_order"] = submit(desk, ns, k, OrderKind.STOP.value, reason, side, qty, stop)
    if not math.isnan(position["target"]):
        kind = OrderKind.TARGET.value
        position["target_order"] = submit(desk, ns, k, kind, Reason.TAKE_PROFIT.value, side, qty, position["target"])


@njit
def stop_reason(position, direction):  # type: ignore[no-untyped-def]
    """TRAILING_STOP if the trailing level is strictly the better, else STOP_LOSS (F6)."""
    # Two NaNs or no trailing level leave the fixed stop; ``working_stop`` says which of the two works.
    works = working_stop(position["stop"], position["trail"], direction)
    if works == position["stop"] or math.isnan(works):
        return Reason.STOP_LOSS.value
    return Reason.TRAILING_STOP.value


@inlined
def close_position(desk, k, fill):  # type: ignore[no-untyped-def]
    """End a trade: its row, its protective orders, and the bar from which the cooldown counts."""
    account = desk.account[0]
    position = desk.positions[k]
    if fill["qty"] < abs(position["qty"]):
        reduce_position(desk, k, fill)
        return
    write_trade(desk, k, fill)
    order = fill["order"]
    cancel_protective(desk, position["stop_order"], k, fill, OrderKind.STOP.value, stop_reason(position, -fill["side"]))
    cancel_protective(desk, position["target_order"], k, fill, OrderKind.TARGET.value, Reason.TAKE_PROFIT.value)
    if position["exit_reason"] != 0:
        account["n_exits"] -= 1
        if position["exit_order"] != order:
            number, reason, kind = position["exit_order"], position["exit_reason"], OrderKind.OPEN.value
            emit(desk, fill["ns"], k, number, Action.CANCEL.value, kind, reason, fill["side"], fill["qty"], math.nan)
    position["qty"] = 0.0
    position["exit_reason"] = 0
    position["stop_order"] = -1
    position["target_order"] = -1
    position["stop"] = math.nan
    position["trail"] = math.nan
    position["target"] = math.nan
    position["exit_bar"] = position["n_bars"]
    account["n_positions"] -= 1


@njit
def reduce_position(desk, k, fill):  # type: ignore[no-untyped-def]
    """Close a part, which only a broker can do: a trade of that part; what is left keeps its levels and is protected.

    An exit that ended short is forgotten, so that the next close decides anew.
    """
    account = desk.account[0]
    position = desk.positions[k]
    order = fill["order"]
    left = abs(position["qty"]) - fill["qty"]
    charged = position["entry_charges"]
    position["entry_charges"] = charged * (fill["qty"] / abs(position["qty"]))
    write_trade(desk, k, fill)
    position["entry_charges"] = charged - position["entry_charges"]
    position["qty"] = left if position["qty"] > 0.0 else -left
    if position["exit_reason"] != 0 and position["exit_order"] == order:
        position["exit_reason"] = 0
        account["n_exits"] -= 1
    stop = working_stop(position["stop"], position["trail"], -fill["side"])
    reason = stop_reason(position, -fill["side"])
    stop_kind, target_kind, takes = OrderKind.STOP.value, OrderKind.TARGET.value, Reason.TAKE_PROFIT.value
    position["stop_order"] = protect_rest(desk, fill, position["stop_order"], stop_kind, reason, stop)
    position["target_order"] = protect_rest(
        desk, fill, position["target_order"], target_kind, takes, position["target"]
    )


@njit
def protect_rest(desk, fill, order, kind, reason, level):  # type: ignore[no-untyped-def]
    """Shrink a protective order to what is left, or send it anew if it is the one that filled in part."""
    k = fill["instrument"]
    qty = abs(desk.positions[k]["qty"])
    if order < 0:
        return order
    if order == fill["order"]:
        return submit(desk, fill["ns"], k, kind, reason, fill["side"], qty, level)
    emit(desk, fill["ns"], k, order, Action.MOVE.value, kind, reason, fill["side"], qty, level)
    return order


@inlined
def cancel_protective(desk, order, k, fill, kind, reason):  # type: ignore[no-untyped-def]
    """Cancel a protective order unless it does not exist or is the one that filled."""
    if order >= 0 and order != fill["order"]:
        emit(desk, fill["ns"], k, order, Action.CANCEL.value, kind, reason, fill["side"], fill["qty"], math.nan)


@inlined
def write_trade(desk, k, fill):  # type: ignore[no-untyped-def]
    """Append the trade that ``fill`` closes (R1)."""
    account = desk.account[0]
    position = desk.positions[k]
    trade = desk.trades[account["n_trades"]]
    account["n_trades"] += 1
    direction = 1 if position["qty"] > 0.0 else -1
    entry = position["entry_price"]
    move = direction * (fill["price"] - entry)
    excursion = excursion_frac(entry, fill["price"], direction)
    gross = move * fill["qty"]
    charges = position["entry_charges"] + fill["charges"]
    risk = abs(entry - position["first_level"]) * fill["qty"]
    trade["instrument"] = k
    trade["direction"] = direction
    trade["qty"] = fill["qty"]
    trade["entry_ns"] = position["entry_ns"]
    trade["entry_price"] = entry
    trade["exit_ns"] = fill["ns"]
    trade["exit_price"] = fill["price"]
    trade["exit_reason"] = fill["reason"]
    trade["gross_pnl"] = gross
    trade["charges"] = charges
    trade["r_multiple"] = (gross - charges) / risk if risk > 0.0 else math.nan
    trade["mae_frac"] = min(excursion_frac(entry, position["worst"], direction), excursion)
    trade["mfe_frac"] = max(excursion_frac(entry, position["best"], direction), excursion)
    trade["bars_held"] = max(position["bars_held"], 0)
