"""Deployments that a runner does not have yet: those written since it began, and stopped ones it is not done with."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from workbench.journal import tables
from workbench.live.given import Given, Unreadable, readable
from workbench.live.intents import OPEN
from workbench.live.standing import LEAVING, Status

_STOPPED = tables.deployment_states.c.status == Status.STOPPED.value
_ASIDE = tables.deployment_states.c.status == Status.ERROR.value


def arrived(connection: sa.Connection, known: Collection[str]) -> tuple[list[Given], list[Unreadable]]:
    """Deployments that run and whose ids are not known, by id; and those whose rows cannot be read."""
    ids = sa.select(tables.deployment_states.c.deployment_id).where(sa.not_(_STOPPED), sa.not_(_ASIDE))
    new = sorted(set(connection.execute(ids).scalars()) - set(known))
    return _given(connection, tables.deployments.c.id.in_(new)) if new else ([], [])


def still_leaving(connection: sa.Connection) -> tuple[list[Given], list[Unreadable]]:
    """Stopped deployments of which something is still to be said or heard: a process ended before they were let go."""
    unsent = sa.select(tables.intents.c.deployment_id).where(tables.intents.c.state.in_([one.value for one in OPEN]))
    states = tables.deployment_states
    waits = sa.or_(
        states.c.runtime_state == LEAVING,
        states.c.runtime_state.startswith("PAUSED"),
        states.c.deployment_id.in_(unsent),
    )
    stopped = sa.select(states.c.deployment_id).where(_STOPPED, waits)
    return _given(connection, tables.deployments.c.id.in_(stopped))


def _given(
    connection: sa.Connection, *conditions: sa.ColumnElement[bool]
) -> tuple[list[Given], list[Unreadable]]:
    table, versions = tables.deployments, tables.strategy_versions
    wanted = sa.select(table, versions.c.content).join(versions, versions.c.hash == table.c.strategy_hash)
    return readable(connection.execute(wanted.where(*conditions).order_by(table.c.id)).mappings())
