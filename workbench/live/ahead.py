"""What deployments left in the database, read ahead for many that are put together one after the other.

Asked for one deployment at a time, making eleven statements takes longer than all the rest of a restart: rows of many
come by one query a table, and bars are read once for all that follow the same instruments from the same instant.

Invariant: only the holder of the lease changes what is read here, bars apart, so that it need not be one snapshot. Of
bars that come meanwhile the runner knows what to do (``kept_bars``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from workbench.journal import tables
from workbench.live.deployed import Bar
from workbench.live.feed import ClosedBar
from workbench.live.given import Given
from workbench.live.inbox import stored_bars
from workbench.live.intents import OPEN

#: Deployments whose rows are read by one query; a database takes only so many values.
AT_ONCE = 200
#: Bars that are held for others that may ask for the same; a few hundred bytes each.
MOST_BARS = 200_000
#: Of one stretch: instruments, timeframe, first stamp, and the stamp before which it ends.
_Stretch = tuple[tuple[str, ...], str, int, int]

_orders, _fills = tables.orders, tables.fills
_IDS: Any = sa.bindparam("ids", expanding=True)
_WORKING = "WORKING"
_MINE = sa.and_(_fills.c.deployment_id == _orders.c.deployment_id, _fills.c.order_no == _orders.c.order_no)


def _of(table: sa.Table) -> sa.Select[Any]:
    return table.select().where(table.c.deployment_id.in_(_IDS))


_STATES, _MEMORIES = _of(tables.deployment_states), _of(tables.memories)
_ORDERS = _of(_orders).where(_orders.c.status == _WORKING).order_by(_orders.c.deployment_id, _orders.c.order_no)
_PARTS = (
    sa.select(_fills)
    .join(_orders, _MINE)
    .where(_orders.c.deployment_id.in_(_IDS), _orders.c.status == _WORKING)
    .order_by(_fills.c.deployment_id, _fills.c.number)
)
_INTENTS = (
    _of(tables.intents)
    .where(tables.intents.c.state.in_([one.value for one in OPEN]))
    .order_by(tables.intents.c.deployment_id, tables.intents.c.number)
)
#: What works and is taken back has filled in part: whatever else is taken back works no more by our books.
_CUT = (
    sa.select(tables.intents.c.deployment_id, tables.intents.c.order_no)
    .join(_orders, _orders.c.cid == tables.intents.c.cid)
    .where(tables.intents.c.deployment_id.in_(_IDS), tables.intents.c.action == "CANCEL", _orders.c.status == _WORKING)
)
_NOT_PASSED = (
    sa.select(*(tables.bars.c[name] for name in ClosedBar._fields), tables.bars.c.late)
    .where(
        tables.bars.c.instrument.in_(sa.bindparam("names", expanding=True)),
        tables.bars.c.timeframe == sa.bindparam("frame"),
        tables.bars.c.ts_ns >= sa.bindparam("since"),
        tables.bars.c.revision == 0,
    )
    .order_by(tables.bars.c.ts_ns)
)


class Left(NamedTuple):
    """Rows of one deployment.

    Attributes
    ----------
    state : mapping
        Where it stands.
    memories : sequence of Row
        What its expressions remember: one row, or none.
    orders, parts : sequence of Row
        Orders that work, and executions of those, in their order.
    intents : sequence of Row
        With which something is still to be done, in their order.
    cut : sequence of Row
        Orders of which a part has filled and the rest was taken back.
    """

    state: sa.RowMapping
    memories: Sequence[sa.Row[Any]]
    orders: Sequence[sa.Row[Any]]
    parts: Sequence[sa.Row[Any]]
    intents: Sequence[sa.Row[Any]]
    cut: Sequence[sa.Row[Any]]


class Ahead:
    """Reads ahead; not to be kept beyond what is put together now."""

    def __init__(self) -> None:
        self._left: dict[str, Left] = {}
        self._bars: dict[_Stretch, dict[int, dict[str, Bar]]] = {}
        self._not_passed: dict[tuple[tuple[str, ...], str, int], list[sa.Row[Any]]] = {}

    def look(self, connection: sa.Connection, idents: Sequence[str]) -> None:
        """Read the rows of some deployments, at most ``AT_ONCE``, and forget those of others."""
        rows = [_by_deployment(connection, wanted, idents) for wanted in (_MEMORIES, _ORDERS, _PARTS, _INTENTS, _CUT)]
        states = connection.execute(_STATES, {"ids": list(idents)}).mappings()
        self._left = {
            state["deployment_id"]: Left(state, *(found[state["deployment_id"]] for found in rows)) for state in states
        }

    def left(self, connection: sa.Connection, ident: str) -> Left:
        """Rows of one deployment, read now if nobody looked."""
        if ident not in self._left:
            self.look(connection, [ident])
        return self._left[ident]

    def passed(
        self, connection: sa.Connection, given: Given, since_ns: int, until_ns: int
    ) -> dict[int, dict[str, Bar]]:
        """As ``stored_bars`` for the instruments of a deployment; not to be written to."""
        stretch = (given.names, str(given.timeframe), since_ns, until_ns)
        if stretch not in self._bars:
            if sum(map(len, self._bars.values())) > MOST_BARS:
                self._bars.clear()
            self._bars[stretch] = stored_bars(connection, *stretch)
        return self._bars[stretch]

    def not_passed(self, connection: sa.Connection, given: Given, since_ns: int) -> Iterable[sa.Row[Any]]:
        """First versions of bars with a stamp from an instant on, and whether each was late, by stamp."""
        key = (given.names, str(given.timeframe), since_ns)
        if key not in self._not_passed:
            asked = {"names": list(given.names), "frame": key[1], "since": since_ns}
            self._not_passed[key] = list(connection.execute(_NOT_PASSED, asked))
        return self._not_passed[key]


def _by_deployment(
    connection: sa.Connection, wanted: sa.Select[Any], idents: Sequence[str]
) -> dict[str, list[sa.Row[Any]]]:
    found: dict[str, list[sa.Row[Any]]] = defaultdict(list)
    for row in connection.execute(wanted, {"ids": list(idents)}):
        found[row.deployment_id].append(row)
    return found
