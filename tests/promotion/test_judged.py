"""Sound strategies pass, planted defects are caught at the stage that is meant for them; none of it is constant."""

from __future__ import annotations

import pytest

from tests.promotion.cases import DEFECTS, SOUND
from tests.promotion.judging import judged

#: What the suite takes of them; the rest is judged once by soak.
QUICK = ("half the money",)
QUICK_DEFECTS = ("its own test fails", "units more than there is", "a limit that never acts")


def test_there_is_something_to_judge() -> None:
    assert len(SOUND) >= 20 and len(DEFECTS) >= 45
    assert {one.stage for one in DEFECTS.values()} >= {"syntax", "unit_tests", "backtest", "risk", "performance"}


@pytest.mark.parametrize("name", [name for name, one in DEFECTS.items() if one.stage == "syntax"])
def test_a_defect_of_the_text_is_caught_at_once(name: str) -> None:
    stage, words = judged(DEFECTS[name])
    assert stage == "syntax" and words


@pytest.mark.parametrize("name", QUICK_DEFECTS)
def test_a_defect_is_caught_where_it_is_meant_to_be(name: str) -> None:
    stage, words = judged(DEFECTS[name])
    assert (stage, bool(words)) == (DEFECTS[name].stage, True)


@pytest.mark.parametrize("name", QUICK)
def test_a_sound_strategy_passes(name: str) -> None:
    assert judged(SOUND[name]) == (None, "")


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
