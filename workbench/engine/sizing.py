"""Section S: how much, decided at the close and never changed at the fill.

Rules held here: S1 (from close[t]), S2 (policies), S3 (lots, cash, caps), S4 (free cash).

How it works: ``free_cash`` and ``release`` price the account once a strategy bar; ``size`` turns one candidate into
a quantity, first by its budget, then by cash, then by caps. Charges never fall with the quantity, so the largest
affordable one is found by narrowing it in.

Invariants: the quantity is a whole number of lots; its cost and estimated charges fit into free cash; no cap is
passed.
"""

from __future__ import annotations

import math

import numpy as np

from workbench.engine.ledger import charges
from workbench.engine.records import Sizing
from workbench.jit import inlined, njit
from workbench.tolerance import less_equal


@inlined
def free_cash(desk):  # type: ignore[no-untyped-def]
    """S4 without what exits release: equity less the margin of positions and the reserves of working entries."""
    account = desk.account[0]
    margin = desk.config[0]["margin_frac"]
    free = account["equity"]
    for k in range(len(desk.positions)):
        position = desk.positions[k]
        if position["qty"] != 0.0:
            free -= abs(position["qty"]) * position["mark"] * margin
        free -= position["pending_reserve"]
    return free


@inlined
def release(desk, k, instant):  # type: ignore[no-untyped-def]
    """What the exit of position ``k`` frees at its mark, net of slippage and charges (S4)."""
    config = desk.config[0]
    position = desk.positions[k]
    side = -1 if position["qty"] > 0.0 else 1
    qty = abs(position["qty"])
    slippage = config["slippage_frac"]
    price = position["mark"] * (1.0 + side * slippage)
    same_session = position["entry_session"] == instant.session
    charged = charges(desk, k, instant.close_ns, side, qty, price, same_session)
    return qty * position["mark"] * (config["margin_frac"] - slippage) - charged


@njit
def whole_lots(qty: float, lot: float) -> float:
    """Floor to lots (floor of k + 1e-9); 0 for what is negative or no number."""
    lots = qty / lot + 1e-9
    if not lots >= 1.0:
        return 0.0
    return np.floor(lots) * lot


@inlined
def reserve(desk, k, side, qty, price, ns):  # type: ignore[no-untyped-def]
    """Margin and estimated charges of an entry (S4)."""
    return qty * price * desk.config[0]["margin_frac"] + charges(desk, k, ns, side, qty, price, True)


@inlined
def wanted_qty(desk, k, close, atr, slot_cash):  # type: ignore[no-untyped-def]
    """S2: the policy's quantity before cash and caps, in whole lots; ``close`` is close[t]."""
    config = desk.config[0]
    equity = desk.account[0]["equity"]
    price = close * (1.0 + config["slippage_frac"])
    value = config["sizing_value"]
    policy = config["sizing"]
    if policy == Sizing.PERCENT_OF_EQUITY:
        qty = value * equity / price
    elif policy == Sizing.FIXED_CASH:
        qty = value / price
    elif policy == Sizing.CASH_PER_SLOT:
        qty = slot_cash / price
    elif policy == Sizing.FIXED_QTY:
        qty = value
    else:
        qty = min(equity * value / stop_distance(config, close, atr), config["leverage_max"] * equity / price)
    return whole_lots(qty, desk.instruments[k]["lot"])


@inlined
def stop_distance(config, close, atr):  # type: ignore[no-untyped-def]
    """Distance in price that RiskPerTrade risks (S2): k·ATR, else the stop, else the trailing stop."""
    if not math.isnan(config["stop_loss_atr"]):
        return config["stop_loss_atr"] * atr
    if not math.isnan(config["stop_loss_frac"]):
        return config["stop_loss_frac"] * close
    return config["trailing_stop_frac"] * close


@inlined
def affordable_qty(desk, k, side, qty, price, free, ns):  # type: ignore[no-untyped-def]
    """The largest whole number of lots up to ``qty`` whose cost and charges fit into ``free`` (S3)."""
    if qty <= 0.0:
        return qty
    cost = reserve(desk, k, side, qty, price, ns)
    if less_equal(cost, free):
        return qty
    if desk.config[0]["sizing"] == Sizing.FIXED_QTY:
        return 0.0
    lot = desk.instruments[k]["lot"]
    fits, fails = 0.0, np.floor(qty / lot + 0.5)
    # Cost is nearly in proportion to the quantity: the answer is next to this guess, and steps from it double.
    middle, step = np.floor(fails * max(free, 0.0) / cost), 1.0
    while fails - fits > 1.0:
        middle = min(max(middle, fits + 1.0), fails - 1.0)
        if less_equal(reserve(desk, k, side, middle * lot, price, ns), free):
            fits = middle
            middle = fits + step
        else:
            fails = middle
            middle = fails - step
        step *= 2.0
        if step > 4.0:
            middle = np.floor((fits + fails) / 2.0)
    return fits * lot


@inlined
def cap_qty(desk, k, qty, price):  # type: ignore[no-untyped-def]
    """S3's caps: share of equity in the instrument and in its sector, and money in the instrument."""
    config = desk.config[0]
    equity = desk.account[0]["equity"]
    lot = desk.instruments[k]["lot"]
    if not math.isnan(config["max_symbol_alloc_frac"]):
        qty = min(qty, whole_lots(config["max_symbol_alloc_frac"] * equity / price, lot))
    if not math.isnan(config["sector_cap_frac"]) and desk.instruments[k]["sector"] >= 0:
        room = config["sector_cap_frac"] * equity - sector_value(desk, k)
        qty = min(qty, whole_lots(room / price, lot))
    if not math.isnan(config["max_symbol_exposure"]):
        qty = min(qty, whole_lots(config["max_symbol_exposure"] / price, lot))
    return qty


@njit
def sector_value(desk, k):  # type: ignore[no-untyped-def]
    """Money in the sector's other instruments: positions at marks, working entries at their decision's price."""
    sector = desk.instruments[k]["sector"]
    value = 0.0
    for j in range(len(desk.positions)):
        if j != k and desk.instruments[j]["sector"] == sector:
            position = desk.positions[j]
            if position["qty"] != 0.0:
                value += abs(position["qty"]) * position["mark"]
            value += position["pending_value"]
    return value
