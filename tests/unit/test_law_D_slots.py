"""Rules D8 to D10: slots and named exits, what is recorded, when again. Worked by hand."""

from __future__ import annotations

import pytest

import workbench as wb
from tests.worked import decisions, fills, orders, run, said, trades

# --- D8: slots ---------------------------------------------------------------------------------------------------


def one_bar(**prices: float) -> dict[str, str]:
    """Every instrument enters at 09:15 at a price of its own, and has a bar at 09:20."""
    return {symbol: f"Mon \n 09:15 {price} entry \n 09:20 {price}" for symbol, price in prices.items()}


def test_D8_no_more_positions_than_slots() -> None:
    result = run(one_bar(A=10, B=10, C=10), max_open_positions=2)
    assert [row[2] for row in decisions(result)[:3]] == ["ENTRY_TRUE", "ENTRY_TRUE", "BLOCKED_SLOTS"]


def test_D8_a_working_entry_holds_a_slot() -> None:
    """A's order of 09:20 waits, as A has no bar until 09:30; B finds no slot at 09:25."""
    result = run(
        {"A": "Mon \n 09:15 10 entry \n 09:30 10", "B": "Mon \n 09:20 10 entry \n 09:25 10"}, max_open_positions=1
    )
    assert said(result, "B")["Mon 09:25"] == "BLOCKED_SLOTS"
    assert fills(result) == [("Mon 09:30", "A", "BUY", 10, 10.0, "ENTRY_SIGNAL", "open")]


def test_D8_a_size_of_zero_uses_no_slot_and_is_recorded() -> None:
    result = run(one_bar(A=60_000, B=100), max_open_positions=1, cash=10_000)
    assert decisions(result)[:2] == [("Mon 09:20", "A", "BLOCKED_CASH"), ("Mon 09:20", "B", "ENTRY_TRUE")]


def leaving(b_at: str, c_at: str, d_at: str) -> dict[str, str]:
    """A and B leave at 09:25 where C and D enter; the next bars of B, C, D are at given times, A's at 09:25."""
    return {
        "A": "Mon \n 09:15 10 entry \n 09:20 10 exit \n 09:25 10",
        "B": f"Mon \n 09:15 10 entry \n 09:20 10 exit \n {b_at} 10",
        "C": f"Mon \n 09:20 10 entry \n {c_at} 10",
        "D": f"Mon \n 09:20 10 entry \n {d_at} 10",
    }


def test_D8_exits_decided_now_free_their_slots_now() -> None:
    result = run(leaving("09:25", "09:25", "09:25"), max_open_positions=2)
    assert [row[:3] for row in fills(result)[2:]] == [
        ("Mon 09:25", "A", "SELL"),
        ("Mon 09:25", "B", "SELL"),
        ("Mon 09:25", "C", "BUY"),
        ("Mon 09:25", "D", "BUY"),
    ]


def test_D8_an_entry_waits_for_the_exits_it_names_and_for_no_other() -> None:
    """C needs one slot: it names A, first by name. D needs two: A and B. B has no bar at 09:25, so D is cancelled."""
    result = run(leaving("09:30", "09:25", "09:25"), max_open_positions=2)
    assert orders(result, "C")[0][-1] == "FILLED"
    assert orders(result, "D")[0][-1] == "CANCELLED_NO_SLOT"
    assert fills(result, "B")[1][0] == "Mon 09:30"


def test_D8_the_named_exits_are_looked_at_when_the_entry_s_own_bar_opens() -> None:
    """D's own bar is at 09:30, where B's exit fills first (F1): D fills. C filled at 09:25 after A."""
    result = run(leaving("09:30", "09:25", "09:30"), max_open_positions=2)
    assert orders(result, "D")[0][-1] == "FILLED"
    assert fills(result, "D")[0][0] == "Mon 09:30"


def test_D8_with_free_slots_and_cash_an_entry_names_no_exit() -> None:
    """The same bars and four slots: D fills at 09:25 although B has not left."""
    result = run(leaving("09:30", "09:25", "09:25"), max_open_positions=4)
    assert fills(result, "D")[0][0] == "Mon 09:25"


def test_D8_an_entry_that_needs_the_cash_of_an_exit_waits_for_it() -> None:
    """Ten slots, 1,000: ten A at 60 leave 400. Ten B at 60 need A's 600; A has no bar at 09:25, so B is cancelled."""
    tables = {"A": "Mon \n 09:15 60 entry \n 09:20 60 exit \n {a} 60", "B": "Mon \n 09:20 60 entry \n 09:25 60"}
    late = run({name: table.format(a="09:30") for name, table in tables.items()}, cash=1_000)
    assert orders(late, "B")[0][-1] == "CANCELLED_NO_SLOT"
    prompt = run({name: table.format(a="09:25") for name, table in tables.items()}, cash=1_000)
    assert fills(prompt, "B") == [("Mon 09:25", "BUY", 10, 60.0, "ENTRY_SIGNAL", "open")]


@pytest.mark.parametrize(("price", "filled"), [(55, True), (90, False)])
def test_D8_an_entry_names_as_few_exits_as_its_cash_needs(price: float, filled: bool) -> None:
    """1,000: ten A and ten B at 40 leave 200.

    Ten C at 55 need A's 400 alone; at 90 they need B's too, which has no bar.
    """
    result = run(
        {
            "A": "Mon \n 09:15 40 entry \n 09:20 40 exit \n 09:25 40",
            "B": "Mon \n 09:15 40 entry \n 09:20 40 exit \n 09:30 40",
            "C": f"Mon \n 09:20 {price} entry \n 09:25 {price}",
        },
        cash=1_000,
    )
    assert orders(result, "C")[0][-1] == ("FILLED" if filled else "CANCELLED_NO_SLOT")


def test_D8_a_reversal_names_its_own_exit() -> None:
    """Two slots, A and B leave at 09:25, B the other way. A has no bar then; B turns at 09:25 all the same."""
    result = run(
        {
            "A": "Mon \n 09:15 10 entry \n 09:20 10 exit \n 09:30 10",
            "B": "Mon \n 09:15 10 entry \n 09:20 10 exit+short \n 09:25 11",
        },
        direction="BOTH",
        max_open_positions=2,
    )
    assert fills(result, "B")[1:] == [
        ("Mon 09:25", "SELL", 10, 11.0, "EXIT_SIGNAL", "open"),
        ("Mon 09:25", "SELL", 10, 11.0, "ENTRY_SIGNAL", "open"),
    ]


def test_D8_an_exit_decided_earlier_frees_its_slot_only_when_it_has_filled() -> None:
    """A's exit of 09:25 still waits at 09:35: one slot, taken. It is no exit decided at 09:35."""
    result = run(
        {
            "A": "Mon \n 09:15 100 entry \n 09:20 100 exit \n 09:45 100",
            "B": "Mon \n 09:15 50 \n 09:30 50 entry \n 09:45 50 entry",
        },
        max_open_positions=1,
    )
    assert said(result, "B")["Mon 09:35"] == "BLOCKED_SLOTS"
    assert said(result, "B")["Mon 09:50"] == "ENTRY_TRUE"


def test_D8_an_exit_of_any_reason_frees_its_slot() -> None:
    """A gives back 200 of 800 left: TRADE_DRAWDOWN at 09:30; B takes the slot at the same close."""
    result = run(
        {
            "A": "Mon \n 09:15 100 entry \n 09:20 100 \n 09:25 80 \n 09:30 80",
            "B": "Mon \n 09:15 50 \n 09:25 50 entry \n 09:30 50",
        },
        max_open_positions=1,
        max_trade_drawdown_frac=0.1,
        cash=1_000,
    )
    assert [row[1:3] + row[5:6] for row in fills(result)[1:]] == [
        ("A", "SELL", "TRADE_DRAWDOWN"),
        ("B", "BUY", "ENTRY_SIGNAL"),
    ]


# --- D9: what is recorded -----------------------------------------------------------------------------------------


def test_D9_one_decision_for_each_instrument_and_strategy_bar() -> None:
    """WARMING_UP until SMA(close, 2) has a value; then false, true; held; left; NO_BAR where 09:40 is missing."""
    result = run(
        """
        Mon
        09:15 100
        09:20 99
        09:25 101
        09:30 102
        09:35 95
        09:45 94
        """,
        entry="close > SMA(close, 2)",
        exit="close < 96",
    )
    assert list(result.decisions.decision) == [
        "WARMING_UP",
        "ENTRY_FALSE",
        "ENTRY_TRUE",
        "EXIT_FALSE",
        "EXIT_TRUE",
        "NO_BAR",
        "ENTRY_FALSE",
    ]
    assert list(result.decisions.columns) == ["ts", "instrument", "decision", "entry", "reason"]


@pytest.mark.parametrize(
    ("fields", "decision"),
    [
        ({"max_trades_per_day": 1, "max_open_positions": 1}, "BLOCKED_MAX_TRADES"),
        ({"max_open_positions": 1}, "BLOCKED_SLOTS"),
        ({"max_open_positions": 1, "exit_time": "09:20"}, "BLOCKED_SESSION_END"),
        ({"exit_time": "09:20", "entry_window": ("09:15", "09:20")}, "BLOCKED_WINDOW"),
        ({"sizing": wb.FixedQty(1_000_000), "max_symbol_exposure": 10}, "BLOCKED_CASH"),
    ],
)
def test_D9_one_block_is_recorded_where_several_hold(fields: dict[str, object], decision: str) -> None:
    """Of B's blocks the one that lasts is told before the one that may go at the next bar."""
    result = run(one_bar(A=100, B=100), **fields)
    assert said(result, "B")["Mon 09:20"] == decision


def test_D9_the_decision_at_the_close_is_stamped_with_the_close() -> None:
    """The bar 09:15 closes at 09:20 in India, 5:30 hours ahead: 03:50 UTC."""
    result = run("Mon \n 09:15 100 entry")
    assert str(result.decisions.ts.iloc[0]) == "2024-01-08 03:50:00+00:00"


def test_D9_a_decision_between_strategy_bars_is_an_extra_row() -> None:
    result = run("Mon \n 09:15 100 entry \n 09:20-09:35 100", timeframe="15m", exit_time="09:35")
    assert decisions(result) == [("Mon 09:30", "ENTRY_TRUE"), ("Mon 09:35", "EXIT_TRUE", "", "FORCED_FLATTEN")]


def test_D9_a_missing_entry_is_no_action() -> None:
    """100 / (close - 100) is missing at 100: neither true nor an error."""
    result = run("Mon \n 09:15-09:20 100", entry="100 / (close - 100) > 0")
    assert list(said(result).values()) == ["ENTRY_FALSE", "ENTRY_FALSE"]


# --- D10: cooldown and bars held ----------------------------------------------------------------------------------

AGAIN = """
    Mon
    09:15 100              entry
    09:20 100
    09:25 100              exit
    09:30 100              entry
    09:35 100              entry
    09:40 100              entry
    09:45 100              entry
    """


@pytest.mark.parametrize(("cooldown", "again"), [(0, "Mon 09:35"), (1, "Mon 09:40"), (2, "Mon 09:45")])
def test_D10_cooldown_counts_strategy_bars_from_the_one_that_holds_the_exit_fill(cooldown: int, again: str) -> None:
    """The exit fills inside the bar 09:30 (k).

    Bars 09:30, 09:35, 09:40 are k, k + 1, k + 2; each enters at its close.
    """
    result = run(AGAIN, cooldown_bars=cooldown)
    assert fills(result)[2][0] == again
    blocked = [at for at, decision in said(result).items() if decision == "BLOCKED_COOLDOWN"]
    assert len(blocked) == cooldown


def test_D10_cooldown_after_a_stop_inside_the_bar() -> None:
    """Stopped inside 09:25: with 0 it may enter at that bar's own close, with 1 at the next."""
    table = "Mon \n 09:15 100 entry \n 09:20 100 \n 09:25 100 100 94 100 entry \n 09:30 100 entry \n 09:35 100"
    assert said(run(table, stop_loss_frac=0.05))["Mon 09:30"] == "ENTRY_TRUE"
    later = said(run(table, stop_loss_frac=0.05, cooldown_bars=1))
    assert (later["Mon 09:30"], later["Mon 09:35"]) == ("BLOCKED_COOLDOWN", "ENTRY_TRUE")


def test_D10_an_interval_without_a_bar_is_no_bar_of_the_cooldown() -> None:
    """The exit fills in 09:25. Its own next bars are 09:40 and 09:45: only the second is k + 2."""
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 100              exit
        09:25 100
        09:40 100              entry
        09:45 100              entry
        09:50 100
        """,
        cooldown_bars=2,
    )
    assert said(result)["Mon 09:45"] == "BLOCKED_COOLDOWN"
    assert said(result)["Mon 09:50"] == "ENTRY_TRUE"


def test_D10_cooldown_counts_an_instrument_s_own_bars() -> None:
    """B trades on while A cools; B's bars do not shorten A's cooldown."""
    result = run(
        {
            "A": "Mon \n 09:15 100 entry \n 09:20 100 exit \n 09:25 100 \n 09:45 100 entry",
            "B": "Mon \n 09:15-09:45 50",
        },
        cooldown_bars=2,
    )
    assert said(result, "A")["Mon 09:50"] == "BLOCKED_COOLDOWN"


PROXY = {"execution": "proxy_close", "timeframe": "1d"}
FOUR_DAYS = """
    Mon
    15:20 100              entry
    15:25 100
    Tue
    15:20 100 {tuesday}
    15:25 101
    Wed
    15:20 100              entry
    15:25 102
    Thu
    15:20 100              entry
    15:25 103
    """


def test_D10_a_fill_in_the_buy_window_belongs_to_the_next_daily_bar() -> None:
    """Bought Monday 15:25, held 0 at Tuesday's step, 1 at Wednesday's: sold Wednesday 15:25."""
    result = run(FOUR_DAYS.format(tuesday=""), max_holding_bars=1, **PROXY)
    assert trades(result)[0] == ("Mon 15:25", 100.0, "Wed 15:25", 102.0, "MAX_HOLDING", 20.0)


@pytest.mark.parametrize(("cooldown", "again"), [(0, "Wed 15:25"), (1, "Thu 15:25")])
def test_D10_an_exit_in_the_buy_window_cools_from_the_next_daily_bar(cooldown: int, again: str) -> None:
    """Sold Tuesday 15:25: k is Wednesday's bar. With 1, Wednesday (k) is too early and Thursday (k + 1) may."""
    result = run(FOUR_DAYS.format(tuesday="exit"), cooldown_bars=cooldown, **PROXY)
    assert fills(result)[2][0] == again


def test_D10_a_stop_inside_a_coarser_bar_cools_from_that_bar() -> None:
    """Stopped at 09:35, inside 09:30-09:45 (k). With 1 the close of k is too early, the next bar's is not."""
    result = run(
        """
        Mon
        09:15 100              entry
        09:20-09:25 100
        09:30 100
        09:35 100 100 94 96
        09:40 97               entry
        09:45-09:50 97
        09:55 97               entry
        """,
        timeframe="15m",
        stop_loss_frac=0.05,
        cooldown_bars=1,
    )
    assert said(result) == {"Mon 09:30": "ENTRY_TRUE", "Mon 09:45": "BLOCKED_COOLDOWN", "Mon 10:00": "ENTRY_TRUE"}
