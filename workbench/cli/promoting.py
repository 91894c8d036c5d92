"""``workbench promote``: six stages, from a strategy file to a verdict, without a Jupyter server."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from workbench.cli.backtest import cut, show_bars
from workbench.cli.failures import REFUSED
from workbench.cli.options import (
    Base,
    Basis,
    End,
    Many,
    Repair,
    SourcesAsForBacktest,
    Zone,
    cost_model,
    moment,
)
from workbench.cli.screen import busy, errors, plain, say, warn
from workbench.cli.sources import Loaded, Reading, bars_of_strategy
from workbench.errors import ConfigError
from workbench.market.home import unreadable

if TYPE_CHECKING:
    from workbench.promotion import Verdict

commands = typer.Typer()

#: Longest that a file with a function may take to load, s.
LOAD_S = 60.0

_EXAMPLES = """\b
Examples:
  workbench promote rsi-dip.toml --bars RELIANCE_5m.parquet --costs zerodha
  workbench promote rsi-dip.toml --bars bars/ --settings trend --all
  workbench promote dip.py --bars bars/                          a function; it runs in a process of its own
  workbench promote rsi-dip.toml --bars bars/ --settings promotion.toml --junit promotion.xml --ci
\b
Exit codes: 0 passed; 1 not passed; 2 something given is wrong. What was run before on the same strategy, data, costs
and settings is answered from then, unless --again.
"""


@commands.command(cls=Many, epilog=_EXAMPLES)
def promote(
    strategy: Annotated[pathlib.Path, typer.Argument(metavar="STRATEGY", help=".toml, or .py with @wb.signals.")],
    bars: SourcesAsForBacktest = None,
    end: End = None,
    timeframe: Base = None,
    cash: Annotated[float, typer.Option(metavar="MONEY", help="Initial cash.")] = 1_000_000.0,
    costs: Annotated[
        str | None, typer.Option(metavar="NAME", help="As for backtest; a usual broker of the exchange if left out.")
    ] = None,
    settings: Annotated[
        str | None, typer.Option(metavar="STYLE|FILE.toml", help="Thresholds: a style, or a file of them.")
    ] = None,
    tests: Annotated[list[pathlib.Path] | None, typer.Option(metavar="PATH...", help="Your own tests, pytest.")] = None,
    folder: Annotated[pathlib.Path | None, typer.Option(metavar="FOLDER", help="Of the run.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Go on after a stage that fails.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Run what was answered before, too.")] = False,
    junit: Annotated[pathlib.Path | None, typer.Option(metavar="FILE.xml", help="JUnit XML of every check.")] = None,
    ci: Annotated[bool, typer.Option("--ci", help="Say lines for a log, nothing that moves.")] = False,
    repair: Repair = None,
    basis: Basis = None,
    zone: Zone = None,
) -> None:
    """Put a strategy through six stages: syntax, unit tests, backtest, paper trading, risk, performance.

    Each is an executed notebook in the folder of the run, beside a report that sums them up.
    """
    last = moment(end, "--end")
    model = None if costs is None else cost_model(costs)
    with busy("Reading the strategy"):
        from workbench.promotion import promote as promoted

        wanted = _wanted(strategy)
    data: dict[str, Loaded] = {}
    if wanted is not None:  # of what is no strategy nobody knows the bars, and stage 1 needs none to say so
        reading = Reading(wanted.calendar, timeframe, repair, basis, zone)
        loaded = bars_of_strategy(bars or [], wanted.instruments, reading, wanted.timeframe)
        data = {name: cut(one, last) for name, one in loaded.items()}
        show_bars(data)
    verdict = promoted(
        strategy, {name: one.bars for name, one in data.items()}, costs=model, initial_cash=cash, settings=settings,
        tests=[str(one) for one in tests or ()], folder=folder, every_stage=every, again=again,
        say=None if ci else lambda line: errors().print(plain(line), soft_wrap=True),
    )  # fmt: skip
    show(verdict)
    if junit is not None:
        from workbench.promotion.junit import write_junit

        write_junit(verdict, junit)
    if not verdict.passed:
        raise typer.Exit(REFUSED)


class _Wanted(NamedTuple):
    """Which bars a strategy is about."""

    instruments: tuple[str, ...]
    calendar: str
    timeframe: str


def _wanted(path: pathlib.Path) -> _Wanted | None:
    """Of a strategy's file; None where it is none, which is for stage 1 to say."""
    from workbench.strategy import Strategy

    if not path.is_file():
        raise ConfigError(f"{path}: {unreadable(path, FileNotFoundError())}.")
    if path.suffix == ".py":
        return _wanted_by_function(path)
    try:
        found = Strategy.from_toml(path)
    except ConfigError:
        return None
    return _Wanted(found.instruments, found.calendar, found.timeframe)


def _wanted_by_function(path: pathlib.Path) -> _Wanted | None:
    """Of a file with a function, which its own process reads."""
    from workbench.promotion.sandbox import Broke, Caller

    try:
        with Caller("python", path.read_bytes(), LOAD_S) as caller:
            fields = caller.fields
    except Broke:
        return None
    missing = [name for name in _Wanted._fields if name not in fields]
    if missing:
        raise ConfigError(
            f"{path}: @wb.signals does not say {' and '.join(missing)}, so nobody knows which bars to read. Write "
            f"@wb.signals({missing[0]}=...)."
        )
    return _Wanted(tuple(fields["instruments"]), str(fields["calendar"]), str(fields["timeframe"]))


def show(verdict: Verdict) -> None:
    """Each stage in a line or, where it failed, with what failed; then where the report is."""
    for one in verdict.stages:
        text = f"{one.listed.number} {one.listed.title}: {one.words}"
        say(text) if one.passed else warn(text)
    say(verdict.words, "bold")
    say(f"report: {verdict.report}")
