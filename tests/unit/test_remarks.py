"""What a result says of itself beside its tables, and how a wrong prefix is explained."""

from __future__ import annotations

import pathlib

import pandas as pd
import pytest

import workbench as wb
from tests import worked


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
    assert "the data has 10 of the 50 bars of 1d" in said["note"].iloc[0]
    assert set(result.decisions["decision"]) == {"WARMING_UP"}


def test_E7_warm_up_counts_the_bars_before_the_start_too() -> None:
    bars = wb.samples.stock("AAPL").between("2010-01-04", "2010-01-29")
    result = wb.backtest(strategy(entry="close > SMA(50)"), bars, initial_cash=1e6, start="2010-01-27")
    (note,) = (text for text in result.notes["note"] if text.startswith("NEVER_WARM"))
    assert f"the data has {len(bars)} of the 50 bars" in note


def test_E7_bars_enough_and_yet_never_warm_is_said_otherwise() -> None:
    """A volume of 0 leaves VWAP without a value, however long the history."""
    frame = wb.samples.stock("AAPL").between("2010-01-04", "2010-03-31").frame.assign(volume=0.0)
    result = wb.backtest(strategy(entry="close > VWAP(5)"), wb.Bars(frame, "1d", "XNYS"), initial_cash=1e6)
    (note,) = (text for text in result.notes["note"] if text.startswith("NEVER_WARM"))
    assert f"{len(frame)}/5 bars; there were bars enough" in note


@pytest.mark.parametrize(("gain", "said"), [(0.99, []), (1.0, ["+100 %"]), (1.5, ["+150 %"])])
def test_N3_a_target_far_away_is_noted(gain: float, said: list[str]) -> None:
    bars = wb.samples.stock("AAPL").between("2010-01-04", "2010-01-29")
    notes = wb.backtest(strategy(take_profit_frac=gain), bars, initial_cash=1e6).notes["note"]
    assert [text.split(" is a gain of ")[1].split(";")[0] for text in notes if text.startswith("FAR_TARGET")] == said


def test_B8_data_that_begins_inside_a_coarser_bar_opens_it_and_is_noted() -> None:
    """The first 15m bar is built from 09:20 and 09:25 alone; it counts, and it can be decided on."""
    table = "Mon \n 09:20 101 104 100 102 entry \n 09:25 102 103 99 101 entry \n 09:30-09:40 100"
    bars = worked.bars(table)
    opens = wb.evaluate("open", bars, timeframe="15m")
    assert str(opens.index[0]) == "2024-01-08 03:45:00+00:00"
    assert opens.tolist() == [101.0, 100.0]
    assert wb.evaluate("high", bars, timeframe="15m").tolist() == [104.0, 100.0]
    result = worked.run(table, timeframe="15m")
    assert [str(ts) for ts in result.decisions["ts"]] == ["2024-01-08 04:00:00+00:00", "2024-01-08 04:15:00+00:00"]
    (note,) = (text for text in result.notes["note"] if text.startswith("FIRST_BAR"))
    assert "begins at 2024-01-08 09:20 Asia/Kolkata, inside a bar of 15m" in note


@pytest.mark.parametrize(
    ("start", "first"),
    [
        (None, "Mon 09:30"),
        ("2024-01-08", "Mon 09:30"),
        ("2024-01-08 09:15+05:30", "Mon 09:30"),
        ("2024-01-08 09:20+05:30", "Mon 09:45"),
        ("2024-01-08 09:30+05:30", "Mon 09:45"),
    ],
)
def test_B8_a_start_inside_the_first_coarser_bar_begins_with_the_next(start: str | None, first: str) -> None:
    """That bar opened at 09:15 by the calendar, whatever the data begin with."""
    table = "Mon \n 09:20 101 104 100 102 \n 09:25 102 103 99 101 \n 09:30-09:40 100"
    result = worked.run(table, timeframe="15m", start=start)
    assert worked.when(result, result.decisions["ts"])[0] == first


def test_B8_data_that_begins_with_its_coarser_bars_has_no_such_note() -> None:
    for table in ("Mon \n 09:15-10:00 100", "Mon \n 09:30-10:00 100"):
        notes = worked.run(table, timeframe="15m").notes["note"]
        assert not [text for text in notes if text.startswith("FIRST_BAR")]
    notes = worked.run("Mon \n 09:30-10:00 100", timeframe="15m", entry='close > close("1h")').notes["note"]
    assert [text.split(", inside ")[1][:15] for text in notes if text.startswith("FIRST_BAR")] == ["a bar of 1h: th"]


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


@pytest.mark.parametrize("start", [pd.NaT, float("nan"), "2300-01-01", "1600-01-01", "soon"])
def test_B8_a_start_that_is_no_time_is_refused_in_words(start: object) -> None:
    bars = wb.samples.stock("AAPL").between("2010-01-04", "2010-01-29")
    with pytest.raises(wb.ConfigError, match="start="):
        wb.backtest(strategy(), bars, initial_cash=1e6, start=start)
