"""``workbench sweep``: a notebook's table, shown and written; what is refused; what an interruption leaves."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.command_line import expect, made_up, run, write_csv, write_strategy
from workbench.research.sweep.run import Batch

ROOT = pathlib.Path(__file__).resolve().parents[2]
SWEEP = """\
rank_by = "total_return_frac"
where = "n < 9 or stop_loss_frac == 0.01"

[parameters]
n = { from = 3, to = 9, step = 3 }
stop_loss_frac = ["off", 0.01]
"""


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))


@pytest.fixture
def line(tmp_path: pathlib.Path) -> list[Any]:
    """A command without an output."""
    strategy = write_strategy(tmp_path, more="[params]\nn = 5\n")
    strategy.write_text(strategy.read_text().replace("RSI(5)", "RSI($n)"))
    (tmp_path / "sweep.toml").write_text(SWEEP)
    bars = write_csv(tmp_path / "AAA_5m.csv", made_up())
    return ["sweep", strategy, "--sweep", tmp_path / "sweep.toml", "--bars", bars]


def in_notebook(strategy: pathlib.Path) -> wb.Sweep:
    """The same sweep as a notebook runs it, on bars without a basis."""
    bars = made_up().between(None, None)
    bars.basis = None
    varied: dict[str, list[Any]] = {"n": [3, 6, 9], "stop_loss_frac": [None, 0.01]}
    where = "n < 9 or stop_loss_frac == 0.01"
    traded = wb.Strategy.from_toml(strategy)
    return wb.sweep(traded, bars, varied, "total_return_frac", where=where, keep=False, progress=False)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_N4_the_table_is_that_of_a_notebook(line: list[Any], tmp_path: pathlib.Path, ending: str) -> None:
    target = tmp_path / "deep" / f"table.{ending}"
    text = expect(0, *line, "--output", target)
    assert f"table: 5 rows in {target}" in text
    read: Any = pd.read_csv if ending == "csv" else pd.read_parquet
    table, found = read(target), in_notebook(line[1])
    ours = found.table
    assert list(table) == ["set", *ours.columns, "plateau_total_return_frac"]
    assert table["set"].tolist() == ours.index.tolist()
    for name in ours.columns:
        np.testing.assert_array_equal(table[name].to_numpy(float), ours[name].to_numpy(float))  # to the last digit
    scores = found.plateau()[ours.index]
    np.testing.assert_array_equal(table["plateau_total_return_frac"], scores)
    assert not list(target.parent.glob("*.tmp"))


def test_the_best_sets_are_shown_in_their_order(line: list[Any]) -> None:
    text = expect(0, *line, "--top", 2)
    assert "dip 1.0.0: 5 sets of n, stop_loss_frac" in text
    head = next(at for at, one in enumerate(text.splitlines()) if "plateau" in one)
    rows = [one.split() for one in text.splitlines()[head + 2 : head + 4]]
    assert [int(row[0]) for row in rows] == in_notebook(line[1]).table.index[:2].tolist()
    assert len(text.splitlines()[head + 4].split()) == 0
    assert "off" in expect(0, *line)
    assert "Best by" not in expect(0, *line, "--top", 0)
    assert "luckiest" in text
    assert "No charges and no slippage" in text
    assert "No charges" not in expect(0, *line, "--costs", "bps:1,1")


def test_E9_the_best_strategy_is_written_and_its_backtest_is_the_row(line: list[Any], tmp_path: pathlib.Path) -> None:
    best, table = tmp_path / "best.toml", tmp_path / "table.parquet"
    expect(0, *line, "--best", best, "--output", table)
    assert best.read_text().endswith("\n")
    first = pd.read_parquet(table).iloc[0]
    assert wb.Strategy.from_toml(best).params["n"] == first["n"]
    stats = tmp_path / "stats.csv"
    expect(0, "backtest", best, "--bars", line[-1], "--output", f"stats={stats}")
    written = pd.read_csv(stats).set_index("statistic")["value"]
    assert float(written["sharpe_ann"]) == first["sharpe_ann"]
    assert float(written["final_equity"]) == first["final_equity"]


def test_start_end_cash_and_workers_reach_the_sweep(line: list[Any], tmp_path: pathlib.Path) -> None:
    target = tmp_path / "table.csv"
    bounds = ("--start", "2023-01-05", "--end", "2023-01-10", "--cash", "50000")
    expect(0, *line, *bounds, "--output", target, "--workers", 1)
    one = target.read_bytes()
    expect(0, *line, *bounds, "--output", target, "--workers", 3, "--no-keep")
    assert target.read_bytes() == one
    bars = made_up().between(None, "2023-01-10")
    row = pd.read_csv(target).iloc[0]
    traded = wb.Strategy.from_toml(line[1])
    stop = None if np.isnan(row["stop_loss_frac"]) else row["stop_loss_frac"]
    single = wb.backtest(traded.replace(params={"n": row["n"]}, stop_loss_frac=stop), bars, 50_000, start="2023-01-05")
    assert row["final_equity"] == single.stats["final_equity"]


def test_statistics_of_the_file_are_shown_and_a_sample_has_no_plateau(line: list[Any], tmp_path: pathlib.Path) -> None:
    (tmp_path / "sweep.toml").write_text('sample = 3\nstatistics = ["n_trades", "charges"]\n' + SWEEP)
    text = expect(0, *line, "--output", tmp_path / "table.csv")
    heading = next(one for one in text.splitlines() if one.split()[:1] == ["set"])
    assert heading.split() == ["set", "n", "stop_loss_frac", "total_return_frac", "n_trades", "charges"]
    assert len(pd.read_csv(tmp_path / "table.csv")) == 3


def test_what_is_no_number_is_written_as_text(line: list[Any], tmp_path: pathlib.Path) -> None:
    (tmp_path / "sweep.toml").write_text(
        '[parameters]\nentry_window = ["off", ["09:30", "12:00"]]\nsizing = [{ policy = "FixedQty", qty = 5 }]\n'
        'timeframe = ["15m", "30m"]\nreuse_exit_proceeds = [true, false]\n'
    )
    expect(0, *line, "--output", tmp_path / "table.parquet")
    table = pd.read_parquet(tmp_path / "table.parquet")
    assert set(table["timeframe"]) == {"15m", "30m"}
    assert set(table["entry_window"].dropna()) == {"('09:30', '12:00')"}
    assert table["entry_window"].isna().sum() == 4


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--output", "table.doc"], "End it in .csv or .parquet"),
        (["--best", "best.csv"], "End it in .toml"),
        (["--costs", "free"], "--costs"),
        (["--start", "2023-01-10", "--end", "2023-01-09"], "is before --start"),
        (["--workers", "0"], "workers"),
        (["--sweep", "none.toml"], "none.toml: there is no such file"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_run(
    line: list[Any], more: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[int] = []
    monkeypatch.setattr(Batch, "row", lambda _, i: ran.append(i))
    assert says in expect(2, *line, *more)
    assert not ran


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("n = {", "m = {", "'m' is nothing that can be swept"),
        ("total_return_frac", "total_retrun_frac", "did you mean 'total_return_frac'"),
        ("n < 9", "k < 9", "cannot be used"),
        ("from = 3", "from = 0", "the set n=0"),
        ("0.01]", "2]", "stop_loss_frac is 2"),
    ],
)
def test_a_sweep_file_that_does_not_fit_is_refused(line: list[Any], old: str, new: str, says: str) -> None:
    line[3].write_text(SWEEP.replace(old, new, 1))
    assert says in expect(2, *line)


def test_an_interruption_is_said_and_the_same_command_goes_on(
    line: list[Any], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: Any = Batch.row
    ran: list[int] = []

    def stops(self: Batch, i: int) -> Any:
        ran.append(i)
        if len(ran) == 3:
            raise KeyboardInterrupt
        return whole(self, i)

    monkeypatch.setattr(Batch, "row", stops)
    outcome = run(*line, "--workers", 1, "--output", tmp_path / "table.csv")
    assert outcome.exit_code == 130
    assert "2 of 5 sets are finished; the same command goes on from there" in outcome.stderr
    assert outcome.stdout == ""
    assert not (tmp_path / "table.csv").exists()
    expect(0, *line, "--workers", 1, "--output", tmp_path / "table.csv")
    assert len(ran) == 3 + 3
    assert len(pd.read_csv(tmp_path / "table.csv")) == 5
    ran.clear()
    assert "were not kept, because of --no-keep" in run(*line, "--workers", 1, "--no-keep").stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_ends_the_process_with_130(line: list[Any], tmp_path: pathlib.Path) -> None:
    n, stops = "{ from = 2, to = 400, step = 1 }", "{ from = 0.001, to = 0.2, step = 0.001 }"
    line[3].write_text(f"[parameters]\nn = {n}\nstop_loss_frac = {stops}\n")
    kept = tmp_path / "home" / "sweeps"
    command = [sys.executable, "-m", "workbench", *map(str, line)]
    process = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        while not kept.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, said
    assert "of 79,800 sets are finished; the same command goes on from there" in said
    assert not said.startswith("interrupted: 0 ")
    assert "Traceback" not in said
