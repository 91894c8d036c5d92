"""What is well and what is not: the database, who runs it, the kill switch, calendars, bars, versions."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

import sqlalchemy as sa

from workbench.errors import RetryableError, WorkbenchError
from workbench.jit import engine_hash
from workbench.journal import migrations, tables
from workbench.journal.store import Store
from workbench.live.coming import coverage
from workbench.live.facts import Row, every_deployment, holder_of, names_of
from workbench.live.inbox import newest_bars
from workbench.live.killswitch import KillSwitch
from workbench.live.places import places_of_url
from workbench.live.wall import free_bytes, written_time
from workbench.market.calendar import resolve_calendar

#: Sessions to come that a calendar should cover.
SESSIONS = 10
#: Instruments that are shown one by one.
MOST_SHOWN = 20

#: Bytes that should be free beside a database: days of journals of many deployments.
LEAST_ROOM = 256 * 2**20

GOOD, WARNING, WRONG = "ok", "look", "wrong"

_LIBRARIES = ("numpy", "numba", "pandas", "sqlalchemy", "alembic", "psycopg")


class Finding(NamedTuple):
    """One thing that was looked at: ``ok``, ``look`` or ``wrong``, what, and what was found."""

    level: str
    what: str
    text: str


def findings(url: str, now_ns: int, owner: str = "local", wait_s: float = 5.0) -> list[Finding]:
    """Everything that was found, whether or not the database can be opened.

    Parameters
    ----------
    url : str
        Of the database.
    now_ns : int
        Now, on the wall.
    owner : str
        Whose deployments and kills are named; those of others are only counted.
    wait_s : float
        How long to wait for a database that is in use.

    Returns
    -------
    list of Finding
        Without any password.
    """
    out: list[Finding] = []
    try:
        with Store.open(url, wait_s) as store:
            out += _of_database(store, now_ns, owner)
    except WorkbenchError as error:
        out.append(Finding(WRONG, "database", str(error)))
    return [*out, *_of_switch(url, owner), *_of_versions()]


def _of_database(store: Store, now_ns: int, owner: str) -> Iterator[Finding]:
    yield Finding(GOOD, "database", repr(store).removeprefix("Store(").removesuffix(")"))
    yield Finding(GOOD, "durability", store.journal_mode())
    yield from _of_room(store)
    with store.read() as connection:
        revision = migrations.revision_of(connection)
        level = GOOD if revision == migrations.HEAD else WRONG
        yield Finding(level, "schema", f"revision {revision}, this version knows {migrations.HEAD}")
        rows = every_deployment(connection)
        yield _of_runner(connection, now_ns, any(row["status"] == "RUNNING" for row in rows))
        yield from _of_commands(connection, now_ns)
        yield from _of_deployments(rows, owner)
        here = [row for row in rows if row["status"] not in ("STOPPED", "ERROR")]
        yield from _of_calendars(here, now_ns)
        yield from _of_bars(connection, here, now_ns)


def _of_room(store: Store) -> Iterator[Finding]:
    """Whether anything can be written, and for how long yet."""
    try:
        with store.write():
            pass
    except WorkbenchError as error:
        yield Finding(WARNING if isinstance(error, RetryableError) else WRONG, "writing", str(error))
    if store.path is None:
        return
    free = free_bytes(store.path.parent)
    text = f"{free / 2**20:,.0f} MiB free beside {store.path.name}"
    yield Finding(GOOD if free >= LEAST_ROOM else WARNING, "room", text if free >= LEAST_ROOM else f"{text}: make room")


def _of_runner(connection: sa.Connection, now_ns: int, is_needed: bool) -> Finding:
    holder = holder_of(connection)
    if holder.runs(now_ns):
        return Finding(GOOD, "runner", f"{holder.name}; its lease ends in {(holder.until_ns - now_ns) / 1e9:.1f} s")
    last = f"; the last was {holder.name}, to {written_time(holder.until_ns)}" if holder.name else ""
    return Finding(WARNING if is_needed else GOOD, "runner", f"none is running: nothing is evaluated{last}")


def _of_commands(connection: sa.Connection, now_ns: int) -> Iterator[Finding]:
    table = tables.commands
    count, oldest = connection.execute(
        sa.select(sa.func.count(), sa.func.min(table.c.created_ns)).where(table.c.done_ns == 0)
    ).one()
    if count:
        yield Finding(WARNING, "commands", f"{count} wait for a runner, the oldest for {_age(now_ns - oldest)}")


def _of_deployments(rows: Sequence[Row], owner: str) -> Iterator[Finding]:
    statuses = [row["status"] for row in rows]
    counted = ", ".join(f"{statuses.count(one)} {one}" for one in sorted(set(statuses)))
    yield Finding(GOOD, "deployments", counted or "none")
    for row in rows:
        if row["owner"] != owner or row["status"] == "STOPPED":
            continue
        if row["runtime_state"].startswith("PAUSED") or row["status"] == "ERROR":
            what = row["status"] if row["status"] == "ERROR" else row["runtime_state"]
            yield Finding(WARNING, row["name"], f"{what}: {row['note']}")


def _of_calendars(rows: Sequence[Row], now_ns: int) -> Iterator[Finding]:
    for name in sorted({row["calendar"] for row in rows}):
        calendar = resolve_calendar(name)
        count, unknown = coverage(calendar, now_ns, SESSIONS)
        if unknown:
            text = f"CALENDAR_UNKNOWN on {', '.join(unknown)}: no entries then. Import days: workbench calendar import"
            yield Finding(WARNING, f"calendar {name}", text)
        else:
            yield Finding(GOOD if count else WRONG, f"calendar {name}", f"the next {count} sessions are known")


def _of_bars(connection: sa.Connection, rows: Sequence[Row], now_ns: int) -> Iterator[Finding]:
    wanted = sorted({(name, row["timeframe"]) for row in rows for name in names_of(row)})
    for name, timeframe in wanted[:MOST_SHOWN]:
        newest = newest_bars(connection, [name], timeframe)[name]
        seen = f"newest {timeframe} bar {written_time(newest)}, {_age(now_ns - newest)} ago"
        text = seen if newest else "no bar is stored"
        yield Finding(GOOD if newest else WARNING, name, text)
    if len(wanted) > MOST_SHOWN:
        yield Finding(GOOD, "bars", f"and {len(wanted) - MOST_SHOWN} instruments more")


def _of_switch(url: str, owner: str) -> Iterator[Finding]:
    try:
        switch = KillSwitch(places_of_url(url).flag)
    except WorkbenchError as error:
        yield Finding(WRONG, "kill switch", str(error))
        return
    kills = switch.kills()
    for kill in kills:
        if kill.owner not in ("", owner):
            yield Finding(GOOD, "kill switch", "something of another owner is killed")
            continue
        said = f"{kill.words()}; since {written_time(kill.when_ns)}, in {switch.path}"
        yield Finding(WARNING, "kill switch", said)
    if not kills:
        yield Finding(GOOD, "kill switch", f"armed: there is no file {switch.path}")


def _of_versions() -> Iterator[Finding]:
    yield Finding(GOOD, "python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield Finding(GOOD, "engine", engine_hash())
    found = {"sqlite": sqlite3.sqlite_version}
    for name in ("workbench-trading", *_LIBRARIES):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    yield Finding(GOOD, "versions", ", ".join(f"{name} {text}" for name, text in found.items()))


def _age(ns: int) -> str:
    """A stretch of time in the unit that fits it."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if ns >= length * 10**9:
            return f"{ns / 1e9 / length:.1f} {unit}"
    return f"{ns / 1e9:.1f} s"
