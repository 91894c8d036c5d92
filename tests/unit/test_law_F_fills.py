"""Rules F1 to F5: the order of fills in a bar, protective orders, gaps and touches. Worked by hand, NSE tick 0.05."""

from __future__ import annotations

import pytest

import workbench as wb
from tests.worked import fills, orders, run, said, trades

SLIPPAGE = wb.costs.bps(0, 10)  # 0.1 %


def after(bars: str, **fields: object) -> list[tuple[object, ...]]:
    """What follows a buy of ten at 100 at 09:20: fills from ``bars`` on."""
    return fills(run(f"Mon \n 09:15 100 entry \n 09:20 100 \n {bars}", **fields))[1:]


def after_short(bars: str, **fields: object) -> list[tuple[object, ...]]:
    """What follows a sale of ten at 100 at 09:20."""
    return fills(run(f"Mon \n 09:15 100 short \n 09:20 100 \n {bars}", direction="SHORT", **fields))[1:]


# --- F1: market orders --------------------------------------------------------------------------------------------


def test_F1_exits_by_name_then_entries_as_sent_then_protective_orders() -> None:
    """At 09:25: B and C leave, E (rank 40) and D (rank 30) enter, A is stopped."""
    result = run(
        {
            "C": "Mon \n 09:15 10 entry \n 09:20 10 exit \n 09:25 10",
            "B": "Mon \n 09:15 20 entry \n 09:20 20 exit \n 09:25 20",
            "A": "Mon \n 09:15 100 entry \n 09:20 100 \n 09:25 100 100 90 95",
            "D": "Mon \n 09:15 30 \n 09:20 30 entry \n 09:25 30",
            "E": "Mon \n 09:15 40 \n 09:20 40 entry \n 09:25 40",
        },
        allocation="RANKING",
        rank="close",
        stop_loss_frac=0.05,
    )
    assert [(row[1], row[2], row[5]) for row in fills(result) if row[0] == "Mon 09:25"] == [
        ("B", "SELL", "EXIT_SIGNAL"),
        ("C", "SELL", "EXIT_SIGNAL"),
        ("E", "BUY", "ENTRY_SIGNAL"),
        ("D", "BUY", "ENTRY_SIGNAL"),
        ("A", "SELL", "STOP_LOSS"),
    ]


def test_F1_protective_orders_fill_by_name() -> None:
    """B entered first; both are stopped in the bar 09:30, A first."""
    result = run(
        {
            "B": "Mon \n 09:15 50 entry \n 09:20-09:25 50 \n 09:30 50 50 40 45",
            "A": "Mon \n 09:20 100 entry \n 09:25 100 \n 09:30 100 100 90 95",
        },
        stop_loss_frac=0.05,
    )
    assert [(row[0], row[1], row[4]) for row in fills(result)[2:]] == [
        ("Mon 09:30", "A", 95.0),
        ("Mon 09:30", "B", 47.5),
    ]


def test_F1_slippage_is_against_the_trader_and_not_rounded_to_the_tick() -> None:
    """Buy at 100.05 * 1.001 = 100.15005, sell at 101.05 * 0.999 = 100.94895."""
    result = run("Mon \n 09:15 100 entry \n 09:20 100.05 100.05 100 100 exit \n 09:25 101.05", costs=SLIPPAGE)
    assert [row[3] for row in fills(result)] == [100.15005, 100.94895]


def test_F1_slippage_of_a_short_is_against_the_trader_too() -> None:
    """Sell at 100 * 0.999 = 99.9, buy back at 99 * 1.001 = 99.099: ten gain 8.01."""
    result = run("Mon \n 09:15 100 short \n 09:20 100 cover \n 09:25 99", direction="SHORT", costs=SLIPPAGE)
    assert trades(result) == [("Mon 09:20", 99.9, "Mon 09:25", 99.099, "EXIT_SIGNAL", 8.01)]


def test_F1_volume_limits_nothing_and_the_result_says_so() -> None:
    """A bar without volume fills a million."""
    result = run("Mon \n 09:15 100 entry \n 09:20 100", sizing=wb.FixedQty(1_000_000), cash=1e9)
    assert fills(result)[0][2] == 1_000_000
    assert any("VOLUME" in note for note in result.notes.note)


# --- F2: protective orders ----------------------------------------------------------------------------------------


def test_F2_levels_are_set_from_the_fill_and_rounded_away_from_the_trade() -> None:
    """Bought at 101.30, decided at 100. Stop 96.235 down to 96.20; target 111.43 up to 111.45."""
    result = run("Mon \n 09:15 100 entry \n 09:20 101.30", stop_loss_frac=0.05, take_profit_frac=0.1)
    assert [(row[2], row[3]) for row in orders(result)[1:]] == [("stop", 96.2), ("target", 111.45)]


def test_F2_levels_of_a_short_are_mirrored() -> None:
    """Sold at 101.30. Stop 106.365 up to 106.40; target 91.17 down to 91.15."""
    result = run("Mon \n 09:15 100 short \n 09:20 101.30", direction="SHORT", stop_loss_frac=0.05, take_profit_frac=0.1)
    assert [row[1:4] for row in orders(result)[1:]] == [("BUY", "stop", 106.4), ("BUY", "target", 91.15)]


def test_F2_levels_come_from_the_fill_with_its_slippage() -> None:
    """Bought at 100 * 1.001 = 100.1: stop 90.09 down to 90.05, target 110.11 up to 110.15."""
    result = run("Mon \n 09:15 100 entry \n 09:20 100", stop_loss_frac=0.1, take_profit_frac=0.1, costs=SLIPPAGE)
    assert [row[3] for row in orders(result)[1:]] == [90.05, 110.15]


@pytest.mark.parametrize("price", ["100", "100.05", "101", "102.65", "1000.10", "33.35"])
def test_F2_a_level_on_the_tick_stays_there(price: str) -> None:
    """Half of a price and six fifths of it, counted in whole ticks: half of 100.05 is 50.025, down to 50.00."""
    ticks = round(float(price) * 20)
    result = run(f"Mon \n 09:15 {price} entry \n 09:20 {price}", stop_loss_frac=0.5, take_profit_frac=0.2)
    stop, target = (row[3] for row in orders(result)[1:])
    assert stop == round(ticks // 2 * 0.05, 9)
    assert target == round(-(-ticks * 6 // 5) * 0.05, 9)


def test_F2_without_a_tick_levels_have_nine_places() -> None:
    """33.3333333333 * 0.95 = 31.666666666635, * 1.1 = 36.66666666663."""
    result = run(
        "Mon \n 00:00 33 entry \n 00:05 33.3333333333", calendar="24x7", stop_loss_frac=0.05, take_profit_frac=0.1
    )
    found = [set(result.orders[column].dropna()) for column in ("stop_price", "limit_price")]
    assert found == [{31.666666667}, {36.666666667}]


def test_F2_a_tick_of_FX() -> None:
    """1.10003 * 0.999 = 1.09892997 down to 1.09892; * 1.002 = 1.10223006 up to 1.10224."""
    result = run("Mon \n 17:00 1.1 entry \n 17:05 1.10003", calendar="FX", stop_loss_frac=0.001, take_profit_frac=0.002)
    assert [row[3] for row in orders(result)[1:]] == [1.09892, 1.10224]


def test_F2_the_ATR_stop_takes_the_ATR_of_the_decision_bar() -> None:
    """True ranges of 2 up to the decision: ATR(2) = 2, stop 101 - 1.5 * 2 = 98.

    The entry bar's own range counts nothing.
    """
    result = run(
        """
        Mon
        09:15-09:25 100 101 99 100
        09:30 100 101 99 100   entry
        09:35 101 110 101 105
        """,
        stop_loss_atr=1.5,
        stop_loss_atr_length=2,
    )
    assert orders(result)[1] == ("Mon 09:35", "SELL", "stop", 98.0, "STOP_LOSS", "WORKING")


def test_F2_the_ATR_stop_of_a_short_is_above_the_entry() -> None:
    result = run(
        "Mon \n 09:15-09:25 100 101 99 100 \n 09:30 100 101 99 100 short \n 09:35 101",
        direction="SHORT",
        stop_loss_atr=1.5,
        stop_loss_atr_length=2,
    )
    assert orders(result)[1][1:4] == ("BUY", "stop", 104.0)


def test_F2_the_ATR_is_of_the_strategy_s_timeframe() -> None:
    """Each 5m bar ranges over 2 at most, each 15m bar from 97 to 103: ATR(1) = 6. Stop 100 - 6 = 94."""
    quarter = "{0} 99 99 97 98 {3} \n {1} 99 101 99 101 \n {2} 102 103 101 100.5 \n".replace("101 100.5", "100 100")
    table = (
        "Mon \n"
        + quarter.format("09:15", "09:20", "09:25", "")
        + quarter.format("09:30", "09:35", "09:40", "entry")
        + "09:45 100"
    )
    result = run(table, timeframe="15m", stop_loss_atr=1, stop_loss_atr_length=1)
    assert orders(result)[1][3] == 94.0


def test_F2_without_an_ATR_an_entry_is_blocked() -> None:
    """ATR(3) has its first value at the fourth bar: true ranges start at the second."""
    result = run("Mon \n 09:15-09:30 100 101 99 100 entry \n 09:35 100", stop_loss_atr=1, stop_loss_atr_length=3)
    assert list(said(result).values())[:4] == ["BLOCKED_NO_ATR"] * 3 + ["ENTRY_TRUE"]


def test_F2_both_kinds_of_stop_are_a_configuration_error() -> None:
    with pytest.raises(wb.StrategyError, match="choose one"):
        run("Mon \n 09:15 100 entry", stop_loss_frac=0.1, stop_loss_atr=2)


# --- F3: the entry bar --------------------------------------------------------------------------------------------


def test_F3_a_stop_works_on_the_entry_bar() -> None:
    """Bought at the open 100; the same bar falls through 95."""
    result = run("Mon \n 09:15 100 entry \n 09:20 100 101 90 92 \n 09:25 92", stop_loss_frac=0.05)
    assert trades(result) == [("Mon 09:20", 100.0, "Mon 09:20", 95.0, "STOP_LOSS", -50.0)]


def test_F3_a_target_works_on_the_entry_bar() -> None:
    result = run("Mon \n 09:15 100 entry \n 09:20 100 111 99 105", take_profit_frac=0.1)
    assert trades(result) == [("Mon 09:20", 100.0, "Mon 09:20", 110.0, "TAKE_PROFIT", 100.0)]


def test_F3_a_short_is_stopped_on_its_entry_bar() -> None:
    result = run("Mon \n 09:15 100 short \n 09:20 100 106 99 105", direction="SHORT", stop_loss_frac=0.05)
    assert trades(result) == [("Mon 09:20", 100.0, "Mon 09:20", 105.0, "STOP_LOSS", -50.0)]


def test_F3_stops_are_tested_on_base_bars_inside_a_strategy_bar() -> None:
    result = run(
        "Mon \n 09:15 100 entry \n 09:20-09:25 100 \n 09:30 100 \n 09:35 100 100 94 96 \n 09:40 97",
        timeframe="15m",
        stop_loss_frac=0.05,
    )
    assert trades(result)[0][2:5] == ("Mon 09:35", 95.0, "STOP_LOSS")


# --- F4: gaps -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opens", ["94.90", "95"])
def test_F4_gap_through_stop_fills_at_open(opens: str) -> None:
    """Stop 95: an open at it or below it is the price, though the bar recovers."""
    assert after(f"09:25 {opens} 99 90 98", stop_loss_frac=0.05) == [
        ("Mon 09:25", "SELL", 10, float(opens), "STOP_LOSS", "stop")
    ]


def test_F4_gap_over_a_night() -> None:
    result = run("Mon \n 15:20 100 entry \n 15:25 100 \n Tue \n 09:15 80 82 79 81", stop_loss_frac=0.05)
    assert fills(result)[1] == ("Tue 09:15", "SELL", 10, 80.0, "STOP_LOSS", "stop")


@pytest.mark.parametrize("opens", ["110", "112"])
def test_F4_gap_over_target_fills_at_open(opens: str) -> None:
    assert after(f"09:25 {opens} 115 90 100", take_profit_frac=0.1) == [
        ("Mon 09:25", "SELL", 10, float(opens), "TAKE_PROFIT", "target")
    ]


def test_F4_gap_over_target_comes_before_a_stop_touched_later_in_the_bar() -> None:
    """The open is the first price: 112 at the open, 90 afterwards."""
    assert after("09:25 112 115 90 100", take_profit_frac=0.1, stop_loss_frac=0.05)[0][3:5] == (112.0, "TAKE_PROFIT")


def test_F4_gaps_of_a_short_are_mirrored() -> None:
    assert after_short("09:25 107 108 90 91", stop_loss_frac=0.05) == [
        ("Mon 09:25", "BUY", 10, 107.0, "STOP_LOSS", "stop")
    ]
    assert after_short("09:25 88 100 85 99", take_profit_frac=0.1) == [
        ("Mon 09:25", "BUY", 10, 88.0, "TAKE_PROFIT", "target")
    ]


def test_F4_does_not_look_at_the_open_of_the_entry_bar() -> None:
    """A buy at 99.9 * 1.001 = 99.9999 with a target of 0.05 %, 100.049...: 100.05 at the tick.

    The entry bar's open is below it; its high touches it: filled at 100.05, as any bar.
    """
    result = run("Mon \n 09:15 100 entry \n 09:20 99.9 101 99.9 100", take_profit_frac=0.0005, costs=SLIPPAGE)
    assert fills(result)[1] == ("Mon 09:20", "SELL", 10, 100.05, "TAKE_PROFIT", "target")


# --- F5: touches --------------------------------------------------------------------------------------------------


def test_F5_a_touched_stop_fills_at_its_price() -> None:
    assert after("09:25 99 99 95 98", stop_loss_frac=0.05)[0][3:5] == (95.0, "STOP_LOSS")
    assert after("09:25 99 99 95.05 98", stop_loss_frac=0.05) == []


def test_F5_a_touched_target_fills_at_its_price() -> None:
    assert after("09:25 101 110 101 105", take_profit_frac=0.1)[0][3:5] == (110.0, "TAKE_PROFIT")
    assert after("09:25 101 109.95 101 105", take_profit_frac=0.1) == []


def test_F5_touches_of_a_short() -> None:
    assert after_short("09:25 101 105 101 102", stop_loss_frac=0.05)[0][1:5] == ("BUY", 10, 105.0, "STOP_LOSS")
    assert after_short("09:25 99 99 90 95", take_profit_frac=0.1)[0][1:5] == ("BUY", 10, 90.0, "TAKE_PROFIT")


@pytest.mark.parametrize(("choice", "price", "reason"), [("stop", 95.0, "STOP_LOSS"), ("target", 110.0, "TAKE_PROFIT")])
def test_F5_a_bar_that_touches_both(choice: str, price: float, reason: str) -> None:
    """Low 94, high 111: nobody knows which came first. The stop, unless told otherwise."""
    bar, levels = "09:25 100 111 94 100", {"stop_loss_frac": 0.05, "take_profit_frac": 0.1}
    assert after(bar, ambiguous_bar=choice, **levels)[0][3:5] == (price, reason)
    if choice == "stop":
        assert after(bar, **levels)[0][3:5] == (price, reason)


@pytest.mark.parametrize(("choice", "price", "reason"), [("stop", 105.0, "STOP_LOSS"), ("target", 90.0, "TAKE_PROFIT")])
def test_F5_a_bar_that_touches_both_of_a_short(choice: str, price: float, reason: str) -> None:
    found = after_short("09:25 100 106 89 100", ambiguous_bar=choice, stop_loss_frac=0.05, take_profit_frac=0.1)
    assert found[0][3:5] == (price, reason)


def test_F5_the_entry_bar_can_be_ambiguous_too() -> None:
    result = run("Mon \n 09:15 100 entry \n 09:20 100 111 94 100", stop_loss_frac=0.05, take_profit_frac=0.1)
    assert trades(result)[0][3:5] == (95.0, "STOP_LOSS")


def test_F5_through_asks_for_a_price_beyond_the_target() -> None:
    """A high of exactly 110 is touched, not passed; 110.05 passes, and fills at 110."""
    fields = {"take_profit_frac": 0.1, "target_touch": "through"}
    assert after("09:25 101 110 101 105", **fields) == []
    assert after("09:25 101 110.05 101 105", **fields)[0][3] == 110.0
    assert after_short("09:25 99 99 90 95", **fields) == []
    assert after_short("09:25 99 99 89.95 95", **fields)[0][3] == 90.0


def test_F5_a_target_not_passed_leaves_the_stop_alone_in_the_bar() -> None:
    """Low 94 and high 110: with ``through`` only the stop is reached, whatever ``ambiguous_bar`` says."""
    found = after(
        "09:25 100 110 94 100",
        stop_loss_frac=0.05,
        take_profit_frac=0.1,
        target_touch="through",
        ambiguous_bar="target",
    )
    assert found[0][3:5] == (95.0, "STOP_LOSS")


def test_F5_slippage_applies_to_stops_gapped_or_not_and_never_to_targets() -> None:
    """Bought at 100.1.

    Stop 90.09 -> 90.05, sold at 90.05 * 0.999 = 89.95995; gapped at 85 * 0.999 = 84.915. Target 110.11 -> 110.15, sold
    at 110.15; gapped over it, at the open 112.
    """
    stop, target = {"stop_loss_frac": 0.1, "costs": SLIPPAGE}, {"take_profit_frac": 0.1, "costs": SLIPPAGE}
    assert after("09:25 99 99 90 98", **stop)[0][3] == 89.95995
    assert after("09:25 85 99 84 98", **stop)[0][3] == 84.915
    assert after("09:25 101 111 101 105", **target)[0][3] == 110.15
    assert after("09:25 112 113 101 105", **target)[0][3] == 112.0


def test_F5_slippage_of_a_short_s_stop() -> None:
    """Sold at 99.9. Stop 109.89 up to 109.90, bought at 109.90 * 1.001 = 110.0099."""
    assert after_short("09:25 101 110 101 105", stop_loss_frac=0.1, costs=SLIPPAGE)[0][3] == 110.0099


def test_F5_a_stop_that_slippage_puts_above_the_entry_bar() -> None:
    """Bought at 101 with 1 % of slippage, stop 100.495 down to 100.45.

    The entry bar holds it: sold at 100.45 * 0.99. A bar that never was so high cannot pay it: sold at the open, 100 *
    0.99.
    """
    entry = "Mon \n 09:15 100 entry \n 09:20 100 {high} 99 100"
    for high, price in (("101", 99.4455), ("100.2", 99.0)):
        result = run(entry.format(high=high), stop_loss_frac=0.005, costs=wb.costs.bps(0, 100))
        assert fills(result)[1] == ("Mon 09:20", "SELL", 10, price, "STOP_LOSS", "stop")
