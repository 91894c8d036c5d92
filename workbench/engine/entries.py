"""Rules D6 to D8: who may enter, in which order, and on whose slots and cash.

How it works: ``asked_side`` and ``cooling`` judge an instrument alone and make the candidates; ``send_entries``
walks the candidates in the order of D7, which is the order of sizing and of sending, and applies what depends on
those before.

When several blocks hold, the one reported is the first of: CONFLICT, COOLDOWN, WINDOW, MAX_TRADES, KILL,
DAILY_LOSS, CALENDAR, SESSION_END, NO_ATR, SLOTS, then CASH or CAP.

Invariants: open positions + working entries never pass ``max_open_positions`` once the exits they name have filled;
at most one working entry an instrument.
"""

from __future__ import annotations

import math

from workbench.engine.ledger import submit_entry
from workbench.engine.moment import moment
from workbench.engine.records import Direction, Instant
from workbench.engine.sizing import affordable_qty, cap_qty, free_cash, release, reserve, wanted_qty
from workbench.jit import inlined
from workbench.schema import Decision, Signal
from workbench.tolerance import equal, less_equal

CONFLICT = 2


@inlined
def asked_side(config, flags):  # type: ignore[no-untyped-def]
    """+1 or -1 for the entry that is true, 0 for none, CONFLICT for both (D6, N6)."""
    if config["direction"] == Direction.LONG:
        return 1 if flags & Signal.ENTRY else 0
    if config["direction"] == Direction.SHORT:
        return -1 if flags & Signal.ENTRY else 0
    if flags & Signal.ENTRY and flags & Signal.SHORT_ENTRY:
        return CONFLICT
    if flags & Signal.ENTRY:
        return 1
    return -1 if flags & Signal.SHORT_ENTRY else 0


@inlined
def cooling(config, position):  # type: ignore[no-untyped-def]
    """D10: whether too few of its own strategy bars have passed since the bar that holds its last exit fill."""
    return position["n_bars"] - 1 - position["exit_bar"] < config["cooldown_bars"]


@inlined
def standing_block(desk, instant):  # type: ignore[no-untyped-def]
    """The first block that the instant and the account put in an entry's way, NONE if nothing does (D6, X1)."""
    config = desk.config[0]
    account = desk.account[0]
    flags = instant.flags
    if not flags & Instant.ENTRY_WINDOW:
        return Decision.BLOCKED_WINDOW.value
    if 0 <= config["max_trades_per_day"] <= account["entries_sent"]:
        return Decision.BLOCKED_MAX_TRADES.value
    if account["killed"]:
        return Decision.BLOCKED_KILL.value
    if account["daily_loss_hit"]:
        return Decision.BLOCKED_DAILY_LOSS.value
    if flags & Instant.UNKNOWN:
        return Decision.BLOCKED_CALENDAR.value
    if flags & Instant.NO_ENTRY:
        return Decision.BLOCKED_SESSION_END.value
    return Decision.NONE.value


@inlined
def order_candidates(desk, ranking):  # type: ignore[no-untyped-def]
    """D7: write the order of sending into ``scratch["place"]`` and return the number of candidates.

    Equal ranks (E5) are ties by name: walking down, every rank equal to the highest one left forms one group.
    """
    scratch = desk.scratch
    count = 0
    for k in range(len(scratch)):
        if scratch[k]["side"] != 0:
            scratch[count]["place"] = k
            count += 1
    if not ranking:
        return count
    for start in range(count):
        head = math.nan
        for j in range(start, count):
            rank = scratch[scratch[j]["place"]]["rank"]
            if not math.isnan(rank) and (math.isnan(head) or rank > head):
                head = rank
        if start > 0 and not math.isnan(head):
            # A group once begun is finished before a new head is chosen.
            before = scratch[scratch[start - 1]["place"]]["head"]
            if equal(before, head):
                head = before
        chosen = start
        for j in range(start, count):
            rank = scratch[scratch[j]["place"]]["rank"]
            if (math.isnan(head) and math.isnan(rank)) or equal(rank, head):
                chosen = j
                break
        place = scratch[chosen]["place"]
        for j in range(chosen, start, -1):
            scratch[j]["place"] = scratch[j - 1]["place"]
        scratch[start]["place"] = place
        scratch[place]["head"] = head
    return count


@inlined
def send_entries(desk, market, i, signals, s):  # type: ignore[no-untyped-def]
    """Judge and send the entries that are true at strategy close ``s``, which is instant ``i`` (D6 to D8)."""
    config = desk.config[0]
    account = desk.account[0]
    scratch = desk.scratch
    instant = moment(market, i)
    count = order_candidates(desk, config["ranking"])
    leaving = leaving_now(desk, instant)
    released = price_exits(desk, instant)
    if not config["reuse_exit_proceeds"]:
        released = 0.0
    free = free_cash(desk)
    slots = config["max_open_positions"] - (account["n_positions"] + account["n_entries"] - leaving)
    slot_cash = (free + released) / slots if slots > 0 else 0.0
    for j in range(count):
        k = scratch[j]["place"]
        atr = signals.atr[s, k] if len(signals.atr) > 0 else math.nan
        verdict = standing_block(desk, instant)
        if verdict == Decision.NONE and not math.isnan(config["stop_loss_atr"]) and math.isnan(atr):
            verdict = Decision.BLOCKED_NO_ATR.value
        taken = account["n_positions"] + account["n_entries"] - leaving
        if verdict == Decision.NONE and taken >= config["max_open_positions"]:
            verdict = Decision.BLOCKED_SLOTS.value
        if verdict == Decision.NONE:
            verdict, qty = size(desk, k, instant.close_ns, atr, free + released, slot_cash)
            if verdict == Decision.ENTRY_TRUE:
                free -= send_entry(desk, k, instant, qty, atr, free)
        row = desk.decisions[scratch[k]["row"]]
        if desk.positions[k]["exit_reason"] != 0:
            row["entry"] = verdict
        else:
            row["decision"] = verdict


@inlined
def size(desk, k, ns, atr, usable, slot_cash):  # type: ignore[no-untyped-def]
    """S3: ENTRY_TRUE with the quantity of candidate ``k``, or the block that leaves none.

    ``usable`` is the free cash of S4, what exits release included; close[t] is the instrument's mark, the last
    close inside the strategy bar, whose last base interval need not have traded.
    """
    close = desk.positions[k]["mark"]
    price = close * (1.0 + desk.config[0]["slippage_frac"])
    qty = wanted_qty(desk, k, close, atr, slot_cash)
    qty = affordable_qty(desk, k, desk.scratch[k]["side"], qty, price, usable, ns)
    if qty <= 0.0:
        return Decision.BLOCKED_CASH.value, 0.0
    qty = cap_qty(desk, k, qty, price)
    if qty <= 0.0:
        return Decision.BLOCKED_CAP.value, 0.0
    return Decision.ENTRY_TRUE.value, qty


@inlined
def price_exits(desk, instant):  # type: ignore[no-untyped-def]
    """Write what each exit decided now releases into ``scratch`` and return the sum (S4)."""
    total = 0.0
    for k in range(len(desk.positions)):
        position = desk.positions[k]
        desk.scratch[k]["release"] = 0.0
        if position["exit_reason"] != 0 and position["exit_ns"] == instant.close_ns:
            desk.scratch[k]["release"] = release(desk, k, instant)
            total += desk.scratch[k]["release"]
    return total


@inlined
def leaving_now(desk, instant):  # type: ignore[no-untyped-def]
    """Number of exits decided at this instant."""
    if desk.account[0]["n_exits"] == 0:
        return 0
    count = 0
    for k in range(len(desk.positions)):
        position = desk.positions[k]
        if position["exit_reason"] != 0 and position["exit_ns"] == instant.close_ns:
            count += 1
    return count


@inlined
def send_entry(desk, k, instant, qty, atr, free):  # type: ignore[no-untyped-def]
    """Send one entry, name the exits it needs, and return what it reserves."""
    account = desk.account[0]
    position = desk.positions[k]
    side = desk.scratch[k]["side"]
    ns = instant.close_ns
    price = position["mark"] * (1.0 + desk.config[0]["slippage_frac"])
    held_back = reserve(desk, k, side, qty, price, ns)
    name_exits(desk, k, instant, held_back, free)
    position["pending_reserve"] = held_back
    submit_entry(desk, k, instant, side, qty, qty * price, atr)
    account["entries_sent"] += 1
    return held_back


@inlined
def name_exits(desk, k, instant, cost, free):  # type: ignore[no-untyped-def]
    """D8: name the first exits, as few as give the entry its slot and its cash; a reversal names its own first."""
    config = desk.config[0]
    account = desk.account[0]
    position = desk.positions[k]
    position["pending_own"] = position["exit_reason"] != 0
    position["pending_named"] = -1
    taken = account["n_positions"] + account["n_entries"]
    have = free
    if position["pending_own"]:
        taken -= 1
        if config["reuse_exit_proceeds"]:
            have += desk.scratch[k]["release"]
    for j in range(len(desk.positions)):
        if taken < config["max_open_positions"] and less_equal(cost, have):
            return
        other = desk.positions[j]
        if j == k or other["exit_reason"] == 0 or other["exit_ns"] != instant.close_ns:
            continue
        taken -= 1
        if config["reuse_exit_proceeds"]:
            have += desk.scratch[j]["release"]
        position["pending_named"] = j
