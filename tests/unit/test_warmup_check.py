"""The smallest history after which decisions no longer change, against lengths known beforehand and a full search."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.research.warmup.check import _settle, _Tried, doubling
from workbench.research.warmup.stretches import Changed, Decided

FIELDS = {"name": "warm", "version": "1.0.0", "instruments": ("NSE:A",), "calendar": "NSE", "product": "CNC"}


@pytest.fixture(scope="module")
def bars() -> wb.Bars:
    """Two months of 15m bars."""
    return wb.samples.synthetic(seed=6, start="2024-01-01", end="2024-02-29", timeframe="15m")


def strategy(entry: str, leave: str, **fields: Any) -> wb.Strategy:
    return wb.Strategy(**{**FIELDS, "timeframe": "15m", "entry": entry, "exit": leave, **fields})


@pytest.mark.parametrize(
    ("entry", "leave", "bars_needed"),
    [
        # Nothing but the bar itself.
        ("close > open", "close < open", 0),
        # The window holds the bar itself and 49 before it.
        ("SMA(10) > SMA(50)", "SMA(10) < SMA(50)", 49),
        ("close > LAG(HIGHEST(high, 20), 1)", "close < LAG(LOWEST(low, 10), 1)", 20),
        # A crossing looks at the bar before.
        ("close CROSSES_ABOVE SMA(5)", "close CROSSES_BELOW SMA(5)", 5),
    ],
)
def test_E7_windows_need_what_they_hold(entry: str, leave: str, bars_needed: int, bars: wb.Bars) -> None:
    answer = wb.warmup_check(strategy(entry, leave), bars)
    assert answer.passed, answer
    assert answer.bars == bars_needed
    assert f"{bars_needed} strategy bars" in repr(answer)


@pytest.mark.parametrize(
    ("entry", "leave", "fields"),
    [
        ("EMA(5) > EMA(12)", "EMA(5) < EMA(12)", {}),
        ("RSI(9) < 35", "RSI(9) > 60", {"stop_loss_atr": 2.0, "stop_loss_atr_length": 7}),
        ("RSI(9) < 40 AND close > SMA(3, '1h')", "close < EMA(8)", {}),
    ],
)
def test_B8_the_answer_is_that_of_a_full_search(entry: str, leave: str, fields: dict[str, Any], bars: wb.Bars) -> None:
    checked = strategy(entry, leave, **fields)
    answer = wb.warmup_check(checked, bars, starts=6)
    assert answer.passed and answer.bars is not None
    decided = Decided(checked, bars, 1e-4, 6)
    counts = [decided.changed(length).n_changed for length in range(2 * answer.bars)]
    assert counts[answer.bars - 1] > 0
    assert not any(counts[answer.bars :])


def test_B8_a_history_that_suffices_decides_as_the_whole(bars: wb.Bars) -> None:
    entry = "EMA(5) > EMA(12)"
    answer = wb.warmup_check(strategy(entry, "close < 0"), bars)
    whole = wb.evaluate(entry, bars)
    assert answer.bars is not None
    # The stretches of the check, made again from the outside.
    edges = np.unique(np.linspace(len(bars) // 2, len(bars), 13).astype(int))
    for start, stop in itertools.pairwise(edges):
        part = wb.evaluate(entry, bars.between(bars.index[start - answer.bars], bars.index[stop - 1]))
        assert (part[bars.index[start] :] == whole[part.index][bars.index[start] :]).all()


def test_too_few_bars_are_not_passed(bars: wb.Bars) -> None:
    few = bars.between(None, bars.index[59])
    answer = wb.warmup_check(strategy("EMA(5) > EMA(12)", "EMA(5) < EMA(12)"), few)
    assert not answer.passed
    assert "give data from earlier on" in repr(answer)
    one = wb.warmup_check(strategy("close > open", "close < open"), bars.between(None, bars.index[0]))
    assert not one.passed and "too few bars" in repr(one)


def test_a_strategy_that_never_decides_is_not_passed(bars: wb.Bars) -> None:
    answer = wb.warmup_check(strategy("close < 0", "close < 0"), bars)
    assert not answer.passed and answer.n_true == 0
    assert "no decision was ever true" in repr(answer)
    missing = wb.warmup_check(strategy("close > SMA(5000)", "close < SMA(5000)"), bars)
    assert not missing.passed


def test_the_slowest_instrument_decides(bars: wb.Bars) -> None:
    other = wb.samples.synthetic(seed=7, start="2024-01-01", end="2024-02-20", timeframe="15m")
    both = strategy("EMA(5) > EMA(12)", "EMA(5) < EMA(12)", instruments=("NSE:A", "NSE:B"))
    answer = wb.warmup_check(both, {"NSE:A": bars, "NSE:B": other}, starts=6)
    one_each = strategy("EMA(5) > EMA(12)", "EMA(5) < EMA(12)")
    alone = [wb.warmup_check(one_each, one, starts=6).bars for one in (bars, other)]
    assert answer.passed and answer.bars == max(alone)
    assert set(answer.changed["instrument"]) == {"NSE:A", "NSE:B"}


def test_a_finer_base_and_the_proxy_close_are_understood() -> None:
    fine = wb.samples.synthetic(seed=8, start="2023-12-01", end="2024-02-29", timeframe="15m")
    daily = strategy("close > SMA(5)", "close < SMA(5)", timeframe="1d", execution="proxy_close")
    answer = wb.warmup_check(daily, fine)
    assert answer.passed and answer.bars == 4
    coarse = wb.warmup_check(strategy("close > SMA(5)", "close < SMA(5)", timeframe="1h"), fine)
    assert coarse.passed and coarse.bars == 4


def test_a_sum_since_the_beginning_is_said(bars: wb.Bars) -> None:
    answer = wb.warmup_check(strategy("OBV() > 0", "OBV() < 0"), bars)
    assert any(note.startswith("OBV is a sum") for note in answer.notes)
    assert "OBV is a sum" in answer._repr_html_()


def test_the_table_says_what_changed(bars: wb.Bars) -> None:
    answer = wb.warmup_check(strategy("SMA(10) > SMA(50)", "SMA(10) < SMA(50)"), bars)
    table = answer.changed.set_index("history_bars")
    assert table.index.is_monotonic_increasing and table.index[0] == 0 and table.index[-1] == answer.longest
    assert (table.loc[:48, "changed"] > 0).all() and (table.loc[49:, "changed"] == 0).all()
    assert "warm" in table.loc[48, "columns"]
    assert (table["compared"] > 0).all()


def test_wrong_arguments_are_refused(bars: wb.Bars) -> None:
    with pytest.raises(wb.ConfigError, match=r"a wb\.Strategy is asked"):
        wb.warmup_check(print, bars)  # type: ignore[arg-type]
    checked = strategy("close > open", "close < open")
    for bad in ({"tolerance_frac": -1.0}, {"tolerance_frac": float("nan")}, {"starts": 0}):
        with pytest.raises(wb.ConfigError, match="from 0 on"):
            wb.warmup_check(checked, bars, **bad)  # type: ignore[arg-type]


class Told:
    """A strategy of which it is told how many values change with each length."""

    longest = 1_000
    n_true = 1

    def __init__(self, needed: int, relapses: range) -> None:
        self.needed, self.relapses = needed, relapses

    def changed(self, length: int) -> Changed:
        changes = length < self.needed or length in self.relapses
        return Changed(10, int(changes), ("entry",) if changes else ())


@pytest.mark.parametrize(
    ("needed", "relapses", "answer"),
    [(0, range(0), 0), (1, range(0), 1), (37, range(0), 37), (999, range(0), 999), (20, range(600, 700), 700)],
)
def test_the_search_goes_on_above_a_longer_history_that_changes_something(
    needed: int, relapses: range, answer: int
) -> None:
    tried = _Tried({"A": Told(needed, relapses)})  # type: ignore[dict-item]
    for length in doubling(1_000):
        tried.changed(length)
    _settle(tried, np.random.default_rng(0))
    assert tried.bounds()[1] == answer
    assert len(tried.counts) < 150


def test_a_history_that_never_suffices_has_no_answer() -> None:
    tried = _Tried({"A": Told(5_000, range(0))})  # type: ignore[dict-item]
    for length in doubling(1_000):
        tried.changed(length)
    _settle(tried, np.random.default_rng(0))
    assert tried.bounds() == (1_000, None)
