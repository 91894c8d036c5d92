"""Statements for many rows, straight through the driver: what runs at every bar.

The library compiles a statement once and then names every column of every row anew, which costs more than writing them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa


@lru_cache(maxsize=64)
def _driver_sql(dialect: sa.Dialect, statement: Any, names: tuple[str, ...]) -> tuple[str, tuple[str, ...] | None]:
    """A statement as the driver takes it, and the order of its values; None where it takes them by name."""
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    order = tuple(compiled.positiontup) if compiled.positional else None
    return str(compiled), order


def execute_many(connection: sa.Connection, statement: Any, rows: Sequence[Mapping[str, Any]], end: str = "") -> int:
    """Run one statement for many rows of the same columns, with something at its end; how many rows it wrote.

    Straight through the driver: at every bar this runs, and naming columns anew costs more than writing them.
    """
    sql, order = _driver_sql(connection.dialect, statement, tuple(rows[0]))
    values: Any = rows
    if order is not None:
        values = map(itemgetter(*order), rows) if len(order) > 1 else ((row[order[0]],) for row in rows)
    return connection.exec_driver_sql(sql + end, list(values)).rowcount
