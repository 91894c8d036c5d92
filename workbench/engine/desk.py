"""From a strategy to a desk: the flat records that the kernels run on, and how they grow, are saved and restored."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

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
from workbench.strategy.fields import CHECKS
from workbench.strategy.sizing import CashPerSlot, FixedCash, FixedQty, PercentOfEquity, RiskPerTrade, SizingPolicy

#: Earlier than any strategy bar, far from overflow: no exit yet.
LONG_AGO = -(2**40)

#: How much larger a full buffer becomes, and for how many rows it has room at first besides one for two decisions.
#: Pages that nothing is written to take no memory.
GROWTH = 4
ROWS_AT_FIRST = 4096

_CONFIG = records.config_dtype.names or ()
_COUNTS = frozenset(("max_trades_per_day", "max_holding_bars"))

#: Fields that the record says in a number of its own, and those it has by the same name.
_TOLD = ("direction", "product", "execution", "stop_execution", "ambiguous_bar", "target_touch", "allocation", "sizing")
_SAME = tuple(name for name in _CONFIG if name in CHECKS and name not in (*_TOLD, "margin_frac"))
_SAID = (*_TOLD, *_SAME, "margin_frac")

_BUFFERS = {
    "actions": (records.action_dtype, ACTIONS_PER_INSTANT),
    "fills": (records.fill_dtype, FILLS_PER_INSTANT),
    "trades": (records.trade_dtype, TRADES_PER_INSTANT),
    "decisions": (records.decision_dtype, DECISIONS_PER_INSTANT),
    "notes": (records.note_dtype, NOTES_PER_INSTANT),
}


def config_record(strategy: Strategy, slippage_frac: float) -> Records:
    """A strategy's numbers as one record of ``config_dtype``; what is off is NaN or -1. Not to be written to."""
    return _config(tuple([getattr(strategy, name) for name in _SAID]), slippage_frac)


@lru_cache(maxsize=64)
def _config(said: tuple[Any, ...], slippage_frac: float) -> Records:
    """The record of one set of fields; thousands of strategies of a sweep differ in their expressions alone."""
    field = dict(zip(_SAID, said, strict=True))
    sizing, value, leverage_max = _sizing(field["sizing"])
    found: dict[str, Any] = {
        "direction": Direction[field["direction"]],
        "mis": field["product"] == "MIS",
        "proxy_close": field["execution"] == "proxy_close",
        "stop_intrabar": field["stop_execution"] == "intrabar",
        "ambiguous_target": field["ambiguous_bar"] == "target",
        "touch_through": field["target_touch"] == "through",
        "ranking": field["allocation"] == "RANKING",
        "sizing": sizing,
        "sizing_value": value,
        "leverage_max": leverage_max,
        "margin_frac": 1.0 if field["margin_frac"] is None else field["margin_frac"],
        "slippage_frac": slippage_frac,
    }
    for name in _SAME:
        off = -1 if name in _COUNTS else np.nan
        found[name] = off if field[name] is None else field[name]
    return np.array([tuple([found[name] for name in _CONFIG])], records.config_dtype)


def _sizing(policy: SizingPolicy) -> tuple[Sizing, float, float]:
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
    strategy: Strategy,
    instruments: Sequence[Instrument],
    costs: CostModel,
    initial_cash: float,
    decisions: int = 0,
    rows: int = ROWS_AT_FIRST,
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
    rows : int
        Room in each of the other buffers besides one for half the decisions.
    """
    n = len(instruments)
    described, rates = instrument_records(strategy, instruments, costs)
    room = rows + decisions // 2
    buffers = {name: np.empty(per * n + room, dtype) for name, (dtype, per) in _BUFFERS.items()}
    # Exits at base instants add rows of their own: an eighth more is seldom outgrown, and costs no page unused.
    buffers["decisions"] = np.empty(decisions + decisions // 8 + DECISIONS_PER_INSTANT * n, records.decision_dtype)
    config = config_record(strategy, costs.slippage_frac).copy()
    account, positions = flat_state(n, initial_cash)
    return Desk(config, described, rates, account, positions, np.zeros(n, records.scratch_dtype), **buffers)


def flat_state(n: int, initial_cash: float) -> tuple[Records, Records]:
    """Account and positions of n instruments before the first instant."""
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
    return account, positions


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
