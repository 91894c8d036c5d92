"""Nodes of a program in words: in the words of the language, short, and one for each."""

from __future__ import annotations

import pytest

from workbench.expressions.program import compile_program
from workbench.indicators.ops import Op
from workbench.live.nodes import described


def words(entry: str, timeframe: str = "15m") -> list[str]:
    program = compile_program({"entry": entry}, {"n": 6}, timeframe)
    texts = described(program)
    assert len(texts) == len(program)
    return texts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("RSI($n) < 35", "RSI(close, 6) < 35"),
        ("close CROSSES_ABOVE SMA(9)", "close CROSSES_ABOVE SMA(close, 9)"),
        ("NOT (close > open)", "NOT (close > open)"),
        ("close > open AND high > 2.5", "(close > open) AND (high > 2.5)"),
        ('close > EMA(close, 20, "1h")', "close > (EMA(close, 20) of 1h)"),
        ("COUNT(close > open, 5) >= 2", "COUNT(close > open, 5) >= 2"),
        ("BARS_SINCE(close > open) > 3", "BARS_SINCE(close > open) > 3"),
        ("close > -open", "close > -open"),
    ],
)
def test_the_root_is_said_as_it_was_written(text: str, said: str) -> None:
    assert words(text)[-1] == said


def test_what_would_be_long_names_its_parts_by_number() -> None:
    texts = words(" AND ".join(f"close > SMA({length})" for length in range(10, 30)))
    assert max(map(len, texts)) < 150
    last = texts[-1]
    assert last.startswith("#") and texts[int(last[1:].split()[0]) - 1].endswith("(close > SMA(close, 28))")


def test_every_primitive_has_words() -> None:
    texts = words(
        "SUPERTREND(10, 3) > close AND ADX(14) > 20 AND VWAP() > close AND MFI(14) > 50 AND STDDEV(close, 5) > 1 AND "
        "BB_UPPER(20, 2) > close AND MACD_SIGNAL(12, 26, 9) > 0 AND OBV() > 0 AND CCI(20) > 0 AND WILLR(14) > -20"
    )
    assert all(texts) and not any(text.startswith(tuple(f"{op.name} " for op in Op)) for text in texts)
