"""What must hold when everything is settled: orders, executions, positions, cash, the journal."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

from tests.simulation.look import NEAR, OPEN_STATES, VISIBLE_NS, Look

#: Keys on which "once" rests, by table.
KEYS = {
    "jobs": ("key", "deployment_id"),
    "fills": ("account", "exec_id"),
    "intents": ("deployment_id", "number"),
    "orders": ("cid",),
    "bars": ("instrument", "timeframe", "ts_ns", "revision"),
    "journal": ("seq", "deployment_id"),
}


def check_settled(look: Look) -> None:
    """Everything of this module."""
    _keys_stand(look)
    _orders_once(look)
    _intents_ended(look)
    _operators_asked_rightly(look)
    for ident in look.idents:
        _fills_are_executions(look, ident)
        _positions_agree(look, ident)
        _working_orders_work(look, ident)
    _exits_passed(look)


def _keys_stand(look: Look) -> None:
    """I1, I2, I4: the keys that refuse a second time are there."""
    for table, key in KEYS.items():
        found = [row[1] for row in sorted(look.rows(f"PRAGMA table_info({table})"), key=lambda row: row[5]) if row[5]]
        if tuple(found) != key:
            look.complain("I4" if table == "jobs" else "I2", f"the key of {table} is {found}")


def _orders_once(look: Look) -> None:
    """I1, I9: one order for an intent, and an intent and a row of the journal for every order."""
    for ident, book in look.broker.books.items():
        for cid, count in Counter(one.cid for one in book.orders).items():
            if count > 1:
                look.complain("I1", f"{count} orders with the id {cid}")
            known = look.count(
                "SELECT COUNT(*) FROM intents WHERE deployment_id = ? AND cid = ? AND action IN ('SUBMIT', 'TRANSFER')",
                ident, cid,
            )  # fmt: skip
            kept = look.count("SELECT COUNT(*) FROM orders WHERE cid = ?", cid)
            told = look.count(
                "SELECT COUNT(*) FROM journal WHERE deployment_id = ? AND instr(body, ?)"
                " AND kind IN ('ORDER_INTENT_CREATED', 'PROTECTIVE_SET')",
                ident, cid,
            )  # fmt: skip
            if (known, kept, told) != (1, 1, 1):
                look.complain("I9", f"order {cid} has {known} intents, {kept} rows and {told} rows of the journal")
        same = Counter(
            (one.instrument, one.side, one.decided_ns) for one in book.orders
            if not one.reduces and one.kind == "open" and not one.is_transfer
        )
        for key, count in same.items():
            if count > 1:
                look.complain("I1", f"{count} entries of one decision: {key}")


def _intents_ended(look: Look) -> None:
    """I11: nothing is still to be said, but what waits for an exit; the market was followed to its end."""
    last = look.world.slots[-1].close_ns
    for ident, number, state, decided_ns in look.rows(
        f"SELECT deployment_id, number, state, decided_ns FROM intents WHERE state IN {OPEN_STATES}"
    ):
        if state != "HELD" or decided_ns < last:
            look.complain("I11", f"intent {number} of {ident[:4]} is {state} at the end")
    for ident, passed, status in look.rows("SELECT deployment_id, instant_ns, status FROM deployment_states"):
        if passed < last and status != "STOPPED":
            look.complain("I11", f"{ident[:4]} has not come to the end of the market")


def _operators_asked_rightly(look: Look) -> None:
    """I3, I11: who must be asked sees it in the state, and nobody is asked about an order that the broker shows."""
    for ident, cid, sent_ns in look.rows(
        "SELECT deployment_id, cid, sent_ns FROM intents WHERE state = 'NEEDS_OPERATOR'"
    ):
        asked = [
            at_ns for _, _, at_ns, kind, body in look.journal(ident) if kind == "PAUSED" and body.get("cid") == cid
        ]
        # Of one that was let go with a position the state says so, and what it holds: its order has told of itself,
        # and was given up only after it had to be visible.
        is_told = look.state(ident) == "UNMANAGED_POSITION" and look.count(
            "SELECT COUNT(*) FROM fills WHERE deployment_id = ? AND cid = ?", ident, cid
        )
        is_late = bool(asked) and asked[0] - sent_ns >= VISIBLE_NS
        if not look.state(ident).startswith("PAUSED_") and not (is_told and is_late):
            look.complain("I3", f"{ident[:4]} is {look.state(ident)}, and nobody knows of {cid}")
        for order in look.broker.books[ident].under(cid):
            # A runner that was overtaken may have sent it much later than it meant to: what counts is what was kept.
            if asked and order.arrived_ns < asked[0] and asked[0] - min(order.sent_ns, sent_ns) < VISIBLE_NS:
                look.complain("I11", f"order {cid} was given up before it had to be visible")
            elif asked and order.visible_ns < asked[0]:
                look.complain("I11", f"order {cid} was given up, and the broker showed it")


def _fills_are_executions(look: Look, ident: str) -> None:
    """I2: each execution once, as it was."""
    rows = look.rows(
        "SELECT exec_id, cid, instrument, side, qty, price, charges FROM fills WHERE deployment_id = ?", ident
    )
    ours = {row[0]: row for row in rows}
    if len(rows) != len(ours):
        look.complain("I2", f"{ident[:4]} has {len(rows) - len(ours)} fills twice")
    truth = {
        one.exec_id: (one.exec_id, one.cid, one.instrument, one.side, one.qty, one.price, one.charges)
        for one in look.broker.executions
        if one.account == ident
    }
    for key in sorted(truth.keys() - ours.keys()):
        look.complain("I2", f"execution {truth[key]} was lost; {ident[:4]} is {look.state(ident)}")
    for key in sorted(ours.keys() - truth.keys()):
        look.complain("I2", f"fill {ours[key]} never was")
    for key in sorted(truth.keys() & ours.keys()):
        if truth[key] != ours[key]:
            look.complain("I2", f"execution {truth[key]} is kept as {ours[key]}")


def _positions_agree(look: Look, ident: str) -> None:
    """I3, I7: positions, cash, and protective orders at rest."""
    book, state = look.broker.books[ident], look.state(ident)
    held = dict(
        look.rows("SELECT instrument, SUM(side * qty) FROM fills WHERE deployment_id = ? GROUP BY instrument", ident)
    )
    for name in sorted(book.positions.keys() | held.keys()):
        if abs(book.positions.get(name, 0.0) - held.get(name, 0.0)) > NEAR and not state.startswith("PAUSED_"):
            look.complain("I3", f"{ident[:4]} {state} counts {held.get(name)} {name}, the broker {book.positions}")
    if look.status(ident) == "STOPPED":
        _stopped_visibly(look, ident, held, state)
    if state.startswith("PAUSED_") or any(one.filled and one.state == "WORKING" for one in book.orders):
        return
    if look.status(ident) != "STOPPED":
        _account_agrees(look, ident, held)
    for order in book.working():
        qty = book.positions.get(order.instrument, 0.0)
        if order.reduces and order.kind != "open" and look.status(ident) != "STOPPED":
            _rests_rightly(look, order, qty)


def _stopped_visibly(look: Look, ident: str, held: dict[str, float], state: str) -> None:
    """I3: what was stopped is let go in the end, and a position that nobody said to keep is shown as such."""
    if state == "STOPPING":
        look.complain("I3", f"{ident[:4]} was stopped, and nobody has let it go")
    kept = [body["kept"]["positions"] for _, _, _, kind, body in look.journal(ident) if kind == "STOPPED"][-1]
    meant = {one["instrument"]: one["qty"] for one in kept}
    for name, qty in held.items():
        is_shown = state.startswith("PAUSED_") or state == "UNMANAGED_POSITION"
        if abs(qty) > NEAR and name not in meant and not is_shown:
            look.complain("I3", f"{ident[:4]} was stopped, is {state}, and nobody is told of {qty:g} {name}")


def _rests_rightly(look: Look, order: Any, qty: float) -> None:
    if qty == 0.0:
        look.complain("I7", f"{order.kind} {order.cid} outlives its position")
    elif abs(order.left - abs(qty)) > NEAR:
        look.complain("I7", f"{order.kind} {order.cid} is over {order.left:g}, the position {qty:g}")


def _account_agrees(look: Look, ident: str, held: dict[str, float]) -> None:
    """I3: cash follows from fills, and what is held from them and the last closes."""
    points = look.rows(
        "SELECT cash, position_value, held, ts_ns FROM equity_points WHERE deployment_id = ? "
        "ORDER BY ts_ns DESC LIMIT 1",
        ident,
    )  # fmt: skip
    if not points or look.count("SELECT COUNT(*) FROM fills WHERE deployment_id = ? AND ns >= ?", ident, points[0][3]):
        return
    cash, value, holds, ts_ns = points[0]
    start = look.rows("SELECT initial_cash FROM deployments WHERE id = ?", ident)[0][0]
    moved = look.rows("SELECT TOTAL(-side * qty * price - charges) FROM fills WHERE deployment_id = ?", ident)[0][0]
    if abs(start + moved - cash) > NEAR * start:
        look.complain("I3", f"{ident[:4]} has cash of {cash}, and fills leave {start + moved}")
    if bool(holds) != any(abs(qty) > NEAR for qty in held.values()):
        look.complain("I3", f"{ident[:4]} holds {holds}, and fills leave {held}")
    worth = 0.0
    for name, qty in held.items():
        closes = look.rows(
            "SELECT close FROM bars WHERE instrument = ? AND revision = 0 AND NOT late AND ts_ns < ? "
            "ORDER BY ts_ns DESC LIMIT 1",
            name, ts_ns,
        )  # fmt: skip
        worth += qty * closes[0][0]
    if abs(worth - value) > NEAR * start:
        look.complain("I3", f"{ident[:4]} is worth {value}, and fills and closes say {worth}")


def _working_orders_work(look: Look, ident: str) -> None:
    """I11: an order that we believe to work works, or something is still to be said of it; the stopped open nothing."""
    book = look.broker.books[ident]
    working = {one.cid for one in book.working()}
    is_stopped = look.status(ident) == "STOPPED"
    for order in book.working():
        if is_stopped and not order.reduces and not look.state(ident).startswith("PAUSED_"):
            look.complain("I6", f"entry {order.cid} still works, and {ident[:4]} is stopped")
    if is_stopped or look.state(ident).startswith("PAUSED_"):
        return
    for cid, kind, reason in look.rows(
        "SELECT cid, kind, reason FROM orders WHERE deployment_id = ? AND status = 'WORKING'", ident
    ):
        said = look.count(f"SELECT COUNT(*) FROM intents WHERE cid = ? AND state IN {OPEN_STATES}", cid)
        if cid not in working and not said:
            look.complain("I11", f"{kind} {reason} {cid} is believed to work, and does not")


def _exits_passed(look: Look) -> None:
    """I6: gates stop entries alone."""
    for ident, number, detail in look.rows(
        "SELECT deployment_id, number, detail FROM intents WHERE reduces AND state = 'EXPIRED' AND action = 'SUBMIT'"
    ):
        if detail in ("KILLED", "PAUSED", "LATE"):
            look.complain("I6", f"exit intent {number} of {ident[:4]} was given up: {detail}")


def check_journals(look: Look, heads: dict[str, dict[int, str]]) -> None:
    """I9: rows without holes, each bound to the one before, up to the head; heads seen before are still there."""
    for ident in look.idents:
        before, at = "0" * 32, 0
        for seq, instant_ns, at_ns, kind, body, digest in look.rows(
            "SELECT seq, instant_ns, at_ns, kind, body, hash FROM journal WHERE deployment_id = ? ORDER BY seq", ident
        ):
            text = "\x1f".join((before, ident, str(seq), str(instant_ns), str(at_ns), kind, body))
            before, at = hashlib.blake2b(text.encode(), digest_size=16).hexdigest(), at + 1
            if seq != at or before != digest:
                look.complain("I9", f"the journal of {ident[:4]} is broken at row {seq}")
                break
            if heads[ident].get(seq, digest) != digest:
                look.complain("I9", f"row {seq} of the journal of {ident[:4]} was written anew")
        found = look.rows("SELECT head_seq, head_hash FROM deployment_states WHERE deployment_id = ?", ident)[0]
        if found != (at, before):
            look.complain("I9", f"the head of {ident[:4]} is row {found[0]}, and its journal has {at}")
