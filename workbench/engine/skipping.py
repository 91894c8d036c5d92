"""The loop of a sweep: the same three functions, called only at instants at which they could change something.

Between two such instants nothing but counts, marks and extremes moves, and those are brought up to date at once. No
rule is stated here. What is stated is when no rule can act, and wherever that is not certain the instant is walked:

- a flat instrument without a working order does nothing until its entry is true at a strategy close;
- a held one does nothing until its exit is true at a strategy close, its holding limit is near, a flag of the calendar
  stands at the instant, or a price comes near a level, or passes the best price where a stop trails;
- a strategy that watches equity or its trades' drawdown at every base close is walked while it holds something.

For one instrument. Decisions, orders and the curve are not kept; trades and fills are.
"""

from __future__ import annotations

import math

import numpy as np

from workbench.engine.course import BLOCK
from workbench.engine.levels import working_stop
from workbench.engine.loop import advance_instant, room
from workbench.engine.on_base_close import watched
from workbench.engine.records import Direction, Instant
from workbench.engine.tally import add_instant, add_stretch
from workbench.jit import inlined, njit
from workbench.schema import Signal

#: A price within this fraction of a level counts as near it: more than the 1e-9 within which numbers are equal (E5).
NEAR = 4e-9


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
    account, position = desk.account[0], desk.positions[0]
    m = len(market.open)
    while i < m and room(desk):
        if account["n_exits"] == 0 and account["n_entries"] == 0:
            j = quiet_until(desk, market, signals, course, tally, i, s)
            if j > i:
                t = np.searchsorted(course.closes_at, j)
                pass_over(position, market, course, i, j, course.bars_before[t] - course.bars_before[s])
                add_stretch(desk, market, course, tally, i, j)
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
def quiet_until(desk, market, signals, course, tally, i, s):  # type: ignore[no-untyped-def]
    """The next instant from ``i`` on that must be walked, with no order working; m if none must."""
    config, position, ahead = desk.config[0], desk.positions[0], tally.total[0]
    if position["qty"] == 0.0:
        if ahead["next_entry"] < s:
            wanted = Signal.ENTRY.value
            if config["direction"] == Direction.BOTH:
                wanted |= Signal.SHORT_ENTRY.value
            ahead["next_entry"] = next_close(signals.flags, s, wanted)
        return instant_of(course, ahead["next_entry"], len(market.open))
    limits = config["max_drawdown_frac"], config["daily_loss_limit_frac"]
    if watched(config) or not math.isnan(limits[0]) or not math.isnan(limits[1]):
        return i
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
    return near_a_level(desk, market, course, i, instant_of(course, close, len(market.open)))


@inlined
def instant_of(course, s, m):  # type: ignore[no-untyped-def]
    """The instant of strategy close ``s``, m beyond the last."""
    return course.closes_at[s] if s < len(course.closes_at) else m


@inlined
def next_close(flags, s, wanted):  # type: ignore[no-untyped-def]
    """The next strategy close from ``s`` on at which a wanted signal is true; their count if none is."""
    while s < len(flags) and not flags[s, 0] & wanted:
        s += 1
    return s


@inlined
def near_a_level(desk, market, course, i, limit):  # type: ignore[no-untyped-def]
    """The next instant from ``i`` to before ``limit`` with a flag that ends positions or a price near a level."""
    config, position, cash = desk.config[0], desk.positions[0], desk.account[0]["cash"]
    qty = position["qty"]
    stop = working_stop(position["stop"], position["trail"], 1 if qty > 0.0 else -1)
    target, best = position["target"], position["best"]
    trails = not math.isnan(config["trailing_stop_frac"])
    least, greatest = -np.inf, np.inf
    if qty > 0.0:
        if not math.isnan(stop):
            least = stop + abs(stop) * NEAR
        # Equity at or below nothing ends everything (D5).
        least = max(least, -cash / qty * (1.0 + NEAR) if cash < 0.0 else -np.inf)
        if not math.isnan(target):
            greatest = target - abs(target) * NEAR
        if trails:
            greatest = min(greatest, best)
    else:
        if not math.isnan(stop):
            greatest = stop - abs(stop) * NEAR
        greatest = min(greatest, cash / -qty * (1.0 - NEAR))
        if not math.isnan(target):
            least = target + abs(target) * NEAR
        if trails:
            least = max(least, best)
    # Where stops are compared with closes, the last close counts until the strategy bar is final (F7).
    if not config["stop_intrabar"] and not least < position["mark"] < greatest:
        return i
    mask = Instant.FLATTEN.value
    if config["mis"]:
        mask |= Instant.LAST.value
    while i < limit:
        if i % BLOCK == 0 and i + BLOCK <= limit:
            block = i // BLOCK
            if course.low[block] > least and course.high[block] < greatest and not course.ends[block] & mask:
                i += BLOCK
                continue
        if market.low[i, 0] <= least or market.high[i, 0] >= greatest or market.times.flags[i] & mask:
            return i
        i += 1
    return i


@inlined
def pass_over(position, market, course, i, stop, bars):  # type: ignore[no-untyped-def]
    """Bring the position up to date over instants ``i`` to before ``stop``, which hold so many strategy bars."""
    position["n_bars"] += bars
    row = stop - 1
    while row >= i and math.isnan(market.close[row, 0]):
        row -= 1
    if row >= i:
        position["mark"] = market.close[row, 0]
    qty = position["qty"]
    if qty == 0.0:
        return
    position["bars_held"] += bars
    while i < stop:
        low, high, length = market.low[i, 0], market.high[i, 0], 1
        if i % BLOCK == 0 and i + BLOCK <= stop:
            low, high, length = course.low[i // BLOCK], course.high[i // BLOCK], BLOCK
        best, worst = (high, low) if qty > 0.0 else (-low, -high)
        sign = 1.0 if qty > 0.0 else -1.0
        if best > sign * position["best"]:
            position["best"] = sign * best
        if worst < sign * position["worst"]:
            position["worst"] = sign * worst
        i += length
