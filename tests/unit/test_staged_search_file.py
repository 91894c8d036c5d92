"""The locked strategy as a file: it is the strategy, it says where it comes from, and it cannot be edited unseen."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.unit.test_staged_search import BARS, COSTS, STAGES, STRATEGY, WEIGHTS, search
from workbench.jit import engine_hash


@pytest.fixture(scope="module")
def found() -> wb.StagedSearch:
    """A search, once."""
    return search(where="fast < slow")


@pytest.fixture(scope="module")
def said(found: Any) -> dict[str, Any]:
    """Its provenance."""
    content: dict[str, Any] = tomllib.loads(found.to_toml())["provenance"]
    return content


def test_N3_the_file_is_the_locked_strategy(found: Any, tmp_path: Path) -> None:
    path = tmp_path / "made" / "locked.toml"
    text = found.to_toml(path)
    assert path.read_text(encoding="utf-8") == text
    for source in (path, text):
        again = wb.Strategy.from_toml(source)
        assert again == found.strategy
        assert again.hash == found.strategy.hash
    assert "provenance" not in again.to_toml()
    result = wb.backtest(again, BARS, costs=COSTS, start=found.split.out_of_sample_start)
    assert result.hash == found.out_of_sample.hash
    with pytest.raises(wb.ConfigError, match="becomes a strategy file"):
        found.to_toml(tmp_path / "locked.json")


def test_the_same_search_writes_the_same_file(found: Any) -> None:
    assert search(where="fast < slow", workers=1).to_toml() == found.to_toml()


def test_R4_the_provenance_has_the_hashes_of_all_that_the_choice_depends_on(found: Any, said: dict[str, Any]) -> None:
    data = said["data"]["XNYS:AAPL"]
    known = BARS.between(None, f"{found.split.in_sample_end:%Y-%m-%d}")
    assert data["hash"] == BARS.hash
    assert data["in_sample_hash"] == known.hash
    assert data["n_bars"] == len(BARS)
    assert data["first"] == BARS.index[0]
    assert data["last"] == BARS.index[-1]
    assert said["engine"] == engine_hash()
    assert said["strategy_hash"] == found.strategy.hash
    assert said["given_hash"] == STRATEGY.hash
    assert said["costs_hash"] == COSTS.hash
    assert said["split"]["instant"] == found.split.instant
    assert said["split"]["in_sample_end"] == found.split.in_sample_end.date()
    assert said["in_sample"]["result_hash"] == found.in_sample.hash
    assert said["out_of_sample"]["result_hash"] == found.out_of_sample.hash
    assert said["out_of_sample"]["sharpe_ann"] == found.out_of_sample.stats["sharpe_ann"]
    assert said["in_sample"]["deflated_sharpe_frac"] == found.in_sample_significance.deflated_sharpe_frac
    assert said["in_sample"]["n_trials"] == said["n_trials"] == found.n_trials
    assert said["n_distinct"] == found.n_distinct
    assert said["where"] == "fast < slow"
    assert said["words"] == list(found.words)


def test_every_set_of_every_stage_stands_there_with_its_score(found: Any, said: dict[str, Any]) -> None:
    for stage, written in zip(found.stages, said["stages"], strict=True):
        head, *lines = csv.reader(written["trials"].splitlines())
        values = stage.trials.table.sort_index()["sharpe_ann"].to_numpy()[stage.order]
        assert head == [*stage.chosen, "sharpe_ann"]
        assert [float(line[-1]) for line in lines] == values.tolist()
        assert [tuple(map(int, line[:-1])) for line in lines] == list(stage.sets)
        assert written["name"] == stage.name
        assert written["chosen"] == stage.chosen
        assert written["score"] == stage.score == values.max()
        assert written["n_sets"] == len(stage)
        assert written["strategy_hash"] == stage.strategy.hash
    assert [tuple(one.values()) for one in WEIGHTS] == list(found.stages[1].sets)


def test_values_without_a_word_in_toml_are_written(tmp_path: Path) -> None:
    policies = [wb.PercentOfEquity(0.2), wb.FixedQty(10)]
    stages = [
        ("stop", {"stop_loss_frac": [None, 0.1], "entry_window": [None]}),
        ("size", {"sizing": policies}),
        ("none", {"threshold": [2, 5]}),
    ]
    locked = search(stages, where=lambda **_: True)
    written = tomllib.loads(locked.to_toml(tmp_path / "locked.toml"))["provenance"]
    assert written["where"] == "a function"
    assert written["stages"][0]["trials"].splitlines()[1].startswith("off,off,")
    assert written["stages"][0]["chosen"]["entry_window"] == "off"
    assert written["stages"][1]["chosen"]["sizing"]["policy"] in ("PercentOfEquity", "FixedQty")
    # A set that never trades has no Sharpe ratio.
    assert written["stages"][2]["trials"].splitlines()[2] == "5,nan"
    assert wb.Strategy.from_toml(tmp_path / "locked.toml") == locked.strategy


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('version = "1.0.0"', 'version = "1.0.1"'),
        ("frac = 0.3", "frac = 0.4"),
        ("frac = 0.3", "frac = nan"),
        ("frac = 0.3", "frac = 2024-01-01"),
        ("w_trend = ", "w_trend = 1"),
        ("max_open_positions = 10\n", ""),
    ],
)
def test_a_strategy_that_was_edited_after_it_was_locked_is_refused(found: Any, old: str, new: str) -> None:
    text = found.to_toml()
    assert old in text
    with pytest.raises(wb.StrategyError, match="this is not the strategy that was locked, whose hash is"):
        wb.Strategy.from_toml(text.replace(old, new, 1))


def test_without_its_provenance_an_edited_file_is_a_strategy_of_its_own(found: Any) -> None:
    text = found.to_toml()
    alone = text[: text.index("[provenance]")]
    assert wb.Strategy.from_toml(alone) == found.strategy
    assert wb.Strategy.from_toml(alone.replace("frac = 0.3", "frac = 0.4")) != found.strategy
    assert wb.Strategy.from_toml(alone + '[provenance]\nmade_by = "hand"\n') == found.strategy
    with pytest.raises(wb.StrategyError, match="provenance is 'me'; it is a table"):
        wb.Strategy.from_toml('provenance = "me"\n' + alone)


def test_the_stages_of_the_file_are_those_that_were_asked_for(said: dict[str, Any]) -> None:
    assert [one["name"] for one in said["stages"]] == [name for name, _ in STAGES]
