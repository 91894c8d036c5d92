"""``workbench pause``, ``resume``, ``stop``, ``kill``, ``arm``: what a person asks of the runner."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli.databases import Database, Deployment, Wait, Why, client_of, database_of, person, show_reply
from workbench.cli.screen import say, warn
from workbench.errors import ConfigError, WorkbenchError

commands = typer.Typer()

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


@commands.command(epilog=_KILL_EXAMPLES)
def kill(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Of one deployment; left out, everything.")] = None,
    why: Why = "",
    wait: Wait = 5.0,
    database: Database = None,
) -> None:
    """Stop evaluations and entries at once, until armed. Stops and forced flattening stay, positions are not closed."""
    from workbench.live.killswitch import Kill, KillSwitch, down_words
    from workbench.live.places import places_of_url
    from workbench.live.wall import WallClock

    url = database_of(database)
    switch = KillSwitch(places_of_url(url).flag)
    mine = Kill("local", name or "", person(), why, WallClock().now_ns())
    # Before the database is asked for anything: it may be locked, or away.
    in_force = switch.kill(mine)
    try:
        client = client_of(url)
    except WorkbenchError as error:
        say(down_words(in_force, switch.settled()))
        warn(f"The journals will be told when the database can be used: {error}")
        return
    with client:
        try:
            show_reply(client.kill(why, name, wait))
        except ConfigError:
            if in_force is mine:
                switch.arm(mine.owner, mine.name, mine.when_ns)
            raise


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
