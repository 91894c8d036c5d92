"""Stretches of instants at which no rule acts: prices are followed, and the rows added up, block by block.

Held over a stretch, cash and quantity stay what they are. What moves is the mark, the best and worst price and with
them the trailing level, which ``track`` moves here as it does at a base close.
"""

from __future__ import annotations

import math

import numpy as np

from workbench.engine.course import BLOCK
from workbench.engine.levels import trailing_level, working_stop
from workbench.engine.on_base_close import track
from workbench.engine.records import Instant
from workbench.engine.tally import add_row, add_rows, end_session
from workbench.jit import inlined

#: A price within this fraction of a level counts as near it: more than the 1e-9 within which numbers are equal (E5).
NEAR = 4e-9


@inlined
def add_flat(desk, market, course, tally, i, stop):  # type: ignore[no-untyped-def]
    """The rows from instant ``i`` to before ``stop`` without a position."""
    bring_mark(desk.positions[0], market, i, stop)
    if course.rows_before[stop] == course.rows_before[i]:
        return
    total, cash = tally.total[0], desk.account[0]["cash"]
    # Equity is the cash, and was at the row before: no new peak, no new depth.
    for session in range(market.times.session[i], market.times.session[stop - 1] + 1):
        if i <= course.last_row[session] < stop:
            end_session(tally, session, cash)
    total["final"] = cash
    if cash < total["lowest_cash"]:
        total["lowest_cash"] = cash


@inlined
def bring_mark(position, market, i, stop):  # type: ignore[no-untyped-def]
    """The mark is the last close before instant ``stop``, if there is one from ``i`` on."""
    row = stop - 1
    while row >= i and math.isnan(market.close[row, 0]):
        row -= 1
    if row >= i:
        position["mark"] = market.close[row, 0]


@inlined
def glide(desk, market, course, tally, i, limit):  # type: ignore[no-untyped-def]
    """Follow a held position from instant ``i`` to the next before ``limit`` that must be walked, and return that."""
    config, position = desk.config[0], desk.positions[0]
    begun = i
    least, greatest = between(desk)
    # Where stops are compared with closes, the last close counts until the strategy bar is final (F7).
    if not config["stop_intrabar"] and not least < position["mark"] < greatest:
        return i
    mask = Instant.FLATTEN.value
    if config["mis"]:
        mask |= Instant.LAST.value
    walked_to = i
    while i < limit:
        b = i // BLOCK
        stop = min((b + 1) * BLOCK, limit)
        if i >= walked_to and b < len(course.low) and not course.ends[b] & mask:
            if stop - i == BLOCK:
                low, high = course.low[b], course.high[b]
                worst, best = course.least_close[b], course.greatest_close[b]
            else:
                low, high, worst, best = extremes(market, i, stop)
            if low > least and high < greatest:
                moves = trails(config, position, low, high)
                if not moves or not reaches(desk, low, high):
                    if moves:
                        track(desk, 0, high, low, market.times.close_ns[stop - 1])
                        least, greatest = between(desk)
                    else:
                        stretch_extremes(position, low, high)
                    add_rows(desk, market, course, tally, (i, stop), (worst, best))
                    i = stop
                    continue
            # Something in it is near: its bars are taken one by one.
            walked_to = stop
        close = market.close[i, 0]
        if market.times.flags[i] & mask:
            break
        if not math.isnan(close):
            low, high = market.low[i, 0], market.high[i, 0]
            if not (low > least and high < greatest):
                break
            if trails(config, position, low, high):
                if not config["stop_intrabar"]:
                    break
                track(desk, 0, high, low, market.times.close_ns[i])
                least, greatest = between(desk)
            else:
                stretch_extremes(position, low, high)
            equity = desk.account[0]["cash"] + position["qty"] * close
            add_row(tally, equity)
            if course.last_row[market.times.session[i]] == i:
                end_session(tally, market.times.session[i], equity)
        i += 1
    if i > begun:
        bring_mark(position, market, begun, i)
        tally.total[0]["held_rows"] += course.rows_before[i] - course.rows_before[begun]
        if course.rows_before[i] > course.rows_before[begun]:
            tally.total[0]["final"] = desk.account[0]["cash"] + position["qty"] * position["mark"]
    return i


@inlined
def extremes(market, i, stop):  # type: ignore[no-untyped-def]
    """Of the bars from instant ``i`` to before ``stop``: lowest low, highest high, least and greatest close."""
    low = worst = np.inf
    high = best = -np.inf
    for row in range(i, stop):
        low = min(low, market.low[row, 0])
        high = max(high, market.high[row, 0])
        worst = min(worst, market.close[row, 0])
        best = max(best, market.close[row, 0])
    return low, high, worst, best


@inlined
def between(desk):  # type: ignore[no-untyped-def]
    """The prices between which nothing happens to the position: a bar that stays inside touches no level."""
    position, cash = desk.positions[0], desk.account[0]["cash"]
    qty, target = position["qty"], position["target"]
    least, greatest = -np.inf, np.inf
    if qty > 0.0:
        stop = working_stop(position["stop"], position["trail"], 1)
        if not math.isnan(stop):
            least = stop + abs(stop) * NEAR
        # Equity at or below nothing ends everything (D5).
        if cash < 0.0:
            least = max(least, -cash / qty * (1.0 + NEAR))
        if not math.isnan(target):
            greatest = target - abs(target) * NEAR
    else:
        stop = working_stop(position["stop"], position["trail"], -1)
        if not math.isnan(stop):
            greatest = stop - abs(stop) * NEAR
        greatest = min(greatest, cash / -qty * (1.0 - NEAR))
        if not math.isnan(target):
            least = target + abs(target) * NEAR
    return least, greatest


@inlined
def trails(config, position, low, high):  # type: ignore[no-untyped-def]
    """Whether prices pass the best one of a position with a trailing stop."""
    if math.isnan(config["trailing_stop_frac"]):
        return False
    return high > position["best"] if position["qty"] > 0.0 else low < position["best"]


@inlined
def reaches(desk, low, high):  # type: ignore[no-untyped-def]
    """Whether a block must be followed bar by bar: it may reach the level that its own best price sets.

    The first level of a trade is that of the bar which sets it, and closes are compared at their own bar.
    """
    config, position = desk.config[0], desk.positions[0]
    if math.isnan(position["first_level"]) or not config["stop_intrabar"]:
        return True
    side = 1 if position["qty"] > 0.0 else -1
    best = high if side > 0 else low
    level = trailing_level(config, position["entry_price"], best, side, desk.instruments[0]["tick"])
    if math.isnan(level):
        return False
    return not low > level + abs(level) * NEAR if side > 0 else not high < level - abs(level) * NEAR


@inlined
def stretch_extremes(position, low, high):  # type: ignore[no-untyped-def]
    """The best and worst price where no level depends on them; those of no bar change nothing."""
    if position["qty"] > 0.0:
        position["best"] = max(position["best"], high)
        position["worst"] = min(position["worst"], low)
    else:
        position["best"] = min(position["best"], low)
        position["worst"] = max(position["worst"], high)
