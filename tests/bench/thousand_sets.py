"""A thousand pairs of averages over one walk, for us and for vectorbt."""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd

from tests.bench import million_bars

#: 40 fast and 25 slow averages.
FAST, SLOW = range(5, 45), range(50, 175, 5)
STATISTICS = ("total_return_frac", "max_drawdown_frac", "n_trades", "win_rate_frac", "sharpe_ann")
STOP, TARGET, FEE = 0.02, 0.04, 0.0005


def bars(count: int) -> Any:
    """A driftless walk of five-minute bars around the clock."""
    import workbench as wb

    return wb.Bars(million_bars.frame(count), "5m", "24x7")


def strategy(**changes: Any) -> Any:
    """Averages that cross; stop, trailing stop and target."""
    fields: dict[str, Any] = {
        "entry": "SMA(close, $fast) CROSSES_ABOVE SMA(close, $slow)",
        "exit": "SMA(close, $fast) CROSSES_BELOW SMA(close, $slow)",
        "params": {"fast": 5, "slow": 50},
        "sizing": None,
        "stop_loss_frac": STOP,
        "take_profit_frac": TARGET,
        "trailing_stop_frac": STOP,
    }
    return million_bars.strategy(**{**fields, **changes})


def ours(made: Any, over: Any, workers: int = 1, **parameters: Any) -> Any:
    """The sweep, nothing kept on disk."""
    import workbench as wb

    return wb.sweep(
        made,
        over,
        parameters or {"fast": FAST, "slow": SLOW},
        costs=wb.costs.bps(FEE * 1e4, 0),
        statistics=STATISTICS,
        workers=workers,
        keep=False,
        progress=False,
    )


def vectorbt(table: pd.DataFrame, pairs: list[tuple[int, int]], chunk: int, engine: str = "rust") -> int:
    """The same statistics of some pairs with vectorbt, so many at a time; it has one stop, and the trailing one is it.

    Its index has no zone: with one, vectorbt turns it into objects again and again.
    """
    import vectorbt as vbt

    close = table["close"]
    done = 0
    for first in range(0, len(pairs), chunk):
        part = pairs[first : first + chunk]
        fast = vbt.MA.run(close, [one for one, _ in part], short_name="fast")
        slow = vbt.MA.run(close, [one for _, one in part], short_name="slow")
        portfolio = vbt.Portfolio.from_signals(
            close,
            fast.ma_crossed_above(slow),
            fast.ma_crossed_below(slow),
            open=table["open"],
            high=table["high"],
            low=table["low"],
            sl_stop=STOP,
            sl_trail=True,
            tp_stop=TARGET,
            fees=FEE,
            freq="5min",
            init_cash=1e6,
            engine=engine,
        )
        found = (
            portfolio.total_return(),
            portfolio.max_drawdown(),
            portfolio.trades.count(),
            portfolio.trades.win_rate(),
            portfolio.sharpe_ratio(),
        )
        done += len(found[0])
    return done


PAIRS = list(itertools.product(FAST, SLOW))

#: A fresh process that sweeps and prints what it took, beyond what it had before.
ALONE = """
import json, time
from tests.bench import thousand_sets as t
from tests.bench.bench_table import peak_mb
over, made = t.bars(COUNT), t.strategy()
t.ours(made, over, WORKERS, fast=[5], slow=[50])
seconds, cpu = time.perf_counter(), time.process_time()
found = t.ours(made, over, WORKERS)
taken = {"wall_s": time.perf_counter() - seconds, "cpu_s": time.process_time() - cpu, "sets": len(found)}
print(json.dumps({**taken, "peak_mb": peak_mb(), "trades": float(found.table["n_trades"].mean())}))
"""
