"""The loop of a sweep: the same three functions, called only at instants at which they could change something.

Between two such instants nothing but counts, marks and extremes moves, and ``stretches`` brings those up to date. No
rule is stated here. What is stated is when no rule can act, and wherever that is not certain the instant is walked:

- a flat instrument without a working order does nothing until its entry is true at a strategy close;
- a held one does nothing until its exit is true at a strategy close, its holding limit is near, a flag of the calendar
  stands at the instant, or a price comes near a level;
- a strategy that watches equity or its trades' drawdown at every base close is walked while it holds something.

For one instrument. Decisions, orders and the curve are not kept; trades and fills are.
"""

from __future__ import annotations

import math

from workbench.engine.loop import advance_instant, room
from workbench.engine.on_base_close import watched
from workbench.engine.records import Direction
from workbench.engine.stretches import add_flat, glide
from workbench.engine.tally import add_instant
from workbench.jit import inlined, njit
from workbench.schema import Signal


@njit
def run_quickly(desk, market, signals, course, tally, i, s):  # type: ignore[no-untyped-def]
    """Advance from instant ``i`` and strategy close ``s`` until the data or a buffer ends.

    Parameters
    ----------
    desk : Desk
        State; fills and trades are kept, the other outputs overwritten.
    market : Market
        Instants and bars of one instrument, m of them.
    signals : Signals
        One row a strategy close.
    course : Course
        Of the same bars.
    tally : Tally
        What the rows add up to so far.
    i, s : int
        Where to begin.

    Returns
    -------
    tuple of int
        The instant and the strategy close to go on from; the instant is m at the end.
    """
    account, position, config = desk.account[0], desk.positions[0], desk.config[0]
    m = len(market.open)
    limits = config["max_drawdown_frac"], config["daily_loss_limit_frac"]
    walked = watched(config) or not math.isnan(limits[0]) or not math.isnan(limits[1])
    while i < m and room(desk):
        if account["n_exits"] == 0 and account["n_entries"] == 0:
            j = i
            if position["qty"] == 0.0:
                j = instant_of(course, entry_close(config, signals, tally, s), m)
                if j > i:
                    add_flat(desk, market, course, tally, i, j)
            elif not walked:
                limit = instant_of(course, exit_close(config, position, signals, tally, s), m)
                j = glide(desk, market, course, tally, i, limit)
            if j > i:
                t = course.closes_before[j]
                bars = course.bars_before[t] - course.bars_before[s]
                position["n_bars"] += bars
                if position["qty"] != 0.0:
                    position["bars_held"] += bars
                i, s = j, t
                continue
        account["n_actions"] = 0
        account["n_decisions"] = 0
        account["n_notes"] = 0
        s = advance_instant(desk, market, i, signals, s)
        add_instant(desk, market, course, tally, i)
        i += 1
    return i, s


@inlined
def instant_of(course, s, m):  # type: ignore[no-untyped-def]
    """The instant of strategy close ``s``, m beyond the last."""
    return course.closes_at[s] if s < len(course.closes_at) else m


@inlined
def entry_close(config, signals, tally, s):  # type: ignore[no-untyped-def]
    """The next strategy close from ``s`` on at which an entry is true."""
    ahead = tally.total[0]
    if ahead["next_entry"] < s:
        wanted = Signal.ENTRY.value
        if config["direction"] == Direction.BOTH:
            wanted |= Signal.SHORT_ENTRY.value
        ahead["next_entry"] = next_close(signals.flags, s, wanted)
    return ahead["next_entry"]


@inlined
def exit_close(config, position, signals, tally, s):  # type: ignore[no-untyped-def]
    """The next strategy close from ``s`` on at which the position's exit is true or its holding limit is reached."""
    ahead = tally.total[0]
    if config["direction"] == Direction.BOTH and position["qty"] < 0.0:
        if ahead["next_short_exit"] < s:
            ahead["next_short_exit"] = next_close(signals.flags, s, Signal.SHORT_EXIT.value)
        close = ahead["next_short_exit"]
    else:
        if ahead["next_exit"] < s:
            ahead["next_exit"] = next_close(signals.flags, s, Signal.EXIT.value)
        close = ahead["next_exit"]
    if config["max_holding_bars"] >= 0:
        close = min(close, s + max(config["max_holding_bars"] - position["bars_held"] - 1, 0))
    return close


@inlined
def next_close(flags, s, wanted):  # type: ignore[no-untyped-def]
    """The next strategy close from ``s`` on at which a wanted signal is true; their count if none is."""
    while s + 8 <= len(flags):
        some = flags[s, 0] | flags[s + 1, 0] | flags[s + 2, 0] | flags[s + 3, 0]
        more = flags[s + 4, 0] | flags[s + 5, 0] | flags[s + 6, 0] | flags[s + 7, 0]
        if (some | more) & wanted:
            break
        s += 8
    while s < len(flags) and not flags[s, 0] & wanted:
        s += 1
    return s
