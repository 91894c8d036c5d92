"""What a Jupyter server that is too old may do: paper, and nothing else.

Older servers have known holes in who is let in. The package asks for a newer one, but an older one can be forced; then
a deployment that is not on paper is neither run by a hosted runner nor armed, resumed or resolved over HTTP. What stops
trading is never refused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from workbench.errors import Refused

if TYPE_CHECKING:  # a server starts without the engine
    from workbench.live.client import Client

#: The oldest server that may do everything, as pyproject.toml asks for it.
OLDEST = (2, 20)
#: The one mode that an older one may have.
PAPER = "paper"
#: Ends of the paths after which orders may go out that would not have gone out before.
RISKY = frozenset({"arm", "resume", "resolve"})


def why_only_paper(version: str) -> str:
    """Why a server of a version is for paper only; empty when it may do everything."""
    numbers = tuple(int(part) if part.isdecimal() else 0 for part in version.split(".")[:2])
    if numbers >= OLDEST:
        return ""
    oldest = ".".join(map(str, OLDEST))
    return f"jupyter-server {version} is older than {oldest}, so nothing but paper is run or armed here; update it"


def refuse_risk(why: str, client: Client, path: str, names: Mapping[str, str]) -> None:
    """Refuse what may send orders of a deployment that is not on paper.

    Parameters
    ----------
    why : str
        Of ``why_only_paper``.
    client : Client
        Of whoever asks.
    path : str
        What is asked, as in the table of routes.
    names : mapping
        Of the path; without ``name`` everything of the owner is meant.

    Raises
    ------
    Refused
        One that is meant is not on paper.
    """
    if not why or path.rpartition("/")[2] not in RISKY:
        return
    rows = client.deployments()
    meant = rows["name"] == names["name"] if "name" in names else rows["name"] != ""
    _refuse(why, rows["name"][meant & (rows["mode"] != PAPER)].tolist())


def refuse_hosting(why: str, database: str) -> None:
    """Refuse to host a runner of a database that holds anything but paper; it would run everybody's.

    Raises
    ------
    Refused
        It does.
    """
    import sqlalchemy as sa

    from workbench.journal import tables
    from workbench.journal.store import Store

    if not why:
        return
    table, states = tables.deployments, tables.deployment_states
    alive = sa.select(table.c.name).join(states, states.c.deployment_id == table.c.id)
    with Store.open(database) as store, store.read() as connection:
        found = connection.execute(alive.where(table.c.mode != PAPER, states.c.status != "STOPPED")).scalars().all()
    _refuse(why, found)


def _refuse(why: str, names: Collection[str]) -> None:
    if names:
        raise Refused(f"{', '.join(sorted(names))}: not on paper. {why}.")
