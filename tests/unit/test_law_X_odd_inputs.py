"""Odd but legal inputs: what a backtest does at its edges, and arguments of the wrong kind. Worked by hand."""

from __future__ import annotations

import datetime as dt
import itertools
import pathlib
from collections.abc import Iterator

import numpy as np
import pytest

import workbench as wb
from tests.worked import bars, decisions, equity, fills, notes, orders, run, said, strategy, trades

# --- few bars -----------------------------------------------------------------------------------------------------


def test_F9_one_bar_decides_and_fills_nothing() -> None:
    for result in (run("Mon \n 09:15 100 entry"), run("Mon 100 entry", base="1d", calendar="XNYS")):
        assert list(said(result).values()) == ["ENTRY_TRUE"]
        assert (len(result.fills), list(result.equity.equity)) == (0, [100_000.0])


def test_F9_data_that_end_inside_a_strategy_bar_decide_nothing_there() -> None:
    """The bar 09:15-09:30 has not closed when the data end at 09:25."""
    assert decisions(run("Mon \n 09:15 100 entry \n 09:20 100", timeframe="15m")) == []


def test_F9_a_start_at_the_last_bar_decides_on_that_bar() -> None:
    result = run("Mon \n 09:15 100 entry \n 09:20 100 entry", start="2024-01-08T09:20+05:30")
    assert said(result) == {"Mon 09:25": "ENTRY_TRUE"}


def test_D3_a_start_inside_a_strategy_bar_begins_with_the_next_one() -> None:
    """09:20 is inside 09:15-09:30: the first bar decided on is 09:30-09:45."""
    result = run("Mon \n 09:15-09:55 100 entry", timeframe="15m", start="2024-01-08T09:20+05:30", entry="close > 0")
    assert list(said(result)) == ["Mon 09:45", "Mon 10:00"]


def test_D3_a_start_on_a_closed_day_begins_with_the_next_session() -> None:
    result = run("Fri \n 15:25 100 entry \n 2024-01-15 \n 09:15 100 entry", start="2024-01-13")
    assert len(decisions(result)) == 1
    assert str(result.decisions.ts.iloc[0]) == "2024-01-15 03:50:00+00:00"


# --- prices -------------------------------------------------------------------------------------------------------


def test_F2_prices_of_a_millionth() -> None:
    """100,000 buys 1e11 at 0.000001. Stop 0.00000095, reached by the low 0.0000009: 5 % are lost."""
    result = run(
        "Mon \n 00:00 0.000001 entry \n 00:05 0.000001 0.0000015 0.0000009 0.000001",
        calendar="24x7",
        stop_loss_frac=0.05,
        sizing=wb.PercentOfEquity(1),
    )
    assert fills(result)[0][2] == 1e11
    assert result.fills.price.iloc[1] == pytest.approx(9.5e-7, rel=1e-12)
    assert equity(result)["Mon 00:10"] == pytest.approx(95_000.0, abs=1e-6)


def test_F2_prices_of_a_hundred_billion() -> None:
    """Stop 9.5e10; the open 9e10 is beyond it."""
    result = run(
        "Mon \n 00:00 100000000000 entry \n 00:05 100000000000 \n 00:10 90000000000",
        calendar="24x7",
        stop_loss_frac=0.05,
        cash=1e16,
    )
    assert trades(result)[0][2:] == ("Mon 00:10", 9e10, "STOP_LOSS", -1e11)


def test_F2_a_price_below_the_tick_has_a_stop_that_nothing_reaches() -> None:
    """0.02 with ticks of 0.05: the stop goes down to 0, the target up to 0.05."""
    result = run("Mon \n 09:15 0.02 entry \n 09:20 0.02 \n 09:25 0.02", stop_loss_frac=0.05, take_profit_frac=0.1)
    assert [row[3] for row in orders(result)[1:]] == [0.0, 0.05]
    assert len(fills(result)) == 1


def test_F2_an_ATR_of_zero_puts_the_stop_at_the_entry() -> None:
    """Bars that do not move: stop 100 - 5 * 0, touched by the entry bar itself."""
    result = run("Mon \n 09:15-09:25 100 \n 09:30 100 entry \n 09:35 100", stop_loss_atr=5, stop_loss_atr_length=2)
    assert trades(result) == [("Mon 09:35", 100.0, "Mon 09:35", 100.0, "STOP_LOSS", 0.0)]


def test_S2_RiskPerTrade_with_an_ATR_of_zero_is_capped_by_leverage() -> None:
    """No distance: infinite units, capped at 100,000 of value."""
    result = run(
        "Mon \n 09:15-09:25 100 \n 09:30 100 entry \n 09:35 100",
        stop_loss_atr=5,
        stop_loss_atr_length=2,
        sizing=wb.RiskPerTrade(0.01),
    )
    assert fills(result)[0][2] == 1_000


@pytest.mark.parametrize(("low", "sold"), [("95.00000005", 95.0), ("95.0000002", None)])
def test_F5_a_low_within_a_billionth_of_the_stop_touches_it(low: str, sold: float | None) -> None:
    """95.00000005 is 5e-10 of itself above 95, rounding (E5); 95.0000002 is 2e-9 above."""
    result = run(f"Mon \n 00:00 100 entry \n 00:05 100 \n 00:10 99 99 {low} 98", calendar="24x7", stop_loss_frac=0.05)
    assert [row[3] for row in fills(result)[1:]] == ([] if sold is None else [sold])


def test_F5_a_high_within_a_billionth_of_the_target_is_not_through_it() -> None:
    table = "Mon \n 00:00 100 entry \n 00:05 100 \n 00:10 99 110.00000005 95 98"
    assert len(fills(run(table, calendar="24x7", take_profit_frac=0.1))) == 2
    assert len(fills(run(table, calendar="24x7", take_profit_frac=0.1, target_touch="through"))) == 1


# --- ruin ---------------------------------------------------------------------------------------------------------


def test_S5_equity_below_zero_is_reported_and_nothing_more_is_bought() -> None:
    """Ten A short at 100 with 1,000. 370 at 09:35: equity 2,000 - 3,700. A has no bar to leave until 09:50, at 700."""
    result = run(
        {
            "A": "Mon \n 09:15 100 short \n 09:20 100 \n 09:25 190 \n 09:30 370 \n 09:50 700",
            "B": "Mon \n 09:15 50 \n 09:20-09:50 50 entry",
        },
        cash=1_000,
        direction="BOTH",
        sizing=wb.PercentOfEquity(1),
    )
    assert trades(result) == [("Mon 09:20", "A", 100.0, "Mon 09:50", 700.0, "KILL", -6_000.0)]
    assert equity(result)["Mon 09:35"] == -1_700.0
    assert equity(result)["Mon 09:55"] == -5_000.0
    assert said(result, "B")["Mon 09:25"] == "BLOCKED_CASH"  # ten A bind all of it
    assert said(result, "B")["Mon 09:35"] == "BLOCKED_KILL"
    assert result.stats["final_equity"] == -5_000.0


# --- instruments --------------------------------------------------------------------------------------------------


def test_D7_the_order_of_the_strategy_s_instruments_changes_no_decision() -> None:
    tables = dict.fromkeys("ABC", "Mon \n 09:15 100 entry \n 09:20 100 exit \n 09:25 101")
    data = {f"NSE:{symbol}": bars(table) for symbol, table in tables.items()}
    found = []
    for names in itertools.permutations(data):
        plan = strategy({name: data[name] for name in names}, max_open_positions=2)
        found.append(fills(wb.backtest(plan, data, initial_cash=100_000)))
    assert all(rows == found[0] for rows in found) and len(found[0]) == 4


def test_D7_names_that_differ_in_case_are_two_instruments() -> None:
    table = "Mon \n 09:15 100 entry \n 09:20 100"
    assert [row[1] for row in fills(run({"a": table, "A": table}))] == ["A", "a"]


def test_D3_an_instrument_named_twice_is_refused() -> None:
    with pytest.raises(wb.StrategyError, match="twice"):
        wb.Strategy(
            name="a",
            version="1.0.0",
            instruments=("NSE:A", "NSE:A"),
            timeframe="5m",
            calendar="NSE",
            product="CNC",
            entry="close > 0",
        )


def test_D3_instruments_that_begin_and_end_on_different_days() -> None:
    result = run(
        {"A": "Mon \n 09:15 100 entry \n 09:20 100", "B": "Wed \n 09:15 50 entry \n 09:20 50 exit \n 09:25 51"}
    )
    assert [(row[0], row[1]) for row in fills(result)] == [("Mon 09:20", "A"), ("Wed 09:20", "B"), ("Wed 09:25", "B")]
    assert list(result.trades.is_open) == [False, True]  # A is marked at its last close, 100
    assert equity(result)["Wed 09:30"] == 100_010.0


# --- sessions -----------------------------------------------------------------------------------------------------


@pytest.fixture
def tiny(tmp_path: pathlib.Path) -> wb.Calendar:
    """Friday trades five minutes, Saturday two, Sunday ten."""
    path = tmp_path / "tiny.csv"
    path.write_text(
        "date,exchange,session_type,open_time,close_time,notes\n"
        "2024-01-12,NSE,SPECIAL,18:15,18:20,\n"
        "2024-01-13,NSE,SPECIAL,18:15,18:17,\n"
        "2024-01-14,NSE,SPECIAL,18:15,18:25,\n"
    )
    return wb.import_calendar(path, home=tmp_path)["NSE"]


def test_X2_a_session_too_short_for_a_flatten_takes_no_MIS_entry(tiny: wb.Calendar) -> None:
    """The one instant of Friday (18:20) and of Saturday (18:17) is after the proxy close; on Sunday 18:20 is it."""
    result = run(
        "Fri \n 18:15 100 entry \n Sat \n 18:15 100 entry \n Sun \n 18:15 100 entry", calendar=tiny, product="MIS"
    )
    assert said(result) == dict.fromkeys(("Fri 18:20", "Sat 18:17", "Sun 18:20"), "BLOCKED_SESSION_END")


def test_X1_a_failed_flatten_fills_in_the_next_session_however_short(tiny: wb.Calendar) -> None:
    result = run("Thu \n 15:10 100 entry \n 15:15 100 \n Fri \n 18:15 101", calendar=tiny, product="MIS")
    assert trades(result) == [("Thu 15:15", 100.0, "Fri 18:15", 101.0, "FORCED_FLATTEN", 10.0)]
    assert notes(result) == [("Thu 15:30", "A", "FLATTEN_FAILED")]


def test_X3_a_session_without_an_instant_at_its_proxy_close_decides_nothing(tiny: wb.Calendar) -> None:
    """Friday and Saturday end with their first bar: no step. Sunday's is at 18:20."""
    result = run(
        "Thu \n 15:20 100 entry \n 15:25 100 \n Fri \n 18:15 100 exit \n Sat \n 18:15 100 exit \n "
        "Sun \n 18:15 100 exit \n 18:20 101",
        calendar=tiny,
        execution="proxy_close",
        timeframe="1d",
    )
    assert said(result) == {"Thu 15:25": "ENTRY_TRUE", "Sun 18:20": "EXIT_TRUE EXIT_SIGNAL"}


def test_X1_short_sessions_are_strategy_bars_of_their_own(tiny: wb.Calendar) -> None:
    """On 15m each of these sessions is one short bar, and orders go from one to the next."""
    result = run(
        "Thu \n 15:25 100 entry \n Fri \n 18:15 100 exit \n Sat \n 18:15 101",
        calendar=tiny,
        timeframe="15m",
    )
    assert trades(result) == [("Fri 18:15", 100.0, "Sat 18:15", 101.0, "EXIT_SIGNAL", 10.0)]


def test_X4_an_exit_time_that_only_the_close_reaches_fills_in_the_next_session() -> None:
    """The first instant at or after 15:29 is the close, 15:30; the next open is Tuesday's."""
    result = run("Mon \n 09:15 100 entry \n 09:20-15:25 100 \n Tue \n 09:15 101", exit_time="15:29")
    assert trades(result) == [("Mon 09:20", 100.0, "Tue 09:15", 101.0, "FORCED_FLATTEN", 10.0)]


def test_X4_a_wall_time_of_FX_is_in_the_session_that_began_the_evening_before() -> None:
    """Monday's session runs from Sunday 17:00: 18:00 is an hour after its open, 16:30 half an hour before its end."""
    table = "Mon \n 17:00 1.1 entry \n 17:05-23:55 1.1 \n 00:00-16:55 1.1"
    for exit_time, sold in (("18:00", "Sun 18:00"), ("16:30", "Mon 16:30")):
        assert trades(run(table, calendar="FX", exit_time=exit_time))[0][2] == sold


def test_X2_MIS_where_the_week_has_no_nights() -> None:
    """FX flattens at 16:55 New York, 24x7 at 23:55 UTC."""
    fx = run("Mon \n 17:00 1.1 entry \n 17:05 1.1 \n 16:55 1.1", calendar="FX", product="MIS")
    crypto = run("Mon \n 00:00 100 entry \n 00:05 100 \n 23:55 101", calendar="24x7", product="MIS")
    assert (trades(fx)[0][2], trades(crypto)[0][2]) == ("Mon 16:55", "Mon 23:55")


# --- much ---------------------------------------------------------------------------------------------------------


def test_R4_many_actions_a_bar_are_all_kept() -> None:
    """Twenty instruments turn at every bar, with a stop, a target and a trailing stop each: every order has an end.

    75 bars: entered at 09:20 and turned at each of the 73 opens after it: 1 + 2 * 73 fills an instrument.
    """
    table = "Mon \n " + "\n ".join(f"{9 + (15 + 5 * i) // 60:02d}:{(15 + 5 * i) % 60:02d} {100 + i}" for i in range(75))
    result = run(
        {f"S{i:02d}": table for i in range(20)},
        product="MARGIN",
        direction="BOTH",
        entry="FLOOR(BARS_SINCE_OPEN() / 2) * 2 == BARS_SINCE_OPEN()",
        short_entry="FLOOR(BARS_SINCE_OPEN() / 2) * 2 != BARS_SINCE_OPEN()",
        exit="close > 0",
        short_exit="close > 0",
        max_open_positions=20,
        cash=1e7,
        stop_loss_frac=0.5,
        take_profit_frac=0.5,
        trailing_stop_frac=0.4,
        costs=wb.costs.bps(10, 0),
    )
    assert len(result.fills) == 20 * (1 + 2 * 73)
    assert set(result.orders.status) == {"FILLED", "CANCELLED", "WORKING"}
    assert (result.orders.status == "WORKING").sum() == 20 * 4  # the last trade's stop and target, and the last turn
    assert result.orders.order_id.is_unique
    assert result.trades.net_pnl.sum() == pytest.approx(result.equity.equity.iloc[-1] - 1e7, abs=1e-6)


# --- arguments of the wrong kind ----------------------------------------------------------------------------------


def wrong_calls() -> Iterator[tuple[str, dict[str, object]]]:
    """What the message must say, and the arguments."""
    given = bars("Mon \n 09:15 100 entry")
    plan = strategy({"NSE:A": given})
    fine: dict[str, object] = {"strategy": plan, "bars": given, "initial_cash": 1_000}
    yield "wb.Strategy", fine | {"strategy": "rsi"}
    yield "wb.Bars", fine | {"bars": given.frame}
    yield "wb.Bars", fine | {"bars": {"NSE:A": given.frame}}
    yield "NoneType", fine | {"bars": None}
    for cash in ("1000", None, True, float("nan"), float("inf"), -1, 0, np.nan):
        yield "initial_cash", fine | {"initial_cash": cash}
    for costs in (0.001, wb.costs.none, "zerodha"):
        yield "cost model", fine | {"costs": costs}
    for start in ("yesterday", [], "2024-01-08 09:20", "2030-01-01"):
        yield "start", fine | {"start": start}


def test_N4_arguments_of_the_wrong_kind_are_refused_with_what_to_write() -> None:
    for said_so, arguments in wrong_calls():
        with pytest.raises(wb.ConfigError, match=said_so):
            wb.backtest(**arguments)  # type: ignore[arg-type]


def test_X1_every_session_s_end_with_an_MIS_position_is_noted() -> None:
    """A has no bar from Monday 15:20 to Thursday 10:00, B trades on Thursday from its open."""
    result = run(
        {
            "A": "Mon \n 15:10 100 entry \n 15:15 100 \n Thu \n 10:00 101",
            "B": "Mon \n 15:15 50 \n Thu \n 09:15 50",
        },
        product="MIS",
    )
    assert notes(result) == [(f"{day} 15:30", "A", "FLATTEN_FAILED") for day in ("Mon", "Tue", "Wed")]
    assert trades(result)[0][3:5] == ("Thu 10:00", 101.0)


def test_X1_an_exit_signal_that_waits_over_the_end_is_noted_too() -> None:
    """The exit working is EXIT_SIGNAL; the flatten adds none (D4), and the position is held over the end still."""
    result = run("Mon \n 15:05 100 entry \n 15:10 100 exit \n Tue \n 10:00 101", product="MIS")
    assert trades(result)[0][2:5] == ("Tue 10:00", 101.0, "EXIT_SIGNAL")
    assert notes(result) == [("Mon 15:30", "A", "FLATTEN_FAILED")]


def test_S3_a_budget_below_one_unit_is_BLOCKED_CASH() -> None:
    for sizing in (wb.FixedCash(50), wb.PercentOfEquity(0.0005)):
        assert said(run("Mon \n 09:15 100 entry", sizing=sizing)) == {"Mon 09:20": "BLOCKED_CASH"}


def test_X3_a_start_after_the_proxy_close_begins_with_the_next_session() -> None:
    """From 15:25 on Monday's day is decided: the first bar decided on is Tuesday's, and equity begins with it."""
    table = "Mon \n 15:20 100 entry \n 15:25 100 \n Tue \n 09:15 100 \n 15:20 100"
    for start in ("2024-01-08T15:25+05:30", "2024-01-09"):
        result = run(table, execution="proxy_close", timeframe="1d", start=start)
        assert list(equity(result)) == ["Tue 09:20", "Tue 15:25"]
        assert said(result) == {"Tue 15:25": "ENTRY_FALSE"}


# --- settings of the calendar -------------------------------------------------------------------------------------


def nse_with(**minutes: int) -> wb.Calendar:
    """NSE with other settings of rule C4."""
    settings = {name: dt.timedelta(minutes=value) for name, value in minutes.items()}
    return wb.resolve_calendar("NSE").with_settings(**settings)


def test_X2_the_proxy_close_is_a_setting() -> None:
    """Ten minutes before the close: decided at 15:20. A quarter of an hour: 15m bars have an instant there."""
    five = run("Mon \n 15:00 100 entry \n 15:05-15:25 100", calendar=nse_with(proxy_before_close=10), product="MIS")
    assert trades(five)[0][2] == "Mon 15:20"
    quarter = run(
        "Mon \n 09:15 100 entry \n 09:30-15:15 100",
        calendar=nse_with(proxy_before_close=15),
        base="15m",
        product="MIS",
    )
    assert trades(quarter)[0][2] == "Mon 15:15"


def test_X3_the_buy_window_is_a_setting() -> None:
    """From 15:15 to 15:30: no bar at 15:15, so the order of 15:15 fills at 15:20."""
    result = run(
        "Mon \n 15:10 100 entry \n 15:20 101",
        calendar=nse_with(proxy_before_close=15),
        execution="proxy_close",
        timeframe="1d",
    )
    assert fills(result) == [("Mon 15:20", "BUY", 10, 101.0, "ENTRY_SIGNAL", "open")]


def test_D2_the_sell_window_is_a_setting() -> None:
    """A quarter of an hour: the close 94 at 09:30 is the last inside (09:15, 09:30]."""
    table = "Mon \n 15:20 100 entry \n 15:25 100 \n Tue \n 09:15-09:20 96 \n {at} 94 \n 09:40 93"
    fields = {"execution": "proxy_close", "timeframe": "1d", "stop_execution": "close", "stop_loss_frac": 0.05}
    for at, sold in (("09:25", 1), ("09:30", 0)):
        result = run(table.format(at=at), calendar=nse_with(sell_after_open=15), **fields)
        assert len(fills(result)) == 1 + sold


def test_R4_settings_of_the_calendar_change_the_hash() -> None:
    table = "Mon \n 09:15 100 entry"
    hashes = {
        run(table, calendar=calendar).hash
        for calendar in ("NSE", nse_with(proxy_before_close=10), nse_with(sell_after_open=10))
    }
    assert len(hashes) == 3


# --- what a result shows of itself --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "fields"),
    [
        ("Mon \n 09:15 100 entry", {}),
        ("Mon \n 09:15-10:00 100", {}),
        ("Mon \n 09:15 100 entry \n 09:20 100 \n 09:25 101", {}),
        (
            "Mon \n 09:15 100 short \n 09:20 100 \n 09:25 190 \n 09:30 370 \n 09:35 700 \n 09:40 700",
            {"cash": 1_000, "direction": "SHORT"},
        ),
        (
            "Mon \n 09:15 100 entry \n 09:20 100 101 90 95 entry \n 09:25 95 96 80 85",
            {"stop_loss_frac": 0.05, "costs": wb.costs.bps(10, 5)},
        ),
    ],
    ids=["one-bar", "no-trade", "open-trade", "ruin", "entry-bar-stops"],
)
def test_S5_vectorbt_values_the_fills_of_an_odd_result_as_we_do(table: str, fields: dict[str, object]) -> None:
    result = run(table, **fields)
    value = float(np.ravel(result.to_vectorbt().value().to_numpy())[-1])
    assert value == pytest.approx(result.equity.equity.iloc[-1], abs=1e-6)
    assert "<" in result._repr_html_()
