"""``workbench evaluate`` and ``workbench indicators``: the expression language at the command line."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.options import EXCHANGE_CALENDAR, End, Repair, Zone, check_order, moment, parameters
from workbench.cli.screen import busy, say, show_table
from workbench.cli.sources import Reading, bars_of_one
from workbench.cli.tables import checked_path, write_table
from workbench.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from workbench.indicators.signature import Function, Overload

commands = typer.Typer()

_EVALUATE_EXAMPLES = """\b
Examples:
  workbench evaluate "RSI(14)" --bars RELIANCE_5m.parquet --calendar NSE --timeframe 15m
  workbench evaluate "close > SMA($n, '1h')" --bars RELIANCE --param n=50 --output signal.csv
"""
_INDICATORS_EXAMPLES = """\b
Examples:
  workbench indicators
  workbench indicators RSI
"""


@commands.command(epilog=_EVALUATE_EXAMPLES)
def evaluate(
    expression: Annotated[str, typer.Argument(metavar="EXPRESSION", help="A number or a condition.")],
    bars: Annotated[str, typer.Option(metavar="SOURCE", help="A file (CSV, Parquet) or a symbol of the store.")],
    timeframe: Annotated[
        str | None, typer.Option(metavar="15m", help="To evaluate on; the bars' own if left out.")
    ] = None,
    base: Annotated[
        str | None, typer.Option(metavar="5m", help="Of the bars, where the file's name is silent.")
    ] = None,
    calendar: Annotated[str | None, typer.Option(metavar="NAME", help=EXCHANGE_CALENDAR)] = None,
    param: Annotated[list[str] | None, typer.Option(metavar="NAME=NUMBER", help="Value of $NAME.")] = None,
    start: Annotated[str | None, typer.Option(metavar="DATE", help="First session shown.")] = None,
    end: End = None,
    tail: Annotated[int, typer.Option(min=0, help="Rows to show, the last ones.")] = 20,
    output: Annotated[str | None, typer.Option(metavar="PATH", help="All values, as .csv or .parquet.")] = None,
    repair: Repair = None,
    zone: Zone = None,
) -> None:
    """Evaluate an expression at every bar.

    A condition is 1 where true and 0 where false; a value that is missing is shown as such.
    """
    target = None if output is None else checked_path(output)
    values_of, first, last = parameters(param or []), moment(start, "--start"), moment(end, "--end")
    check_order(first, last)
    with busy("Evaluating"):
        from workbench.research.evaluate import evaluate as run

        loaded = bars_of_one(bars, Reading(calendar, base, repair, None, zone), timeframe)
        data = loaded.bars if last is None else loaded.bars.between(None, last)
        values = run(expression, data, values_of, timeframe)
        if first is not None:
            values = values[values.index >= data.between(first, None).index[0]]
    shown = values.tail(tail)
    if len(shown):
        say(f"{expression}   {loaded.source}, {data.calendar.name}, {data.timeframe} bars", "bold")
        daily = not (values.index.asi8 % 86_400_000_000_000).any()  # type: ignore[attr-defined]
        _show_values(shown, data.calendar.zone, daily)
    n_missing = int(values.isna().sum())
    say(f"{len(values):,} values, {n_missing:,} missing")
    if target is not None:
        write_table(values.rename("value").reset_index(), target)
        say(f"values: {len(values):,} rows in {target}")


def _show_values(values: pd.Series[float], zone: str, daily: bool) -> None:
    """The opening instants in the exchange's zone with UTC beside, and the values."""
    index: Any = values.index
    texts = ["missing" if value != value else f"{value:.10g}" for value in values]
    if daily:
        show_table("", ("session", ">value"), zip(index.strftime("%Y-%m-%d"), texts, strict=True))
        return
    local, utc = index.tz_convert(zone).strftime("%Y-%m-%d %H:%M"), index.strftime("%Y-%m-%d %H:%MZ")
    show_table("", (f"bar opens ({zone})", "UTC", ">value"), zip(local, utc, texts, strict=True))


@commands.command(epilog=_INDICATORS_EXAMPLES)
def indicators(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One function, with its formula.")] = None,
) -> None:
    """List the functions and series an expression may use."""
    with busy("Reading the registry"):
        from workbench.indicators import registry
    if name is not None:
        _show_function(name)
        return
    groups: dict[str, list[Function]] = {}
    for function in registry.FUNCTIONS:
        groups.setdefault(function.group, []).append(function)
    for group, members in groups.items():
        rows = [(_ways(one), one.doc, ", ".join(one.aliases)) for one in members]
        show_table(group, ("function", "~", "~also"), rows)
    rows = [(one.name, one.doc, ", ".join(one.aliases)) for one in registry.SERIES]
    show_table("Series", ("series", "~", "~also"), rows)
    say("x is a series or any number, close where left out; n, k, f, s, g, d are constants; a timeframe may come last:")
    say('RSI(14), SMA(volume, 20), EMA(close, 50, "1h"), close("1d")')


def _ways(function: Function) -> str:
    return " or ".join(_call(function.name, way) for way in function.overloads)


def _call(name: str, way: Overload) -> str:
    return f"{name}({', '.join(argument.name for argument in way.arguments)})"


def _show_function(name: str) -> None:
    """Everything the registry says of one function or series."""
    from workbench.indicators import registry

    one = registry.function(name)
    if one is None:
        single = registry.series(name)
        if single is None:
            near = difflib.get_close_matches(name.upper(), [known.upper() for known in registry.names()], n=1)
            hint = f" Did you mean {near[0]}?" if near else " See them all: workbench indicators."
            raise ConfigError(f"{name!r} is no function or series.{hint}")
        say(single.name, "bold")
        say(single.doc)
        return
    say(_ways(one), "bold")
    say(one.doc)
    rows: list[tuple[str, str]] = []
    for way in one.overloads:
        call = _call(one.name, way)
        rows += [(f"{call}", way.formula), ("first value at index", way.first_text)]
        rows += [(f"  {argument.name}", _meaning(argument)) for argument in way.arguments]
    rows += [("value", one.result.value)]
    rows += [("also", ", ".join(one.aliases))] if one.aliases else []
    rows += [("TA-Lib", one.talib)] if one.talib else []
    rows += [("timeframe", "may follow the arguments" if one.takes_timeframe else "none")]
    show_table("", ("", "~"), rows)


_KINDS = {
    "number": "any numeric expression",
    "condition": "any condition",
    "length": "a whole number of bars, 1 or more; numbers and $parameters only",
    "factor": "a number; numbers and $parameters only",
}


def _meaning(argument: Any) -> str:
    left_out = "; close where left out" if argument.may_be_left_out else ""
    return f"{_KINDS[argument.kind.value]}{left_out}"
