"""Rule P1 on real bars: backtest, paper, and paper stopped and started again are the same to the last bit.

The whole set is the marked run; the suite takes three worlds of it, shortened.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import workbench as wb
from tests.paper_run import Stop, differences, never, paper_run
from tests.parity.paper_worlds import EVERY_BAR, PAPER_WORLDS
from workbench.journal.store import Store
from workbench.live.replay import find, replayed

Loader = Callable[[str], pd.DataFrame]
CASH = 1_000_000.0
SHORTENED = ("portfolio, ranking, caps, sectors", "MIS both ways with an exit time", "proxy close with resting stops")


def tried(name: str, load: Loader, rows: int | None, stop: Stop) -> tuple[list[str], Any, Store, str]:
    """A world on paper beside its backtest: how they differ, the backtest, the database and the deployment."""
    world = PAPER_WORLDS[name]
    strategy = world.strategy()
    frames = {key: frame.iloc[:rows] for key, frame in world.frames(load).items()}
    data = world.bars(frames, strategy.calendar)
    result = wb.backtest(strategy, data, CASH, world.costs)
    store = Store.open(":memory:")
    ident = paper_run(store, strategy, data, world.costs, CASH, stop)
    return differences(store, ident, result), result, store, ident


def now_and_then(seed: int) -> Stop:
    drawn = random.Random(seed)
    return lambda _turn: drawn.random() < 0.03


def always(_turn: int) -> bool:
    return True


@pytest.mark.parametrize("name", SHORTENED)
def test_P1_paper_equals_backtest(name: str, real_frame: Loader) -> None:
    different, result, store, ident = tried(name, real_frame, 450, now_and_then(1))
    assert not different
    assert len(result.fills)
    with store.read() as connection:
        verdict = replayed(connection, find(connection, ident, "local"))
    assert not verdict.differences
    assert verdict.intervals > 300


@pytest.mark.parity
@pytest.mark.parametrize("name", PAPER_WORLDS)
@pytest.mark.parametrize("stopped", ["never", "now and then"])
def test_P1_P3_whole_worlds(name: str, stopped: str, real_frame: Loader) -> None:
    different, result, store, ident = tried(name, real_frame, None, never if stopped == "never" else now_and_then(7))
    assert not different
    assert len(result.trades) >= 3, "a world in which nothing happens proves nothing"
    with store.read() as connection:
        verdict = replayed(connection, find(connection, ident, "local"))
    assert not verdict.differences


@pytest.mark.parity
@pytest.mark.parametrize("name", EVERY_BAR)
def test_P1_stopped_after_every_bar(name: str, real_frame: Loader) -> None:
    different, result, _, _ = tried(name, real_frame, 900, always)
    assert not different
    assert len(result.trades) >= 3
