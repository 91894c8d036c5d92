"""``result.to_vectorbt()``: the fills as a vectorbt portfolio, whose value is our equity at every row."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.research.vectorbt_bridge import marks, order_records

vbt = pytest.importorskip("vectorbt", reason="vectorbt is what is handed to")

COSTS = wb.costs.bps(5, 2)


@cache
def one(**changes: Any) -> wb.Result:
    """Thirteen years of one real share."""
    fields = {
        "name": "one", "version": "1.0.0", "instruments": ("XNYS:AAPL",), "timeframe": "1d", "calendar": "XNYS",
        "product": "CNC", "entry": "RSI(3) < 30", "exit": "RSI(3) > 60",
    }
    return wb.backtest(wb.Strategy(**{**fields, **changes}), wb.samples.stock("AAPL"), 100_000.0, COSTS)


@cache
def turning() -> wb.Result:
    """Reversals at almost every bar, most of them stopped out in the bar they were entered in."""
    return one(
        product="MARGIN", direction="BOTH", entry="close > SMA(close, 3)", exit="close < SMA(close, 3)",
        short_entry="close < SMA(close, 3)", short_exit="close > SMA(close, 3)", stop_loss_frac=0.005,
        sizing=wb.FixedQty(1000),
    )


@cache
def borrowing() -> wb.Result:
    """Positions of three times the initial cash, so that cash is far below zero."""
    return one(product="MARGIN", margin_frac=0.25, sizing=wb.FixedCash(300_000), stop_loss_frac=0.02)


@cache
def five(**changes: Any) -> wb.Result:
    """Five real shares on one account; one of them begins to trade in 2012."""
    bars = wb.samples.stocks()
    fields = {
        "name": "five", "version": "1.0.0", "instruments": tuple(bars), "timeframe": "1d", "calendar": "XNYS",
        "product": "CNC", "entry": "RSI(2) < 20", "exit": "RSI(2) > 70", "rank": "-ROC(5)", "allocation": "RANKING",
        "max_open_positions": 3, "sizing": wb.CashPerSlot(), "stop_loss_frac": 0.03,
    }
    return wb.backtest(wb.Strategy(**{**fields, **changes}), bars, 100_000.0, COSTS)


@cache
def intraday() -> wb.Result:
    """Three months of made-up 5-minute bars with a 15-minute strategy, stops and targets, Zerodha's charges."""
    bars = wb.samples.synthetic(seed=3, start="2023-01-02", end="2023-03-31")
    strategy = wb.Strategy(
        name="intraday", version="1.0.0", instruments=("NSE:SYN",), timeframe="15m", calendar="NSE", product="MIS",
        direction="BOTH", entry="close > SMA(close, 3)", exit="close < SMA(close, 3)",
        short_entry="close < SMA(close, 3)", short_exit="close > SMA(close, 3)", stop_loss_frac=0.001,
        take_profit_frac=0.002,
    )
    return wb.backtest(strategy, bars, 1_000_000.0, wb.costs.zerodha_equity(2))


CASES: dict[str, Callable[[], wb.Result]] = {
    "one": one,
    "turning": turning,
    "borrowing": borrowing,
    "five": five,
    "five_short": lambda: five(product="MARGIN", direction="SHORT"),
    "intraday": intraday,
    "nothing": lambda: one(entry="close > 1e9"),
}


def check_same(result: wb.Result) -> Any:
    """Value and cash are ours at every row, to 1e-9 of the initial cash."""
    portfolio = result.to_vectorbt()
    for theirs, column in ((portfolio.value(), "equity"), (portfolio.cash(), "cash")):
        assert theirs.index.equals(result.equity.index)
        np.testing.assert_allclose(theirs, result.equity[column], rtol=0, atol=1e-9 * result.initial_cash)
    return portfolio


@pytest.mark.parametrize("case", CASES)
def test_value_and_cash_are_ours_at_every_row(case: str) -> None:
    check_same(CASES[case]())


@pytest.mark.parametrize("case", CASES)
def test_trades_are_ours(case: str) -> None:
    result = CASES[case]()
    theirs = result.to_vectorbt().trades
    assert np.sum(theirs.count()) == len(result.trades)
    ours = np.sort(result.trades.loc[~result.trades["is_open"], "net_pnl"])
    closed = np.sort(theirs.records["pnl"][theirs.records["status"] == 1])
    np.testing.assert_allclose(closed, ours, rtol=1e-9, atol=1e-9 * result.initial_cash)


def test_several_fills_in_a_bar_are_kept_apart() -> None:
    result = turning()
    in_one_bar = result.fills.groupby("ts").size()
    assert (in_one_bar == 3).sum() > 100  # an exit, an entry and its stop
    assert len(order_records(result)) == len(result.fills)
    assert set(result.trades["direction"]) == {"LONG", "SHORT"}


def test_S1_cash_below_zero_is_no_obstacle() -> None:
    result = borrowing()
    assert result.equity["cash"].min() < -100_000
    assert result.to_vectorbt().trades.count() == len(result.trades)


def test_B7_a_position_is_marked_at_its_last_close() -> None:
    result = five()
    closes = marks(result)
    assert closes.isna().any().loc[lambda missing: missing].index.tolist() == ["XNYS:FB", "XNYS:GOOG"]  # listed later
    assert closes["XNYS:GOOG"].first_valid_index().year == 2004
    aapl = wb.samples.stock("AAPL").close
    assert closes["XNYS:AAPL"].iloc[-1] == aapl[-1]


def test_B7_marks_are_carried_over_a_gap() -> None:
    whole = wb.samples.synthetic(seed=5, start="2023-01-02", end="2023-01-13")
    frame = whole.frame
    holes = wb.Bars(frame.drop(frame.index[100:140]), "5m", "NSE", basis="synthetic")
    strategy = wb.Strategy(
        name="gaps", version="1.0.0", instruments=("NSE:A", "NSE:B"), timeframe="5m", calendar="NSE", product="CNC",
        entry="close > 0", sizing=wb.FixedQty(10),
    )
    result = wb.backtest(strategy, {"NSE:A": whole, "NSE:B": holes}, 1_000_000.0, COSTS)
    check_same(result)
    carried = marks(result)["NSE:B"].iloc[100:140]
    assert (carried == frame["close"].iloc[99]).all()


def test_B8_a_later_start_begins_with_the_cash() -> None:
    bars = wb.samples.stock("AAPL")
    result = wb.backtest(one().strategy, bars, 100_000.0, COSTS, start="2008-01-02")
    portfolio = check_same(result)
    assert portfolio.value().index[0].year == 2008


def test_vectorbt_itself_trades_the_same_where_it_can() -> None:
    # One fill a bar and cash above zero is what its own simulation takes: the records must come out equal.
    result = one(sizing=wb.PercentOfEquity(0.9))
    assert result.fills["ts"].is_unique
    records = order_records(result)
    rows = len(result.equity)
    size, price, fees = np.zeros(rows), np.full(rows, np.nan), np.zeros(rows)
    size[records["idx"]] = np.where(records["side"] == 0, records["size"], -records["size"])
    price[records["idx"]], fees[records["idx"]] = records["price"], records["fees"]
    theirs = vbt.Portfolio.from_orders(
        marks(result).iloc[:, 0], size, price=price, fixed_fees=fees, init_cash=result.initial_cash, freq="1d"
    )
    for field in ("col", "idx", "size", "price", "fees", "side"):
        np.testing.assert_array_equal(theirs.order_records[field], records[field], err_msg=field)
    np.testing.assert_allclose(theirs.value(), result.equity["equity"], rtol=0, atol=1e-4)
    ours = result.to_vectorbt()
    np.testing.assert_allclose(ours.value(), theirs.value(), rtol=1e-12)


def test_R3_annual_figures_agree_when_the_year_is_named() -> None:
    result = one()
    theirs = result.to_vectorbt().returns().vbt.returns(freq="1d", year_freq="252d")
    assert theirs.sharpe_ratio() == pytest.approx(result.stats["sharpe_ann"], rel=1e-6)


def test_real_intraday_bars(real_bars: Callable[..., wb.Bars]) -> None:
    names = ("RELIANCE", "HDFCBANK", "INFY")
    bars = {f"NSE:{name}": real_bars(f"nse/{name}_5m", repair="drop") for name in names}
    strategy = wb.Strategy(
        name="real", version="1.0.0", instruments=tuple(bars), timeframe="15m", calendar="NSE", product="MIS",
        direction="BOTH", entry="RSI(5) < 30", exit="RSI(5) > 50", short_entry="RSI(5) > 70", short_exit="RSI(5) < 50",
        stop_loss_frac=0.002, take_profit_frac=0.003, max_open_positions=2, sizing=wb.CashPerSlot(),
    )
    result = wb.backtest(strategy, bars, 1_000_000.0, wb.costs.zerodha_equity(1))
    assert len(result.fills) > 1000
    assert (result.fills.groupby(["ts", "instrument"]).size() > 1).any()
    check_same(result)
