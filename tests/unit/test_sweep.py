"""What a sweep returns, keeps and refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.research.sweep.plateau import plateau_scores
from workbench.research.sweep.run import Batch

BARS = wb.samples.stock("AAPL").between("2005-01-03", "2007-12-31")
STRATEGY = wb.Strategy(
    name="cross", version="1.0.0", instruments=("XNYS:AAPL",), timeframe="1d", calendar="XNYS", product="CNC",
    entry="SMA(close, $fast) > SMA(close, $slow)", exit="SMA(close, $fast) < SMA(close, $slow)",
    params={"fast": 5, "slow": 20},
)  # fmt: skip
VARIED = {"fast": [5, 10, 20], "slow": [20, 50, 100]}


def sweep(parameters: Any = VARIED, **settings: Any) -> wb.Sweep:
    """A small sweep that keeps nothing unless asked to."""
    return wb.sweep(STRATEGY, BARS, parameters, **{"keep": False, "progress": False, **settings})


def test_the_table_is_ranked_and_the_best_is_its_first_row() -> None:
    found = sweep(rank_by="max_drawdown_frac", where="fast < slow")
    ranks = found.table["max_drawdown_frac"].to_numpy()
    assert len(found) == 8
    assert (np.diff(ranks) <= 0).all()
    first = found.table.iloc[0]
    assert dict(found.best.params) == {"fast": first["fast"], "slow": first["slow"]}
    least = sweep(rank_by="-volatility_ann", where="fast < slow").table["volatility_ann"].to_numpy()
    assert (np.diff(least) >= 0).all()


def test_undefined_statistics_are_missing_and_ranked_last() -> None:
    found = sweep({"fast": [5], "slow": [20, 700]}, rank_by="win_rate_frac", statistics=["n_trades"])
    assert list(found.table["n_trades"])[1] == 0
    assert np.isnan(found.table["win_rate_frac"].iloc[1])
    assert list(found.table.columns) == ["fast", "slow", "win_rate_frac", "n_trades"]


def test_returns_are_those_of_the_sessions() -> None:
    found = sweep()
    single = wb.backtest(found.strategy(4), BARS)
    assert found.returns.shape == (len(single.sessions.date), 9)
    assert np.array_equal(found.returns[4].to_numpy(), single.sessions.returns)
    assert str(found.returns.index[0].date()) == str(pd.Timestamp(int(single.sessions.date[0]), unit="D").date())


def test_the_best_are_run_once_more_for_their_trades_and_equity() -> None:
    found = sweep(costs=wb.costs.bps(5), start="2006-01-03", initial_cash=50_000)
    again = found.results(best=2)
    assert list(again) == found.ranking[:2].tolist()
    for number, result in again.items():
        single = wb.backtest(found.strategy(number), BARS, 50_000, wb.costs.bps(5), "2006-01-03")
        assert result.hash == single.hash
        assert result.equity.equals(single.equity)
        assert result.stats["sharpe_ann"] == found.table["sharpe_ann"][number]
    with pytest.raises(wb.ConfigError, match="best=0"):
        found.results(best=0)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rank_by": "sharp"}, "no statistic 'sharp'; did you mean"),
        ({"statistics": ["shrape_ann"]}, "did you mean 'sharpe_ann'"),
        ({"executor": "cloud"}, "executor='cloud' does not exist"),
        ({"workers": 0}, "workers=0 is a number of threads"),
        ({"method": "grid"}, "method='grid' does not exist"),
        ({"sample": 0}, "sample=0 is a number of sets"),
        ({"smaple": 3}, "sweep takes no 'smaple'; did you mean 'sample'"),
        ({"parameters": {"fast": [5], "speed": [1]}}, "'speed' is nothing that can be swept"),
    ],
)
def test_arguments_without_sense_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(wb.ConfigError, match=said):
        sweep(**settings)


def test_a_set_that_contradicts_itself_is_named() -> None:
    with pytest.raises(wb.StrategyError, match=r"(?s)the set fast=5, slow=0 makes no strategy: .*where="):
        sweep({"fast": [5], "slow": [20, 0]})
    with pytest.raises(wb.StrategyError, match=r"stop_loss_frac=2"):
        sweep({"fast": [5], "stop_loss_frac": [0.02, 2]})


def test_finished_sets_are_kept_over_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fifth set is interrupted; the next sweep runs the other five of nine, and the rows are as if nothing was."""
    run, ran = Batch.row, []

    def counted(self: Batch, i: int) -> Any:
        if len(ran) == 4:
            ran.append("interrupted")
            raise KeyboardInterrupt
        ran.append(dict(self.strategies[i].params))
        return run(self, i)

    monkeypatch.setattr(Batch, "row", counted)
    with pytest.raises(KeyboardInterrupt):
        sweep(keep=tmp_path, workers=1)
    before = [one for one in ran if one != "interrupted"]
    again = sweep(keep=tmp_path, workers=1)
    assert len(before) == 4
    assert len(ran) - 5 == 5
    assert not any(one in before for one in ran[5:])
    ran.clear()
    assert sweep(keep=tmp_path, workers=1).table.equals(again.table)
    assert not ran, "a finished sweep runs nothing again"
    monkeypatch.setattr(Batch, "row", run)
    assert sweep().table.equals(again.table)
    assert sweep().returns.equals(again.returns)


@pytest.mark.parametrize(
    "changed",
    [{"costs": wb.costs.bps(1)}, {"initial_cash": 5e5}, {"start": "2006-01-03"}],
    ids=["costs", "cash", "start"],
)
def test_R4_a_kept_row_is_used_only_where_everything_is_equal(tmp_path: Path, changed: dict[str, Any]) -> None:
    kept = sweep(keep=tmp_path)
    other = sweep(keep=tmp_path, **changed)
    assert len(list(tmp_path.iterdir())) == 2
    assert other.table.equals(sweep(**changed).table)
    assert not other.table["final_equity"].equals(kept.table["final_equity"])


def test_a_damaged_file_costs_time_and_nothing_else(tmp_path: Path) -> None:
    whole = sweep(keep=tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    assert sweep(keep=tmp_path).table.equals(whole.table)
    assert sweep(keep=tmp_path).table.equals(whole.table)


def test_a_plateau_is_as_good_as_its_worst_neighbour() -> None:
    """Of a line 1 9 1 5 6 5 the lonely 9 is worth 1 and the middle of the hill 5."""
    scores = plateau_scores([(n,) for n in (1, 2, 3, 4, 5, 6)], np.array([1.0, 9.0, 1.0, 5.0, 6.0, 5.0]))
    assert scores.tolist() == [1.0, 1.0, 1.0, 1.0, 5.0, 5.0]
    square = {(a, b): 10.0 * a + b for a in (1, 2) for b in (1, 2)}
    scores = plateau_scores(list(square), np.array(list(square.values())))
    assert scores.tolist() == [11.0, 11.0, 11.0, 12.0]
    unknown = plateau_scores([(1,), (2,), (3,), (4,)], np.array([1.0, np.nan, 3.0, 4.0]))
    assert np.isnan(unknown[:3]).all()
    assert unknown[3] == 3.0


def test_plateau_ranks_the_sets() -> None:
    found = sweep(where="fast < slow")
    scores = found.plateau()
    assert scores.is_monotonic_decreasing
    table = found.table
    assert (scores <= table.loc[scores.index, "sharpe_ann"]).all()
    downward = sweep(rank_by="-volatility_ann", where="fast < slow").plateau()
    assert downward.is_monotonic_increasing


def test_figures_show_the_table() -> None:
    found = sweep()
    cells = found.heatmap().data[0]
    table = found.table.set_index(["slow", "fast"])["sharpe_ann"]
    assert cells.z.shape == (3, 3)
    assert cells.z[1][2] == table[50, 20] or np.isnan(table[50, 20])
    lines = found.parallel().data[0]
    assert [axis.label for axis in lines.dimensions] == ["fast", "slow", "Sharpe ratio"]
    with pytest.raises(wb.ConfigError, match="needs two parameters"):
        sweep({"fast": [5, 10]}).heatmap()
    with pytest.raises(wb.ConfigError, match="'x' is not among"):
        found.heatmap("x")


def test_a_sweep_shows_itself() -> None:
    found = sweep({"fast": [5, 10]})
    assert repr(found).startswith("Sweep(2 sets of fast; best sharpe_ann")
    page = found._repr_html_()
    assert "<table" in page
    assert found.table.index.name == "set"
