"""Whether a result kept the limits of its strategy, worked out again from its tables and not from the engine."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from workbench.promotion.checks import Check, said
from workbench.research.result import Result

_ADVICE = "Report it: the engine broke a limit of the strategy."


def kept_limits(result: Result) -> Iterator[Check]:
    """A check for every limit that is set and can be read off the tables."""
    strategy, trades = result.strategy, result.trades
    zone = next(iter(result.bars.values())).calendar.zone
    most = int(_most_at_once(trades))
    slots = strategy.max_open_positions
    yield said("kept_slots", most <= slots, f"{most} positions at once", f"at most {slots}", _ADVICE)
    wrong = sum(_is_wrong(side, strategy.direction) for side in trades["direction"])
    yield said("kept_direction", not wrong, f"{wrong} trades the other way", strategy.direction, _ADVICE)
    if strategy.max_trades_per_day is not None:
        busiest, allowed = busiest_day(result), strategy.max_trades_per_day
        yield said("kept_trades_a_day", busiest <= allowed, f"{busiest} in one day", f"at most {allowed}", _ADVICE)
    if strategy.entry_window is not None:
        outside, words = outside_window(result, strategy.entry_window), " and ".join(strategy.entry_window)
        yield said("kept_window", not outside, f"{outside} entries outside", f"between {words}", _ADVICE)
    if strategy.product == "MIS":
        overnight = int(_overnight(trades, zone).sum())
        yield said("kept_intraday", not overnight, f"{overnight} positions overnight", "none with MIS", _ADVICE)


def _most_at_once(trades: pd.DataFrame) -> float:
    """Most positions that were open together; one that closes when another opens is gone before."""
    opened = pd.Series(1, index=pd.DatetimeIndex(trades["entry_ts"]))
    closed = pd.Series(-1, index=pd.DatetimeIndex(trades["exit_ts"].dropna()))
    if not len(opened):
        return 0
    return float(pd.concat([closed, opened]).groupby(level=0).sum().sort_index().cumsum().max())


def _is_wrong(side: object, direction: str) -> bool:
    return direction != "BOTH" and str(side) != direction


def busiest_day(result: Result) -> int:
    """Most entry orders of one day, all instruments together, by the day of their decision (D6)."""
    days = _entries(result).dt.date
    return int(days.value_counts().max()) if len(days) else 0


def outside_window(result: Result, window: tuple[str, str]) -> int:
    """Entry orders that were decided outside a window; it includes its begin and not its end (D6)."""
    decided = _entries(result).dt.strftime("%H:%M")
    return int((~decided.between(*window, inclusive="left")).sum())


def entry_orders(result: Result) -> pd.DataFrame:
    """The orders of a result that open positions."""
    return result.orders[result.orders["reason"] == "ENTRY_SIGNAL"]


def _entries(result: Result) -> pd.Series[pd.Timestamp]:
    """When entry orders were decided, on the exchange's clock."""
    zone = next(iter(result.bars.values())).calendar.zone
    when: pd.Series[pd.Timestamp] = entry_orders(result)["ts"].dt.tz_convert(zone)
    return when


def _overnight(trades: pd.DataFrame, zone: str) -> pd.Series[bool]:
    entered, left = (trades[name].dt.tz_convert(zone).dt.date for name in ("entry_ts", "exit_ts"))
    stayed: pd.Series[bool] = (entered != left) & trades["exit_ts"].notna()
    return stayed
