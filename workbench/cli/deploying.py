"""``workbench deploy`` and ``workbench run``: a strategy becomes a deployment, and the process that runs it."""

from __future__ import annotations

import pathlib
from typing import Annotated

import typer

from workbench.cli.databases import Database, client_of, database_of
from workbench.cli.options import Base, Basis, Many, Repair, Zone, cost_model, moment, one_of
from workbench.cli.screen import busy, say, warn
from workbench.cli.sources import Reading, bars_of_strategy
from workbench.errors import ConfigError

commands = typer.Typer()

#: How a start with the last bar there is reads.
_NOW = "at once"

_DEPLOY_EXAMPLES = """\b
Examples:
  workbench deploy rsi-dip.toml --bars RELIANCE_5m.parquet --costs zerodha --cash 1000000
  workbench deploy rsi-dip.toml --bars bars/ --costs bps:10,5 --start 2024-03-01 --name march
Nothing is traded until a runner runs: workbench run.
"""
_RUN_EXAMPLES = """\b
Examples:
  workbench run --feed folder:bars/                                    by the wall's clock, until Ctrl-C or SIGTERM
  workbench run --replay-from 2024-03-01 --bars bars/ --speed max      stored bars in virtual time
\b
Exit codes: 0 ended as asked, or at the end of stored bars; 2 a person must look; 3 another runner has taken over.
"""


@commands.command(cls=Many, epilog=_DEPLOY_EXAMPLES)
def deploy(
    strategy: Annotated[pathlib.Path, typer.Argument(metavar="STRATEGY.toml", help="The strategy.")],
    bars: Annotated[
        list[str] | None,
        typer.Option(metavar="SOURCE...", help="Bars so far, as for backtest: files, a folder, symbols of the store."),
    ] = None,
    costs: Annotated[
        str, typer.Option(metavar="MODEL", help="none, bps:COMMISSION,SLIPPAGE, zerodha, alpaca or oanda.")
    ] = "none",
    cash: Annotated[float, typer.Option(metavar="MONEY", help="Initial cash, the sizing reference.")] = 1_000_000.0,
    start: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Where decisions begin; left out, where the bars end."),
    ] = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="Of the deployment; else the strategy's.")] = "",
    acknowledge_short: Annotated[
        bool, typer.Option("--acknowledge-short", help="I know that a short can lose without bound.")
    ] = False,
    enter_at_once: Annotated[
        bool, typer.Option("--enter-at-once", help="Enter at the next open if the entry is true at the last bar.")
    ] = False,
    confirm_entry: Annotated[bool, typer.Option("--confirm-entry", help="Yes, enter at once.")] = False,
    mode: Annotated[str, typer.Option(metavar="paper", help="How it trades.")] = "paper",
    timeframe: Base = None,
    repair: Repair = None,
    basis: Basis = None,
    zone: Zone = None,
    database: Database = None,
) -> None:
    """Hand a strategy to the runner. Deploying trades nothing by itself."""
    one_of(mode, ("paper",), "--mode")
    if enter_at_once and start is not None:
        raise ConfigError("--enter-at-once begins with the last bar there is; leave --start out.")
    since, model = _NOW if enter_at_once else moment(start, "--start"), cost_model(costs)
    said = [word for word, is_said in (("short", acknowledge_short), ("at_once", confirm_entry)) if is_said]
    with busy("Reading the strategy"):
        from workbench.strategy import Strategy

        traded = Strategy.from_toml(strategy)
    reading = Reading(traded.calendar, timeframe, repair, basis, zone)
    loaded = bars_of_strategy(bars or [], traded.instruments, reading, traded.timeframe)
    history = {one: found.bars for one, found in loaded.items()}
    with client_of(database) as client:
        client.deploy(traded, history, model, cash, since, name, said)
        status = client.status(name or traded.name)
    say(f"deployed {status['name']}: {traded.name} {traded.version} on {', '.join(traded.instruments)}", "bold")
    say(f"paper, cash {cash:,.2f}, costs {model.name}; decisions begin {status['begins']:%Y-%m-%d %H:%M}Z")
    say(f"warm-up: {status['warm_up']['text']}")
    for text in status["warnings"]:
        warn(text)
    if model.name == "none":
        warn("No charges and no slippage will be in its fills; see --costs.")
    if not status["runner"]:
        warn("No runner is running: it is taken on when one starts. Start one: workbench run --feed folder:PATH.")


@commands.command(cls=Many, epilog=_RUN_EXAMPLES)
def run(
    feed: Annotated[
        str | None, typer.Option(metavar="folder:PATH", help="Files SYMBOL_TIMEFRAME that something else writes.")
    ] = None,
    replay_from: Annotated[
        str | None, typer.Option(metavar="DATE", help="Stored bars from this date on, in virtual time.")
    ] = None,
    bars: Annotated[
        list[str] | None,
        typer.Option(metavar="SOURCE...", help="Stored bars: files, folders, INSTRUMENT=FILE; left out, the store."),
    ] = None,
    speed: Annotated[str, typer.Option(metavar="max|60", help="Of virtual time: virtual seconds a second.")] = "max",
    zone: Zone = None,
    database: Database = None,
) -> None:
    """Run what is deployed, in this process, until it is asked to end. One process runs a database; others wait."""
    since = moment(replay_from, "--replay-from")
    from workbench.live.launch import Launch
    from workbench.live.process import serve
    from workbench.live.wall import Ending, written_time

    def tell(text: str) -> None:
        # A reader that is gone does not end a runner.
        try:
            say(f"{written_time()} {text}")
        except (OSError, ValueError):
            return

    launch = Launch(database_of(database), feed, since, bars or (), speed, zone)
    with Ending() as ending:
        code = serve(launch.service(tell, ending))
    if code:
        raise typer.Exit(int(code))
