"""Timeframes (rule B3)."""

from __future__ import annotations

import pytest

from workbench.errors import ConfigError
from workbench.market.timeframe import Timeframe

parse = Timeframe.parse


@pytest.mark.parametrize(("text", "minutes", "canonical"), [
    ("1m", 1, "1m"), ("5m", 5, "5m"), ("60m", 60, "1h"), ("90m", 90, "90m"), ("120m", 120, "2h"), ("4h", 240, "4h"),
    ("1d", 0, "1d"),
])
def test_B3_timeframes_are_written_in_minutes_hours_or_one_day(text: str, minutes: int, canonical: str) -> None:
    assert (parse(text).minutes, str(parse(text))) == (minutes, canonical)
    assert parse(canonical) == parse(text)
    assert hash(parse(canonical)) == hash(parse(text))


@pytest.mark.parametrize(("text", "hint"), [
    ("5min", "Write '5m'"), ("15T", "Write '15m'"), ("5M", "Write '5m'"), ("1H", "Write '1h'"),
    ("2hours", "Write '2h'"), ("1D", "Write '1d'"), ("D", "Write '1d'"), ("24h", "Write '1d'"),
    ("1440m", "Write '1d'"), ("2d", "Only '1d'"),
    ("1w", "not timeframes"), ("1mo", "not timeframes"), ("0m", "at least a minute"), ("05m", "Write '5m'"),
    ("", "Nm, Nh or 1d"), ("-5m", "Nm, Nh or 1d"), ("30h", "Nm, Nh or 1d"), ("9999999999m", "Nm, Nh or 1d"),
])
def test_B3_anything_else_is_refused_with_a_hint(text: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s){text or 'understood'}.*{hint}"):
        parse(text)


def test_B3_a_timeframe_is_text() -> None:
    with pytest.raises(ConfigError, match="not int"):
        parse(5)  # type: ignore[arg-type]


def test_B3_the_base_divides_its_multiples_and_one_day() -> None:
    assert parse("5m").divides(parse("15m"))
    assert parse("5m").divides(parse("1h"))
    assert parse("15m").divides(parse("1d"))
    assert parse("1d").divides(parse("1d"))
    assert not parse("15m").divides(parse("5m"))
    assert not parse("10m").divides(parse("15m"))
    assert not parse("1d").divides(parse("1h"))


def test_B3_timeframes_order_by_length() -> None:
    assert sorted([parse("1d"), parse("1h"), parse("5m"), parse("90m")]) == [
        parse("5m"), parse("1h"), parse("90m"), parse("1d"),
    ]
