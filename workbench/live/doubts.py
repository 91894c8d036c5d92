"""Differences between what we hold and what the broker says: looked for, doubted for a while, and then shown.

Asked only of deployments with which nothing is on its way: what is unheard or unsaid would look like a difference. What
a broker tells late looks like one for a while, too.
"""

from __future__ import annotations

from collections.abc import Iterable

from workbench.brokers.port import Unknown, Venue
from workbench.live.executor import Executor
from workbench.live.page import Page
from workbench.live.reconcile import differences
from workbench.live.standing import Standing, Status

#: How long what we hold and what the broker says may differ before it is called a difference.
DOUBT_NS = 30 * 10**9


class Doubts:
    """Deployments to be compared with their broker, and since when they differ.

    Parameters
    ----------
    venue : Venue
        The broker.
    executor : Executor
        Knows what is on its way.
    """

    def __init__(self, venue: Venue, executor: Executor) -> None:
        self._venue, self._executor = venue, executor
        self._asked: set[str] = set()
        self._since: dict[str, int] = {}

    def ask(self, ident: str) -> None:
        """Have a deployment compared: at a start, and once a session."""
        self._asked.add(ident)

    def check(self, standings: Iterable[Standing], now: int) -> Page:
        """Compare those that were asked for; a difference that lasts pauses the deployment, visibly.

        Parameters
        ----------
        standings : iterable of Standing
            All that run.
        now : int
            The instant.

        Returns
        -------
        Page
            What is to be kept of that.
        """
        page, asked = Page(), self._asked
        self._asked = set()
        if asked:
            for one in standings:
                if one.id in asked:
                    self._compare(page, one, now)
        return page

    def _compare(self, page: Page, one: Standing, now: int) -> None:
        account = one.deployed.given.account
        if one.status is Status.STOPPED or self._executor.pending(account):
            return
        try:
            found = differences(one.held_qty(), self._venue.positions(account))
        except Unknown:
            return
        since = self._since.setdefault(one.id, now) if found else self._since.pop(one.id, 0)
        if found and now - since < DOUBT_NS:
            self._asked.add(one.id)
        elif found and one.state != "PAUSED_RECONCILE":
            one.state, one.note = "PAUSED_RECONCILE", "; ".join(map(str, found))
            body = {"differences": [list(difference) for difference in found]}
            one.write(page, one.deployed.passed_ns, now, "RECONCILIATION_ACTION", body)
            one.keep(page, now)
