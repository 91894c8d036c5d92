"""Strategies on real files for the laws of time: prefixes, saved states, bar-by-bar driving.

Together they use several timeframes, every kind of stop and limit, both execution modes, all products and every
sizing policy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

import workbench as wb

#: Frames by the name of a file, as the fixture ``real_frame`` loads them.
Loader = Callable[[str], pd.DataFrame]


@dataclass(frozen=True)
class World:
    """A strategy, its files and rows, and its costs.

    Attributes
    ----------
    files : tuple of str
        One an instrument.
    first, rows : int
        The slice of each file.
    fields : dict
        Of the Strategy.
    costs : CostModel
    """

    files: tuple[str, ...]
    first: int
    rows: int
    fields: dict[str, Any]
    costs: Any = field(default_factory=wb.costs.none)

    def frames(self, load: Loader) -> dict[str, pd.DataFrame]:
        """The slices by instrument."""
        names = (self.instrument(file) for file in self.files)
        return {
            name: load(file).iloc[self.first : self.first + self.rows]
            for name, file in zip(names, self.files, strict=True)
        }

    def instrument(self, file: str) -> str:
        """``NSE:SBIN`` of ``nse/SBIN_15m``."""
        folder, _, symbol = file.partition("/")
        exchange = {"nse": "NSE", "us": "XNYS", "fx": "FX"}[folder.split("_")[0]]
        return f"{exchange}:{symbol.rpartition('_')[0]}"

    def bars(self, frames: dict[str, pd.DataFrame], calendar: Any) -> dict[str, wb.Bars]:
        """Checked bars of some frames; instruments without a row are left out."""
        timeframe = self.files[0].rpartition("_")[2]
        return {
            name: wb.Bars(frame, timeframe, calendar, repair="drop") for name, frame in frames.items() if len(frame)
        }

    def strategy(self, **changes: Any) -> wb.Strategy:
        """The strategy."""
        names = tuple(self.instrument(file) for file in self.files)
        common = {"name": "law-of-time", "version": "1.0.0", "instruments": names, "calendar": names[0].split(":")[0]}
        return wb.Strategy(**{**common, **self.fields, **changes})


BASKET = tuple(f"nse/{name}_15m" for name in ("SBIN", "ICICIBANK", "AXISBANK", "INFY", "HCLTECH", "ITC", "CIPLA"))
SECTORS = {
    "NSE:SBIN": "bank",
    "NSE:ICICIBANK": "bank",
    "NSE:AXISBANK": "bank",
    "NSE:INFY": "it",
    "NSE:HCLTECH": "it",
    "NSE:ITC": "staples",
    "NSE:CIPLA": "pharma",
}

WORLDS = {
    "one long, three timeframes, all stops": World(
        ("nse/RELIANCE_5m",),
        0,
        6_000,
        {
            "timeframe": "15m",
            "product": "MIS",
            "direction": "LONG",
            "params": {"n": 9},
            "entry": "RSI($n) < 45 AND close > SMA(close, 20, '1h') AND close('1d') > SMA(close, 3, '1d')",
            "exit": "RSI($n) > 60 OR close CROSSES_BELOW EMA(close, 30)",
            "sizing": wb.PercentOfEquity(0.5),
            "stop_loss_frac": 0.006,
            "take_profit_frac": 0.01,
            "trailing_stop_frac": 0.006,
            "trailing_activation_frac": 0.003,
            "cooldown_bars": 2,
            "max_trades_per_day": 3,
        },
        wb.costs.zerodha_equity(slippage_bps=1.0),
    ),
    "both sides, reversals, limits": World(
        ("nse/SBIN_15m",),
        2_000,
        3_000,
        {
            "timeframe": "30m",
            "product": "MARGIN",
            "direction": "BOTH",
            "margin_frac": 0.25,
            "entry": "close CROSSES_ABOVE SMA(close, 8)",
            "exit": "close CROSSES_BELOW SMA(close, 8)",
            "short_entry": "close CROSSES_BELOW SMA(close, 8)",
            "short_exit": "close CROSSES_ABOVE SMA(close, 8)",
            "sizing": wb.RiskPerTrade(0.01, 2.0),
            "stop_loss_atr": 2.0,
            "stop_loss_atr_length": 7,
            "max_trade_drawdown_frac": 0.01,
            "daily_loss_limit_frac": 0.02,
            "max_drawdown_frac": 0.5,
            "max_holding_bars": 30,
            "min_holding_bars": 2,
        },
        wb.costs.bps(2.0, 2.0),
    ),
    "proxy close, stops on closes": World(
        ("nse/INFY_5m", "nse/HDFCBANK_5m"),
        0,
        9_000,
        {
            "timeframe": "1d",
            "product": "CNC",
            "execution": "proxy_close",
            "stop_execution": "close",
            "entry": "close > SMA(close, 5) AND RSI(close, 3) < 80",
            "exit": "close < SMA(close, 5)",
            "stop_loss_frac": 0.01,
            "trailing_stop_frac": 0.02,
            "take_profit_frac": 0.03,
            "sizing": wb.FixedCash(200_000.0),
        },
        wb.costs.zerodha_equity(),
    ),
    "portfolio, ranking, caps, sectors": World(
        BASKET,
        1_000,
        2_500,
        {
            "timeframe": "15m",
            "product": "CNC",
            "direction": "LONG",
            "entry": "close > EMA(close, 10) AND RSI(6) > 50",
            "exit": "close < EMA(close, 10, '1h')",
            "rank": "ROC(close, 12)",
            "allocation": "RANKING",
            "sizing": wb.CashPerSlot(),
            "max_open_positions": 3,
            "cooldown_bars": 3,
            "sectors": SECTORS,
            "sector_cap_frac": 0.5,
            "max_symbol_alloc_frac": 0.4,
            "stop_loss_frac": 0.015,
            "trailing_stop_frac": 0.02,
            "entry_window": ("09:30", "14:30"),
        },
        wb.costs.zerodha_equity(slippage_bps=2.0),
    ),
    "portfolio of shorts, flat by the clock": World(
        ("us/AAPL_5m", "us/AMD_5m", "us/XOM_5m"),
        0,
        3_000,
        {
            "timeframe": "5m",
            "product": "MARGIN",
            "direction": "SHORT",
            "margin_frac": 0.5,
            "entry": "close < DONCHIAN_LOW(12) * 1.001 AND VOLUME_RATIO(10) > 1",
            "exit": "close > EMA(close, 9, '15m')",
            "sizing": wb.PercentOfEquity(0.3),
            "max_open_positions": 2,
            "take_profit_frac": 0.004,
            "stop_loss_frac": 0.004,
            "ambiguous_bar": "target",
            "target_touch": "through",
            "exit_time": "-20m",
            "reuse_exit_proceeds": False,
        },
        wb.costs.bps(1.0, 1.0),
    ),
}
