"""Rules D6 and D7: who may enter, and in which order. Worked by hand."""

from __future__ import annotations

import pathlib

import pytest

import workbench as wb
from tests.worked import decisions, fills, orders, run, said, trades

# --- D6: candidates ----------------------------------------------------------------------------------------------


def test_D6_an_entry_needs_no_position() -> None:
    """Entry is true again while the position is open: nothing is added; recorded is an exit that is false."""
    result = run("Mon \n 09:15-09:30 100 entry")
    assert len(fills(result)) == 1
    assert list(said(result).values()) == ["ENTRY_TRUE", "EXIT_FALSE", "EXIT_FALSE", "EXIT_FALSE"]


@pytest.mark.parametrize(
    ("bar", "decision"),
    [("09:15", "BLOCKED_WINDOW"), ("09:20", "ENTRY_TRUE"), ("09:25", "ENTRY_TRUE"), ("09:30", "BLOCKED_WINDOW")],
)
def test_D6_the_entry_window_is_open_at_its_first_instant_and_shut_at_its_last(bar: str, decision: str) -> None:
    """Window 09:25 to 09:35 on closes: the bar 09:20 closes at 09:25, inside; 09:30 closes at 09:35, outside."""
    result = run(f"Mon \n {bar} 100 entry", entry_window=("09:25", "09:35"))
    assert list(said(result).values()) == [decision]


def test_D6_the_entry_window_is_in_the_session_s_own_time() -> None:
    """New York 10:00 is 15:00 UTC in January. The bar 09:55 closes at 10:00."""
    result = run("Mon \n 09:50 100 entry \n 09:55 100 entry", calendar="XNYS", entry_window=("10:00", "10:30"))
    assert said(result) == {"Mon 09:55": "BLOCKED_WINDOW", "Mon 10:00": "ENTRY_TRUE"}


def test_D6_max_trades_per_day_counts_entry_orders_of_the_session() -> None:
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 100              exit
        09:25 100              entry
        Tue
        09:15 100              entry
        09:20 100
        """,
        max_trades_per_day=1,
    )
    assert said(result) == {
        "Mon 09:20": "ENTRY_TRUE",
        "Mon 09:25": "EXIT_TRUE EXIT_SIGNAL",
        "Mon 09:30": "BLOCKED_MAX_TRADES",
        "Tue 09:20": "ENTRY_TRUE",
        "Tue 09:25": "EXIT_FALSE",
    }


def test_D6_max_trades_per_day_is_of_the_deployment_not_of_an_instrument() -> None:
    result = run({"A": "Mon \n 09:15 100 entry", "B": "Mon \n 09:15 100 entry"}, max_trades_per_day=1)
    assert decisions(result) == [("Mon 09:20", "A", "ENTRY_TRUE"), ("Mon 09:20", "B", "BLOCKED_MAX_TRADES")]


def test_D6_max_trades_per_day_counts_an_entry_that_was_sent_and_cancelled() -> None:
    """One slot. B's order of 09:25 needs A's exit, which has no bar at 09:25: cancelled, yet it was the second sent."""
    result = run(
        {
            "A": "Mon \n 09:15 100 entry \n 09:20 100 exit \n 09:30 100",
            "B": "Mon \n 09:20 50 entry \n 09:25 50 \n 09:30 50 entry",
        },
        max_open_positions=1,
        max_trades_per_day=2,
    )
    assert orders(result, "B") == [("Mon 09:25", "BUY", "open", None, "ENTRY_SIGNAL", "CANCELLED_NO_SLOT")]
    assert said(result, "B")["Mon 09:35"] == "BLOCKED_MAX_TRADES"


def test_D6_both_entries_true_is_a_conflict() -> None:
    result = run("Mon \n 09:15 100 entry+short \n 09:20 100", direction="BOTH")
    assert said(result) == {"Mon 09:20": "BLOCKED_CONFLICT", "Mon 09:25": "ENTRY_FALSE"}
    assert orders(result) == []


def test_D6_BOTH_opens_each_side_by_its_own_entry_and_closes_it_by_its_own_exit() -> None:
    """The short's cover at 09:40 does nothing to a long, an exit at 09:25 nothing to a short."""
    result = run(
        """
        Mon
        09:15 100              short
        09:20 100              exit
        09:25 99               cover
        09:30 98               entry
        09:35 97               cover
        09:40 96               exit
        09:45 95
        """,
        direction="BOTH",
    )
    assert trades(result) == [
        ("Mon 09:20", 100.0, "Mon 09:30", 98.0, "EXIT_SIGNAL", 20.0),
        ("Mon 09:35", 97.0, "Mon 09:45", 95.0, "EXIT_SIGNAL", -20.0),
    ]
    assert list(result.trades.direction) == ["SHORT", "LONG"]


@pytest.mark.parametrize(("first", "second", "side"), [("entry", "exit+short", 1), ("short", "cover+entry", -1)])
def test_D6_an_exit_signal_with_the_opposite_entry_is_a_reversal(first: str, second: str, side: int) -> None:
    """Turns at one open, the exit first, and no cooldown holds it: 10 at 100, out and the other way at 103."""
    result = run(f"Mon \n 09:15 100 {first} \n 09:20 100 {second} \n 09:25 103", direction="BOTH", cooldown_bars=5)
    there, back = ("BUY", "SELL") if side > 0 else ("SELL", "BUY")
    assert fills(result) == [
        ("Mon 09:20", there, 10, 100.0, "ENTRY_SIGNAL", "open"),
        ("Mon 09:25", back, 10, 103.0, "EXIT_SIGNAL", "open"),
        ("Mon 09:25", back, 10, 103.0, "ENTRY_SIGNAL", "open"),
    ]
    assert said(result)["Mon 09:25"] == "EXIT_TRUE EXIT_SIGNAL ENTRY_TRUE"


def test_D6_both_entries_true_blocks_a_reversal_but_not_the_exit() -> None:
    result = run("Mon \n 09:15 100 entry \n 09:20 100 exit+entry+short \n 09:25 103", direction="BOTH")
    assert said(result)["Mon 09:25"] == "EXIT_TRUE EXIT_SIGNAL BLOCKED_CONFLICT"
    assert len(fills(result)) == 2


def test_D6_only_an_exit_signal_reverses() -> None:
    """At 09:25 the position has been held 0 bars, at 09:30 one.

    MAX_HOLDING comes first, and the short entry is not taken.
    """
    result = run(
        "Mon \n 09:15 100 entry \n 09:20 100 \n 09:25 100 exit+short \n 09:30 100", direction="BOTH", max_holding_bars=1
    )
    assert said(result)["Mon 09:30"] == "EXIT_TRUE MAX_HOLDING"
    assert [row[1:] for row in fills(result)] == [
        ("BUY", 10, 100.0, "ENTRY_SIGNAL", "open"),
        ("SELL", 10, 100.0, "MAX_HOLDING", "open"),
    ]


def test_D6_the_opposite_entry_alone_does_not_close_a_position() -> None:
    result = run("Mon \n 09:15 100 entry \n 09:20 100 short \n 09:25 100", direction="BOTH")
    assert len(fills(result)) == 1
    assert said(result)["Mon 09:25"] == "EXIT_FALSE"


def test_D6_an_unknown_day_blocks_entries_and_never_exits(tmp_path: pathlib.Path) -> None:
    """2040 is covered, 2041 is not: nobody knows whether 2041-01-01 trades."""
    path = tmp_path / "calendar.csv"
    path.write_text("date,exchange,session_type,open_time,close_time,notes\n2040-12-31,NSE,COVERED,,,\n")
    nse = wb.import_calendar(path, home=tmp_path)["NSE"]
    result = run(
        """
        2040-12-31
        15:20 100              entry
        15:25 100
        2041-01-01
        09:15 100              exit
        09:20 101              entry
        """,
        calendar=nse,
    )
    assert said(result) == {
        "Mon 15:25": "ENTRY_TRUE",
        "Mon 15:30": "EXIT_FALSE",
        "Tue 09:20": "EXIT_TRUE EXIT_SIGNAL",
        "Tue 09:25": "BLOCKED_CALENDAR",
    }
    assert fills(result)[1] == ("Tue 09:20", "SELL", 10, 101.0, "EXIT_SIGNAL", "open")


@pytest.mark.parametrize(
    ("fields", "entry"),
    [
        ({"max_trades_per_day": 1}, "BLOCKED_MAX_TRADES"),
        ({"entry_window": ("09:15", "09:25")}, "BLOCKED_WINDOW"),
        ({"sizing": wb.PercentOfEquity(1), "cash": 1_000}, "ENTRY_TRUE"),  # its own proceeds pay for it
        ({"sizing": wb.PercentOfEquity(1), "cash": 1_000, "reuse_exit_proceeds": False}, "BLOCKED_CASH"),
        ({"max_open_positions": 1}, "ENTRY_TRUE"),  # its own slot
        ({"cooldown_bars": 9}, "ENTRY_TRUE"),
    ],
)
def test_D6_what_blocks_an_entry_blocks_the_entry_of_a_reversal(fields: dict[str, object], entry: str) -> None:
    """The exit goes in every case."""
    result = run("Mon \n 09:15 100 entry \n 09:20 100 exit+short \n 09:25 100", direction="BOTH", **fields)
    assert said(result)["Mon 09:25"] == f"EXIT_TRUE EXIT_SIGNAL {entry}"
    assert len(fills(result)) == (3 if entry == "ENTRY_TRUE" else 2)


def test_D6_no_reversal_into_a_flatten() -> None:
    """At 15:20 the short still may; at 15:25, the proxy close, the flatten comes before the exit signal."""
    table = "Mon \n 15:05 100 entry \n 15:10 100 \n {at} 100 exit+short \n 15:25 100"
    turned = run(table.format(at="15:15"), direction="BOTH", product="MIS")
    assert said(turned)["Mon 15:20"] == "EXIT_TRUE EXIT_SIGNAL ENTRY_TRUE"
    flat = run(table.format(at="15:20"), direction="BOTH", product="MIS")
    assert said(flat)["Mon 15:25"] == "EXIT_TRUE FORCED_FLATTEN"


# --- D7: order of candidates --------------------------------------------------------------------------------------


def one_bar(**prices: float) -> dict[str, str]:
    """Every instrument enters at 09:15 at a price of its own, and has a bar at 09:20."""
    return {symbol: f"Mon \n 09:15 {price} entry \n 09:20 {price}" for symbol, price in prices.items()}


def test_D7_EQUAL_goes_by_name_in_code_points() -> None:
    """B before a before b, whatever the order in which they are given."""
    result = run(one_bar(b=10, B=10, a=10))
    assert [row[1] for row in orders(result)] == ["B", "a", "b"]
    assert [row[1] for row in fills(result)] == ["B", "a", "b"]


def test_D7_RANKING_goes_highest_first_ties_by_name_missing_last() -> None:
    """Rank 100 / (close - 50): A at 50 is missing, C and D at 60 are 10, B at 55 is 20."""
    result = run(one_bar(A=50, B=55, D=60, C=60), allocation="RANKING", rank="100 / (close - 50)")
    assert [row[1] for row in orders(result)] == ["B", "C", "D", "A"]
    assert [row[1] for row in fills(result)] == ["B", "C", "D", "A"]


def test_D7_ranks_within_a_billionth_are_a_tie() -> None:
    """B's rank is higher by 1e-10 of its size: rounding, so A comes first by name (E5)."""
    result = run(
        {"A": "Mon \n 00:00 100 entry \n 00:05 100", "B": "Mon \n 00:00 100.00000001 entry \n 00:05 100"},
        allocation="RANKING",
        rank="close",
        calendar="24x7",
        max_open_positions=1,
    )
    assert decisions(result)[:2] == [("Mon 00:05", "A", "ENTRY_TRUE"), ("Mon 00:05", "B", "BLOCKED_SLOTS")]


def test_D7_the_order_is_the_order_of_sizing() -> None:
    """1,500 pay ten at 100, not twenty: the one ranked first gets them."""
    result = run(one_bar(A=100, B=101), allocation="RANKING", rank="close", cash=1_500)
    assert decisions(result)[:2] == [("Mon 09:20", "A", "BLOCKED_CASH"), ("Mon 09:20", "B", "ENTRY_TRUE")]
