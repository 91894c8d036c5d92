"""Rules D4 and D5: one reason closes a position; losses close them all. Worked by hand."""

from __future__ import annotations

import pytest

import workbench as wb
from tests.worked import equity, fills, orders, run, said, trades

# --- D4: one reason, by precedence --------------------------------------------------------------------------------

FALL = """
    Mon
    09:15 100              entry
    09:20 100
    09:25 90               exit
    09:30 91
    """
KILL = {"max_drawdown_frac": 0.1}
DAILY_LOSS = {"daily_loss_limit_frac": 0.1}
FLATTEN = {"exit_time": "09:30"}
TRADE_DRAWDOWN = {"max_trade_drawdown_frac": 0.1}
STOP = {"stop_loss_frac": 0.1, "stop_execution": "close"}
HELD = {"max_holding_bars": 1}


@pytest.mark.parametrize(
    ("reason", "fields"),
    [
        ("KILL", KILL | DAILY_LOSS | FLATTEN | TRADE_DRAWDOWN | STOP | HELD),
        ("DAILY_LOSS", DAILY_LOSS | FLATTEN | TRADE_DRAWDOWN | STOP | HELD),
        ("FORCED_FLATTEN", FLATTEN | TRADE_DRAWDOWN | STOP | HELD),
        ("TRADE_DRAWDOWN", TRADE_DRAWDOWN | STOP | HELD),
        ("STOP_LOSS", STOP | HELD),
        ("MAX_HOLDING", HELD),
        ("EXIT_SIGNAL", {}),
    ],
)
def test_D4_the_first_reason_of_the_precedence_wins(reason: str, fields: dict[str, object]) -> None:
    """At 09:30 ten bought at 100 are worth 90 each, a loss of 100 on 1,000: every reason given holds at once."""
    result = run(FALL, cash=1_000, **fields)
    assert fills(result)[1] == ("Mon 09:30", "SELL", 10, 91.0, reason, "open")
    assert said(result)["Mon 09:30"] == f"EXIT_TRUE {reason}"
    assert len(fills(result)) == 2


RISE = """
    Mon
    09:15 100              entry
    09:20 100
    09:25 100 120 100 106  exit
    09:30 107
    """


@pytest.mark.parametrize(
    ("reason", "fields"),
    [
        ("TRAILING_STOP", {"trailing_stop_frac": 0.1, "take_profit_frac": 0.05}),
        ("TAKE_PROFIT", {"take_profit_frac": 0.05}),
        ("MAX_HOLDING", {"take_profit_frac": 0.07}),
    ],
)
def test_D4_trailing_stop_before_target_before_holding(reason: str, fields: dict[str, object]) -> None:
    """Best including 09:25 is 120: trailing level 108, above the close 106; the target 105 is reached as well."""
    result = run(RISE, stop_execution="close", max_holding_bars=1, **fields)
    assert fills(result)[1][4] == reason


def test_D4_max_holding_closes_when_bars_held_reach_it() -> None:
    """The entry fills inside the bar 09:20: held 0 at its close, 1 at 09:30, 2 at 09:35. Sold at the open of 09:35."""
    result = run(
        """
        Mon
        09:15 100              entry
        09:20-09:30 100
        09:35 103
        09:40 104
        """,
        max_holding_bars=2,
    )
    assert trades(result) == [("Mon 09:20", 100.0, "Mon 09:35", 103.0, "MAX_HOLDING", 30.0)]
    assert list(result.trades.bars_held) == [2]


def test_D4_min_holding_delays_the_exit_signal_and_nothing_else() -> None:
    """Exit is true at every close; held 0, 1 at 09:25 and 09:30 are below 2, so it acts at 09:35."""
    table = """
        Mon
        09:15 100              entry
        09:20-09:45 100        exit
        """
    assert trades(run(table, min_holding_bars=2))[0][2:5] == ("Mon 09:35", 100.0, "EXIT_SIGNAL")
    stopped = run(
        table.replace("09:20-09:45 100 ", "09:20-09:45 100 100 94 94 "),
        min_holding_bars=2,
        stop_loss_frac=0.05,
        stop_execution="close",
    )
    assert trades(stopped)[0][2:5] == ("Mon 09:25", 100.0, "STOP_LOSS")


def test_D4_a_position_with_an_exit_working_gets_no_second_one() -> None:
    """A's exit of 09:25 waits for a bar. At 09:35 B's fall kills everything: B gets an exit, A keeps the one it has.

    Cash 2,000, ten A at 100 and ten B at 100; B at 80 leaves 1,800, the limit of 10 %.
    """
    result = run(
        {
            "A": "Mon \n 09:15 100 entry \n 09:20 100 exit \n 09:45 101",
            "B": "Mon \n 09:15 100 entry \n 09:20 100 \n 09:25 100 \n 09:30 80 \n 09:35 80 \n 09:45 80",
        },
        cash=2_000,
        max_drawdown_frac=0.1,
    )
    assert [row for row in orders(result) if row[2] == "SELL"] == [
        ("Mon 09:25", "A", "SELL", "open", None, "EXIT_SIGNAL", "FILLED"),
        ("Mon 09:35", "B", "SELL", "open", None, "KILL", "FILLED"),
    ]
    assert fills(result, "A")[1] == ("Mon 09:45", "SELL", 10, 101.0, "EXIT_SIGNAL", "open")


# --- D5: losses ---------------------------------------------------------------------------------------------------


def test_D5_KILL_at_the_limit_itself_and_entries_stay_blocked() -> None:
    """1,000 in ten at 100.

    At 90.01 equity is 900.1, above 900; at 90 it is 900: killed, and blocked the next day too.
    """
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 100
        09:25 90.01
        09:30 90
        09:35 89
        09:40 89               entry
        Tue
        09:15 89               entry
        """,
        cash=1_000,
        max_drawdown_frac=0.1,
    )
    assert said(result) == {
        "Mon 09:20": "ENTRY_TRUE",
        "Mon 09:25": "EXIT_FALSE",
        "Mon 09:30": "EXIT_FALSE",
        "Mon 09:35": "EXIT_TRUE KILL",
        "Mon 09:40": "ENTRY_FALSE",
        "Mon 09:45": "BLOCKED_KILL",
        "Tue 09:20": "BLOCKED_KILL",
    }
    assert fills(result)[1] == ("Mon 09:35", "SELL", 10, 89.0, "KILL", "open")


def test_D5_KILL_measures_from_the_peak_of_equity() -> None:
    """Up to 120: peak 1,200. At 109 equity 1,090 is above 1,080; at 108 it is 1,080."""
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 100
        09:25 120
        09:30 109
        09:35 108
        09:40 108.5
        """,
        cash=1_000,
        max_drawdown_frac=0.1,
    )
    assert fills(result)[1] == ("Mon 09:40", "SELL", 10, 108.5, "KILL", "open")


def test_D5_KILL_when_equity_is_gone_even_without_a_limit() -> None:
    """Ten sold short at 100 with 1,000: at 200 cash 2,000 - 2,000 = 0."""
    result = run(
        """
        Mon
        09:15 100              short
        09:20 100
        09:25 150
        09:30 199
        09:35 200
        09:40 210              short
        """,
        cash=1_000,
        direction="SHORT",
    )
    assert said(result)["Mon 09:35"] == "EXIT_FALSE"
    assert said(result)["Mon 09:40"] == "EXIT_TRUE KILL"
    assert fills(result)[1] == ("Mon 09:40", "BUY", 10, 210.0, "KILL", "open")
    assert equity(result)["Mon 09:45"] == -100.0
    assert said(result)["Mon 09:45"] == "BLOCKED_KILL"


def test_D5_KILL_closes_all_positions_and_cancels_working_entries() -> None:
    """C's entry of 09:30 waits for a bar when A's fall (09:30, known at 09:35) kills: cancelled. B is closed too."""
    result = run(
        {
            "A": "Mon \n 09:15 100 entry \n 09:20 100 \n 09:25 100 \n 09:30 80 \n 09:35 80",
            "B": "Mon \n 09:15 50 entry \n 09:20 50 \n 09:30 50 \n 09:35 51",
            "C": "Mon \n 09:25 10 entry \n 09:35 10",
        },
        cash=2_000,
        max_drawdown_frac=0.1,
    )
    assert orders(result, "C") == [("Mon 09:30", "BUY", "open", None, "ENTRY_SIGNAL", "CANCELLED")]
    assert fills(result, "A")[1] == ("Mon 09:35", "SELL", 10, 80.0, "KILL", "open")
    assert fills(result, "B")[1] == ("Mon 09:35", "SELL", 10, 51.0, "KILL", "open")


def test_D5_DAILY_LOSS_from_the_session_s_start_until_the_next_session() -> None:
    """Monday ends with 1,000.

    On Tuesday ten lose 5 each at 09:20: 950 = 1,000 * 0.95. Blocked on Tuesday, not on Wednesday.
    """
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 100
        Tue
        09:15 95
        09:20 94
        09:25 94               entry
        Wed
        09:15 94               entry
        09:20 94
        """,
        cash=1_000,
        daily_loss_limit_frac=0.05,
    )
    assert said(result) == {
        "Mon 09:20": "ENTRY_TRUE",
        "Mon 09:25": "EXIT_FALSE",
        "Tue 09:20": "EXIT_TRUE DAILY_LOSS",
        "Tue 09:25": "ENTRY_FALSE",
        "Tue 09:30": "BLOCKED_DAILY_LOSS",
        "Wed 09:20": "ENTRY_TRUE",
        "Wed 09:25": "EXIT_FALSE",
    }
    assert fills(result)[1] == ("Tue 09:20", "SELL", 10, 94.0, "DAILY_LOSS", "open")


def test_D5_DAILY_LOSS_starts_anew_with_what_the_last_session_left() -> None:
    """Monday loses 40 of 1,000 (under 5 %). Tuesday's limit is 960 * 0.95 = 912: 91.3 stays, 91.2 is closed."""
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 100
        15:25 96
        Tue
        09:15 91.3
        09:20 91.2
        09:25 91
        """,
        cash=1_000,
        daily_loss_limit_frac=0.05,
    )
    assert fills(result)[1] == ("Tue 09:25", "SELL", 10, 91.0, "DAILY_LOSS", "open")


def test_D5_TRADE_DRAWDOWN_from_the_best_unrealised_profit() -> None:
    """Ten at 100. 104: profit 40, the peak. 99.5: gave back 45, under 5 % of 995. 99: gave back 50, over 5 % of 990."""
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 100 104 100 104
        09:25 99.5
        09:30 99
        09:35 98
        """,
        cash=1_000,
        max_trade_drawdown_frac=0.05,
    )
    assert trades(result) == [("Mon 09:20", 100.0, "Mon 09:35", 98.0, "TRADE_DRAWDOWN", -20.0)]


def test_D5_TRADE_DRAWDOWN_counts_closes_from_a_peak_of_zero_before_charges() -> None:
    """The high 120 is no mark. Charges of 10 (1 % of 1,000) leave 1,000 of 1,010; they are no loss of the position.

    95.3: lost 47, 5 % of 953 is 47.65: stays; with charges it would be 57. 95.2: lost 48, 5 % of 952 is 47.6.
    """
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 100 120 100 100
        09:25 95.3
        09:30 95.2
        09:35 95
        """,
        cash=1_010,
        costs=wb.costs.bps(100, 0),
        max_trade_drawdown_frac=0.05,
    )
    assert fills(result)[1] == ("Mon 09:35", "SELL", 10, 95.0, "TRADE_DRAWDOWN", "open")


def test_D5_TRADE_DRAWDOWN_of_a_short() -> None:
    """Sold at 100, marked 96 (+40), then 101 (-10): gave back 50, over 5 % of 990."""
    result = run(
        """
        Mon
        09:15 100              short
        09:20 100 100 96 96
        09:25 100.5
        09:30 101
        09:35 102
        """,
        cash=1_000,
        direction="SHORT",
        max_trade_drawdown_frac=0.05,
    )
    assert fills(result)[1] == ("Mon 09:35", "BUY", 10, 102.0, "TRADE_DRAWDOWN", "open")


def test_D5_DAILY_LOSS_of_the_first_session_is_from_the_initial_cash() -> None:
    result = run("Mon \n 09:15 100 entry \n 09:20 100 \n 09:25 95 \n 09:30 94", cash=1_000, daily_loss_limit_frac=0.05)
    assert trades(result)[0][2:5] == ("Mon 09:30", 94.0, "DAILY_LOSS")


def test_D5_DAILY_LOSS_cancels_working_entries() -> None:
    """B's order of 09:25 waits for a bar when A's fall is known at 09:30."""
    result = run(
        {
            "A": "Mon \n 09:15 100 entry \n 09:20 100 \n 09:25 90 \n 09:30 90",
            "B": "Mon \n 09:20 10 entry \n 09:35 10",
        },
        cash=2_000,
        daily_loss_limit_frac=0.05,
    )
    assert orders(result, "B") == [("Mon 09:25", "BUY", "open", None, "ENTRY_SIGNAL", "CANCELLED")]


def test_D5_KILL_comes_before_a_reversal() -> None:
    """The fall to 90 kills; the exit signal with its short entry at the same close is not taken."""
    result = run(
        "Mon \n 09:15 100 entry \n 09:20 100 100 90 90 exit+short \n 09:25 90",
        direction="BOTH",
        cash=1_000,
        max_drawdown_frac=0.1,
    )
    assert said(result)["Mon 09:25"] == "EXIT_TRUE KILL"
    assert len(fills(result)) == 2


def test_D2_the_sell_window_on_one_minute_bars() -> None:
    """Five closes lie in (09:15, 09:20]. At 09:17 best is 120, of the bar that closes there: level 108, its close."""
    result = run(
        """
        Mon
        15:24 100              entry
        15:25 100
        Tue
        09:15 100
        09:16 100 120 100 108
        09:17 107
        """,
        base="1m",
        execution="proxy_close",
        timeframe="1d",
        trailing_stop_frac=0.1,
        stop_execution="close",
    )
    assert trades(result) == [("Mon 15:25", 100.0, "Tue 09:17", 107.0, "TRAILING_STOP", 70.0)]


def test_D5_KILL_within_a_billionth_of_the_limit() -> None:
    """900.0000005 is 900 but for 6e-10 of it (E5); 900.00001 is not."""
    for close, decision in (("90.00000005", "EXIT_TRUE KILL"), ("90.000001", "EXIT_FALSE")):
        table = f"Mon \n 00:00 100 entry \n 00:05 100 100 90 {close}"
        result = run(table, calendar="24x7", cash=1_000, max_drawdown_frac=0.1)
        assert said(result)["Mon 00:10"] == decision
