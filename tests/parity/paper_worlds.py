"""Strategies on months of real bars for rule P1: with those of ``tests.property.real_strategies``, every kind there is.

Single and portfolio, long, short and both ways, several timeframes, proxy close, MIS, every stop, every limit, every
sizing policy, four exchanges, base bars from five minutes to a day.
"""

from __future__ import annotations

import workbench as wb
from tests.property.real_strategies import BASKET, SECTORS, WORLDS, World

LONG = {"product": "CNC", "entry": "close > SMA(close, 20)", "exit": "close < SMA(close, 20)"}
SWING = {
    "product": "MARGIN",
    "direction": "BOTH",
    "margin_frac": 0.2,
    "entry": "close CROSSES_ABOVE EMA(close, 12)",
    "exit": "close CROSSES_BELOW EMA(close, 12)",
    "short_entry": "close CROSSES_BELOW EMA(close, 12)",
    "short_exit": "close CROSSES_ABOVE EMA(close, 12)",
}
ZERODHA = wb.costs.zerodha_equity(slippage_bps=2.0)
BPS = wb.costs.bps(2.0, 1.0)

MORE = {
    "plain crossing, no stop": World(("nse/ITC_15m",), 0, 1_600, {"timeframe": "1h", **LONG}, ZERODHA),
    "stop and target on the tick": World(
        ("nse/RELIANCE_15m",), 500, 1_600,
        {"timeframe": "15m", **LONG, "stop_loss_frac": 0.004, "take_profit_frac": 0.006, "sizing": wb.FixedQty(37)},
        ZERODHA,
    ),
    "trailing with activation, break-even": World(
        ("us/AAPL_5m",), 0, 2_500,
        {"timeframe": "15m", **LONG, "trailing_stop_frac": 0.004, "trailing_activation_frac": 0.003,
         "cooldown_bars": 3},
        BPS,
    ),
    "stop in multiples of ATR": World(
        ("us/MSFT_5m",), 0, 2_500,
        {"timeframe": "30m", **LONG, "stop_loss_atr": 1.5, "stop_loss_atr_length": 10,
         "sizing": wb.RiskPerTrade(0.005, 1.0)},
        BPS,
    ),
    "stops on closes": World(
        ("nse/INFY_15m",), 0, 1_600,
        {"timeframe": "15m", **LONG, "stop_execution": "close", "stop_loss_frac": 0.005, "trailing_stop_frac": 0.008,
         "take_profit_frac": 0.01, "min_holding_bars": 2},
        ZERODHA,
    ),
    "MIS short with a window and a cap a day": World(
        ("nse/INFY_5m",), 0, 4_500,
        {"timeframe": "15m", "product": "MIS", "direction": "SHORT", "entry": "RSI(6) > 60", "exit": "RSI(6) < 45",
         "entry_window": ("09:45", "13:30"), "max_trades_per_day": 2, "stop_loss_frac": 0.006},
        ZERODHA,
    ),
    "MIS both ways with an exit time": World(
        ("nse/HDFCBANK_5m",), 0, 4_500,
        {"timeframe": "30m", **SWING, "product": "MIS", "margin_frac": None, "exit_time": "14:45",
         "stop_loss_frac": 0.01},
        ZERODHA,
    ),
    "reversals on margin": World(("us/NVDA_5m",), 0, 2_500, {"timeframe": "1h", **SWING}, BPS),
    "reversals without using what leaves": World(
        ("us/TSLA_5m",), 0, 2_500, {"timeframe": "1h", **SWING, "reuse_exit_proceeds": False}, BPS
    ),
    "daily loss and drawdown": World(
        ("us/AMD_5m",), 0, 2_500,
        {"timeframe": "5m", **SWING, "daily_loss_limit_frac": 0.004, "max_drawdown_frac": 0.08,
         "max_trade_drawdown_frac": 0.003, "sizing": wb.PercentOfEquity(0.9)},
        BPS,
    ),
    "longest holding": World(
        ("us/XOM_5m",), 0, 2_500,
        {"timeframe": "5m", "product": "CNC", "entry": "RSI(5) < 30", "exit": "RSI(5) > 90", "max_holding_bars": 11},
        BPS,
    ),
    "proxy close with resting stops": World(
        ("nse/RELIANCE_5m",), 0, 5_000,
        {"timeframe": "1d", "product": "CNC", "execution": "proxy_close", "entry": "close > SMA(close, 3)",
         "exit": "close < SMA(close, 3)", "stop_loss_frac": 0.012, "take_profit_frac": 0.02},
        ZERODHA,
    ),
    "proxy close, a portfolio ranked": World(
        ("nse/INFY_5m", "nse/HDFCBANK_5m", "nse/RELIANCE_5m"), 0, 4_000,
        {"timeframe": "1d", "product": "CNC", "execution": "proxy_close", "entry": "close > SMA(close, 3)",
         "exit": "close < SMA(close, 4)", "rank": "ROC(close, 2)", "allocation": "RANKING", "max_open_positions": 1,
         "sizing": wb.CashPerSlot(), "stop_execution": "close", "stop_loss_frac": 0.01},
        ZERODHA,
    ),
    "daily bars, a portfolio": World(
        ("nse_daily/ASIANPAINT_1d", "nse_daily/AXISBANK_1d", "nse_daily/ADANIENT_1d"), 0, 500,
        {"timeframe": "1d", **LONG, "sizing": wb.CashPerSlot(), "max_open_positions": 2, "trailing_stop_frac": 0.05},
        ZERODHA,
    ),
    "currencies around the clock": World(
        ("fx/EUR_USD_1h",), 0, 1_500,
        {"timeframe": "4h", **SWING, "take_profit_frac": 0.004, "stop_loss_frac": 0.004},
        wb.costs.bps(0.2, 0.2),
    ),
    "a portfolio that rotates through one slot": World(
        BASKET, 0, 700,
        {"timeframe": "15m", "product": "CNC", "entry": "RSI(4) > 60", "exit": "RSI(4) < 50", "rank": "RSI(4)",
         "allocation": "RANKING", "max_open_positions": 1, "sizing": wb.CashPerSlot()},
        ZERODHA,
    ),
    "a portfolio with money caps and sectors": World(
        BASKET, 2_000, 700,
        {"timeframe": "30m", **LONG, "sizing": wb.FixedCash(300_000.0), "max_symbol_exposure": 220_000.0,
         "sectors": SECTORS, "sector_cap_frac": 0.3, "max_open_positions": 4, "stop_loss_frac": 0.01},
        ZERODHA,
    ),
}  # fmt: skip

PAPER_WORLDS = {**WORLDS, **MORE}
#: Stopped and started again after every single bar.
EVERY_BAR = ("plain crossing, no stop", "stop and target on the tick", "reversals on margin",
             "proxy close with resting stops", "a portfolio that rotates through one slot")  # fmt: skip
