"""Sound strategies pass, planted defects are caught at the stage that is meant for them; none of it is constant."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest

from tests.promotion.cases import DEFECTS, SOUND, Planted, pulled
from tests.promotion.functions import DEFECTIVE_FUNCTIONS, SOUND_FUNCTIONS
from tests.promotion.judging import judged
from workbench.promotion.stages import STAGES

#: What the suite takes of them; the rest is judged once by soak.
QUICK = ("half the money",)
QUICK_DEFECTS = ("units more than there is",)
QUICK_FUNCTIONS = ("writes a table", "no Python")
#: What some of them try to write.
HARMED = pathlib.Path("/tmp/was-here")


def test_there_is_something_to_judge() -> None:
    planted = [*DEFECTS.values(), *DEFECTIVE_FUNCTIONS.values()]
    assert len(SOUND) + len(SOUND_FUNCTIONS) >= 20 and len(planted) >= 60
    assert {one.stage for one in planted} == {one.name for one in STAGES}


@pytest.mark.parametrize("name", [name for name, one in DEFECTS.items() if one.stage == "syntax"])
def test_a_defect_of_the_text_is_caught_at_once(name: str) -> None:
    stage, words = judged(DEFECTS[name])
    assert stage == "syntax" and words


@pytest.mark.parametrize("name", QUICK_DEFECTS)
def test_a_defect_is_caught_where_it_is_meant_to_be(name: str) -> None:
    stage, words = judged(shorter(DEFECTS[name]))
    assert (stage, bool(words)) == (DEFECTS[name].stage, True)


@pytest.mark.parametrize("name", QUICK)
def test_a_sound_strategy_passes(name: str) -> None:
    assert judged(shorter(SOUND[name])) == (None, "")


def shorter(planted: Planted) -> Planted:
    """On the bars of one year."""
    return dataclasses.replace(planted, bars=pulled(15, end="2022-12-31"))


@pytest.mark.parametrize("name", QUICK_FUNCTIONS)
def test_what_a_function_may_not_do_is_caught_and_harms_nothing(name: str) -> None:
    stage, words = judged(DEFECTIVE_FUNCTIONS[name])
    assert stage == DEFECTIVE_FUNCTIONS[name].stage == "syntax" and words
    assert not HARMED.exists()


@pytest.mark.soak
@pytest.mark.parametrize("name", SOUND_FUNCTIONS)
def test_every_sound_function_passes(name: str) -> None:
    assert judged(SOUND_FUNCTIONS[name]) == (None, "")


@pytest.mark.soak
@pytest.mark.parametrize("name", [name for name in DEFECTIVE_FUNCTIONS if name not in QUICK_FUNCTIONS])
def test_every_defective_function_is_caught_where_it_is_meant_to_be(name: str) -> None:
    stage, words = judged(DEFECTIVE_FUNCTIONS[name])
    assert stage == DEFECTIVE_FUNCTIONS[name].stage, words
    assert not HARMED.exists()


@pytest.mark.soak
@pytest.mark.parametrize("name", [name for name in SOUND if name not in QUICK])
def test_every_sound_strategy_passes(name: str) -> None:
    assert judged(SOUND[name]) == (None, "")


@pytest.mark.soak
@pytest.mark.parametrize(
    "name", [name for name, one in DEFECTS.items() if one.stage != "syntax" and name not in QUICK_DEFECTS]
)
def test_every_defect_is_caught_where_it_is_meant_to_be(name: str) -> None:
    stage, words = judged(DEFECTS[name])
    assert stage == DEFECTS[name].stage, words
