"""What one transaction writes: gathered first, written at once, or not at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from workbench.journal import tables
from workbench.journal.driver import execute_many
from workbench.live.kept_bars import Key, refuse_bars, refuse_other_bars

Row = dict[str, Any]

#: In this order, for rows name rows of tables before them.
_INSERTED = (
    tables.bars,
    tables.jobs,
    tables.orders,
    tables.intents,
    tables.fills,
    tables.equity_points,
    tables.journal,
)


_INSERTS = {table.name: table.insert() for table in _INSERTED}
#: A bar may be there already: it came with the history of a deployment.
_ENDS = {"bars": " ON CONFLICT DO NOTHING"}


@cache
def _update(table: sa.Table, keys: tuple[str, ...], names: tuple[str, ...]) -> sa.Update:
    """Set some columns of the rows with a key; its values are parameters called ``key_<name>``."""
    where = (table.c[name] == sa.bindparam(f"key_{name}") for name in keys)
    return table.update().where(*where).values({name: sa.bindparam(name) for name in names})


def _change(connection: sa.Connection, table: sa.Table, keys: tuple[str, ...], rows: dict[Any, Row]) -> None:
    """Change rows by key; those that set the same columns go together."""
    alike = defaultdict(list)
    for key, row in rows.items():
        alike[tuple(row)].append({**row, **{f"key_{name}": part for name, part in zip(keys, key, strict=True)}})
    for names, group in alike.items():
        execute_many(connection, _update(table, keys, names), group)


class Page:
    """Rows to be written together.

    Attributes
    ----------
    inserted : dict of table name to list of rows
        New rows.
    states : dict of deployment to row
        Where each deployment stands after this; the last word counts.
    absent : list of Key
        Bars that are not there for what is written; if one is stored meanwhile, nothing is written.
    """

    def __init__(self, absent: Sequence[Key] = ()) -> None:
        self.inserted: dict[str, list[Row]] = defaultdict(list)
        self.states: dict[tuple[str], Row] = {}
        self.memories: dict[str, Row] = {}
        self._intents: dict[tuple[str, int], Row] = {}
        self._orders: dict[tuple[str], Row] = {}
        self.absent = list(absent)

    def add(self, table: sa.Table, row: Row) -> None:
        """A new row of a table."""
        self.inserted[table.name].append(row)

    def intent(self, deployment_id: str, number: int, **changes: Any) -> None:
        """Change an intent that is stored."""
        self._intents.setdefault((deployment_id, number), {}).update(changes)

    def order(self, cid: str, **changes: Any) -> None:
        """Change an order that is stored."""
        self._orders.setdefault((cid,), {}).update(changes)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write, and nothing to look at."""
        changed = self.states or self.memories or self._intents or self._orders or self.absent
        return not (changed or any(self.inserted.values()))

    def write(self, connection: sa.Connection) -> None:
        """Write everything; the caller's transaction decides whether it counts.

        Raises
        ------
        RetryableError
            Somebody else has stored other bars than were used: nothing of this may count.
        """
        for table in _INSERTED:
            rows = self.inserted.get(table.name)
            if rows and execute_many(connection, _INSERTS[table.name], rows, _ENDS.get(table.name, "")) != len(rows):
                assert table is tables.bars, f"rows of {table.name} were not written"
                refuse_other_bars(connection, rows)
        if self.absent:
            refuse_bars(connection, self.absent)
        _change(connection, tables.intents, ("deployment_id", "number"), self._intents)
        _change(connection, tables.orders, ("cid",), self._orders)
        _change(connection, tables.deployment_states, ("deployment_id",), self.states)
        for deployment, row in self.memories.items():
            connection.execute(tables.memories.delete().where(tables.memories.c.deployment_id == deployment))
            connection.execute(tables.memories.insert(), [row])
