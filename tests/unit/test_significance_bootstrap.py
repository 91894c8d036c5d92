"""Block lengths, draws and intervals of the stationary bootstrap: against arch, against theory, and by coverage."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from tests.coverage_of_intervals import KINDS, coverage, series
from workbench.research.significance.blocks import dependence
from workbench.research.significance.bootstrap import bootstrap, deepest, resampled_variance, sharpe_influence

Floats = npt.NDArray[np.float64]


def wavering(phi: float, n: int) -> Floats:
    """Values that need no generator, so that another program can make the same; autocorrelated by ``phi``."""
    shocks = np.sin(12.9898 * (np.arange(n) + 1) ** 1.3) * 43758.5453
    shocks = shocks - np.floor(shocks) - 0.5
    values = shocks.copy()
    for i in range(1, n):
        values[i] += phi * values[i - 1]
    return values


@pytest.mark.parametrize(
    ("phi", "n", "block"),
    [
        (0.0, 60, 2.0437329013581667),
        (0.0, 250, 2.151514582653635),
        (0.0, 1000, 1.5851766475468554),
        (0.3, 60, 2.8949474699083937),
        (0.3, 250, 5.309500876323688),
        (0.3, 1000, 6.9062803928264955),
        (0.6, 250, 8.86241470286374),
        (0.6, 1000, 12.02544689246557),
        (0.9, 250, 21.065884760746044),
        (0.9, 1000, 32.84540274996136),
        (-0.4, 250, 1.667639718575301),
        (-0.4, 1000, 10.591824693269318),
    ],
)
def test_the_block_length_is_that_of_arch(phi: float, n: int, block: float) -> None:
    # arch 8.0.0, optimal_block_length(...)["stationary"]. It lets lengths fall below 1, which is no block.
    assert dependence(wavering(phi, n)).block == pytest.approx(block, rel=1e-9)


def test_a_block_is_at_least_one_session_and_at_most_what_the_authors_advise() -> None:
    assert dependence(wavering(-0.4, 60)).block == 1.0
    trend = np.cumsum(np.ones(300))
    assert dependence(trend).block <= math.ceil(3 * math.sqrt(300))


def test_the_variance_of_the_draws_is_what_theory_says() -> None:
    # Politis and Romano (1994) give the variance of the mean of a resampling in closed form. 20,000 draws: 1 %.
    returns = series("ar0.4", 300, np.random.default_rng(3))
    found = bootstrap(returns, 0.9, 20_000, 5)
    influence = sharpe_influence(returns)
    assert found.block_sessions > 3.0
    expected = resampled_variance(influence, found.block_sessions) / 300
    assert found.sharpe_draws.var() == pytest.approx(float(expected), rel=0.06)
    assert resampled_variance(returns, 1.0) == pytest.approx(returns.var(), rel=1e-9)


def test_the_influence_of_sessions_is_the_delta_method() -> None:
    # Leaving one session out moves the ratio by its influence over n, to first order.
    returns = series("t5", 400, np.random.default_rng(1))
    ratio = returns.mean() / returns.std(ddof=1)
    influence = sharpe_influence(returns)
    for out in (0, 57, 399):
        rest = np.delete(returns, out)
        assert (ratio - rest.mean() / rest.std(ddof=1)) * 399 == pytest.approx(influence[out], abs=0.02)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    returns = series("normal", 200, np.random.default_rng(2))
    first, again, other = (bootstrap(returns, 0.9, 500, seed) for seed in (7, 7, 8))
    assert first.sharpe_draws.tobytes() == again.sharpe_draws.tobytes()
    assert first.drawdown_draws.tobytes() == again.drawdown_draws.tobytes()
    assert (first.sharpe, first.mean_frac, first.session_drawdown_frac) == (
        again.sharpe, again.mean_frac, again.session_drawdown_frac
    )  # fmt: skip
    assert not np.isin(first.sharpe_draws, other.sharpe_draws).any()


def test_more_draws_begin_with_the_same() -> None:
    returns = series("normal", 100, np.random.default_rng(2))
    few, many = bootstrap(returns, 0.9, 200, 1), bootstrap(returns, 0.9, 600, 1)
    assert np.array_equal(many.sharpe_draws[:200], few.sharpe_draws)


def test_wider_confidence_is_wider() -> None:
    returns = series("t5", 250, np.random.default_rng(6))
    found = [bootstrap(returns, confidence, 2000, 1).sharpe for confidence in (0.5, 0.8, 0.9, 0.99)]
    widths = [one.high - one.low for one in found]
    assert widths == sorted(widths)
    assert len(set(widths)) == 4


def test_scaling_returns_scales_the_mean_and_leaves_the_ratio() -> None:
    returns = series("normal", 250, np.random.default_rng(6))
    one, two = bootstrap(returns, 0.9, 500, 1), bootstrap(0.5 * returns, 0.9, 500, 1)
    assert two.mean_frac.low == pytest.approx(0.5 * one.mean_frac.low, rel=1e-9)
    assert two.sharpe.high == pytest.approx(one.sharpe.high, rel=1e-9)
    assert two.session_drawdown_frac.low > one.session_drawdown_frac.low


def test_the_deepest_drawdown_starts_at_the_initial_value() -> None:
    assert deepest(np.array([-0.1, 0.05, 0.2, -0.5, 0.1])) == pytest.approx(-0.5)
    assert deepest(np.array([-0.1, 0.05])) == pytest.approx(-0.1)
    assert deepest(np.array([0.1, 0.2])) == 0.0


#: 400 intervals: four deviations of a binomial of 0.9.
REPETITIONS = 400
BOUND = 4.0 * math.sqrt(0.9 * 0.1 / REPETITIONS)


@pytest.mark.parametrize("kind", KINDS)
def test_R3_an_interval_of_90_percent_holds_the_truth_in_about_90(kind: str) -> None:
    found = coverage(kind, 250, REPETITIONS, 250)
    assert abs(found["mean"] - 0.9) < BOUND, found
    assert abs(found["sharpe"] - 0.9) < BOUND, found
    assert abs(found["drawdown"] - 0.9) < BOUND + 0.03, found


def test_the_bound_sees_an_interval_that_is_too_narrow() -> None:
    found = coverage("normal", 250, REPETITIONS, 250, confidence_frac=0.8)
    assert abs(found["mean"] - 0.9) > BOUND
    assert abs(found["sharpe"] - 0.9) > BOUND


@pytest.mark.fuzz
@pytest.mark.heavy
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("sessions", [250, 500, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_R3_an_interval_of_90_percent_covers_88_to_92(kind: str, sessions: int) -> None:
    found = coverage(kind, sessions, 4000, 600)
    print(f"{kind:7} {sessions:5} sessions: " + ", ".join(f"{name} {share:.1%}" for name, share in found.items()))
    assert 0.88 <= found["mean"] <= 0.92, found
    assert 0.88 <= found["sharpe"] <= 0.92, found
