"""The command ``workbench``: its groups, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli import (
    about,
    backtest,
    calendars,
    checks,
    data,
    deploying,
    expressions,
    looking,
    operating,
    promoting,
    replaying,
    staged,
    sweep,
)
from workbench.cli.failures import DEBUG, Commands

_EPILOG = """\b
Examples:
  workbench demo                                                  everything once, on data that is there
  workbench data import RELIANCE_5m.csv --calendar NSE --zone Asia/Kolkata
  workbench backtest rsi-dip.toml --costs zerodha --output trades.csv
  workbench sweep rsi-dip.toml --sweep sweep.toml --output table.parquet
  workbench lookahead rsi-dip.toml --bars RELIANCE_5m.parquet     does it see the future?
  workbench evaluate "RSI(14)" --bars RELIANCE --tail 5
  workbench calendar show NSE 2024-11-01
  workbench promote rsi-dip.toml --bars bars/ --costs zerodha     six stages: may it be deployed?
  workbench deploy rsi-dip.toml --bars bars/ --costs zerodha      then: workbench run --feed folder:bars/
\b
Exit codes: 0 done; 1 unexpected failure, or refused by a check; 2 something given is wrong; 130 interrupted;
3 another runner has taken over.
Files are kept in ./.workbench, or where WORKBENCH_HOME says.
"""

app = typer.Typer(
    name="workbench",
    cls=Commands,
    no_args_is_help=True,
    # Plain help: rich's takes longer to import than everything else together.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=_EPILOG,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        about.version()
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    debug: Annotated[bool, typer.Option(DEBUG, help="Show where a failure came from; may stand anywhere.")] = False,
) -> None:
    """Research strategies and trade them on paper: what was researched is what trades."""


app.add_typer(backtest.commands)
app.add_typer(sweep.commands)
app.add_typer(staged.commands)
app.add_typer(checks.commands)
app.add_typer(promoting.commands)
app.add_typer(expressions.commands)
app.add_typer(deploying.commands)
app.add_typer(looking.commands)
app.add_typer(operating.commands)
app.add_typer(replaying.commands)
app.add_typer(data.commands, name="data")
app.add_typer(calendars.commands, name="calendar")
app.add_typer(about.commands)
