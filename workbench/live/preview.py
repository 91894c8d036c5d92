"""The dry run of a deployment: what it would meet and decide if it were deployed now. Nothing is written.

How it works: the deployment is put together in memory as a runner would, its history is fed through the same compiled
kernels, and the last strategy bar is stepped by the same call. What is refused, missing or held by others is asked of
the functions that a deployment and the runner ask.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from workbench.errors import ConfigError
from workbench.live.beside import against, beside, facts_beside, held_by_others, mismatch_words, warning
from workbench.live.coming import bars_within, calendar_facts, next_evaluations
from workbench.live.consent import AT_ONCE, SHORT, settings_of
from workbench.live.deploy import Fitted, Wish, fitted, refuse_taken
from workbench.live.deployed import Bar, Deployed, values_of
from workbench.live.facts import Moment, deployments_of, exposure
from workbench.live.frames import instant
from workbench.live.gates import OPEN, Gates
from workbench.live.given import Given
from workbench.live.limits import check_deployable, table_of, word_of
from workbench.live.nodes import described
from workbench.live.page import Page
from workbench.live.restore import feed_again, warm_until
from workbench.live.said import Said
from workbench.live.schedule import Interval, schedule_of
from workbench.live.standing import Standing
from workbench.live.starting import is_now, last_bar_of
from workbench.live.together import Together
from workbench.live.words import counted
from workbench.market.bars import Bars

#: Limits of a strategy that bound what it may lose or trade.
STRATEGY_LIMITS = (
    "max_trades_per_day", "daily_loss_limit_frac", "max_drawdown_frac", "max_trade_drawdown_frac",
    "max_symbol_alloc_frac", "max_symbol_exposure", "sector_cap_frac", "max_open_positions",
)  # fmt: skip
#: Why the gates would hold an entry back, by their word.
_HELD_BACK = {
    "KILLED": "the kill switch is down",
    "STALE_DATA": "the bar is old, and an old bar opens nothing",
}
#: Words of a node that is an indicator, on whatever timeframe.
_INDICATOR = re.compile(r"[A-Z][A-Z_]*\(.*\)( of \w+)?")
#: What a deployment without a position does, by its decision; of the others the entry is true and blocked.
_DECISIONS = {
    "ENTRY_FALSE": "the entry is false, nothing happens",
    "WARMING_UP": "the indicators are not warm",
    "NO_BAR": "there is no bar",
}


class Decided(NamedTuple):
    """What the last strategy bar of a history says.

    Attributes
    ----------
    opened_ns : int
        When that bar opened.
    interval : Interval
        The base interval with which it closed.
    rows : tuple of (instrument, decision, entry, reason)
        As a journal says them.
    deployed : Deployed
        After it.
    """

    opened_ns: int
    interval: Interval
    rows: tuple[tuple[str, ...], ...]
    deployed: Deployed


def previewed(
    connection: sa.Connection, wish: Wish, start: Any, acknowledged: Collection[str], moment: Moment
) -> dict[str, Any]:
    """The dry run of a wish, as plain data; ``Client.preview`` says what it holds.

    Parameters
    ----------
    connection : sa.Connection
        Of ``Store.read``.
    wish : Wish
        What is asked for.
    start : object
        Where decisions begin, as it was asked.
    acknowledged : collection of str
        What a person says they know.
    moment : Moment
        Now, who runs the database, what is killed.

    Raises
    ------
    ConfigError
        What is asked for can never be deployed: something in it does not fit.
    """
    missing = _to_acknowledge(wish, start, acknowledged)
    fit = fitted(wish)
    given, limits = _given(wish, fit), table_of(connection, wish.owner, moment.now_ns)
    decided = last_decision(given, fit)
    problems = [*_refusals(connection, wish, fit), *missing.values()]
    return {
        "name": wish.called,
        "strategy": wish.strategy.name,
        "version": wish.strategy.version,
        "mode": wish.mode,
        "direction": wish.strategy.direction,
        "timeframe": str(wish.strategy.timeframe),
        "instruments": list(given.names),
        "initial_cash": given.initial_cash,
        "costs": wish.costs.name,
        "at": instant(moment.now_ns),
        "can_deploy": not problems,
        "problems": problems,
        "to_acknowledge": missing,
        "begins": instant(wish.start_ns),
        "is_at_once": is_now(start),
        "last_bar": _last_bar(given, decided, moment, _limit(limits)),
        "next_evaluations": [instant(ns) for ns in next_evaluations(given, moment.now_ns)],
        "warm_up": _warm_up(given, fit, decided),
        **_beside(connection, given),
        "limits": limits,
        "strategy_limits": {name: value for name in STRATEGY_LIMITS if (value := getattr(wish.strategy, name))},
        "calendar": calendar_facts(given.calendar, moment.now_ns),
        "zone": given.calendar.zone,
        "runner": moment.holder.name if moment.holder.runs(moment.now_ns) else "",
    }


def last_decision(given: Given, fit: Fitted) -> Decided:
    """What a deployment that holds nothing decides on the last strategy bar of a history.

    Parameters
    ----------
    given : Given
        The deployment, wherever its own decisions begin.
    fit : Fitted
        With the history.
    """
    # A form asks anew at every change, and a long history takes seconds: what it depends on, and nothing else.
    told = (given.strategy.hash, given.costs.hash, given.initial_cash, given.calendar.digest, fit.instruments)
    return _decided(_Question((*told, *(one.hash for one in fit.data.values())), given, fit))


@dataclass(frozen=True)
class _Question:
    """What is asked about the last bar; two questions are one when all that the answer depends on is the same."""

    key: tuple[object, ...]
    given: Given = field(compare=False)
    fit: Fitted = field(compare=False)


@lru_cache(maxsize=4)
def _decided(question: _Question) -> Decided:
    fit = question.fit
    given = replace(question.given, start_ns=last_bar_of(question.given.strategy, fit.grid))
    schedule = schedule_of(given.calendar, given.timeframe)
    first = schedule.after(given.history_from_ns)
    assert first is not None, "a history lies in sessions"
    standing = Standing(Deployed(given, schedule.day(first.day)))
    deployed, bars = standing.deployed, _by_stamp(fit.data)
    feed_again(lambda _after, _until: bars, standing, [(warm_until(schedule, given, first), schedule)], first)
    alone = None
    while True:
        interval = schedule.after(deployed.passed_ns)
        assert interval is not None, "the last strategy bar of a history closes in it"
        if alone is None or interval.day != deployed.day.day:
            deployed.enter(schedule.day(interval.day))
            alone = Together([deployed])
        alone.feed(interval, bars.get(interval.ts_ns, {}))
        if deployed.decides_at(interval):
            alone.close(interval, [0], [OPEN.bits])
            if alone.outcome(0).is_step:
                rows = Said(standing, Page(), 0, 0).decisions(deployed.taken()["decisions"])
                return Decided(given.start_ns, interval, tuple(map(tuple, rows)), deployed)


def _by_stamp(data: Mapping[str, Bars]) -> dict[int, dict[str, Bar]]:
    """Bars by stamp and instrument, as the runner is handed them."""
    found: dict[int, dict[str, Bar]] = {}
    for name, bars in data.items():
        columns = (bars.ts_ns, bars.open, bars.high, bars.low, bars.close, bars.volume)
        for ts_ns, *prices in zip(*(column.tolist() for column in columns), strict=True):
            found.setdefault(ts_ns, {})[name] = tuple(prices)
    return found


def _given(wish: Wish, fit: Fitted) -> Given:
    """The deployment as its row would say it; it has no id yet."""
    return Given(
        id="",
        owner=wish.owner,
        name=wish.called,
        strategy=wish.strategy,
        mode=wish.mode,
        calendar=fit.grid.calendar,
        timeframe=fit.grid.timeframe,
        costs=wish.costs,
        instruments=fit.instruments,
        initial_cash=float(wish.initial_cash),
        history_from_ns=fit.first_ns,
        start_ns=wish.start_ns,
        settings={},
        strategy_hash=wish.strategy.hash,
    )


def _to_acknowledge(wish: Wish, start: Any, acknowledged: Collection[str]) -> dict[str, str]:
    """What must still be acknowledged, with why, by its word."""
    said = {acknowledged} if isinstance(acknowledged, str) else set(acknowledged)
    needed = settings_of(wish.strategy, start, said | {SHORT, AT_ONCE}).get("acknowledged", [])
    missing = {}
    for word in sorted(set(needed) - said):
        try:
            settings_of(wish.strategy, start, set(needed) - {word})
        except ConfigError as error:
            missing[word] = str(error)
    return missing


def _refusals(connection: sa.Connection, wish: Wish, fit: Fitted) -> list[str]:
    """Why it would be refused as things stand."""
    found = []
    checks: tuple[Callable[[], None], ...] = (
        lambda: refuse_taken(connection, wish.owner, wish.called),
        lambda: check_deployable(connection, wish.owner, len(fit.instruments)),
    )
    for check in checks:
        try:
            check()
        except ConfigError as error:
            found.append(str(error))
    return found


def _last_bar(given: Given, decided: Decided, moment: Moment, limit: str) -> dict[str, Any]:
    """The last strategy bar, what is decided on it, and what would hold an entry back now; ``limit`` is one reached."""
    is_killed = any(one.stops(given.owner, given.name) for one in moment.kills)
    gates = Gates(lambda: moment.now_ns, lambda _owner, _name: is_killed)
    word = gates.mask(Standing(decided.deployed), decided.interval, moment.now_ns).word or limit
    names = ("instrument", "decision", "entry", "reason")
    return {
        "opened": instant(decided.opened_ns),
        "closed": instant(decided.interval.close_ns),
        "decisions": [dict(zip(names, row, strict=True)) for row in decided.rows],
        "values": _values(decided.deployed),
        "held_back": word,
        "text": "; ".join(f"{row[0]} {row[1]}: {_words(row[1], word)}" for row in decided.rows) or "no bar closed",
    }


def _values(deployed: Deployed) -> dict[str, dict[str, float]]:
    """What the indicators of each instrument say, by their words; a missing one is NaN."""
    texts = described(deployed.given.strategy.program)
    shown = [(k, text) for k, text in enumerate(texts) if _INDICATOR.fullmatch(text)]
    return {
        name: {text: values[k] for k, text in shown}
        for name, values in zip(deployed.names, values_of(deployed), strict=True)
    }


def _words(decision: str, held_back: str) -> str:
    """A decision of a deployment that holds nothing, in words."""
    if decision == "ENTRY_TRUE":
        why = _HELD_BACK.get(held_back, held_back)
        return f"the entry is true, and nothing is sent: {why}" if why else "it enters at the next open"
    return _DECISIONS.get(decision, "the entry is true, and does not happen")


def _limit(limits: Sequence[Mapping[str, Any]]) -> str:
    """The word of the limit of orders that is reached."""
    return word_of({one["name"]: one["allowed"] for one in limits}, {one["name"]: one["used"] for one in limits})


def _warm_up(given: Given, fit: Fitted, decided: Decided) -> dict[str, Any]:
    """How many strategy bars the expressions need and have, and whether they are warm on them."""
    needs, bars = given.strategy.program.warm_bars, min(bars_within(given, one.ts_ns) for one in fit.data.values())
    is_warm = decided.deployed.is_warm
    text = f"warm after {counted(needs, 'bar')}, {bars:,} stored"
    if not is_warm:
        text = f"not warm: needs {counted(needs, 'bar')}, {bars:,} stored"
    return {"is_warm": is_warm, "bars": bars, "needs_bars": needs, "text": text}


def _beside(connection: sa.Connection, given: Given) -> dict[str, Any]:
    """What others hold of the same instruments, and whether the deployment would begin paused for it."""
    others = beside(held_by_others(connection, given))
    existing = facts_beside(others, {})
    begins_paused = bool(against(others, given.strategy.direction))
    words = [warning(row, found) for row, found in zip(existing, others, strict=True)]
    if begins_paused:
        words.append(f"It begins paused: {mismatch_words(given.name, given.strategy.direction, others)}.")
    mine = exposure(deployments_of(connection, given.owner))
    return {
        "existing": existing,
        "exposure": [one for one in mine if one["instrument"] in given.names],
        "begins_paused": begins_paused,
        "warnings": words,
    }
