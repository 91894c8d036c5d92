"""``workbench status``, ``journal`` and ``doctor``: what deployments do and did, and whether all is well."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from workbench.cli.databases import Database, client_of, database_of, moment_text, money
from workbench.cli.failures import REFUSED
from workbench.cli.screen import plain, say, show_table, warn
from workbench.errors import ConfigError

commands = typer.Typer()

_STYLES = {"ok": "green", "look": "yellow", "wrong": "bold red"}
_VERIFY = "verify"
#: Characters of a row's body that are shown; all of it with --full.
_SHOWN = 160


@commands.command()
def status(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One deployment; left out, all of them.")] = None,
    database: Database = None,
) -> None:
    """Where deployments stand: whether they are evaluated and why not, what they hold, what comes next."""
    with client_of(database) as client:
        if name is not None:
            _show_one(client.status(name))
            return
        frame = client.deployments()
        exposed = client.exposure()
    if not len(frame):
        say("Nothing is deployed. Deploy a strategy: workbench deploy STRATEGY.toml --bars SOURCE --costs MODEL.")
        return
    rows = [
        (
            row["name"],
            f"{row['strategy']} {row['version']}",
            plain(*_evaluated(row)),
            row["runtime_state"],
            row["position"],
            money(row["equity"]),
            money(row["pnl"]),
            moment_text(row["last_evaluation"]),
            " ".join(filter(None, (row["decision"], row["reason"]))),
        )
        for row in frame.to_dict("records")
    ]
    columns = ("name", "strategy", "~status", "state", "~position", ">equity", ">P&L", "last evaluation", "decision")
    show_table("", columns, rows)
    for row in exposed.to_dict("records"):
        if len(row["deployments"]) > 1:
            held = f"{row['qty']:g} {row['instrument']}, {money(row['notional'])}"
            say(f"together: {held}, in {', '.join(row['deployments'])}")


def _evaluated(row: Mapping[Any, Any]) -> tuple[str, str]:
    """Status with the reason why nothing is evaluated, and its style."""
    if row["is_evaluated"]:
        return (f"{row['status']}, {row['stale']}", "yellow") if row["stale"] else (row["status"], "green")
    if row["status"] == "STOPPED" and row["hindrance"] == "stopped":
        return row["status"], "dim"
    return f"{row['status']}, not evaluated: {row['hindrance']}", "yellow"


def _show_one(found: dict[str, Any]) -> None:
    from workbench.live.words import counted

    text, style = _evaluated(found)
    say(f"{found['name']}: {found['strategy']} {found['version']}, {found['mode']}", "bold")
    say(text, style)
    calendar, warm = found["calendar"], found["warm_up"]
    rows = [
        ("state", found["runtime_state"]),
        ("note", found["note"]),
        ("STALE_DATA", found["stale"]),
        ("warm-up", warm["text"]),
        ("last evaluation", moment_text(found["last_evaluation"])),
        ("decision", " ".join(filter(None, (found["decision"], found["reason"])))),
        ("next", ", ".join(moment_text(at) for at in found["next_evaluations"])),
        ("equity", f"{money(found['equity'])}, cash {money(found['cash'])}, began with {money(found['initial_cash'])}"),
        ("realised P&L", f"{money(found['realised_pnl'])} in {counted(found['n_trades'], 'trade')}"),
        ("unrealised P&L", money(found["unrealised_pnl"])),
        ("calendar", f"{calendar['name']} {calendar['date']}: {calendar['session']}, {_known(calendar)}"),
        ("heartbeat", moment_text(found["heartbeat"])),
        ("runner", found["runner"] or "none is running"),
    ]
    show_table("", ("", "~"), [(what, said) for what, said in rows if said])
    _show_bars(found)
    columns = ("instrument", "qty", "entry_price", "mark", "stop", "target", "protected_by", "unrealised_pnl")
    _show_rows("Positions", columns, found["position"])
    _show_rows("Working orders", ("order_id", "instrument", "side", "qty", "kind", "price", "reason"), found["orders"])
    _show_rows(
        "Open intents", ("number", "action", "order_id", "instrument", "qty", "state", "detail"), found["intents"]
    )
    for text in found["warnings"]:
        warn(text)
    if calendar["unknown"] or not calendar["is_known"]:
        days = ", ".join(calendar["unknown"]) or str(calendar["date"])
        warn(
            f"Calendar {calendar['name']} knows nothing of {days}: nothing is entered then, exits go on. Import its "
            "days: workbench calendar import FILE.csv --covers YEAR."
        )


def _known(calendar: Mapping[str, Any]) -> str:
    """How many of the sessions to come the calendar knows."""
    unknown = len(calendar["unknown"])
    return f"{calendar['sessions'] - unknown} of the next {calendar['sessions']} sessions are known"


def _show_bars(found: dict[str, Any]) -> None:
    rows = [
        (name, moment_text(at), *(f"{found['bars'][name][one]:g}" if name in found["bars"] else "" for one in _PRICES))
        for name, at in found["freshness"].items()
    ]
    show_table("Bars", ("instrument", "newest", *(f">{one}" for one in _PRICES)), rows)


_PRICES = ("open", "high", "low", "close", "volume")


def _show_rows(title: str, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    if rows:
        show_table(title, columns, [tuple(_cell(row[name]) for name in columns) for row in rows])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.8g}" if isinstance(value, float) else str(value)


@commands.command()
def journal(
    words: Annotated[
        list[str], typer.Argument(metavar="[verify] NAME", help="A deployment; after verify, to check it.")
    ],
    kind: Annotated[str | None, typer.Option(metavar="KIND", help="Only rows of this kind, such as FILLED.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many rows at most, the newest.")] = 50,
    before: Annotated[int | None, typer.Option(metavar="SEQ", help="Only rows before this one.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Show all of every row.")] = False,
    database: Database = None,
) -> None:
    """What a deployment saw, decided and did, the newest row first; ``verify`` checks that no row was changed."""
    if len(words) == 2 and words[0] == _VERIFY:
        _verify(words[1], database)
        return
    if len(words) != 1:
        raise ConfigError(f"workbench journal takes one NAME, or verify NAME; not {' '.join(words)!r}.")
    with client_of(database) as client:
        frame = client.journal(words[0], kind.upper() if kind else None, before, limit)
    rows = []
    for row in frame.to_dict("records"):
        body = json.dumps(row["body"], separators=(", ", ": "))
        cut = body if full or len(body) <= _SHOWN else f"{body[:_SHOWN]}..."
        rows.append((str(row["seq"]), moment_text(row["instant"]), moment_text(row["at"]), row["kind"], cut))
    show_table("", (">seq", "about", "written", "kind", "~body"), rows)
    if len(frame) == limit:
        say(f"Older rows: --before {frame['seq'].iloc[-1]}", "dim")


def _verify(name: str, database: str | None) -> None:
    from workbench.journal.verify import faults
    from workbench.live.facts import deployment_of

    with client_of(database) as client, client.store.read() as connection:
        row = deployment_of(connection, client.owner, name)
        found = faults(connection, row["id"])
    for sentence in found:
        warn(sentence)
    if found:
        say(f"the journal of {name} is not what was written", "bold red")
        raise typer.Exit(REFUSED)
    say(f"the journal of {name} is whole: {row['head_seq']:,} rows, each follows from the one before")


@commands.command()
def slippage(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of a deployment.")], database: Database = None
) -> None:
    """What each order got beside what the fill model gives it on the same bars, in basis points; 0 on paper."""
    from workbench.live.words import counted

    with client_of(database) as client:
        frame = client.slippage(name)
    if not len(frame):
        say(f"Nothing of {name} has filled yet.")
        return
    columns = ("instrument", "side", "qty", "kind", "reason", "fill_price", "model_price", "difference_bps", "cost_bps")
    rows = [
        (moment_text(row["ts"]), *("" if row[one] != row[one] else _cell(row[one]) for one in columns))
        for row in frame.to_dict("records")
    ]
    show_table("", ("ts", *columns), rows)
    priced = frame.dropna(subset=["cost"])
    weight = (priced["model_price"] * priced["qty"]).sum()
    mean = f"{priced['cost'].sum() / weight * 1e4:.2f} bps of what was traded, " if weight else ""
    unpriced = len(frame) - len(priced)
    none = f"; the model has no fill for {counted(unpriced, 'order')}" if unpriced else ""
    say(f"{counted(len(frame), 'order')}: {mean}{money(float(priced['cost'].sum()))} against the model{none}.")


@commands.command()
def doctor(database: Database = None) -> None:
    """Look at the database, who runs it, the kill switch, calendars, bars and versions."""
    from workbench.live.doctor import WRONG, findings
    from workbench.live.wall import WallClock

    found = findings(database_of(database), WallClock().now_ns())
    rows = [(plain(one.level, _STYLES[one.level]), one.what, one.text) for one in found]
    show_table("", ("", "what", "~found"), rows)
    if any(one.level == WRONG for one in found):
        raise typer.Exit(REFUSED)
