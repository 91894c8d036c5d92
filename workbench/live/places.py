"""Files beside a database: the flag of the kill switch, and what is touched when something was written for the runner.

They are beside an SQLite file, ``<database>.KILLED``; for a PostgreSQL database they are in the home folder, under its
name.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workbench.errors import ConfigError
from workbench.live.wall import setting
from workbench.market.home import home_folder

if TYPE_CHECKING:  # a server that starts asks for places long before it opens a database
    from workbench.journal.store import Store

#: Under this name stand the files of a database in memory, which nobody else can open.
_MEMORY = "memory"


class Places(NamedTuple):
    """Where the files beside one database are.

    Attributes
    ----------
    flag : Path
        Of the kill switch; there while it is down.
    wake : Path
        Grows by a byte when something was written for the runner.
    """

    flag: Path
    wake: Path


def default_database() -> str:
    """The database that is used when none is named: WORKBENCH_DATABASE, else ``workbench.db`` in the home folder."""
    return setting("WORKBENCH_DATABASE") or str(home_folder() / "workbench.db")


def places_of(store: Store) -> Places:
    """The files beside an open database."""
    if store.path is not None:
        return _beside(store.path)
    # The store calls a PostgreSQL database by its address, which ends with its name.
    shown = repr(store).rstrip(")")
    return _beside(home_folder() / ((shown.rpartition("/")[2] if "://" in shown else "") or _MEMORY))


def places_of_url(url: str) -> Places:
    """The same without opening it: to find the kill switch of a database that is locked or away.

    Parameters
    ----------
    url : str
        As for ``Store.open``.

    Raises
    ------
    ConfigError
        The URL cannot be read.
    """
    import sqlalchemy as sa

    try:
        parsed = sa.make_url(url) if "://" in url else sa.URL.create("sqlite", database=url)
    except (sa.exc.ArgumentError, ValueError):
        # The library's message may hold the text, and the text a password.
        raise ConfigError(
            "the URL of the database cannot be read; write it as postgresql://user:password@host/database"
        ) from None
    name = "" if parsed.database in (None, ":memory:") else str(parsed.database)
    if name and parsed.drivername.partition("+")[0] == "sqlite":
        return _beside(Path(name).expanduser().resolve())
    return _beside(home_folder() / (name.rpartition("/")[2] or _MEMORY))


def _beside(path: Path) -> Places:
    return Places(path.with_name(f"{path.name}.KILLED"), path.with_name(f"{path.name}.wake"))
