"""Orders, fills and cash: the bookkeeping under the three functions.

Invariants: nothing but ``book`` changes cash (S5); every order has one SUBMIT and at most one of FILL, CANCEL and
CANCEL_NO_SLOT; order numbers grow in the order of sending.
"""

from __future__ import annotations

import math

from workbench.engine.costs import charges_of
from workbench.engine.records import Action
from workbench.jit import inlined, njit
from workbench.schema import Decision, OrderKind, Reason


@inlined
def book(desk, side, qty, price, charged):  # type: ignore[no-untyped-def]
    """Pay for a fill: the only change of cash (S5)."""
    desk.account[0]["cash"] -= side * qty * price + charged


@inlined
def charges(desk, k, ns, side, qty, price, same_session):  # type: ignore[no-untyped-def]
    """Charges of a fill of instrument ``k`` by its own rates (F10)."""
    instrument = desk.instruments[k]
    rates = desk.rates[instrument["rates_first"] : instrument["rates_stop"]]
    return charges_of(rates, ns, side, qty, price, same_session)


@inlined
def emit(desk, ns, instrument, order, action, kind, reason, side, qty, price):  # type: ignore[no-untyped-def]
    """Append one row to the actions."""
    account = desk.account[0]
    row = desk.actions[account["n_actions"]]
    account["n_actions"] += 1
    row["ns"] = ns
    row["instrument"] = instrument
    row["order"] = order
    row["action"] = action
    row["kind"] = kind
    row["reason"] = reason
    row["side"] = side
    row["qty"] = qty
    row["price"] = price


@inlined
def submit(desk, ns, instrument, kind, reason, side, qty, price):  # type: ignore[no-untyped-def]
    """Send an order and return its number."""
    account = desk.account[0]
    order = account["next_order"]
    account["next_order"] += 1
    emit(desk, ns, instrument, order, Action.SUBMIT.value, kind, reason, side, qty, price)
    return order


@inlined
def order_exit(desk, k, instant, reason):  # type: ignore[no-untyped-def]
    """Send the market exit of position ``k``; there is at most one (D4)."""
    position = desk.positions[k]
    side = -1 if position["qty"] > 0.0 else 1
    ns = instant.close_ns
    position["exit_order"] = submit(desk, ns, k, OrderKind.OPEN.value, reason, side, abs(position["qty"]), math.nan)
    position["exit_reason"] = reason
    position["exit_ns"] = ns
    position["exit_session"] = instant.session
    desk.account[0]["n_exits"] += 1


@inlined
def submit_entry(desk, k, instant, side, qty, value, atr):  # type: ignore[no-untyped-def]
    """Send the entry of instrument ``k``; what it reserves and waits for is the caller's."""
    position = desk.positions[k]
    position["pending_side"] = side
    position["pending_qty"] = qty
    position["pending_ns"] = instant.close_ns
    position["pending_session"] = instant.session
    position["pending_value"] = value
    position["pending_atr"] = atr
    kind, reason = OrderKind.OPEN.value, Reason.ENTRY_SIGNAL.value
    position["pending_order"] = submit(desk, instant.close_ns, k, kind, reason, side, qty, math.nan)
    desk.account[0]["n_entries"] += 1


@njit
def drop_entry(desk, k, ns, action):  # type: ignore[no-untyped-def]
    """Take back the working entry of instrument ``k``."""
    position = desk.positions[k]
    order = position["pending_order"]
    side = position["pending_side"]
    qty = position["pending_qty"]
    emit(desk, ns, k, order, action, OrderKind.OPEN.value, Reason.ENTRY_SIGNAL.value, side, qty, math.nan)
    clear_entry(desk, k)


@inlined
def clear_entry(desk, k):  # type: ignore[no-untyped-def]
    """Forget the working entry of instrument ``k``: it filled or was taken back."""
    position = desk.positions[k]
    position["pending_side"] = 0
    position["pending_qty"] = 0.0
    position["pending_reserve"] = 0.0
    position["pending_value"] = 0.0
    position["pending_named"] = -1
    position["pending_own"] = False
    desk.account[0]["n_entries"] -= 1


@inlined
def decide(desk, ns, instrument, decision, reason):  # type: ignore[no-untyped-def]
    """Append one row to the decisions and return its place (D9)."""
    account = desk.account[0]
    place = account["n_decisions"]
    account["n_decisions"] += 1
    row = desk.decisions[place]
    row["ns"] = ns
    row["instrument"] = instrument
    row["decision"] = decision
    row["entry"] = Decision.NONE.value
    row["reason"] = reason
    return place


@njit
def note(desk, ns, instrument, kind):  # type: ignore[no-untyped-def]
    """Append one row to the notes."""
    account = desk.account[0]
    row = desk.notes[account["n_notes"]]
    account["n_notes"] += 1
    row["ns"] = ns
    row["instrument"] = instrument
    row["note"] = kind
