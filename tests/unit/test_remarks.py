"""What a result says of itself beside its tables, and how a wrong prefix is explained."""

from __future__ import annotations

import pathlib

import pytest

import workbench as wb


def strategy(**changes: object) -> wb.Strategy:
    """Daily and plain."""
    fields: dict[str, object] = {
        "name": "plain", "version": "1.0.0", "instruments": ("XNYS:AAPL",), "timeframe": "1d", "calendar": "XNYS",
        "product": "CNC", "entry": "close > SMA(5)", "exit": "close < SMA(5)",
    }  # fmt: skip
    return wb.Strategy(**{**fields, **changes})  # type: ignore[arg-type]


def test_E7_a_strategy_that_never_warms_is_said_to() -> None:
    bars = wb.samples.stock("AAPL").between("2010-01-04", "2010-01-15")
    result = wb.backtest(strategy(entry="close > SMA(50)"), bars, initial_cash=1e6)
    said = result.notes[result.notes["note"].str.startswith("NEVER_WARM")]
    assert said["instrument"].tolist() == ["XNYS:AAPL"]
    assert "10/50 bars" in said["note"].iloc[0]
    assert set(result.decisions["decision"]) == {"WARMING_UP"}


def test_F10_what_a_cost_model_leaves_out_is_said() -> None:
    bars = wb.samples.stock("AAPL").between("2010-01-04", "2010-03-31")
    model = wb.costs.alpaca_equity()
    assert model.note
    result = wb.backtest(strategy(), bars, initial_cash=1e6, costs=model)
    assert any(model.note in text for text in result.notes["note"])


def test_C1_another_name_of_the_same_calendar_is_not_offered_as_a_calendar() -> None:
    with pytest.raises(wb.StrategyError, match="write 'XNYS:AAPL'") as caught:
        strategy(calendar="NYSE", instruments=("NYSE:AAPL",))
    assert "calendar='NYSE'" not in str(caught.value)


def test_R1_an_open_trade_shows_in_the_short_form() -> None:
    bars = wb.samples.stock("AAPL").between("2010-01-04", "2010-03-31")
    result = wb.backtest(strategy(entry="close > 1", exit="close < 0.5"), bars, initial_cash=1e6)
    assert "n_open_trades=1" in repr(result)


def test_a_report_into_a_file_says_so(tmp_path: pathlib.Path) -> None:
    bars = wb.samples.stock("AAPL").between("2010-01-04", "2010-01-29")
    result = wb.backtest(strategy(), bars, initial_cash=1e6)
    occupied = tmp_path / "report"
    occupied.write_text("mine")
    with pytest.raises(wb.ConfigError, match="cannot be made"):
        result.report(str(occupied))
    assert occupied.read_text() == "mine"
