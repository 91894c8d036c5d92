"""What options mean: dates, cost models, ``NAME=VALUE``, columns; and the options that several commands share."""

from __future__ import annotations

import datetime as dt
import difflib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from workbench.errors import ConfigError

if TYPE_CHECKING:
    from workbench.costs import CostModel

EXCHANGE_CALENDAR = "Calendar of the exchange: NSE, BSE, XNYS, XNAS, FX, 24x7 or a name of exchange_calendars."

Repair = Annotated[str | None, typer.Option(metavar="drop", help="Drop rows that would be refused, and say how many.")]
Basis = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Adjustment of the prices, such as split-adjusted; part of the hash.")
]
Zone = Annotated[
    str | None, typer.Option(metavar="ZONE", help="Zone of clock times without offset, such as Asia/Kolkata.")
]
Stamp = Annotated[str, typer.Option(metavar="open|close", help="What a time in the file marks of its bar.")]
Columns = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="Which column is which: open=First,close=Last; or all names in order, for a file without a header: "
        "date,time,open,high,low,close,volume.",
    ),
]
MaxJumpRatio = Annotated[
    float, typer.Option(metavar="FACTOR", help="A larger move between neighbouring bars of a session is refused.")
]
Start = Annotated[str | None, typer.Option(metavar="DATE")]
End = Annotated[str | None, typer.Option(metavar="DATE", help="Last session, inclusive; later bars are not used.")]
DecisionsFrom = Annotated[
    str | None, typer.Option(metavar="DATE", help="Where decisions begin; earlier bars warm the indicators.")
]
Base = Annotated[
    str | None,
    typer.Option("--timeframe", "--base", metavar="5m", help="Of the base bars, where the file's name is silent."),
]
SourcesAsForBacktest = Annotated[
    list[str] | None, typer.Option(metavar="SOURCE...", help="Files, a folder or symbols, as for backtest.")
]
CostsByName = Annotated[
    str, typer.Option(metavar="MODEL", help="none, bps:COMMISSION,SLIPPAGE, zerodha, alpaca or oanda.")
]


class Many(TyperCommand):
    """A command whose ``--bars`` and ``--covers`` take every value that follows, as a shell spreads ``*.parquet``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the option before each of its values, then parse as usual."""
        parsed: list[str] = super().parse_args(ctx, repeated(args))
        return parsed


def repeated(args: Sequence[str]) -> list[str]:
    """``--bars a b`` as ``--bars a --bars b``; a strategy file among the values stays an argument."""
    spread: list[str] = []
    taking = ""
    for at, arg in enumerate(args):
        follows = at > 0 and args[at - 1] == taking
        belongs = arg.isdecimal() if taking == "--covers" else not arg.endswith(".toml")
        if arg == "--":
            return [*spread, *args[at:]]
        if arg.startswith("-"):
            taking = arg if arg in ("--bars", "--covers") else ""
        elif taking and not follows:
            if belongs:
                spread.append(taking)
            else:
                taking = ""
        spread.append(arg)
    return spread


def moment(text: str | None, option: str) -> dt.date | dt.datetime | None:
    """A date (a session), or an instant with a zone; nothing for nothing.

    Raises
    ------
    ConfigError
        The text is neither, or a time lacks its zone.
    """
    if text is None:
        return None
    for parse in (dt.date.fromisoformat, dt.datetime.fromisoformat):
        try:
            found = parse(text.strip())
        except ValueError:
            continue
        if isinstance(found, dt.datetime) and found.tzinfo is None:
            raise ConfigError(f"{option} {text!r} has a time but no zone. Write a date, or 2024-06-30T09:15+05:30.")
        return found
    raise ConfigError(f"{option} {text!r} is neither a date nor an instant: 2024-06-30, 2024-06-30T09:15+05:30.")


def check_order(start: dt.date | dt.datetime | None, end: dt.date | dt.datetime | None) -> None:
    """Refuse an end before the start, as far as two dates tell."""
    dates = [one.date() if isinstance(one, dt.datetime) else one for one in (start, end) if one is not None]
    if len(dates) == 2 and dates[1] < dates[0]:
        raise ConfigError(f"--end {end} is before --start {start}.")


def named_value(text: str, option: str) -> tuple[str, str]:
    """Both parts of ``NAME=VALUE``."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise ConfigError(f"{option} {text!r} is not NAME=VALUE.")
    return name.strip(), value.strip()


def parameters(texts: Sequence[str]) -> dict[str, float]:
    """Values of ``$name`` from ``NAME=NUMBER`` texts."""
    found: dict[str, float] = {}
    for text in texts:
        name, value = named_value(text, "--param")
        number = _number(value, f"--param {text!r}")
        found[name.removeprefix("$")] = int(number) if number.is_integer() else number
    return found


def column_names(text: str | None) -> Mapping[str, str] | Sequence[str] | None:
    """``--columns``: our name to the file's where every part is ``ours=theirs``, else the names in order."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if any("=" in part for part in parts):
        return dict(named_value(part, "--columns") for part in parts)
    return parts


def cost_model(text: str) -> CostModel:
    """A cost model by its name: ``none``, ``bps:COMMISSION,SLIPPAGE``, ``zerodha``, ``alpaca``, ``oanda``.

    A broker's name may be followed by a slippage in basis points: ``zerodha:5``.

    Raises
    ------
    ConfigError
        The name is unknown, or a number is wrong or one too many.
    """
    from workbench import costs

    makers: dict[str, tuple[int, Any]] = {
        "none": (0, costs.none),
        "bps": (2, costs.bps),
        "zerodha": (1, costs.zerodha_equity),
        "alpaca": (1, costs.alpaca_equity),
        "oanda": (1, lambda slippage_bps=0.0: costs.oanda_fx(slippage_bps=slippage_bps)),
    }
    name, colon, rest = text.strip().partition(":")
    if name.lower() not in makers:
        near = difflib.get_close_matches(name.lower(), makers, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(
            f"--costs {text!r} is unknown.{hint} There are none, bps:COMMISSION,SLIPPAGE, zerodha, alpaca and oanda; "
            "a broker may be followed by its slippage in basis points, as zerodha:5."
        )
    most, make = makers[name.lower()]
    numbers = [_number(part, f"--costs {text!r}") for part in rest.split(",")] if colon else []
    if len(numbers) > most:
        takes = ("no number", "one number (slippage)", "two numbers (commission, slippage)")[most]
        raise ConfigError(f"--costs {text!r}: {name} takes {takes}, in basis points.")
    if name.lower() == "bps" and not numbers:
        raise ConfigError("--costs bps needs its numbers, in basis points: bps:COMMISSION,SLIPPAGE, as bps:10,5.")
    return make(*numbers)  # type: ignore[no-any-return]


def one_of(value: str, known: Sequence[str], option: str) -> str:
    """A value that is one of a few."""
    if value.lower() not in known:
        raise ConfigError(f"{option} {value!r} does not exist. It is one of {', '.join(known)}.")
    return value.lower()


def _number(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ConfigError(f"{where}: {text!r} is no number.")
    return number
