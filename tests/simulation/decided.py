"""What must hold of decisions: each instant once, on the bars that are kept, by nobody paused, killed or late."""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from typing import Any

from tests.simulation.look import NEAR, STALE_NS, Look

Row = tuple[int, int, int, str, Any]

#: Rows of the journal that an instant leaves.
PASSED = ("EVALUATED", "BAR_CLOSED_RECEIVED")
#: Rows of a person after which nothing is evaluated until a person resumes.
PAUSING = ("PAUSED", "FLATTEN_REQUESTED", "POSITION_HANDED_OVER")
#: Rows after which an order works no more.
ENDED = ("FILLED", "ORDER_CANCELLED", "ORDER_REJECTED", "ORDER_ENDED", "ORDER_EXPIRED")


def check_decided(look: Look) -> None:
    """Everything of this module."""
    for ident in look.idents:
        rows = look.journal(ident)
        _entries_have_reasons(look, ident, rows)
        _held_back(look, ident, rows)
        _bars_are_kept(look, ident, rows)
        _stops_at_closes(look, ident, rows)
        _flatten_tried_again(look, ident)
        if look.status(ident) != "STOPPED":
            _decided_once(look, ident, rows)
            _flatten_tried(look, ident, rows)


def _decided_once(look: Look, ident: str, rows: list[Row]) -> None:
    """I4: an instant passes once."""
    passed = Counter(instant_ns for _, instant_ns, _, kind, _ in rows if kind in PASSED)
    jobs = {row[0] for row in look.rows("SELECT key FROM jobs WHERE deployment_id = ?", ident)}
    for slot in look.world.slots:
        if slot.open_ns < look.began_ns(ident):
            continue
        if passed.get(slot.close_ns, 0) != 1:
            look.complain("I4", f"{ident[:4]} passed {slot.close_ns} {passed.get(slot.close_ns, 0)} times")
        if not any(key.endswith(f":{slot.close_ns}") for key in jobs):
            look.complain("I4", f"{ident[:4]} has no job for {slot.close_ns}")


def _entries_have_reasons(look: Look, ident: str, rows: list[Row]) -> None:
    """I4: an entry at the broker was decided on a bar that was there, fresh, inside a session, on a permitted side."""
    rules = look.world.rules[ident]
    evaluated = {instant_ns: (body, at_ns) for _, instant_ns, at_ns, kind, body in rows if kind == "EVALUATED"}
    for order in look.broker.books[ident].orders:
        if order.reduces or order.kind != "open" or order.is_transfer:
            continue
        body, at_ns = evaluated.get(order.decided_ns, ({}, 0))
        wanted = [one for one in body.get("decisions", ()) if one[0] == order.instrument and "ENTRY_TRUE" in one[1:3]]
        if not wanted or body.get("held_back"):
            look.complain("I4", f"entry {order.cid} was never decided: {body}")
        slot = look.slot_of.get(order.decided_ns)
        if slot is None:
            look.complain("I4", f"entry {order.cid} was decided at {order.decided_ns}, outside every session")
            continue
        used = look.rows(
            "SELECT received_ns FROM bars WHERE instrument = ? AND ts_ns BETWEEN ? AND ? AND revision = 0 AND NOT late",
            order.instrument, slot.close_ns - look.bar_ns * rules.bar_bars, slot.ts_ns,
        )  # fmt: skip
        if not used or min(used)[0] > at_ns:
            look.complain("I4", f"entry {order.cid} was decided without its bar")
        if at_ns - order.decided_ns > look.bar_ns + STALE_NS:
            look.complain("I4", f"entry {order.cid} was decided {(at_ns - order.decided_ns) / 1e9:.0f} s late")
        if rules.side * order.side < 0:
            look.complain("I4", f"entry {order.cid} is on the wrong side")


def _held_back(look: Look, ident: str, rows: list[Row]) -> None:
    """I4, I6: between a pause and its end no signal reaches a decision, and after a stop nothing is decided."""
    paused = killed = stopped = beside = False
    for seq, _, _, kind, body in rows:
        # Who was flattened or gave a position away is paused, whether a row says so or not.
        if kind in PAUSING and "command" in body:
            paused = True
        elif kind == "RESUMED":
            paused, beside = paused and "command" not in body, False
        elif kind == "PAUSED" and body.get("why") == "DIRECTION_MISMATCH":
            beside = True
        elif kind == "MISMATCH_RESOLVED":
            # Who chooses to take the position or to close it wants the deployment to go on, though it was paused.
            paused, beside = body["choice"] == "STAY", beside and body["choice"] != "ADOPT"
        elif kind == "KILLED":
            killed = True
        elif kind == "CONFIG_CHANGED" and body.get("kill_switch") == "armed":
            killed = False
        elif kind == "STOPPED":
            stopped = True
        elif kind in PASSED and stopped:
            look.complain("I6", f"row {seq} of {ident[:4]}: an instant passed after the stop")
        elif kind == "EVALUATED" and (paused or killed or beside) and not body.get("held_back"):
            look.complain("I6" if killed else "I4", f"row {seq} of {ident[:4]}: evaluated while paused or killed")


def _bars_are_kept(look: Look, ident: str, rows: list[Row]) -> None:
    """B5: what was evaluated is what is kept, bit for bit."""
    names = sorted(look.world.traded[ident])
    kept: dict[int, dict[str, tuple[float, ...]]] = {}
    truth = {(bar.instrument, bar.ts_ns): tuple(bar[3:]) for bars in look.market.bars.values() for bar in bars}
    for name, ts_ns, *values in look.rows(
        "SELECT instrument, ts_ns, open, high, low, close, volume FROM bars WHERE revision = 0 AND NOT late"
    ):
        kept.setdefault(ts_ns, {})[name] = tuple(values)
        came = truth.get((name, ts_ns))
        if came is not None and came != tuple(values):
            look.complain("B5", f"bar {ts_ns} of {name} is kept as {values}, and first came as {came}")
    for seq, instant_ns, _, kind, body in rows:
        slot = look.slot_of.get(instant_ns)
        if kind not in PASSED or slot is None:
            continue
        bars = kept.get(slot.ts_ns, {})
        flat = [value for name in names for value in bars.get(name, (float("nan"),) * 5)]
        digest = hashlib.blake2b(struct.pack(f"<{len(flat)}d", *flat), digest_size=8).hexdigest()
        if body.get("bars") != digest:
            look.complain("B5", f"row {seq} of {ident[:4]} was decided on other bars than are kept")


def _flatten_tried(look: Look, ident: str, rows: list[Row]) -> None:
    """X2: at the proxy close an exit works for whatever an intraday strategy holds by the fills it has heard of."""
    if not look.world.rules[ident].flattens:
        return
    at_ns = max(slot.open_ns for slot in look.world.slots if slot.day == look.world.slots[0].day)
    held: Counter[str] = Counter()
    leaving: dict[int, str] = {}  # working exits: number to instrument
    given = {cid for cid, in look.rows("SELECT cid FROM intents WHERE action = 'TRANSFER'")}
    was_there = False
    for _, instant_ns, _, kind, body in rows:
        if kind in PASSED and was_there:
            break
        was_there = was_there or (kind in PASSED and instant_ns == at_ns)
        # What somebody was given after that close leaves at the next one.
        if kind == "FILLED" and not (was_there and body["cid"] in given):
            held[body["instrument"]] += body["side"] * body["qty"]
        if kind == "ORDER_INTENT_CREATED" and body["reason"] != "ENTRY_SIGNAL":
            leaving[body["order"]] = body["instrument"]
        elif kind in ENDED and not was_there:
            leaving.pop(body["order"], None)
    for name, qty in held.items():
        if was_there and abs(qty) > NEAR and name not in leaving.values():
            look.complain("X2", f"{ident[:4]} held {qty:g} {name} at the proxy close, and no exit was tried")


def _flatten_tried_again(look: Look, ident: str) -> None:
    """D4: a forced flatten that the broker refused is decided anew at the next close of that session."""
    if look.status(ident) == "STOPPED":
        return
    evening = [slot.close_ns for slot in look.world.slots if slot.day == look.world.slots[0].day]
    for name, decided_ns in look.rows(
        "SELECT instrument, decided_ns FROM intents WHERE deployment_id = ? AND state = 'REJECTED'"
        " AND action = 'SUBMIT' AND reason = 'FORCED_FLATTEN'",
        ident,
    ):  # fmt: skip
        told = [at_ns for at_ns, in look.rows(
            "SELECT at_ns FROM journal WHERE deployment_id = ? AND kind = 'ORDER_REJECTED'", ident
        )]  # fmt: skip
        left = look.rows(
            "SELECT TOTAL(side * qty) FROM fills WHERE deployment_id = ? AND instrument = ? AND ns < ?",
            ident, name, evening[-1],
        )[0][0]  # fmt: skip
        again = look.count(
            "SELECT COUNT(*) FROM orders WHERE deployment_id = ? AND instrument = ?"
            " AND reason IN ('FORCED_FLATTEN', 'MANUAL_FLATTEN') AND decided_ns > ?",
            ident, name, decided_ns,
        )  # fmt: skip
        if decided_ns < evening[-1] and min(told) < evening[-1] and abs(left) > NEAR and not again:
            look.complain("X2", f"{ident[:4]}: the flatten of {name} was refused and not tried again")


def _stops_at_closes(look: Look, ident: str, rows: list[Row]) -> None:
    """D4: a stop that is tested at closes is not delayed by anything."""
    rules = look.world.rules[ident]
    if rules.resting or not rules.stop_frac:
        return
    held, entry, leaving = 0.0, 0.0, set[int]()
    for _, instant_ns, _, kind, body in rows:
        if kind == "FILLED":
            held += body["side"] * body["qty"]
            entry = body["price"] if body["reason"] == "ENTRY_SIGNAL" else entry
        if kind == "ORDER_INTENT_CREATED" and body["reason"] != "ENTRY_SIGNAL":
            leaving.add(body["order"])
        elif kind in ENDED:
            leaving.discard(body["order"])
        slot = look.slot_of.get(instant_ns)
        if kind != "EVALUATED" or slot is None or held <= NEAR or leaving:
            continue
        close = look.rows("SELECT close FROM bars WHERE revision = 0 AND NOT late AND ts_ns = ?", slot.ts_ns)
        hit = close and close[0][0] < entry * (1.0 - rules.stop_frac) - 0.05
        if hit and not any(one[1] == "EXIT_TRUE" for one in body.get("decisions", ())):
            look.complain("D4", f"{ident[:4]} closed at {close[0][0]} after an entry at {entry}, and did not leave")
