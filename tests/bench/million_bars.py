"""A million five-minute bars around the clock, one strategy over them, and the same work for the peers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

BARS = 1_000_000
STOP, TARGET, TRAIL = 0.01, 0.02, 0.012


def frame(bars: int = BARS, seed: int = 1) -> pd.DataFrame:
    """A driftless walk with wicks."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 8e-4, bars)))
    opened = np.append(100.0, close[:-1])
    high = np.maximum(opened, close) * (1 + np.abs(rng.normal(0.0, 3e-4, bars)))
    low = np.minimum(opened, close) * (1 - np.abs(rng.normal(0.0, 3e-4, bars)))
    index = pd.date_range("2015-01-01", periods=bars, freq="5min", tz="UTC", name="ts")
    return pd.DataFrame({"open": opened, "high": high, "low": low, "close": close, "volume": 1.0}, index=index)


def strategy(**changes: Any) -> Any:
    """Three indicators (two averages and an RSI), stop, target and trailing stop."""
    import workbench as wb

    fields: dict[str, Any] = {
        "name": "million",
        "version": "1.0.0",
        "instruments": ("24x7:WALK",),
        "timeframe": "5m",
        "calendar": "24x7",
        "product": "CNC",
        "entry": "EMA(close, 12) > EMA(close, 48) AND RSI(14) < 65",
        "exit": "EMA(close, 12) < EMA(close, 48)",
        "sizing": wb.PercentOfEquity(0.5),
        "stop_loss_frac": STOP,
        "take_profit_frac": TARGET,
        "trailing_stop_frac": TRAIL,
        **changes,
    }
    return wb.Strategy(**fields)


def ours(made: Any, bars: Any, costs: Any) -> Any:
    """Backtest, trades, equity and statistics."""
    import workbench as wb

    result = wb.backtest(made, bars, initial_cash=1e6, costs=costs)
    return len(result.trades), len(result.equity), result.stats


def vectorbt(table: pd.DataFrame, engine: str = "rust", readable: bool = False) -> Any:
    """The same with vectorbt: indicators, signals with trailing stop and target, trades, equity and its statistics.

    vectorbt has one stop a position; the trailing one is given, which is the more work of the two. Its trades are raw
    records unless ``readable`` asks for a table with times and names, as ours is; that costs it seconds.
    """
    import vectorbt as vbt

    close = table["close"]
    fast = vbt.MA.run(close, 12, ewm=True).ma
    slow = vbt.MA.run(close, 48, ewm=True).ma
    strength = vbt.RSI.run(close, 14, ewm=True).rsi
    up, down = fast.to_numpy() > slow.to_numpy(), fast.to_numpy() < slow.to_numpy()
    entries = up & (strength.to_numpy() < 65)
    portfolio = vbt.Portfolio.from_signals(
        close=close,
        entries=np.append(False, entries[:-1]),
        exits=np.append(False, down[:-1]),
        price=table["open"],
        open=table["open"],
        high=table["high"],
        low=table["low"],
        sl_stop=TRAIL,
        sl_trail=True,
        tp_stop=TARGET,
        size=0.5,
        size_type="percent",
        init_cash=1e6,
        fees=1e-4,
        slippage=1e-4,
        freq="5min",
        engine=engine,
    )
    curve = (portfolio.cash(), portfolio.asset_value(), portfolio.value(), portfolio.drawdown())
    trades = portfolio.trades.records_readable if readable else portfolio.trades.records
    return len(trades), len(curve), portfolio.sharpe_ratio(), portfolio.sortino_ratio(), portfolio.max_drawdown()


def backtesting_py(table: pd.DataFrame) -> Any:
    """The same with backtesting.py: indicators, stop and target, trades, equity and statistics."""
    from backtesting import Backtest, Strategy

    close = table["close"]
    fast, slow = (close.ewm(span=n, adjust=False).mean() for n in (12, 48))
    change = close.diff()
    gain, loss = (part.ewm(alpha=1 / 14, adjust=False).mean() for part in (change.clip(lower=0), -change.clip(upper=0)))
    strength = 100 - 100 / (1 + gain / loss)

    class Same(Strategy):  # type: ignore[misc]
        def init(self) -> None:
            self.fast = self.I(fast.to_numpy)
            self.slow = self.I(slow.to_numpy)
            self.strength = self.I(strength.to_numpy)

        def next(self) -> None:
            price = self.data.Close[-1]
            if self.position:
                for trade in self.trades:
                    trade.sl = max(trade.sl or 0.0, price * (1 - TRAIL))
                if self.fast[-1] < self.slow[-1]:
                    self.position.close()
            elif self.fast[-1] > self.slow[-1] and self.strength[-1] < 65:
                self.buy(size=0.5, sl=price * (1 - STOP), tp=price * (1 + TARGET))

    named = table.rename(columns=str.title).tz_localize(None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its statistics use what pandas is about to drop
        return Backtest(named, Same, cash=1e6, commission=1e-4, finalize_trades=True).run()


#: In a fresh process: the file is read, the backtest run, every table of the figure asked for; then the peak of memory.
MEMORY = """
import json
import workbench as wb
from tests.bench.bench_table import peak_mb
from tests.bench.million_bars import ours, strategy
bars = wb.read_bars(PATH, "5m", calendar="24x7")
trades, rows, _ = ours(strategy(), bars, wb.costs.bps(1, 1))
print(json.dumps({"peak_mb": peak_mb(), "trades": trades, "rows": rows}))
"""
