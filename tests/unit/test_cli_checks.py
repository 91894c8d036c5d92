"""``workbench lookahead`` and ``workbench warmup``: what they say, and with which exit code they end."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

from tests.command_line import expect, made_up, write_parquet, write_strategy


@pytest.fixture
def given(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> tuple[object, ...]:
    """A strategy file and its bars."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    file = write_parquet(tmp_path / "AAA_5m.parquet", made_up(end="2023-01-06"))
    return write_strategy(tmp_path, "NSE:AAA"), "--bars", file


def test_P2_a_strategy_passes_and_says_at_how_many_bars(given: tuple[object, ...]) -> None:
    text = expect(0, "lookahead", *given)
    assert "dip 1.0.0: no look-ahead found" in text
    assert "cut after every one of 372 bars" in text
    assert "60 of 372" in " ".join(expect(0, "lookahead", *given, "--cuts", "60").split())
    assert "every one of 72 bars" in expect(0, "lookahead", *given, "--cuts", "all", "--end", "2023-01-02")


def test_P2_a_strategy_that_sees_the_future_ends_with_1(
    given: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.research.lookahead import probed

    real = probed.evaluate_arrays

    def leaking(program: Any, columns: Any) -> Any:
        found = real(program, columns)
        found.values["entry"][:] = np.append(found.values["entry"][1:], np.nan)
        return found

    monkeypatch.setattr(probed, "evaluate_arrays", leaking)
    text = expect(1, "lookahead", *given)
    assert "dip 1.0.0: LOOK-AHEAD" in text and "First differences" in text


@pytest.mark.parametrize("cuts", ["0", "-3", "many", "1.5"])
def test_a_count_that_is_none_is_refused(given: tuple[object, ...], cuts: str) -> None:
    assert "is a count from 1 on, or all" in expect(2, "lookahead", *given, f"--cuts={cuts}")


def test_B8_a_warm_up_is_found_or_not(given: tuple[object, ...]) -> None:
    text = expect(0, "warmup", *given)
    assert "strategy bars of history are enough" in text
    assert "give data from earlier on" in expect(1, "warmup", *given, "--end", "2023-01-02")
