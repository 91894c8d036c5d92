"""Deployments that were stopped and still listen: each goes when the broker and our fills agree, never before.

A CANCEL that finds no order proves nothing: the order may have filled just before, and its fill be told later. So a
stopped deployment stays with the runner, shown as STOPPING, and keeps every execution that arrives. It decides nothing
and enters nothing. A difference that lasts is shown as PAUSED_RECONCILE, and a person may end the wait with another
STOP that keeps what there is. What filled when it was being stopped is a position that nobody manages: it is kept in
``fills``, shown as UNMANAGED_POSITION with what to do, and never traded by itself (a stop is a wish for calm).

Invariants: no execution is lost; nothing is sent for a stopped deployment but what takes orders back.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from workbench.brokers.port import Unknown
from workbench.journal import tables
from workbench.live.doubts import DOUBT_NS
from workbench.live.page import Page
from workbench.live.reconcile import Difference, differences
from workbench.live.runner import Runner
from workbench.live.standing import UNMANAGED, Standing, Status
from workbench.live.words import figure

Say = Callable[[str], None]


class Leaving:
    """Sees stopped deployments off, for one runner.

    Parameters
    ----------
    runner : Runner
        Whose deployments they are; it holds the lease.
    say : callable
        Takes a line of text for whoever watches.
    """

    def __init__(self, runner: Runner, say: Say) -> None:
        self._runner, self._say = runner, say
        self._doubts: dict[str, int] = {}
        self._released: set[str] = set()

    def release(self, standing: Standing) -> None:
        """Let one go at the next look, whatever the broker holds: a person has said so."""
        self._released.add(standing.id)

    def see_off(self, now_ns: int) -> None:
        """Hear the broker once more, and drop every stopped deployment with which nothing is left to be done."""
        stopped = [one for one in self._runner.standings.values() if one.status is Status.STOPPED]
        if stopped:
            self._runner.hear()
        for one in stopped:
            if one.id in self._released:
                self._released.discard(one.id)
                self._runner.drop(one.id)
            elif not self._runner.executor.pending(one.deployed.given.account):
                self._settle(one, now_ns)

    def _settle(self, standing: Standing, now_ns: int) -> None:
        try:
            there = self._runner.venue.positions(standing.deployed.given.account)
        except Unknown:
            return
        ours = self._executed(standing.id)
        found = differences(ours, there)
        if found:
            self._doubt(standing, found, now_ns)
        elif standing.state != "PAUSED_UNKNOWN_ORDER":
            # An order of which nobody knows whether it arrived may fill at any time: only a person ends that wait.
            self._leave(standing, ours, now_ns)

    def _doubt(self, standing: Standing, found: list[Difference], now_ns: int) -> None:
        """What a broker tells late looks like a difference for a while; one that lasts is shown."""
        name = standing.deployed.given.name
        since = self._doubts.setdefault(standing.id, now_ns)
        told = "; ".join(map(str, found))
        note = f"stopped, and it still listens: {told}. Look at the broker; then `workbench stop {name} --keep`"
        if now_ns - since >= DOUBT_NS and (standing.state, standing.note) != ("PAUSED_RECONCILE", note):
            standing.state, standing.note = "PAUSED_RECONCILE", note
            self._write(standing, now_ns, {"differences": [list(one) for one in found]})
            self._say(f"{name}: {note}")

    def _leave(self, standing: Standing, ours: dict[str, float], now_ns: int) -> None:
        left = differences(standing.held_qty(), ours)
        standing.state = "FLAT"  # one of those that follow what is held
        if left:
            held = ", ".join(f"{figure(qty)} {name}" for name, qty in sorted(ours.items())) or "nothing"
            standing.state = UNMANAGED
            standing.note = (
                f"an order filled when it was being stopped: the broker holds {held}. Nobody manages that and nothing "
                "protects it: close it at the broker"
            )
            self._write(standing, now_ns, {"unmanaged": dict(sorted(ours.items()))})
            self._say(f"{standing.deployed.given.name}: {standing.note}")
        else:
            self._write(standing, now_ns, None)
        self._doubts.pop(standing.id, None)
        self._runner.drop(standing.id)

    def _executed(self, ident: str) -> dict[str, float]:
        """Signed units by instrument that all stored executions leave: the engine forgets orders that it took back."""
        table = tables.fills
        summed = sa.select(table.c.instrument, sa.func.sum(table.c.side * table.c.qty))
        with self._runner.lease.store.read() as connection:
            rows = connection.execute(summed.where(table.c.deployment_id == ident).group_by(table.c.instrument))
            return {name: float(qty) for name, qty in rows if qty}

    def _write(self, standing: Standing, now_ns: int, body: dict[str, object] | None) -> None:
        """Where it stands, with a row of the journal when something was found."""
        page = Page()
        if body is not None:
            standing.write(page, standing.deployed.passed_ns, now_ns, "RECONCILIATION_ACTION", body)
        standing.keep(page, now_ns)
        with self._runner.lease.fenced() as connection:
            page.write(connection)
