"""What every check of the oracle looks at: rows by plain SQL, the broker's truth, the world by hand."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any, NamedTuple

#: Units and money that are no difference.
NEAR = 1e-6
MINUTE_NS = 60 * 10**9
#: How old a decision may be when an entry is sent, besides a bar.
STALE_NS = 5 * 10**9
#: How long an order may be invisible at a broker of the simulation.
VISIBLE_NS = 180 * 10**9
OPEN_STATES = ("HELD", "PLANNED", "SUBMITTING", "UNKNOWN")


class Violation(NamedTuple):
    """Something that must not be: which invariant, what, and when in nanoseconds."""

    invariant: str
    what: str
    at_ns: int


class Look:
    """One schedule as the oracle sees it.

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

    Attributes
    ----------
    found : list of Violation
        Empty when all is well.
    bar_ns : int
        Length of a base bar.
    """

    def __init__(
        self, world: Any, market: Any, driver: sqlite3.Connection, broker: Any, now_ns: Callable[[], int]
    ) -> None:
        self.world, self.market, self.broker, self.now_ns = world, market, broker, now_ns
        self._driver = driver
        self.found: list[Violation] = []
        self._idents: tuple[str, ...] = ()
        self.bar_ns = int(world.slots[0].close_ns - world.slots[0].open_ns)
        self.slot_of = {slot.close_ns: slot for slot in world.slots}

    @property
    def idents(self) -> tuple[str, ...]:
        """Deployments that are there; some come later."""
        if len(self._idents) < len(self.world.idents):
            there = {ident for ident, in self.rows("SELECT id FROM deployments")}
            self._idents = tuple(one for one in self.world.idents if one in there)
        return self._idents

    def began_ns(self, ident: str) -> int:
        """From which instant on a deployment decides."""
        return int(self.rows("SELECT start_ns FROM deployments WHERE id = ?", ident)[0][0])

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        return self._driver.execute(sql, values).fetchall()

    def count(self, sql: str, *values: object) -> int:
        """The one number that a query gives."""
        return int(self.rows(sql, *values)[0][0])

    def state(self, ident: str) -> str:
        """Runtime state of a deployment."""
        return str(self.rows("SELECT runtime_state FROM deployment_states WHERE deployment_id = ?", ident)[0][0])

    def status(self, ident: str) -> str:
        """Status of a deployment."""
        return str(self.rows("SELECT status FROM deployment_states WHERE deployment_id = ?", ident)[0][0])

    def journal(self, ident: str) -> list[tuple[int, int, int, str, Any]]:
        """Its journal: seq, instant, when it was written, kind, body."""
        return [
            (seq, instant_ns, at_ns, kind, json.loads(body))
            for seq, instant_ns, at_ns, kind, body in self.rows(
                "SELECT seq, instant_ns, at_ns, kind, body FROM journal WHERE deployment_id = ? ORDER BY seq", ident
            )
        ]

    def complain(self, invariant: str, what: str) -> None:
        """Write down that something is not as it must be."""
        self.found.append(Violation(invariant, what, self.now_ns()))
