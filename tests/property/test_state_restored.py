"""State saved and restored at any instant changes nothing, and bar by bar is the same as over arrays.

Two drivers of the one compiled step are compared with ``wb.backtest`` in every byte of what they leave behind
(actions, fills, trades, decisions, notes, account, positions, the curve): a small paper loop that feeds expressions
and step one instant at a time, stopped and restarted, and the loop over arrays cut into pieces.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.property.paper_loop import OUTPUTS, Paper, Tables, assert_same_bytes, left_behind
from tests.property.real_strategies import WORLDS, Loader, World
from workbench.engine.desk import grown, new_desk, written
from workbench.engine.fitting import common_grid
from workbench.engine.loop import run
from workbench.engine.records import Curve, Desk, Market, Signals
from workbench.market.instruments import instrument
from workbench.research.ground import Ground
from workbench.research.laying import Laid

#: Rows of each file; the loops below are Python.
ROWS = 1_800
NAMES = tuple(WORLDS)


class Case:
    """A world's strategy and bars, shortened, and what ``wb.backtest`` makes of them."""

    def __init__(self, world: World, load: Loader, nse: Any) -> None:
        self.world, self.strategy = world, world.strategy()
        calendar = nse if world.files[0].startswith("nse") else wb.resolve_calendar("XNYS")
        frames = {name: frame.iloc[:ROWS] for name, frame in world.frames(load).items()}
        bars = world.bars(frames, calendar)
        self.data = {name: bars[name] for name in sorted(bars)}
        self.result = wb.backtest(self.strategy, self.data, costs=world.costs)

    @property
    def expected(self) -> Tables:
        """The tables of the backtest."""
        return left_behind(self.result._run.desk, self.result._run.curve)

    def paper(self) -> Paper:
        """A paper loop over the same."""
        return Paper(self.strategy, self.data, self.world.costs)


@pytest.fixture
def case(request: pytest.FixtureRequest, real_frame: Loader, nse: Any) -> Case:
    """The case that a test's parameter names."""
    made = Case(WORLDS[request.param], real_frame, nse)
    assert len(made.result.fills) >= 10, "too few fills to prove anything"
    return made


@pytest.mark.parametrize("case", NAMES, indirect=True)
def test_E9_P2_bar_by_bar_is_the_backtest_to_the_last_bit(case: Case) -> None:
    paper = case.paper()
    for i in range(len(paper.grid)):
        paper.advance(i)
    assert_same_bytes(paper.tables(), case.expected)


@pytest.mark.parametrize("case", NAMES, indirect=True)
def test_E9_P2_bar_by_bar_with_restarts_is_the_backtest_to_the_last_bit(case: Case) -> None:
    paper, rng = case.paper(), random.Random(case.strategy.hash)
    stops = {i for i in range(len(paper.grid)) if rng.random() < 0.1}
    # And after every instant of a stretch in which something is held.
    held = np.flatnonzero(case.result._run.curve.held)
    stops |= set(range(int(held[0]) - 5, int(held[0]) + 60))
    for i in range(len(paper.grid)):
        paper.advance(i)
        if i in stops:
            paper.restart()
    assert_same_bytes(paper.tables(), case.expected)


def in_pieces(case: Case, cuts: list[int], handed: Any) -> Tables:
    """The loop over arrays, cut before some instants; ``handed`` passes the desk on from piece to piece."""
    laid = Laid(case.strategy, Ground(case.data, common_grid(case.data)))
    market, signals = laid.market(0), laid.signals(0)
    closes = np.concatenate([[0], np.cumsum(laid.strategy_bars.final)])
    m = len(market.open)
    curve = Curve(np.empty(m), np.empty(m), np.empty(m, np.bool_))
    desk = new_desk(case.strategy, [instrument(name) for name in case.data], case.world.costs, 1e6)
    for first, stop in zip([0, *cuts], [*cuts, m], strict=True):
        part = Market(market.times.part(first, stop), *(column[first:stop] for column in market[1:]))
        said = Signals(*(column[closes[first] : closes[stop]] for column in signals))
        drawn = Curve(*(column[first:stop] for column in curve))
        at, close = run(desk, part, said, drawn, 0, 0)
        while at < stop - first:
            desk = grown(desk)
            at, close = run(desk, part, said, drawn, at, close)
        desk = handed(desk)
    return left_behind(desk, curve)


def copied(desk: Desk) -> Desk:
    """Every array copied; what must not outlive a call is filled with rubbish, and so is the one left behind."""
    new = Desk(*(array.copy() for array in desk))
    new.scratch.view(np.uint8)[:] = 0xFF
    for name in OUTPUTS:
        used = len(written(desk, name))
        getattr(new, name)[used:].view(np.uint8)[:] = 0xFF
    for array in (desk.account, desk.positions, desk.scratch):
        array.view(np.uint8)[:] = 0xFF
    return new


def forgetful(desk: Desk) -> Desk:
    """A copy that has lost one thing: the best price of the first position."""
    new = Desk(*(array.copy() for array in desk))
    new.positions["best"][0] = 0.0
    return new


@pytest.mark.parametrize("case", NAMES, indirect=True)
def test_E9_P2_a_desk_copied_at_random_instants_goes_on_as_if_nothing_was(case: Case) -> None:
    rng, m = random.Random(case.strategy.hash), len(case.result._run.close_ns)
    cuts = sorted(rng.sample(range(1, m), 60))
    assert_same_bytes(in_pieces(case, cuts, copied), case.expected)


@pytest.mark.parametrize("case", [NAMES[0]], indirect=True)
def test_a_desk_that_forgets_something_is_seen(case: Case) -> None:
    cuts = np.flatnonzero(case.result._run.curve.held)[:-1].tolist()
    with pytest.raises(AssertionError, match=r"differs in|rows against"):
        assert_same_bytes(in_pieces(case, cuts, forgetful), case.expected)


@pytest.mark.parametrize("case", [NAMES[0]], indirect=True)
def test_an_expression_that_forgets_something_is_seen(case: Case) -> None:
    paper = case.paper()
    for i in range(len(paper.grid)):
        paper.advance(i)
        if i == len(paper.grid) // 2:
            paper.steppers[0].batch.state[:] = 0.0
    with pytest.raises(AssertionError, match=r"differs in|rows against"):
        assert_same_bytes(paper.tables(), case.expected)
