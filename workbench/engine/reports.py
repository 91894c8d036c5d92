"""What a runner does to a desk between two instants: reported fills, withdrawn orders, what a person asks of positions.

Rules held here: D1 (a fill is a fill, whoever made it), D4 (at most one exit, a person's too), D8 (an entry that names
exits is sent once they have filled, and dropped when its own bar opens before), and what becomes of an order that a
broker refuses.

How it works: a broker knows an order by its number and says what it got. Which purpose the order served, the desk
knows itself, so a report cannot change the reason of an exit. ``on_fill`` does the rest, as in a backtest.

Invariants: a report of an order that does not work changes nothing; no entry is released while an exit that it named
works.
"""

from __future__ import annotations

import math

from workbench.engine.fills import waits_for_exit
from workbench.engine.ledger import drop_entry, order_exit, submit, submit_entry
from workbench.engine.levels import working_stop
from workbench.engine.on_fill import on_fill, stop_reason
from workbench.engine.records import Action
from workbench.jit import inlined
from workbench.schema import OrderKind, Reason


@inlined
def purpose(position, order):  # type: ignore[no-untyped-def]
    """Kind, reason and side of a working order of this instrument; reason NONE when it has no such order."""
    if position["pending_side"] != 0 and position["pending_order"] == order:
        return OrderKind.OPEN.value, Reason.ENTRY_SIGNAL.value, position["pending_side"]
    direction = 1 if position["qty"] > 0.0 else -1
    if position["exit_reason"] != 0 and position["exit_order"] == order:
        return OrderKind.OPEN.value, position["exit_reason"], -direction
    if position["qty"] != 0.0 and position["stop_order"] == order:
        return OrderKind.STOP.value, stop_reason(position, direction), -direction
    if position["qty"] != 0.0 and position["target_order"] == order:
        return OrderKind.TARGET.value, Reason.TAKE_PROFIT.value, -direction
    return OrderKind.OPEN.value, Reason.NONE.value, 0


@inlined
def book_report(desk, reported, session):  # type: ignore[no-untyped-def]
    """Book the fill of an order that a broker reported (one record of ``fill_dtype``); whether such an order works."""
    kind, reason, side = purpose(desk.positions[reported["instrument"]], reported["order"])
    if reason == Reason.NONE:
        return False
    account = desk.account[0]
    place = account["n_fills"]
    account["n_fills"] += 1
    row = desk.fills[place]
    row["ns"] = reported["ns"]
    row["instrument"] = reported["instrument"]
    row["order"] = reported["order"]
    row["side"] = side
    row["kind"] = kind
    row["reason"] = reason
    row["qty"] = reported["qty"]
    row["price"] = reported["price"]
    row["charges"] = reported["charges"]
    on_fill(desk, place, session)
    return True


@inlined
def drop_if_waiting(desk, k, ns):  # type: ignore[no-untyped-def]
    """D8: drop the entry of instrument ``k``, whose bar opened at ``ns``, if an exit it named still works."""
    if desk.positions[k]["pending_side"] == 0 or not waits_for_exit(desk, k):
        return False
    drop_entry(desk, k, ns, Action.CANCEL_NO_SLOT.value)
    return True


@inlined
def withdraw(desk, k, order, ns):  # type: ignore[no-untyped-def]
    """Forget an order that a broker refused or let lapse, so that the next close may decide anew; whether it worked.

    A refused protective order leaves its level in force: the next close sends another (``protect_bare``).
    """
    position = desk.positions[k]
    _, reason, _ = purpose(position, order)
    if reason == Reason.NONE:
        return False
    if reason == Reason.ENTRY_SIGNAL:
        drop_entry(desk, k, ns, Action.CANCEL.value)
    elif position["exit_order"] == order and position["exit_reason"] != 0:
        position["exit_reason"] = 0
        desk.account[0]["n_exits"] -= 1
    elif position["stop_order"] == order:
        position["stop_order"] = -1
    else:
        position["target_order"] = -1
    return True


@inlined
def leave(desk, k, instant):  # type: ignore[no-untyped-def]
    """Take back the working entry of instrument ``k`` and send the exit of its position; whether there was either.

    A person's order, not a decision of D9. A position with an exit working gets no second one; its protective orders
    stay until the exit has filled (F8).
    """
    position = desk.positions[k]
    entered = position["pending_side"] != 0
    if entered:
        drop_entry(desk, k, instant.close_ns, Action.CANCEL.value)
    if position["qty"] == 0.0 or position["exit_reason"] != 0:
        return entered
    order_exit(desk, k, instant, Reason.MANUAL_FLATTEN.value)
    return True


@inlined
def take_over(desk, k, instant, side, qty, atr):  # type: ignore[no-untyped-def]
    """Send the entry by which instrument ``k`` takes a position over that a person hands it; whether it is free for it.

    It reserves no cash and uses no trade of the day: the position is there, and only its owner changes. When it fills,
    levels are set and protected as after any other entry (F2).
    """
    position = desk.positions[k]
    if position["qty"] != 0.0 or position["pending_side"] != 0:
        return False
    position["pending_reserve"] = 0.0
    position["pending_own"] = False
    position["pending_named"] = -1
    submit_entry(desk, k, instant, side, qty, 0.0, atr)
    return True


@inlined
def protect_bare(desk, ns):  # type: ignore[no-untyped-def]
    """Send protective orders again where a level is in force and no order works: one was refused, or ended by a broker.

    What protects a position is asked of its state at every close, and not of the moment at which it was opened.
    """
    if not desk.config[0]["stop_intrabar"] or desk.account[0]["n_positions"] == 0:
        return
    for k in range(len(desk.positions)):
        position = desk.positions[k]
        if position["qty"] == 0.0:
            continue
        direction = 1 if position["qty"] > 0.0 else -1
        qty = abs(position["qty"])
        stop = working_stop(position["stop"], position["trail"], direction)
        if position["stop_order"] < 0 and not math.isnan(stop):
            reason = stop_reason(position, direction)
            position["stop_order"] = submit(desk, ns, k, OrderKind.STOP.value, reason, -direction, qty, stop)
        if position["target_order"] < 0 and not math.isnan(position["target"]):
            kind, reason = OrderKind.TARGET.value, Reason.TAKE_PROFIT.value
            position["target_order"] = submit(desk, ns, k, kind, reason, -direction, qty, position["target"])
