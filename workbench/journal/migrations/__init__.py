"""Brings a database to the tables of ``journal.tables``, one revision after the other (Alembic).

A revision is a file of ``versions``, named by its number, and is never changed once it was released; ``HEAD`` is the
newest. Which one a database has stands in a table of its own name, so that a database may be shared with another
program that uses Alembic. A test compares what the revisions make with ``journal.tables``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from workbench.errors import ConfigError
from workbench.journal.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

#: The newest revision.
HEAD = "0001"

#: Where a database says which revision it has.
VERSION_TABLE = "workbench_schema"


def revision_of(connection: sa.Connection) -> str | None:
    """Revision of a database; None when it has no tables of ours yet."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
    return found


def settings() -> Config:
    """What Alembic must know; there is no file of settings."""
    from alembic.config import Config

    config = Config()
    # A per cent sign would be read as the start of a reference to another setting.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def bring_up(connection: sa.Connection, where: str) -> None:
    """Bring a database to ``HEAD`` inside the transaction of a connection, which the caller commits.

    Parameters
    ----------
    connection : sa.Connection
        In a transaction that keeps every other opener out.
    where : str
        The database, for messages.

    Raises
    ------
    ConfigError
        It was made by a newer version, or has tables of these names that are not ours.
    """
    if (revision := revision_of(connection)) == HEAD:
        return
    # Imported here: most openings find a database that is up to date.
    from alembic import command
    from alembic.script import ScriptDirectory

    config = settings()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise ConfigError(
            f"{where} was made by a newer workbench (its tables are of revision {revision}, this one knows {HEAD}); "
            "install that version, or name another database"
        )
    taken = sorted(set(sa.inspect(connection).get_table_names()) & set(metadata.tables)) if revision is None else []
    if taken:
        raise ConfigError(f"{where} has tables of another program ({', '.join(taken)}); name another database")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
