"""The oracle: what must hold whatever goes wrong, seen from the broker's truth and the rows of the database alone.

It imports nothing of the product. It reads rows by plain SQL, knows the strategies by a few numbers written down by
hand (``world.Rules``), and keeps a little memory of its own: which heads of a journal it has seen.

Invariants: I1 at most one order at the broker for an intent. I2 every execution is in ``fills`` exactly once. I3
position by fills is the broker's position, or a state says why not; cash follows from fills alone. I4 no entry without
an evaluated, fresh bar in session, nothing decided twice, no entry while paused or late. I5 no more positions than
slots, no entry before the exit that it waits for. I6 nothing opens after the kill switch was read or after a stop, and
gates stop entries alone. I7 a position is protected within a bar, and no protection outlives it. I8 only the holder of
the lease writes and sends. I9 the chain of the journal is whole, and every order is in it. I11 when faults are over,
every intent comes to an end. I12 bars that are missing are shown within a bar and five seconds, and no longer than
they are. I13 what the paper broker has and what we know of it are kept at once. Rules of the law by their own names:
B5, D4, P1, P3, X2.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from tests.simulation.at_once import AtOnce, rows_of
from tests.simulation.by_hand import check_by_hand, deeds
from tests.simulation.decided import check_decided
from tests.simulation.fresh import check_fresh
from tests.simulation.look import MINUTE_NS, NEAR, OPEN_STATES, STALE_NS, Look, Violation
from tests.simulation.settled import check_journals, check_settled

__all__ = ["Checker", "Violation"]


class Switches(Protocol):
    """What a person has done."""

    is_read: bool

    @property
    def is_said(self) -> bool:
        """Whether somebody who has killed was told that it is done."""


class Checker:
    """Looks on at one schedule.

    Parameters
    ----------
    world : world.World
        What is deployed.
    market : feed.Market
        Every bar as it first came.
    driver : sqlite3.Connection
        The database.
    broker : emulated.EmulatedBroker
        The truth.
    now_ns : callable
        The clock.
    switches : Switches
        What a person has done.
    """

    def __init__(
        self,
        world: Any,
        market: Any,
        driver: sqlite3.Connection,
        broker: Any,
        now_ns: Callable[[], int],
        switches: Switches,
    ) -> None:
        self._look = Look(world, market, driver, broker, now_ns)
        self._switches, self._at_once = switches, AtOnce(self._look)
        self._heads: dict[str, dict[int, str]] = {one: {} for one in world.idents}
        self._states: dict[str, str] = {}

    @property
    def found(self) -> list[Violation]:
        """What must not be; empty when all is well."""
        return self._look.found

    @property
    def idents(self) -> tuple[str, ...]:
        """Deployments that are there."""
        return self._look.idents

    # --- while it runs -----------------------------------------------------------------------------------------------

    def raised(self, error: Exception) -> None:
        """The process ended by an error that is none of those it may end by."""
        self._look.complain("bug", f"{type(error).__name__}: {error}")

    def is_lost(self) -> bool:
        """Whether the process ended so three times."""
        return sum(one.invariant == "bug" for one in self.found) >= 3

    def writes(self, holder: str) -> None:
        """I8: somebody is about to keep what was written."""
        found = self._look.rows("SELECT holder FROM leases WHERE resource = 'runner'")
        if found and found[0][0] not in (holder, ""):
            self._look.complain("I8", f"{holder} writes, and {found[0][0]} holds the lease")

    def kept(self) -> None:
        """I13: something is kept, and the broker's book is in the same database."""
        self._at_once.kept(self._switches.is_said)

    def asks(self, holder: str, requests: Sequence[Any]) -> None:
        """I1, I4, I5, I6, I8, I9: somebody is about to ask the broker."""
        look = self._look
        found = look.rows("SELECT holder FROM leases WHERE resource = 'runner'")
        if found and found[0][0] != holder:
            look.complain("I8", f"{holder} sends, and {found[0][0]} holds the lease")
        for one in requests:
            self._is_kept(one)
            if not one.reduces and one.action == "SUBMIT" and not look.broker.books[one.account].under(one.cid):
                self._may_open(one)

    def _is_kept(self, one: Any) -> None:
        """Nothing is said that is not kept, and where that matters, kept as being said."""
        rows = self._look.rows(
            "SELECT state, qty, price FROM intents WHERE deployment_id = ? AND cid = ? AND action = ?",
            one.account, one.cid, one.action,
        )  # fmt: skip
        if not any(row[1:] == (one.qty, one.price) for row in rows):
            self._look.complain("I9", f"{one.action} {one.cid} is sent, and no such intent is kept")
        if self._look.broker.idempotency.value != "UNIQUE_FOREVER" and not any(row[0] == "SUBMITTING" for row in rows):
            self._look.complain("I1", f"{one.action} {one.cid} is sent before it is kept that it is being sent")

    def _may_open(self, one: Any) -> None:
        look, now = self._look, self._look.now_ns()
        if self._switches.is_read:
            look.complain("I6", f"entry {one.cid} is sent after the kill switch")
        status, state = look.status(one.account), look.state(one.account)
        if status != "RUNNING" or state.startswith("PAUSED"):
            look.complain("I4", f"entry {one.cid} is sent while {status} {state}")
        if not one.contingent and now > one.decided_ns + look.bar_ns + STALE_NS:
            look.complain("I4", f"entry {one.cid} is sent {(now - one.decided_ns) / 1e9:.0f} s after its decision")
        book = look.broker.books[one.account]
        waited_for = [
            order
            for order in book.working()
            if order.reduces and order.kind == "open" and order.decided_ns == one.decided_ns
        ]
        # An exit whose position a stop has closed meanwhile is waited for no more: it is being taken back.
        if one.contingent and any(book.positions.get(order.instrument, 0.0) != 0.0 for order in waited_for):
            look.complain("I5", f"entry {one.cid} is sent before the exit that it waits for has filled")

    def open_intents(self) -> int:
        """How many intents are neither done nor given up nor held back."""
        return self._look.count("SELECT COUNT(*) FROM intents WHERE state IN ('PLANNED', 'SUBMITTING', 'UNKNOWN')")

    def after_turn(self, begun_ns: int) -> None:
        """A turn that began at an instant ended as it should."""
        look = self._look
        check_fresh(look, begun_ns)
        for ident, seq, digest in look.rows("SELECT deployment_id, head_seq, head_hash FROM deployment_states"):
            self._heads[ident][seq] = digest
        for ident in look.idents:
            held = sum(qty != 0.0 for qty in look.broker.books[ident].positions.values())
            if held > look.world.rules[ident].most_positions and not look.state(ident).startswith("PAUSED_"):
                look.complain("I5", f"{ident[:4]} holds {held} positions")
            self._protected(ident, begun_ns)
            self._paused_rightly(ident)

    def _paused_rightly(self, ident: str) -> None:
        """I3: who is paused for a difference believed to hold what the fills that are kept leave."""
        look, state = self._look, self._look.state(ident)
        before, self._states[ident] = self._states.get(ident, ""), state
        if state != "PAUSED_RECONCILE" or before.startswith("PAUSED_"):
            return
        rows = look.rows(
            "SELECT body FROM journal WHERE deployment_id = ? AND kind = 'RECONCILIATION_ACTION' ORDER BY seq DESC",
            ident,
        )
        for name, ours, _ in json.loads(rows[0][0]).get("differences", ()) if rows else ():
            left = self._booked(ident, name)
            if abs(left - ours) > NEAR:
                look.complain("I3", f"{ident[:4]} believed to hold {ours:g} {name}, and its fills leave {left:g}")

    def _protected(self, ident: str, begun_ns: int) -> None:
        """I7: a position that was told a bar ago is protected, is leaving, or rows of the journal say why not."""
        look = self._look
        rules, book, now = look.world.rules[ident], look.broker.books[ident], look.now_ns()
        if not (rules.stop_frac and rules.resting) or look.status(ident) == "STOPPED":
            return
        for name, told in book.told.items():
            if told == 0.0 or now - book.told_ns[name] <= look.bar_ns or self._explained(ident, name):
                continue
            if look.broker.mute_ns >= begun_ns and abs(self._booked(ident, name) - told) > NEAR:
                continue  # it was told to a process that ended on it, and this one could not ask
            resting = [
                one for one in book.working() if one.instrument == name and one.reduces and one.side * told < 0.0
            ]
            stops = [one for one in resting if one.kind == "stop"]
            covered, held = sum(one.left for one in stops), book.positions[name]
            if any(one.kind == "open" for one in resting) or held * told <= 0.0:
                continue
            if min(abs(covered - abs(told)), abs(covered - abs(held))) > NEAR:
                look.complain(
                    "I7", f"{ident[:4]} holds {held:g} {name}, was told {told:g}, and stops over {covered:g} work"
                )
            for order in stops:
                level = look.rows("SELECT price FROM orders WHERE cid = ?", order.cid)
                if level and abs(level[0][0] - order.level) > NEAR:
                    look.complain("I7", f"stop {order.cid} rests at {order.level:g}, and should at {level[0][0]:g}")

    def _booked(self, ident: str, name: str) -> float:
        """Units that the fills that are kept leave."""
        wanted = "SELECT TOTAL(side * qty) FROM fills WHERE deployment_id = ? AND instrument = ?"
        return float(self._look.rows(wanted, ident, name)[0][0])

    def _explained(self, ident: str, name: str) -> bool:
        """Whether something is still to be said or told, a person is asked, or the broker refused in the last bar."""
        look = self._look
        if look.state(ident).startswith("PAUSED_") or look.broker.books[ident].ends_untold(name):
            return True
        if look.count(
            "SELECT COUNT(*) FROM intents WHERE deployment_id = ? AND instrument = ? AND reduces "
            f"AND state IN {OPEN_STATES}",
            ident, name,
        ):  # fmt: skip
            return True
        return bool(
            look.count(
                "SELECT COUNT(*) FROM journal WHERE deployment_id = ? AND kind IN ('ORDER_REJECTED', 'ORDER_ENDED')"
                " AND at_ns > ?",
                ident,
                look.now_ns() - look.bar_ns - MINUTE_NS,
            )
        )

    # --- at the end --------------------------------------------------------------------------------------------------

    def at_the_end(self) -> None:
        """Everything is settled: all that must hold, holds."""
        check_settled(self._look)
        check_journals(self._look, self._heads)
        check_decided(self._look)
        check_by_hand(self._look)

    def rows(self) -> dict[str, list[Any]]:
        """All that must not depend on when a process has ended (``at_once.rows_of``)."""
        return rows_of(self._look)

    def found_beside(self, invariant: str, what: str) -> None:
        """Something is not as it is elsewhere."""
        self._look.complain(invariant, what)

    def digest(self) -> str:
        """Hash of every journal, for comparing two runs of one seed."""
        heads = self._look.rows(
            "SELECT deployment_id, head_seq, head_hash FROM deployment_states ORDER BY deployment_id"
        )
        return hashlib.blake2b(repr(heads).encode(), digest_size=8).hexdigest()

    def deeds(self) -> dict[str, int]:
        """What people did and what came of it, by its name."""
        return deeds(self._look)

    def paused(self) -> tuple[int, int]:
        """Deployments that wait for a person at the end, and intents that do."""
        look = self._look
        waiting = sum(look.state(one).startswith("PAUSED_") for one in look.idents)
        return waiting, look.count("SELECT COUNT(*) FROM intents WHERE state = 'NEEDS_OPERATOR'")
