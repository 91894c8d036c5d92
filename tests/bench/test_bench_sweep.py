"""Sweeps: time, memory and the same work in vectorbt, in one run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bench import thousand_sets
from tests.bench.bench_table import fresh_process, in_turns, median_s, row
from tests.bench.million_bars import frame

pytestmark = pytest.mark.bench


#: What was asked for and never reached; the table shows how far it is.
not_yet = pytest.mark.xfail(reason="asked for and not reached yet", raises=AssertionError, strict=False)


def alone(count: int, workers: int) -> dict[str, float]:
    """Time and memory of the sweep in a process of its own."""
    found = fresh_process(thousand_sets.ALONE.replace("COUNT", str(count)).replace("WORKERS", str(workers)))
    assert found["sets"] == 1000 and found["trades"] > 100
    return found


@pytest.fixture(scope="module")
def over() -> Any:
    """A hundred thousand bars."""
    return thousand_sets.bars(100_000)


@pytest.fixture(scope="module")
def short() -> list[dict[str, float]]:
    """Three processes over 100,000 bars on one thread, after one that warmed the cache."""
    return [alone(100_000, 1) for _ in range(4)][1:]


@pytest.fixture(scope="module")
def long() -> dict[str, float]:
    """A process over 1,000,000 bars on two threads."""
    return alone(1_000_000, 2)


def test_a_thousand_sets_over_100_000_bars_in_500_megabytes(short: list[dict[str, float]]) -> None:
    peak = max(run["peak_mb"] for run in short)
    row("1,000 sets x 100,000 bars, one thread: peak memory", f"{peak:.0f} MB", "<= 500")
    assert peak <= 500


@not_yet
def test_a_thousand_sets_over_100_000_bars_in_0_4_s(short: list[dict[str, float]]) -> None:
    seconds = sorted(run["wall_s"] for run in short)[1]
    row("1,000 sets x 100,000 bars, one thread", f"{seconds:.2f} s", "<= 0.4")
    assert seconds <= 0.4


@not_yet
def test_a_thousand_sets_are_fifty_times_vectorbt_at_its_best(over: Any) -> None:
    table = frame(100_000).tz_localize(None)
    some = thousand_sets.PAIRS[::20]
    made = thousand_sets.strategy()
    thousand_sets.ours(made, over)
    works = {
        f"vectorbt, {engine}, {chunk} at a time": (lambda c=chunk, e=engine: thousand_sets.vectorbt(table, some, c, e))
        for engine in ("rust", "numba")
        for chunk in (5, 10, 25)
    }
    works["workbench"] = lambda: thousand_sets.ours(made, over)
    seconds = in_turns(works, repetitions=3)
    mine = seconds.pop("workbench")
    row("1,000 sets x 100,000 bars: workbench, in turns", f"{mine:.2f} s")
    scale = len(thousand_sets.PAIRS) / len(some)
    for name, taken in seconds.items():
        row(f"    {name} (50 sets, scaled)", f"{taken * scale:.1f} s", f"ours is {taken * scale / mine:.0f} times")
    naive = median_s(lambda: thousand_sets.vectorbt(table, thousand_sets.PAIRS[::5], 1000), repetitions=1, warm=0)
    row("    vectorbt, all in one call (200 sets, scaled)", f"{naive * 5:.1f} s", f"{naive * 5 / mine:.0f} times")
    ratio = min(seconds.values()) * scale / mine
    row("    ratio to vectorbt at its best", f"{ratio:.0f}", ">= 50")
    assert ratio >= 50


def test_a_thousand_sets_over_a_million_bars_in_1000_megabytes(long: dict[str, float]) -> None:
    row("1,000 sets x 1,000,000 bars, two threads: peak memory", f"{long['peak_mb']:.0f} MB", "<= 1,000")
    assert long["peak_mb"] <= 1000


@not_yet
def test_a_thousand_sets_over_a_million_bars_in_3_s(long: dict[str, float]) -> None:
    row("1,000 sets x 1,000,000 bars, two threads", f"{long['wall_s']:.1f} s", "<= 3")
    assert long["wall_s"] <= 3


@not_yet
def test_five_hundred_sets_of_an_expression_with_a_coarser_timeframe(over: Any) -> None:
    made = thousand_sets.strategy(
        entry="RSI($n) < $low AND close > SMA(close, 50, '1h') AND ROC(close, 12) > -1",
        exit="RSI($n) > 60",
        params={"n": 14, "low": 30.0},
    )
    grid = {"n": range(5, 30), "low": [20.0 + step for step in range(20)]}
    seconds = median_s(lambda: thousand_sets.ours(made, over, **grid), repetitions=3, warm=1)
    row("500 sets x 100,000 bars, three indicators, one on 1h, one thread", f"{seconds:.2f} s", "<= 1")
    assert seconds <= 1


def test_tight_stops_heavy_trading_and_shorts_within_three_times(over: Any) -> None:
    grid = {"fast": range(5, 45, 4), "slow": range(50, 175, 13)}
    made = {
        "plain": thousand_sets.strategy(),
        "tight stops": thousand_sets.strategy(
            stop_loss_frac=0.002, trailing_stop_frac=0.002, take_profit_frac=0.004
        ),
        "heavy trading": thousand_sets.strategy(
            entry="close > SMA(close, $fast) AND close > SMA(close, $slow)", exit="close < SMA(close, $fast)"
        ),
        "long and short": thousand_sets.strategy(
            direction="BOTH",
            product="MARGIN",
            short_entry="SMA(close, $fast) CROSSES_BELOW SMA(close, $slow)",
            short_exit="SMA(close, $fast) CROSSES_ABOVE SMA(close, $slow)",
        ),
    }
    seconds = in_turns({name: lambda one=one: thousand_sets.ours(one, over, **grid) for name, one in made.items()}, 3)
    for name, taken in seconds.items():
        row(f"100 sets x 100,000 bars: {name}", f"{taken:.2f} s", f"{taken / seconds['plain']:.1f} times plain, <= 3")
    worst = max(seconds.values()) / seconds["plain"]
    assert worst <= 3
