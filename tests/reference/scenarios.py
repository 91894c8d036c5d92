"""Seeded random input for the law: small worlds in which every feature occurs often and prices often meet exactly.

``scenario(seed)`` returns the keyword arguments of ``law.run``. Everything is a function of the seed alone.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

MINUTE = 60 * 10**9
DAY = 1440 * MINUTE
WHOLE_DAY = 10_000  # base intervals of a strategy bar
FIRST_DAY = 19_724  # 2024-01-02, a Tuesday
NAMES = ("NSE:AB", "NSE:A", "NSE:b", "NSE:Z", "NSE:M-1", "NSE:M")  # code-point order is not the order here
T = TypeVar("T")


@dataclass
class Charges:
    """A nonlinear cost model in a few numbers, so that any engine can be given the same one.

    A fill costs ``min(max(brokerage_frac * notional, brokerage_min), brokerage_max)`` + ``tax_frac * notional`` when
    it sells + ``overnight_flat`` when it sells and is not of the session the trade was opened in; from
    ``doubled_from_ns`` on twice that. ``digits`` rounds the sum, None leaves it.
    """

    brokerage_frac: float = 0.0
    brokerage_min: float = 0.0
    brokerage_max: float = float("inf")
    tax_frac: float = 0.0
    overnight_flat: float = 0.0
    doubled_from_ns: int | None = None
    digits: int | None = None

    def __call__(self, ts_ns: int, side: int, qty: float, price: float, same_session: bool) -> float:
        """Charges of one fill."""
        notional = qty * price
        total = min(max(self.brokerage_frac * notional, self.brokerage_min), self.brokerage_max)
        if side < 0:
            total += self.tax_frac * notional
            if not same_session:
                total += self.overnight_flat
        if self.doubled_from_ns is not None and ts_ns >= self.doubled_from_ns:
            total *= 2
        return total if self.digits is None else round(total, self.digits)


class Dice:
    """Draws with the odds said in one word."""

    def __init__(self, seed: int) -> None:
        """All draws follow from the seed."""
        self.random = random.Random(seed)

    def chance(self, odds: float) -> bool:
        """True with these odds."""
        return self.random.random() < odds

    def pick(self, values: Sequence[T]) -> T:
        """One of the values."""
        return self.random.choice(values)

    def maybe(self, odds: float, values: Sequence[T]) -> T | None:
        """One of the values with these odds, else None."""
        return self.pick(values) if self.chance(odds) else None

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self.random.randint(low, high)


def scenario(seed: int) -> dict[str, Any]:
    """The keyword arguments of ``law.run`` for one seed."""
    dice = Dice(seed)
    daily = dice.chance(0.12)
    strategy = draw_style(dice, daily)
    names = list(NAMES[: dice.pick((1, 1, 2, 3, 4, 5, 6))])
    dice.random.shuffle(names)
    base = 60 * 6 if daily else dice.pick((1, 5, 15))  # minutes
    per_bar = 1 if daily else dice.pick((1, 1, 2, 3, 5, WHOLE_DAY))
    if strategy["product"] == "MIS" and per_bar == WHOLE_DAY and dice.chance(0.8):
        per_bar = 4  # a decision at the session's close has no MIS entry
    if strategy["execution"] == "proxy_close":
        per_bar = WHOLE_DAY
    sessions, grid = draw_calendar(dice, base, daily, per_bar)
    buckets, opens = strategy_bars(strategy, sessions, grid, base, per_bar)
    bars, scale = draw_bars(dice, names, sessions, grid)
    grid, bars, buckets, opens = trim(dice, grid, bars, buckets, opens, daily)
    instruments = {name: {"tick": dice.pick((0.0, 0.05, 0.05, 0.5)), "lot": dice.pick((1.0, 1.0, 1.0, 5.0, 0.1))}
                   for name in names}
    draw_features(dice, strategy, sessions, base, per_bar)
    initial_cash = float(round(scale * dice.pick((15, 40, 100, 1000))))
    draw_risk(dice, strategy, names, initial_cash, scale)
    return {
        "strategy": strategy, "instruments": instruments, "sessions": sessions, "grid": grid, "bars": bars,
        "strategy_closes": set(buckets), "strategy_opens": opens,
        "signals": draw_signals(dice, strategy, names, bars, buckets, scale),
        "costs": draw_costs(dice, sessions), "initial_cash": initial_cash,
        "start_ns": dice.pick(grid)["open_ns"] + dice.pick((0, 0, MINUTE)) if dice.chance(0.15) else None,
    }


# ---- calendar -------------------------------------------------------------------------------------------------


def draw_calendar(
    dice: Dice, base: int, daily: bool, per_bar: int
) -> tuple[list[dict[str, Any]], list[dict[str, int]]]:
    """Sessions and their base intervals; short, off-grid and paused special sessions among them."""
    intervals = 1 if daily else dice.whole(5, dice.pick((8, 8, 12) if per_bar == WHOLE_DAY else (8, 20, 60)))
    open_minute = dice.pick((9 * 60 + 15, 0, 22 * 60)) if not daily else 9 * 60 + 15
    offset = dice.pick((0, 330, -300))
    last_short = dice.pick((0, 0, base // 2))  # like the half hour after six whole hours
    proxy_before = last_short or base * dice.whole(1, min(3, max(1, intervals - 1)))
    unknown = dice.pick((0.0, 0.0, 0.15))
    sell_after = dice.pick((base, base, 3 * base, max(1, base // 2)))
    sessions: list[dict[str, Any]] = []
    grid: list[dict[str, int]] = []
    count = dice.whole(20, 60) if daily else dice.whole(2, 4 + 60 // intervals)
    if per_bar == WHOLE_DAY:
        count = dice.whole(10, 24)  # one decision a session: more of them
    day = FIRST_DAY
    for _ in range(count):
        length = intervals * base - (base - last_short if last_short else 0)
        special = dice.chance(0.2)
        if special:
            length = dice.pick((max(1, base // 2), base, base * max(1, intervals // 2), max(2, length - base // 3)))
        open_ns = day * DAY + (open_minute - offset) * MINUTE
        close_ns = open_ns + length * MINUTE
        sessions.append({
            "date": day, "open_ns": open_ns, "close_ns": close_ns,
            "proxy_close_ns": close_ns - proxy_before * MINUTE, "sell_end_ns": open_ns + sell_after * MINUTE,
            "known": not dice.chance(unknown), "utc_offset_ns": offset * MINUTE,
        })
        steps = range(0, length, base)
        pause = dice.whole(1, len(steps) - 2) if special and len(steps) > 2 and dice.chance(0.5) else None
        for k, start in enumerate(steps):
            if k == pause:
                continue  # a pause as long as one interval
            grid.append({
                "open_ns": open_ns + start * MINUTE, "close_ns": min(open_ns + (start + base) * MINUTE, close_ns),
                "session": len(sessions) - 1,
            })
        day += dice.pick((1, 1, 1, 3))
    return sessions, grid


def strategy_bars(
    strategy: dict[str, Any], sessions: list[dict[str, Any]], grid: list[dict[str, int]], base: int, per_bar: int
) -> tuple[dict[int, list[int]], dict[int, int]]:
    """The intervals of each strategy bar by the interval that closes it, and the bar's opening stamp."""
    groups: dict[tuple[int, int], list[int]] = {}
    for i, interval in enumerate(grid):
        session = sessions[interval["session"]]
        if strategy["execution"] == "proxy_close" and interval["close_ns"] > session["proxy_close_ns"]:
            continue  # X3: cut at the proxy close
        bucket = (interval["open_ns"] - session["open_ns"]) // (per_bar * base * MINUTE)
        groups.setdefault((interval["session"], bucket), []).append(i)
    buckets = {members[-1]: members for members in groups.values()}
    opens = {members[-1]: sessions[s]["open_ns"] + bucket * per_bar * base * MINUTE
             for (s, bucket), members in groups.items()}
    return buckets, opens


def trim(
    dice: Dice, grid: list[dict[str, int]], bars: dict[str, dict[int, Any]], buckets: dict[int, list[int]],
    opens: dict[int, int], daily: bool,
) -> tuple[Any, Any, Any, Any]:
    """Sometimes the data begins or ends inside a session."""
    first = dice.whole(1, 4) if not daily and dice.chance(0.2) else 0
    last = len(grid) - (dice.whole(1, 4) if not daily and dice.chance(0.3) else 0)
    if last - first < 4:
        return grid, bars, buckets, opens
    keep = [close for close in buckets if first <= close < last]
    return (
        grid[first:last],
        {name: {i - first: bar for i, bar in of.items() if first <= i < last} for name, of in bars.items()},
        {close - first: [i - first for i in buckets[close] if i >= first] for close in keep},
        {close - first: opens[close] for close in keep},
    )


def cut(full: dict[str, Any], intervals: int) -> dict[str, Any]:
    """The same scenario with only the first ``intervals`` base intervals (for P2)."""
    return {
        **full,
        "grid": full["grid"][:intervals],
        "bars": {name: {i: bar for i, bar in of.items() if i < intervals} for name, of in full["bars"].items()},
        "strategy_closes": {i for i in full["strategy_closes"] if i < intervals},
        "strategy_opens": {i: ts for i, ts in full["strategy_opens"].items() if i < intervals},
        "signals": {name: {i: x for i, x in of.items() if i < intervals} for name, of in full["signals"].items()},
    }


# ---- prices and signals ---------------------------------------------------------------------------------------


def draw_bars(
    dice: Dice, names: list[str], sessions: list[dict[str, Any]], grid: list[dict[str, int]]
) -> tuple[dict[str, dict[int, Any]], float]:
    """Random walks on a coarse grid (or on none), with jumps, missing bars and missing sessions."""
    scale = dice.pick((20.0, 100.0, 100.0, 200.0))
    bars: dict[str, dict[int, Any]] = {}
    for name in names:
        grain = dice.pick((0.05, 0.5, 0.5, 1.0, None))
        move = scale * dice.pick((0.002, 0.006, 0.02))
        gaps = dice.pick((0.0, 0.0, 0.1, 0.45))
        absent = {s for s in range(len(sessions)) if dice.chance(0.08 if gaps else 0.0)}
        price, bars[name], session = scale, {}, -1
        for i, interval in enumerate(grid):
            jump = move * 2 if interval["session"] != session else move * 0.4
            session = interval["session"]
            if session in absent or dice.chance(gaps):
                continue
            bars[name][i] = draw_bar(dice, price, grain, move, jump, scale)
            price = bars[name][i][3]
        if not bars[name]:
            bars[name][0] = draw_bar(dice, scale, grain, move, move, scale)
    return bars, scale


def draw_bar(
    dice: Dice, price: float, grain: float | None, move: float, jump: float, scale: float
) -> tuple[float, float, float, float, float]:
    """One valid bar near ``price``, pulled back to ``scale`` from afar."""
    def on_grid(x: float) -> float:
        x = max(x, scale / 10)
        return x if grain is None else max(round(round(x / grain) * grain, 9), grain)

    pull = (scale - price) * 0.02
    open_ = on_grid(price + pull + (dice.random.gauss(0, jump) if dice.chance(0.6) else 0.0))
    close = on_grid(open_ + dice.random.gauss(0, move))
    high = max(open_, close, on_grid(max(open_, close) + abs(dice.random.gauss(0, move * 0.6))))
    low = min(open_, close, on_grid(min(open_, close) - abs(dice.random.gauss(0, move * 0.6))))
    if grain is not None and dice.chance(0.15):  # off the grid by less than E5 sees
        high = max(open_, close, high * (1 + dice.pick((-2e-10, 2e-10))))
        low = min(open_, close, low * (1 + dice.pick((-2e-10, 2e-10))))
    return open_, high, low, close, float(dice.whole(0, 1000))


def draw_signals(
    dice: Dice, strategy: dict[str, Any], names: list[str], bars: dict[str, dict[int, Any]],
    buckets: dict[int, list[int]], scale: float,
) -> dict[str, dict[int, dict[str, Any]]]:
    """Random three-valued signals at every strategy bar that has a base bar."""
    entry_odds, exit_odds, missing_odds = dice.pick((0.15, 0.4, 0.8)), dice.pick((0.03, 0.1, 0.3)), dice.pick((0, 0.1))
    reverses = strategy["direction"] == "BOTH" and dice.chance(0.7)
    no_atr = dice.pick((0.0, 0.25))
    signals: dict[str, dict[int, dict[str, Any]]] = {}
    for name in names:
        warm_from = dice.pick((0, 0, dice.whole(0, max(1, len(buckets) // 3))))
        signals[name] = {}
        for ordinal, close in enumerate(sorted(buckets)):
            present = [i for i in buckets[close] if i in bars[name]]
            if not present:
                continue
            truths = {key: draw_truth(dice, odds, missing_odds) for key, odds in (
                ("entry", entry_odds), ("exit", exit_odds), ("short_entry", entry_odds * 0.5),
                ("short_exit", exit_odds))}
            if reverses and dice.chance(0.8):  # one side in, the other side out, so that positions reverse
                side = dice.pick((True, False))
                truths = {"entry": side, "exit": not side, "short_entry": not side, "short_exit": side}
            signals[name][close] = {
                **truths,
                "warm": ordinal >= warm_from, "rank": draw_rank(dice),
                "atr": None if dice.chance(no_atr) else scale * dice.pick((0.0025, 0.005, 0.01, 0.0123456789)),
                "close": bars[name][present[-1]][3],
            }
    return signals


def draw_truth(dice: Dice, odds: float, missing_odds: float) -> bool | None:
    """True, False or missing."""
    return None if dice.chance(missing_odds) else dice.chance(odds)


def draw_rank(dice: Dice) -> float | None:
    """Few different ranks, some equal only within E5, some missing."""
    rank = dice.pick((None, -1.0, 0.0, 2.0, 2.0, 2.0, 3.5))
    return rank * (1 - dice.pick((0.0, 0.0, 6e-10, 1.2e-9))) if rank else rank


def draw_costs(dice: Dice, sessions: list[dict[str, Any]]) -> dict[str, Any]:
    """Slippage and charges, both often nothing."""
    model = dice.pick((
        Charges(),
        Charges(brokerage_frac=0.001),
        Charges(brokerage_frac=0.0003, brokerage_max=20.0, tax_frac=0.00025, overnight_flat=3.5, digits=2),
        Charges(brokerage_min=1.0, brokerage_frac=0.01, brokerage_max=15.0, tax_frac=0.001),
    ))
    if dice.chance(0.3):
        model.doubled_from_ns = dice.pick(sessions)["open_ns"]
    return {"slippage_frac": dice.pick((0.0, 0.0, 0.0005, 0.001, 0.006)), "charges": model}


# ---- strategy -------------------------------------------------------------------------------------------------


def draw_style(dice: Dice, daily: bool) -> dict[str, Any]:
    """Product, direction and execution that go together (X3, X5)."""
    product = dice.pick(("CNC", "MARGIN", "MARGIN") if daily else ("CNC", "MARGIN", "MARGIN", "MIS", "MIS"))
    direction = "LONG" if product == "CNC" else dice.pick(("LONG", "SHORT", "BOTH", "BOTH"))
    proxy = product != "MIS" and not daily and dice.chance(0.35)
    return {"product": product, "direction": direction, "execution": "proxy_close" if proxy else "next_open"}


def draw_features(
    dice: Dice, strategy: dict[str, Any], sessions: list[dict[str, Any]], base: int, per_bar: int
) -> None:
    """Stops, targets, counts, windows; half of the scenarios have few features, so that each is also seen alone."""
    odds = dice.pick((0.05, 0.2, 0.45))
    clock_odds = odds * (0.1 if per_bar == WHOLE_DAY else 0.6)
    fracs = (0.0025, 0.005, 0.01, 0.02, 0.0333)
    style = dice.pick(("none", "frac", "frac", "atr"))
    strategy.update({
        "stop_loss_frac": dice.pick(fracs) if style == "frac" else None,
        "stop_loss_atr": dice.pick((0.5, 1.0, 2.0)) if style == "atr" else None,
        "take_profit_frac": dice.maybe(max(odds, 0.4), fracs),
        "trailing_stop_frac": dice.maybe(max(odds, 0.4), fracs),
        "trailing_activation_frac": dice.pick((0.0, 0.0, 0.005, 0.01)),
        "stop_execution": dice.pick(("intrabar", "intrabar", "close")),
        "ambiguous_bar": dice.pick(("stop", "target")), "target_touch": dice.pick(("touch", "through")),
        "max_holding_bars": dice.maybe(odds, (0, 1, 3, 6)), "min_holding_bars": dice.maybe(odds, (1, 2, 4)) or 0,
        "cooldown_bars": dice.maybe(odds, (1, 2, 4)) or 0, "max_trades_per_day": dice.maybe(odds, (1, 2, 5)),
        "entry_window": draw_window(dice, sessions, base) if dice.chance(clock_odds) else None,
        "exit_time": draw_exit_time(dice, sessions, base) if dice.chance(clock_odds) else None,
        "allocation": dice.pick(("EQUAL", "RANKING")),
        "max_open_positions": dice.pick((1, 2, 3, 10)),
    })


def clock(session: dict[str, Any], ts_ns: int) -> str:
    """Local wall time of an instant."""
    minutes = (ts_ns + session["utc_offset_ns"]) // MINUTE % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def draw_window(dice: Dice, sessions: list[dict[str, Any]], base: int) -> tuple[str, str] | None:
    """A window inside the usual session, not over midnight."""
    session = sessions[0]
    length = (session["close_ns"] - session["open_ns"]) // MINUTE
    start = dice.whole(0, length)
    end = start + dice.pick((base, 3 * base, length))
    a, b = (clock(session, session["open_ns"] + m * MINUTE) for m in (start, end))
    return (a, b) if a < b else None


def draw_exit_time(dice: Dice, sessions: list[dict[str, Any]], base: int) -> str:
    """A wall time around the session or a time before the close, on the grid or off it."""
    session = sessions[0]
    length = (session["close_ns"] - session["open_ns"]) // MINUTE
    if dice.chance(0.5):
        return f"-{dice.pick((base, 2 * base, base + 1))}m"
    return clock(session, session["open_ns"] + dice.whole(length // 2, length + base) * MINUTE)


def draw_risk(
    dice: Dice, strategy: dict[str, Any], names: list[str], initial_cash: float, scale: float
) -> None:
    """Sizing, caps, and limits tight enough to be reached."""
    odds = dice.pick((0.05, 0.2, 0.4))
    stops = ("stop_loss_frac", "stop_loss_atr", "trailing_stop_frac")
    sizings: list[tuple[Any, ...]] = [
        ("PercentOfEquity", dice.pick((0.1, 0.25, 0.5, 1.0))), ("FixedCash", initial_cash * dice.pick((0.1, 0.3, 1.5))),
        ("CashPerSlot",), ("CashPerSlot",), ("FixedQty", dice.pick((1.0, 5.0, 10.0, 0.25 * initial_cash / scale))),
    ]
    if any(strategy[key] is not None for key in stops):
        sizings.append(("RiskPerTrade", dice.pick((0.002, 0.01)), dice.pick((1.0, 0.5, 3.0))))
    strategy.update({
        "sizing": dice.pick(sizings),
        "max_drawdown_frac": dice.maybe(odds, (0.01, 0.03, 0.1)),
        "max_trade_drawdown_frac": dice.maybe(odds, (0.001, 0.003, 0.01)),
        "daily_loss_limit_frac": dice.maybe(odds, (0.001, 0.005, 0.02)),
        "max_symbol_alloc_frac": dice.maybe(odds, (0.05, 0.2, 0.5)),
        "max_symbol_exposure": dice.maybe(odds, (scale * 0.5, scale * 4, initial_cash * 0.2)),
        "sector_cap_frac": dice.maybe(odds, (0.2, 0.5, 0.8)),
        "sectors": {name: dice.pick(("X", "X", "Y")) for name in names if dice.chance(0.9)},
        "margin_frac": dice.maybe(0.5, (0.2, 0.5)) if strategy["product"] != "CNC" else None,
        "reuse_exit_proceeds": not dice.chance(0.3),
    })
