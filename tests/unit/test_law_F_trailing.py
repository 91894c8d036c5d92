"""Rules F6 to F10: trailing stops, stops on the close, what is flat when, the end of the data, charges.

Worked by hand.
"""

from __future__ import annotations

import datetime as dt

import pytest

import workbench as wb
from tests.worked import fills, orders, run, said, trades
from workbench.costs.model import CostModel, Rates, Schedule

HELD = "Mon \n 09:15 100 entry \n 09:20 100 \n "
HELD_SHORT = "Mon \n 09:15 100 short \n 09:20 100 \n "

# --- F6: trailing -------------------------------------------------------------------------------------------------


def test_F6_the_level_follows_the_best_closed_bar() -> None:
    """10 %: 90 at first. High 108: 97.20 from the next bar on. Within its own bar the 108 moves nothing: 95 passes."""
    result = run(HELD + "09:25 100 108 95 100 \n 09:30 100 100 97.2 98", trailing_stop_frac=0.1)
    assert trades(result) == [("Mon 09:20", 100.0, "Mon 09:30", 97.2, "TRAILING_STOP", -28.0)]


def test_F6_the_level_of_a_short_follows_the_lowest_closed_bar() -> None:
    """110 at first. Low 92: 101.20 from the next bar on."""
    result = run(
        HELD_SHORT + "09:25 100 105 92 100 \n 09:30 100 101.2 100 100", direction="SHORT", trailing_stop_frac=0.1
    )
    assert trades(result) == [("Mon 09:20", 100.0, "Mon 09:30", 101.2, "TRAILING_STOP", -12.0)]


def test_F6_the_level_is_rounded_like_a_stop() -> None:
    """103.35 * 0.95 = 98.1825: down to 98.15 for a long. Low 96.65 * 1.05 = 101.4825: up to 101.50 for a short."""
    result = run(HELD + "09:25 100 103.35 100 103 \n 09:30 103 103 98 99", trailing_stop_frac=0.05)
    assert fills(result)[1][3] == 98.15
    mirrored = run(
        HELD_SHORT + "09:25 100 100 96.65 97 \n 09:30 97 102 97 99", direction="SHORT", trailing_stop_frac=0.05
    )
    assert fills(mirrored)[1][3] == 101.5


def test_F6_the_level_never_goes_back() -> None:
    """Best 120 at 09:25: 108. Lower highs afterwards change nothing."""
    result = run(
        HELD + "09:25 110 120 110 119 \n 09:30 110 112 109 111 \n 09:35 110 111 107.9 110", trailing_stop_frac=0.1
    )
    assert trades(result)[0][2:5] == ("Mon 09:35", 108.0, "TRAILING_STOP")


def test_F6_a_gap_through_the_trailing_level_fills_at_the_open() -> None:
    result = run(HELD + "09:25 110 120 110 119 \n 09:30 105 106 104 105", trailing_stop_frac=0.1)
    assert fills(result)[1] == ("Mon 09:30", "SELL", 10, 105.0, "TRAILING_STOP", "stop")


@pytest.mark.parametrize(("high", "sold"), [("104.95", None), ("105", 99.75), ("106", 100.7)])
def test_F6_inactive_until_the_gain_is_reached(high: str, sold: float | None) -> None:
    """Trailing 5 % after a gain of 5 %: best 104.95 is not enough; 105 gives 99.75, 106 gives 100.70."""
    result = run(
        HELD + f"09:25 100 {high} 100 101 \n 09:30 101 101 90 95",
        trailing_stop_frac=0.05,
        trailing_activation_frac=0.05,
    )
    assert [row[3] for row in fills(result)[1:]] == ([] if sold is None else [sold])


def test_F6_inactive_means_no_level_at_all_at_first() -> None:
    """Without a stop of its own the position has no stop order until the trailing stop is active."""
    result = run(
        HELD + "09:25 100 104 50.5 101 \n 09:30 101 106 101 105 \n 09:35 105",
        trailing_stop_frac=0.05,
        trailing_activation_frac=0.05,
    )
    assert len(fills(result)) == 1
    assert [row[2:4] for row in orders(result)[1:]] == [("stop", 100.7)]


def test_F6_activation_of_a_short() -> None:
    """Low 95 is a gain of 5 %: level 99.75."""
    result = run(
        HELD_SHORT + "09:25 100 100 95 96 \n 09:30 96 100 96 98",
        direction="SHORT",
        trailing_stop_frac=0.05,
        trailing_activation_frac=0.05,
    )
    assert fills(result)[1][3:5] == (99.75, "TRAILING_STOP")


@pytest.mark.parametrize(
    ("trailing", "price", "reason"),
    [
        (0.10, 95.0, "STOP_LOSS"),  # level 90: the stop at 95 is the better
        (0.05, 95.0, "STOP_LOSS"),  # level 95: not strictly better
        (0.04, 96.0, "TRAILING_STOP"),  # level 96
    ],
)
def test_F6_the_working_stop_is_the_better_of_the_two(trailing: float, price: float, reason: str) -> None:
    result = run(HELD + "09:25 100 100 90 92", stop_loss_frac=0.05, trailing_stop_frac=trailing)
    assert fills(result)[1][3:5] == (price, reason)


def test_F6_the_trailing_level_takes_over_from_the_stop() -> None:
    """Stop 95; best 110 makes a level of 99. One order, moved, whose reason is now TRAILING_STOP."""
    result = run(HELD + "09:25 100 110 100 109 \n 09:30 109 109 98 100", stop_loss_frac=0.05, trailing_stop_frac=0.1)
    assert orders(result)[1:] == [("Mon 09:20", "SELL", "stop", 99.0, "TRAILING_STOP", "FILLED")]


# --- F7: stops on the close -----------------------------------------------------------------------------------------


def test_F7_levels_are_compared_with_the_close_and_fill_at_the_next_open() -> None:
    """Low 90 of 09:25 does nothing; its close 95 is at the stop: sold at the next open, 97."""
    result = run(HELD + "09:25 100 100 90 95 \n 09:30 97", stop_execution="close", stop_loss_frac=0.05)
    assert fills(result)[1] == ("Mon 09:30", "SELL", 10, 97.0, "STOP_LOSS", "open")
    assert said(result)["Mon 09:30"] == "EXIT_TRUE STOP_LOSS"


def test_F7_a_low_below_the_stop_with_a_close_above_it_stays() -> None:
    assert (
        len(fills(run(HELD + "09:25 100 100 90 95.05 \n 09:30 97", stop_execution="close", stop_loss_frac=0.05))) == 1
    )


def test_F7_no_order_rests_in_the_market() -> None:
    result = run(HELD + "09:25 100 112 90 100", stop_execution="close", stop_loss_frac=0.05, take_profit_frac=0.1)
    assert [row[2] for row in orders(result)] == ["open"]


def test_F7_the_trailing_level_counts_the_closing_bar_itself() -> None:
    """High 120 and close 108 in one bar: level 108, reached by that very close (best including t, D4)."""
    result = run(HELD + "09:25 100 120 100 108 \n 09:30 107", stop_execution="close", trailing_stop_frac=0.1)
    assert fills(result)[1] == ("Mon 09:30", "SELL", 10, 107.0, "TRAILING_STOP", "open")


def test_F7_the_target_is_compared_with_the_close() -> None:
    result = run(
        HELD + "09:25 100 120 100 109 \n 09:30 109 110 109 110 \n 09:35 111",
        stop_execution="close",
        take_profit_frac=0.1,
    )
    assert fills(result)[1] == ("Mon 09:35", "SELL", 10, 111.0, "TAKE_PROFIT", "open")


def test_F7_the_levels_of_a_short_are_compared_with_the_close() -> None:
    table = HELD_SHORT + "09:25 100 110 85 {close} \n 09:30 100"
    for close, found in (("105", ["STOP_LOSS"]), ("104.95", []), ("90", ["TAKE_PROFIT"]), ("90.05", [])):
        result = run(
            table.format(close=close),
            direction="SHORT",
            stop_execution="close",
            stop_loss_frac=0.05,
            take_profit_frac=0.1,
        )
        assert [row[4] for row in fills(result)[1:]] == found


def test_F7_is_decided_at_strategy_closes_not_at_base_closes() -> None:
    """15m strategy: the close 90 at 09:40 inside 09:30-09:45 is not looked at; the bar closes at 96."""
    result = run(
        "Mon \n 09:15 100 entry \n 09:20-09:25 100 \n 09:30 100 \n 09:35 90 \n 09:40 96 \n 09:45 96",
        timeframe="15m",
        stop_execution="close",
        stop_loss_frac=0.05,
    )
    assert len(fills(result)) == 1


# --- F8 -----------------------------------------------------------------------------------------------------------


def test_F8_a_stopped_position_is_flat_from_that_base_bar_on() -> None:
    """Stopped at 09:35 inside the 15m bar 09:30-09:45; at its close the entry may act, and fills at 09:45."""
    result = run(
        """
        Mon
        09:15 100              entry
        09:20-09:25 100
        09:30 100
        09:35 100 100 94 96
        09:40 97               entry
        09:45 98
        """,
        timeframe="15m",
        stop_loss_frac=0.05,
    )
    assert [row[:2] for row in fills(result)] == [("Mon 09:30", "BUY"), ("Mon 09:35", "SELL"), ("Mon 09:45", "BUY")]
    assert list(result.equity.position_value)[-3:] == [0.0, 0.0, 980.0]


def test_F8_a_waiting_market_exit_fills_first_and_cancels_the_protective_orders() -> None:
    """Exit decided at 09:30; the bar 09:30 opens at 97 and falls through the stop: sold once, at the open."""
    result = run(HELD + "09:25 99 exit \n 09:30 97 112 90 92", stop_loss_frac=0.05, take_profit_frac=0.1)
    assert fills(result)[1:] == [("Mon 09:30", "SELL", 10, 97.0, "EXIT_SIGNAL", "open")]
    assert [row[-1] for row in orders(result)] == ["FILLED", "CANCELLED", "CANCELLED", "FILLED"]


def test_F8_a_waiting_market_exit_fills_even_at_an_open_beyond_the_stop() -> None:
    result = run(HELD + "09:25 99 exit \n 09:30 90", stop_loss_frac=0.05)
    assert fills(result)[1:] == [("Mon 09:30", "SELL", 10, 90.0, "EXIT_SIGNAL", "open")]


# --- F9: the end --------------------------------------------------------------------------------------------------


def test_F9_open_positions_stay_open_and_are_marked() -> None:
    """Ten at 100, last close 104; 1 % of 1,000 was paid. No fill is invented."""
    result = run(HELD + "09:25 104", cash=10_000, costs=wb.costs.bps(100, 0))
    row = result.trades.iloc[0]
    assert (len(result.fills), len(result.trades), bool(row.is_open)) == (1, 1, True)
    assert (row.gross_pnl, row.charges, row.net_pnl) == (40.0, 10.0, 30.0)
    assert str(row.exit_ts) == "NaT" and row.exit_price != row.exit_price and row.exit_reason == ""
    assert result.equity.equity.iloc[-1] == 10_030.0


def test_F9_orders_still_working_appear_in_orders_only() -> None:
    """The exit decided at the last close has no bar to fill it."""
    result = run(HELD + "09:25 104 exit", stop_loss_frac=0.05)
    assert orders(result)[-1] == ("Mon 09:30", "SELL", "open", None, "EXIT_SIGNAL", "WORKING")
    assert len(result.fills) == 1 and bool(result.trades.is_open.iloc[0])


def test_F9_an_entry_at_the_last_bar_stays_working() -> None:
    result = run("Mon \n 09:15 100 entry")
    assert orders(result) == [("Mon 09:20", "BUY", "open", None, "ENTRY_SIGNAL", "WORKING")]
    assert len(result.fills) == len(result.trades) == 0


# --- F10: charges ---------------------------------------------------------------------------------------------------


def test_F10_charges_are_of_each_fill_and_of_its_trade() -> None:
    """1 %: 10 on 1,000, 11 on 1,100. Gross 100, net 79."""
    result = run(HELD + "09:25 105 exit \n 09:30 110", costs=wb.costs.bps(100, 0))
    assert list(result.fills.charges) == [10.0, 11.0]
    row = result.trades.iloc[0]
    assert (row.gross_pnl, row.charges, row.net_pnl, row.return_frac) == (100.0, 21.0, 79.0, 0.079)
    assert result.stats["charges"] == 21.0


def test_F10_a_reversal_s_charges_go_to_the_trade_of_each_fill() -> None:
    """At 09:25 one sale closes the long and one opens the short, 1 % of 1,100 each; the cover at 1,000 costs 10."""
    result = run(
        "Mon \n 09:15 100 entry \n 09:20 100 exit+short \n 09:25 110 cover \n 09:30 100",
        direction="BOTH",
        costs=wb.costs.bps(100, 0),
    )
    assert list(result.fills.charges) == [10.0, 11.0, 11.0, 10.0]
    assert list(result.trades.charges) == [21.0, 21.0]
    assert list(result.trades.net_pnl) == [79.0, 79.0]


def test_F10_the_rates_of_the_fill_s_own_date() -> None:
    """1 % until Monday, 2 % from Tuesday on the exchange's own date: 10 on the buy, 20 on the sale."""
    rows = (Rates(brokerage_frac=0.01), Rates(effective_from=dt.date(2024, 1, 9), brokerage_frac=0.02))
    model = CostModel(name="dated", schedules=(Schedule(rows=rows),), zone="Asia/Kolkata")
    result = run("Mon \n 15:20 100 entry \n 15:25 100 exit \n Tue \n 09:15 100", costs=model)
    assert list(result.fills.charges) == [10.0, 20.0]
    assert trades(result)[0][-1] == -30.0


def test_F10_zerodha_charges_delivery_and_intraday_apart() -> None:
    """One lakh bought and sold flat.

    Delivery pays no brokerage but tax on both sides and the depository; intraday's tax is on the sale alone, a quarter
    of it: dearer by far is delivery. Exact figures are in the tests of costs.
    """
    table = "Mon \n 09:15 100 entry \n 09:20 100 exit \n 09:25 100"
    paid = {
        product: run(
            table, product=product, sizing=wb.FixedQty(1_000), cash=200_000, costs=wb.costs.zerodha_equity()
        ).stats["charges"]
        for product in ("CNC", "MIS")
    }
    assert paid["CNC"] > 2 * paid["MIS"] > 0
