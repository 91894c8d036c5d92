"""What a check for look-ahead says of functions that misbehave: it never passes them for want of a comparison."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.planted import rolling_mean_cross, said
from workbench.research.lookahead.check import choose_cuts
from workbench.research.lookahead.differing import Differing
from workbench.research.lookahead.futures import other_future
from workbench.research.lookahead.probed import Said


@pytest.fixture(scope="module")
def bars() -> wb.Bars:
    """One hundred and fifty bars of two sessions."""
    return wb.samples.synthetic(seed=2, start="2024-01-03", end="2024-01-04")


def rises(frame: pd.DataFrame) -> pd.DataFrame:
    """A clean function that needs two bars."""
    change = frame["close"].diff()
    return said(frame, change > 0, change < 0, change=change)


def test_a_history_too_short_is_told_from_one_that_lacks_the_future(bars: wb.Bars) -> None:
    def needs_forty(frame: pd.DataFrame) -> pd.DataFrame:
        if len(frame) < 40:
            raise ValueError("give me 40 bars <b>")
        return rises(frame)

    answer = wb.lookahead_check(needs_forty, bars)
    assert answer.passed
    assert len(answer.not_comparable) == 39 and answer.not_comparable["warm_up"].all()
    assert answer.compared == len(bars) - 1 - 39 and not answer.complete
    assert "give me 40 bars" in repr(answer) and "warm-up" in repr(answer)
    assert "<b>" not in answer._repr_html_().replace("<div><b>", "")


def test_a_function_that_fails_until_a_later_day_is_there_has_not_passed(bars: wb.Bars) -> None:
    day = bars.index[-1].strftime("%Y-%m-%d")

    def needs_the_last_day(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[day]
        return rises(frame)

    answer = wb.lookahead_check(needs_the_last_day, bars)
    assert not answer.passed
    assert not len(answer.differences)
    assert answer.unexplained == 75
    assert "fails without later bars" in repr(answer)


def test_a_failure_after_a_history_that_sufficed_has_not_passed(bars: wb.Bars) -> None:
    def fails_at_noon(frame: pd.DataFrame) -> pd.DataFrame:
        if len(frame) == 30:
            raise RuntimeError("noon")
        return rises(frame)

    answer = wb.lookahead_check(fails_at_noon, bars)
    assert not answer.passed and answer.unexplained == 1
    assert answer.not_comparable["ts"].tolist() == [bars.index[29]]


def test_a_leak_inside_the_warm_up_is_seen_by_other_futures(bars: wb.Bars) -> None:
    def leaks_early(frame: pd.DataFrame) -> pd.DataFrame:
        if len(frame) < 100:
            raise ValueError("give me 100 bars")
        found = rises(frame)
        found.loc[frame.index[:60], "change"] = frame["close"].diff(-1)[:60]
        return found

    answer = wb.lookahead_check(leaks_early, bars, futures=2)
    assert not answer.passed
    assert set(answer.differences["probe"]) == {"replaced"}


def test_a_condition_on_the_future_that_never_holds_here_is_seen_by_other_futures(bars: wb.Bars) -> None:
    fall = (bars.close[1:] / bars.close[:-1]).min()

    def dodges_crashes(frame: pd.DataFrame) -> pd.DataFrame:
        found = rises(frame)
        found["entry"] &= ~(frame["close"].shift(-1) / frame["close"] < fall)
        return found

    assert wb.lookahead_check(dodges_crashes, bars, futures=0).passed
    answer = wb.lookahead_check(dodges_crashes, bars)
    assert not answer.passed
    assert set(answer.differences["column"]) == {"entry"} and set(answer.differences["probe"]) == {"replaced"}


@pytest.mark.parametrize("n", [1, 2])
def test_nothing_to_compare_is_not_passed(bars: wb.Bars, n: int) -> None:
    few = bars.between(None, bars.index[n - 1])
    answer = wb.lookahead_check(lambda frame: said(frame, frame["close"] > 1e9, frame["close"] < 0), few)
    assert not answer.passed and not answer
    assert answer.compared == n - 1


def test_a_function_that_runs_on_the_whole_only_has_not_passed(bars: wb.Bars) -> None:
    def whole_only(frame: pd.DataFrame) -> pd.DataFrame:
        if len(frame) < len(bars):
            raise ValueError("not all")
        return rises(frame)

    answer = wb.lookahead_check(whole_only, bars)
    assert not answer.passed and answer.compared == 0
    assert "nothing could be compared" in repr(answer)


def test_what_is_read_from_a_global_cannot_pass(bars: wb.Bars) -> None:
    features = bars.frame["close"].shift(-1) > bars.frame["close"]

    def reads_elsewhere(frame: pd.DataFrame) -> pd.DataFrame:
        return said(frame, features.reindex(frame.index), ~features.reindex(frame.index))

    answer = wb.lookahead_check(reads_elsewhere, bars)
    assert not answer.passed and not answer.reads_prices
    assert "reads them elsewhere" in repr(answer)


def test_chance_is_said(bars: wb.Bars) -> None:
    draw = np.random.default_rng(1)

    def guesses(frame: pd.DataFrame) -> pd.DataFrame:
        return said(frame, pd.Series(draw.random(len(frame)) > 0.5, frame.index), frame["close"] < 0)

    answer = wb.lookahead_check(guesses, bars)
    assert not answer.passed and not answer.deterministic
    assert answer.first is not None and answer.first.probe == "again"
    assert "same question differently" in repr(answer)


def test_state_between_calls_is_said(bars: wb.Bars) -> None:
    calls: list[int] = []

    def tires(frame: pd.DataFrame) -> pd.DataFrame:
        calls.append(1)
        return said(frame, (frame["close"] > 0) & (len(calls) < 100), frame["close"].diff() < 0)

    answer = wb.lookahead_check(tires, bars)
    assert not answer.passed and not answer.deterministic


def test_an_input_that_is_changed_is_said_and_does_no_harm(bars: wb.Bars) -> None:
    before = bars.frame.copy()

    def changes(frame: pd.DataFrame) -> pd.DataFrame:
        frame["close"] = frame["close"].ffill() * 2
        return rises(frame)

    answer = wb.lookahead_check(changes, bars)
    assert answer.passed
    assert any("changes the prices" in note for note in answer.notes)
    pd.testing.assert_frame_equal(bars.frame, before)


def test_columns_added_to_the_input_are_no_change(bars: wb.Bars) -> None:
    def adds(frame: pd.DataFrame) -> pd.DataFrame:
        frame["tag"] = "x"
        frame["entry"] = frame["close"].diff() > 0
        frame["exit"] = ~frame["entry"]
        return frame

    answer = wb.lookahead_check(adds, bars)
    assert answer.passed
    assert not any("changes the prices" in note for note in answer.notes)
    assert any("tag" in note for note in answer.notes)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda frame: None, "returned NoneType"),
        (lambda frame: frame, "no column 'entry'"),
        (lambda frame: rises(frame).iloc[1:], "149 rows for 150 bars"),
        (lambda frame: rises(frame).shift(1, freq="5min"), "in row 0, where the bar is"),
        (lambda frame: rises(frame).tz_localize(None), "not the instants"),
        (lambda frame: rises(frame).reset_index(drop=True), "not the instants"),
        (lambda frame: rises(frame).assign(entry=frame["close"]), "is no condition"),
        (lambda frame: rises(frame).assign(exit="no"), "is no condition"),
        (lambda frame: rises(frame)[["entry", "entry", "exit"]], "two columns of one name"),
        (lambda frame: frame["bid"], "fails on all 150 bars: KeyError"),
    ],
)
def test_what_is_no_answer_is_refused(bars: wb.Bars, function: Callable[..., pd.DataFrame], words: str) -> None:
    with pytest.raises(wb.ConfigError, match=words):
        wb.lookahead_check(function, bars)


def test_other_arguments_are_refused(bars: wb.Bars) -> None:
    for words, arguments in (
        ("neither a wb.Strategy nor a function", ("rises", bars)),
        ("make wb.Bars", (rises, bars.frame)),
        ("make wb.Bars", (rises, {"NSE:X": bars.frame})),
        ("empty mapping", (rises, {})),
        ("cuts is 0", (rises, bars, 0)),
        ("cuts is 'some'", (rises, bars, "some")),
        ("cuts is True", (rises, bars, True)),
        ("futures is -1", (rises, bars, None, -1)),
    ):
        with pytest.raises(wb.ConfigError, match=words):
            wb.lookahead_check(*arguments)  # type: ignore[arg-type]


def test_missing_booleans_and_numbers_as_conditions_are_read(bars: wb.Bars) -> None:
    def answers(frame: pd.DataFrame) -> pd.DataFrame:
        change = frame["close"].diff()
        entry = (change > 0).astype("boolean").mask(change.isna())
        return pd.DataFrame({"entry": entry, "exit": (change < 0).astype(object).where(change.notna(), None),
                             "short_entry": (change < 0).astype(int), "change": change}, index=frame.index)

    answer = wb.lookahead_check(answers, bars)
    assert answer.passed and answer.complete


def test_several_instruments_are_checked_each_by_itself(bars: wb.Bars) -> None:
    other = wb.samples.synthetic(seed=9, start="2024-01-03", end="2024-01-04")

    def leaks_when_dear(frame: pd.DataFrame) -> pd.DataFrame:
        ahead = -1 if frame["close"].iloc[0] == other.close[0] else 1
        return said(frame, frame["close"].shift(ahead) > frame["close"], frame["close"].diff() < 0)

    answer = wb.lookahead_check(leaks_when_dear, {"NSE:A": bars, "NSE:B": other})
    assert not answer.passed and answer.bars == len(bars) + len(other) - 2
    assert set(answer.differences["instrument"]) == {"NSE:B"}
    assert "NSE:B entry" in repr(answer)


def test_long_data_is_sampled_and_says_so(bars: wb.Bars) -> None:
    answer = wb.lookahead_check(rises, bars, cuts=60)
    assert answer.passed and not answer.complete
    assert answer.compared == 60
    assert "60 of 149 bars" in repr(answer) and "even sample" in repr(answer)


def test_cuts_are_the_last_bars_and_one_of_each_stretch() -> None:
    chosen = choose_cuts(1_000, 100, np.random.default_rng(0))
    assert len(chosen) == 100 and (np.diff(chosen) > 0).all()
    assert chosen[-50:].tolist() == list(range(950, 1_000))
    assert (np.diff(chosen[:50]) < 2 * 19 + 1).all()
    assert choose_cuts(100, 100, np.random.default_rng(0)).tolist() == list(range(100))
    assert choose_cuts(500, "all", np.random.default_rng(0)).tolist() == list(range(500))
    assert not len(choose_cuts(0, 5, np.random.default_rng(0)))
    for n, count in ((4_000, 4_000), (4_001, 4_000), (10_000, 4_000), (100_000, 400), (1_000_000, 200)):
        assert len(choose_cuts(n, None, np.random.default_rng(0))) == count
    again = choose_cuts(1_000, 100, np.random.default_rng(0))
    assert (chosen == again).all()


def test_other_futures_are_bars_and_leave_the_past(bars: wb.Bars) -> None:
    block = np.vstack([bars.open, bars.high, bars.low, bars.close, bars.volume])
    new = other_future(block, 40, np.random.default_rng(3))
    assert (new[:, :41] == block[:, :41]).all()
    assert abs(np.log(new[3, 41] / new[3, 40])) >= np.abs(np.diff(np.log(block[3]))).max()
    assert (new[:4, 41:] != block[:4, 41:]).any(axis=0).all()
    opens, high, low, close, volume = new
    assert (low > 0).all() and (high >= np.maximum(opens, close)).all() and (low <= np.minimum(opens, close)).all()
    assert (volume[41:] >= 1).all() and np.isfinite(new).all()


def test_a_market_that_does_not_move_gets_a_future_that_does() -> None:
    new = other_future(np.full((5, 10), 7.0), 4, np.random.default_rng(3))
    assert len(np.unique(new[3, 5:])) == 5


def test_rounding_is_no_difference_and_a_bit_of_a_strategy_is() -> None:
    ts = np.arange(4, dtype=np.int64)
    whole = Said(ts, {"entry": np.array([0.0, 1, 0, np.nan]), "x": np.array([1.0, 2, 0, np.inf])})
    near = Said(ts, {"entry": np.array([0.0, 1, 0, np.nan]), "x": np.array([1 + 1e-12, 2, 1e-14, np.inf])})
    for exact, expected in ((False, 0), (True, 2)):
        differing = Differing(whole, exact)
        differing.add(near, 4, 3, "cut")
        assert len(differing) == expected
    differing = Differing(whole, False)
    assert differing.add(Said(ts, {"entry": np.array([0.0, np.nan, 0, 1])}), 4, 3, "cut")
    table = differing.table("")
    assert table[["ts", "column"]].to_numpy().tolist() == [
        [pd.Timestamp(0, tz="UTC"), "x"], [pd.Timestamp(1, tz="UTC"), "entry"], [pd.Timestamp(1, tz="UTC"), "x"],
        [pd.Timestamp(2, tz="UTC"), "x"], [pd.Timestamp(3, tz="UTC"), "entry"], [pd.Timestamp(3, tz="UTC"), "x"],
    ]


def test_a_clean_function_on_daily_bars_passes() -> None:
    answer = wb.lookahead_check(rolling_mean_cross, wb.samples.stock("AAPL").between("2012-06-01", "2012-12-31"))
    assert answer.passed and answer.complete
