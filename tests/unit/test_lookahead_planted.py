"""Ten planted ways of looking ahead are caught, ten of ten; ten clean functions pass, ten of ten."""

from __future__ import annotations

import os
import pathlib

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.conftest import REPOSITORY
from tests.planted import CLEAN, MUTANTS

SESSIONS = 3


@pytest.fixture(scope="module")
def bars(request: pytest.FixtureRequest) -> wb.Bars:
    """Real 5m bars of four sessions, or made-up ones where there are none."""
    folder = pathlib.Path(os.environ.get("WORKBENCH_DATA", REPOSITORY.parent / "shared" / "data"))
    if (folder / "nse" / "RELIANCE_5m.parquet").exists():
        whole = request.getfixturevalue("real_bars")("nse/RELIANCE_5m", repair="drop")
    else:
        whole = wb.samples.synthetic(seed=3, start="2024-01-01", end="2024-01-12")
    dates = whole.grid.sessions.date
    # Whole sessions in the middle of the file: the dates are days since 1970.
    first, last = dates[len(dates) // 2], dates[len(dates) // 2 + SESSIONS - 1]
    return whole.between(*(str(np.datetime64(int(day), "D")) for day in (first, last)))


def first_bars(frame: pd.DataFrame) -> dict[str, int]:
    """The first bar at which each mutant must be caught, from what the mutant does and not from running it."""
    close = frame["close"].to_numpy()
    # An hour, a day, a quarter of an hour has bars that differ from its last.
    assert all((close[:n] != close[n - 1]).any() for n in (12, 75)) and (close[9:11] != close[11]).any()
    assert (close[1:67] != close[66]).any()
    return {
        # Cut off, there is no next bar to rise.
        "negative_shift": int(np.argmax(close[1:] > close[:-1])),
        # The first window of eleven lies around bar 5.
        "centred_window": 5,
        # One bar has no deviation.
        "whole_column_normalisation": 0,
        "back_fill": 0,
        "unlagged_coarser_bar": 0,
        "last_row_peek": 0,
        # The first window of fifty targets ends at bar 49, whose target is five bars ahead.
        "target_leak": 49,
        "future_stamped_join": 0,
        # 03:45 UTC is read as 09:15 UTC, 66 bars later.
        "time_zone_shift": 0,
        # Four quarters of three bars: the fourth begins with bar 9, and is said to be known there.
        "resample_labelled_left": 9,
    }


@pytest.mark.parametrize("name", MUTANTS)
def test_P2_a_planted_look_ahead_is_caught_at_its_first_bar(name: str, bars: wb.Bars) -> None:
    answer = wb.lookahead_check(MUTANTS[name], bars)
    assert not answer.passed
    assert answer.first is not None
    assert answer.first.ts == bars.index[first_bars(bars.frame)[name]]
    there = answer.differences["ts"] == answer.first.ts
    assert "cut" in set(answer.differences.loc[there, "probe"])
    assert "LOOK-AHEAD" in repr(answer)


@pytest.mark.parametrize("name", CLEAN)
def test_P2_a_clean_function_passes(name: str, bars: wb.Bars) -> None:
    answer = wb.lookahead_check(CLEAN[name], bars)
    assert answer.passed, answer
    assert answer.complete and answer.compared == len(bars) - 1
    assert answer.first is None and not len(answer.differences) and not len(answer.not_comparable)
    assert answer.n_values > 10_000


def test_P2_there_are_ten_of_each() -> None:
    assert len(MUTANTS) == 10
    assert len(CLEAN) == 10


@pytest.mark.parametrize("name", MUTANTS)
def test_P2_other_futures_alone_catch_most_of_them(name: str, bars: wb.Bars) -> None:
    # One cut, so that the second probe stands by itself.
    answer = wb.lookahead_check(MUTANTS[name], bars, cuts=1, futures=48, seed=1)
    assert not answer.passed
    assert "replaced" in set(answer.differences["probe"])


def test_P2_a_leak_at_one_bar_of_three_thousand_is_caught() -> None:
    long = wb.samples.synthetic(seed=5, start="2024-01-01", end="2024-02-27")
    assert 3_000 <= len(long) <= 4_001
    at = 1_234

    def leaks_once(frame: pd.DataFrame) -> pd.DataFrame:
        close = frame["close"].to_numpy()
        entry = np.append(False, close[1:] > close[:-1])
        if len(close) > at + 1 and close[at + 1] != close[at]:
            entry[at] = not entry[at]
        return pd.DataFrame({"entry": entry, "exit": False}, index=frame.index)

    answer = wb.lookahead_check(leaks_once, long, futures=4)
    assert answer.complete
    assert answer.differences["column"].tolist() == ["entry"]
    assert answer.first is not None and answer.first.ts == long.index[at]
