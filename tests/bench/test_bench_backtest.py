"""How fast: a million bars, a portfolio, one bar, a thousand programs, and the start of a process."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.bench import million_bars
from tests.bench.bench_table import fresh_process, in_turns, median_s, row
from workbench.engine.desk import grown, new_desk
from workbench.engine.fitting import common_grid
from workbench.engine.loop import run
from workbench.engine.one_instant import OneInstant
from workbench.engine.records import Curve, Desk
from workbench.expressions.batch import Batch
from workbench.expressions.kernels import advance_all
from workbench.market.instruments import instrument
from workbench.market.timeframe import Timeframe
from workbench.research.ground import Ground
from workbench.research.laying import Laid
from workbench.schema import N_LEAVES

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """A million bars."""
    return million_bars.frame()


@pytest.fixture(scope="module")
def bars(table: pd.DataFrame) -> wb.Bars:
    """The same, checked."""
    return wb.Bars(table, "5m", "24x7")


class Simulation:
    """The engine alone: bars laid and expressions evaluated beforehand, buffers as large as they became."""

    def __init__(self, strategy: wb.Strategy, data: dict[str, wb.Bars], costs: Any) -> None:
        laid = Laid(strategy, Ground(data, common_grid(data)))
        self.market, self.signals = laid.market(0), laid.signals(0)
        self.strategy, self.costs, self.names = strategy, costs, list(data)
        m = len(self.market.open)
        self.curve = Curve(np.empty(m), np.empty(m), np.empty(m, np.bool_))
        self.desk = self._flat()
        self()

    def _flat(self) -> Desk:
        return new_desk(
            self.strategy, [instrument(name) for name in self.names], self.costs, 1e6, self.signals.flags.size
        )

    def __call__(self) -> None:
        flat = self._flat()
        self.desk = self.desk._replace(account=flat.account, positions=flat.positions)
        at, close = run(self.desk, self.market, self.signals, self.curve, 0, 0)
        while at < len(self.market.open):
            self.desk = grown(self.desk)
            at, close = run(self.desk, self.market, self.signals, self.curve, at, close)


def test_a_million_bars_simulated_at_10_million_a_second(bars: wb.Bars) -> None:
    simulation = Simulation(million_bars.strategy(), {"24x7:WALK": bars}, wb.costs.bps(1, 1))
    seconds = median_s(simulation)
    row(
        "simulation alone, 1,000,000 bars, stop, target, trailing", f"{len(bars) / seconds / 1e6:.1f} M bars/s", ">= 10"
    )
    assert len(bars) / seconds >= 10e6


def test_a_million_bars_end_to_end_at_4_million_a_second_and_twice_vectorbt(table: pd.DataFrame, bars: wb.Bars) -> None:
    strategy, costs = million_bars.strategy(), wb.costs.bps(1, 1)
    # vectorbt turns an index with a zone into objects again and again; it is spared that.
    plain = table.tz_localize(None)
    seconds = in_turns(
        {
            "workbench": lambda: million_bars.ours(strategy, bars, costs),
            "vectorbt, Rust, trades as raw records": lambda: million_bars.vectorbt(plain, "rust"),
            "vectorbt, numba, trades as raw records": lambda: million_bars.vectorbt(plain, "numba"),
        }
    )
    alone = median_s(lambda: million_bars.ours(strategy, bars, costs))
    row("end to end, 1,000,000 bars: workbench, not in turns", f"{len(bars) / alone / 1e6:.2f} M bars/s", ">= 4")
    same = "vectorbt, Rust, trades as a table with times, as ours"
    seconds[same] = median_s(lambda: million_bars.vectorbt(plain, "rust", readable=True), repetitions=1, warm=0)
    for name, taken in seconds.items():
        row(
            f"end to end, 1,000,000 bars: {name}",
            f"{len(bars) / taken / 1e6:.2f} M bars/s",
            "" if name == "workbench" else f"ours is {taken / seconds['workbench']:.1f} times as fast",
        )
    ratio = seconds[same] / seconds["workbench"]
    few = table.iloc[:20_000]
    slow = median_s(lambda: million_bars.backtesting_py(few), repetitions=1, warm=0)
    row("end to end, 20,000 bars: backtesting.py", f"{len(few) / slow / 1e6:.4f} M bars/s")
    assert len(bars) / alone >= 4e6
    assert ratio >= 2.0


def test_a_million_bars_in_400_megabytes(table: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "walk_5m.parquet"
    table.reset_index().to_parquet(path)
    code = million_bars.MEMORY.replace("PATH", repr(str(path)))
    fresh_process(code)  # the kernels are in the cache after this
    found = fresh_process(code)
    row("peak memory of a fresh process: read, backtest, trades, equity, stats", f"{found['peak_mb']:.0f} MB", "< 400")
    assert found["rows"] == len(table) and found["trades"] > 1_000
    assert found["peak_mb"] < 400


def test_a_portfolio_of_29_symbols_in_150_ms(data_dir: Path, real_bars: Any) -> None:
    files = sorted((data_dir / "nse").glob("*_15m.parquet"))
    data = {f"NSE:{path.stem.rpartition('_')[0]}": real_bars(f"nse/{path.stem}", repair="drop") for path in files}
    strategy = wb.Strategy(
        name="portfolio",
        version="1.0.0",
        instruments=tuple(data),
        timeframe="15m",
        calendar="NSE",
        product="CNC",
        entry="close > EMA(close, 12) AND RSI(8) > 52",
        exit="close < EMA(close, 12)",
        rank="ROC(close, 10)",
        allocation="RANKING",
        sizing=wb.CashPerSlot(),
        max_open_positions=5,
        stop_loss_frac=0.02,
    )
    costs = wb.costs.zerodha_equity()
    seconds = median_s(lambda: wb.backtest(strategy, data, costs=costs))
    count = max(len(item) for item in data.values())
    row(f"portfolio, {len(data)} symbols × {count:,} bars with ranking", f"{seconds * 1e3:.0f} ms", "< 150")
    assert len(data) == 29 and seconds < 0.15


def test_one_bar_through_the_step_in_5_us(bars: wb.Bars) -> None:
    part = wb.Bars(bars.frame.iloc[:20_000], "5m", "24x7")
    laid = Laid(million_bars.strategy(), Ground({"24x7:WALK": part}, common_grid({"24x7:WALK": part})))
    market, signals = laid.market(0), laid.signals(0)
    m = len(market.open)
    desk = new_desk(million_bars.strategy(), [instrument("24x7:WALK")], wb.costs.bps(1, 1), 1e6, m)
    desk = desk._replace(
        **{name: np.zeros(10 * m, getattr(desk, name).dtype) for name in ("actions", "fills", "trades", "notes")}
    )
    OneInstant(new_desk(million_bars.strategy(), [instrument("24x7:WALK")], wb.costs.bps(1, 1), 1e6)).advance()
    one = OneInstant(desk)
    taken = 0.0
    for i in range(m):
        rooms = (*one.market.times, *one.market[1:], one.signals.flags)
        for room, column in zip(rooms, (*market.times, *market[1:], signals.flags), strict=True):
            room[0] = column[i]
        start = time.perf_counter()
        stepped = one.advance()
        taken += time.perf_counter() - start
        assert stepped == 1
    taken /= m
    row("one bar through the compiled step, from Python", f"{taken * 1e6:.2f} µs", "< 5")
    assert int(desk.account[0]["n_trades"]) > 50
    assert taken < 5e-6


def test_a_thousand_programs_advanced_by_one_bar_in_1_ms() -> None:
    programs = [
        million_bars.strategy(
            entry=f"EMA(close, {5 + k % 40}) > EMA(close, {50 + k % 97}) AND RSI({7 + k % 11}) < 65",
            exit=f"EMA(close, {5 + k % 40}) < EMA(close, {50 + k % 97})",
        ).program
        for k in range(1_000)
    ]
    batch = Batch(programs)
    jobs = batch.jobs(Timeframe.parse("5m"))
    rng = np.random.default_rng(1)
    leaves = 100.0 + rng.normal(0.0, 1.0, (len(jobs), N_LEAVES))
    seconds = median_s(
        lambda: advance_all(batch.nodes, jobs, leaves, batch.state, batch.values, batch.seen), repetitions=200, warm=200
    )
    row(f"1,000 programs ({len(batch.nodes):,} nodes) advanced by one bar", f"{seconds * 1e3:.3f} ms", "< 1")
    assert len(jobs) == 1_000 and seconds < 1e-3


IMPORTS = """
import json, time
start = time.process_time(); import pandas; pandas_s = time.process_time() - start
start = time.process_time(); import workbench; ours_s = time.process_time() - start
print(json.dumps({"pandas_s": pandas_s, "ours_s": ours_s}))
"""

FIRST = """
import time
start = time.perf_counter(); cpu = time.process_time()
import json
import workbench as wb
from tests.bench.million_bars import ours, strategy
ours(strategy(), wb.read_bars(PATH, "5m", calendar="24x7"), wb.costs.none())
print(json.dumps({"wall_s": time.perf_counter() - start, "cpu_s": time.process_time() - cpu}))
"""


def test_the_import_costs_a_quarter_of_a_second_over_pandas() -> None:
    fresh_process(IMPORTS)
    found = [fresh_process(IMPORTS) for _ in range(5)]
    pandas_s, ours_s = (float(np.median([one[name] for one in found])) for name in ("pandas_s", "ours_s"))
    row("import workbench after import pandas", f"{ours_s * 1e3:.0f} ms", f"<= 250 (pandas {pandas_s * 1e3:.0f})")
    assert ours_s <= 0.25


def test_the_first_backtest_of_a_process_in_2_s(tmp_path: Path) -> None:
    path = tmp_path / "walk_5m.parquet"
    million_bars.frame(20_000).reset_index().to_parquet(path)
    code = FIRST.replace("PATH", repr(str(path)))
    fresh_process(code)
    found = [fresh_process(code) for _ in range(3)]
    cpu_s, wall_s = (float(np.median([one[name] for one in found])) for name in ("cpu_s", "wall_s"))
    row(
        "a new process to its first statistics, warm kernel cache (imports too)",
        f"{cpu_s:.2f} s CPU",
        f"< 2 (wall {wall_s:.2f})",
    )
    assert cpu_s < 2.0
