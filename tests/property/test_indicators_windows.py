"""Rule E9: a window's value is within 1e-12 of the scale of its inputs, whatever passed through it before.

The reference is exact: fractions, rounded once.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.indicator_program import Column, values
from workbench.indicators.summation import LARGEST

PASSED = st.sampled_from([np.nan, 1e12, -1e12, 1e300, -1e300, 1e155, -1e160, 1e-12, 1e-300, 0.0])
VALUES = st.one_of(st.floats(-1000.0, 1000.0), st.sampled_from([0.0, 0.1, 100.0, 100.0 * (1 + 5e-10)]), PASSED)


def root(x: Fraction) -> float:
    """Square root of a fraction of any size."""
    if x == 0:
        return 0.0
    shift = (x.numerator.bit_length() - x.denominator.bit_length()) // 2
    return math.ldexp(math.sqrt(x / Fraction(4) ** shift if shift >= 0 else x * Fraction(4) ** -shift), shift)


def exact(name: str, window: list[Fraction]) -> Fraction | float:
    """The value of a window without any rounding but the last."""
    n = len(window)
    if name == "SUM":
        return sum(window, Fraction(0))
    if name == "SMA":
        return sum(window, Fraction(0)) / n
    if name == "WMA":
        return sum((i + 1) * x for i, x in enumerate(window)) / Fraction(n * (n + 1), 2)
    mean = sum(window, Fraction(0)) / n
    variance = sum(((x - mean) ** 2 for x in window), Fraction(0)) / n
    low, high = min(window), max(window)
    if high - low <= Fraction(1, 10**9) * max(abs(low), abs(high)):
        variance = Fraction(0)
    return variance if name == "VAR" else root(variance)


def check(name: str, x: Column, n: int) -> int:
    """Compare every window; how many had a value."""
    found, compared = values(name, (x, n)), 0
    for i in range(len(x)):
        window = x[max(0, i - n + 1) : i + 1]
        if len(window) < n or np.isnan(window).any():
            assert math.isnan(found[i])
            continue
        expected = exact(name, [Fraction(float(v)) for v in window])
        scale = Fraction(float(np.abs(window).max()))
        scale = scale * n if name == "SUM" else scale * scale if name == "VAR" else scale
        if abs(expected) > LARGEST or scale > LARGEST:
            assert math.isnan(found[i]) or scale > LARGEST
            continue
        assert not math.isnan(found[i])
        assert abs(Fraction(float(found[i])) - Fraction(expected)) <= scale * Fraction(1, 10**12) + Fraction(5e-324)
        compared += 1
    return compared


@pytest.mark.parametrize("name", ["SUM", "SMA", "WMA", "VAR", "STDDEV"])
@settings(max_examples=40, deadline=None)
@given(x=st.lists(VALUES, min_size=1, max_size=40), n=st.integers(1, 7))
def test_E9_window_is_exact_whatever_passed_through_it(name: str, x: list[float], n: int) -> None:
    column = np.array(x, dtype=np.float64)
    whole = [column[i - n + 1 : i + 1] for i in range(n - 1, len(column))]
    assert check(name, column, n) <= sum(not np.isnan(window).any() for window in whole)


@pytest.mark.parametrize("name", ["SUM", "SMA", "WMA", "VAR", "STDDEV"])
@pytest.mark.parametrize("passed", [1e12, 1e300, -1e300, np.nan])
def test_E9_nothing_lingers_after_it_has_left_the_window(name: str, passed: float) -> None:
    quiet = np.array([1.5, 2.25, 1.75, 2.5, 1.25, 2.0] * 4)
    clean = values(name, (quiet, 5))
    spoilt = quiet.copy()
    spoilt[7] = passed
    after = values(name, (spoilt, 5))
    np.testing.assert_allclose(after[12:], clean[12:], rtol=1e-14)
    still = np.concatenate([spoilt[:9], np.zeros(20)])
    assert (values(name, (still, 5))[13:] == 0.0).all()


@pytest.mark.parametrize("name", ["SUM", "SMA", "WMA", "VAR", "STDDEV"])
def test_E9_long_windows_and_long_runs_stay_exact(name: str) -> None:
    rng = np.random.default_rng(11)
    x = 20_000 + np.cumsum(rng.normal(0, 1e-3, 60_000))
    x[1000] = 1e12
    n = 4000
    found = values(name, (x, n))
    for i in (4999, 5000, 5001, 7998, 7999, 8000, 31_234, 59_999):
        window = [Fraction(float(v)) for v in x[i - n + 1 : i + 1]]
        scale = float(np.abs(x[i - n + 1 : i + 1]).max())
        scale = scale * n if name == "SUM" else scale * scale if name == "VAR" else scale
        assert abs(found[i] - float(exact(name, window))) <= 1e-12 * scale


def test_E9_a_deviation_far_below_the_price_keeps_its_digits() -> None:
    rng = np.random.default_rng(12)
    x = 1e6 + rng.normal(0, 1.0, 3000)
    found = values("STDDEV", (x, 50))
    for i in range(49, 3000, 97):
        true = exact("STDDEV", [Fraction(float(v)) for v in x[i - 49 : i + 1]])
        assert found[i] == pytest.approx(true, rel=1e-11)


@settings(max_examples=60, deadline=None)
@given(x=st.lists(VALUES, min_size=1, max_size=60), n=st.integers(1, 12))
def test_E10_highest_and_lowest_equal_a_plain_scan(x: list[float], n: int) -> None:
    column = np.array(x, dtype=np.float64)
    highest, lowest = values("HIGHEST", (column, n)), values("LOWEST", (column, n))
    for i in range(len(column)):
        window = column[max(0, i - n + 1) : i + 1]
        whole = len(window) == n and not np.isnan(window).any()
        np.testing.assert_array_equal(highest[i], window.max() if whole else np.nan)
        np.testing.assert_array_equal(lowest[i], window.min() if whole else np.nan)


@settings(max_examples=40, deadline=None)
@given(x=st.lists(st.sampled_from([1.0, 0.0, np.nan]), min_size=1, max_size=60), n=st.integers(1, 12))
def test_E10_count_counts_a_missing_condition_as_not_true(x: list[float], n: int) -> None:
    column = np.array(x, dtype=np.float64)
    found = values("COUNT", (column, n))
    for i in range(len(column)):
        expected = float((column[i - n + 1 : i + 1] == 1.0).sum()) if i >= n - 1 else np.nan
        np.testing.assert_array_equal(found[i], expected)
