"""How much an owner may do: how many deployments, how many instruments in one, how many orders in a stretch of time.

Limits of orders block entries alone, when they are decided and again before they are sent. Exits, stops, targets and
what takes an order back pass whatever the count is, and count too. What was sent is in the database, so a new runner
counts on from there.

A day is a day of UTC: no exchange's session is cut by it where it would matter, and owners trade on several.
"""

from __future__ import annotations

import difflib
import math
from collections import deque
from collections.abc import Mapping

import sqlalchemy as sa

from workbench.errors import ConfigError
from workbench.journal import tables
from workbench.journal.store import Store
from workbench.live.words import counted
from workbench.market.timeframe import DAY_NS

#: What is allowed where nothing else was set.
DEFAULTS = {
    "deployments": 5_000,
    "instruments": 1_000,
    "orders_per_second": 10_000,
    "orders_per_minute": 100_000,
    "orders_per_day": 1_000_000,
}
#: Words of a block, as journals say them, by limit.
WORDS = {
    "orders_per_day": "LIMIT_ORDERS_PER_DAY",
    "orders_per_minute": "LIMIT_ORDERS_PER_MINUTE",
    "orders_per_second": "LIMIT_ORDERS_PER_SECOND",
}
SECOND_NS, MINUTE_NS = 10**9, 60 * 10**9

#: Deployments that use none of what is allowed.
_STOPPED = "STOPPED"


def limits_of(connection: sa.Connection, owner: str) -> dict[str, int]:
    """What an owner may do, by name."""
    table = tables.limits
    rows = connection.execute(sa.select(table.c.name, table.c.value).where(table.c.owner == owner))
    return {**DEFAULTS, **{row.name: int(row.value) for row in rows if row.name in DEFAULTS}}


def set_limit(connection: sa.Connection, owner: str, name: str, value: float | None, by: tuple[str, int]) -> None:
    """Set a limit of an owner, or give it back its default.

    Parameters
    ----------
    connection : sa.Connection
        Of ``Store.write``.
    owner, name : str
        Whose, and which.
    value : float or None
        A whole number from 0 on, which allows none; None for the default.
    by : (str, int)
        Who sets it, and when, nanoseconds.

    Raises
    ------
    ConfigError
        There is no such limit, or the value is no count.
    """
    if name not in DEFAULTS:
        near = difflib.get_close_matches(name, DEFAULTS, 1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(DEFAULTS)}."
        raise ConfigError(f"there is no limit {name!r}. {hint}")
    if value is not None and not (math.isfinite(value) and value >= 0 and value == math.floor(value)):
        raise ConfigError(f"{name} = {value:g}: a limit is a whole number from 0 on; 0 allows none.")
    table = tables.limits
    connection.execute(table.delete().where(table.c.owner == owner, table.c.name == name))
    if value is not None:
        who, when_ns = by
        row = {"owner": owner, "name": name, "value": float(value), "who": who, "changed_ns": when_ns}
        connection.execute(table.insert(), [row])


def check_deployable(connection: sa.Connection, owner: str, n_instruments: int) -> None:
    """Refuse a deployment beyond what its owner may have.

    Raises
    ------
    ConfigError
        It is one too many, or of too many instruments.
    """
    allowed = limits_of(connection, owner)
    if n_instruments > allowed["instruments"]:
        raise ConfigError(
            f"{counted(n_instruments, 'instrument')}, and one deployment may have {allowed['instruments']}. Use "
            "fewer, or raise the limit: workbench limits instruments NUMBER."
        )
    if deployments_of(connection, owner) >= allowed["deployments"]:
        raise ConfigError(
            f"{owner} may have {counted(allowed['deployments'], 'deployment')}, and has as many. Stop one, or raise "
            "the limit: workbench limits deployments NUMBER."
        )


def deployments_of(connection: sa.Connection, owner: str) -> int:
    """How many deployments of an owner are not stopped."""
    table, states = tables.deployments, tables.deployment_states
    count = sa.select(sa.func.count()).select_from(table.join(states, states.c.deployment_id == table.c.id))
    return int(connection.execute(count.where(table.c.owner == owner, states.c.status != _STOPPED)).scalar_one())


def sent_since(connection: sa.Connection, owner: str, since_ns: int) -> list[tuple[int, int]]:
    """Instants from which on orders of an owner were sent, with how many, in order."""
    table, intents = tables.deployments, tables.intents
    wanted = (
        sa.select(intents.c.sent_ns, sa.func.count())
        .join(table, table.c.id == intents.c.deployment_id)
        .where(table.c.owner == owner, intents.c.sent_ns >= max(since_ns, 1))
        .group_by(intents.c.sent_ns)
        .order_by(intents.c.sent_ns)
    )
    return [(int(ns), int(count)) for ns, count in connection.execute(wanted)]


class Counted:
    """Orders of one owner: how many in the last second, the last minute and this day."""

    def __init__(self) -> None:
        self._minute, self._second = _Window(MINUTE_NS), _Window(SECOND_NS)
        self._day, self._in_day = 0, 0

    def add(self, ns: int, count: int = 1) -> None:
        """Some were sent."""
        for window in (self._minute, self._second):
            window.add(ns, count)
        if ns // DAY_NS != self._day:
            self._day, self._in_day = ns // DAY_NS, 0
        self._in_day += count

    def used(self, now_ns: int) -> dict[str, int]:
        """How many count now, by the name of the limit."""
        return {
            "orders_per_second": self._second.count(now_ns),
            "orders_per_minute": self._minute.count(now_ns),
            "orders_per_day": self._in_day if now_ns // DAY_NS == self._day else 0,
        }


class _Window:
    """What happened in a stretch of time up to now."""

    def __init__(self, length_ns: int) -> None:
        self._length_ns, self._total = length_ns, 0
        self._there: deque[tuple[int, int]] = deque()

    def add(self, ns: int, count: int) -> None:
        """So many more at an instant."""
        self._total += count
        if self._there and self._there[-1][0] == ns:
            count += self._there.pop()[1]
        self._there.append((ns, count))

    def count(self, now_ns: int) -> int:
        """How many lie in the stretch that ends now."""
        while self._there and self._there[0][0] <= now_ns - self._length_ns:
            self._total -= self._there.popleft()[1]
        return self._total


def word_of(allowed: Mapping[str, int], used: Mapping[str, int]) -> str:
    """The word of the first limit of orders that is reached, by what is allowed and used by name; empty if none is."""
    return next((word for name, word in WORDS.items() if used[name] >= allowed[name]), "")


class Limits:
    """The limits of everybody whose deployments a runner runs.

    Parameters
    ----------
    store : Store
        Where limits are, and what was sent.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._allowed: dict[str, dict[str, int]] = {}
        self._counted: dict[str, Counted] = {}
        #: What was said last of each owner, and of which instant: a bar asks for each of many deployments.
        self._said: dict[str, tuple[int, str]] = {}

    def reached(self, owner: str, now_ns: int) -> str:
        """The word of the limit that keeps an entry of an owner from being sent; empty if none does."""
        said = self._said.get(owner)
        if said is None or said[0] != now_ns:
            said = self._said[owner] = now_ns, self._reached(owner, now_ns)
        return said[1]

    def _reached(self, owner: str, now_ns: int) -> str:
        sent = self._counted.get(owner) or self._loaded(owner, now_ns)
        allowed, used = self._allowed[owner], sent.used(now_ns)
        return word_of(allowed, used)

    def sent(self, owner: str, now_ns: int) -> None:
        """An order of an owner is sent, of whatever kind."""
        (self._counted.get(owner) or self._loaded(owner, now_ns)).add(now_ns)
        self._said.pop(owner, None)

    def refresh(self) -> dict[str, dict[str, int]]:
        """Read again what is allowed; what changed, by owner and name."""
        changed: dict[str, dict[str, int]] = {}
        self._said.clear()
        with self._store.read() as connection:
            for owner, before in self._allowed.items():
                now = limits_of(connection, owner)
                if different := {name: now[name] for name in now if now[name] != before[name]}:
                    changed[owner] = different
                self._allowed[owner] = now
        return changed

    def _loaded(self, owner: str, now_ns: int) -> Counted:
        with self._store.read() as connection:
            self._allowed[owner] = limits_of(connection, owner)
            found = self._counted[owner] = _counted_of(connection, owner, now_ns)
        return found


def _counted_of(connection: sa.Connection, owner: str, now_ns: int) -> Counted:
    """What was sent for an owner, as far as it still counts."""
    found = Counted()
    for ns, count in sent_since(connection, owner, min(now_ns - MINUTE_NS, now_ns // DAY_NS * DAY_NS)):
        found.add(ns, count)
    return found


def table_of(connection: sa.Connection, owner: str, now_ns: int) -> list[Mapping[str, object]]:
    """What an owner may do, what is used of it now, and who set it."""
    allowed = limits_of(connection, owner)
    used = {"deployments": deployments_of(connection, owner), **_counted_of(connection, owner, now_ns).used(now_ns)}
    table = tables.limits
    setters = {row.name: row.who for row in connection.execute(table.select().where(table.c.owner == owner))}
    return [
        {"name": name, "allowed": allowed[name], "used": used.get(name), "set_by": setters.get(name, "")}
        for name in DEFAULTS
    ]
