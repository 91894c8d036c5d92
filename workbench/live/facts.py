"""Where deployments stand, read from the tables alone: the same whether or not a runner is there.

A deployment is never said to be evaluated while nothing evaluates it: ``hindrance`` says in words why not.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from workbench.engine.records import Records, account_dtype, position_dtype
from workbench.errors import ConfigError, NotFound
from workbench.journal import tables
from workbench.live.beside import against, beside, facts_beside, held_by_others, mismatch_words, warning
from workbench.live.coming import calendar_facts, next_evaluations, strategy_bars_seen
from workbench.live.deployed import layout
from workbench.live.frames import closed_trades, instant
from workbench.live.given import Given
from workbench.live.holdings import Books, Holding, exposure_of, stored_books
from workbench.live.inbox import newest_bars
from workbench.live.killswitch import Kill
from workbench.live.nodes import described
from workbench.live.outstanding import open_intents, working_orders
from workbench.live.standing import UNMANAGED, is_leaving
from workbench.live.wall import REPLAYS, written_time

#: The lease of whoever runs a database.
RUNNER = "runner"

Row = sa.RowMapping


class Holder(NamedTuple):
    """Who runs a database: the holder of the lease, empty if nobody, and when it ends unless it is renewed."""

    name: str
    until_ns: int

    def runs(self, now_ns: int) -> bool:
        """Whether somebody runs it."""
        return bool(self.name) and self.until_ns >= now_ns

    def replays(self, now_ns: int) -> bool:
        """Whether somebody passes stored bars in virtual time, which the wall's clock says nothing of."""
        return self.runs(now_ns) and self.name.endswith(REPLAYS)


class Moment(NamedTuple):
    """What is the same for every deployment that is shown at once.

    Attributes
    ----------
    now_ns : int
        Now, on the wall.
    holder : Holder
        Who runs the database.
    kills : tuple of Kill
        What the kill switch says.
    """

    now_ns: int
    holder: Holder
    kills: tuple[Kill, ...]

    def after_ns(self, row: Row) -> int:
        """The instant that a deployment has come to: the wall is ahead of a runner that is not there."""
        is_virtual = self.holder.replays(self.now_ns)
        return int(row["instant_ns"] if is_virtual else max(row["instant_ns"], self.now_ns))


def holder_of(connection: sa.Connection) -> Holder:
    """Who holds the lease."""
    table = tables.leases
    row = connection.execute(table.select().where(table.c.resource == RUNNER)).one_or_none()
    return Holder("", 0) if row is None else Holder(row.holder, row.expires_ns)


def deployments_of(connection: sa.Connection, owner: str) -> Sequence[Row]:
    """Rows of every deployment of an owner, with its state and its strategy, by name."""
    return connection.execute(_WANTED.order_by(tables.deployments.c.name), {"owner": owner}).mappings().all()


def deployment_of(connection: sa.Connection, owner: str, name: str) -> Row:
    """The row of one deployment of an owner.

    Raises
    ------
    ConfigError
        They have none of that name, whoever else may.
    """
    table = tables.deployments
    row = connection.execute(_WANTED.where(table.c.name == name), {"owner": owner}).mappings().one_or_none()
    if row is not None:
        return row
    own = sa.select(table.c.name).where(table.c.owner == owner).order_by(table.c.name)
    names = connection.execute(own).scalars().all()
    near = difflib.get_close_matches(str(name), names, 1)
    there = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(names[:10]) or 'none'}."
    raise NotFound(f"there is no deployment {name!r}. {there}")


def trade_counts(connection: sa.Connection, owner: str) -> dict[str, int]:
    """How many trades of each deployment of an owner have ended, by name."""
    name = tables.deployments.c.name
    counted = (
        sa.select(name, sa.func.count())
        .join(tables.journal, tables.journal.c.deployment_id == tables.deployments.c.id)
        .where(tables.deployments.c.owner == owner, tables.journal.c.kind == "TRADE_CLOSED", tables.IS_RARE)
        .group_by(name)
    )
    return {row[0]: row[1] for row in connection.execute(counted)}


def every_deployment(connection: sa.Connection) -> Sequence[Row]:
    """Rows of the deployments of all owners, by name: for whoever runs them, never for an owner."""
    return connection.execute(_EVERY.order_by(tables.deployments.c.name)).mappings().all()


_EVERY = (
    sa.select(
        tables.deployments,
        tables.strategy_versions.c.content,
        tables.strategy_versions.c.name.label("strategy"),
        tables.strategy_versions.c.version,
        *(column for column in tables.deployment_states.c if column.name != "deployment_id"),
    )
    .join(tables.strategy_versions, tables.strategy_versions.c.hash == tables.deployments.c.strategy_hash)
    .join(tables.deployment_states, tables.deployment_states.c.deployment_id == tables.deployments.c.id)
)
_WANTED = _EVERY.where(tables.deployments.c.owner == sa.bindparam("owner"))


def names_of(row: Row) -> list[str]:
    """Instruments of a deployment, sorted."""
    return list(_names(row["instruments"]))


@lru_cache(maxsize=4096)
def _names(instruments: str) -> tuple[str, ...]:
    """Deployments of one universe share their text, which never changes."""
    return tuple(one["name"] for one in json.loads(instruments))


def books_of_row(row: Row) -> Books | None:
    """What a deployment holds; None when another version of the engine wrote it, or when it cannot be read."""
    try:
        return stored_books(row["records"], row["layout"], names_of(row), row["initial_cash"])
    except (ValueError, LookupError, TypeError):
        if row["status"] != "ERROR":
            raise
        return None


def positions_of_row(row: Row) -> Records | None:
    """Its records of positions; None when there are none, or another version of the engine wrote them."""
    if not row["records"] or row["layout"] != layout():
        return None
    return np.frombuffer(row["records"][account_dtype.itemsize :], position_dtype)


def hindrance(row: Row, moment: Moment) -> str:
    """Why a deployment is not evaluated, in words; empty when it is."""
    status, state = row["status"], row["runtime_state"]
    if status == "STOPPED":
        return f"{state}: {row['note']}" if is_leaving(state) or state == UNMANAGED else "stopped"
    for kill in moment.kills:
        if kill.stops(row["owner"], row["name"]):
            return f"killed by {kill.who or 'somebody'}{f': {kill.why}' if kill.why else ''}"
    if status != "RUNNING" or state.startswith("PAUSED"):
        return str(row["note"] or (state if state.startswith("PAUSED") else status.lower()))
    if not moment.holder.runs(moment.now_ns):
        last = moment.holder.name
        silent = f": {last} was to be heard of by {written_time(moment.holder.until_ns)}; look at what it says"
        return f"no runner is running{silent if last else ''}"
    stale = stale_of(row)
    return f"STALE_DATA: {stale_words(stale)}" if stale and len(stale) == len(names_of(row)) else ""


def stale_of(row: Row) -> dict[str, int]:
    """Instruments whose bars are missing, with the instant up to which they are known."""
    found: dict[str, int] = json.loads(row["stale"]) if row["stale"] else {}
    return found


def stale_words(stale: Mapping[str, int]) -> str:
    """The same in words: ``no bar of NSE:A since 2023-01-10 06:05Z``."""
    return "; ".join(f"no bar of {name} since {instant(ns):%Y-%m-%d %H:%MZ}" for name, ns in sorted(stale.items()))


def listed(row: Row, moment: Moment) -> dict[str, Any]:
    """One line of the table of deployments."""
    return line_of(row, moment, books_of_row(row))


def line_of(row: Row, moment: Moment, books: Books | None) -> dict[str, Any]:
    """The same with what ``books_of_row`` says."""
    why_not = hindrance(row, moment)
    unrealised = None if books is None else sum(one.unrealised_pnl for one in books.holdings)
    return {
        "name": row["name"],
        "strategy": row["strategy"],
        "version": row["version"],
        "mode": row["mode"],
        "status": row["status"],
        "runtime_state": row["runtime_state"],
        "is_evaluated": not why_not,
        "hindrance": why_not,
        "stale": stale_words(stale_of(row)),
        "position": "" if books is None else ", ".join(f"{one.qty:g} {one.instrument}" for one in books.holdings),
        "equity": None if books is None else books.equity,
        "pnl": None if books is None else books.equity - row["initial_cash"],
        "unrealised_pnl": unrealised,
        "last_evaluation": instant(row["evaluated_ns"]),
        "decision": row["decision"],
        "reason": row["reason"],
        "heartbeat": instant(row["heartbeat_ns"]),
    }


def status_of(connection: sa.Connection, row: Row, moment: Moment) -> dict[str, Any]:
    """Everything that the tables say of one deployment; times are UTC, money is in the instruments' currency."""
    try:
        given = Given.of(row, row["content"])
    except ConfigError:
        if row["status"] != "ERROR":
            raise
        return _of_unreadable(connection, row, moment)
    trades = closed_trades(connection, given.id)
    line = listed(row, moment)
    books = books_of_row(row)
    mine = exposure(deployments_of(connection, given.owner))
    newest = newest_bars(connection, given.names, str(given.timeframe))
    others = beside(held_by_others(connection, given))
    own = {} if books is None else {one.instrument: one.qty for one in books.holdings}
    existing = facts_beside(others, own)
    direction, begins_paused = given.strategy.direction, list[str]()
    if not row["head_seq"] and against(others, direction):
        begins_paused.append(f"It begins paused: {mismatch_words(given.name, direction, others)}.")
    return {
        **{name: line[name] for name in ("name", "strategy", "version", "mode", "status", "runtime_state")},
        "id": given.id,
        "is_evaluated": line["is_evaluated"],
        "hindrance": line["hindrance"],
        "note": row["note"],
        "heartbeat": line["heartbeat"],
        "last_evaluation": line["last_evaluation"],
        "bars": _bars_seen(connection, given, row["evaluated_ns"]),
        "decision": row["decision"],
        "reason": row["reason"],
        "nodes": described(given.strategy.program),
        "warm_up": warm_up(connection, given, row),
        "begins": instant(given.start_ns or given.history_from_ns),
        "next_evaluations": _coming(given, row, moment),
        "position": [] if books is None else [position_facts(one, row, moment) for one in books.holdings],
        "cash": None if books is None else books.cash,
        "equity": line["equity"],
        "initial_cash": given.initial_cash,
        "realised_pnl": sum(one["gross_pnl"] - one["charges"] for one in trades),
        "unrealised_pnl": line["unrealised_pnl"],
        "n_trades": len(trades),
        "orders": working_orders(connection, given.id),
        "intents": open_intents(connection, given.id),
        "existing": existing,
        "warnings": [*(warning(one, found) for one, found in zip(existing, others, strict=True)), *begins_paused],
        "exposure": [one for one in mine if one["instrument"] in given.names],
        "freshness": {name: instant(ns) for name, ns in newest.items()},
        "stale": line["stale"],
        "calendar": calendar_facts(given.calendar, moment.now_ns),
        "runner": moment.holder.name if moment.holder.runs(moment.now_ns) else "",
    }


def _of_unreadable(connection: sa.Connection, row: Row, moment: Moment) -> dict[str, Any]:
    """What can be said of a deployment whose row cannot be read: what the other tables hold."""
    line, trades = listed(row, moment), closed_trades(connection, row["id"])
    return {
        **{name: line[name] for name in ("name", "strategy", "version", "mode", "status", "runtime_state")},
        "id": row["id"],
        **{name: line[name] for name in ("is_evaluated", "hindrance", "heartbeat", "last_evaluation", "equity")},
        "note": row["note"],
        "bars": {},
        "decision": row["decision"],
        "reason": row["reason"],
        "nodes": [],
        "warm_up": {"is_warm": False, "needs_bars": 0, "text": ""},
        "begins": instant(row["start_ns"] or row["history_from_ns"]),
        "next_evaluations": [],
        "position": [],
        "cash": None,
        "initial_cash": row["initial_cash"],
        "realised_pnl": sum(one["gross_pnl"] - one["charges"] for one in trades),
        "unrealised_pnl": line["unrealised_pnl"],
        "n_trades": len(trades),
        "orders": working_orders(connection, row["id"]),
        "intents": open_intents(connection, row["id"]),
        "existing": [],
        "warnings": [],
        "exposure": [],
        "freshness": {},
        "stale": line["stale"],
        "calendar": {
            "name": row["calendar"], "date": None, "session": "CALENDAR_UNKNOWN", "is_known": False, "sessions": 0,
            "unknown": [],
        },
        "runner": moment.holder.name if moment.holder.runs(moment.now_ns) else "",
    }


def exposure(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """What deployments hold together, by instrument: units, money at the last closes, and how many hold it."""
    return exposure_of((row["name"], books_of_row(row)) for row in rows)


def position_facts(one: Holding, row: Row, moment: Moment) -> dict[str, Any]:
    """A position with its levels, and what enforces them."""
    return {
        **{name: getattr(one, name) for name in ("instrument", "qty", "entry_price", "mark", "stop", "target")},
        "unrealised_pnl": one.unrealised_pnl,
        "protected_by": _protection(one, row, moment),
    }


def _protection(one: Holding, row: Row, moment: Moment) -> str:
    """What enforces the levels of a position, in words: the paper broker fills nothing without a runner."""
    if one.stop is None and one.target is None:
        return "nothing"
    if row["status"] == "STOPPED":
        return "nobody: it is stopped"
    enforced = "the broker" if one.is_resting else "the runner, at its closes"
    return enforced if moment.holder.runs(moment.now_ns) else f"nobody until a runner runs, then {enforced}"


def warm_up(connection: sa.Connection, given: Given, row: Row) -> dict[str, Any]:
    """How many strategy bars the expressions have seen, of how many they need."""
    needs = given.strategy.program.warm_bars
    if row["runtime_state"] != "WARMING_UP":
        return {"is_warm": True, "needs_bars": needs, "text": f"warm: needs {needs} bars"}
    seen = strategy_bars_seen(connection, given, row["instant_ns"] or given.start_ns)
    words = f"warming up {seen}/{needs} bars"
    if seen >= needs:
        # Not begun yet, or missing values among the bars: on clean data as many would do.
        words = f"{seen} bars seen, {needs} are needed"
    return {"is_warm": False, "bars": seen, "needs_bars": needs, "text": words}


def _coming(given: Given, row: Row, moment: Moment) -> list[Any]:
    coming = [] if row["status"] == "STOPPED" else next_evaluations(given, moment.after_ns(row))
    return [instant(ns) for ns in coming]


def _bars_seen(connection: sa.Connection, given: Given, evaluated_ns: int) -> dict[str, dict[str, Any]]:
    """The newest base bar of each instrument at the last evaluation."""
    if evaluated_ns == 0:
        return {}
    table, found = tables.bars, dict[str, dict[str, Any]]()
    for name in given.names:
        wanted = table.select().where(
            table.c.instrument == name,
            table.c.timeframe == str(given.timeframe),
            table.c.ts_ns < evaluated_ns,
            table.c.revision == 0,
        )
        row = connection.execute(wanted.order_by(table.c.ts_ns.desc()).limit(1)).mappings().one_or_none()
        if row is not None:
            prices = {one: row[one] for one in ("open", "high", "low", "close", "volume")}
            found[name] = {"ts": instant(row["ts_ns"]), "timeframe": row["timeframe"], **prices}
    return found
