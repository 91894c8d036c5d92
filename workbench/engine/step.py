"""Rule D3: the close of a strategy bar. Exits first, then entries.

Rules held here: D3, D9 (one decision an instrument and bar), D6 (reversals), D10 (bars held), E7 (entries need
warm).

How it works: one pass over the instruments by name counts the bar, decides the exit of what is held and asks what
is flat for its entry; ``entries.send_entries`` then judges the candidates together and completes their rows.

Invariants: every instrument gets exactly one row at every strategy close; an instrument without a bar is not
evaluated.
"""

from __future__ import annotations

from workbench.engine.entries import CONFLICT, asked_side, cooling, send_entries
from workbench.engine.exits import exit_reason
from workbench.engine.ledger import decide, order_exit
from workbench.engine.moment import moment
from workbench.jit import inlined
from workbench.schema import Decision, Reason, Signal


@inlined
def step(desk, market, i, signals, s):  # type: ignore[no-untyped-def]
    """Decide at strategy close ``s``, which is instant ``i`` of the market."""
    ns = market.times.close_ns[i]
    candidates = 0
    for k in range(len(desk.positions)):
        position = desk.positions[k]
        flags = signals.flags[s, k]
        desk.scratch[k]["side"] = 0
        decided = position["exit_reason"] != 0 and position["exit_ns"] == ns
        if flags & Signal.BAR:
            position["n_bars"] += 1
            if position["qty"] != 0.0:
                position["bars_held"] += 1
        if decided:
            continue
        if not flags & Signal.BAR:
            decide(desk, ns, k, Decision.NO_BAR.value, Reason.NONE.value)
        elif position["qty"] != 0.0:
            candidates += judge_held(desk, market, i, k, flags)
        else:
            candidates += judge_flat(desk, ns, k, flags)
    if candidates > 0:
        if desk.config[0]["ranking"]:
            for k in range(len(desk.positions)):
                desk.scratch[k]["rank"] = signals.rank[s, k]
        send_entries(desk, market, i, signals, s)


@inlined
def judge_held(desk, market, i, k, flags):  # type: ignore[no-untyped-def]
    """Decide whether position ``k`` leaves; 1 if its opposite entry is a candidate (a reversal), else 0."""
    config = desk.config[0]
    position = desk.positions[k]
    instant = moment(market, i)
    ns = instant.close_ns
    if position["exit_reason"] != 0:
        decide(desk, ns, k, Decision.EXIT_FALSE.value, Reason.NONE.value)
        return 0
    reason = exit_reason(config, position, position["mark"], flags)
    if reason == Reason.NONE:
        decide(desk, ns, k, Decision.EXIT_FALSE.value, Reason.NONE.value)
        return 0
    order_exit(desk, k, instant, reason)
    row = decide(desk, ns, k, Decision.EXIT_TRUE.value, reason)
    if reason != Reason.EXIT_SIGNAL:
        return 0
    direction = 1 if position["qty"] > 0.0 else -1
    side = asked_side(config, flags)
    if side == CONFLICT:
        desk.decisions[row]["entry"] = Decision.BLOCKED_CONFLICT.value
        return 0
    if side != -direction:
        return 0
    if not flags & Signal.WARM:
        desk.decisions[row]["entry"] = Decision.WARMING_UP.value
        return 0
    desk.scratch[k]["side"] = side
    desk.scratch[k]["row"] = row
    return 1


@inlined
def judge_flat(desk, ns, k, flags):  # type: ignore[no-untyped-def]
    """Decide whether a flat instrument asks for an entry; 1 if it is a candidate, else 0."""
    position = desk.positions[k]
    if not flags & Signal.WARM:
        decide(desk, ns, k, Decision.WARMING_UP.value, Reason.NONE.value)
        return 0
    side = asked_side(desk.config[0], flags)
    if side == 0:
        decide(desk, ns, k, Decision.ENTRY_FALSE.value, Reason.NONE.value)
    elif side == CONFLICT:
        decide(desk, ns, k, Decision.BLOCKED_CONFLICT.value, Reason.NONE.value)
    elif cooling(desk.config[0], position):
        decide(desk, ns, k, Decision.BLOCKED_COOLDOWN.value, Reason.NONE.value)
    elif position["pending_side"] != 0:
        decide(desk, ns, k, Decision.BLOCKED_WORKING_ORDER.value, Reason.NONE.value)
    else:
        desk.scratch[k]["side"] = side
        desk.scratch[k]["row"] = decide(desk, ns, k, Decision.ENTRY_TRUE.value, Reason.NONE.value)
        return 1
    return 0
