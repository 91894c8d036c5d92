"""Staged search: choices that see nothing of the last part, which is run once, by what was locked."""

from __future__ import annotations

import dataclasses
import html
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.research.staged_search import searching
from workbench.research.staged_search.groups import groups_of
from workbench.research.staged_search.verdict import held_sharpe, is_above_zero, parity_of, verdict_of
from workbench.research.sweep.run import Batch

BARS = wb.samples.stock("AAPL").between("2005-01-03", "2008-12-31")
COSTS = wb.costs.bps(3, 7)
#: Two votes, a trend of averages and a strength, with whole-number weights: the score is among few values.
SCORE = """
trend = IF(SMA(close, $fast) > SMA(close, $slow), 1, -1)
strength = IF(RSI($n) > 50, 1, -1)
score = $w_trend * trend + $w_strength * strength
"""
STRATEGY = wb.Strategy(
    name="votes", version="1.0.0", instruments=("XNYS:AAPL",), timeframe="1d", calendar="XNYS", product="MARGIN",
    direction="BOTH", entry=SCORE + "score >= $threshold", exit=SCORE + "score < 0",
    short_entry=SCORE + "score <= -$threshold", short_exit=SCORE + "score > 0",
    params={"fast": 10, "slow": 50, "n": 14, "w_trend": 1, "w_strength": 1, "threshold": 2},
    sizing=wb.PercentOfEquity(0.3),
)  # fmt: skip
WEIGHTS = [{"w_trend": 1, "w_strength": 1}, {"w_trend": 2, "w_strength": 0}, {"w_trend": 0, "w_strength": 2}]
STAGES: list[Any] = [
    ("threshold", {"threshold": [1, 2]}),
    ("weights", WEIGHTS),
    ("lengths", {"fast": [5, 10, 60], "slow": [20, 50]}),
]


def search(stages: Any = STAGES, bars: Any = BARS, strategy: wb.Strategy = STRATEGY, **settings: Any) -> Any:
    """A small search that keeps nothing unless asked to."""
    given = {"keep": False, "progress": False, "costs": COSTS, **settings}
    return wb.staged_search(strategy, bars, stages, **given)


@pytest.fixture(scope="module")
def found() -> wb.StagedSearch:
    """The search of this page, once."""
    return search()


def sweep_in_sample(found: Any, strategy: wb.Strategy, parameters: Any, **settings: Any) -> wb.Sweep:
    """The sweep that a stage should have been."""
    known = BARS.between(None, f"{found.split.in_sample_end:%Y-%m-%d}")
    return wb.sweep(strategy, known, parameters, costs=COSTS, keep=False, progress=False, **settings)


# --- what chooses -------------------------------------------------------------------------------------------------


def test_each_stage_is_a_sweep_in_sample_that_begins_with_what_was_locked(found: Any) -> None:
    locked = STRATEGY
    for stage, (name, parameters) in zip(found.stages, STAGES, strict=True):
        assert stage.name == name
        if isinstance(parameters, dict):
            alone = sweep_in_sample(found, locked, parameters)
            assert alone.table.equals(stage.trials.table)
            assert alone.best == stage.strategy
        changed = {name: value for name, value in stage.strategy.params.items() if locked.params[name] != value}
        assert set(changed) <= set(stage.chosen)
        assert stage.strategy == locked.replace(params={**locked.params, **stage.chosen})
        locked = stage.strategy
    assert found.strategy == locked
    assert found.given == STRATEGY
    assert found.n_trials == 2 + 3 + 6


def test_the_sessions_are_split_at_the_fraction_between_two_sessions(found: Any) -> None:
    dates = BARS.frame.index.tz_localize(None)
    split = found.split
    assert split.n_in_sample == math.floor(0.7 * len(BARS))
    assert split.n_in_sample + split.n_out_of_sample == len(BARS)
    assert split.in_sample_end == dates[split.n_in_sample - 1]
    assert split.out_of_sample_start == dates[split.n_in_sample]
    assert len(found.in_sample.bars["XNYS:AAPL"]) == split.n_in_sample
    assert found.in_sample.equity.index[-1] == split.instant
    assert found.out_of_sample.equity.index[0] > split.instant


def test_R3_both_parts_are_backtests_and_in_sample_is_the_row_that_was_chosen(found: Any) -> None:
    known = BARS.between(None, f"{found.split.in_sample_end:%Y-%m-%d}")
    inside = wb.backtest(found.strategy, known, costs=COSTS)
    outside = wb.backtest(found.strategy, BARS, costs=COSTS, start=f"{found.split.out_of_sample_start:%Y-%m-%d}")
    assert found.in_sample.hash == inside.hash
    assert found.out_of_sample.hash == outside.hash
    assert found.out_of_sample.equity.equals(outside.equity)
    assert found.in_sample.stats["sharpe_ann"] == found.stages[-1].score
    assert found.out_of_sample.stats["n_sessions"] == found.split.n_out_of_sample


def test_B8_indicators_are_warm_where_out_of_sample_begins(found: Any) -> None:
    assert found.out_of_sample.decisions["decision"].iloc[0] != "WARMING_UP"
    assert "WARMING_UP" in set(found.in_sample.decisions["decision"])


def other_future(bars: wb.Bars, end: pd.Timestamp) -> wb.Bars:
    """The same bars up to a session, and after it a walk that has nothing to do with them."""
    frame = bars.frame.copy()
    later = np.flatnonzero(frame.index.tz_localize(None) > end)
    rng = np.random.default_rng(5)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.03, len(later))))
    opened = close * np.exp(rng.normal(0.0, 0.01, len(later)))
    prices = {"open": opened, "close": close, "high": np.maximum(opened, close) * 1.01,
              "low": np.minimum(opened, close) * 0.99}  # fmt: skip
    for name, values in prices.items():
        frame.iloc[later, frame.columns.get_loc(name)] = values
    return wb.Bars(frame, "1d", calendar="XNYS", basis=bars.basis)


@pytest.mark.parametrize("settings", [{}, {"choose": "plateau"}, {"rank_by": "-volatility_ann"}])
def test_P2_other_bars_out_of_sample_change_no_choice_and_no_score(settings: dict[str, Any]) -> None:
    whole = search(**settings)
    other = search(bars=other_future(BARS, whole.split.in_sample_end), **settings)
    assert other.strategy == whole.strategy
    for one, two in zip(whole.stages, other.stages, strict=True):
        assert one.trials.table.equals(two.trials.table)
        assert one.trials.returns.equals(two.trials.returns)
        assert (one.chosen, one.score, one.n_distinct) == (two.chosen, two.score, two.n_distinct)
    assert other.in_sample.hash == whole.in_sample.hash
    assert other.in_sample.equity.equals(whole.in_sample.equity)
    assert not other.out_of_sample.equity["equity"].equals(whole.out_of_sample.equity["equity"])


def test_out_of_sample_is_run_once_at_the_very_end(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Any] = []
    row = Batch.row

    def swept(self: Batch, i: int) -> Any:
        ran.append(max(item.index[-1] for item in self.ground.data.values()))
        return row(self, i)

    def tried(*given: Any) -> Any:
        ran.append(max(item.index[-1] for item in given[1].values()))
        return wb.backtest(*given)

    monkeypatch.setattr(Batch, "row", swept)
    monkeypatch.setattr(searching, "backtest", tried)
    found = search(workers=1)
    later = [end > found.split.instant for end in ran]
    assert later == [False] * (found.n_trials + 1) + [True]


def test_a_position_that_is_open_at_the_split_ends_in_sample_at_its_last_close_and_is_told() -> None:
    always = STRATEGY.replace(
        direction="LONG", product="CNC", entry="close > $level", exit=None, short_entry=None, short_exit=None,
        params={"level": 0},
    )  # fmt: skip
    found = search([("level", {"level": [0, 1]})], strategy=always)
    assert found.in_sample.stats["n_open_trades"] == 1
    assert any("A position was open where in sample ends" in note for note in found.notes)
    assert found.out_of_sample.equity["cash"].iloc[0] == 1_000_000.0
    first = found.out_of_sample.fills["ts"].iloc[0]
    assert first > found.out_of_sample.equity.index[0]


# --- which set ----------------------------------------------------------------------------------------------------


def test_linked_values_are_tried_together_and_in_their_order(found: Any) -> None:
    stage = found.stages[1]
    assert list(stage.sets) == [tuple(one.values()) for one in WEIGHTS]
    for at, one in enumerate(WEIGHTS):
        strategy = stage.trials.strategy(int(stage.order[at]))
        assert {name: strategy.params[name] for name in one} == one
    assert len(stage.trials) == 3


def test_many_linked_sets_from_an_array_are_those_of_the_array() -> None:
    """All weights in tens of a percent that sum to one, as the protocol's first author had them, in whole numbers."""
    steps = np.arange(1, 13)
    vectors = [(a, b, c, 20 - a - b - c) for a in steps for b in steps for c in steps if 1 <= 20 - a - b - c <= 12]
    names = ("fast", "slow", "n", "threshold")
    group = groups_of([("weights", [dict(zip(names, one, strict=True)) for one in vectors])], STRATEGY)[0]
    assert len(vectors) == 829
    assert group.linked == tuple(vectors)
    assert all(type(value) is int for one in group.linked for value in one)
    few = [dict(zip(("w_trend", "w_strength"), one, strict=True)) for one in np.array([[1, 1], [2, 0]])]
    assert search([("weights", few)]).strategy.params == search([("weights", WEIGHTS[:2])]).strategy.params


def test_the_search_begins_where_start_says_with_warm_indicators() -> None:
    found = search(STAGES[:1], start="2006-01-03")
    assert found.split.in_sample_start == pd.Timestamp("2006-01-03")
    assert found.split.n_in_sample == math.floor(0.7 * (BARS.frame.index >= "2006-01-03").sum())
    assert "WARMING_UP" not in set(found.in_sample.decisions["decision"])
    alone = sweep_in_sample(found, STRATEGY, {"threshold": [1, 2]}, start="2006-01-03")
    assert alone.table.equals(found.stages[0].trials.table)


def test_a_timeframe_is_locked_like_any_other_field() -> None:
    bars = wb.samples.synthetic(seed=2, start="2023-01-02", end="2023-03-31", timeframe="5m")
    intraday = wb.Strategy(
        name="dip", version="1.0.0", instruments=("NSE:DEMO",), timeframe="5m", calendar="NSE", product="MIS",
        entry="RSI($n) < 40", exit="RSI($n) > 60", params={"n": 9},
    )  # fmt: skip
    found = search([("timeframe", {"timeframe": ["5m", "15m", "1h"]}), ("n", {"n": [5, 9]})], bars, intraday)
    assert found.strategy.timeframe == found.stages[0].chosen["timeframe"]
    assert found.in_sample_significance.n_trials == 5
    assert found.stages[1].score >= found.stages[0].score


def test_of_equal_sets_the_first_is_locked() -> None:
    """With equal weights the score is -2, 0 or 2: thresholds of 1 and 2 are one rule."""
    forward, backward = (search([("threshold", {"threshold": values})]) for values in ([1, 2], [2, 1]))
    assert forward.stages[0].chosen == {"threshold": 1}
    assert backward.stages[0].chosen == {"threshold": 2}
    linked = [{"w_trend": 3, "w_strength": 0}, {"w_trend": 2, "w_strength": 0}]
    assert search([("weights", linked)]).stages[0].chosen == linked[0]
    assert search([("weights", linked[::-1])]).stages[0].chosen == linked[1]


def test_rules_that_are_written_in_several_ways_are_counted_as_what_they_are() -> None:
    stages = [("threshold", {"threshold": [0.5, 1, 1.5, 2, 2.5]}), ("again", {"threshold": [1, 2, 3]})]
    found = search(stages)
    # Up to 2 it is one rule; above 2 nothing is ever traded.
    assert [stage.n_distinct for stage in found.stages] == [2, 2]
    assert found.n_trials == 8
    assert found.n_distinct == 2
    assert list(found.table["n_distinct"]) == [2, 2]
    assert "8 trials in 2 stages, of which 2 differ." in found.words


def test_a_condition_knows_what_was_locked_before() -> None:
    stages = [("slow", {"slow": [20, 50]}), ("fast", {"fast": [5, 10, 60]})]
    found = search(stages, where="fast < slow")
    assert found.stages[1].sets == ((5,), (10,))
    called = search(stages, where=lambda fast, slow, **others: fast < slow and others["threshold"] == 2)
    assert called.strategy == found.strategy
    weights = search([("weights", WEIGHTS)], where="w_trend > 0")
    assert weights.stages[0].sets == ((1, 1), (2, 0))
    with pytest.raises(wb.ConfigError, match=r"stage 'fast': no set is left: where='fast < slow'"):
        search([("fast", {"fast": [60, 70]})], where="fast < slow")
    with pytest.raises(wb.ConfigError, match=r"stage 'weights': no set is left"):
        search([("weights", [{"w_trend": 1, "w_strength": 2}, {"w_trend": 2, "w_strength": 1}])],
               where="w_trend == w_strength")  # fmt: skip


def test_a_set_is_chosen_by_its_worst_neighbour_where_a_plateau_is_asked_for() -> None:
    stages = [("lengths", {"fast": [3, 5, 8, 13], "slow": [20, 35, 50]})]
    found, best = search(stages, choose="plateau"), search(stages)
    scores = best.stages[0].trials.plateau()
    assert found.stages[0].plateau == scores.max()
    assert found.stages[0].number == min(scores.index[scores == scores.max()])
    assert found.strategy != best.strategy
    assert found.stages[0].score < best.stages[0].score


def test_less_is_better_with_a_minus() -> None:
    found = search([("lengths", {"fast": [5, 10], "slow": [20, 50]})], rank_by="-volatility_ann")
    stage = found.stages[0]
    assert stage.score == stage.trials.table["volatility_ann"].min()
    assert found.parity is None


def test_fields_and_sizing_are_locked_like_parameters() -> None:
    stages = [("stop", {"stop_loss_frac": [None, 0.05, 0.1]}), ("size", {"sizing.frac": [0.1, 0.2]})]
    found = search(stages, where="`sizing.frac` < 0.2 or stop_loss_frac == stop_loss_frac", rank_by="final_equity")
    assert found.strategy.stop_loss_frac == found.stages[0].chosen["stop_loss_frac"]
    assert found.strategy.sizing == wb.PercentOfEquity(found.stages[1].chosen["sizing.frac"])
    assert wb.Strategy.from_toml(found.to_toml()) == found.strategy


def test_a_stage_without_a_defined_statistic_is_an_error_that_names_it() -> None:
    stages = [("lengths", {"fast": [5, 10]}), ("threshold", {"threshold": [5, 6]})]
    with pytest.raises(wb.ConfigError, match=r"stage 'threshold': sharpe_ann is undefined .* each of its 2 sets"):
        search(stages)


def test_finished_sets_are_kept_over_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row, ran = Batch.row, []

    def counted(self: Batch, i: int) -> Any:
        ran.append(i)
        if len(ran) == 7:
            raise KeyboardInterrupt
        return row(self, i)

    monkeypatch.setattr(Batch, "row", counted)
    with pytest.raises(KeyboardInterrupt):
        search(keep=tmp_path, workers=1)
    again = search(keep=tmp_path, workers=1)
    monkeypatch.setattr(Batch, "row", row)
    plain = search()
    assert again.to_toml() == plain.to_toml()
    # Sets that came again in a later stage were not run again either.
    assert len(ran) < 7 + plain.n_trials - 6 + 1


def test_bars_that_several_strategies_were_shown_are_not_untouched_any_more(tmp_path: Path) -> None:
    first = search(keep=tmp_path)
    assert (first.n_openings, search(keep=tmp_path).n_openings) == (1, 1)
    other = search([("lengths", {"fast": [60], "slow": [20]})], keep=tmp_path)
    again = search(keep=tmp_path)
    assert (other.n_openings, again.n_openings) == (2, 2)
    assert again.strategy == first.strategy
    assert again.out_of_sample_significance.n_trials == 2
    sure = again.out_of_sample_significance.deflated_sharpe_frac
    assert sure < first.out_of_sample_significance.deflated_sharpe_frac
    assert any(said.startswith("2 different strategies have been run out of sample") for said in again.words)
    # The same rule in other words: no score lies between thresholds of 1 and 2.
    same = [search([("threshold", {"threshold": [value]})], keep=tmp_path) for value in (1, 2)]
    assert same[0].strategy != same[1].strategy
    assert same[0].n_openings == same[1].n_openings
    assert search(bars=BARS.between("2005-06-01", None), keep=tmp_path).n_openings == 1
    assert search().n_openings == 1
    for damaged in ("{", "[]", '{"strategies": [1]}', '{"strategies": {"a": {}}}'):
        for record in tmp_path.glob("out_of_sample_*.json"):
            record.write_text(damaged)
        assert search(keep=tmp_path).n_openings == 1


def test_what_passes_alone_may_not_pass_as_one_of_many(found: Any) -> None:
    alone = found.out_of_sample_significance
    sharpe = dataclasses.replace(alone.sharpe_ann, low=0.1, high=2.0)
    passed = dataclasses.replace(alone, sharpe_ann=sharpe)
    assert is_above_zero(passed)
    assert verdict_of(passed).startswith("It held: ")
    assert is_above_zero(dataclasses.replace(passed, deflated_sharpe_frac=0.96, n_trials=40))
    many = dataclasses.replace(passed, deflated_sharpe_frac=0.94, n_trials=40)
    assert not is_above_zero(many)
    assert "out of sample for 40 strategies, and the best of as many does as well by luck" in verdict_of(many)
    lost = dataclasses.replace(alone, sharpe_ann=dataclasses.replace(sharpe, low=-3.0, high=-0.1))
    assert verdict_of(lost).startswith("It loses: ")


# --- what it says -------------------------------------------------------------------------------------------------


def test_parity_has_no_meaning_where_nothing_was_gained() -> None:
    assert parity_of("sharpe_ann", 2.0, 1.0) == (0.5, "")
    assert parity_of("sharpe_ann", 2.0, -1.0) == (-0.5, "")
    assert parity_of("sharpe_ann", -1.0, -2.0)[0] is None
    assert parity_of("sharpe_ann", -1.0, -2.0)[1].startswith("sharpe_ann in sample is −1.00; of what was no gain")
    assert parity_of("sharpe_ann", 0.0, 1.0)[0] is None
    assert parity_of("sharpe_ann", 1.0, None) == (None, "sharpe_ann is undefined out of sample")
    assert parity_of("sharpe_ann", None, 1.0) == (None, "sharpe_ann is undefined in sample")
    assert "grows with the number of sessions" in parity_of("total_return_frac", 0.2, 0.1)[1]
    assert "less volatility_ann is better" in parity_of("-volatility_ann", 0.2, 0.1)[1]


def test_the_parity_is_that_of_the_two_results(found: Any) -> None:
    inside, outside = (one.stats["sharpe_ann"] for one in (found.in_sample, found.out_of_sample))
    assert found.parity == outside / inside
    assert f"The parity is {found.parity:.2f}." in found.words
    lost = search([("lengths", {"fast": [60], "slow": [20]})])
    assert lost.in_sample.stats["sharpe_ann"] < 0.0
    assert lost.parity is None
    assert any(said.startswith("The parity is undefined: sharpe_ann in sample is −") for said in lost.words)
    assert any(note.startswith("What was locked lost in sample") for note in lost.notes)


def test_the_luck_of_choosing_is_that_of_all_trials_of_all_stages(found: Any) -> None:
    inside = found.in_sample_significance
    assert inside.n_trials == found.n_trials == inside.n_sets
    returns = pd.concat([stage.trials.returns for stage in found.stages], axis=1, ignore_index=True)
    number = 2 + 3 + found.stages[-1].number
    assert inside.name == f"votes 1.0.0, set {number}"
    assert np.array_equal(returns[number].to_numpy(), found.in_sample.sessions.returns)
    assert inside.sharpe_ann.value == pytest.approx(found.in_sample.stats["sharpe_ann"], rel=1e-12)
    single = wb.significance(found.in_sample)
    assert inside.deflated_sharpe_frac < single.deflated_sharpe_frac
    assert found.out_of_sample_significance.n_trials == 1


def test_holding_the_instrument_is_told_beside_it(found: Any) -> None:
    always = STRATEGY.replace(
        direction="LONG", product="CNC", entry="close > 0", exit=None, short_entry=None, short_exit=None, params={},
        sizing=wb.PercentOfEquity(1.0),
    )  # fmt: skip
    holding = held_sharpe(found.out_of_sample)
    begins = f"{found.split.out_of_sample_start:%Y-%m-%d}"
    closes = BARS.frame["close"].iloc[found.split.n_in_sample - 1 :].pct_change().dropna()
    assert holding == pytest.approx(closes.mean() / closes.std(ddof=1) * np.sqrt(252), rel=1e-9)
    # A strategy that is always in misses the first session: it decides at its close.
    assert wb.backtest(always, BARS, start=begins).stats["sharpe_ann"] == pytest.approx(holding, abs=0.1)
    said = f"{holding:.2f}".replace("-", "−")
    assert f"Holding XNYS:AAPL over the same sessions has a Sharpe ratio of {said}." in found.words
    both = {name: wb.samples.stock(name[5:]).between("2005-01-03", "2005-12-30") for name in ("XNYS:AAPL", "XNYS:IBM")}
    pair = STRATEGY.replace(instruments=("XNYS:AAPL", "XNYS:IBM"))
    assert held_sharpe(wb.backtest(pair, both)) is None


def test_a_stage_that_ends_worse_is_told() -> None:
    found = search([("fast", {"fast": [5, 10, 20, 40]}), ("again", {"fast": [60]})])
    worse = found.stages[1].score < found.stages[0].score
    assert worse
    assert any(note.startswith("Stage 'again' ends worse than the one before it") for note in found.notes)


def test_a_search_shows_itself(found: Any) -> None:
    assert repr(found).startswith("StagedSearch(votes: 3 stages, 11 trials, ")
    assert repr(found.stages[0]).startswith("Stage(threshold: 2 sets, ")
    assert list(found.table.index) == ["threshold", "weights", "lengths"]
    page = found._repr_html_()
    assert html.escape(found.verdict) in page
    assert all(html.escape(sentence) in page for sentence in found.words)
    figure = found.plot()
    assert [trace.name for trace in figure.data] == ["in sample"] * 2 + ["out of sample"] * 2
    assert figure.data[2].y[-1] == found.out_of_sample.equity["equity"].iloc[-1]
    with pytest.raises(AttributeError):
        found.strategy = STRATEGY
    unsafe = search([("<i>first", {"threshold": [1, 2]})], strategy=STRATEGY.replace(name="<b>votes"))._repr_html_()
    assert "<b>votes" not in unsafe
    assert "<i>" not in unsafe


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stages", "settings", "said"),
    [
        ([], {}, "stages is a list of"),
        ({"fast": [1]}, {}, "stages is a list of"),
        ([("fast",)], {}, "is no stage"),
        ([("", {"fast": [5]})], {}, "is no stage"),
        ([("a", {"fast": [5]}), ("a", {"slow": [5]})], {}, "two stages are called 'a'"),
        ([("a", {"speed": [5]})], {}, "stage 'a': 'speed' is nothing that can be swept"),
        ([("a", {"fast": []})], {}, r"stage 'a': parameters\['fast'\] has no values"),
        ([("a", {"fast": [5, 5]})], {}, "has a value twice"),
        ([("a", 5)], {}, "stage 'a': parameters are values by name"),
        ([("a", [])], {}, "parameters are values by name"),
        ([("a", [{"fast": 5}, {"slow": 5}])], {}, "names other parameters than the first"),
        ([("a", [{"fast": 5}, {"fast": 5}])], {}, r"the set {'fast': 5} stands twice"),
        (STAGES, {"in_sample_frac": 1.0}, "in_sample_frac=1.0 is a fraction between 0 and 1"),
        (STAGES, {"in_sample_frac": "0.7"}, "is a fraction between 0 and 1"),
        (STAGES, {"in_sample_frac": 0.001}, "there are 1007 sessions, of which 1 in sample and 1006 out of sample"),
        (STAGES, {"start": "2006-01-03T15:00Z"}, "is an instant; the bars are split between sessions"),
        (STAGES, {"choose": "median"}, "choose='median' does not exist"),
        (STAGES, {"sample": 5}, "staged_search takes no 'sample': a stage tries all of its sets"),
        (STAGES, {"rank_by": "sharp"}, "no statistic 'sharp'; did you mean"),
        (STAGES, {"smaple": 5}, "takes no 'smaple'"),
        (STAGES, {"where": "fats < slow"}, "stage 'threshold': where='fats < slow' cannot be used"),
    ],
)  # fmt: skip
def test_arguments_without_sense_are_refused(stages: Any, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(wb.ConfigError, match=said):
        search(stages, **settings)


def test_a_set_that_makes_no_strategy_is_named() -> None:
    with pytest.raises(wb.StrategyError, match=r"the set fast=0 makes no strategy"):
        search([("fast", {"fast": [0, 5]})])


def test_an_instrument_that_begins_after_the_split_is_refused() -> None:
    both = {"XNYS:AAPL": BARS, "XNYS:IBM": wb.samples.stock("IBM").between("2008-06-02", "2008-12-31")}
    pair = STRATEGY.replace(instruments=("XNYS:AAPL", "XNYS:IBM"))
    with pytest.raises(wb.ConfigError, match=r"XNYS:IBM has no bar up to 2007-10-.*, where in sample ends"):
        search(bars=both, strategy=pair)


def test_several_instruments_share_the_split() -> None:
    both = {name: wb.samples.stock(name[5:]).between("2005-01-03", "2006-12-29") for name in ("XNYS:AAPL", "XNYS:IBM")}
    pair = STRATEGY.replace(instruments=("XNYS:AAPL", "XNYS:IBM"))
    found = search(STAGES[:2], both, pair)
    ends = {item.index[-1] for item in found.in_sample.bars.values()}
    assert ends == {pd.Timestamp(found.split.in_sample_end, tz="UTC")}
    assert set(found.out_of_sample.fills["instrument"]) == set(both)
