"""Rule D2: what the close of a base interval changes, bar or no bar.

Rules held here: D2 (marks, equity, best, trailing), D5 (KILL, DAILY_LOSS, TRADE_DRAWDOWN), X1 (how long an entry
waits), X2 and X4 (FORCED_FLATTEN), S5 (equity), F6 (trailing levels move between bars), the sell window of X3 (D2's
last clause).

How it works: marks first, then the account, then at most one exit a position, by the precedence of D4.

Invariants: a position with an exit working gets no second one; nothing here opens a position; a blocked account has
no working entry.
"""

from __future__ import annotations

import math

from workbench.engine.exits import level_exit
from workbench.engine.ledger import decide, drop_entry, emit, note, order_exit, submit
from workbench.engine.levels import trailing_level, working_stop
from workbench.engine.moment import moment
from workbench.engine.on_fill import stop_reason
from workbench.engine.records import Action, Instant, Note
from workbench.jit import inlined, njit
from workbench.schema import Decision, OrderKind, Reason
from workbench.tolerance import less_equal


@inlined
def on_base_close(desk, market, i):  # type: ignore[no-untyped-def]
    """Close base interval ``i``: mark, move, and decide what must not wait for a strategy bar."""
    account = desk.account[0]
    instant = moment(market, i)
    if instant.session != account["session"]:
        account["session"] = instant.session
        account["session_start_equity"] = account["equity"]
        account["daily_loss_hit"] = False
        account["entries_sent"] = 0
    if account["n_entries"] > 0:
        expire_entries(desk, instant)
    mark_to_market(desk, market, i)
    block(desk)
    if account["n_positions"] > 0 or account["n_entries"] > 0:
        protect_account(desk, instant)
        if instant.flags & Instant.LAST and desk.config[0]["mis"]:
            report_unflattened(desk, instant)


@inlined
def mark_to_market(desk, market, i):  # type: ignore[no-untyped-def]
    """Marks, best prices, trailing levels, equity and its peak (D2, S5)."""
    account = desk.account[0]
    value = 0.0
    for k in range(len(desk.positions)):
        position = desk.positions[k]
        traded = not math.isnan(market.close[i, k])
        if traded:
            position["mark"] = market.close[i, k]
        if position["qty"] != 0.0:
            if traded:
                track(desk, k, market.high[i, k], market.low[i, k], market.times.close_ns[i])
            value += position["qty"] * position["mark"]
            pnl = position["qty"] * (position["mark"] - position["entry_price"])
            position["peak_pnl"] = max(position["peak_pnl"], pnl)
    account["position_value"] = value
    account["equity"] = account["cash"] + value
    account["peak_equity"] = max(account["peak_equity"], account["equity"])


@inlined
def track(desk, k, high, low, ns):  # type: ignore[no-untyped-def]
    """Follow one held position over a bar that has closed at ``ns``: best and worst price, trailing level."""
    position = desk.positions[k]
    direction = 1 if position["qty"] > 0.0 else -1
    best, worst = (high, low) if direction > 0 else (low, high)
    if direction * worst < direction * position["worst"]:
        position["worst"] = worst
    if direction * best > direction * position["best"]:
        position["best"] = best
        # The trailing level is a function of the best price: it moves only with it.
        if not math.isnan(desk.config[0]["trailing_stop_frac"]):
            move_trailing(desk, k, direction, ns)


@inlined
def move_trailing(desk, k, direction, ns):  # type: ignore[no-untyped-def]
    """Move the trailing level to the best price so far, and the resting stop with it (F6)."""
    config = desk.config[0]
    position = desk.positions[k]
    before = working_stop(position["stop"], position["trail"], direction)
    tick = desk.instruments[k]["tick"]
    position["trail"] = trailing_level(config, position["entry_price"], position["best"], direction, tick)
    after = working_stop(position["stop"], position["trail"], direction)
    if math.isnan(after) or before == after:
        return
    if math.isnan(position["first_level"]):
        position["first_level"] = after
    if not config["stop_intrabar"]:
        return
    qty = abs(position["qty"])
    reason = stop_reason(position, direction)
    if position["stop_order"] < 0:
        position["stop_order"] = submit(desk, ns, k, OrderKind.STOP.value, reason, -direction, qty, after)
    else:
        order, kind = position["stop_order"], OrderKind.STOP.value
        emit(desk, ns, k, order, Action.MOVE.value, kind, reason, -direction, qty, after)


@inlined
def block(desk):  # type: ignore[no-untyped-def]
    """D5: latch KILL for good and DAILY_LOSS until the next session."""
    config = desk.config[0]
    account = desk.account[0]
    equity = account["equity"]
    floor = account["peak_equity"] * (1.0 - config["max_drawdown_frac"])
    if equity <= 0.0 or (not math.isnan(floor) and less_equal(equity, floor)):
        account["killed"] = True
    floor = account["session_start_equity"] * (1.0 - config["daily_loss_limit_frac"])
    if not math.isnan(floor) and less_equal(equity, floor):
        account["daily_loss_hit"] = True


@njit
def expire_entries(desk, instant):  # type: ignore[no-untyped-def]
    """X1: take back entries that have waited as long as they may."""
    proxy_close = desk.config[0]["proxy_close"]
    flags = instant.flags
    for k in range(len(desk.positions)):
        position = desk.positions[k]
        if position["pending_side"] == 0:
            continue
        over = position["pending_session"] != instant.session
        if proxy_close:
            over = over or bool(flags & Instant.LAST)
        if over:
            drop_entry(desk, k, instant.close_ns, Action.CANCEL.value)


@inlined
def watched(config):  # type: ignore[no-untyped-def]
    """Whether a single position can have a reason of its own to leave at any base close: see ``own_reason``."""
    return not math.isnan(config["max_trade_drawdown_frac"]) or (config["proxy_close"] and not config["stop_intrabar"])


@inlined
def protect_account(desk, instant):  # type: ignore[no-untyped-def]
    """D4's first four reasons, and in the sell window of proxy_close the stop rules against the mark."""
    account = desk.account[0]
    reason = Reason.NONE.value
    if account["killed"]:
        reason = Reason.KILL.value
    elif account["daily_loss_hit"]:
        reason = Reason.DAILY_LOSS.value
    elif instant.flags & Instant.FLATTEN:
        reason = Reason.FORCED_FLATTEN.value
    if reason == Reason.NONE and not watched(desk.config[0]):
        return
    for k in range(len(desk.positions)):
        position = desk.positions[k]
        if reason != Reason.NONE and position["pending_side"] != 0:
            drop_entry(desk, k, instant.close_ns, Action.CANCEL.value)
        if position["qty"] == 0.0 or position["exit_reason"] != 0:
            continue
        why = reason
        if why == Reason.NONE:
            why = own_reason(desk, instant, k)
        if why != Reason.NONE:
            order_exit(desk, k, instant, why)
            decide(desk, instant.close_ns, k, Decision.EXIT_TRUE.value, why)


@njit
def own_reason(desk, instant, k):  # type: ignore[no-untyped-def]
    """TRADE_DRAWDOWN, or in the sell window of proxy_close a level passed by the mark; NONE otherwise."""
    config = desk.config[0]
    position = desk.positions[k]
    limit = config["max_trade_drawdown_frac"] * desk.account[0]["equity"]
    pnl = position["qty"] * (position["mark"] - position["entry_price"])
    if not math.isnan(limit) and less_equal(limit, position["peak_pnl"] - pnl):
        return Reason.TRADE_DRAWDOWN.value
    if config["proxy_close"] and not config["stop_intrabar"] and instant.flags & Instant.SELL_WINDOW:
        return level_exit(config, position, position["mark"])
    return Reason.NONE.value


@njit
def report_unflattened(desk, instant):  # type: ignore[no-untyped-def]
    """X1: a MIS position held over the session's end is FLATTEN_FAILED."""
    for k in range(len(desk.positions)):
        if desk.positions[k]["qty"] != 0.0:
            note(desk, instant.close_ns, k, Note.FLATTEN_FAILED.value)
