"""A process that a test watches and acts on: the real service on stored bars, line by line and look by look."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from tests.operated import CASH, COSTS, START, bars, empty_database, strategy
from workbench.live import process
from workbench.live.client import Client
from workbench.live.exit_codes import Exit
from workbench.live.feed import ClosedBar, Feed
from workbench.live.feeds.replay import ReplayFeed
from workbench.live.given import Given
from workbench.live.process import serve
from workbench.live.service import Pace, Service
from workbench.live.wall import Ending
from workbench.research.backtest import backtest

DATA = bars()


class Watched:
    """A database with one deployment, and a service whose lines and bars a test looks at and acts on."""

    def __init__(self, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch, url: str = "") -> None:
        monkeypatch.setattr(process, "BACKOFF_NS", 0)
        monkeypatch.setattr(process, "MOST_BACKOFF_NS", 0)
        self.url = url or str(folder / "w.db")
        if not url:
            (folder / "w.db").write_bytes(empty_database())
        self.lines: list[str] = []
        self.on_line: Callable[[str], None] = lambda _: None
        self.on_take: dict[int, Callable[[], Any]] = {}
        self.takes = 0
        self.without: set[int] = set()
        self.ends = True
        self.ending = Ending()
        self.client = Client.open(self.url)

    def say(self, text: str) -> None:
        """Keep a line, and let the test act on it."""
        self.lines.append(text)
        self.on_line(text)

    def deploy(self, name: str = "dip", start: str = START) -> str:
        """A deployment that decides from a date on."""
        return self.client.deploy(strategy(), DATA, COSTS, CASH, start, name)

    def seen(self, name: str) -> dict[pd.Timestamp, str]:
        """Hash of the bars that a deployment saw at each of its evaluations."""
        rows = self.client.journal(name, "EVALUATED", limit=10_000)
        return {row["instant"]: row["body"]["bars"] for row in rows.to_dict("records")}

    def serve(self, **changes: Any) -> Exit:
        """Serve stored bars as fast as it goes."""
        given: dict[str, Any] = {"source": _Source(self), "pace": Pace(START), "ending": self.ending, **changes}
        return serve(Service(self.url, say=self.say, **given))

    def said(self, text: str) -> bool:
        """Whether a line holds a text."""
        return any(text in line for line in self.lines)

    def equals_backtest(self, name: str = "dip") -> bool:
        """Whether a deployment did what a backtest does, to the last bit."""
        result = backtest(strategy(), DATA, CASH, COSTS, START)
        assert_frame_equal(self.client.equity(name), result.equity, check_exact=True)
        assert_frame_equal(self.client.trades(name), result.trades, check_exact=True)
        return len(result.trades) > 3


class _Source:
    """Stored bars whose feed does what a test wants at its n-th look."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched

    def feed(self, deployed: Iterable[Given]) -> Feed:
        del deployed
        watched = self._watched

        class Acting(ReplayFeed):
            def take(self, now_ns: int) -> list[ClosedBar]:
                watched.takes += 1
                watched.on_take.get(watched.takes, lambda: None)()
                return [one for one in super().take(now_ns) if one.ts_ns not in watched.without]

        return Acting(DATA)

    def last_ns(self) -> int | None:
        return max(int(one.grid.close_ns[-1]) for one in DATA.values()) if self._watched.ends else None


@pytest.fixture
def watched(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """With one deployment."""
    made = Watched(folder, monkeypatch)
    made.deploy()
    return made
