"""The option ``--database`` and what commands about deployments share."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.screen import say, warn

if TYPE_CHECKING:
    import pandas as pd

    from workbench.live.client import Client, Reply

Database = Annotated[
    str | None,
    typer.Option(
        metavar="PATH|URL",
        help="SQLite file or postgresql://...; else WORKBENCH_DATABASE, else workbench.db in the home folder.",
    ),
]
Deployment = Annotated[str, typer.Argument(metavar="NAME", help="Of the deployment.")]
Why = Annotated[str, typer.Option(metavar="TEXT", help="The reason, for the journal.")]
Wait = Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait for the runner's answer.")]


def database_of(text: str | None) -> str:
    """The database that is meant."""
    from workbench.live.places import default_database

    return text or default_database()


def client_of(text: str | None) -> Client:
    """A client of a database, in the name of whoever is at the terminal."""
    from workbench.live.client import Client

    return Client.open(database_of(text), who=person())


def person() -> str:
    """Who is at the terminal, as far as the system knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name
        return "command line"


def show_reply(reply: Reply) -> None:
    """What came of a command; one that nobody has obeyed yet is a warning."""
    (say if reply.is_done else warn)(reply.text)


def moment_text(at: pd.Timestamp | None) -> str:
    """An instant in UTC to the second; nothing for never."""
    return "" if at is None or at != at else f"{at:%Y-%m-%d %H:%M:%S}Z"


def money(value: float | None) -> str:
    """Money to the hundredth; nothing where it is not known."""
    return "" if value is None or value != value else f"{value:,.2f}"
