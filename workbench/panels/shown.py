"""Tables of a panel as texts, for where nothing is live: what a person reads, not what a program computes with."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from workbench.live.client import Client
from workbench.live.words import figure

#: Rows of a journal that are shown where it is not live.
JOURNAL_ROWS = 50


class Table(NamedTuple):
    """A table of texts.

    Attributes
    ----------
    title : str
        What it is.
    columns : tuple of str
        Their names.
    rows : list of list of str
        Texts, as they are: whoever shows them escapes them.
    numbers : tuple of int
        Columns that hold numbers.
    empty : str
        What is said when there is no row.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[list[str]]
    numbers: tuple[int, ...]
    empty: str


def deployments_table(client: Client) -> Table:
    """One line a deployment: its state in words, position, last decision and money."""
    columns = (
        "name", "version", "mode", "status", "state", "position", "P&L", "last evaluation", "decision", "not evaluated",
    )  # fmt: skip
    empty = "Nothing is deployed yet: wb.panels.deploy(result) shows how it would be."
    rows = [
        [
            row["name"], row["version"], row["mode"], _status(row), row["runtime_state"], row["position"] or "none",
            _money(row["pnl"]), _time(row["last_evaluation"]), f"{row['decision']} {row['reason']}".strip(),
            row["hindrance"],
        ]
        for row in client.deployments().to_dict("records")
    ]  # fmt: skip
    return Table("Deployments", columns, rows, (6,), empty)


def journal_table(client: Client, name: str) -> Table:
    """The newest rows of a journal."""
    rows = [
        [str(row["seq"]), _time(row["instant"]), row["kind"], json.dumps(row["body"], ensure_ascii=False)[:300]]
        for row in client.journal(name, limit=JOURNAL_ROWS).to_dict("records")
    ]
    empty = "Nothing has happened yet: no runner has taken it on."
    return Table(f"Journal of {name}", ("no.", "instant", "kind", "what"), rows, (0,), empty)


def exposure_table(client: Client) -> Table:
    """One line an instrument that is held."""
    rows = [
        [row["instrument"], figure(row["qty"]), _money(row["notional"]), ", ".join(row["deployments"])]
        for row in client.exposure().to_dict("records")
    ]
    columns = ("instrument", "units", "value at the last close", "held by")
    return Table("Exposure", columns, rows, (1, 2), "Nothing is held.")


def html_of(table: Table, note: str) -> str:
    """A table as HTML, every text escaped, for pages in which nothing runs."""
    escape: Callable[[str], str] = html.escape
    said = f"<p>{escape(note)}</p>"
    if not table.rows:
        return f"<div>{said}<p>{escape(table.title)}: {escape(table.empty)}</p></div>"
    align = ["right" if at in table.numbers else "left" for at in range(len(table.columns))]
    head = "".join(
        f"<th scope='col' style='text-align:{side}'>{escape(name)}</th>"
        for name, side in zip(table.columns, align, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td style='text-align:{side}'>{escape(text)}</td>" for text, side in zip(row, align, strict=True))
        + "</tr>"
        for row in table.rows
    )
    caption = f"<caption style='text-align:left'>{escape(table.title)}</caption>"
    return f"<div>{said}<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _status(row: Mapping[Any, Any]) -> str:
    """Never RUNNING for what is not evaluated."""
    return "NOT EVALUATED" if row["status"] == "RUNNING" and not row["is_evaluated"] else str(row["status"])


def _money(value: float | None) -> str:
    return "" if value is None or pd.isna(value) else figure(round(value, 2))


def _time(value: Any) -> str:
    return "never" if value is None or pd.isna(value) else f"{value:%Y-%m-%d %H:%M}Z"

