"""What a set and bar of a sweep cost, over bars and sets, beside what the machine cannot go below; as a figure.

``python -m tests.bench.sweep_cost docs/sweep-cost.svg``
"""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path

import numpy as np

from tests.bench import thousand_sets

BARS = (10_000, 30_000, 100_000, 300_000, 1_000_000)
SETS = (10, 100, 1000)

#: Two columns of eight bytes are compared at every bar of every set, whatever else is saved.
BYTES_A_SET_AND_BAR = 16


def floor_ns() -> float:
    """Nanoseconds in which one thread reads those bytes from memory: of an array far larger than any cache."""
    column = np.ones(2**25)
    best = np.inf
    for _ in range(5):
        began = time.perf_counter()
        column.max()
        best = min(best, time.perf_counter() - began)
    return float(best / column.nbytes * BYTES_A_SET_AND_BAR * 1e9)


def cost_ns(bars: int, sets: int) -> float:
    """Nanoseconds a set and bar on one thread, the best of some runs."""
    over, made = thousand_sets.bars(bars), thousand_sets.strategy()
    pairs = list(itertools.product(thousand_sets.FAST, thousand_sets.SLOW))[:: 1000 // sets]
    fast, slow = sorted({one for one, _ in pairs}), sorted({one for _, one in pairs})
    runs = []
    for _ in range(3 if bars * sets < 2e8 else 1):
        began = time.perf_counter()
        found = thousand_sets.ours(made, over, fast=fast, slow=slow)
        runs.append((time.perf_counter() - began) / len(found) / bars * 1e9)
    return min(runs)


def draw(costs: dict[tuple[int, int], float], floor: float, path: Path) -> None:
    """Lines of cost over bars, one for each number of sets, and the floor."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    axes = figure.subplots()
    for sets, colour in zip(SETS, ("#9ecae1", "#4292c6", "#08519c"), strict=True):
        axes.plot(BARS, [costs[bars, sets] for bars in BARS], "o-", color=colour, label=f"{sets:,} sets")
    axes.axhline(floor, color="#cb181d", linestyle="--", label=f"reading two columns: {floor:.1f} ns")
    axes.set(xscale="log", yscale="log", xlabel="bars", ylabel="ns a set and bar, one thread")
    axes.set_title("Cost of a sweep over bars and sets", loc="left")
    axes.grid(alpha=0.3, which="both")
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def main(path: Path) -> None:
    """Measure, print and draw."""
    thousand_sets.ours(thousand_sets.strategy(), thousand_sets.bars(1000), fast=[5], slow=[50])
    floor = floor_ns()
    print(f"floor: {floor:.2f} ns a set and bar")
    costs = {}
    for bars, sets in itertools.product(BARS, SETS):
        costs[bars, sets] = cost_ns(bars, sets)
        print(f"{bars:>10,} bars {sets:>6,} sets {costs[bars, sets]:8.1f} ns a set and bar", flush=True)
    draw(costs, floor, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
