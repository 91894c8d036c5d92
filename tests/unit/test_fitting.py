"""Quantities that fit no lot are refused or told, and so are sessions that the calendar does not know (S3, C3)."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest

import workbench as wb
from tests.worked import bars, run, strategy
from workbench.market.instruments import forget_instruments

DAY = "Mon \n 09:15 100 entry \n 09:20 100 \n 09:25 100"


@pytest.fixture
def lots_of_75() -> Iterator[str]:
    """A symbol that trades in lots of 75."""
    wb.register_instrument("NSE:NIFTYFUT", lot=75)
    yield "NIFTYFUT"
    forget_instruments()


def told(result: wb.Result, code: str) -> list[tuple[str, str]]:
    """Instrument and text of the notes that begin with a word."""
    rows = zip(result.notes["instrument"], result.notes["note"], strict=True)
    return [(name, note) for name, note in rows if note.startswith(f"{code}:")]


@pytest.mark.parametrize("qty", [0.5, 0.999, 1 - 1e-8])
def test_S3_a_fixed_quantity_below_one_lot_is_refused(qty: float) -> None:
    """It was BLOCKED_CASH at every entry, with a million in cash."""
    with pytest.raises(wb.StrategyError) as error:
        run(DAY, sizing=wb.FixedQty(qty), cash=1e6)
    said = str(error.value)
    assert f"FixedQty({qty:.10g}) is less than one lot of NSE:A, which is 1" in said
    assert "The least is FixedQty(1)" in said and "wb.register_instrument('NSE:A', lot=...)" in said


def test_S3_the_lot_is_the_instrument_s(lots_of_75: str) -> None:
    with pytest.raises(wb.StrategyError, match="less than one lot of NSE:NIFTYFUT, which is 75"):
        run({lots_of_75: DAY}, sizing=wb.FixedQty(74))
    result = run({lots_of_75: DAY}, sizing=wb.FixedQty(160))
    assert result.fills["qty"].tolist() == [150.0]
    ((name, note),) = told(result, "LOTS")
    assert name == "NSE:NIFTYFUT"
    assert "FixedQty(160) is no whole number of lots of 75, so 150 is traded" in note
    assert note.endswith("the next larger quantity is 225.")


def test_S3_one_instrument_of_several_that_takes_no_such_lot_is_named(lots_of_75: str) -> None:
    with pytest.raises(wb.StrategyError, match="NSE:NIFTYFUT, which is 75"):
        run({"A": DAY, lots_of_75: DAY}, sizing=wb.FixedQty(10))


def test_S3_a_quantity_rounded_down_to_lots_is_noted() -> None:
    result = run(DAY, sizing=wb.FixedQty(2.5))
    assert result.fills["qty"].tolist() == [2.0]
    ((name, note),) = told(result, "LOTS")
    assert (name, note.split(" is no ")[0]) == ("NSE:A", "LOTS: FixedQty(2.5)")


@pytest.mark.parametrize("qty", [1.0, 3.0, 3 - 1e-10])
def test_S3_a_whole_number_of_lots_says_nothing(qty: float) -> None:
    result = run(DAY, sizing=wb.FixedQty(qty))
    assert result.fills["qty"].tolist() == [round(qty)]
    assert told(result, "LOTS") == []


def test_S3_a_smaller_lot_takes_half_a_coin() -> None:
    wb.register_instrument("24x7:BTC", lot=0.001)
    try:
        result = run({"24x7:BTC": "Mon \n 09:15 100 entry \n 09:20 100"}, calendar="24x7", sizing=wb.FixedQty(0.5))
        assert result.fills["qty"].tolist() == [0.5]
        assert told(result, "LOTS") == []
    finally:
        forget_instruments()


def test_C3_a_run_of_days_that_no_calendar_covers_says_so() -> None:
    """Every decision is BLOCKED_CALENDAR; the reason is in the notes."""
    table = "2045-01-02 \n 09:15-09:25 100 entry \n 2045-01-03 \n 09:15-09:25 100 entry"
    result = run(table)
    assert "BLOCKED_CALENDAR" in set(result.decisions["decision"].astype(str))
    ((name, note),) = told(result, "CALENDAR_UNKNOWN")
    assert name == ""
    assert "NSE does not cover 2 of the 2 sessions, 2045-01-02 to 2045-01-03" in note
    assert note.endswith("workbench calendar import FILE --covers 2045")


def test_C3_some_days_that_no_calendar_covers_are_counted_from_the_start_on(unknown_from: pd.Timestamp) -> None:
    days = pd.bdate_range(unknown_from - pd.Timedelta(days=14), unknown_from + pd.Timedelta(days=14))
    calendar = wb.resolve_calendar("NSE")
    open_days = [day.date() for day in days if calendar.session(day.date()) is not None]
    known = [day for day in open_days if calendar.session(day).known]
    data = {"NSE:A": bars("\n".join(f"{day} \n 09:15 100" for day in open_days))}
    ((_, note),) = told(wb.backtest(strategy(data), data), "CALENDAR_UNKNOWN")
    unknown = [day for day in open_days if day not in known]
    assert 0 < len(unknown) < len(open_days)
    assert f"{len(unknown)} of the {len(open_days)} sessions, {unknown[0]} to {unknown[-1]}" in note
    later = wb.backtest(strategy(data), data, start=str(unknown[2]))
    ((_, note),) = told(later, "CALENDAR_UNKNOWN")
    assert f"{len(unknown) - 2} of the {len(unknown) - 2} sessions, {unknown[2]} to" in note


@pytest.fixture(scope="module")
def unknown_from() -> pd.Timestamp:
    """The first day of a year of which the NSE's calendar knows nothing."""
    calendar = wb.resolve_calendar("NSE")
    for year in range(2024, 2060):
        sessions = [calendar.session(day.date()) for day in pd.bdate_range(f"{year}-01-05", f"{year}-01-20")]
        if all(one is not None and not one.known for one in sessions):
            return pd.Timestamp(f"{year}-01-01")
    raise AssertionError("every year up to 2060 is known")


def test_C3_known_days_say_nothing() -> None:
    assert told(run(DAY), "CALENDAR_UNKNOWN") == []


def test_R1_an_excursion_of_nothing_is_0_and_not_minus_0() -> None:
    """A short that was never better or worse than its entry."""
    table = "Mon \n 09:15 100 short \n 09:20 100 \n 09:25 100 cover \n 09:30 100"
    for fields in ({"direction": "SHORT", "product": "MARGIN"}, {"direction": "LONG", "entry": "volume == 4"}):
        trades = run(table, **fields).trades
        assert len(trades) == 1
        assert [str(trades[name].iloc[0]) for name in ("mae_frac", "mfe_frac")] == ["0.0", "0.0"]
