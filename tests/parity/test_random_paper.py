"""Rule P1 on random strategies and bars: backtest, paper, paper stopped and started again, and the replay."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest

import workbench as wb
from tests.paper_run import deployed, differences, passed
from tests.parity.random_paper import PaperWorld, drawn
from workbench.journal.store import Store
from workbench.live.replay import find, replayed

SUITE, CHECK, MANY = 5, 120, 1_500
#: So many that a process of several takes its share.
BATCH = 30


def compared(worlds: Sequence[PaperWorld], seed: int) -> Counter[str]:
    """Compare worlds that one runner trades, stopped at random; what happened in them."""
    stops, seen, idents = random.Random(seed), Counter[str](), []
    often = stops.choice([0.0, 0.02, 0.3])
    with Store.open(":memory:") as store:
        for number, one in enumerate(worlds):
            idents.append(deployed(store, one.strategy, one.data, one.costs, one.cash, one.start, f"world {number}"))
        data = {name: bars for one in worlds for name, bars in one.data.items()}
        passed(store, data, lambda _: stops.random() < often)
        for one, ident in zip(worlds, idents, strict=True):
            result = wb.backtest(one.strategy, one.data, one.cash, one.costs, start=one.start)
            assert differences(store, ident, result) == [], f"world {seed}"
            with store.read() as connection:
                assert replayed(connection, find(connection, ident, "local")).differences == [], f"world {seed}"
            seen.update({"trades": len(result.trades), "fills": len(result.fills)})
            seen.update(f"exit {reason}" for reason in result.trades["exit_reason"])
    return seen


def alone(seed: int) -> Counter[str]:
    """One deployment in a runner."""
    return compared([drawn(seed)], seed)


def together(seed: int) -> Counter[str]:
    """Four deployments in a runner, on other bars of the same exchange."""
    return compared([drawn(10_000 + 4 * seed + k, seed) for k in range(4)], seed)


def test_P1_random_strategies_trade_on_paper_as_in_the_backtest() -> None:
    seen = sum((alone(seed) for seed in range(SUITE)), together(0))
    assert seen["trades"] > 5 * SUITE, "too few trades to prove anything"


@pytest.mark.parity
@pytest.mark.parametrize("first", range(SUITE, SUITE + CHECK, BATCH))
def test_P1_more_random_strategies_trade_on_paper_as_in_the_backtest(first: int) -> None:
    seen = sum((alone(seed) for seed in range(first, first + BATCH)), together(first) + together(first + 1))
    assert seen["trades"] > 5 * BATCH, "too few trades to prove anything"


@pytest.mark.fuzz
@pytest.mark.timeout(7_200)
def test_P1_many_random_strategies_trade_on_paper_as_in_the_backtest() -> None:
    seen = sum((alone(seed) for seed in range(1_000, 1_000 + MANY)), Counter[str]())
    seen = sum((together(seed) for seed in range(1_000, 1_000 + MANY // 4)), seen)
    print(f"\n{dict(sorted(seen.items()))}")
    exits = "EXIT_SIGNAL STOP_LOSS TRAILING_STOP TAKE_PROFIT MAX_HOLDING FORCED_FLATTEN"
    limits = "KILL DAILY_LOSS TRADE_DRAWDOWN"
    assert not [name for name in f"{exits} {limits}".split() if not seen[f"exit {name}"]]
