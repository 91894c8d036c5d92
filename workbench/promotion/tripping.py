"""Every limit of a strategy, tripped on purpose: whether the engine acts on it, with the numbers of this strategy.

A limit is tried alone: whatever else could act before it is switched off, entries are always true, and the bars are
real ones that a shock is put on where prices must move. What is asked for is the reason on the exit, or the word on
the entry that was blocked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from workbench.market.bars import Bars
from workbench.promotion.case import Case
from workbench.promotion.checks import Check, said
from workbench.promotion.kept_limits import busiest_day, outside_window
from workbench.promotion.shocks import Step, shocked
from workbench.research.backtest import backtest
from workbench.research.result import Result
from workbench.strategy import PercentOfEquity, Strategy

#: Bars on which limits are tried, and bars after an entry at which a shock begins.
BARS, LATER = 1_500, 3
#: What is left of a price that crashes, for who is long; and what it comes to for who is short.
CRASH, SQUEEZE = 0.05, 1.95
ALWAYS = "close > 0"

#: What could act before the limit that is tried, switched off.
_OFF: dict[str, Any] = {
    "params": {}, "rank": None, "allocation": "EQUAL",
    "exit": None, "short_exit": None, "short_entry": None, "stop_loss_frac": None, "stop_loss_atr": None,
    "take_profit_frac": None, "trailing_stop_frac": None, "trailing_activation_frac": 0.0, "max_holding_bars": None,
    "max_drawdown_frac": None, "max_trade_drawdown_frac": None, "daily_loss_limit_frac": None, "exit_time": None,
    "max_trades_per_day": None, "entry_window": None, "cooldown_bars": 0, "min_holding_bars": 0,
    "max_symbol_alloc_frac": None, "max_symbol_exposure": None, "sector_cap_frac": None,
}  # fmt: skip


class Exits(NamedTuple):
    """A limit that ends a position: the reason that its exit must give, and the prices that bring it about."""

    reason: str
    steps: Callable[[Strategy], list[Step]]
    needs: tuple[str, ...] = ()


def _against(strategy: Strategy) -> list[Step]:
    return [(LATER, CRASH if strategy.direction == "LONG" else SQUEEZE)]


def _in_favour(gain_frac: float, direction: str) -> float:
    """A factor that gains a tenth more than asked for; a short gains less than everything."""
    return (1.0 + gain_frac) * 1.1 if direction == "LONG" else (1.0 - gain_frac) * 0.9


def _to_target(strategy: Strategy) -> list[Step]:
    return [(LATER, _in_favour(float(strategy.take_profit_frac or 0.0), strategy.direction))]


def _up_and_down(strategy: Strategy) -> list[Step]:
    peak = _in_favour(strategy.trailing_activation_frac, strategy.direction)
    return [(LATER, peak), (2 * LATER, _against(strategy)[0][1])]


def _nothing(_: Strategy) -> list[Step]:
    return []


EXITS: dict[str, Exits] = {
    "stop_loss_frac": Exits("STOP_LOSS", _against),
    "stop_loss_atr": Exits("STOP_LOSS", _against, ("stop_loss_atr_length",)),
    "trailing_stop_frac": Exits("TRAILING_STOP", _up_and_down, ("trailing_activation_frac",)),
    "take_profit_frac": Exits("TAKE_PROFIT", _to_target),
    "max_trade_drawdown_frac": Exits("TRADE_DRAWDOWN", _against),
    "daily_loss_limit_frac": Exits("DAILY_LOSS", _against),
    "max_drawdown_frac": Exits("KILL", _against),
    "exit_time": Exits("FORCED_FLATTEN", _nothing),
    "max_holding_bars": Exits("MAX_HOLDING", _nothing),
}

#: Limits that block an entry, with the word of the decision.
BLOCKS: dict[str, str] = {
    "max_trades_per_day": "BLOCKED_MAX_TRADES",
    "entry_window": "BLOCKED_WINDOW",
    "cooldown_bars": "BLOCKED_COOLDOWN",
}


def trips(case: Case) -> Iterator[Check]:
    """Trip every limit that is set, for each side that the strategy takes."""
    bars = case.last_bars(BARS)
    for side in ("LONG", "SHORT"):
        if case.strategy.direction in (side, "BOTH"):
            for name, exits in EXITS.items():
                if getattr(case.strategy, name) is not None:
                    yield _tripped(case, alone(case.strategy, side, name, *exits.needs), name, bars)
    side = "SHORT" if case.strategy.direction == "SHORT" else "LONG"
    for name, word in BLOCKS.items():
        if getattr(case.strategy, name):
            tried, free = (alone(case.strategy, side, *kept).replace(exit=ALWAYS) for kept in ((name,), ()))
            far = out_of_reach(case.strategy, name, _ran(case, free, bars))
            yield _blocked(name, word, _ran(case, tried, bars), far)
    if case.strategy.max_open_positions < len(case.data):
        yield _blocked("max_open_positions", "BLOCKED_SLOTS", _ran(case, alone(case.strategy, side), bars), "")
    if case.strategy.product == "MIS":
        yield _flat_overnight(_ran(case, alone(case.strategy, side), bars))


def alone(strategy: Strategy, side: str, *kept: str) -> Strategy:
    """A strategy that always enters on one side, and of whose limits only some are left."""
    off = {name: value for name, value in _OFF.items() if name not in kept}
    at_once = min(strategy.max_open_positions, len(strategy.instruments))
    return strategy.replace(**off, entry=ALWAYS, direction=side, sizing=PercentOfEquity(0.9 / at_once))


def _ran(case: Case, strategy: Strategy, bars: Mapping[str, Bars]) -> Result:
    return backtest(strategy, dict(bars), case.given.initial_cash, case.given.costs)


def _tripped(case: Case, strategy: Strategy, name: str, bars: Mapping[str, Bars]) -> Check:
    side = strategy.direction
    reason, steps = EXITS[name].reason, EXITS[name].steps(strategy)
    if steps:
        calm = _ran(case, strategy, bars)
        if not len(calm.fills):
            return said(_named(name, strategy), False, "nothing could enter", f"an exit with {reason}", _BROKEN)
        bars = shocked(bars, calm.fills["ts"].iloc[0], steps)
    trades = _ran(case, strategy, bars).trades
    reasons = trades.loc[~trades["is_open"], "exit_reason"].value_counts().to_dict()
    measured = f"exits: {_counted(reasons)}"
    far = "" if reason in reasons else out_of_reach(case.strategy, name, _ran(case, alone(strategy, side), bars))
    if far:
        measured = f"out of reach: {far}"
    return said(_named(name, strategy), reason in reasons or bool(far), measured, f"an exit with {reason}", _BROKEN)


def _blocked(name: str, word: str, result: Result, far: str) -> Check:
    """Whether entries were blocked by a limit; ``far`` says why they need not be."""
    times = int(result.decisions["decision"].value_counts().get(word, 0))
    measured = f"{word} {times:,} times" if times or not far else f"out of reach: {far}"
    return said(f"trip_{name}", times > 0 or bool(far), measured, f"{word} at least once, if it is in reach", _BROKEN)


def out_of_reach(strategy: Strategy, name: str, free: Result) -> str:
    """Why a limit cannot act, from what was done without it; empty where it was gone beyond."""
    if name == "max_trades_per_day":
        most = busiest_day(free)
        return f"always entering and leaving takes {most} a day" if most <= (strategy.max_trades_per_day or 0) else ""
    if name == "entry_window" and strategy.entry_window is not None:
        return "" if outside_window(free, strategy.entry_window) else "no strategy bar closes outside of it"
    if name == "max_holding_bars":
        longest = int(free.trades["bars_held"].max()) if len(free.trades) else 0
        return f"nothing is held for more than {longest} bars" if longest < (strategy.max_holding_bars or 0) else ""
    return ""


def _flat_overnight(result: Result) -> Check:
    trades = result.trades[~result.trades["is_open"]]
    forced = int((trades["exit_reason"] == "FORCED_FLATTEN").sum())
    needed = "positions that would stay overnight are closed"
    return said("trip_intraday", forced > 0, f"{forced:,} forced exits", needed, _BROKEN)


_BROKEN = "Choose a value that the bars can reach; if they do reach it, report it: the limit does not act."


def _named(name: str, strategy: Strategy) -> str:
    return f"trip_{name}" if strategy.direction == "LONG" else f"trip_{name}_short"


def _counted(reasons: Mapping[Any, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(reasons.items())) or "none"
