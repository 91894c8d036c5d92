"""A row of a sweep is the single backtest of its set: every statistic and every session's return, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.property.real_strategies import WORLDS, Loader
from workbench.expressions.evaluate import Evaluation
from workbench.research.sweep.run import WHOLE
from workbench.research.sweep.table import KNOWN

#: What is varied in each world, besides what all have.
VARIED: dict[str, dict[str, list[Any]]] = {
    "one long, three timeframes, all stops": {
        "n": [5, 9],
        "stop_loss_frac": [None, 0.004],
        "timeframe": ["15m", "30m"],
    },
    "both sides, reversals, limits": {"sizing.frac": [0.005, 0.02], "max_holding_bars": [None, 10]},
}
EVERYWHERE: dict[str, list[Any]] = {"cooldown_bars": [0, 3], "min_holding_bars": [0, 4]}
ROWS = 1_200


@pytest.mark.parametrize("names", ["all", [name for name in KNOWN if name not in WHOLE]], ids=["whole", "quick"])
@pytest.mark.parametrize("name", WORLDS)
def test_E9_R4_every_row_is_the_backtest_of_its_set(name: str, names: Any, real_frame: Loader, nse: Any) -> None:
    world = WORLDS[name]
    calendar = nse if world.files[0].startswith("nse") else wb.resolve_calendar("XNYS")
    data = world.bars({key: frame.iloc[:ROWS] for key, frame in world.frames(real_frame).items()}, calendar)
    varied = {**EVERYWHERE, **VARIED.get(name, {})}
    how: Any = {"costs": world.costs, "keep": False, "workers": 2}
    found = wb.sweep(world.strategy(), data, varied, "final_equity", statistics=names, **how)
    assert len(found) == np.prod([len(values) for values in varied.values()])
    assert found.table["n_trades"].nunique() > 1, "nothing that was varied mattered"
    for number, row in found.table.iterrows():
        single = wb.backtest(found.strategy(number), data, costs=world.costs)
        for statistic in found.table.columns[len(varied) :]:
            expected = single.stats[statistic]
            assert row[statistic] == expected or (expected is None and np.isnan(row[statistic])), statistic
        returns = found.returns[number].dropna().to_numpy()
        assert returns.tobytes() == single.sessions.returns[~np.isnan(single.sessions.returns)].tobytes()


def test_R4_rows_depend_neither_on_threads_nor_on_order_nor_on_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    bars = wb.samples.synthetic(seed=3, start="2023-01-02", end="2023-03-31")
    strategy = wb.Strategy(
        name="order", version="1.0.0", instruments=("NSE:DEMO",), timeframe="5m", calendar="NSE", product="MIS",
        entry="EMA($fast) CROSSES_ABOVE EMA($slow)", exit="EMA($fast) CROSSES_BELOW EMA($slow)",
        params={"fast": 5, "slow": 20}, stop_loss_frac=0.01,
    )  # fmt: skip
    varied = {"fast": range(3, 9), "slow": range(10, 30, 5)}
    one = wb.sweep(strategy, bars, varied, keep=False, workers=1).table
    monkeypatch.setattr("workbench.research.sweep.sweeping.BATCH", 5)
    turned = {"slow": range(25, 5, -5), "fast": range(8, 2, -1)}
    other = wb.sweep(strategy, bars, turned, keep=False, workers=3).table
    key = ["fast", "slow"]
    ours, theirs = (table.sort_values(key).reset_index(drop=True) for table in (one, other))
    assert len(ours) == 24
    assert ours.equals(theirs[ours.columns])


def test_E9_shared_nodes_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six fast and four slow averages and their 24 comparisons: 34 columns for 24 sets, and 24 more for the exits."""
    made: list[Evaluation] = []
    initialise = Evaluation.__init__

    def noted(self: Evaluation, *given: Any) -> None:
        initialise(self, *given)
        made.append(self)

    monkeypatch.setattr(Evaluation, "__init__", noted)
    strategy = wb.Strategy(
        name="shared", version="1.0.0", instruments=("NSE:DEMO",), timeframe="5m", calendar="NSE", product="MIS",
        entry="SMA(close, $fast) > SMA(close, $slow)", exit="SMA(close, $fast) < SMA(close, $slow)",
        params={"fast": 5, "slow": 20},
    )  # fmt: skip
    bars = wb.samples.synthetic(seed=3, start="2023-01-02", end="2023-01-31")
    for workers in (1, 3):
        made.clear()
        wb.sweep(strategy, bars, {"fast": range(3, 9), "slow": range(10, 30, 5)}, keep=False, workers=workers)
        assert [one.computed for one in made] == [6 + 4 + 24 + 24]
