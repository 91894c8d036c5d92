"""Runs a scenario of the reference through the product's own kernels, desk and timetable.

Only the expressions and the calendar's knowledge of holidays are left out: a scenario says directly which sessions
there are and what the signals are.
"""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from workbench.engine import records
from workbench.engine.costs import charges_of, rates_dtype
from workbench.engine.desk import config_record, grown, new_desk, written
from workbench.engine.loop import run
from workbench.engine.records import Curve, Market, Signals
from workbench.engine.timetable import timetable
from workbench.market.grid import Buckets, Grid
from workbench.market.instruments import Instrument
from workbench.market.sessions import DayKind, SessionTable
from workbench.market.timeframe import MINUTE_NS, Timeframe
from workbench.schema import Decision, OrderKind, Reason, Signal
from workbench.strategy.sizing import CashPerSlot, FixedCash, FixedQty, PercentOfEquity, RiskPerTrade

ZONES = {0: "UTC", 330: "Asia/Kolkata", -300: "Etc/GMT+5"}
POLICIES = {
    policy.__name__: policy for policy in (PercentOfEquity, FixedCash, CashPerSlot, FixedQty, RiskPerTrade)
}
PRODUCT_DEFAULTS = {"margin_frac": None, "rank": None}


def rates_table(seed: int) -> Any:
    """A random cost model as the product's own rates; the reference is handed the same kernel as a callable."""
    draw = np.random.default_rng(seed)
    rates = np.zeros(draw.integers(1, 3), rates_dtype)
    rates["brokerage_max"], rates["activity_max"] = math.inf, math.inf
    if draw.random() < 0.7:
        rates["brokerage_frac"] = draw.choice([0.0003, 0.001])
        rates["brokerage_max"] = draw.choice([20.0, math.inf])
        rates["tax_sell_frac"] = draw.choice([0.0, 0.001])
        rates["delivery_sell"] = draw.choice([0.0, 3.5])
        rates["tax_steps"] = draw.choice([0.0, 1.0])
    if len(rates) == 2:
        rates["effective_from_ns"][1] = 19_730 * 86_400 * 10**9
        rates["brokerage_frac"][1] *= 2
    return rates


class OneModel:
    """Stands where a CostModel stands, with a table of its own."""

    def __init__(self, rates: Any, slippage_frac: float) -> None:
        self._rates, self.slippage_frac = rates, slippage_frac

    def rates(self, *_: str) -> Any:
        """The same table for every instrument."""
        return self._rates


def strategy_of(scenario: dict[str, Any]) -> Any:
    """The scenario's strategy with the attributes that the engine reads of a Strategy."""
    from tests.reference.world import DEFAULTS

    fields = {**DEFAULTS, **scenario["strategy"]}
    name, *arguments = fields["sizing"]
    fields["sizing"] = POLICIES[name](*arguments) if name != "FixedQty" else FixedQty(float(arguments[0]))
    fields["name"] = "scenario"
    fields["min_holding_bars"] = fields["min_holding_bars"] or 0
    fields["cooldown_bars"] = fields["cooldown_bars"] or 0
    return SimpleNamespace(**fields)


def grid_of(scenario: dict[str, Any]) -> tuple[Grid, int]:
    """The scenario's sessions and intervals as a Grid, and the base length in nanoseconds."""
    sessions, intervals = scenario["sessions"], scenario["grid"]
    used = sorted({interval["session"] for interval in intervals})
    table_rows = sessions[used[0] : used[-1] + 1]
    base_ns = max(interval["close_ns"] - interval["open_ns"] for interval in intervals)
    length = max(base_ns, 1)
    pauses: list[tuple[int, int, int]] = []
    for before, after in itertools.pairwise(intervals):
        if before["session"] == after["session"] and before["close_ns"] < after["open_ns"]:
            pauses.append((before["session"] - used[0], before["close_ns"], after["open_ns"]))
    first = [sum(row < s for row, _, _ in pauses) for s in range(len(table_rows) + 1)]
    known = np.array([row["known"] for row in table_rows])
    table = SessionTable(
        date=np.array([row["date"] for row in table_rows], np.int32),
        open_ns=np.array([row["open_ns"] for row in table_rows], np.int64),
        close_ns=np.array([row["close_ns"] for row in table_rows], np.int64),
        proxy_close_ns=np.array([row["proxy_close_ns"] for row in table_rows], np.int64),
        sell_end_ns=np.array([row["sell_end_ns"] for row in table_rows], np.int64),
        kind=np.where(known, int(DayKind.SPECIAL), int(DayKind.UNKNOWN)).astype(np.int8),
        known=known,
        pause_first=np.array(first, np.int32),
        pause_start_ns=np.array([start for _, start, _ in pauses], np.int64),
        pause_end_ns=np.array([end for _, _, end in pauses], np.int64),
    )
    zone = ZONES[table_rows[0]["utc_offset_ns"] // MINUTE_NS]
    calendar: Any = SimpleNamespace(zone=zone, name="TEST")
    timeframe = Timeframe(int(length // MINUTE_NS))
    whole = Grid(calendar, timeframe, table)
    grid = whole.trimmed(intervals[0]["open_ns"], intervals[-1]["open_ns"])
    np.testing.assert_array_equal(grid.open_ns, [interval["open_ns"] for interval in intervals])
    np.testing.assert_array_equal(grid.close_ns, [interval["close_ns"] for interval in intervals])
    return grid, used[0]


def build(scenario: dict[str, Any], rates: Any) -> dict[str, Any]:
    """Desk, market, signals and the first instant of a scenario."""
    strategy = strategy_of(scenario)
    names = sorted(scenario["instruments"])
    grid, _ = grid_of(scenario)
    m, n = len(grid), len(names)
    final = np.array([i in scenario["strategy_closes"] for i in range(m)])
    times = timetable(strategy, grid, Buckets(grid.timeframe, np.zeros(m, np.int32), final, int(final.sum())))
    prices = np.full((4, m, n), np.nan)
    flags = np.zeros((int(final.sum()), n), np.uint8)
    rank, atr = np.full(flags.shape, np.nan), np.full(flags.shape, np.nan)
    ordinal = np.cumsum(final) - 1
    for k, name in enumerate(names):
        for i, bar in scenario["bars"][name].items():
            prices[:, i, k] = bar[:4]
        for i, said in scenario["signals"][name].items():
            s = ordinal[i]
            flags[s, k] = Signal.BAR | (Signal.WARM if said["warm"] else 0)
            for key, bit in (("entry", Signal.ENTRY), ("exit", Signal.EXIT), ("short_entry", Signal.SHORT_ENTRY),
                             ("short_exit", Signal.SHORT_EXIT)):
                flags[s, k] |= bit if said[key] is True else 0
            rank[s, k] = math.nan if said["rank"] is None else said["rank"]
            atr[s, k] = math.nan if said["atr"] is None else said["atr"]
    first = first_instant(scenario, grid)
    skipped = int(final[:first].sum())
    market = Market(times.part(first), *(np.ascontiguousarray(column[first:]) for column in prices))
    signals = Signals(flags[skipped:].copy(), rank[skipped:].copy(), atr[skipped:].copy())
    items = [Instrument(name, "NSE", name, scenario["instruments"][name]["tick"], scenario["instruments"][name]["lot"],
                        "INR") for name in names]
    model: Any = OneModel(rates, scenario["costs"]["slippage_frac"])
    desk = new_desk(strategy, items, model, scenario["initial_cash"])
    return {"desk": desk, "market": market, "signals": signals, "names": names, "strategy": strategy}


def first_instant(scenario: dict[str, Any], grid: Grid) -> int:
    """B8: the interval that opens the first strategy bar at or after the start."""
    if scenario.get("start_ns") is None:
        return 0
    opens = scenario["strategy_opens"]
    for close in sorted(opens):
        if opens[close] >= scenario["start_ns"]:
            return int(np.searchsorted(grid.open_ns, opens[close]))
    return len(grid)


def run_engine(built: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Run to the end, growing buffers from nothing, and return rows like the reference's."""
    desk, market, signals = built["desk"], built["market"], built["signals"]
    m = len(market.open)
    curve = Curve(np.empty(m), np.empty(m), np.empty(m, np.bool_))
    at = close = 0
    while at < m:
        at, close = run(desk, market, signals, curve, at, close)
        if at < m:
            desk = grown(desk)
    return rows_of(desk, market, curve, built["names"])


def rows_of(desk: records.Desk, market: Market, curve: Curve, names: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The engine's records as plain rows with the reference's columns."""
    from workbench.research.frames import Orders

    ids = [str(number) for number in range(int(desk.account[0]["next_order"]))]
    orders = Orders(written(desk, "actions"), names, "hash")
    frame = orders.frame()
    assert frame["order_id"].is_unique, "two orders of one result share an id"
    decisions = written(desk, "decisions")
    order = np.lexsort((decisions["instrument"], decisions["ns"]))
    traded = ~np.isnan(market.close).all(axis=1)
    kinds = [kind.name.lower() for kind in OrderKind]
    return {
        "orders": [
            {**row, "ts": row["ts"].value, "order_id": ids[i]} for i, row in enumerate(frame.to_dict("records"))
        ],
        "fills": [
            {"ts": int(row["ns"]), "instrument": names[row["instrument"]], "side": "BUY" if row["side"] > 0 else "SELL",
             "qty": float(row["qty"]), "price": float(row["price"]), "charges": float(row["charges"]),
             "reason": Reason(int(row["reason"])).name, "kind": kinds[row["kind"]], "order_id": ids[row["order"]]}
            for row in written(desk, "fills")
        ],
        "trades": [
            {"instrument": names[row["instrument"]], "qty": float(row["qty"]), "entry_ts": int(row["entry_ns"]),
             "direction": "LONG" if row["direction"] > 0 else "SHORT",
             "entry_price": float(row["entry_price"]), "exit_ts": int(row["exit_ns"]),
             "exit_price": float(row["exit_price"]), "exit_reason": Reason(int(row["exit_reason"])).name,
             "gross_pnl": float(row["gross_pnl"]), "charges": float(row["charges"]),
             "r_multiple": float(row["r_multiple"]), "mae_frac": float(row["mae_frac"]),
             "mfe_frac": float(row["mfe_frac"]), "bars_held": int(row["bars_held"])}
            for row in written(desk, "trades")
        ],
        "decisions": [
            {"ts": int(row["ns"]), "instrument": names[row["instrument"]],
             "decision": Decision(int(row["decision"])).name,
             "entry": None if row["entry"] == 0 else Decision(int(row["entry"])).name,
             "reason": None if row["reason"] == 0 else Reason(int(row["reason"])).name}
            for row in decisions[order]
        ],
        "equity": [
            {"ts": int(ns), "cash": float(cash), "position_value": float(value)}
            for ns, cash, value in zip(market.times.close_ns[traded], curve.cash[traded],
                                       curve.position_value[traded], strict=True)
        ],
        "notes": [{"ts": int(row["ns"]), "instrument": names[row["instrument"]]} for row in written(desk, "notes")],
    }


def callable_charges(rates: Any) -> Any:
    """The product's charges kernel as the callable that the reference asks for."""
    return lambda ts, side, qty, price, same: float(charges_of(rates, ts, side, qty, price, same))


__all__ = ["build", "callable_charges", "config_record", "rates_table", "run_engine"]
