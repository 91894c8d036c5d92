"""Bars that came after their interval had passed, or that differ from the one used: kept, told, and used for nothing.

Rule B5: what was decided stays explained by the bars that were seen then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from workbench.journal import tables
from workbench.live.feed import ClosedBar
from workbench.live.inbox import bar_row, revision_of
from workbench.live.page import Page
from workbench.live.standing import Standing


def write_late(
    connection: sa.Connection, page: Page, late: Sequence[ClosedBar], standings: Collection[Standing], now: int
) -> None:
    """Write late bars down, and tell those that follow their instruments.

    Parameters
    ----------
    connection : sa.Connection
        The transaction that will keep the page: what is stored decides which revision a bar is.
    page : Page
        Takes the rows.
    late : sequence of ClosedBar
        They, perhaps more than once.
    standings : collection of Standing
        Who may follow them.
    now : int
        The instant.
    """
    for bar in dict.fromkeys(late):
        on_page = sum(_key(row) == (bar.instrument, bar.timeframe, bar.ts_ns) for row in page.inserted["bars"])
        revision = revision_of(connection, bar, on_page)
        if revision is None:
            continue
        page.add(tables.bars, bar_row(bar, revision, now, late=True))
        kind, body = "BAR_REVISED" if revision else "LATE_BAR", {"revision": revision, **bar._asdict()}
        for one in standings:
            if bar.instrument in one.deployed.number:
                one.write(page, bar.ts_ns, now, kind, body)
                one.keep(page, now)


def _key(row: Mapping[str, object]) -> tuple[object, ...]:
    return row["instrument"], row["timeframe"], row["ts_ns"]
