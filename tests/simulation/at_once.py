"""What must hold of the paper broker after every commit: its book and ours are kept at once, or not at all.

Nobody waits for the end here. After each commit there is no order that it has and we do not know to have arrived, none
that we know of and it has not, no execution on one side alone, and no position without the stop that answers it.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from tests.simulation.look import NEAR, OPEN_STATES, Look


class AtOnce:
    """Looks on at the commits of one schedule on the paper broker.

    Parameters
    ----------
    look : Look
        The schedule.
    """

    def __init__(self, look: Look) -> None:
        self._look = look
        self._entries: set[str] = set()

    def kept(self, kill_was_said: bool) -> None:
        """I13: a transaction is kept; whether somebody has the word that everything is killed."""
        look = self._look
        executed = {(one.account, one.exec_id): one for one in look.broker.executions}
        booked = {(row[0], row[1]): row[2:] for row in look.rows(
            "SELECT account, exec_id, instrument, side, qty, price, charges FROM fills"
        )}  # fmt: skip
        for key in sorted(executed.keys() ^ booked.keys()):
            # What changes hands is booked when it is heard, as with a broker elsewhere: it fills with the word itself.
            if key in booked or not executed[key].is_transfer:
                look.complain("I13", f"execution {key} is kept {'by us' if key in booked else 'by the broker'} alone")
        for key in sorted(executed.keys() & booked.keys()):
            one = executed[key]
            if booked[key] != (one.instrument, one.side, one.qty, one.price, one.charges):
                look.complain("I2", f"execution {one} is kept as {booked[key]}")
        self._orders_on_both_sides()
        self._nothing_is_unknown()
        self._books_add_up()
        for ident in look.idents:
            self._protected(ident)
        self._none_after_the_word(kill_was_said)

    def _orders_on_both_sides(self) -> None:
        """I1, I13: an order is in the broker's book if and only if its intent is kept as arrived, and once."""
        look = self._look
        theirs = Counter((ident, one.cid) for ident, book in look.broker.books.items() for one in book.orders)
        ours = set(look.rows(
            "SELECT deployment_id, cid FROM intents WHERE action IN ('SUBMIT', 'TRANSFER') AND state = 'ACKED'"
        ))  # fmt: skip
        for key, count in theirs.items():
            if count > 1:
                look.complain("I1", f"{count} orders with the id {key[1]}")
        for key in sorted(theirs.keys() ^ ours):
            look.complain("I13", f"order {key[1]} is kept {'by us' if key in ours else 'by the broker'} alone")

    def _nothing_is_unknown(self) -> None:
        """I11, I13: nobody waits for an answer, and no person is asked what became of a word or of a position."""
        look = self._look
        for cid, state in look.rows(
            "SELECT cid, state FROM intents WHERE state IN ('SUBMITTING', 'UNKNOWN', 'NEEDS_OPERATOR')"
        ):
            look.complain("I11", f"order {cid} is {state}, and the broker is in the same process")
        for ident in look.idents:
            if look.state(ident) in ("PAUSED_UNKNOWN_ORDER", "PAUSED_RECONCILE"):
                look.complain("I13", f"{ident[:4]} is {look.state(ident)}: what is kept at once cannot differ")

    def _books_add_up(self) -> None:
        """I2, I3: events and orders have the next number and never another; positions are the sum of what filled."""
        look = self._look
        for table, column in (("paper_events", "seq"), ("paper_orders", "place")):
            for account, count, last in look.rows(f"SELECT account, COUNT(*), MAX({column}) FROM {table} GROUP BY 1"):
                if count != last:
                    look.complain("I2", f"{account[:4]} has {count} rows of {table}, and the last is number {last}")
        for ident, book in look.broker.books.items():
            for name in book.positions.keys() | book.told.keys():
                held, told = book.positions.get(name, 0.0), book.told.get(name, 0.0)
                if abs(held - told) > NEAR:
                    look.complain("I3", f"the broker has {held:g} {name} of {ident[:4]}, and fills leave {told:g}")
            for one in book.orders:
                if one.filled and one.state != "FILLED":
                    look.complain("I3", f"order {one.cid} has filled, and is {one.state}")

    def _protected(self, ident: str) -> None:
        """I7: a position that we have booked is protected by the same commit, leaves, or its stop is to be said."""
        look, rules = self._look, self._look.world.rules[ident]
        if not (rules.stop_frac and rules.resting) or look.status(ident) == "STOPPED":
            return
        book = look.broker.books[ident]
        for name, held in book.positions.items():
            resting = [one for one in book.working() if one.instrument == name and one.side * held < 0.0]
            covered = sum(one.qty for one in resting if one.kind == "stop")
            leaves = any(one.kind == "open" and one.reduces for one in resting)
            if abs(held) <= NEAR or leaves or abs(covered - abs(held)) <= NEAR or self._is_to_come(ident, name, held):
                continue
            look.complain("I7", f"{ident[:4]} holds {held:g} {name} in a commit, and stops over {covered:g} work")

    def _is_to_come(self, ident: str, name: str, held: float) -> bool:
        """Whether it has just changed hands and is not booked yet, or what protects it is to be said."""
        look = self._look
        wanted = "SELECT TOTAL(side * qty) FROM fills WHERE deployment_id = ? AND instrument = ?"
        if abs(look.rows(wanted, ident, name)[0][0] - held) > NEAR:
            return True
        open_intents = (
            "SELECT COUNT(*) FROM intents WHERE deployment_id = ? AND instrument = ? AND reduces "
            f"AND state IN {OPEN_STATES}"
        )
        return bool(look.count(open_intents, ident, name))

    def _none_after_the_word(self, kill_was_said: bool) -> None:
        """I6: after the word of a kill no entry appears that nobody has seen before."""
        books = self._look.broker.books.values()
        entries = {
            one.broker_id for book in books for one in book.orders if not one.reduces and not one.is_transfer
        }  # fmt: skip
        for broker_id in sorted(entries - self._entries) if kill_was_said else ():
            self._look.complain("I6", f"entry {broker_id} appears after the word of a kill")
        self._entries = entries


def rows_of(look: Look) -> dict[str, list[Any]]:
    """All that must be the same whenever a process has ended: everything but when it was written.

    Instants at which something was accepted, received or kept are those of the clock, and differ.
    """
    return {
        "journal": look.rows("SELECT deployment_id, seq, instant_ns, kind, body FROM journal ORDER BY 1, 2"),
        "orders": look.rows("SELECT * FROM orders ORDER BY cid"),
        "fills": look.rows(
            "SELECT deployment_id, exec_id, cid, instrument, side, qty, price, charges, ns FROM fills ORDER BY 1, 2"
        ),
        "intents": look.rows(
            "SELECT deployment_id, number, cid, action, qty, price, state, decided_ns FROM intents ORDER BY 1, 2"
        ),
        "equity": look.rows(
            "SELECT deployment_id, ts_ns, cash, position_value, held FROM equity_points ORDER BY 1, 2"
        ),
        "bars": look.rows(
            "SELECT instrument, ts_ns, open, high, low, close, volume, revision, late FROM bars ORDER BY 1, 2, 8"
        ),
        "jobs": look.rows("SELECT deployment_id, key FROM jobs ORDER BY 1, 2"),
        "positions": look.rows("SELECT account, positions FROM paper_accounts ORDER BY 1"),
        "book": [
            (row[0], row[1], json.loads(row[2])["request"], json.loads(row[2])["state"])
            for row in look.rows("SELECT broker_id, account, content FROM paper_orders ORDER BY 1")
        ],
        "told": [
            (row[0], row[1], *_without_clock(json.loads(row[2])))
            for row in look.rows("SELECT account, seq, content FROM paper_events ORDER BY 1, 2")
        ],
    }


def _without_clock(event: list[Any]) -> list[Any]:
    """An event of the paper broker; of a fill the instant is that of its bar, of all else that of the clock."""
    return event if event[3] == "FILL" else [*event[:5], *event[6:]]
