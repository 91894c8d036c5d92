"""Kill before the database is asked for anything; and kill and close what is held."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from workbench.errors import ConfigError, HaltError, RetryableError
from workbench.journal import tables
from workbench.live.client import WAIT_S, Client, Reply
from workbench.live.facts import books_of_row, deployments_of
from workbench.live.holdings import Books
from workbench.live.killswitch import Flag, Kill, KillSwitch
from workbench.live.places import places_of_url
from workbench.live.wall import WallClock
from workbench.live.words import counted


class Hand(NamedTuple):
    """Who kills: the URL of the database, whose deployments, and who asks. The database itself is not touched."""

    url: str
    owner: str
    who: str

    def kill(self, why: str, name: str = "") -> Flag:
        """Put the switch down, of one deployment or of everything of the owner; it is on the disk when this returns.

        Raises
        ------
        HaltError
            The flag cannot be written.
        """
        switch = KillSwitch(places_of_url(self.url).flag)
        return switch.put_down(Kill(self.owner, name, self.who, why, WallClock().now_ns()))


def kill_and_flatten(client: Client, why: str, name: str | None = None, wait_s: float = WAIT_S) -> Reply:
    """Kill, then ask to flatten every deployment that holds something or has an order out.

    The kill comes first and stands whatever becomes of the rest. Flattening is written down for the runner, one command
    a deployment; positions are closed at the next open.

    Parameters
    ----------
    client : Client
        Of the owner.
    why : str
        For the journals.
    name : str, optional
        Of one deployment; everything of the owner by default.
    wait_s : float
        How long to wait until the runner has told the journals of the kill.

    Returns
    -------
    Reply
        Of the kill, with what is to be closed, or why that could not be asked.
    """
    killed, asked = client.kill(why, name, wait_s), list[str]()
    try:
        for one in _with_something_to_close(client, name):
            client.flatten(one, why, wait_s=0.0)
            asked.append(one)
    except (RetryableError, HaltError, ConfigError) as error:
        done = f" Asked so far: {', '.join(asked)}." if asked else ""
        return killed._replace(text=f"{killed.text} Positions are NOT all being closed: {error}{done}")
    if not asked:
        return killed._replace(text=f"{killed.text} Nothing holds a position.")
    closing = f"{counted(len(asked), 'deployment')} to be closed at the next open: {', '.join(asked)}."
    return killed._replace(text=f"{killed.text} {closing}")


def _with_something_to_close(client: Client, name: str | None) -> list[str]:
    orders = tables.orders
    with client.store.read() as connection:
        working = set(
            connection.execute(sa.select(orders.c.deployment_id).where(orders.c.status == "WORKING").distinct())
            .scalars()
            .all()
        )
        rows = [
            row
            for row in deployments_of(connection, client.owner)
            if row["status"] != "STOPPED" and name in (None, row["name"])
        ]
        return [row["name"] for row in rows if row["id"] in working or _holds(books_of_row(row))]


def _holds(books: Books | None) -> bool:
    """Whether there is a position; what cannot be read is taken to hold one."""
    return books is None or bool(books.holdings)
