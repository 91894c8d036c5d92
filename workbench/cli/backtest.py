"""``workbench backtest``: a strategy file over bars, shown as a table."""

from __future__ import annotations

import pathlib
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.options import Base, Basis, DecisionsFrom, End, Many, Repair, Zone, check_order, cost_model, moment
from workbench.cli.screen import busy, plain, say, show_table, warn
from workbench.cli.sources import Loaded, Reading, bars_of_strategy
from workbench.cli.tables import Outputs, outputs, table_of, write_table
from workbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    from workbench.research.result import Result

commands = typer.Typer()

#: Statistics of rule R3 that are not shown; all of them are in ``--output stats=FILE``.
LEFT_OUT = frozenset(
    "best_session_frac worst_session_frac longest_drawdown_sessions var_95_frac es_95_frac n_fills avg_win avg_loss "
    "best_trade_frac worst_trade_frac max_losses_in_a_row".split()
)
SHOWN_INSTRUMENTS = 12
SHOWN_NOTES = 10

_EXAMPLES = """\b
Examples:
  workbench backtest rsi-dip.toml --bars RELIANCE_5m.parquet --costs zerodha
  workbench backtest rsi-dip.toml --start 2024-01-01 --end 2024-12-31 --output trades.csv
  workbench backtest thirty.toml --bars bars/ --timeframe 15m --output results/ --format parquet
  workbench backtest pair.toml --bars NSE:INFY=a.csv --bars NSE:TCS=b.csv --report report/
"""


@commands.command(cls=Many, epilog=_EXAMPLES)
def backtest(
    strategy: Annotated[pathlib.Path, typer.Argument(metavar="STRATEGY.toml", help="The strategy.")],
    bars: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE...",
            help="A file (CSV, Parquet), a folder of files SYMBOL_TIMEFRAME.parquet, or a symbol of the store; "
            "INSTRUMENT=SOURCE for one of several. Left out: the store, by symbol.",
        ),
    ] = None,
    start: DecisionsFrom = None,
    end: End = None,
    timeframe: Base = None,
    cash: Annotated[float, typer.Option(metavar="MONEY", help="Initial cash, the sizing reference.")] = 1_000_000.0,
    costs: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help="none, bps:COMMISSION,SLIPPAGE, zerodha, alpaca or oanda; in basis points. zerodha:5 has a slippage.",
        ),
    ] = "none",
    output: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="Trades to a .csv or .parquet; TABLE=PATH for fills, orders, decisions, equity, notes, stats; "
            "a folder for all of them.",
        ),
    ] = None,
    table_format: Annotated[
        str, typer.Option("--format", metavar="csv|parquet", help="Of the tables in an --output folder.")
    ] = "csv",
    report: Annotated[
        pathlib.Path | None, typer.Option(metavar="FOLDER", help="Write an HTML report into this folder.")
    ] = None,
    repair: Repair = None,
    basis: Basis = None,
    zone: Zone = None,
) -> None:
    """Run a strategy over bars and show what came of it."""
    first, last = moment(start, "--start"), moment(end, "--end")
    check_order(first, last)
    wanted, model = outputs(output or [], table_format), cost_model(costs)
    with busy("Reading the strategy"):
        from workbench.strategy import Strategy

        traded = Strategy.from_toml(strategy)
        from workbench.research.backtest import backtest as run
    reading = Reading(traded.calendar, timeframe, repair, basis, zone)
    loaded = bars_of_strategy(bars or [], traded.instruments, reading, traded.timeframe)
    data = {name: cut(one, last) for name, one in loaded.items()}
    with busy("Running"):
        result = run(traded, {name: one.bars for name, one in data.items()}, cash, model, first)
    show(result, data)
    save(result, wanted, report)


def cut(loaded: Loaded, end: Any) -> Loaded:
    """Bars through ``end``; those that were dropped when the file was read stay counted."""
    if end is None:
        return loaded
    try:
        part = loaded.bars.between(None, end)
    except DataError as error:
        begin = loaded.bars.index[0]
        raise DataError(f"{loaded.source}: there are no bars up to --end {end}; they begin {begin}.") from error
    part.report = loaded.bars.report
    return Loaded(part, loaded.source)


def show(result: Result, data: dict[str, Loaded]) -> None:
    """Show what was traded, on what, the key statistics, decisions, notes and the hash."""
    strategy = result.strategy
    base = next(iter(data.values())).bars.timeframe
    say(f"{strategy.name} {strategy.version}", "bold")
    say(
        f"{strategy.direction} {strategy.product} on {strategy.calendar}; {strategy.execution}; decides on "
        f"{strategy.timeframe} bars, runs on {base} bars; costs {result.costs.name}"
    )
    show_bars(data)
    show_statistics(result)
    counts = Counter(result.decisions["decision"].astype(str))
    show_table("Decisions", ("decision", ">bars"), [(name, f"{n:,}") for name, n in counts.most_common()])
    show_notes(result)
    say(f"hash {result.hash}")
    if result.costs.name == "none":
        warn("No charges and no slippage are in these figures; see --costs.")


def show_statistics(result: Result) -> None:
    """Show the key statistics in words, with the names under which ``stats`` holds them."""
    from workbench.research.wording import WORDINGS, written

    names = [name for name in WORDINGS if name in result.stats and name not in LEFT_OUT]
    rows = [(WORDINGS[name].title, written(name, result.stats[name]), plain(name, "dim")) for name in names]
    show_table("Statistics", ("", ">value", "stats[...]"), rows)


def show_bars(data: dict[str, Loaded]) -> None:
    """Show what the strategy ran on, the first instruments of many."""
    rows: list[tuple[Any, ...]] = []
    for name, one in list(data.items())[:SHOWN_INSTRUMENTS]:
        dates = one.bars.grid.sessions.date
        days = [str(dates[at].astype("datetime64[D]")) for at in (0, -1)]
        rows.append((name, f"{len(one.bars):,}", *days, f"{one.bars.gaps:,}", f"{len(one.bars.report):,}", one.source))
    show_table("Bars", ("instrument", ">bars", "from", "to", ">gaps", ">repaired", "source"), rows)
    if len(data) > SHOWN_INSTRUMENTS:
        say(f"and {len(data) - SHOWN_INSTRUMENTS} instruments more")
    for said in sorted({note for one in data.values() for note in one.bars.notes}):
        warn(f"bars: {said}")


def show_notes(result: Result) -> None:
    """Show the first notes of a result and how many more there are."""
    notes = result.notes
    if not len(notes):
        return
    first = notes.head(SHOWN_NOTES)
    rows = zip(first["ts"].dt.strftime("%Y-%m-%d %H:%M UTC"), first["instrument"], first["note"], strict=True)
    show_table("Notes", ("ts", "instrument", "~note"), rows)
    if len(notes) > SHOWN_NOTES:
        say(f"and {len(notes) - SHOWN_NOTES:,} notes more: --output notes=notes.csv")


def save(result: Result, wanted: Outputs, report: pathlib.Path | None) -> None:
    """Write the tables and the report that were asked for, and say where they are."""
    for name, path in wanted:
        frame = table_of(result, name)
        with busy(f"Writing {path}"):
            write_table(frame, path)
        say(f"{name}: {len(frame):,} rows in {path}")
    if report is not None:
        with busy("Writing the report"):
            try:
                report.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigError(f"--report {report}: cannot be made a folder: {error.strerror}.") from error
            written = result.report(str(report))
        say(f"report: {written if written is not None else report}")
