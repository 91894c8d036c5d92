"""What must hold of what people do to positions: close them, or hand them from one deployment to another."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import Any

from tests.simulation.look import NEAR, Look

Row = tuple[int, int, int, str, Any]

#: Rows of the journal that an instant leaves.
PASSED = ("EVALUATED", "BAR_CLOSED_RECEIVED")
#: Rows after which an order works no more.
ENDED = ("FILLED", "ORDER_CANCELLED", "ORDER_REJECTED", "ORDER_ENDED", "ORDER_EXPIRED")
#: What a command may leave once in a journal, for one instrument.
ONCE = ("FLATTEN_REQUESTED", "MISMATCH_RESOLVED", "POSITION_HANDED_OVER", "POSITION_ADOPTED")


def check_by_hand(look: Look) -> None:
    """Everything of this module."""
    journals = {ident: look.journal(ident) for ident in look.idents}
    _transfers_balance(look)
    _hands_agree(look, journals)
    _prices_are_averages(look, journals)
    for ident, rows in journals.items():
        _done_once(look, ident, rows)
        _flattened(look, ident, rows)
        _exits_only(look, ident, rows)
        _flat_at_the_end(look, ident, rows)


def _transfers_balance(look: Look) -> None:
    """I3: what one gives away another one takes, at one price and without charges: no position and no money is made."""
    units, money = Counter[str](), Counter[str]()
    for one in look.broker.executions:
        if one.is_transfer:
            units[one.instrument] += one.side * one.qty
            money[one.instrument] += one.side * one.qty * one.price
            if one.charges:
                look.complain("I3", f"a transfer in {one.account[:4]} cost {one.charges}")
    for name in sorted(units):
        if abs(units[name]) > NEAR:
            look.complain("I3", f"transfers make {units[name]:g} {name}")
        elif abs(money[name]) > NEAR:
            look.complain("I3", f"transfers of {name} move {money[name]:g} of money")


def _hands_agree(look: Look, journals: dict[str, list[Row]]) -> None:
    """I3, I9: each command that hands over is told on both sides, over the same units, and both are booked."""
    given, taken = Counter[tuple[int, str]](), Counter[tuple[int, str]]()
    for rows in journals.values():
        for _, _, _, kind, body in rows:
            if kind == "POSITION_HANDED_OVER":
                given[body["command"], body["instrument"]] += body["qty"]
            elif kind == "POSITION_ADOPTED":
                taken[body["command"], body["instrument"]] += body["side"] * body["qty"]
    for key in sorted(given.keys() | taken.keys()):
        if abs(given[key] - taken[key]) > NEAR:
            look.complain("I3", f"command {key[0]}: {given[key]:g} {key[1]} given away, {taken[key]:g} taken")
    moved = sum(abs(qty) for qty in given.values())
    booked = sum(one.qty for one in look.broker.executions if one.is_transfer)
    if abs(booked - 2.0 * moved) > NEAR:
        look.complain("I3", f"{moved:g} units were to change hands, and transfers are over {booked:g}")


def _prices_are_averages(look: Look, journals: dict[str, list[Row]]) -> None:
    """I3: a position changes hands at the average price at which its holder had entered it."""
    for ident, rows in journals.items():
        held, entered = Counter[str](), dict[str, float]()
        for _, _, _, kind, body in rows:
            if kind == "FILLED":
                held[body["instrument"]] += body["side"] * body["qty"]
                if body["reason"] == "ENTRY_SIGNAL":
                    entered[body["instrument"]] = body["price"]
            elif kind == "POSITION_HANDED_OVER":
                qty, price = held[body["instrument"]], entered.get(body["instrument"], 0.0)
                if abs(qty - body["qty"]) > NEAR or abs(price - body["price"]) > NEAR:
                    given = f"{body['qty']:g} at {body['price']}"
                    look.complain("I3", f"{ident[:4]} gives {given}, and held {qty:g} at {price}")


def _done_once(look: Look, ident: str, rows: list[Row]) -> None:
    """I4: a command is obeyed once, whatever ends in between, and what was answered as done was done."""
    seen = Counter((body["command"], kind, body.get("instrument", "")) for _, _, _, kind, body in rows
                   if kind in ONCE and "command" in body)  # fmt: skip
    for (command, kind, _), count in seen.items():
        if count > 1:
            look.complain("I4", f"{ident[:4]}: command {command} left {kind} {count} times")
    numbers = {(command, kind) for command, kind, _ in seen}
    for command, verb, answer in look.rows(
        "SELECT id, verb, answer FROM commands WHERE deployment_id = ? AND done_ns > 0", ident
    ):
        wanted = {"FLATTEN": "FLATTEN_REQUESTED", "RESOLVE": "MISMATCH_RESOLVED"}.get(verb)
        if wanted and json.loads(answer)["done"] != ((command, wanted) in numbers):
            look.complain("I4", f"{ident[:4]}: command {command} was answered {answer}, and its journal disagrees")


def _flattened(look: Look, ident: str, rows: list[Row]) -> None:
    """D4: from when a person asked until it is flat, resumed or stopped, each close leaves an exit on its way.

    So an exit that was refused is tried again. Looked at where the next instant passes: everything that the close
    before it said is told by then. Exits may close more than we have booked: what filled of an order that had ended is
    shown, and is the broker's alone. Nothing is left to close then, when all executions together are zero.
    """
    asked_ns = closed_ns = 0
    held, leaving, parts = Counter[str](), dict[int, str](), set[str]()
    executed, strange = {one.exec_id: one for one in look.broker.executions if one.account == ident}, Counter[str]()
    is_new = cut = False
    for seq, instant_ns, _, kind, body in rows:
        if kind in PASSED:
            if asked_ns and closed_ns >= asked_ns and not is_new and not cut:
                bare = [
                    name for name, qty in held.items()
                    if min(abs(qty), abs(qty + strange[name])) > NEAR and name not in leaving.values()
                ]  # fmt: skip
                for name in bare:
                    look.complain("D4", f"row {seq} of {ident[:4]}: {held[name]:g} {name} is to be closed: no exit")
            # A part of a stop is booked a bar after it, and what comes after a close could not leave at it.
            closed_ns, is_new, cut = instant_ns, False, bool(parts)
        elif kind == "FLATTEN_REQUESTED":
            asked_ns = asked_ns or instant_ns
        elif kind in ("RESUMED", "STOPPED") and "command" in body:
            asked_ns = 0
        elif kind == "PARTIAL_FILL":
            parts.add(body["cid"])
        elif kind == "RECONCILIATION_ACTION" and (one := executed.get(body.get("unexpected_fill", {}).get("exec_id"))):
            strange[one.instrument] += one.side * one.qty
        elif kind == "ORDER_INTENT_CREATED" and body["reason"] != "ENTRY_SIGNAL":
            leaving[body["order"]] = body["instrument"]
        elif kind in ENDED:
            is_new = leaving.pop(body["order"], None) is not None or is_new
        if kind == "FILLED":
            is_new = is_new or body["reason"] == "ENTRY_SIGNAL"
            held[body["instrument"]] += body["side"] * body["qty"]
            parts.discard(body["cid"])


def _exits_only(look: Look, ident: str, rows: list[Row]) -> None:
    """I4: who took a position over enters nothing until it is resumed when it holds nothing."""
    given = {cid for cid, in look.rows("SELECT cid FROM intents WHERE action = 'TRANSFER'")}
    only = False
    for seq, _, _, kind, body in rows:
        if kind == "POSITION_ADOPTED":
            only = True
        elif kind == "RESUMED" and "kept" in body:
            # What is still on its way to it is as good as held.
            only = only and bool(body["kept"]["positions"] or body["kept"]["entries"])
        elif only and kind == "ORDER_INTENT_CREATED" and body["reason"] == "ENTRY_SIGNAL" and body["cid"] not in given:
            look.complain("I4", f"row {seq} of {ident[:4]}: an entry of one that may only exit")


def _flat_at_the_end(look: Look, ident: str, rows: list[Row]) -> None:
    """D4: what was to be closed is closed in the end, or its exit works, or a person is asked."""
    asked = waits = False
    for _, _, _, kind, body in rows:
        if kind == "FLATTEN_REQUESTED":
            # What was on its way from another hand when it was asked leaves after the next close.
            asked, waits = True, not body["instruments"]
        elif kind in PASSED:
            waits = False
        elif kind in ("RESUMED", "STOPPED") and "command" in body:
            asked = False
    if not asked or waits or look.state(ident).startswith("PAUSED_"):
        return
    book = look.broker.books[ident]
    for name, qty in book.positions.items():
        leaves = any(one.instrument == name and one.reduces and one.kind == "open" for one in book.working())
        if abs(qty) > NEAR and not leaves:
            look.complain("D4", f"{ident[:4]} was to be closed, holds {qty:g} {name}, and no exit works")


def deeds(look: Look) -> dict[str, int]:
    """How often people did something to positions, and what came of it, as the journals tell."""
    found: dict[str, int] = defaultdict(int)
    for ident in look.idents:
        found["exit refused"] += look.count(
            "SELECT COUNT(*) FROM intents WHERE deployment_id = ? AND reason = 'MANUAL_FLATTEN'"
            " AND state = 'REJECTED'", ident,
        )  # fmt: skip
        for _, _, _, kind, body in look.journal(ident):
            if kind == "FLATTEN_REQUESTED":
                found["flattened" if "command" in body else "flattened again"] += 1
            elif kind == "PAUSED" and body.get("why") == "DIRECTION_MISMATCH":
                found["mismatch"] += 1
            elif kind == "MISMATCH_RESOLVED":
                found[f"chose {body['choice'].lower()}"] += 1
            elif kind == "RESUMED" and "command" not in body:
                found["went on by itself"] += 1
    found["transfers"] += sum(one.is_transfer for one in look.broker.executions)
    found["deployed later"] += sum(one in look.world.later for one in look.idents)
    return {name: count for name, count in found.items() if count}
