"""Rules X1 to X5: when orders fill, wait, are cancelled, and when positions must be flat. Worked by hand."""

from __future__ import annotations

import pathlib

import pytest

import workbench as wb
from tests.worked import decisions, fills, notes, orders, run, said, trades

HEADER = "date,exchange,session_type,open_time,close_time,notes\n"


@pytest.fixture
def special(tmp_path: pathlib.Path) -> wb.Calendar:
    """Friday is a half day to 12:30. Saturday has an evening session 18:15-19:17, Sunday two parts with a pause."""
    path = tmp_path / "special.csv"
    path.write_text(
        HEADER
        + "2024-01-12,NSE,HALF_DAY,09:15,12:30,\n"
        + "2024-01-13,NSE,SPECIAL,18:15,19:17,Muhurat\n"
        + "2024-01-14,NSE,SPECIAL,09:15,10:00,drill\n"
        + "2024-01-14,NSE,SPECIAL,11:30,12:30,drill\n"
    )
    return wb.import_calendar(path, home=tmp_path)["NSE"]


# --- X1: next_open ------------------------------------------------------------------------------------------------


def test_X1_an_order_fills_at_the_open_of_the_instrument_s_next_bar() -> None:
    """Decided at 09:20; there is no bar until 09:35, whose open is 103. The exit, decided at 09:40, fills at 09:50."""
    result = run("""
        Mon
        09:15 100              entry
        09:35 103 104 102 102  exit
        09:50 99 101 98 100
        """)
    assert trades(result) == [("Mon 09:35", 103.0, "Mon 09:50", 99.0, "EXIT_SIGNAL", -40.0)]


def test_X1_an_order_of_a_coarser_strategy_fills_at_the_next_base_bar() -> None:
    """Decided at 09:30 on 15m, filled at the 5m bar 09:30, not at the next 15m bar's."""
    result = run("Mon \n 09:15 100 entry \n 09:20-09:25 100 \n 09:30 101 \n 09:35-09:45 105", timeframe="15m")
    assert fills(result) == [("Mon 09:30", "BUY", 10, 101.0, "ENTRY_SIGNAL", "open")]


def test_X1_an_exit_carries_over_nights_until_a_bar_fills_it() -> None:
    """Decided at Monday's close; no bar on Tuesday; filled at Wednesday's 10:00."""
    result = run(
        {
            "A": "Mon \n 15:20 100 entry \n 15:25 100 exit \n Wed \n 10:00 90",
            "B": "Mon \n 15:20 50 \n Tue \n 09:15 50 \n Wed \n 09:15 50",
        }
    )
    assert trades(result) == [("Mon 15:25", "A", 100.0, "Wed 10:00", 90.0, "EXIT_SIGNAL", -100.0)]


def test_X1_an_exit_carries_for_MIS_too_and_is_reported_FLATTEN_FAILED() -> None:
    """The flatten of 15:25 finds no bar before 15:30. It fills at Tuesday's open; the note says so at Monday's end."""
    result = run(
        """
        Mon
        15:10 100              entry
        15:15 100
        Tue
        09:15 97
        """,
        product="MIS",
    )
    assert trades(result) == [("Mon 15:15", 100.0, "Tue 09:15", 97.0, "FORCED_FLATTEN", -30.0)]
    assert notes(result) == [("Mon 15:30", "A", "FLATTEN_FAILED")]


def test_X1_a_position_flattened_in_time_has_no_note() -> None:
    result = run("Mon \n 15:10 100 entry \n 15:15-15:25 100 \n Tue \n 09:15 97", product="MIS")
    assert notes(result) == []
    assert trades(result)[0][2] == "Mon 15:25"


def test_X1_an_entry_waits_through_the_first_interval_of_the_next_session() -> None:
    result = run("Mon \n 15:25 100 entry \n Tue \n 09:15 101")
    assert fills(result) == [("Tue 09:15", "BUY", 10, 101.0, "ENTRY_SIGNAL", "open")]


def test_X1_an_entry_is_cancelled_after_the_first_interval_of_the_next_session() -> None:
    """Tuesday opens without a bar; the bar of 09:20 comes too late."""
    result = run("Mon \n 15:25 100 entry \n Tue \n 09:20 101")
    assert orders(result) == [("Mon 15:30", "BUY", "open", None, "ENTRY_SIGNAL", "CANCELLED")]
    assert fills(result) == []


def test_X1_an_entry_waits_the_rest_of_its_own_session() -> None:
    result = run({"A": "Mon \n 09:15 100 entry \n 15:25 102", "B": "Mon \n 09:15-15:25 50"})
    assert fills(result) == [("Mon 15:25", "A", "BUY", 10, 102.0, "ENTRY_SIGNAL", "open")]


def test_X1_an_entry_of_a_daily_strategy_fills_at_the_next_session_s_open() -> None:
    result = run(
        "Mon 100 101 99 100 entry \n Tue 103 104 102 104 exit \n Wed 105 106 100 101", base="1d", calendar="XNYS"
    )
    assert trades(result) == [("Tue 09:30", 103.0, "Wed 09:30", 105.0, "EXIT_SIGNAL", 20.0)]
    assert list(said(result)) == ["Mon 16:00", "Tue 16:00", "Wed 16:00"]


def test_X1_a_daily_entry_is_cancelled_when_the_next_session_has_no_bar() -> None:
    """A is not traded on Tuesday: its order does not wait for Wednesday."""
    result = run({"A": "Mon 100 entry \n Wed 100", "B": "Mon 50 \n Tue 50 \n Wed 50"}, base="1d", calendar="XNYS")
    assert orders(result) == [("Mon 16:00", "A", "BUY", "open", None, "ENTRY_SIGNAL", "CANCELLED")]


def test_X1_an_MIS_entry_waits_until_the_flatten() -> None:
    """Decided at 15:15, no bar before 15:25: cancelled at the flatten, the bar of 15:25 does not fill it."""
    result = run("Mon \n 15:10 100 entry \n 15:25 100 \n Tue \n 09:15 100", product="MIS")
    assert orders(result) == [("Mon 15:15", "BUY", "open", None, "ENTRY_SIGNAL", "CANCELLED")]


def test_X1_an_MIS_entry_fills_up_to_the_flatten() -> None:
    """Decided at 15:15, the next bar is 15:20: filled, flattened at the next open."""
    result = run("Mon \n 15:10 100 entry \n 15:20 101 \n 15:25 102", product="MIS")
    assert trades(result) == [("Mon 15:20", 101.0, "Mon 15:25", 102.0, "FORCED_FLATTEN", 10.0)]


def test_X1_an_entry_of_proxy_close_waits_until_the_buy_window_ends() -> None:
    result = run("Mon \n 15:20 100 entry \n Tue \n 09:15 100 \n 15:20 100", execution="proxy_close", timeframe="1d")
    assert orders(result) == [("Mon 15:25", "BUY", "open", None, "ENTRY_SIGNAL", "CANCELLED")]


def test_X1_an_exit_of_proxy_close_carries() -> None:
    """No bar at Tuesday's 15:25: sold at Wednesday's first bar."""
    result = run(
        """
        Mon
        15:20 100              entry
        15:25 100
        Tue
        15:20 100              exit
        Wed
        09:15 98
        """,
        execution="proxy_close",
        timeframe="1d",
    )
    assert trades(result) == [("Mon 15:25", 100.0, "Wed 09:15", 98.0, "EXIT_SIGNAL", -20.0)]


@pytest.mark.parametrize(
    ("bar", "decision"),
    [
        ("15:10", "ENTRY_TRUE"),
        ("15:15", "ENTRY_TRUE"),
        ("15:20", "BLOCKED_SESSION_END"),
        ("15:25", "BLOCKED_SESSION_END"),
    ],
)
def test_X1_an_MIS_entry_at_or_after_the_proxy_close_is_blocked(bar: str, decision: str) -> None:
    """The bar 15:15 closes at 15:20; 15:20 closes at 15:25, the proxy close itself."""
    assert list(said(run(f"Mon \n {bar} 100 entry", product="MIS")).values()) == [decision]


@pytest.mark.parametrize(
    ("bar", "decision"), [("09:25", "ENTRY_TRUE"), ("09:30", "BLOCKED_SESSION_END"), ("15:25", "BLOCKED_SESSION_END")]
)
def test_X1_any_entry_at_or_after_exit_time_is_blocked(bar: str, decision: str) -> None:
    assert list(said(run(f"Mon \n {bar} 100 entry", exit_time="09:35")).values()) == [decision]


def test_X1_a_CNC_entry_at_the_last_bar_is_not_blocked() -> None:
    assert said(run("Mon \n 15:25 100 entry")) == {"Mon 15:30": "ENTRY_TRUE"}


# --- X2: MIS ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("direction", "word", "net"), [("LONG", "entry", 20.0), ("SHORT", "short", -20.0)])
def test_X2_MIS_is_flattened_at_the_proxy_close(direction: str, word: str, net: float) -> None:
    """Decided at 15:25, filled at the open of the last bar; the close of that bar does not matter."""
    result = run(
        f"""
        Mon
        09:15 100              {word}
        09:20 100
        15:20 101
        15:25 102 110 90 105
        """,
        product="MIS",
        direction=direction,
    )
    assert trades(result) == [("Mon 09:20", 100.0, "Mon 15:25", 102.0, "FORCED_FLATTEN", net)]
    assert said(result)["Mon 15:25"] == "EXIT_TRUE FORCED_FLATTEN"


def test_X2_the_flatten_is_decided_bar_or_no_bar() -> None:
    """No bar from 09:25 to 15:20; the instant 15:25 is on the grid."""
    result = run("Mon \n 09:15 100 entry \n 09:20 100 \n 15:25 99", product="MIS")
    assert said(result)["Mon 15:25"] == "EXIT_TRUE FORCED_FLATTEN"
    assert trades(result)[0][2:4] == ("Mon 15:25", 99.0)


def test_X2_every_session_flattens() -> None:
    result = run(
        """
        Mon
        09:15 100              entry
        09:20-15:25 100
        Tue
        09:15 100              entry
        09:20-15:25 101
        """,
        product="MIS",
    )
    assert [row[2] for row in trades(result)] == ["Mon 15:25", "Tue 15:25"]


def test_X2_New_York_flattens_five_minutes_before_its_close() -> None:
    result = run("Mon \n 10:00 100 entry \n 10:05 100 \n 15:55 101", calendar="XNYS", product="MIS")
    assert trades(result) == [("Mon 10:05", 100.0, "Mon 15:55", 101.0, "FORCED_FLATTEN", 10.0)]


def test_X2_a_base_with_an_instant_at_the_proxy_close_serves() -> None:
    """370 minutes to 15:25 are 37 bars of ten; the last bar, 15:25 to 15:30, is short."""
    result = run("Mon \n 09:15 100 entry \n 09:25-15:25 100", base="10m", product="MIS")
    assert trades(result)[0][2] == "Mon 15:25"


@pytest.mark.parametrize("base", ["15m", "30m", "1h"])
def test_X2_a_base_without_an_instant_at_the_proxy_close_is_a_configuration_error(base: str) -> None:
    """370 minutes are no multiple of 15, 30 or 60."""
    with pytest.raises(wb.ConfigError, match="15:25"):
        run("Mon \n 09:15 100 entry", base=base, product="MIS")


def test_X2_MIS_on_daily_bars_is_a_configuration_error() -> None:
    with pytest.raises(wb.StrategyError, match="MIS with timeframe 1d"):
        run("Mon 100 entry \n Tue 100", base="1d", calendar="XNYS", product="MIS")


def test_X2_a_half_day_flattens_before_its_own_close(special: wb.Calendar) -> None:
    """Friday closes at 12:30: proxy close 12:25."""
    result = run("Fri \n 09:15 100 entry \n 09:20-12:20 100 \n 12:25 101", calendar=special, product="MIS")
    assert trades(result)[0][2:5] == ("Fri 12:25", 101.0, "FORCED_FLATTEN")


def test_X2_a_special_session_off_the_grid_flattens_at_the_last_instant_before(special: wb.Calendar) -> None:
    """18:15-19:17: proxy close 19:12; the grid has 19:10 and 19:15, so 19:10 serves, for the entry as well."""
    result = run(
        """
        Sat
        18:15 100              entry
        18:20-19:00 100
        19:05 100
        19:10 101
        19:15 102
        """,
        calendar=special,
        product="MIS",
    )
    assert trades(result) == [("Sat 18:20", 100.0, "Sat 19:10", 101.0, "FORCED_FLATTEN", 10.0)]
    for bar, decision in (("19:00", "ENTRY_TRUE"), ("19:05", "BLOCKED_SESSION_END")):
        late = run(f"Sat \n {bar} 100 entry", calendar=special, product="MIS")
        assert list(said(late).values()) == [decision]


def test_X2_two_rows_of_a_day_are_one_session_with_one_flatten(special: wb.Calendar) -> None:
    """The order of 10:00 fills after the pause, at 11:30; flat at 12:25, not at 09:55."""
    result = run(
        """
        Sun
        09:50 100
        09:55 100              entry
        11:30 102
        11:35-12:20 102
        12:25 103
        """,
        calendar=special,
        product="MIS",
    )
    assert trades(result) == [("Sun 11:30", 102.0, "Sun 12:25", 103.0, "FORCED_FLATTEN", 10.0)]


# --- X3: proxy_close -----------------------------------------------------------------------------------------------

PROXY = {"execution": "proxy_close", "timeframe": "1d"}


def test_X3_decides_once_a_session_on_the_day_cut_at_the_proxy_close() -> None:
    """``close`` is 101, of the bar that ends at 15:25, although the day ends at 90; bought at the open of 15:25."""
    result = run(
        """
        Mon
        09:15 95
        15:20 101
        15:25 100.5 100.5 90 90
        Tue
        09:15 102
        15:20 97
        15:25 97.5
        """,
        entry="close > 100",
        exit="close < 98",
        **PROXY,
    )
    assert decisions(result) == [("Mon 15:25", "ENTRY_TRUE"), ("Tue 15:25", "EXIT_TRUE", "", "EXIT_SIGNAL")]
    assert trades(result) == [("Mon 15:25", 100.5, "Tue 15:25", 97.5, "EXIT_SIGNAL", -30.0)]


def test_X3_yesterday_is_cut_as_well() -> None:
    """Tuesday's 95 is below Monday's cut close 101 and above Monday's last price 90: entry is true."""
    result = run(
        """
        Mon
        15:20 101
        15:25 100 100 90 90
        Tue
        15:20 95
        15:25 96
        """,
        entry="close < LAG(close, 1)",
        exit=None,
        **PROXY,
    )
    assert said(result) == {"Mon 15:25": "WARMING_UP", "Tue 15:25": "ENTRY_TRUE"}


def test_X3_the_high_after_the_cut_belongs_to_no_day() -> None:
    """The 120 of Monday's last bar is in neither day's high."""
    result = run(
        "Mon \n 15:20 100 \n 15:25 100 120 100 100 \n Tue \n 15:20 100", entry="high > 110", exit=None, **PROXY
    )
    assert list(said(result).values()) == ["ENTRY_FALSE", "ENTRY_FALSE"]


def test_X3_runs_at_the_proxy_close_of_a_half_day(special: wb.Calendar) -> None:
    result = run("Fri \n 12:20 100 entry \n 12:25 101", calendar=special, **PROXY)
    assert fills(result) == [("Fri 12:25", "BUY", 10, 101.0, "ENTRY_SIGNAL", "open")]


def test_X3_decides_at_the_instant_even_if_the_last_bar_before_it_is_missing() -> None:
    """The day's bars end at 15:00; the step is at 15:25 all the same."""
    result = run("Mon \n 15:00 100 entry \n 15:25 101", **PROXY)
    assert said(result) == {"Mon 15:25": "ENTRY_TRUE"}
    assert fills(result)[0][0] == "Mon 15:25"


def test_X3_a_day_without_bars_before_the_cut_is_NO_BAR() -> None:
    result = run({"A": "Mon \n 15:25 100 entry", "B": "Mon \n 15:20 50"}, **PROXY)
    a = result.decisions[result.decisions.instrument == "NSE:A"]
    assert list(a.decision) == ["NO_BAR"]


def test_X3_stops_inside_the_bar_work_all_day() -> None:
    """Bought Monday 15:25 at 100; Tuesday 11:00 touches 95."""
    result = run("Mon \n 15:20 100 entry \n 15:25 100 \n Tue \n 11:00 99 99 94 96", stop_loss_frac=0.05, **PROXY)
    assert trades(result) == [("Mon 15:25", 100.0, "Tue 11:00", 95.0, "STOP_LOSS", -50.0)]


def test_X3_MIS_with_proxy_close_is_a_configuration_error() -> None:
    with pytest.raises(wb.StrategyError, match="MIS with execution proxy_close"):
        run("Mon \n 15:20 100 entry", product="MIS", **PROXY)


@pytest.mark.parametrize("base", ["15m", "1h"])
def test_X3_a_base_without_an_instant_at_the_proxy_close_is_a_configuration_error(base: str) -> None:
    with pytest.raises(wb.ConfigError, match="15:25"):
        run("Mon \n 09:15 100 entry", base=base, **PROXY)


def test_X3_daily_base_bars_are_a_configuration_error() -> None:
    with pytest.raises(wb.ConfigError, match="intraday"):
        run("Mon 100 entry \n Tue 100", base="1d", calendar="XNYS", **PROXY)


# --- X4: exit_time ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exit_time", "decided"), [("09:35", "Mon 09:35"), ("09:32", "Mon 09:35"), ("-355m", "Mon 09:35")]
)
def test_X4_exit_time_at_the_first_instant_at_or_after_it(exit_time: str, decided: str) -> None:
    """355 minutes before 15:30 is 09:35. Filled at the next open."""
    result = run("Mon \n 09:15 100 entry \n 09:20-09:30 100 \n 09:35 101 \n 09:40 102", exit_time=exit_time)
    assert said(result)[decided] == "EXIT_TRUE FORCED_FLATTEN"
    assert trades(result) == [("Mon 09:20", 100.0, "Mon 09:35", 101.0, "FORCED_FLATTEN", 10.0)]


def test_X4_lasts_to_the_session_s_end_and_not_beyond() -> None:
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 100
        09:25 100              entry
        15:25 100              entry
        Tue
        09:15 100              entry
        """,
        exit_time="09:25",
    )
    assert said(result) == {
        "Mon 09:20": "ENTRY_TRUE",
        "Mon 09:25": "EXIT_TRUE FORCED_FLATTEN",
        "Mon 09:30": "BLOCKED_SESSION_END",
        "Mon 15:30": "BLOCKED_SESSION_END",
        "Tue 09:20": "ENTRY_TRUE",
    }


def test_X4_cancels_working_entries() -> None:
    """A's order of 09:20 waits for a bar; at 09:30 it is cancelled; the bar of 09:35 fills nothing."""
    result = run({"A": "Mon \n 09:15 100 entry \n 09:35 100", "B": "Mon \n 09:15-09:40 50"}, exit_time="09:30")
    assert orders(result) == [("Mon 09:20", "A", "BUY", "open", None, "ENTRY_SIGNAL", "CANCELLED")]


def test_X4_a_wall_time_outside_the_session_is_ignored_there(special: wb.Calendar) -> None:
    """15:00 does not exist on the half day to 12:30, nor in the evening from 18:15.

    Nothing is closed, entries are free.
    """
    result = run(
        """
        Fri
        12:20 100              entry
        12:25 100
        Sat
        18:15 100
        19:15 100
        """,
        calendar=special,
        exit_time="15:00",
    )
    assert list(said(result).values()) == ["ENTRY_TRUE", "EXIT_FALSE", "EXIT_FALSE", "EXIT_FALSE"]


def test_X4_minutes_before_the_close_move_with_it(special: wb.Calendar) -> None:
    """-20m is 12:10 on the half day."""
    result = run("Fri \n 12:00 100 entry \n 12:05 100 \n 12:10 101", calendar=special, exit_time="-20m")
    assert trades(result) == [("Fri 12:05", 100.0, "Fri 12:10", 101.0, "FORCED_FLATTEN", 10.0)]


def test_X4_a_position_carried_in_from_before_is_closed_as_well() -> None:
    """Bought after a wait, at Tuesday's first bar; flat at Tuesday's exit time."""
    result = run(
        """
        Mon
        15:20 100
        Tue
        09:15 100              entry
        09:20 101
        09:25 102
        """,
        exit_time="09:25",
    )
    assert trades(result) == [("Tue 09:20", 101.0, "Tue 09:25", 102.0, "FORCED_FLATTEN", 10.0)]


def test_X4_MIS_closes_at_the_earlier_of_exit_time_and_proxy_close() -> None:
    early = run("Mon \n 09:15 100 entry \n 09:20-15:25 100", product="MIS", exit_time="15:00")
    assert trades(early)[0][2] == "Mon 15:00"
    late = run("Mon \n 09:15 100 entry \n 09:20-15:25 100", product="MIS", exit_time="15:28")
    assert trades(late)[0][2] == "Mon 15:25"


# --- X5: permissions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["SHORT", "BOTH"])
def test_X5_selling_short_needs_MIS_or_MARGIN(direction: str) -> None:
    with pytest.raises(wb.StrategyError, match="CNC: delivery cannot be sold short"):
        run("Mon \n 09:15 100 entry", direction=direction, product="CNC")
    for product in ("MIS", "MARGIN"):
        assert len(fills(run("Mon \n 09:15 100 short \n 09:20 100", direction=direction, product=product))) == 1


def test_X5_a_LONG_strategy_never_sells_short() -> None:
    """An exit without a position sells nothing."""
    result = run("Mon \n 09:15-09:20 100 exit \n 09:25 100 entry \n 09:30 100 exit \n 09:35-09:40 100 exit")
    assert [row[1] for row in fills(result)] == ["BUY", "SELL"]


def test_X5_a_start_trades_nothing_by_itself() -> None:
    """Entry was true before the start and is not true after it: no order. Decisions begin with the start's session."""
    result = run("Mon \n 09:15-15:25 100 entry \n Tue \n 09:15-09:25 100", start="2024-01-09")
    assert said(result)["Tue 09:20"] == "ENTRY_FALSE" and "Mon 15:30" not in said(result)
    assert orders(result) == []
