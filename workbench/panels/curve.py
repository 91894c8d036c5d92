"""The account of one deployment along time, read once and then only what is new."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa

from workbench.journal import tables
from workbench.live.client import Client
from workbench.live.facts import deployment_of
from workbench.market.calendar import resolve_calendar
from workbench.market.timeframe import DAY_NS, Timeframe
from workbench.research.plots.clock import breaks_between
from workbench.research.thinning import extremes
from workbench.schema import Reason

#: Points of a line that a figure is given; every peak and trough is among them.
POINTS = 2_000

Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


class Curve:
    """Equity, drawdown, entries and exits of a deployment.

    Parameters
    ----------
    client : Client
        Of its database.
    name : str
        Of the deployment.

    Raises
    ------
    ConfigError
        There is no such deployment.
    """

    def __init__(self, client: Client, name: str) -> None:
        self.name = name
        with client.store.read() as connection:
            row = deployment_of(connection, client.owner, name)
        self.initial_cash = float(row["initial_cash"])
        self._calendar = resolve_calendar(row["calendar"])
        self._is_daily = Timeframe.parse(row["timeframe"]).is_daily
        self._id, self._fills = row["id"], 0
        frame = client.equity(name)
        self.ts_ns: Times = pd.DatetimeIndex(frame.index).as_unit("ns").asi8
        self.equity: Values = frame["equity"].to_numpy()
        self.entries: list[tuple[int, str]] = []
        self.exits: list[tuple[int, str]] = []
        self._read_fills(client)

    @property
    def zone(self) -> str:
        """Of its exchange, in which a chart shows times."""
        return str(self._calendar.zone)

    def read(self, client: Client) -> int:
        """Read what is new; how many points that were."""
        since_ns = int(self.ts_ns[-1]) if len(self.ts_ns) else 0
        table = tables.equity_points
        wanted = (
            sa.select(table.c.ts_ns, table.c.cash, table.c.position_value)
            .where(table.c.ts_ns > since_ns, table.c.deployment_id == self._id)
            .order_by(table.c.ts_ns)
        )
        with client.store.read() as connection:
            rows = connection.execute(wanted).all()
        if rows:
            self.ts_ns = np.append(self.ts_ns, np.array([row.ts_ns for row in rows], np.int64))
            self.equity = np.append(self.equity, np.array([row.cash + row.position_value for row in rows]))
        self._read_fills(client)
        return len(rows)

    def drawdown_frac(self) -> Values:
        """From the highest equity so far, which begins with the initial cash."""
        peak = np.maximum.accumulate(np.maximum(self.equity, self.initial_cash))
        return self.equity / peak - 1.0

    def line(self, values: Values) -> tuple[list[str], Values]:
        """Times and values for a chart: few enough, and none of its extremes missing."""
        kept = extremes(values, POINTS)
        return self._written(self.ts_ns[kept]), values[kept]

    def marks(self, fills: list[tuple[int, str]]) -> tuple[list[str], Values, list[str]]:
        """Times, equity and texts of fills: each at the first point of the account after it."""
        stamps = np.array([ns for ns, _ in fills], np.int64)
        at = np.searchsorted(self.ts_ns, stamps)
        there = at < len(self.ts_ns)
        texts = [text for (_, text), is_there in zip(fills, there, strict=True) if is_there]
        return self._written(self.ts_ns[at[there]]), self.equity[at[there]], texts

    def wall(self, ns: Times) -> pd.DatetimeIndex:
        """Instants as wall time of the exchange."""
        return pd.DatetimeIndex(ns, tz="UTC").tz_convert(self.zone).tz_localize(None)

    def _written(self, ns: Times) -> list[str]:
        """Wall times as plotly reads them: of arrays of times its widget would show the numbers."""
        return [str(one) for one in self.wall(ns)]

    def breaks(self) -> list[dict[str, Any]]:
        """What no session covers, for the axis of time; nothing before there is a point."""
        if not len(self.ts_ns):
            return []
        table = self._calendar.table(int(self.ts_ns[0]) // DAY_NS, int(self.ts_ns[-1]) // DAY_NS + 7)
        if not len(table):
            return []
        return breaks_between(self.wall(table.open_ns), self.wall(table.close_ns), self._is_daily)

    def _read_fills(self, client: Client) -> None:
        table = tables.fills
        wanted = table.select().where(table.c.deployment_id == self._id, table.c.number > self._fills)
        with client.store.read() as connection:
            rows = connection.execute(wanted.order_by(table.c.number)).mappings().all()
        for row in rows:
            side = "buy" if row["side"] > 0 else "sell"
            text = f"{side} {row['qty']:g} {row['instrument']} at {row['price']:g}: {row['reason']}"
            (self.entries if row["reason"] == Reason.ENTRY_SIGNAL.name else self.exits).append((row["ns"], text))
            self._fills = row["number"]
