"""``workbench evaluate`` and ``workbench indicators``."""

from __future__ import annotations

import pathlib

import pandas as pd
import pytest

from tests.command_line import expect, made_up, write_csv, write_parquet
from workbench.indicators import registry
from workbench.research.evaluate import evaluate


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))


@pytest.fixture
def bars_file(tmp_path: pathlib.Path) -> pathlib.Path:
    """Five-minute bars whose name says so."""
    return write_parquet(tmp_path / "AAA_5m.parquet", made_up())


def test_N2_values_are_those_of_evaluate(tmp_path: pathlib.Path, bars_file: pathlib.Path) -> None:
    out = tmp_path / "values.parquet"
    text = expect(0, "evaluate", "RSI(14)", "--bars", bars_file, "--calendar", "NSE", "--timeframe", "15m",
                  "--output", out, "--tail", "2")  # fmt: skip
    values = evaluate("RSI(14)", made_up(), timeframe="15m")
    written = pd.read_parquet(out)
    pd.testing.assert_series_equal(written.set_index("ts")["value"], values.rename("value"), check_freq=False)
    assert f"{values.iloc[-1]:.10g}" in text
    assert f"{values.iloc[-3]:.10g}" not in text
    assert f"{len(values):,} values, 14 missing" in text
    # The last bar's opening, in the exchange's zone and in UTC.
    assert "2023-01-20 15:15 2023-01-20 09:45Z" in " ".join(text.split())


def test_parameters_are_bound(bars_file: pathlib.Path) -> None:
    args = ("evaluate", "close > SMA($n)", "--bars", bars_file, "--calendar", "NSE")
    assert "19 missing" in expect(0, *args, "--param", "n=20")
    assert "$n" in expect(2, *args)


def test_start_and_end_are_sessions_and_start_only_shows(bars_file: pathlib.Path, tmp_path: pathlib.Path) -> None:
    out = tmp_path / "values.csv"
    expect(0, "evaluate", "SMA(100)", "--bars", bars_file, "--calendar", "NSE", "--start", "2023-01-05", "--end",
           "2023-01-06", "--output", out)  # fmt: skip
    values = pd.read_csv(out, parse_dates=["ts"])
    assert values["ts"].dt.date.astype(str).unique().tolist() == ["2023-01-05", "2023-01-06"]
    assert len(values) == 150
    assert values["value"].notna().all()


def test_a_symbol_of_the_store_needs_no_calendar(bars_file: pathlib.Path) -> None:
    expect(0, "data", "import", bars_file, "--calendar", "NSE")
    assert "store, NSE, 5m bars" in expect(0, "evaluate", "close", "--bars", "AAA", "--timeframe", "1h")
    assert "store, NSE, 5m bars" in expect(0, "evaluate", "close", "--bars", "NSE:AAA")
    assert "no fitting bars" in expect(2, "evaluate", "close", "--bars", "XNYS:AAA")


def test_of_several_stored_timeframes_one_is_named(bars_file: pathlib.Path, tmp_path: pathlib.Path) -> None:
    other = write_csv(tmp_path / "AAA_15m.csv", made_up(1, "15m"))
    expect(0, "data", "import", bars_file, other, "--calendar", "NSE")
    assert "--base 5m" in expect(2, "evaluate", "close", "--bars", "AAA", "--timeframe", "1h")
    assert "15m bars" in expect(0, "evaluate", "close", "--bars", "AAA", "--timeframe", "1h", "--base", "15m")
    assert "5m bars" in expect(0, "evaluate", "close", "--bars", "AAA", "--timeframe", "5m")


def test_missing_values_and_daily_bars_are_shown_as_such(tmp_path: pathlib.Path) -> None:
    path = write_csv(tmp_path / "AAA_1d.csv", made_up(1, "1d"))
    text = expect(0, "evaluate", "SMA(100)", "--bars", path, "--calendar", "NSE", "--tail", "1")
    assert "2023-01-20   missing" in text
    assert "UTC" not in text


@pytest.mark.parametrize(
    ("expression", "says"),
    [("RSY(14)", "RSI"), ("close >", "line 1, column"), ("close > [red]", "[red]"), ("close close", "^")],
)
def test_a_bad_expression_is_shown_with_its_place(bars_file: pathlib.Path, expression: str, says: str) -> None:
    text = expect(2, "evaluate", expression, "--bars", bars_file, "--calendar", "NSE")
    assert text.startswith("error: line 1")
    assert says in text


def test_bars_that_cannot_be_found_are_refused(bars_file: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert "data list" in expect(2, "evaluate", "close", "--bars", "NOPE")
    assert "no such file" in expect(2, "evaluate", "close", "--bars", tmp_path / "no_5m.csv")
    assert "--calendar" in expect(2, "evaluate", "close", "--bars", bars_file)
    assert "is a folder" in expect(2, "evaluate", "close", "--bars", tmp_path)
    silent = write_csv(tmp_path / "export.csv", made_up())
    assert "--base" in expect(2, "evaluate", "close", "--bars", silent, "--calendar", "NSE")
    expect(0, "evaluate", "close", "--bars", silent, "--calendar", "NSE", "--base", "5m")


def test_indicators_lists_every_function_and_series() -> None:
    text = expect(0, "indicators")
    for one in registry.FUNCTIONS:
        assert f" {one.name}(" in text
        assert one.doc in text
    for single in registry.SERIES:
        assert single.doc in text


@pytest.mark.parametrize("name", [function.name for function in registry.FUNCTIONS])
def test_each_indicator_explains_itself(name: str) -> None:
    text = expect(0, "indicators", name.lower())
    assert text.startswith(f"{name}(")
    for way in registry.function(name).overloads:  # type: ignore[union-attr]
        assert way.formula in text


def test_an_indicator_that_does_not_exist_is_suggested_another() -> None:
    assert "Did you mean RSI?" in expect(2, "indicators", "rsj")
    assert "(high + low)/2" in expect(0, "indicators", "hl2")
    assert "workbench indicators" in expect(2, "indicators", "[qqqq]")


def test_real_bars_of_a_stored_symbol(data_dir: pathlib.Path) -> None:
    path = data_dir / "nse_daily" / "RELIANCE_1d.parquet"
    if not path.exists():
        pytest.skip(f"no real file {path}")
    text = expect(0, "evaluate", "RSI(14)", "--bars", path, "--calendar", "NSE", "--repair", "drop", "--tail", "3")
    assert "14 missing" in text
