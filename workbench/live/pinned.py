"""Strategies as they were deployed: text that nobody has changed since."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from workbench.journal.tables import deployments, strategy_versions
from workbench.live.frames import instant


def strategies_of(connection: sa.Connection, owner: str) -> list[dict[str, Any]]:
    """What an owner has deployed, by name and version.

    Returns
    -------
    list of dict
        name, version, hash, when it was first deployed by anybody (``pinned``), its text (``toml``), and the names of
        the owner's ``deployments`` of it.
    """
    wanted = (
        sa.select(strategy_versions, deployments.c.name.label("deployment"))
        .join(deployments, deployments.c.strategy_hash == strategy_versions.c.hash)
        .where(deployments.c.owner == owner)
        .order_by(strategy_versions.c.name, strategy_versions.c.version, strategy_versions.c.hash, deployments.c.name)
    )
    found: dict[str, dict[str, Any]] = {}
    for row in connection.execute(wanted):
        one = found.setdefault(
            row.hash,
            {
                "name": row.name,
                "version": row.version,
                "hash": row.hash,
                "pinned": instant(row.created_ns),
                "toml": row.content,
                "deployments": [],
            },
        )
        one["deployments"].append(row.deployment)
    return list(found.values())
