"""``workbench pause``, ``resume``, ``stop``, ``kill``, ``arm``: what a person asks of the runner."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli.databases import Database, Deployment, Wait, Why, client_of, database_of, person, show_reply
from workbench.cli.options import one_of
from workbench.cli.screen import say, show_table, warn
from workbench.errors import ConfigError, WorkbenchError

commands = typer.Typer()

_LIMITS_EXAMPLES = """\b
Examples:
  workbench limits                              what is allowed, and what is used of it
  workbench limits orders_per_day 200
  workbench limits orders_per_day default
"""
_RESOLVE_EXAMPLES = """\b
  adopt      it takes the position over at its average price, without the market, and only exits
  flatten    whoever holds the position closes it at the next open; then this deployment goes on
  stay       it stays paused, and nothing is closed
Whoever gives a position away is paused.
"""
_KILL_EXAMPLES = """\b
Examples:
  workbench kill --why "fat finger"            everything
  workbench kill rsi-dip --why "bad bars"      one deployment
  workbench arm --why "bars are good again"
It works while the database is locked, and after every restart.
"""


@commands.command()
def pause(name: Deployment, why: Why = "", wait: Wait = 5.0, database: Database = None) -> None:
    """Stop evaluation and new orders of a deployment; stops, targets and the forced flatten stay."""
    with client_of(database) as client:
        show_reply(client.pause(name, why, wait))


@commands.command()
def resume(
    name: Deployment,
    why: Why = "",
    acknowledged: Annotated[
        bool, typer.Option("--acknowledged", help="I have looked at position and orders at the broker.")
    ] = False,
    wait: Wait = 5.0,
    database: Database = None,
) -> None:
    """Go on evaluating. Bars that passed meanwhile open nothing."""
    with client_of(database) as client:
        show_reply(client.resume(name, why, acknowledged, wait))


@commands.command()
def stop(
    name: Deployment,
    why: Why = "",
    keep: Annotated[bool, typer.Option("--keep", help="Keep its position, which nobody manages then.")] = False,
    cancel_protective: Annotated[
        bool, typer.Option("--cancel-protective", help="Also cancel its exits, stops and targets at the broker.")
    ] = False,
    wait: Wait = 5.0,
    database: Database = None,
) -> None:
    """End a deployment for good. Refused while it holds a position, unless that is kept."""
    with client_of(database) as client:
        show_reply(client.stop(name, why, keep, not cancel_protective, wait))


@commands.command()
def flatten(name: Deployment, why: Why = "", wait: Wait = 5.0, database: Database = None) -> None:
    """Close what a deployment holds at the next open, take its entries back, and pause it. Works while killed too."""
    with client_of(database) as client:
        show_reply(client.flatten(name, why, wait))


@commands.command(epilog=_RESOLVE_EXAMPLES)
def resolve(
    name: Deployment,
    choice: Annotated[str, typer.Argument(metavar="adopt|flatten|stay", help="What to do about the position.")],
    why: Why = "",
    wait: Wait = 5.0,
    database: Database = None,
) -> None:
    """Choose for a deployment that waits beside a position of the other direction."""
    one_of(choice, ("adopt", "flatten", "stay"), "CHOICE")
    with client_of(database) as client:
        show_reply(client.resolve(name, choice, why, wait))


@commands.command(epilog=_KILL_EXAMPLES)
def kill(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Of one deployment; left out, everything.")] = None,
    why: Why = "",
    flatten: Annotated[bool, typer.Option("--flatten", help="Close positions too, at the next open.")] = False,
    wait: Wait = 5.0,
    database: Database = None,
) -> None:
    """Stop evaluations and entries at once, until armed. Stops and forced flattening stay; so do positions."""
    from workbench.live.client import told_later
    from workbench.live.emergency import Hand, kill_and_flatten

    url = database_of(database)
    flag = Hand(url, "local", person()).kill(why, name or "")
    try:
        client = client_of(url)
    except WorkbenchError as error:
        show_reply(told_later(flag.words(), error))
        if flatten:
            warn("No position is being closed.")
        return
    with client:
        try:
            show_reply(kill_and_flatten(client, why, name, wait) if flatten else client.kill(why, name, wait))
        except ConfigError:
            flag.lift()
            raise


@commands.command(epilog=_LIMITS_EXAMPLES)
def limits(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which; left out, all of them are shown.")] = None,
    value: Annotated[str | None, typer.Argument(metavar="NUMBER|default", help="What is allowed from now on.")] = None,
    database: Database = None,
) -> None:
    """Show or set how much may be done: deployments, instruments in one, orders in a stretch of time."""
    with client_of(database) as client:
        if name is not None:
            client.set_limit(name, _allowed(value))
        rows = client.limits().to_dict("records")
    cells = [
        (row["name"], f"{row['allowed']:,}", f"{row['used']:,}" if isinstance(row["used"], int) else "", row["set_by"])
        for row in rows
    ]
    show_table("", ("limit", ">allowed", ">used now", "set by"), cells)
    say("Exits, stops, targets and cancels count, and are never blocked.", "dim")


def _allowed(text: str | None) -> float | None:
    """A limit as it is written."""
    if text is None:
        raise ConfigError("say how many: workbench limits orders_per_day 200, or default.")
    if text == "default":
        return None
    try:
        return float(text.replace(",", "").replace("_", ""))
    except ValueError:
        raise ConfigError(f"{text!r} is neither a whole number nor default.") from None


@commands.command()
def arm(
    why: Annotated[str, typer.Option(metavar="TEXT", help="The reason; it must be given.")],
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Of one deployment; left out, everything.")] = None,
    wait: Wait = 5.0,
    database: Database = None,
) -> None:
    """Lift what was killed: what runs is evaluated again."""
    with client_of(database) as client:
        show_reply(client.arm(why, name, wait))
