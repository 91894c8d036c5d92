"""Cross-validation of a choice: a published example, a literal second version, limits, ties."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import rankdata

from tests.random_of_r import normals, uniforms
from workbench.research.significance.overfitting import MAX_BLOCKS, blocks_for, overfitting

Floats = npt.NDArray[np.float64]


def noise(seed: int, sets: int, sessions: int) -> Floats:
    return np.random.default_rng(seed).standard_normal((sets, sessions)) * 0.01


def literal(returns: Floats, blocks: int) -> Floats:
    """The steps of the paper one by one: relative rank outside, ratio inside, ratio outside."""
    sets, sessions = returns.shape
    length = sessions // blocks
    kept = returns[:, sessions - length * blocks :]
    rows = []
    for half in itertools.combinations(range(blocks), blocks // 2):
        inside = np.concatenate([kept[:, b * length : (b + 1) * length] for b in half], axis=1)
        rest = [b for b in range(blocks) if b not in half]
        outside = np.concatenate([kept[:, b * length : (b + 1) * length] for b in rest], axis=1)
        first = inside.mean(axis=1) / inside.std(axis=1, ddof=1)
        second = outside.mean(axis=1) / outside.std(axis=1, ddof=1)
        best = int(first.argmax())
        rows.append((rankdata(second)[best] / (sets + 1), first[best], second[best]))
    return np.array(rows)


def test_the_random_numbers_are_those_of_r() -> None:
    # As R prints the first three of seed 42.
    assert uniforms(42, 3) == pytest.approx([0.9148060, 0.9370754, 0.2861395], abs=5e-8)
    assert normals(42, 3) == pytest.approx([1.37095845, -0.56469817, 0.36312841], abs=5e-9)


@pytest.mark.parametrize(("blocks", "intercept", "adjusted"), [(8, -0.003046, 0.97), (4, -0.005909, 0.88)])
def test_the_example_published_with_the_package_pbo(blocks: int, intercept: float, adjusted: float) -> None:
    # M. Barry, R package pbo, vignette: set.seed(765), 100 trials of 2,400 days brought to mean 0 and 1 a year of
    # deviation, less 3 % a year. Its summary: p_bo 1, p_loss 1, and of the line of the ratio inside on the one outside
    # the intercept (printed as "slope") and adjusted R².
    returns = normals(765, 240_000).reshape(100, 2400)
    returns *= 1.0 / math.sqrt(252) / returns.std(axis=1, ddof=1, keepdims=True)
    returns -= returns.mean(axis=1, keepdims=True)
    found = overfitting(returns - 0.03 / 252, blocks)
    assert found.probability_frac == 1.0
    assert found.loss_frac == 1.0
    slope = np.polyfit(found.out_of_sample, found.in_sample, 1)
    n = found.n_combinations
    assert slope[1] == pytest.approx(intercept, abs=5e-7)
    assert found.r_squared is not None
    assert 1.0 - (1.0 - found.r_squared) * (n - 1) / (n - 2) == pytest.approx(adjusted, abs=5e-3)


@pytest.mark.parametrize(("seed", "sets", "sessions", "blocks"), [(1, 7, 203, 6), (2, 25, 400, 8), (3, 2, 260, 10)])
def test_the_sums_give_what_the_steps_of_the_paper_give(seed: int, sets: int, sessions: int, blocks: int) -> None:
    returns = noise(seed, sets, sessions) + 0.02
    found, wanted = overfitting(returns, blocks), literal(returns, blocks)
    relative = 1.0 / (1.0 + np.exp(-found.logits))
    assert relative == pytest.approx(wanted[:, 0], abs=1e-12)
    assert found.in_sample == pytest.approx(wanted[:, 1], rel=1e-9)
    assert found.out_of_sample == pytest.approx(wanted[:, 2], rel=1e-9)
    below = np.mean(wanted[:, 0] < 0.5 - 1e-12) + 0.5 * np.mean(np.abs(wanted[:, 0] - 0.5) < 1e-12)
    assert found.probability_frac == pytest.approx(below)
    slope, intercept = np.polyfit(wanted[:, 1], wanted[:, 2], 1)
    assert (found.slope, found.intercept) == (pytest.approx(slope, rel=1e-6), pytest.approx(intercept, rel=1e-6))
    assert found.n_combinations == len(wanted) == math.comb(blocks, blocks // 2)
    assert found.n_dropped == sessions % blocks


def test_choosing_among_noise_ends_below_the_median_half_the_time() -> None:
    # One matrix may say anything from 0.1 to 0.9; the mean of 60 has a deviation of about 0.03.
    found = [overfitting(noise(seed, 20, 320), 8).probability_frac for seed in range(60)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.1)
    assert np.std(found) > 0.05


def test_one_set_that_is_truly_better_is_no_overfitting() -> None:
    returns = noise(5, 30, 640)
    returns[17] += 0.01
    found = overfitting(returns, 16)
    assert found.probability_frac == 0.0
    assert found.loss_frac == 0.0
    assert found.n_combinations == 12_870


def test_sets_that_are_all_alike_are_a_toss_up() -> None:
    found = overfitting(np.tile(noise(6, 1, 200), (8, 1)), 8)
    assert found.probability_frac == 0.5
    assert (found.logits == 0.0).all()


def test_the_order_of_the_sets_does_not_matter_with_ties_neither() -> None:
    returns = noise(7, 9, 300)
    returns[[2, 5]] = returns[8]
    wanted = overfitting(returns, 10)
    found = overfitting(returns[::-1].copy(), 10)
    assert np.array_equal(found.logits, wanted.logits)
    assert found.probability_frac == wanted.probability_frac
    assert found.slope == wanted.slope


def test_a_set_that_never_traded_has_a_ratio_of_zero() -> None:
    returns = noise(8, 3, 200) - 0.02
    returns[1] = 0.0
    found = overfitting(returns, 6)
    assert (found.in_sample == 0.0).all()
    assert (found.out_of_sample == 0.0).all()
    assert found.probability_frac == 0.0
    assert (found.slope, found.intercept, found.r_squared) == (None, None, None)


def test_blocks_are_even_and_long_enough() -> None:
    assert blocks_for(1000, 16) == 16
    assert blocks_for(159, 16) == 14
    assert blocks_for(60, 16) == 6
    assert blocks_for(59, 16) is None
    assert blocks_for(100_000, 40) == MAX_BLOCKS


def test_memory_does_not_grow_with_the_ways_of_halving() -> None:
    import tracemalloc

    returns = noise(9, 400, 480)
    overfitting(returns, 6)
    tracemalloc.start()
    overfitting(returns, 16)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # 12,870 ways × 400 sets would be 41 MB for one matrix of ratios alone.
    assert peak < 10 * returns.nbytes
