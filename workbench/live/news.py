"""What the journals of an owner have told since somebody last looked: rows of rare kinds, in one question."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from workbench.journal.tables import IS_RARE, deployments, journal
from workbench.live.frames import instant

#: Deployments named by one statement.
_AT_ONCE = 500


def news(
    connection: sa.Connection, owner: str, since: Mapping[str, int], kinds: Collection[str]
) -> list[dict[str, Any]]:
    """Rows of journals that were written after those that are known.

    Parameters
    ----------
    connection : sa.Connection
        Of ``Store.read``.
    owner : str
        Whose deployments.
    since : mapping of str to int
        Name of a deployment to the number of its last row that is known.
    kinds : collection of str
        Rare kinds (``journal.tables``); rows of others are left out.

    Returns
    -------
    list of dict
        deployment, seq, kind, instant, at, body; in the order of writing.
    """
    names, found = sorted(since), list[dict[str, Any]]()
    for at in range(0, len(names), _AT_ONCE):
        some = names[at : at + _AT_ONCE]
        wanted = (
            sa.select(deployments.c.name, journal)
            .join(deployments, deployments.c.id == journal.c.deployment_id)
            .where(deployments.c.owner == owner, deployments.c.name.in_(some))
            .where(IS_RARE, journal.c.kind.in_(sorted(kinds)), journal.c.seq > min(since[name] for name in some))
        )
        found += [
            {
                "deployment": row["name"],
                "seq": row["seq"],
                "kind": row["kind"],
                "instant": instant(row["instant_ns"]),
                "at": instant(row["at_ns"]),
                "body": json.loads(row["body"]),
            }
            for row in connection.execute(wanted).mappings()
            if row["seq"] > since[row["name"]]
        ]
    return sorted(found, key=lambda row: (row["at"], row["deployment"], row["seq"]))
