"""From a strategy to a desk: the flat records that the kernels run on, and how they grow, are saved and restored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.costs import CostModel
from workbench.engine import records
from workbench.engine.loop import (
    ACTIONS_PER_INSTANT,
    DECISIONS_PER_INSTANT,
    FILLS_PER_INSTANT,
    NOTES_PER_INSTANT,
    TRADES_PER_INSTANT,
)
from workbench.engine.records import Desk, Direction, Records, Sizing
from workbench.market.instruments import Instrument
from workbench.strategy import Strategy
from workbench.strategy.sizing import CashPerSlot, FixedCash, FixedQty, PercentOfEquity, RiskPerTrade

#: Earlier than any strategy bar, far from overflow: no exit yet.
LONG_AGO = -(2**40)

#: How much larger a full buffer becomes, and for how many rows it has room at first besides one for two decisions.
#: Pages that nothing is written to take no memory.
GROWTH = 4
ROWS_AT_FIRST = 4096

_BUFFERS = {
    "actions": (records.action_dtype, ACTIONS_PER_INSTANT),
    "fills": (records.fill_dtype, FILLS_PER_INSTANT),
    "trades": (records.trade_dtype, TRADES_PER_INSTANT),
    "decisions": (records.decision_dtype, DECISIONS_PER_INSTANT),
    "notes": (records.note_dtype, NOTES_PER_INSTANT),
}


def _off(value: float | None) -> float:
    return np.nan if value is None else float(value)


def config_record(strategy: Strategy, slippage_frac: float) -> Records:
    """A strategy's numbers as one record of ``config_dtype``; what is off is NaN or -1."""
    config = np.zeros(1, records.config_dtype)
    row = config[0]
    row["direction"] = Direction[strategy.direction]
    row["mis"] = strategy.product == "MIS"
    row["proxy_close"] = strategy.execution == "proxy_close"
    row["stop_intrabar"] = strategy.stop_execution == "intrabar"
    row["ambiguous_target"] = strategy.ambiguous_bar == "target"
    row["touch_through"] = strategy.target_touch == "through"
    row["ranking"] = strategy.allocation == "RANKING"
    row["reuse_exit_proceeds"] = strategy.reuse_exit_proceeds
    row["sizing"], row["sizing_value"], row["leverage_max"] = _sizing(strategy)
    row["max_open_positions"] = strategy.max_open_positions
    row["max_trades_per_day"] = -1 if strategy.max_trades_per_day is None else strategy.max_trades_per_day
    row["max_holding_bars"] = -1 if strategy.max_holding_bars is None else strategy.max_holding_bars
    row["min_holding_bars"] = strategy.min_holding_bars
    row["cooldown_bars"] = strategy.cooldown_bars
    row["trailing_activation_frac"] = strategy.trailing_activation_frac
    row["margin_frac"] = 1.0 if strategy.margin_frac is None else strategy.margin_frac
    row["slippage_frac"] = slippage_frac
    for name in (
        "stop_loss_frac", "stop_loss_atr", "take_profit_frac", "trailing_stop_frac", "max_drawdown_frac",
        "max_trade_drawdown_frac", "daily_loss_limit_frac", "max_symbol_alloc_frac", "max_symbol_exposure",
        "sector_cap_frac",
    ):  # fmt: skip
        row[name] = _off(getattr(strategy, name))
    return config


def _sizing(strategy: Strategy) -> tuple[Sizing, float, float]:
    policy = strategy.sizing
    if isinstance(policy, PercentOfEquity):
        return Sizing.PERCENT_OF_EQUITY, policy.frac, np.nan
    if isinstance(policy, FixedCash):
        return Sizing.FIXED_CASH, policy.amount, np.nan
    if isinstance(policy, CashPerSlot):
        return Sizing.CASH_PER_SLOT, np.nan, np.nan
    if isinstance(policy, FixedQty):
        return Sizing.FIXED_QTY, policy.qty, np.nan
    assert isinstance(policy, RiskPerTrade), f"a policy the engine does not know: {policy!r}"
    return Sizing.RISK_PER_TRADE, policy.frac, policy.leverage_max


def instrument_records(
    strategy: Strategy, instruments: Sequence[Instrument], costs: CostModel
) -> tuple[Records, Records]:
    """Ticks, lots, sectors, and every instrument's rates one after another."""
    rows = np.zeros(len(instruments), records.instrument_dtype)
    sectors = sorted(set(strategy.sectors.values()))
    tables: list[Records] = []
    for row, item in zip(rows, instruments, strict=True):
        sector = strategy.sectors.get(item.name)
        table = costs.rates(strategy.product, item.exchange, item.currency, item.symbol)
        row["tick"], row["lot"] = item.tick, item.lot
        row["sector"] = -1 if sector is None else sectors.index(sector)
        row["rates_first"] = sum(map(len, tables))
        row["rates_stop"] = row["rates_first"] + len(table)
        tables.append(table)
    return rows, np.concatenate(tables)


def new_desk(
    strategy: Strategy, instruments: Sequence[Instrument], costs: CostModel, initial_cash: float, decisions: int = 0
) -> Desk:
    """A flat desk with cash, before its first instant.

    Parameters
    ----------
    strategy : Strategy
        What is traded.
    instruments : sequence of Instrument
        Sorted by name: their order is the order of rules D7, D8 and F1.
    costs : CostModel
        Slippage and charges.
    initial_cash : float
        Sizing reference (S1), money.
    decisions : int
        Number of decisions to expect; the other buffers grow as they fill.
    """
    n = len(instruments)
    described, rates = instrument_records(strategy, instruments, costs)
    account = np.zeros(1, records.account_dtype)
    for name in ("cash", "equity", "peak_equity", "session_start_equity"):
        account[name] = initial_cash
    account["session"] = -1
    positions = np.zeros(n, records.position_dtype)
    for name in ("mark", "stop", "trail", "target", "first_level", "pending_atr"):
        positions[name] = np.nan
    for name in ("stop_order", "target_order", "exit_order", "pending_order", "pending_named"):
        positions[name] = -1
    positions["exit_bar"] = LONG_AGO
    rows = ROWS_AT_FIRST + decisions // 2
    buffers = {name: np.empty(per * n + rows, dtype) for name, (dtype, per) in _BUFFERS.items()}
    # Exits at base instants add rows of their own: an eighth more is seldom outgrown, and costs no page unused.
    buffers["decisions"] = np.empty(decisions + decisions // 8 + DECISIONS_PER_INSTANT * n, records.decision_dtype)
    config = config_record(strategy, costs.slippage_frac)
    return Desk(config, described, rates, account, positions, np.zeros(n, records.scratch_dtype), **buffers)


def grown(desk: Desk) -> Desk:
    """The same desk with larger output buffers where one is nearly full."""
    n = len(desk.positions)
    larger = {}
    for name, (dtype, per) in _BUFFERS.items():
        buffer, used = getattr(desk, name), int(desk.account[0][f"n_{name}"])
        if used + per * n > len(buffer):
            larger[name] = np.empty(GROWTH * len(buffer) + per * n, dtype)
            larger[name][:used] = buffer[:used]
    return desk._replace(**larger)


def written(desk: Desk, name: str) -> Records:
    """What has been written to one of the output buffers so far (a view)."""
    rows: Records = getattr(desk, name)[: int(desk.account[0][f"n_{name}"])]
    return rows
