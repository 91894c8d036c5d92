"""Section F: the fill model of backtest and paper.

Rules held here: F1 (order of fills at the open, slippage), F3 (protective orders are tested from the entry bar on),
F4 (gaps), F5 (touches, the ambiguous bar), F8, D8 (an entry that names exits fills only after them), F10 (charges a
fill).

How it works: ``fill_interval`` is called with one base interval, before its close: market exits by instrument name,
then market entries in sending order, then protective orders by name. Instruments are sorted by name, so an index is
a name.

Invariants: an instrument without a bar fills nothing; a protective order fills after no market exit of the same bar.
"""

from __future__ import annotations

import math

from workbench.engine.ledger import charges, drop_entry
from workbench.engine.levels import at_or_beyond_stop, at_or_beyond_target, beyond_target, working_stop
from workbench.engine.moment import moment
from workbench.engine.on_fill import on_fill, stop_reason
from workbench.engine.records import Action
from workbench.jit import inlined
from workbench.schema import OrderKind, Reason


@inlined
def fill_interval(desk, market, i):  # type: ignore[no-untyped-def]
    """Fill what fills in base interval ``i``."""
    account = desk.account[0]
    if account["n_exits"] > 0:
        for k in range(len(desk.positions)):
            if desk.positions[k]["exit_reason"] != 0 and not math.isnan(market.open[i, k]):
                fill_exit(desk, market, i, k)
    if account["n_entries"] > 0:
        fill_entries(desk, market, i)
    if account["n_positions"] > 0 and desk.config[0]["stop_intrabar"]:
        for k in range(len(desk.positions)):
            if desk.positions[k]["qty"] != 0.0 and not math.isnan(market.open[i, k]):
                match_protective(desk, market, i, k)


@inlined
def market_price(opened, side, slippage_frac):  # type: ignore[no-untyped-def]
    """F1: what a market order gets in a bar that opened at ``opened``; also what a gapped stop gets."""
    return opened * (1.0 + side * slippage_frac)


@inlined
def fill(desk, instant, k, order, kind, reason, side, qty, price):  # type: ignore[no-untyped-def]
    """Write a fill with its charges and apply it."""
    account = desk.account[0]
    place = account["n_fills"]
    account["n_fills"] += 1
    row = desk.fills[place]
    opening = reason == Reason.ENTRY_SIGNAL
    same_session = opening or desk.positions[k]["entry_session"] == instant.session
    row["ns"] = instant.open_ns
    row["instrument"] = k
    row["order"] = order
    row["side"] = side
    row["kind"] = kind
    row["reason"] = reason
    row["qty"] = qty
    row["price"] = price
    row["charges"] = charges(desk, k, instant.open_ns, side, qty, price, same_session)
    on_fill(desk, place, instant.session)


@inlined
def fill_exit(desk, market, i, k):  # type: ignore[no-untyped-def]
    """F1: a market exit fills at the open, with slippage against the trader."""
    position = desk.positions[k]
    side = -1 if position["qty"] > 0.0 else 1
    price = market_price(market.open[i, k], side, desk.config[0]["slippage_frac"])
    order, reason = position["exit_order"], position["exit_reason"]
    fill(desk, moment(market, i), k, order, OrderKind.OPEN.value, reason, side, abs(position["qty"]), price)


@inlined
def fill_entries(desk, market, i):  # type: ignore[no-untyped-def]
    """F1: market entries fill at the open in sending order; D8: only once the exits they name have filled."""
    sent = -1
    while True:
        chosen = -1
        for k in range(len(desk.positions)):
            position = desk.positions[k]
            if position["pending_side"] == 0 or position["pending_order"] <= sent or math.isnan(market.open[i, k]):
                continue
            if chosen < 0 or position["pending_order"] < desk.positions[chosen]["pending_order"]:
                chosen = k
        if chosen < 0:
            return
        position = desk.positions[chosen]
        sent = position["pending_order"]
        if waits_for_exit(desk, chosen):
            drop_entry(desk, chosen, market.times.open_ns[i], Action.CANCEL_NO_SLOT.value)
            continue
        side = position["pending_side"]
        price = market_price(market.open[i, chosen], side, desk.config[0]["slippage_frac"])
        qty = position["pending_qty"]
        fill(desk, moment(market, i), chosen, sent, OrderKind.OPEN.value, Reason.ENTRY_SIGNAL.value, side, qty, price)


@inlined
def waits_for_exit(desk, k):  # type: ignore[no-untyped-def]
    """Whether an exit that entry ``k`` named still works, or ended with a part, which only a broker can do (D8)."""
    entry = desk.positions[k]
    if entry["pending_own"] and (entry["exit_reason"] != 0 or entry["qty"] != 0.0):
        return True
    for j in range(entry["pending_named"] + 1):
        other = desk.positions[j]
        if other["exit_ns"] != entry["pending_ns"]:
            continue
        # What was opened before the exit was decided and is still there is what the exit has left.
        if other["exit_reason"] != 0 or (other["qty"] != 0.0 and other["entry_ns"] < other["exit_ns"]):
            return True
    return False


@inlined
def match_protective(desk, market, i, k):  # type: ignore[no-untyped-def]
    """F3 to F5: test the stop and the target of position ``k`` against base bar ``i``, and fill the one it hits.

    A stop fills with slippage, gapped or not; a target at its price or, gapped, at the open, without.
    """
    position = desk.positions[k]
    direction = 1 if position["qty"] > 0.0 else -1
    kind, price = protective_hit(desk, market, i, k, direction)
    if kind == OrderKind.OPEN:
        return
    order, reason = position["target_order"], Reason.TAKE_PROFIT.value
    if kind == OrderKind.STOP:
        order, reason = position["stop_order"], stop_reason(position, direction)
        price = market_price(price, -direction, desk.config[0]["slippage_frac"])
    fill(desk, moment(market, i), k, order, kind, reason, -direction, abs(position["qty"]), price)


@inlined
def protective_hit(desk, market, i, k, direction):  # type: ignore[no-untyped-def]
    """STOP or TARGET and its price before slippage if base bar ``i`` hits one; OPEN if it hits neither."""
    position = desk.positions[k]
    stop = working_stop(position["stop"], position["trail"], direction)
    entered_here = position["entry_ns"] == market.times.open_ns[i]
    bar = market.open[i, k], market.high[i, k], market.low[i, k]
    return touched(desk.config[0], stop, position["target"], bar, direction, entered_here)


@inlined
def touched(config, stop, target, bar, direction, entered_here):  # type: ignore[no-untyped-def]
    """F3 to F5 for one bar (open, high, low) of a position that is ``direction``; a level that is not there is NaN."""
    opened, best, worst = bar
    if direction < 0:
        worst, best = best, worst
    if not entered_here:
        if at_or_beyond_stop(opened, stop, direction):
            return OrderKind.STOP.value, opened
        if at_or_beyond_target(opened, target, direction):
            return OrderKind.TARGET.value, opened
    stop_hit = at_or_beyond_stop(worst, stop, direction)
    through = config["touch_through"]
    target_hit = beyond_target(best, target, direction) if through else at_or_beyond_target(best, target, direction)
    if stop_hit and not (target_hit and config["ambiguous_target"]):
        # Slippage on the entry can set a stop that the whole entry bar lies beyond: no price of the bar is as good.
        unreachable = not at_or_beyond_target(best, stop, direction)
        return OrderKind.STOP.value, opened if unreachable else stop
    if target_hit:
        return OrderKind.TARGET.value, target
    return OrderKind.OPEN.value, 0.0
