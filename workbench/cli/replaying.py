"""``workbench replay``: prove from its journal alone that a deployment did what the engine does (rule P3)."""

from __future__ import annotations

import typer

from workbench.cli.databases import Database, Deployment, database_of
from workbench.cli.failures import REFUSED
from workbench.cli.screen import say, warn

commands = typer.Typer()

#: Differences that are shown; the first one is the one that matters.
_SHOWN = 5


@commands.command()
def replay(name: Deployment, database: Database = None) -> None:
    """Run a deployment's journal through the engine again; every decision, order, fill and sum must be the same.

    Needs nothing but the database: not the strategy's file, not the bars it was fed from. Ends with 1 at a difference.
    """
    from workbench.journal.store import Store
    from workbench.live.replay import find, replayed

    with Store.open(database_of(database)) as store, store.read() as connection:
        given = find(connection, name, "local")
        verdict = replayed(connection, given)
    if not verdict.rows:
        say(f"{given.name} has no journal yet: no runner has taken it on. There is nothing to replay.")
        return
    what = f"{verdict.rows:,} rows of the journal, {verdict.intervals:,} intervals"
    if not verdict.differences:
        say(f"{given.name}: the same to the last bit. {what}; hash chain unbroken.")
        return
    warn(f"{given.name}: not the same. {what}.")
    for text in verdict.differences[:_SHOWN]:
        warn(text)
    raise typer.Exit(REFUSED)
