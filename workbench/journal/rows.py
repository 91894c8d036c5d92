"""Rows of one deployment, out of tables whose keys begin with what all deployments share at a bar close.

A thousand deployments write a thousand rows at one close. Keys that began with the deployment would put each of them on
a page of its own, and a commit would write a thousand pages; keys that begin with the number of the row, or with the
instant, put them side by side. The price is paid here: whoever wants the rows of one deployment names their numbers,
which have no holes. Rows of rare kinds have an index of their own, which a quiet bar does not touch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from workbench.journal.tables import COMMON_KINDS, IS_RARE, deployment_states, equity_points, journal

#: Numbers named by one statement.
_AT_ONCE = 500

_OURS = journal.c.deployment_id == sa.bindparam("deployment")
_NUMBERS: sa.BindParameter[Any] = sa.bindparam("numbers", expanding=True)
_HEAD = sa.select(deployment_states.c.head_seq).where(deployment_states.c.deployment_id == sa.bindparam("deployment"))
_POINTS = (
    sa.select(equity_points)
    .where(equity_points.c.deployment_id == sa.bindparam("deployment"), equity_points.c.ts_ns.in_(_NUMBERS))
    .order_by(equity_points.c.ts_ns)
)


def journal_rows(
    connection: sa.Connection,
    deployment_id: str,
    columns: Sequence[str] | None = None,
    kinds: Collection[str] | None = None,
    before: int | None = None,
    newest_first: bool = False,
) -> Iterator[sa.Row[Any]]:
    """Rows of a journal by their numbers, up to the head that the deployment remembers.

    Parameters
    ----------
    connection : sa.Connection
        Of ``Store.read``; read from as long as rows are taken.
    deployment_id : str
        Whose journal.
    columns : sequence of str, optional
        Which columns; all by default.
    kinds : collection of str, optional
        Only rows of these kinds.
    before : int, optional
        Only rows with a smaller number.
    newest_first : bool
        The last row first.

    Yields
    ------
    sa.Row
        In order.
    """
    wanted = sa.select(*(journal.c[name] for name in columns)) if columns else journal.select()
    wanted = wanted.where(_OURS).order_by(journal.c.seq.desc() if newest_first else journal.c.seq)
    if kinds is not None:
        wanted = wanted.where(journal.c.kind.in_(sorted(kinds)))
        if not set(kinds) & set(COMMON_KINDS):
            if before is not None:
                wanted = wanted.where(journal.c.seq < before)
            yield from connection.execute(wanted.where(IS_RARE), {"deployment": deployment_id})
            return
    head = connection.execute(_HEAD, {"deployment": deployment_id}).scalar_one_or_none() or 0
    numbers = range(1, (head if before is None else min(head, before - 1)) + 1)
    if newest_first:
        numbers = numbers[::-1]
    wanted = wanted.where(journal.c.seq.in_(_NUMBERS))
    for at in range(0, len(numbers), _AT_ONCE):
        part = list(numbers[at : at + _AT_ONCE])
        yield from connection.execute(wanted, {"deployment": deployment_id, "numbers": part})


def numbers_beyond(connection: sa.Connection, deployment_id: str, head: int) -> tuple[list[Any], list[Any]]:
    """Numbers of rows that no journal with such a head has: those before the first, and those after the head."""
    wanted = sa.select(journal.c.seq).where(_OURS).order_by(journal.c.seq)
    given = {"deployment": deployment_id}
    below = connection.execute(wanted.where(journal.c.seq < 1), given).scalars().all()
    return list(below), list(connection.execute(wanted.where(journal.c.seq > head), given).scalars().all())


def points_of(connection: sa.Connection, deployment_id: str) -> Iterator[sa.Row[Any]]:
    """Points of a deployment's account, in order, at the instants that its journal tells of."""
    closes = journal_rows(connection, deployment_id, ("instant_ns",), COMMON_KINDS)
    instants = list(dict.fromkeys(row.instant_ns for row in closes))
    for at in range(0, len(instants), _AT_ONCE):
        yield from connection.execute(_POINTS, {"deployment": deployment_id, "numbers": instants[at : at + _AT_ONCE]})
