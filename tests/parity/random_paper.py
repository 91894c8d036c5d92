"""Random strategies on random bars for rule P1: what nobody thought of when the worlds by hand were written.

A world is drawn from a seed: exchange, base and strategy timeframe, one to four instruments of which some begin late,
bars and whole sessions that are missing, every field of ``Strategy`` at random, costs, cash, and where decisions begin.
What ``Strategy`` refuses is drawn again.
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import workbench as wb
from tests.parity.random_strategies import condition
from workbench.errors import ConfigError
from workbench.market.calendar import resolve_calendar
from workbench.market.grid import build_grid
from workbench.market.samples import stamps
from workbench.market.sessions import day_number
from workbench.market.timeframe import DAY_NS, Timeframe

#: Exchange, base timeframe, timeframes of strategies, coarser ones that expressions may name, days.
_FRAMES = (
    ("NSE", "5m", ("5m", "15m", "30m", "1h"), ("1h",), 12),
    ("NSE", "15m", ("15m", "30m", "1h", "1d"), ("1d",), 30),
    ("XNYS", "5m", ("5m", "10m", "30m", "1h"), ("1h", "1d"), 8),
    ("XNYS", "30m", ("30m", "1h", "1d"), ("1d",), 50),
    ("FX", "1h", ("1h", "4h"), ("1d",), 30),
    ("24x7", "15m", ("15m", "1h"), ("4h",), 7),
    ("NSE", "1d", ("1d",), (), 400),
    ("NSE", "1m", ("1m", "5m"), ("15m",), 2),
)
#: Around these dates lie half days, holidays and changes of the clock.
_DATES = ("2023-11-06", "2023-10-20", "2024-02-26", "2024-03-04", "2023-06-26", "2024-10-28", "2023-12-18")


class PaperWorld(NamedTuple):
    """What is deployed and backtested.

    Attributes
    ----------
    strategy : Strategy
        What trades.
    data : dict of str to Bars
        Its bars.
    costs : CostModel
        Charges and slippage.
    cash : float
        Sizing reference.
    start : date or None
        Where decisions begin; None is the first bar.
    """

    strategy: wb.Strategy
    data: dict[str, wb.Bars]
    costs: Any
    cash: float
    start: Any


def drawn(seed: int, beside: int | None = None) -> PaperWorld:
    """The world of a seed; worlds with the same ``beside`` share exchange, base timeframe and dates, not bars."""
    rng = random.Random(seed)
    shared = rng if beside is None else random.Random(beside)
    calendar, base, frames, coarser, days = shared.choice(_FRAMES)
    first = day_number(shared.choice(_DATES))
    names = tuple(f"{calendar}:W{seed}X{k}" for k in range(rng.choice([1, 1, 1, 2, 3, 4])))
    timeframe = rng.choice(frames)
    grid = build_grid(resolve_calendar(calendar), Timeframe.parse(base), first * DAY_NS, (first + days) * DAY_NS)
    data = {name: _bars(np.random.default_rng(rng.getrandbits(32)), grid, calendar, base) for name in names}
    while True:
        try:
            strategy = wb.Strategy(**_fields(rng, calendar, base, names, timeframe, coarser))
            wb.backtest(strategy, data)  # the hours of the exchange may not fit either
            break
        except ConfigError:
            continue
    rates = [wb.costs.none(), wb.costs.bps(3.0, 2.0), wb.costs.bps(0.0, 8.0)]
    if calendar == "NSE" and strategy.product != "MARGIN":
        rates.append(wb.costs.zerodha_equity(rng.choice([0.0, 5.0])))
    start = None
    if rng.random() < 0.4:
        first = next(iter(data.values())).frame.index
        start = first[rng.randrange(1 + len(first) // 2)].date()
    return PaperWorld(strategy, data, rng.choice(rates), rng.choice([20_000.0, 1e6, 1e7]), start)


def _bars(draw: Any, grid: Any, calendar: str, base: str) -> wb.Bars:
    """A walk on a tick, with gaps over nights, quiet and wild stretches, flat bars, and bars that are not there."""
    n = len(grid)
    opening = np.r_[True, grid.session[1:] != grid.session[:-1]]
    wild = np.exp(np.cumsum(draw.normal(0, 0.05, n))) * draw.choice([0.0005, 0.002, 0.006])
    tick = draw.choice([0.05, 0.01, 0.00001])
    level = 100.0 if tick > 0.001 else 1.1
    closes = level * np.exp(np.cumsum(draw.normal(0, np.minimum(wild, 0.02)) + opening * draw.normal(0, 0.004, n)))
    opens = np.r_[level, closes[:-1]] * np.exp(opening * draw.normal(0, 0.004, n))
    high = np.maximum(opens, closes) * np.exp(np.abs(draw.normal(0, 0.4, n)) * np.minimum(wild, 0.02))
    low = np.minimum(opens, closes) * np.exp(-np.abs(draw.normal(0, 0.4, n)) * np.minimum(wild, 0.02))
    flat = draw.random(n) < 0.03
    rows = np.round(np.column_stack([opens, high, low, closes]) / tick) * tick
    rows[flat] = rows[flat, :1]
    rows[:, 1], rows[:, 2] = rows.max(axis=1), rows.min(axis=1)
    kept = draw.random(n) > draw.choice([0.0, 0.0, 0.02, 0.2])
    kept &= ~np.isin(grid.session, draw.choice(np.unique(grid.session), draw.integers(0, 2)))
    if draw.random() < 0.2:
        kept[: n // 5] = False
    kept[n // 2] = kept[-1] = True  # the last one, so that worlds beside each other end together
    index = pd.DatetimeIndex(stamps(grid)[kept].view("datetime64[ns]"), tz="UTC", name="ts")
    frame = pd.DataFrame(rows[kept], index, ["open", "high", "low", "close"])
    frame["volume"] = draw.integers(0, 10_000, kept.sum()).astype(float)
    return wb.Bars(frame, base, calendar)


def _fields(
    rng: random.Random, calendar: str, base: str, names: tuple[str, ...], timeframe: str, coarser: tuple[str, ...]
) -> Any:
    def maybe(chance: float, *values: Any) -> Any:
        return rng.choice(values) if rng.random() < chance else None

    made = {
        "name": "drawn", "version": "1.0.0", "instruments": names, "timeframe": timeframe, "calendar": calendar,
        "product": rng.choice(["CNC", "CNC", "MIS", "MARGIN"]), "entry": condition(rng, coarser).text,
        "exit": maybe(0.8, condition(rng, coarser).text), "max_open_positions": rng.choice([1, 2, 10]),
        "sizing": maybe(0.7, wb.PercentOfEquity(rng.choice([0.1, 0.5, 1.0])), wb.FixedCash(15_000.0), wb.CashPerSlot(),
                        wb.FixedQty(rng.choice([1, 30, 400])), wb.RiskPerTrade(0.01, rng.choice([1.0, 3.0]))),
        "stop_loss_frac": maybe(0.4, 0.002, 0.01), "stop_loss_atr": maybe(0.2, 1.0, 2.5),
        "take_profit_frac": maybe(0.4, 0.003, 0.02), "trailing_stop_frac": maybe(0.3, 0.004, 0.015),
        "stop_execution": rng.choice(["intrabar", "intrabar", "close"]), "max_holding_bars": maybe(0.3, 1, 7, 30),
        "ambiguous_bar": rng.choice(["stop", "target"]), "target_touch": rng.choice(["touch", "through"]),
        "min_holding_bars": rng.choice([0, 0, 2, 9]), "cooldown_bars": rng.choice([0, 0, 1, 4]),
        "max_trades_per_day": maybe(0.2, 1, 3), "max_drawdown_frac": maybe(0.2, 0.01, 0.1),
        "max_trade_drawdown_frac": maybe(0.2, 0.003, 0.02), "daily_loss_limit_frac": maybe(0.2, 0.002, 0.02),
        "max_symbol_alloc_frac": maybe(0.2, 0.2, 0.6), "max_symbol_exposure": maybe(0.1, 9_000.0, 300_000.0),
        "reuse_exit_proceeds": rng.random() < 0.8, "exit_time": maybe(0.2, "-20m"),
    }  # fmt: skip
    if made["product"] != "CNC":
        made["direction"] = rng.choice(["LONG", "SHORT", "BOTH"])
        made["margin_frac"] = maybe(0.5, 0.2, 0.5) if made["product"] == "MARGIN" else None
    if made.get("direction") == "BOTH":
        made |= {"short_entry": condition(rng, coarser).text, "short_exit": maybe(0.7, condition(rng, coarser).text)}
    if made["trailing_stop_frac"] and rng.random() < 0.4:
        made["trailing_activation_frac"] = 0.003
    if len(names) > 1 and rng.random() < 0.5:
        made |= {"rank": "ROC(close, 3)", "allocation": "RANKING"}
    if len(names) > 1 and rng.random() < 0.3:
        made |= {"sectors": {name: rng.choice("AB") for name in names}, "sector_cap_frac": 0.4}
    if timeframe == "1d" and base in ("5m", "15m") and rng.random() < 0.5:
        made["execution"] = "proxy_close"
    return {key: value for key, value in made.items() if value is not None}
