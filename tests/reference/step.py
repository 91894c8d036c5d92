"""D3 step: exits, then candidates, then entries, at the close of a strategy bar."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.reference.base_close import decide_exit, is_flatten, stop_rule
from tests.reference.numbers import equal, is_missing
from tests.reference.sizing import Desk
from tests.reference.world import LONG, SHORT, Book, Position, World, local_minutes, wall_minutes


def step(world: World, book: Book, i: int, decided: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Decide at a strategy bar's close; ``decided`` are the exits of on_base_close at this instant. Rows by name."""
    signals = {name: world.signals[name][i] for name in world.names if i in world.signals.get(name, {})}
    for name in signals:
        count_bar(book, name)
    rows = {}
    for name in world.names:
        rows[name] = {"decision": "NO_BAR", "entry": None, "reason": None}  # D3
        if name in decided:
            rows[name] = {"decision": "EXIT_TRUE", "entry": None, "reason": decided[name]}  # point 8
        elif name in signals and name in book.positions:
            rows[name] = evaluate_exit(world, book, book.positions[name], signals[name], i)
    enter(world, book, signals, rows, i)
    return rows


def count_bar(book: Book, name: str) -> None:
    """D10, point 14: one more strategy bar of this instrument, for bars held and for the cooldown."""
    if name in book.positions:
        book.positions[name].bars_held += 1
    if name in book.since_exit:
        book.since_exit[name] += 1


def evaluate_exit(
    world: World, book: Book, position: Position, signal: dict[str, Any], i: int
) -> dict[str, Any]:
    """D4: one reason, the first that holds."""
    reason = None
    if position.exit_order is None:  # D4: a position with an exit working gets no second one
        reason = exit_reason(world, position, signal)
    if reason is None:
        return {"decision": "EXIT_FALSE", "entry": None, "reason": None}
    decide_exit(world, book, position, reason, i)
    return {"decision": "EXIT_TRUE", "entry": None, "reason": reason}


def exit_reason(world: World, position: Position, signal: dict[str, Any]) -> str | None:
    """D4: from STOP_LOSS down; what is above it belongs to on_base_close."""
    strategy = world.strategy
    if strategy["stop_execution"] == "close":  # F7
        reason = stop_rule(world, position, signal["close"])
        if reason is not None:
            return reason
    if strategy["max_holding_bars"] is not None and position.bars_held >= strategy["max_holding_bars"]:
        return "MAX_HOLDING"
    mine = "short_exit" if strategy["direction"] == "BOTH" and position.direction == SHORT else "exit"
    if signal[mine] is True and position.bars_held >= (strategy["min_holding_bars"] or 0):
        return "EXIT_SIGNAL"
    return None


def enter(world: World, book: Book, signals: dict[str, Any], rows: dict[str, dict[str, Any]], i: int) -> None:
    """D6 to D8: candidates in order; each is blocked, sized, sent."""
    candidates = {}
    for name, signal in signals.items():
        reversal = name in book.positions
        if reversal and rows[name]["reason"] != "EXIT_SIGNAL":
            continue  # D6: only an exit by EXIT_SIGNAL decided at t can reverse
        field = "entry" if reversal else "decision"
        sides = wanted_sides(world, book, name, signal)
        if not reversal and any(order.instrument == name for order in book.entries):
            rows[name][field] = "BLOCKED_WORKING_ORDER"  # D6: cannot happen while entries fill at the next open
        elif not signal["warm"] and (sides or not reversal):
            rows[name][field] = "WARMING_UP"  # E7
        elif len(sides) == 2:
            rows[name][field] = "BLOCKED_CONFLICT"  # D6, reversals too: no candidate
        elif sides and not reversal and cooling(world, book, name):
            rows[name][field] = "BLOCKED_COOLDOWN"  # D6: not a candidate either
        elif sides:
            candidates[name] = (sides, field)
        elif not reversal:
            rows[name][field] = "ENTRY_FALSE"
    desk = Desk(world, book, i)
    for name in sending_order(world, {name: signals[name] for name in candidates}):
        sides, field = candidates[name]
        outcome = static_block(world, book, signals[name], i)
        if outcome is None:
            outcome = desk.try_entry(name, sides[0], signals[name])
        rows[name][field] = outcome


def wanted_sides(world: World, book: Book, name: str, signal: dict[str, Any]) -> list[int]:
    """D6: the directions whose entry is true; two of them are a conflict."""
    direction = world.strategy["direction"]
    if direction != "BOTH":  # N6: SHORT uses entry and exit
        single = SHORT if direction == "SHORT" else LONG
        return [single] if signal["entry"] is True and name not in book.positions else []
    sides = [side for side, key in ((LONG, "entry"), (SHORT, "short_entry")) if signal[key] is True]
    if name in book.positions and -book.positions[name].direction not in sides:
        return []  # D6: a reversal needs the opposite entry
    return sides


def cooling(world: World, book: Book, name: str) -> bool:
    """D10: whether too few of its strategy bars have passed since the exit."""
    return name in book.since_exit and book.since_exit[name] < (world.strategy["cooldown_bars"] or 0)


def static_block(world: World, book: Book, signal: dict[str, Any], i: int) -> str | None:
    """Point 1: the first block in force, in the order they are reported. ``BLOCKED_`` and its name, or None."""
    strategy = world.strategy
    if not in_entry_window(world, i):
        return "BLOCKED_WINDOW"
    if strategy["max_trades_per_day"] is not None and book.sent >= strategy["max_trades_per_day"]:
        return "BLOCKED_MAX_TRADES"
    if book.killed:
        return "BLOCKED_KILL"
    if book.daily_loss:
        return "BLOCKED_DAILY_LOSS"
    if not world.session_of(i)["known"]:
        return "BLOCKED_CALENDAR"  # C3
    if is_flatten(world, i):
        return "BLOCKED_SESSION_END"  # X1
    if strategy["stop_loss_atr"] is not None and is_missing(signal["atr"]):
        return "BLOCKED_NO_ATR"  # F2
    return None


def in_entry_window(world: World, i: int) -> bool:
    """D6: local [a, b) on ts_close."""
    window = world.strategy["entry_window"]
    if window is None:
        return True
    now = local_minutes(world.session_of(i), world.grid[i]["close_ns"])
    start, end = wall_minutes(window[0]), wall_minutes(window[1])
    if start < end:
        return start <= now < end
    return now >= start or now < end  # a window over midnight


def sending_order(world: World, signals: dict[str, Any]) -> list[str]:
    """D7: EQUAL by name; RANKING by rank, highest first, missing last, ties (E5) by name."""
    if world.strategy["allocation"] == "EQUAL":
        return sorted(signals)
    missing = [name for name in sorted(signals) if is_missing(signals[name]["rank"])]
    ranked = [name for name in sorted(signals) if name not in missing]
    ranked.sort(key=lambda name: -signals[name]["rank"])
    order: list[str] = []
    while ranked:  # point 6: equal to the first of the run is one tie group
        first = signals[ranked[0]]["rank"]
        tied = partial(is_tied, signals, first)
        group = []
        while ranked and tied(ranked[0]):
            group.append(ranked.pop(0))
        order += sorted(group)
    return order + missing


def is_tied(signals: dict[str, Any], first: float, name: str) -> bool:
    """E5: whether a rank counts as equal to the first of its run."""
    return equal(first, signals[name]["rank"])
