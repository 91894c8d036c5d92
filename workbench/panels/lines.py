"""The dry run of a deployment as a piece of HTML; everything that a person or a strategy wrote is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from workbench.live.words import counted, figure

Kind = Literal["good", "look", "wrong", "plain"]

#: Indicators whose values are told.
MOST_VALUES = 6
#: Days from which on the end of a history is told.
OLD_DAYS = 5
#: Limits of the owner that are always told; the others where something of them is used.
_ALWAYS = ("deployments", "orders_per_day")

#: A word beside each mark: colour and sign alone say nothing to who cannot see them.
_MARKS: dict[Kind, tuple[str, str]] = {
    "good": ("✓", "fine"), "look": ("▲", "look"), "wrong": ("■", "refused"), "plain": ("", ""),
}  # fmt: skip

#: How a form looks, on white and on black.
STYLE = f"<style>{(Path(__file__).parent / 'form.css').read_text(encoding='utf-8')}</style>"


def line(kind: Kind, text: str) -> str:
    """A line with its mark; the text is escaped here and nowhere else."""
    sign, word = _MARKS[kind]
    label = f" role='img' aria-label='{word}'" if word else ""
    mark = f"<span class='wbn-mark'{label}>{sign}</span>"
    return f"<p class='wbn-line wbn-{kind}'>{mark}<span class='wbn-text'>{html.escape(text)}</span></p>"


def heading(found: Mapping[str, Any]) -> str:
    """Name, version, mode, and on what."""
    what = html.escape(f"{found['strategy']} {found['version']}")
    under = html.escape(
        f"{found['direction']} · {found['timeframe']} bars of {_few(found['instruments'])} · {found['costs']} costs"
    )
    mode = html.escape(str(found["mode"]).upper())
    return (
        f"<p class='wbn-head'>Deploy <b>{what}</b> <span class='wbn-badge'>{mode}</span></p>"
        f"<p class='wbn-line wbn-quiet'>{under}</p>"
    )


def facts(found: Mapping[str, Any]) -> str:
    """Everything that the dry run found, line by line."""
    lines = [
        _calendar(found["calendar"]),
        line("good" if found["warm_up"]["is_warm"] else "look", found["warm_up"]["text"]),
        *_age(found),
        *_held(found),
        _runner(found["runner"]),
        line("plain", f"Dry run: last bar {_bar(found)}: {found['last_bar']['text']}{_values(found)}"),
        line("plain", f"Begins {_begins(found)}; next evaluations {_coming(found)}"),
        line("plain", f"Limits: {_limits(found)}"),
    ]
    return "".join(lines)


def refusals(found: Mapping[str, Any]) -> str:
    """Why it cannot be deployed as things stand, but for what is only to be ticked."""
    ticks = set(found["to_acknowledge"].values())
    return "".join(line("wrong", text) for text in found["problems"] if text not in ticks)


def deployed(status: Mapping[str, Any]) -> str:
    """Where a deployment stands right after it was made."""
    hindrance = f"not evaluated yet: {status['hindrance']}" if status["hindrance"] else "a runner evaluates it"
    lines = [
        line("good", f"Deployed as {status['name']}. It runs in the runner, not in this kernel."),
        line("look" if status["hindrance"] else "good", f"{status['status']}, {status['runtime_state']}: {hindrance}"),
        line("plain", f"Next evaluations (UTC) {_times(status['next_evaluations'], 'UTC') or 'are not known'}"),
        *(line("look", text) for text in status["warnings"]),
        line("plain", f"Watch it: wb.panels.deployments(), wb.panels.journal({status['name']!r})"),
    ]
    return "".join(lines)


def _calendar(found: Mapping[str, Any]) -> str:
    unknown = [str(one) for one in found["unknown"]]
    if not found["sessions"]:
        return line("look", f"calendar {found['name']} knows no session to come")
    if unknown or not found["is_known"]:
        days = ", ".join(unknown) or "today"
        return line("look", f"calendar {found['name']} does not cover {days}: nothing is entered on such a day")
    return line("good", f"calendar {found['name']} covers the next {found['sessions']} sessions")


def _age(found: Mapping[str, Any]) -> Iterable[str]:
    """That the history is old: a weekend and a holiday are no reason to look."""
    days = (found["at"] - found["last_bar"]["closed"]).days
    if days < OLD_DAYS:
        return []
    return [line("look", f"the history ends {counted(days, 'day')} ago: what has passed since must come from the feed")]


def _held(found: Mapping[str, Any]) -> Iterable[str]:
    if not found["warnings"]:
        return [line("good", f"nothing else of yours holds {_few(found['instruments'])}")]
    return [line("look", text) for text in found["warnings"]]


def _runner(runner: str) -> str:
    if runner:
        return line("good", f"runner: {runner}")
    return line("look", "no runner is running: a deployment is written down, and taken on when one starts")


def _bar(found: Mapping[str, Any]) -> str:
    bar, zone = found["last_bar"], found["zone"]
    return f"{_local(bar['opened'], zone)} to {_local(bar['closed'], zone)[-5:]} ({zone})"


def _values(found: Mapping[str, Any]) -> str:
    """What the indicators said, of one instrument: of several it would be a table."""
    if len(found["last_bar"]["values"]) > 1:
        return ""
    (values,) = found["last_bar"]["values"].values()
    said = [f"{text} = {value:.6g}" for text, value in values.items() if value == value]
    return f" ({', '.join(said[:MOST_VALUES])})" if said else ""


def _begins(found: Mapping[str, Any]) -> str:
    if found["is_at_once"]:
        return "at once, with that bar"
    return f"with the first bar from {_local(found['begins'], found['zone'])} on"


def _coming(found: Mapping[str, Any]) -> str:
    return _times(found["next_evaluations"], found["zone"]) or "are not known"


def _times(instants: Iterable[pd.Timestamp], zone: str) -> str:
    """Instants in a zone, the date where it is another than before: ``2026-11-23 09:30, 09:45``."""
    found, date = [], ""
    for at in instants:
        before, (date, time) = date, _local(at, zone).split(" ")
        found.append(time if date == before else f"{date} {time}")
    return ", ".join(found)


def _limits(found: Mapping[str, Any]) -> str:
    """What the strategy bounds by itself, then what the owner may do and has used."""
    own = [f"{_worded(name)} {_bound(name, value)}" for name, value in found["strategy_limits"].items()]
    owner = [
        f"{figure(one['used'])} of {figure(one['allowed'])} {_worded(one['name'])}"
        for one in found["limits"]
        if one["used"] or one["name"] in _ALWAYS
    ]
    return " · ".join([*own, *owner])


def _bound(name: str, value: float) -> str:
    return f"{100 * value:g} %" if name.endswith("_frac") else figure(value)


def _worded(name: str) -> str:
    return name.removesuffix("_frac").removesuffix("_limit").replace("_", " ")


def _few(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def _local(at: pd.Timestamp, zone: str) -> str:
    return f"{at.tz_convert(zone):%Y-%m-%d %H:%M}"
