"""The kill switch against a real process that is sending entries: none is on the wire after the word of a kill."""

from __future__ import annotations

import pytest

from tests.kills.races import Batch, Race, judged, raced


def quiet(_text: str) -> None:
    pass


@pytest.mark.soak
def test_no_entry_is_on_the_wire_after_the_word_of_a_kill() -> None:
    found = raced(60, 1, quiet)
    assert len(found.races) == 60 and found.met
    assert found.late == []


@pytest.mark.soak
def test_a_kill_that_did_not_wait_for_what_is_being_sent_would_be_caught() -> None:
    assert any(raced(40, seed, quiet, is_waiting=False).late for seed in range(6))


def test_what_counts_as_too_late() -> None:
    races = [Race(100, 110, 120, True), Race(200, 210, 220, True), Race(300, 310, 320, False)]
    good = [Batch(50, 60, 1), Batch(95, 109, 1), Batch(121, 130, 2), Batch(301, 315, 1)]
    found = judged(races, good)
    assert (found.late, found.met, found.entries, found.unsettled) == ([], 2, 5, 1)
    for late in (Batch(99, 111, 1), Batch(111, 115, 1), Batch(205, 240, 1)):
        assert len(judged(races, [*good, late]).late) == 1
    assert found.latency_ms(0.5) == found.latency_ms(1.0) == 1e-5
