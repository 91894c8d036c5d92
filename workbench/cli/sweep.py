"""``workbench sweep``: a strategy file with many parameter sets over the same bars, as a table."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.backtest import cut, show_bars
from workbench.cli.failures import INTERRUPTED
from workbench.cli.options import (
    Base,
    Basis,
    CostsByName,
    DecisionsFrom,
    End,
    Many,
    Repair,
    SourcesAsForBacktest,
    Zone,
    check_order,
    cost_model,
    moment,
)
from workbench.cli.screen import busy, say, show_table, warn
from workbench.cli.sources import Reading, bars_of_strategy
from workbench.cli.tables import checked_path, write_table, write_text
from workbench.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from workbench.research.sweep import Sweep

commands = typer.Typer()

#: Columns of statistics that are shown beside the one that ranks, unless the sweep file lists others.
SHOWN = ("total_return_frac", "sharpe_ann", "max_drawdown_frac", "n_trades", "win_rate_frac")

_EXAMPLES = """\b
Examples:
  workbench sweep cross.toml --sweep sweep.toml --bars AAPL_1d.parquet --output table.parquet
  workbench sweep cross.toml --sweep sweep.toml --costs alpaca:2 --start 2005-01-01 --best best.toml
\b
A sweep file:
  rank_by = "sharpe_ann"        # "-volatility_ann": the lowest is best
  where = "fast < slow"
  sample = 500                  # of all sets; left out: all of them
\b
  [parameters]
  fast = [5, 10, 20]
  slow = { from = 50, to = 170, step = 5 }
  stop_loss_frac = ["off", 0.02, 0.05]
\b
Finished sets are kept: after Ctrl-C (exit code 130) the same command goes on where it was.
"""


@commands.command(cls=Many, epilog=_EXAMPLES)
def sweep(
    strategy: Annotated[pathlib.Path, typer.Argument(metavar="STRATEGY.toml", help="The strategy that is varied.")],
    plan: Annotated[
        pathlib.Path, typer.Option("--sweep", metavar="SWEEP.toml", help="What is varied and what ranks; see below.")
    ],
    bars: SourcesAsForBacktest = None,
    start: DecisionsFrom = None,
    end: End = None,
    timeframe: Base = None,
    cash: Annotated[float, typer.Option(metavar="MONEY", help="Initial cash, the sizing reference.")] = 1_000_000.0,
    costs: CostsByName = "none",
    output: Annotated[
        str | None, typer.Option(metavar="PATH", help="The whole table, best first, as .csv or .parquet.")
    ] = None,
    best: Annotated[
        pathlib.Path | None, typer.Option(metavar="PATH", help="The best set's strategy, as .toml.")
    ] = None,
    top: Annotated[int, typer.Option(min=0, help="Sets to show, the best ones.")] = 10,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads; one a processor if left out. The table does not depend on it.")
    ] = None,
    keep: Annotated[bool, typer.Option(help="Keep finished sets, and use those that are kept.")] = True,
    repair: Repair = None,
    basis: Basis = None,
    zone: Zone = None,
) -> None:
    """Run a strategy with many parameter sets and rank them.

    Each row of the table is the backtest of its set, to the last bit.
    """
    first, last = moment(start, "--start"), moment(end, "--end")
    check_order(first, last)
    target, model = None if output is None else checked_path(output), cost_model(costs)
    if best is not None and best.suffix.lower() != ".toml":
        raise ConfigError(f"--best {str(best)!r} becomes a strategy file. End it in .toml.")
    with busy("Reading the strategy"):
        from workbench.research.sweep import sweep as run
        from workbench.research.sweep.file import plan_of
        from workbench.strategy import Strategy

        varied, asked = Strategy.from_toml(strategy), plan_of(plan)
    reading = Reading(varied.calendar, timeframe, repair, basis, zone)
    loaded = bars_of_strategy(bars or [], varied.instruments, reading, varied.timeframe)
    data = {name: cut(one, last) for name, one in loaded.items()}
    given = {name: one.bars for name, one in data.items()}
    settings: Any = {**asked.settings, "initial_cash": cash, "costs": model, "start": first, "workers": workers}
    try:
        found = run(varied, given, asked.parameters, asked.rank_by, keep=keep, **settings)
    except KeyboardInterrupt as stop:
        raise typer.Exit(_interrupted(stop, keep)) from stop
    say(f"{varied.name} {varied.version}: {len(found):,} sets of {', '.join(found.parameters)}", "bold")
    show_bars(data)
    # Of a sample hardly any set has its neighbours in the table.
    table = whole_table(found, plateau="sample" not in asked.settings)
    listed = asked.settings.get("statistics")
    show_best(found, table, top, SHOWN if listed is None or isinstance(listed, str) else listed)
    if model.name == "none":
        warn("No charges and no slippage are in these figures; see --costs.")
    if len(found) > 1:
        warn(f"The first of {len(found):,} is the best and the luckiest: expect less of it on other bars.")
    save(found, table, target, best)


def save(found: Sweep, table: pd.DataFrame, target: pathlib.Path | None, best: pathlib.Path | None) -> None:
    """Write the table and the best strategy where they were asked for, and say where they are."""
    if target is not None:
        write_table(table, target)
        say(f"table: {len(table):,} rows in {target}")
    if best is not None:
        write_text(found.best.to_toml().rstrip() + "\n", best)
        say(f"best: {best}")


def _interrupted(stop: KeyboardInterrupt, keep: bool) -> int:
    """Say how far it came; the exit code of an interruption."""
    after = "the same command goes on from there." if keep else "they were not kept, because of --no-keep."
    warn(f"interrupted: {stop}; {after}" if str(stop) else "interrupted before the first set.")
    return INTERRUPTED


def whole_table(found: Sweep, plateau: bool) -> pd.DataFrame:
    """The table with the number of each set, its plateau score where asked for, and texts for what is no number."""
    table = found.table
    if plateau:
        scores = found.plateau()
        table[scores.name] = scores
    for name in found.parameters:
        if table[name].dtype == object:
            table[name] = [None if value is None else str(value) for value in table[name]]
    return table.reset_index()


def show_best(found: Sweep, table: pd.DataFrame, top: int, statistics: Any) -> None:
    """Show the first rows: number, parameters, the statistic that ranks, others, and the plateau score."""
    from workbench.research.wording import written

    ranked = found.rank_by.removeprefix("-")
    score = f"plateau_{ranked}"
    names = [ranked, *(name for name in statistics if name in table and name != ranked)]
    shown = table.head(top)
    columns = [shown["set"].map(str), *(shown[name].map(_value) for name in found.parameters)]
    columns += [shown[name].map(lambda value, name=name: written(name, value)) for name in names]
    headings = [">set", *(f">{name}" for name in found.parameters), *(f">{name}" for name in names)]
    if score in table:
        columns.append(shown[score].map(lambda value: written(ranked, value)))
        headings.append(">plateau")
    if top:
        show_table(f"Best by {found.rank_by}", headings, zip(*columns, strict=True))


def _value(value: Any) -> str:
    """A parameter's value; a field that is off is missing in a column of numbers."""
    if value is None or value != value:
        return "off"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
