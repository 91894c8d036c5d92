"""Rules S1 to S5: how much is bought, from which money. Worked by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import workbench as wb
from tests.worked import ENTRY, decisions, equity, fills, orders, run, said

ONE = "Mon \n 09:15 {price} entry \n 09:20 {price}"


@pytest.fixture
def lots() -> Iterator[None]:
    """Instruments of a test's own lot are forgotten after it."""
    from workbench.market.instruments import forget_instruments

    yield
    forget_instruments()


def bought(result: wb.Result, symbol: str = "A") -> float:
    """Quantity of the first fill of an instrument; 0 without one."""
    rows = fills(result, symbol)
    return float(rows[0][2]) if rows else 0.0


def one(price: float, sizing: object, **fields: object) -> wb.Result:
    """One entry at a price, with 10,000."""
    return run(ONE.format(price=price), **({"cash": 10_000, "sizing": sizing} | fields))


# --- S1 ----------------------------------------------------------------------------------------------------------


def test_S1_sized_from_the_close_of_the_decision_and_unchanged_at_the_fill() -> None:
    """Half of 10,000 at the close of 100 is 50, also when the next open is 110."""
    result = run("Mon \n 09:15 100 entry \n 09:20 110", cash=10_000, sizing=wb.PercentOfEquity(0.5))
    assert fills(result) == [("Mon 09:20", "BUY", 50, 110.0, "ENTRY_SIGNAL", "open")]


def test_S1_cash_may_dip_below_zero_by_a_gap_and_the_lowest_is_reported() -> None:
    """All of 1,000 at 100 is ten; they cost 1,100: cash -100 at 09:25. The sale at 120 brings it to 1,100."""
    result = run("Mon \n 09:15 100 entry \n 09:20 110 exit \n 09:25 120", cash=1_000, sizing=wb.PercentOfEquity(1))
    assert list(result.equity.cash) == [1_000.0, -100.0, 1_100.0]
    assert result.stats["lowest_cash"] == -100.0


# --- S2 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizing", "qty"),
    [
        (wb.PercentOfEquity(0.25), 75),  # 2,500 / 33 = 75.8
        (wb.FixedCash(1_000), 30),  # 1,000 / 33 = 30.3
        (wb.FixedQty(7), 7),
        (wb.FixedQty(7.9), 7),  # whole lots
        (wb.CashPerSlot(), 30),  # 10,000 in ten slots
    ],
)
def test_S2_policies(sizing: object, qty: int) -> None:
    assert bought(one(33, sizing)) == qty


def test_S2_PercentOfEquity_is_of_equity_at_the_decision() -> None:
    """A's ten rose from 100 to 150: equity 10,500. A tenth of it at 50 is 21."""
    result = run(
        {
            "A": "Mon \n 09:15 100 entry \n 09:20 100 150 100 150",
            "B": "Mon \n 09:15 50 \n 09:20 50 entry \n 09:25 50",
        },
        cash=10_000,
        sizing=wb.PercentOfEquity(0.1),
    )
    assert (bought(result, "A"), bought(result, "B")) == (10, 21)


def test_S2_CashPerSlot_divides_once_a_bar() -> None:
    """Four slots, 10,000: 2,500 each for A at 100 and B at 30, though A comes first.

    Left 10,000 - 2,500 - 2,490 = 5,010 for two slots: 2,505 each, 250 of C at 10.
    """
    result = run(
        {
            "A": "Mon \n 09:15 100 entry \n 09:20 100 \n 09:25 100",
            "B": "Mon \n 09:15 30 entry \n 09:20 30 \n 09:25 30",
            "C": "Mon \n 09:15 10 \n 09:20 10 entry \n 09:25 10",
        },
        cash=10_000,
        sizing=wb.CashPerSlot(),
        max_open_positions=4,
    )
    assert [bought(result, symbol) for symbol in "ABC"] == [25, 83, 250]


def test_S2_CashPerSlot_counts_slots_and_money_that_exits_free() -> None:
    """Two slots of 5,000: A takes 50 at 100.

    At 09:25 A leaves at 120: free cash 5,000 + 6,000, two slots: 5,500 for B.
    """
    result = run(
        {
            "A": "Mon \n 09:15 100 entry \n 09:20 100 120 100 120 exit \n 09:25 120",
            "B": "Mon \n 09:15 50 \n 09:20 50 entry \n 09:25 50",
        },
        cash=10_000,
        sizing=wb.CashPerSlot(),
        max_open_positions=2,
    )
    assert (bought(result, "A"), bought(result, "B")) == (50, 110)


@pytest.mark.parametrize(
    ("fields", "qty"),
    [
        ({"stop_loss_frac": 0.02}, 50),  # 100 of risk / 2
        ({"trailing_stop_frac": 0.04}, 25),  # 100 / 4
        ({"stop_loss_frac": 0.02, "trailing_stop_frac": 0.04}, 50),  # the stop first
        ({"stop_loss_frac": 0.005}, 100),  # 100 / 0.5 = 200, but no more than 10,000 of value
    ],
)
def test_S2_RiskPerTrade_loses_its_fraction_at_the_stop(fields: dict[str, object], qty: int) -> None:
    """1 % of 10,000 at a close of 100."""
    assert bought(one(100, wb.RiskPerTrade(0.01), **fields)) == qty


def test_S2_RiskPerTrade_takes_the_distance_of_the_ATR_stop_first() -> None:
    """Every true range is 2, ATR(2) = 2, twice that is 4: 100 / 4 = 25; the trailing stop of 1 % is not asked."""
    table = "Mon \n 09:15-09:25 100 101 99 100 \n 09:30 100 101 99 100 entry \n 09:35 100"
    result = run(
        table,
        cash=10_000,
        sizing=wb.RiskPerTrade(0.01),
        stop_loss_atr=2,
        stop_loss_atr_length=2,
        trailing_stop_frac=0.01,
    )
    assert bought(result) == 25


def test_S2_RiskPerTrade_may_use_leverage_up_to_its_maximum() -> None:
    """Risk 100 / 0.5 = 200 at 100 is 20,000: twice equity; margin of a half pays for it."""
    result = one(100, wb.RiskPerTrade(0.01, leverage_max=2), stop_loss_frac=0.005, product="MARGIN", margin_frac=0.5)
    assert bought(result) == 200
    assert bought(one(100, wb.RiskPerTrade(0.01, leverage_max=0.5), stop_loss_frac=0.005)) == 50


def test_S2_RiskPerTrade_without_a_stop_is_a_configuration_error() -> None:
    with pytest.raises(wb.StrategyError, match="RiskPerTrade without a stop"):
        one(100, wb.RiskPerTrade(0.01))


# --- S3 ----------------------------------------------------------------------------------------------------------


def test_S3_slippage_is_in_the_price_of_sizing() -> None:
    """10,000 / (100 * 1.01) = 99.0099: 99, not 100."""
    assert bought(one(100, wb.PercentOfEquity(1), costs=wb.costs.bps(0, 100))) == 99


def test_S3_whole_lots(lots: None) -> None:
    """2,500 / 33 = 75.8, in lots of 25: 75; in lots of 50: 50."""
    for lot, qty in ((25, 75), (50, 50)):
        wb.register_instrument("NSE:A", lot=lot)
        assert bought(one(33, wb.PercentOfEquity(0.25))) == qty


def test_S3_a_fractional_lot_is_not_lost_to_rounding(lots: None) -> None:
    """30 / 100 / 0.1 is 2.9999999999999996 in floats: three lots of 0.1."""
    wb.register_instrument("24x7:A", lot=0.1)
    result = run("Mon \n 00:00 100 entry \n 00:05 100", calendar="24x7", cash=10_000, sizing=wb.FixedCash(30))
    assert bought(result) == pytest.approx(0.3, rel=1e-12)


def test_S3_reduced_until_cost_and_charges_fit() -> None:
    """1 % commission: 100 would cost 10,100; 99 cost 9,999."""
    assert bought(one(100, wb.PercentOfEquity(1), costs=wb.costs.bps(100, 0))) == 99


def test_S3_reduced_in_lots(lots: None) -> None:
    wb.register_instrument("NSE:A", lot=25)
    assert bought(one(100, wb.PercentOfEquity(1), costs=wb.costs.bps(100, 0))) == 75


@pytest.mark.parametrize(
    ("fields", "qty"),
    [
        ({"max_symbol_alloc_frac": 0.1}, 10),  # 1,000 / 100
        ({"max_symbol_alloc_frac": 0.1, "costs": wb.costs.bps(0, 100)}, 9),  # 1,000 / 101 = 9.9
        ({"max_symbol_exposure": 550}, 5),
        ({"max_symbol_exposure": 550, "max_symbol_alloc_frac": 0.04}, 4),
        ({"sector_cap_frac": 0.07, "sectors": {"NSE:A": "oil"}}, 7),
    ],
)
def test_S3_caps(fields: dict[str, object], qty: int) -> None:
    """Half of 10,000 would be 50 at 100."""
    assert bought(one(100, wb.PercentOfEquity(0.5), **fields)) == qty


def test_S3_the_sector_cap_counts_the_others_at_their_marks() -> None:
    """A: 20 at 100, now 125: 2,500 of equity 10,500.

    30 % is 3,150, which leaves 650 for B, six at 100. C is elsewhere.
    """
    result = run(
        {
            "A": "Mon \n 09:15 100 entry \n 09:20 100 125 100 125 \n 09:25 125",
            "B": "Mon \n 09:15 100 \n 09:20 100 entry \n 09:25 100",
            "C": "Mon \n 09:15 100 \n 09:20 100 entry \n 09:25 100",
        },
        cash=10_000,
        sizing=wb.FixedQty(20),
        sector_cap_frac=0.3,
        sectors={"NSE:A": "oil", "NSE:B": "oil", "NSE:C": "steel"},
    )
    assert [bought(result, symbol) for symbol in "ABC"] == [20, 6, 20]


def test_S3_the_sector_cap_counts_entries_decided_at_the_same_bar() -> None:
    """30 % of 10,000: A takes 20 at 100, B the 1,000 that are left."""
    result = run(
        {symbol: ONE.format(price=100) for symbol in "AB"},
        cash=10_000,
        sizing=wb.FixedQty(20),
        sector_cap_frac=0.3,
        sectors={"NSE:A": "oil", "NSE:B": "oil"},
    )
    assert [bought(result, symbol) for symbol in "AB"] == [20, 10]


def test_S3_FixedQty_is_shrunk_by_caps_and_all_or_nothing_for_cash() -> None:
    assert bought(one(100, wb.FixedQty(20), max_symbol_exposure=500)) == 5
    short_of_cash = one(100, wb.FixedQty(101))
    assert said(short_of_cash)["Mon 09:20"] == "BLOCKED_CASH"
    assert orders(short_of_cash) == []


@pytest.mark.parametrize(
    ("price", "fields", "decision"),
    [
        (10_001, {}, "BLOCKED_CASH"),
        (100, {"max_symbol_exposure": 99}, "BLOCKED_CAP"),
        (100, {"max_symbol_alloc_frac": 0.009}, "BLOCKED_CAP"),
        (100, {"sector_cap_frac": 0.009, "sectors": {"NSE:A": "oil"}}, "BLOCKED_CAP"),
        (10_001, {"max_symbol_exposure": 99}, "BLOCKED_CASH"),
    ],
)
def test_S3_nothing_affordable_is_BLOCKED_CASH_and_nothing_allowed_BLOCKED_CAP(
    price: float, fields: dict[str, object], decision: str
) -> None:
    result = one(price, wb.PercentOfEquity(1), **fields)
    assert said(result)["Mon 09:20"] == decision


# --- S4 ----------------------------------------------------------------------------------------------------------


def two_bars(a: float, b: float, **fields: object) -> wb.Result:
    """A enters at 09:15 and fills only at 09:25; B enters at 09:20."""
    tables = {"A": f"Mon \n 09:15 {a} entry \n 09:25 {a}", "B": f"Mon \n 09:20 {b} entry \n 09:25 {b}"}
    return run(tables, **({"cash": 1_000} | fields))


def test_S4_a_working_entry_reserves_its_cost() -> None:
    """A: ten at 60 reserve 600 of 1,000. 0.6 of equity would be ten B at 60 too, but 400 pay six."""
    result = two_bars(60, 60, sizing=wb.PercentOfEquity(0.6))
    assert (bought(result, "A"), bought(result, "B")) == (10, 6)


@pytest.mark.parametrize(("price", "decision"), [(39, "ENTRY_TRUE"), (39.05, "BLOCKED_CASH")])
def test_S4_a_working_entry_reserves_its_charges(price: float, decision: str) -> None:
    """1 %: A reserves 606 and leaves 394. Ten B at 39 cost 393.90, at 39.05 they cost 394.41."""
    assert said(two_bars(60, price, costs=wb.costs.bps(100, 0)), "B")["Mon 09:25"] == decision


@pytest.mark.parametrize(("price", "decision"), [(39, "ENTRY_TRUE"), (39.05, "BLOCKED_CASH")])
def test_S4_a_working_entry_reserves_its_slippage(price: float, decision: str) -> None:
    """The same with 1 % of slippage: A reserves 10 * 60.60."""
    assert said(two_bars(60, price, costs=wb.costs.bps(0, 100)), "B")["Mon 09:25"] == decision


def swap(b: float, **fields: object) -> wb.Result:
    """Of 1,000, A takes ten at 60 and leaves at 60, at the bar where B enters."""
    tables = {
        "A": "Mon \n 09:15 60 entry \n 09:20 60 exit \n 09:25 60",
        "B": f"Mon \n 09:15 {b} \n 09:20 {b} entry \n 09:25 {b}",
    }
    return run(tables, **({"cash": 1_000} | fields))


@pytest.mark.parametrize("costs", [wb.costs.bps(100, 0), wb.costs.bps(0, 100)])
@pytest.mark.parametrize(("price", "decision"), [(97.8, "ENTRY_TRUE"), (97.85, "BLOCKED_CASH")])
def test_S4_exits_decided_now_release_their_proceeds_net(costs: object, price: float, decision: str) -> None:
    """A cost 606, 394 are left; its exit brings 600 less 1 %, 594: 988. Ten B at 97.80 cost 987.78, at 97.85 988.29."""
    assert said(swap(price, costs=costs), "B")["Mon 09:25"] == decision


def test_S4_without_reuse_of_exit_proceeds_they_wait_a_bar() -> None:
    assert said(swap(40, reuse_exit_proceeds=False), "B")["Mon 09:25"] == "ENTRY_TRUE"
    assert said(swap(41, reuse_exit_proceeds=False), "B")["Mon 09:25"] == "BLOCKED_CASH"


def test_S4_margin_frac_asks_only_a_part_of_the_value() -> None:
    """A fifth of 40,000 is 8,000 of 10,000; of 60,000 it would be 12,000, so it is reduced to 50,000."""
    fields = {"product": "MARGIN", "margin_frac": 0.2}
    assert bought(one(100, wb.FixedCash(40_000), **fields)) == 400
    assert bought(one(100, wb.FixedCash(60_000), **fields)) == 500
    assert bought(one(100, wb.FixedCash(40_000), product="MARGIN")) == 100
    assert bought(one(100, wb.FixedCash(40_000), product="MIS", margin_frac=0.2)) == 400


def test_S4_open_positions_bind_their_margin_at_the_mark() -> None:
    """A: 400 at 100, now 110, binds 8,800 of equity 14,000. The 5,200 left buy 26,000 at a fifth: 260 B at 100."""
    result = run(
        {
            "A": "Mon \n 09:15 100 entry \n 09:20 100 110 100 110 \n 09:25 110",
            "B": "Mon \n 09:15 100 \n 09:20 100 entry \n 09:25 100",
        },
        cash=10_000,
        sizing=wb.FixedCash(40_000),
        product="MARGIN",
        margin_frac=0.2,
    )
    assert (bought(result, "A"), bought(result, "B")) == (400, 260)


def test_S4_a_short_binds_cash_like_a_long() -> None:
    """1,000: ten A sold at 60 bind 600 although cash is 1,600; 400 are left for B, six at 60."""
    result = run(
        {
            "A": "Mon \n 09:15 60 short \n 09:20 60 \n 09:25 60",
            "B": "Mon \n 09:15 60 \n 09:20 60 short \n 09:25 60",
        },
        cash=1_000,
        direction="SHORT",
        sizing=wb.PercentOfEquity(0.6),
    )
    assert (bought(result, "A"), bought(result, "B")) == (10, 6)
    assert result.equity.cash.iloc[1] == 1_600.0


# --- S5 ----------------------------------------------------------------------------------------------------------


def test_S5_equity_is_cash_plus_signed_positions_at_their_marks() -> None:
    """Long ten A at 100 and short ten B at 50: cash 10,000 - 1,000 + 500.

    At 103 and 48: 9,500 + 1,030 - 480 = 10,050.
    """
    result = run(
        {
            "A": "Mon \n 09:15 100 entry \n 09:20 100 \n 09:25 103",
            "B": "Mon \n 09:15 50 short \n 09:20 50 \n 09:25 48",
        },
        cash=10_000,
        direction="BOTH",
    )
    assert list(result.equity.cash) == [10_000.0, 9_500.0, 9_500.0]
    assert list(result.equity.position_value) == [0.0, 500.0, 550.0]
    assert list(result.equity.equity) == [10_000.0, 10_000.0, 10_050.0]


def test_S5_nothing_but_fills_and_charges_changes_cash() -> None:
    """1 % of 1,000 and of 1,100: 10,000 - 1,010, held over a night, + 1,100 - 11."""
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 100
        15:25 120
        Tue
        09:15 115              exit
        09:20 110
        """,
        cash=10_000,
        costs=wb.costs.bps(100, 0),
    )
    assert list(result.equity.cash) == [10_000.0, 8_990.0, 8_990.0, 8_990.0, 10_079.0]
    assert equity(result)["Mon 15:30"] == 8_990.0 + 1_200.0


def test_S5_a_position_without_a_bar_is_marked_at_its_last_close() -> None:
    result = run(
        {
            "A": "Mon \n 09:15 100 entry \n 09:20 100 104 100 104",
            "B": "Mon \n 09:15-09:30 50",
        },
        cash=10_000,
        entry=ENTRY,
    )
    assert equity(result) == {
        "Mon 09:20": 10_000.0,
        "Mon 09:25": 10_040.0,
        "Mon 09:30": 10_040.0,
        "Mon 09:35": 10_040.0,
    }
    assert decisions(result, "A")[-1] == ("Mon 09:25", "EXIT_FALSE")
