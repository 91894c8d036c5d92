"""Which sessions train and which test: counted by hand, and what does not fit."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench.research.walk_forward.folds import Layout, folds_of


def windows(sessions: int, **asked: Any) -> list[tuple[int, int, int, int]]:
    """First and last session of training and of test, of each fold."""
    folds = folds_of(sessions, Layout(**asked))
    return [(one.train.start, one.train.stop - 1, one.test.start, one.test.stop - 1) for one in folds]


def test_rolling_training_moves_on_with_the_test_window() -> None:
    assert windows(20, folds=3, train_sessions=8, test_sessions=4) == [
        (0, 7, 8, 11), (4, 11, 12, 15), (8, 15, 16, 19),
    ]  # fmt: skip


def test_anchored_training_begins_at_the_first_session() -> None:
    assert windows(20, folds=3, scheme="anchored", train_sessions=8, test_sessions=4) == [
        (0, 7, 8, 11), (0, 11, 12, 15), (0, 15, 16, 19),
    ]  # fmt: skip


def test_purged_sessions_are_in_neither_window() -> None:
    assert windows(22, folds=3, train_sessions=8, test_sessions=4, purge_sessions=2) == [
        (0, 7, 10, 13), (4, 11, 14, 17), (8, 15, 18, 21),
    ]  # fmt: skip
    anchored = windows(22, folds=2, scheme="anchored", test_sessions=4, purge_sessions=2)
    assert anchored == [(0, 11, 14, 17), (0, 15, 18, 21)]


def test_the_last_test_window_ends_with_the_data() -> None:
    """What is left over comes first: history of a rolling training, part of an anchored one."""
    assert windows(25, folds=3, train_sessions=8, test_sessions=4)[0] == (5, 12, 13, 16)
    assert windows(25, folds=3, scheme="anchored", train_sessions=8, test_sessions=4)[0] == (0, 12, 13, 16)


def test_lengths_that_are_not_given() -> None:
    """Four to one of 103 sessions in six folds is ten of test; the rest trains."""
    assert windows(103, folds=6)[0] == (0, 42, 43, 52)
    assert windows(100, folds=5, train_sessions=40)[0] == (0, 39, 40, 51)
    assert windows(100, folds=5, test_sessions=12)[0] == (0, 39, 40, 51)
    assert windows(100, folds=5, train_frac=0.4, test_frac=0.12)[0] == (0, 39, 40, 51)
    assert len(windows(100, folds=None, train_sessions=40, test_sessions=13)) == 4


def test_an_embargo_leaves_out_what_follows_earlier_test_windows() -> None:
    """Tests of four begin at 8, 12, 16 and 20; two sessions after each do not count in training that holds them."""
    anchored = folds_of(24, Layout(folds=4, scheme="anchored", test_sessions=4, embargo_sessions=2))
    assert [one.embargoed for one in anchored] == [
        (), (), (range(12, 14),), (range(12, 14), range(16, 18)),
    ]  # fmt: skip
    rolling = folds_of(24, Layout(folds=4, train_sessions=7, test_sessions=4, embargo_sessions=2))
    assert [(one.train, one.embargoed) for one in rolling][2:] == [
        (range(9, 16), (range(12, 14),)), (range(13, 20), (range(13, 14), range(16, 18))),
    ]  # fmt: skip
    assert [one.counted for one in rolling] == [7, 7, 5, 4]


def test_an_embargo_longer_than_a_test_window_leaves_each_session_out_once() -> None:
    folds = folds_of(24, Layout(folds=4, scheme="anchored", test_sessions=4, embargo_sessions=6))
    assert [one.counted for one in folds] == [8, 12, 12, 12]
    assert folds_of(100, Layout(folds=10, scheme="anchored", test_sessions=9, embargo_sessions=200))[-1].counted == 19


@given(
    st.integers(10, 400), st.integers(1, 8), st.sampled_from(["rolling", "anchored"]), st.integers(0, 20),
    st.integers(0, 5),
)  # fmt: skip
def test_training_ends_before_its_test_and_tests_follow_each_other(
    sessions: int, count: int, scheme: str, purge: int, embargo: int
) -> None:
    layout = Layout(folds=count, scheme=scheme, purge_sessions=purge, embargo_sessions=embargo)
    try:
        folds = folds_of(sessions, layout)
    except wb.ConfigError:
        assert sessions - purge < 6 * count + 6
        return
    assert len(folds) == count
    assert folds[-1].test.stop == sessions
    assert all(a.test.stop == b.test.start for a, b in itertools.pairwise(folds))
    assert {len(one.test) for one in folds} == {len(folds[0].test)}
    for one in folds:
        assert one.train.start >= 0
        assert one.train.stop + purge == one.test.start
        assert all(set(part) <= set(one.train) for part in one.embargoed)
        assert one.counted == len(set(one.train) - {day for part in one.embargoed for day in part})


@pytest.mark.parametrize(
    ("sessions", "asked", "said"),
    [
        (1511, {"train_sessions": 900, "test_sessions": 200},
         "1511 sessions, and 6 folds, 200 of test each, 900 of training need 2100. What would fit: folds=3, or "),
        (1511, {"train_sessions": 900, "test_sessions": 200}, "or test_sessions=101, or train_sessions=311; or more"),
        (30, {"purge_sessions": 40}, "30 sessions, and 6 folds, 40 purged need 48. What would fit: purge_sessions=22"),
        (5, {}, "there are 5 sessions, and 6 folds need 8. What would fit: folds=3"),
        (2, {"folds": 1}, "there are 2 sessions, and 1 fold needs 3. Give more bars"),
        (100, {"folds": None}, "folds=None means as many as fit; give both"),
        (24, {"folds": 4, "train_sessions": 2, "test_sessions": 4, "embargo_sessions": 4},
         "embargo_sessions=4 leaves 0 of the 2 sessions of training of fold 3"),
    ],
)  # fmt: skip
def test_too_few_sessions_are_refused_with_what_would_fit(sessions: int, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(wb.ConfigError) as caught:
        folds_of(sessions, Layout(**asked))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"scheme": "sliding"}, "scheme='sliding' does not exist; it is one of rolling, anchored"),
        ({"folds": 0}, "folds=0 is a whole number, 1 or more"),
        ({"folds": True}, "folds=True"),
        ({"train_sessions": 0.5}, "train_sessions=0.5 is a whole number"),
        ({"test_sessions": 0}, "test_sessions=0"),
        ({"purge_sessions": -1}, "purge_sessions=-1 is a whole number, 0 or more"),
        ({"embargo_sessions": None}, "embargo_sessions=None"),
        ({"train_frac": 70}, "train_frac=70 is a fraction of all sessions, between 0 and 1"),
        ({"test_frac": 0.1, "test_sessions": 5}, "test_sessions and test_frac say the same thing twice"),
    ],
)
def test_what_makes_no_sense_is_refused(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(wb.ConfigError, match=said):
        Layout(**asked)
