"""Many deployments in one runner, of one calendar and of several: each is what it would be alone (P1, C1, B5)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

import workbench as wb
from tests.paper_run import RENEWED_NS, differences, rows, started
from workbench.journal import tables
from workbench.journal.store import Store
from workbench.live.clock import VirtualClock
from workbench.live.deploy import Wish, deploy
from workbench.live.replay import find, replayed

CASH = 1e6


def walk(seed: int, start: str, count: int, zone: str, calendar: str) -> wb.Bars:
    """Five-minute bars that wander."""
    drawn = np.random.default_rng(seed)
    closes = np.round(100.0 + np.cumsum(drawn.normal(0.0, 0.3, count)), 2)
    opens = np.r_[closes[0], closes[:-1]]
    frame = pd.DataFrame({"open": opens, "close": closes, "volume": 1000.0})
    frame["high"] = frame[["open", "close"]].max(axis=1) + 0.05
    frame["low"] = frame[["open", "close"]].min(axis=1) - 0.05
    frame.index = pd.date_range(start, periods=count, freq="5min", tz=zone, name="ts")
    return wb.Bars(frame, "5m", calendar)


def crossing(name: str, instrument: str, calendar: str) -> wb.Strategy:
    return wb.Strategy(
        name=name, version="1.0.0", instruments=(instrument,), timeframe="5m", calendar=calendar, product="CNC",
        entry="close > SMA(close, 5)", exit="close < SMA(close, 5)", stop_loss_frac=0.01,
    )  # fmt: skip


def run_all(wishes: dict[str, tuple[wb.Strategy, dict[str, wb.Bars]]]) -> tuple[Store, dict[str, str]]:
    """All of them in one runner, to the end of the bars."""
    store = Store.open(":memory:")
    data = {name: bars for _, shown in wishes.values() for name, bars in shown.items()}
    idents = {
        name: deploy(store, Wish(one, shown, wb.costs.none(), CASH, 0), 0) for name, (one, shown) in wishes.items()
    }
    clock = VirtualClock(0)
    clock.wait_until(min(int(one.ts_ns[0]) for one in data.values()))
    runner, last = started(store, data, clock, "one"), max(int(one.grid.close_ns[-1]) for one in data.values())
    while True:
        if not runner.lease.lasts(RENEWED_NS):
            runner.lease.renew()
        due = runner.turn()
        if due is None or due > last:
            return store, idents
        clock.wait_until(due)


def nse(seed: int) -> wb.Bars:
    return walk(seed, "2024-03-04 09:15", 75, "Asia/Kolkata", "NSE")


def ranking() -> wb.Strategy:
    return wb.Strategy(
        name="ranking", version="1.0.0", instruments=("NSE:INFY", "NSE:TCS", "NSE:WIPRO"), timeframe="15m",
        calendar="NSE", product="MIS", entry="close > SMA(close, 2)", exit="close < SMA(close, 2)",
        allocation="RANKING", rank="ROC(1)", max_open_positions=2, stop_loss_atr=1.5, stop_loss_atr_length=2,
        sizing=wb.CashPerSlot(),
    )  # fmt: skip


INFY, TCS, WIPRO = nse(1), nse(3), nse(4)
WISHES = {
    "one share": (crossing("one share", "NSE:INFY", "NSE"), {"NSE:INFY": INFY}),
    "the same share": (crossing("the same share", "NSE:INFY", "NSE"), {"NSE:INFY": INFY}),
    "three that are ranked": (ranking(), {"NSE:INFY": INFY, "NSE:TCS": TCS, "NSE:WIPRO": WIPRO}),
    "another calendar": (
        crossing("another calendar", "24x7:BTC", "24x7"),
        {"24x7:BTC": walk(2, "2024-03-04 00:00", 280, "UTC", "24x7")},
    ),
}


@pytest.fixture(scope="module")
def ran() -> tuple[Store, dict[str, str]]:
    """All of them, in one runner."""
    return run_all(WISHES)


@pytest.mark.parametrize("name", WISHES)
def test_P1_each_of_many_in_one_runner_equals_its_backtest(name: str, ran: tuple[Store, dict[str, str]]) -> None:
    store, idents = ran
    strategy, shown = WISHES[name]
    result = wb.backtest(strategy, shown, CASH, wb.costs.none())
    assert len(result.trades) > 3
    assert not differences(store, idents[name], result)
    assert not [row for row in rows(store, "journal", idents[name], "seq") if row["kind"] == "LATE_BAR"]


def test_P1_deployments_with_weeks_of_history_begin_together() -> None:
    """Each of them has fed more sessions than a schedule keeps laid out, one after the other."""
    bars = wb.samples.synthetic(seed=1, start="2023-01-02", end="2023-02-03")
    strategy, start = crossing("long", "NSE:SAMPLE", "NSE"), pd.Timestamp("2023-02-01 03:45", tz="UTC").value
    shown, store = {"NSE:SAMPLE": bars}, Store.open(":memory:")
    idents = [
        deploy(store, Wish(strategy, shown, wb.costs.none(), CASH, start, name=name), 0) for name in ("one", "two")
    ]
    clock = VirtualClock(0)
    clock.wait_until(start)
    runner, last = started(store, shown, clock, "one"), int(bars.grid.close_ns[-1])
    while (due := runner.turn()) is not None and due <= last:
        clock.wait_until(due)
    result = wb.backtest(strategy, shown, CASH, wb.costs.none(), start="2023-02-01")
    assert len(result.trades) > 3
    for ident in idents:
        assert not differences(store, ident, result)


@pytest.mark.parametrize("start", ["2024-03-04 09:50", "2024-03-04 09:55", "2024-03-04 10:00"])
def test_B8_a_strategy_bar_that_began_before_the_start_is_made_of_all_its_base_bars(start: str) -> None:
    strategy = wb.Strategy(
        name="coarse", version="1.0.0", instruments=("NSE:INFY",), timeframe="15m", calendar="NSE", product="CNC",
        entry="close > SMA(close, 2) OR high > 101", exit="close < SMA(close, 3) AND low < 101",
    )  # fmt: skip
    shown, at = {"NSE:INFY": INFY}, pd.Timestamp(start, tz="Asia/Kolkata")
    store = Store.open(":memory:")
    ident = deploy(store, Wish(strategy, shown, wb.costs.none(), CASH, at.value), 0)
    clock = VirtualClock(at.value)
    runner, last = started(store, shown, clock, "one"), int(INFY.grid.close_ns[-1])
    while (due := runner.turn()) is not None and due <= last:
        clock.wait_until(due)
    result = wb.backtest(strategy, shown, CASH, wb.costs.none(), start=at)
    assert len(result.trades) > 1
    assert not differences(store, ident, result)
    told = [row["kind"] for row in rows(store, "journal", ident, "seq")]
    assert told.count("BAR_WARMED") == {"09:50": 2, "09:55": 1, "10:00": 0}[start[-5:]]
    with store.read() as connection:
        assert replayed(connection, find(connection, ident, "local")).differences == []


def test_B5_the_history_of_a_new_deployment_changes_nothing_of_what_another_has_passed_without() -> None:
    frame = INFY.frame
    holed = wb.Bars(frame.drop(frame.index[[3, 4, 20]]), "5m", "NSE")
    store = Store.open(":memory:")
    ident = deploy(store, Wish(crossing("first", "NSE:INFY", "NSE"), {"NSE:INFY": holed}, wb.costs.none(), CASH, 0), 0)
    clock = VirtualClock(int(INFY.ts_ns[0]))
    runner, until = started(store, {"NSE:INFY": holed}, clock, "one"), int(INFY.grid.close_ns[30])
    while (due := runner.turn()) is not None and due <= until:
        clock.wait_until(due)
    later = crossing("later", "NSE:INFY", "NSE")
    deploy(store, Wish(later, {"NSE:INFY": INFY}, wb.costs.none(), CASH, int(INFY.ts_ns[60])), clock.now_ns())
    with store.read() as connection:
        late = connection.execute(sa.select(tables.bars.c.ts_ns).where(tables.bars.c.late).order_by("ts_ns")).scalars()
        assert list(late) == [int(INFY.ts_ns[k]) for k in (3, 4, 20)]
        assert replayed(connection, find(connection, ident, "local")).differences == []
