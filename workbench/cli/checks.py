"""``workbench lookahead`` and ``workbench warmup``: whether a strategy sees the future, and how much past it needs."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from workbench.cli.backtest import cut, show_bars
from workbench.cli.failures import REFUSED
from workbench.cli.options import End, Many, Repair, Zone, moment
from workbench.cli.screen import busy, say, show_table
from workbench.cli.sources import Reading, bars_of_strategy
from workbench.errors import ConfigError

if TYPE_CHECKING:
    from workbench.market.bars import Bars

commands = typer.Typer()

SHOWN_DIFFERENCES = 10

_LOOKAHEAD_EXAMPLES = """\b
Examples:
  workbench lookahead rsi-dip.toml --bars RELIANCE_5m.parquet
  workbench lookahead rsi-dip.toml --bars RELIANCE --cuts all
\b
Exit code 1: it has not passed. A function in Python is checked by wb.lookahead_check.
"""
_WARMUP_EXAMPLES = """\b
Examples:
  workbench warmup rsi-dip.toml --bars RELIANCE_5m.parquet
\b
Exit code 1: the data are too short to say.
"""

StrategyFile = Annotated[pathlib.Path, typer.Argument(metavar="STRATEGY.toml", help="The strategy.")]
Sources = Annotated[
    list[str] | None, typer.Option(metavar="SOURCE...", help="Files, a folder or symbols, as for backtest.")
]
Base = Annotated[
    str | None,
    typer.Option("--timeframe", "--base", metavar="5m", help="Of the base bars, where the file's name is silent."),
]


@commands.command(cls=Many, epilog=_LOOKAHEAD_EXAMPLES)
def lookahead(
    strategy: StrategyFile,
    bars: Sources = None,
    end: End = None,
    timeframe: Base = None,
    cuts: Annotated[
        str | None,
        typer.Option(metavar="N|all", help="At how many bars to cut the data off; left out: all up to 4,000."),
    ] = None,
    repair: Repair = None,
    zone: Zone = None,
) -> None:
    """Check that no decision depends on bars that come later.

    At every bar what the expressions say of the bars so far is compared with what they say of them in the whole data,
    and other futures are tried.
    """
    most = _count(cuts)
    with busy("Checking"):
        checked, data = _given(strategy, bars, end, Reading(None, timeframe, repair, None, zone))
        from workbench.research.lookahead import lookahead_check

        answer = lookahead_check(checked, data, most)
    say(repr(answer))
    if len(answer.differences):
        rows = answer.differences.head(SHOWN_DIFFERENCES).astype(str).to_numpy().tolist()
        show_table("First differences", tuple(answer.differences.columns), rows)
    if not answer.passed:
        raise typer.Exit(REFUSED)


@commands.command(cls=Many, epilog=_WARMUP_EXAMPLES)
def warmup(
    strategy: StrategyFile,
    bars: Sources = None,
    end: End = None,
    timeframe: Base = None,
    repair: Repair = None,
    zone: Zone = None,
) -> None:
    """Find the smallest history after which decisions no longer change."""
    with busy("Checking"):
        checked, data = _given(strategy, bars, end, Reading(None, timeframe, repair, None, zone))
        from workbench.research.warmup import warmup_check

        answer = warmup_check(checked, data)
    say(repr(answer))
    if not answer.passed:
        raise typer.Exit(REFUSED)


def _count(cuts: str | None) -> int | Literal["all"] | None:
    if cuts is None:
        return None
    if cuts.strip().lower() == "all":
        return "all"
    if not cuts.strip().isdecimal() or int(cuts) < 1:
        raise ConfigError(f"--cuts {cuts!r} is a count from 1 on, or all.")
    return int(cuts)


def _given(path: pathlib.Path, sources: list[str] | None, end: str | None, how: Reading) -> tuple[Any, dict[str, Bars]]:
    """The strategy of a file, and its bars, which are shown."""
    from workbench.strategy import Strategy

    checked, last = Strategy.from_toml(path), moment(end, "--end")
    reading = Reading(checked.calendar, how.timeframe, how.repair, None, how.zone)
    loaded = bars_of_strategy(sources or [], checked.instruments, reading, checked.timeframe)
    data = {name: cut(one, last) for name, one in loaded.items()}
    show_bars(data)
    return checked, {name: one.bars for name, one in data.items()}
