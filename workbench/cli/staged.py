"""``workbench staged``: parameters locked stage by stage in sample, and one run out of sample."""

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
from workbench.errors import ConfigError

if TYPE_CHECKING:
    from workbench.research.staged_search import StagedSearch

commands = typer.Typer()

#: Statistics of both parts that are shown beside the one that ranks.
SHOWN = ("total_return_frac", "sharpe_ann", "max_drawdown_frac", "n_trades", "win_rate_frac", "charges")

_EXAMPLES = """\b
Example:
  workbench staged votes.toml --stages stages.toml --costs oanda --output locked.toml
\b
A file of stages, in the order in which they are locked:
  rank_by = "sharpe_ann"
  in_sample_frac = 0.7
  choose = "best"               # "plateau": whose worst neighbour is best
  where = "fast < slow"
\b
  [[stages]]
  name = "threshold"
  parameters = { threshold = [1, 2, 3] }
\b
  [[stages]]
  name = "weights"              # values that belong together
  sets = [{ w_trend = 1, w_strength = 2 }, { w_trend = 2, w_strength = 1 }]
\b
Finished sets are kept: after Ctrl-C (exit code 130) the same command goes on where it was.
"""


@commands.command(cls=Many, epilog=_EXAMPLES)
def staged(
    strategy: Annotated[pathlib.Path, typer.Argument(metavar="STRATEGY.toml", help="Where the search begins.")],
    stages: Annotated[
        pathlib.Path, typer.Option(metavar="STAGES.toml", help="What each stage tries and what ranks; see below.")
    ],
    bars: SourcesAsForBacktest = None,
    start: DecisionsFrom = None,
    end: End = None,
    timeframe: Base = None,
    cash: Annotated[float, typer.Option(metavar="MONEY", help="Initial cash of both parts.")] = 1_000_000.0,
    costs: CostsByName = "none",
    output: Annotated[
        pathlib.Path | None, typer.Option(metavar="PATH", help="The locked strategy with its provenance, as .toml.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads; one a processor if left out.")] = None,
    keep: Annotated[bool, typer.Option(help="Keep finished sets, and a record of what ran out of sample.")] = True,
    repair: Repair = None,
    basis: Basis = None,
    zone: Zone = None,
) -> None:
    """Lock parameters stage by stage in sample, and run the winner once out of sample.

    No stage sees a bar of the last part.
    """
    first, last = moment(start, "--start"), moment(end, "--end")
    check_order(first, last)
    model = cost_model(costs)
    if output is not None and output.suffix.lower() != ".toml":
        raise ConfigError(f"--output {str(output)!r} becomes a strategy file. End it in .toml.")
    with busy("Reading the strategy"):
        from workbench.research.staged_search import staged_search
        from workbench.research.staged_search.file import stages_of
        from workbench.strategy import Strategy

        given, plan = Strategy.from_toml(strategy), stages_of(stages)
    reading = Reading(given.calendar, timeframe, repair, basis, zone)
    loaded = bars_of_strategy(bars or [], given.instruments, reading, given.timeframe)
    data = {name: cut(one, last) for name, one in loaded.items()}
    settings: Any = {**plan.settings, "initial_cash": cash, "costs": model, "start": first, "workers": workers}
    try:
        found = staged_search(given, {name: one.bars for name, one in data.items()}, plan.stages, keep=keep, **settings)
    except KeyboardInterrupt as stop:
        after = "the same command goes on from there" if keep else "they were not kept, because of --no-keep"
        warn(f"interrupted in a stage: {stop}; {after}." if str(stop) else "interrupted before the first set.")
        raise typer.Exit(INTERRUPTED) from stop
    say(repr(found).removeprefix("StagedSearch(").removesuffix(")"), "bold")
    show_bars(data)
    show(found)
    if model.name == "none":
        warn("No charges and no slippage are in these figures; see --costs.")
    if output is not None:
        found.to_toml(output)
        say(f"locked: {output}")


def show(found: StagedSearch) -> None:
    """Show the stages, both parts side by side, and what is to be said."""
    from workbench.research.wording import wording_of, written

    name = found.rank_by.removeprefix("-")
    rows = [
        (stage.name, f"{len(stage):,}", f"{stage.n_distinct:,}", written(name, stage.score), _chosen(stage.chosen))
        for stage in found.stages
    ]
    show_table(f"Stages by {found.rank_by}, in sample", ["stage", ">sets", ">different", f">{name}", "locked"], rows)
    parts = (found.in_sample, found.out_of_sample)
    figures = [
        (wording_of(one).title, *(written(one, part.stats[one]) for part in parts))
        for one in dict.fromkeys((name, *SHOWN))
    ]
    split = found.split
    heads = [
        f">in sample to {split.in_sample_end:%Y-%m-%d}", f">out of sample to {split.out_of_sample_end:%Y-%m-%d}"
    ]  # fmt: skip
    show_table("The locked strategy", ["", *heads], figures)
    for sentence in found.words:
        say(sentence, "bold" if sentence == found.verdict else "")


def _chosen(values: Any) -> str:
    return ", ".join(f"{name}={'off' if value is None else value}" for name, value in values.items())
