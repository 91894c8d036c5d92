"""Which database a panel reads: the one it is given, else the one that the command line uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from workbench.live.client import Client
from workbench.live.places import default_database


@contextmanager
def opened(client: Client | None) -> Iterator[Client]:
    """A client for the time of a block; one that is given stays open after it.

    Nothing is held open between two looks: a panel that is forgotten in a notebook keeps no file and no connection.
    """
    if client is not None:
        yield client
        return
    with Client.open(default_database()) as one:
        yield one
