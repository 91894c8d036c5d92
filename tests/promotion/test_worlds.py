"""Contracts and trips accuse nobody wrongly: every kind of strategy there is, on real bars."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pandas as pd
import pytest

from tests.parity.paper_worlds import PAPER_WORLDS
from workbench.promotion.caps import caps
from workbench.promotion.case import Case
from workbench.promotion.given import given_of
from workbench.promotion.stages import unit_tests
from workbench.promotion.tripping import trips

pytestmark = pytest.mark.soak

#: Enough to enter and leave on, and little enough for histories cut at hundreds of bars.
BARS = 800


@pytest.mark.parametrize("name", PAPER_WORLDS)
def test_every_contract_is_kept_and_every_limit_acts(
    name: str, real_frame: Callable[[str], pd.DataFrame], tmp_path: pathlib.Path
) -> None:
    world = PAPER_WORLDS[name]
    strategy = world.strategy()
    data = world.bars(world.frames(real_frame), strategy.calendar)
    case = Case(given_of(strategy, data, world.costs, 1e6, {"unit_tests": {"bars": BARS}}), tmp_path)
    found = [*unit_tests.checks(case), *trips(case), *caps(case)]
    # A history that settles is a question of how many bars there are, which are few here.
    assert not [one.words for one in found if not one.passed and one.name != "warm_up"]
    set_limits = [one for one in ("stop_loss_frac", "daily_loss_limit_frac") if getattr(strategy, one) is not None]
    tripped = {one.name.removeprefix("trip_").removesuffix("_short") for one in found}
    assert set(set_limits) <= tripped
