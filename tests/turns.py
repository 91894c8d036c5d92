"""One deployment on made-up closes, driven turn by turn in virtual time by the real runner."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

import workbench as wb
from tests.paper_run import rows, started
from workbench.journal.store import Store
from workbench.live.clock import VirtualClock
from workbench.live.deploy import Wish, deploy
from workbench.live.replay import find, replayed
from workbench.live.runner import Runner
from workbench.live.standing import Standing, Status

MINUTE = 60 * 10**9


def made(closes: list[float], start: str = "2024-03-04 09:15") -> wb.Bars:
    """NSE bars of five minutes at given closes; each opens where the last one closed, a tick wide."""
    index = pd.date_range(start, periods=len(closes), freq="5min", tz="Asia/Kolkata", name="ts")
    opens = np.array([closes[0], *closes[:-1]])
    frame = pd.DataFrame({"open": opens, "close": closes, "volume": 1000.0}, index=index)
    frame["high"] = frame[["open", "close"]].max(axis=1) + 0.05
    frame["low"] = frame[["open", "close"]].min(axis=1) - 0.05
    return wb.Bars(frame, "5m", "NSE")


def strategy(**changes: Any) -> wb.Strategy:
    fields = {
        "name": "s", "version": "1.0.0", "instruments": ("NSE:INFY",), "timeframe": "5m", "calendar": "NSE",
        "product": "CNC", "entry": "close > 100", "exit": "close < 90", "sizing": wb.FixedQty(10),
    }  # fmt: skip
    return wb.Strategy(**{**fields, **changes})


class Desk:
    """One deployment driven turn by turn."""

    def __init__(self, bars: wb.Bars, **changes: Any) -> None:
        self.store, self.data = Store.open(":memory:"), {"NSE:INFY": bars}
        self.ident = deploy(self.store, Wish(strategy(**changes), self.data, wb.costs.none(), 1e6, 0), 0)
        self.clock = VirtualClock(int(bars.ts_ns[0]))
        self.runner = started(self.store, self.data, self.clock, "one")

    @property
    def standing(self) -> Standing:
        return self.runner.standings[self.ident]

    def turns(self, count: int) -> None:
        for _ in range(count):
            self.clock.wait_until(self.runner.turn())

    def restart(self) -> Runner:
        self.runner = started(self.store, self.data, self.clock, "one")
        return self.runner

    def bodies(self, kind: str) -> list[dict[str, Any]]:
        told = rows(self.store, "journal", self.ident, "seq")
        return [json.loads(row["body"]) for row in told if row["kind"] == kind]

    def fills(self) -> list[tuple[int, float, str]]:
        return [(row["side"], row["price"], row["reason"]) for row in rows(self.store, "fills", self.ident, "number")]

    def replays(self) -> bool:
        with self.store.read() as connection:
            return not replayed(connection, find(connection, self.ident, "local")).differences


def paused(desk: Desk) -> None:
    desk.standing.status = Status.PAUSED
