"""``workbench staged``: a notebook's search, shown and locked; what is refused; what an interruption leaves."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

import workbench as wb
from tests.command_line import expect, made_up, run, write_csv, write_strategy
from workbench.research.staged_search.file import stages_of
from workbench.research.sweep.run import Batch

STAGES = """\
rank_by = "total_return_frac"
in_sample_frac = 0.6
where = "n < 9"

[[stages]]
name = "lengths"
parameters = { n = { from = 3, to = 9, step = 3 } }

[[stages]]
name = "exits"
sets = [{ stop_loss_frac = "off", "sizing.frac" = 0.5 }, { stop_loss_frac = 0.01, "sizing.frac" = 0.25 }]
"""


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))


@pytest.fixture
def line(tmp_path: pathlib.Path) -> list[Any]:
    """A command without an output."""
    strategy = write_strategy(tmp_path, more="[params]\nn = 5\n")
    strategy.write_text(strategy.read_text().replace("RSI(5)", "RSI($n)"))
    (tmp_path / "stages.toml").write_text(STAGES)
    bars = write_csv(tmp_path / "AAA_5m.csv", made_up(end="2023-02-28"))
    return ["staged", strategy, "--stages", tmp_path / "stages.toml", "--bars", bars]


def in_notebook(strategy: pathlib.Path, **settings: Any) -> wb.StagedSearch:
    """The same search as a notebook runs it, on bars without a basis."""
    bars = made_up(end="2023-02-28").between(None, settings.pop("end", None))
    bars.basis = None
    stages: list[Any] = [
        ("lengths", {"n": [3, 6, 9]}),
        ("exits", [{"stop_loss_frac": None, "sizing.frac": 0.5}, {"stop_loss_frac": 0.01, "sizing.frac": 0.25}]),
    ]
    given: dict[str, Any] = {"where": "n < 9", "in_sample_frac": 0.6, "keep": False, "progress": False, **settings}
    return wb.staged_search(wb.Strategy.from_toml(strategy), bars, stages, "total_return_frac", **given)


def test_N4_the_file_is_that_of_a_notebook(line: list[Any], tmp_path: pathlib.Path) -> None:
    target = tmp_path / "deep" / "locked.toml"
    text = expect(0, *line, "--output", target)
    found = in_notebook(line[1])
    assert target.read_text() == found.to_toml()
    assert f"locked: {target}" in text
    assert "dip: 2 stages, 4 trials, " in text
    for name in ("lengths", "exits", "in sample to", "out of sample to"):
        assert name in text
    assert "".join(found.verdict.split()) in "".join(text.split())
    assert "No charges and no slippage" in text
    stats = tmp_path / "stats.csv"
    begins = f"{found.split.out_of_sample_start:%Y-%m-%d}"
    expect(0, "backtest", target, "--bars", line[-1], "--start", begins, "--output", f"stats={stats}")
    assert f"final_equity,{found.out_of_sample.stats['final_equity']}" in stats.read_text()


def test_start_end_cash_costs_and_workers_reach_the_search(line: list[Any], tmp_path: pathlib.Path) -> None:
    target = tmp_path / "locked.toml"
    bounds = ("--start", "2023-01-05", "--end", "2023-02-20", "--cash", "50000", "--costs", "bps:1,2")
    text = expect(0, *line, *bounds, "--workers", 1, "--no-keep", "--output", target)
    costs = wb.costs.bps(1, 2)
    found = in_notebook(line[1], start="2023-01-05", end="2023-02-20", initial_cash=50_000, costs=costs)
    assert target.read_text() == found.to_toml()
    assert "No charges" not in text


def test_an_edited_file_is_refused(line: list[Any], tmp_path: pathlib.Path) -> None:
    target = tmp_path / "locked.toml"
    expect(0, *line, "--output", target)
    target.write_text(target.read_text().replace('version = "1.0.0"', 'version = "1.0.1"'))
    assert "this is not the strategy that was locked" in expect(2, "backtest", target, "--bars", line[-1])


def test_an_interruption_is_said_and_the_same_command_goes_on(
    line: list[Any], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, ran = Batch.row, []

    def stops(self: Batch, i: int) -> Any:
        ran.append(i)
        if len(ran) == 4:
            raise KeyboardInterrupt
        return row(self, i)

    monkeypatch.setattr(Batch, "row", stops)
    outcome = run(*line, "--workers", 1, "--output", tmp_path / "locked.toml")
    assert outcome.exit_code == 130
    assert "interrupted in a stage: 1 of 2 sets are finished; the same command goes on from there" in outcome.stderr
    assert not (tmp_path / "locked.toml").exists()
    expect(0, *line, "--workers", 1, "--output", tmp_path / "locked.toml")
    assert len(ran) == 4 + 1


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--output", "locked.csv"], "End it in .toml"),
        (["--costs", "free"], "--costs"),
        (["--start", "2023-01-10", "--end", "2023-01-09"], "is before --start"),
        (["--stages", "none.toml"], "none.toml: there is no such file"),
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
        ("rank_by", "rank_on", "rank_on is unknown; did you mean 'rank_by'"),
        ("= 0.6", '= "0.6"', "in_sample_frac is '0.6'; a number is asked"),
        ("= 0.6", "= 1.6", "in_sample_frac=1.6 is a fraction between 0 and 1"),
        ("parameters =", "params =", "stages, 'lengths': params is unknown"),
        ("parameters =", "sets =", "stages, 'lengths': "),
        ("sets =", "parameters =", "stages, 'exits': "),
        ("name = \"exits\"\n", 'name = "exits"\nparameters = { n = [5] }\n', "it has either parameters"),
        ("parameters = { n = { from = 3, to = 9, step = 3 } }", "", "it has either parameters"),
        ("step = 3", "step = 0", "parameters.n goes from a number up to another"),
        ("{ n =", "{ k =", "stage 'lengths': 'k' is nothing that can be swept"),
        ("= 0.01", "= 2", "stop_loss_frac is 2"),
        ("[[stages]]", "[stages]", "not valid TOML"),
    ],
)  # fmt: skip
def test_a_file_of_stages_that_does_not_fit_is_refused(line: list[Any], old: str, new: str, says: str) -> None:
    assert old in STAGES
    line[3].write_text(STAGES.replace(old, new, 1))
    assert says in expect(2, *line)


def test_a_file_without_stages_is_refused(line: list[Any]) -> None:
    line[3].write_text('rank_by = "sharpe_ann"\n')
    assert "there is no stage; each begins with [[stages]]" in expect(2, *line)


def test_what_a_file_says_is_what_the_search_takes(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "stages.toml"
    path.write_text(
        'choose = "plateau"\n[[stages]]\nparameters = { sizing.frac = [0.1, 0.2], stop_loss_frac = ["off"] }\n'
        '[[stages]]\nname = "size"\nsets = [{ sizing = { policy = "FixedQty", qty = 5 }, timeframe = "30m" }]\n'
    )
    plan = stages_of(path)
    assert plan.settings == {"choose": "plateau"}
    assert plan.stages == [
        ("stage 1", {"sizing.frac": [0.1, 0.2], "stop_loss_frac": [None]}),
        ("size", [{"sizing": wb.FixedQty(5), "timeframe": "30m"}]),
    ]
