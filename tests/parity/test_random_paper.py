"""Rule P1 on random strategies and bars: backtest, paper, paper stopped and started again, and the replay."""

from __future__ import annotations

import random
from collections import Counter

import pytest

import workbench as wb
from tests.paper_run import differences, paper_run
from tests.parity.random_paper import drawn
from workbench.journal.store import Store
from workbench.live.replay import find, replayed

SUITE, CHECK, MANY = 10, 120, 1_500
#: So many that a process of several takes its share.
BATCH = 30


def compared(seed: int) -> Counter[str]:
    """Compare one world, stopped at random; what happened in it."""
    world, stops = drawn(seed), random.Random(seed)
    result = wb.backtest(world.strategy, world.data, world.cash, world.costs, start=world.start)
    often = stops.choice([0.0, 0.02, 0.3])
    store = Store.open(":memory:")
    ident = paper_run(
        store, world.strategy, world.data, world.costs, world.cash, lambda _: stops.random() < often, world.start
    )
    assert differences(store, ident, result) == [], f"world {seed}"
    with store.read() as connection:
        assert replayed(connection, find(connection, ident, "local")).differences == [], f"world {seed}"
    store.close()
    seen = Counter({"trades": len(result.trades), "fills": len(result.fills)})
    seen.update(f"exit {reason}" for reason in result.trades["exit_reason"])
    return seen


def test_P1_random_strategies_trade_on_paper_as_in_the_backtest() -> None:
    seen = sum((compared(seed) for seed in range(SUITE)), Counter[str]())
    assert seen["trades"] > 5 * SUITE, "too few trades to prove anything"


@pytest.mark.parity
@pytest.mark.parametrize("first", range(SUITE, SUITE + CHECK, BATCH))
def test_P1_more_random_strategies_trade_on_paper_as_in_the_backtest(first: int) -> None:
    seen = sum((compared(seed) for seed in range(first, first + BATCH)), Counter[str]())
    assert seen["trades"] > 5 * BATCH, "too few trades to prove anything"


@pytest.mark.fuzz
@pytest.mark.timeout(7_200)
def test_P1_many_random_strategies_trade_on_paper_as_in_the_backtest() -> None:
    seen = sum((compared(seed) for seed in range(1_000, 1_000 + MANY)), Counter[str]())
    print(f"\n{dict(sorted(seen.items()))}")
    exits = "EXIT_SIGNAL STOP_LOSS TRAILING_STOP TAKE_PROFIT MAX_HOLDING FORCED_FLATTEN"
    limits = "KILL DAILY_LOSS TRADE_DRAWDOWN"
    assert not [name for name in f"{exits} {limits}".split() if not seen[f"exit {name}"]]
