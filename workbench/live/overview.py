"""All deployments of an owner at a glance, again and again: only what has changed is worked out anew.

A panel is looked at all day. Of two hundred deployments most stand still between two looks, so a line is kept with the
row that it was made from, and the next evaluation, which takes a calendar to find, is kept until it has passed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sa

from workbench.errors import ConfigError
from workbench.journal.store import Store
from workbench.live import facts
from workbench.live.clock import Clock
from workbench.live.coming import next_evaluations
from workbench.live.frames import instant
from workbench.live.given import Given
from workbench.live.health import health_of
from workbench.live.holdings import Books, exposure_of
from workbench.live.news import news
from workbench.live.reading import Reading
from workbench.market.calendar import resolve_calendar
from workbench.market.timeframe import DAY_NS


class Glance(NamedTuple):
    """What was seen at one moment.

    Attributes
    ----------
    at : Timestamp
        Now, on the wall.
    health : dict
        Who runs the database, what is killed, and how many deployments are evaluated or wait for a person;
        ``next_evaluation`` of any; ``clock``, the virtual time of a runner that replays stored bars, else None.
    deployments : list of dict
        A line a deployment, by name; the same object as at the last look if nothing of it changed. The columns of
        ``Client.deployments``, ``seq`` (the newest row of the journal), ``next_evaluation``, ``warm_up`` in words while
        it warms up, ``holdings`` with what protects them, and the exchange's ``zone``.
    exposure : list of dict
        What they hold together, by instrument.
    """

    at: pd.Timestamp
    health: dict[str, Any]
    deployments: list[dict[str, Any]]
    exposure: list[dict[str, Any]]


#: What the warmth of a deployment depends on.
_WARMTH = ("strategy_hash", "calendar", "timeframe", "instruments", "history_from_ns", "start_ns", "instant_ns")


class _Kept(NamedTuple):
    """A line, what it was made from, and what the deployment holds."""

    made_from: object
    line: dict[str, Any]
    books: Books | None


class Overview(Reading):
    """What an owner can see, with a memory of what was seen at the last glance. One thread at a time.

    Parameters
    ----------
    store, owner, clock
        As of ``Reading``.
    """

    def __init__(self, store: Store, owner: str = "local", clock: Clock | None = None) -> None:
        super().__init__(store, owner, clock)
        self._kept: dict[str, _Kept] = {}
        self._warmth: dict[tuple[Any, ...], str] = {}
        self._next: dict[tuple[str, str, str, int], tuple[int, int]] = {}

    def glance(self) -> Glance:
        """Everything now, in one snapshot."""
        with self.store.read() as connection:
            return self._look(connection, self._moment(connection))

    def news(self, since: Mapping[str, int], kinds: Collection[str]) -> list[dict[str, Any]]:
        """Rows of rare kinds that journals have got since; ``since`` is the last known number by deployment."""
        with self.store.read() as connection:
            return news(connection, self.owner, since, kinds)

    def _look(self, connection: sa.Connection, moment: facts.Moment) -> Glance:
        rows = facts.deployments_of(connection, self.owner)
        warming = {tuple(row[name] for name in _WARMTH) for row in rows if row["runtime_state"] == "WARMING_UP"}
        self._warmth = {key: text for key, text in self._warmth.items() if key in warming}
        runs = moment.holder.runs(moment.now_ns)
        same_for_all = (moment.kills, runs or moment.holder)
        seen = ((row, self._seen(connection, row, moment, same_for_all)) for row in rows)
        self._kept = {row["id"]: self._with_next(row, kept, moment) for row, kept in seen}
        lines = [self._kept[row["id"]].line for row in rows]
        coming = [line["next_evaluation"] for line in lines if line["is_evaluated"] and line["next_evaluation"]]
        clock_ns = max((row["instant_ns"] for row in rows), default=0) if moment.holder.replays(moment.now_ns) else 0
        health = {
            **health_of(lines, moment, self.owner),
            "next_evaluation": min(coming, default=None),
            "clock": instant(clock_ns),
        }
        at = pd.Timestamp(moment.now_ns, tz="UTC")
        held = ((row["name"], self._kept[row["id"]].books) for row in rows)
        return Glance(at, health, lines, exposure_of(held))

    def _seen(self, connection: sa.Connection, row: facts.Row, moment: facts.Moment, same_for_all: object) -> _Kept:
        """A deployment's line; the one of the last look when nothing that it is made from has changed."""
        made_from = (tuple(row.values()), same_for_all)
        known = self._kept.get(row["id"])
        if known is not None and known.made_from == made_from:
            return known
        books = facts.books_of_row(row)
        holdings = [] if books is None else [facts.position_facts(one, row, moment) for one in books.holdings]
        line = {
            **facts.line_of(row, moment, books),
            "seq": row["head_seq"],
            "next_evaluation": None,
            "warm_up": "",
            "holdings": holdings,
            "zone": _zone(row["calendar"]),
        }
        if row["runtime_state"] == "WARMING_UP":
            line["warm_up"] = self._warm_up(connection, row)
        return _Kept(made_from, line, books)

    def _warm_up(self, connection: sa.Connection, row: facts.Row) -> str:
        """How warm it is, in words; bars are counted once an instant, and once for deployments that see the same."""
        key = tuple(row[name] for name in _WARMTH)
        if key not in self._warmth:
            given = _given(row)
            self._warmth[key] = "" if given is None else facts.warm_up(connection, given, row)["text"]
        return self._warmth[key]

    def _with_next(self, row: facts.Row, kept: _Kept, moment: facts.Moment) -> _Kept:
        """The line with the next evaluation, which time alone changes."""
        coming = instant(self._next_ns(row, moment))
        if kept.line["next_evaluation"] == coming:
            return kept
        return kept._replace(line={**kept.line, "next_evaluation": coming})

    def _next_ns(self, row: facts.Row, moment: facts.Moment) -> int:
        """When it is evaluated next; 0 when nobody knows. Deployments of one strategy and calendar share the answer."""
        if row["status"] == "STOPPED":
            return 0
        after_ns = moment.after_ns(row)
        key = (row["strategy_hash"], row["calendar"], row["timeframe"], row["start_ns"])
        asked_ns, found_ns = self._next.get(key, (0, 0))
        # A calendar that knew no session may be extended; it is asked again after a day.
        if asked_ns <= after_ns < (found_ns or asked_ns + DAY_NS):
            return found_ns
        given = _given(row)
        coming = [] if given is None else next_evaluations(given, after_ns, 1)
        found_ns = coming[0] if coming else 0
        self._next[key] = (after_ns, found_ns)
        return found_ns


@lru_cache(maxsize=64)
def _zone(calendar: str) -> str:
    """Of an exchange; empty when there is no such calendar here."""
    try:
        return resolve_calendar(calendar).zone
    except ConfigError:
        return ""


def _given(row: facts.Row) -> Given | None:
    """The deployment; None when its row cannot be read, which its status says."""
    try:
        return Given.of(row, row["content"])
    except ConfigError:
        return None
