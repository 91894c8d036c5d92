"""On random walks there is nothing to find: the search finds something in sample, keeps nothing, and says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.tidy.source import ROOT

SCORE = """
trend_15m = IF(SMA(close, $fast) > SMA(close, $slow), 1, -1)
trend_1h = IF(SMA(close, 10, "1h") > SMA(close, 30, "1h"), 1, -1)
vote_15m = trend_15m + IF(RSI($n) > 50, 1, -1)
vote_1h = trend_1h + IF(RSI(14, "1h") > 50, 1, -1)
score = $w_15m * vote_15m + $w_1h * vote_1h
"""
STRATEGY = wb.Strategy(
    name="votes", version="1.0.0", instruments=("NSE:WALK",), timeframe="15m", calendar="NSE", product="MARGIN",
    direction="BOTH", entry=SCORE + "score >= $threshold", exit=SCORE + "score < 0",
    short_entry=SCORE + "score <= -$threshold", short_exit=SCORE + "score > 0",
    params={"fast": 10, "slow": 30, "n": 14, "w_15m": 1, "w_1h": 1, "threshold": 2}, sizing=wb.PercentOfEquity(0.5),
)  # fmt: skip
STAGES: list[Any] = [
    ("threshold", {"threshold": [2, 4]}),
    ("weights", [{"w_15m": 1, "w_1h": 1}, {"w_15m": 2, "w_1h": 0}, {"w_15m": 0, "w_1h": 2}]),
    ("lengths", {"fast": [5, 10, 15], "slow": [20, 30, 40], "n": [7, 14]}),
]


def searched(seed: int) -> wb.StagedSearch:
    """A search over a year of a walk without drift, at no cost."""
    bars = wb.samples.synthetic(seed=seed, start="2023-01-02", end="2023-12-29", timeframe="15m")
    return wb.staged_search(STRATEGY, bars, STAGES, keep=False, progress=False)


def check_that_nothing_is_left(found: list[wb.StagedSearch]) -> None:
    """Judge many walks together by what chance allows them, with a probability of less than one in a thousand beyond.

    A one-sided error of 5 % each lets a few pass; the mean of the Sharpe ratios out of sample is as far from zero as
    its own standard error says.
    """
    outside: Any = [one.out_of_sample_significance.sharpe_ann for one in found]
    values, n = np.array([one.value for one in outside]), len(found)
    missed = sum(not one.low <= 0.0 <= one.high for one in outside)
    assert abs(values.mean()) < 3.3 * values.std(ddof=1) / np.sqrt(n)
    assert missed <= 0.1 * n + 3.1 * np.sqrt(0.09 * n)
    assert sum(one.held for one in found) <= 0.05 * n + 3.1 * np.sqrt(0.0475 * n)
    # In sample the best of 23 sets looks good, which is why nobody should look there.
    assert np.mean([one.in_sample.stats["sharpe_ann"] for one in found]) > 0.5
    for one, interval in zip(found, outside, strict=True):
        assert one.held == (interval.low > 0.0)
        assert one.verdict.startswith("It held" if one.held else ("No finding", "It loses"))
        assert one.verdict in one.words


def test_on_walks_without_drift_nothing_is_called_a_finding() -> None:
    found = [searched(seed) for seed in range(1, 9)]
    check_that_nothing_is_left(found)
    assert not any(one.held for one in found)
    assert any(one.in_sample.stats["sharpe_ann"] > 1.0 and "No finding" in one.verdict for one in found)


@pytest.mark.fuzz
def test_on_many_walks_as_few_pass_as_their_interval_promises() -> None:
    found = [searched(seed) for seed in range(1, 201)]
    check_that_nothing_is_left(found)
    inside = np.mean([one.in_sample.stats["sharpe_ann"] for one in found])
    outside: Any = [one.out_of_sample_significance.sharpe_ann for one in found]
    zero = np.mean([one.low <= 0.0 <= one.high for one in outside])
    page = " ".join((ROOT / "docs" / "staged-search.md").read_text(encoding="utf-8").split())
    said = f"{inside:.1f} in sample and {np.mean([one.value for one in outside]):.1f} out of sample; {zero:.0%}"
    assert said.replace("-", "−").replace("%", " %") in page
    assert f"{sum(one.held for one in found)} of 200 searches were called a success" in page


def test_what_can_really_be_known_is_found() -> None:
    """A walk with a trend planted in it, up four days and down four: it is not taken for luck."""
    bars = wb.samples.synthetic(seed=3, start="2023-01-02", end="2023-12-29", timeframe="15m")
    frame = bars.frame
    n = len(frame)
    drift = np.exp(np.cumsum(np.where(np.arange(n) // 100 % 2 == 0, 1e-3, -1e-3)))
    prices = frame[["open", "high", "low", "close"]].mul(drift, axis=0)
    planted = wb.Bars(prices.assign(volume=frame["volume"]), "15m", calendar="NSE", basis="synthetic, with a trend")
    found = wb.staged_search(STRATEGY, planted, STAGES, keep=False, progress=False)
    assert found.held
    assert found.verdict.startswith("It held: the Sharpe ratio out of sample is ")
    assert found.parity is not None
    assert 0.3 < found.parity < 3.0


def test_too_little_out_of_sample_is_no_finding_either() -> None:
    bars = wb.samples.synthetic(seed=1, start="2023-01-02", end="2023-03-31", timeframe="15m")
    found = wb.staged_search(STRATEGY, bars, STAGES[:1], in_sample_frac=0.8, keep=False, progress=False)
    assert not found.held
    assert found.verdict == (
        "No finding: nothing can be said of the part out of sample, for there are 13 sessions, and fewer than 20 say "
        "nothing."
    )
    assert found.verdict in found.words
