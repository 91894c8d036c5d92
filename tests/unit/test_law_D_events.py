"""Rules D1 to D3: fills are booked, marks move at every instant, the step runs at strategy closes. Worked by hand."""

from __future__ import annotations

import workbench as wb
from tests.worked import decisions, fills, orders, run, said

# --- D1: on_fill -------------------------------------------------------------------------------------------------


def test_D1_a_fill_changes_cash_and_sets_the_protective_orders() -> None:
    """Ten bought at the open of 09:20, 101: cash 100,000 - 1,010. Stop 101 * 0.95 = 95.95, target 101 * 1.1 = 111.1."""
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 101 103 99 102
        """,
        stop_loss_frac=0.05,
        take_profit_frac=0.1,
    )
    assert fills(result) == [("Mon 09:20", "BUY", 10, 101.0, "ENTRY_SIGNAL", "open")]
    assert orders(result) == [
        ("Mon 09:20", "BUY", "open", None, "ENTRY_SIGNAL", "FILLED"),
        ("Mon 09:20", "SELL", "stop", 95.95, "STOP_LOSS", "WORKING"),
        ("Mon 09:20", "SELL", "target", 111.1, "TAKE_PROFIT", "WORKING"),
    ]
    assert list(result.equity.cash) == [100_000.0, 98_990.0]
    assert list(result.equity.position_value) == [0.0, 1_020.0]  # ten at the close, 102


def test_D1_the_fill_of_one_protective_order_cancels_the_other() -> None:
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 100
        09:25 100 100 94 95
        """,
        stop_loss_frac=0.05,
        take_profit_frac=0.1,
    )
    assert [row[2:] for row in orders(result)] == [
        ("open", None, "ENTRY_SIGNAL", "FILLED"),
        ("stop", 95.0, "STOP_LOSS", "FILLED"),
        ("target", 110.0, "TAKE_PROFIT", "CANCELLED"),
    ]
    assert list(result.equity.cash) == [100_000.0, 99_000.0, 99_950.0]


def test_D1_a_market_exit_cancels_both_protective_orders() -> None:
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 100              exit
        09:25 102
        """,
        stop_loss_frac=0.05,
        take_profit_frac=0.1,
    )
    assert [row[2:] for row in orders(result)] == [
        ("open", None, "ENTRY_SIGNAL", "FILLED"),
        ("stop", 95.0, "STOP_LOSS", "CANCELLED"),
        ("target", 110.0, "TAKE_PROFIT", "CANCELLED"),
        ("open", None, "EXIT_SIGNAL", "FILLED"),
    ]


# --- D2: on_base_close -------------------------------------------------------------------------------------------


def test_D2_best_price_counts_the_entry_bars_high_once_it_has_closed() -> None:
    """Trailing 10 %.

    While 09:20 runs best is the entry price: level 90. It closes with high 110: level 99 from 09:25.
    """
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 100 110 91 105            # 91 is above 90: stays
        09:25 105 106 99.5 100          # 99.5 is above 99: stays
        09:30 100 100 98.9 99           # 98.9 touches 99
        """,
        trailing_stop_frac=0.1,
    )
    assert fills(result)[1:] == [("Mon 09:30", "SELL", 10, 99.0, "TRAILING_STOP", "stop")]


def test_D2_best_price_of_a_short_is_the_lowest_low() -> None:
    """Short at 100, trailing 10 %: level 110 on the entry bar; its low 90 moves it to 99."""
    result = run(
        """
        Mon
        09:15 100              short
        09:20 100 109 90 95
        09:25 95 98.9 94 95
        09:30 95 99.1 95 99
        """,
        direction="SHORT",
        trailing_stop_frac=0.1,
    )
    assert fills(result) == [
        ("Mon 09:20", "SELL", 10, 100.0, "ENTRY_SIGNAL", "open"),
        ("Mon 09:30", "BUY", 10, 99.0, "TRAILING_STOP", "stop"),
    ]


def test_D2_best_price_counts_the_entry_price_itself() -> None:
    """Slippage of 1 % buys at 101, above every high. Level 101 * 0.9 = 90.9, not 100 * 0.9; filled at 90.9 * 0.99."""
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 100
        09:25 100 100 90.5 91
        """,
        trailing_stop_frac=0.1,
        costs=wb.costs.bps(0, 100),
    )
    assert fills(result) == [
        ("Mon 09:20", "BUY", 10, 101.0, "ENTRY_SIGNAL", "open"),
        ("Mon 09:25", "SELL", 10, 89.991, "TRAILING_STOP", "stop"),
    ]


def test_D2_happens_at_every_instant_of_the_grid_bar_or_no_bar() -> None:
    """No bar from 09:25 to 09:35. The flatten at 09:30 is decided all the same, and fills at the open of 09:35."""
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 100
        09:35 103
        """,
        exit_time="09:30",
    )
    assert said(result) == {
        "Mon 09:20": "ENTRY_TRUE",
        "Mon 09:25": "EXIT_FALSE",
        "Mon 09:30": "EXIT_TRUE FORCED_FLATTEN",
        "Mon 09:40": "ENTRY_FALSE",
    }
    assert fills(result)[1] == ("Mon 09:35", "SELL", 10, 103.0, "FORCED_FLATTEN", "open")


def test_D2_risk_is_watched_between_strategy_bars() -> None:
    """Strategy on 15m. 1,000 at stake; at 09:35, inside the bar 09:30-09:45, ten have lost 100: 10 % of the peak."""
    result = run(
        """
        Mon
        09:15-09:25 100        entry    # 09:15-09:30 closes with three signals: 1 + 1 + 1 is no entry
        09:30 100              entry
        09:35-09:40 100
        09:45 100
        09:50 100 100 90 90
        09:55 91
        """,
        timeframe="15m",
        cash=1_000,
        max_drawdown_frac=0.1,
        entry="volume == 1",
    )
    assert said(result) == {
        "Mon 09:30": "ENTRY_FALSE",
        "Mon 09:45": "ENTRY_TRUE",
        "Mon 09:55": "EXIT_TRUE KILL",
        "Mon 10:00": "ENTRY_FALSE",
    }
    assert fills(result)[1] == ("Mon 09:55", "SELL", 10, 91.0, "KILL", "open")


SELL_WINDOW = {"execution": "proxy_close", "timeframe": "1d", "stop_execution": "close", "stop_loss_frac": 0.05}


def test_D2_the_sell_window_of_proxy_close_looks_at_stops_of_close_execution() -> None:
    """Bought at 15:25 for 100, stop 95.

    Tuesday's first close, 94 at 09:20, is in the sell window: sold at the next open.
    """
    result = run(
        """
        Mon
        15:20 100              entry
        15:25 100
        Tue
        09:15 94
        09:20 93
        15:20 93
        """,
        **SELL_WINDOW,
    )
    assert fills(result) == [
        ("Mon 15:25", "BUY", 10, 100.0, "ENTRY_SIGNAL", "open"),
        ("Tue 09:20", "SELL", 10, 93.0, "STOP_LOSS", "open"),
    ]
    assert said(result)["Tue 09:20"] == "EXIT_TRUE STOP_LOSS"


def test_D2_after_the_sell_window_stops_of_close_execution_wait_for_the_step() -> None:
    """96 at 09:20 is above 95. 94 at 09:25 is outside (09:15, 09:20]; the next look is the step at 15:25."""
    result = run(
        """
        Mon
        15:20 100              entry
        15:25 100
        Tue
        09:15 96
        09:20 94
        15:20 94.5
        15:25 94.2
        """,
        **SELL_WINDOW,
    )
    assert fills(result)[1] == ("Tue 15:25", "SELL", 10, 94.2, "STOP_LOSS", "open")


def test_D2_the_sell_window_compares_the_mark_when_there_is_no_bar() -> None:
    """The entry bar ends at 90, below the stop at 95, after Monday's step. No bar at 09:15: the mark is still 90."""
    result = run(
        """
        Mon
        15:20 100              entry
        15:25 100 100 90 90
        Tue
        09:25 91
        """,
        **SELL_WINDOW,
    )
    assert fills(result)[1] == ("Tue 09:25", "SELL", 10, 91.0, "STOP_LOSS", "open")
    assert said(result)["Tue 09:20"] == "EXIT_TRUE STOP_LOSS"


def test_D2_the_sell_window_takes_profits_too() -> None:
    result = run(
        """
        Mon
        15:20 100              entry
        15:25 100
        Tue
        09:15 106
        09:20 107
        """,
        execution="proxy_close",
        timeframe="1d",
        stop_execution="close",
        take_profit_frac=0.05,
    )
    assert fills(result)[1] == ("Tue 09:20", "SELL", 10, 107.0, "TAKE_PROFIT", "open")


# --- D3: step ----------------------------------------------------------------------------------------------------


def test_D3_exits_are_decided_before_entries() -> None:
    """One slot.

    At 09:25 A leaves and B takes the slot at the same close, although B is after A and enters first in time.
    """
    result = run(
        {
            "B": "Mon \n 09:15 50 entry \n 09:20 50 exit \n 09:25 50",
            "A": "Mon \n 09:15 100      \n 09:20 100 entry \n 09:25 100",
        },
        max_open_positions=1,
    )
    assert fills(result) == [
        ("Mon 09:20", "B", "BUY", 10, 50.0, "ENTRY_SIGNAL", "open"),
        ("Mon 09:25", "B", "SELL", 10, 50.0, "EXIT_SIGNAL", "open"),
        ("Mon 09:25", "A", "BUY", 10, 100.0, "ENTRY_SIGNAL", "open"),
    ]


def test_D3_an_instrument_without_a_bar_is_not_evaluated() -> None:
    """``close > 0`` is true of B's last close, but at 09:25 B has no bar: NO_BAR, no order."""
    result = run(
        {
            "A": "Mon \n 09:15-09:30 100",
            "B": "Mon \n 09:15 50 \n 09:25 50",
        },
        entry="volume == 0 AND close < 60",
        exit=None,
        entry_window=("09:25", "09:30"),
    )
    b = result.decisions[result.decisions.instrument == "NSE:B"]
    assert list(b.decision) == ["BLOCKED_WINDOW", "NO_BAR", "BLOCKED_WINDOW", "NO_BAR"]
    assert fills(result) == []


def test_D3_the_step_runs_at_strategy_closes_only() -> None:
    result = run(
        """
        Mon
        09:15 100              entry
        09:20-09:40 100
        """,
        timeframe="15m",
    )
    assert decisions(result) == [("Mon 09:30", "ENTRY_TRUE"), ("Mon 09:45", "EXIT_FALSE")]
    assert fills(result)[0][0] == "Mon 09:30"
