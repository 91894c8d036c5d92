"""Which sets a sweep has: combinations, samples, conditions, and what cannot be swept."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench.research.sweep.sets import Space
from workbench.research.sweep.space import levels_of, sets_of

STRATEGY = wb.Strategy(
    name="space", version="1.0.0", instruments=("NSE:DEMO",), timeframe="5m", calendar="NSE", product="MIS",
    entry="RSI($n) < $low", params={"n": 14, "low": 30}, sizing=wb.RiskPerTrade(0.01, 2.0), stop_loss_frac=0.01,
)  # fmt: skip


def test_all_combinations_the_last_parameter_moving_first() -> None:
    levels = levels_of({"a": range(1, 3), "b": [10, 20, 30]})
    assert sets_of(levels) == [(1, 10), (1, 20), (1, 30), (2, 10), (2, 20), (2, 30)]


@pytest.mark.parametrize("where", ["fast < slow", lambda fast, slow: fast < slow])
def test_a_condition_rules_sets_out(where: Any) -> None:
    levels = levels_of({"fast": [5, 10, 20], "slow": [10, 20]})
    assert sets_of(levels, where) == [(5, 10), (5, 20), (10, 20)]


def test_a_condition_that_leaves_nothing_or_cannot_be_read_is_refused() -> None:
    levels = levels_of({"fast": [5], "slow": [10]})
    with pytest.raises(wb.ConfigError, match="no set is left"):
        sets_of(levels, "fast > slow")
    with pytest.raises(wb.ConfigError, match=r"cannot be used.*condition on fast, slow"):
        sets_of(levels, "fast < slwo")
    with pytest.raises(wb.ConfigError, match="cannot be used"):
        sets_of(levels, "@__import__('os').getcwd() == fast")


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
    st.integers(1, 40),
    st.sampled_from(["random", "latin_hypercube"]),
    st.integers(0, 5),
)
def test_a_sample_is_of_the_space_without_repetition_and_the_same_for_one_seed(
    sizes: list[int], sample: int, method: str, seed: int
) -> None:
    levels = {f"p{i}": tuple(range(size)) for i, size in enumerate(sizes)}
    whole = set(sets_of(levels))
    drawn = sets_of(levels, None, sample, method, seed)
    assert len(drawn) == len(set(drawn)) == min(sample, len(whole))
    assert set(drawn) <= whole
    assert drawn == sets_of(levels, None, sample, method, seed)


def test_a_latin_hypercube_uses_every_value_of_every_parameter() -> None:
    levels = {name: tuple(range(50)) for name in ("a", "b", "c")}
    drawn = sets_of(levels, None, 50, "latin_hypercube", 7)
    assert len(drawn) == 50
    for at in range(3):
        assert len({one[at] for one in drawn}) == 50
    by_chance = sets_of(levels, None, 50, "random", 7)
    assert len({one[0] for one in by_chance}) < 45


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, "parameters names what is swept"),
        ({"n": []}, "has no values"),
        ({"n": "abc"}, "several values are asked"),
        ({"n": 5}, "several values are asked"),
        ({"n": [5, 5]}, "has a value twice"),
    ],
)
def test_parameters_without_sense_are_refused(parameters: Any, said: str) -> None:
    with pytest.raises(wb.ConfigError, match=said):
        levels_of(parameters)


def test_names_become_bound_values_fields_and_settings_of_the_sizing() -> None:
    space = Space(STRATEGY, ["n", "stop_loss_frac", "sizing.frac", "timeframe"])
    made = space.strategy_of({"n": 7, "stop_loss_frac": 0.02, "sizing.frac": 0.03, "timeframe": "15m"})
    assert dict(made.params) == {"n": 7, "low": 30}
    assert (made.stop_loss_frac, made.sizing, made.timeframe) == (0.02, wb.RiskPerTrade(0.03, 2.0), "15m")
    names = [field.name for field in dataclasses.fields(made)]
    changed = {name for name in names if getattr(made, name) != getattr(STRATEGY, name)}
    assert changed == {"params", "stop_loss_frac", "sizing", "timeframe"}


@pytest.mark.parametrize(
    ("name", "said"),
    [("lwo", "did you mean 'low'"), ("stop_loss", "did you mean 'stop_loss_atr'|'stop_loss_frac'"),
     ("instruments", "nothing that can be swept"), ("sizing.qty", "nothing that can be swept")],
)  # fmt: skip
def test_what_cannot_be_swept_is_refused_with_the_nearest_name(name: str, said: str) -> None:
    with pytest.raises(wb.ConfigError, match=said):
        Space(STRATEGY, [name])


def test_a_name_that_is_a_parameter_and_a_field_is_refused() -> None:
    both = STRATEGY.replace(entry="RSI(14) < $cooldown_bars", params={"cooldown_bars": 30})
    with pytest.raises(wb.ConfigError, match="is both"):
        Space(both, ["cooldown_bars"])


@pytest.mark.parametrize("name", ["charges", "set"])
def test_a_name_that_is_a_column_of_the_table_is_refused(name: str) -> None:
    taken = STRATEGY.replace(entry=f"RSI(14) < ${name}", params={name: 30})
    with pytest.raises(wb.ConfigError, match=rf"'{name}' is a column of the table already; rename"):
        Space(taken, [name])
