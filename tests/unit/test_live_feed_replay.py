"""Stored bars come out once, when they close on their grid, in the order of their closes (rules B1, B4, B5)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.errors import ConfigError
from workbench.live.feed import ClosedBar, Feed
from workbench.live.feeds.replay import ReplayFeed
from workbench.market import samples
from workbench.market.bars import Bars
from workbench.market.calendar import Calendar, resolve_calendar
from workbench.market.calendar_rows import CalendarRow, CalendarRows
from workbench.market.sessions import day_number

NSE = resolve_calendar("NSE")


def ns(text: str) -> int:
    return int(pd.Timestamp(text).as_unit("ns").value)


def bars_at(stamps: list[str], timeframe: str, calendar: Calendar, first: float = 100.0) -> Bars:
    """Bars at some instants; the k-th has the open ``first + k`` and the volume k."""
    opens = first + np.arange(len(stamps), dtype=float)
    index = pd.DatetimeIndex([pd.Timestamp(stamp).tz_convert("UTC") for stamp in stamps], name="ts")
    frame = pd.DataFrame({"open": opens, "high": opens + 2, "low": opens - 1, "close": opens + 1,
                          "volume": np.arange(len(stamps), dtype=float)}, index=index)  # fmt: skip
    return Bars(frame, timeframe, calendar)


def following(data: dict[str, Bars], since_ns: int = 0) -> ReplayFeed:
    feed = ReplayFeed(data)
    for name, bars in data.items():
        feed.follow(name, str(bars.timeframe), bars.calendar, since_ns)
    return feed


def test_B5_a_bar_comes_once_and_not_before_its_close() -> None:
    bars = bars_at(["2024-01-15 09:15+05:30", "2024-01-15 09:20+05:30"], "5m", NSE)
    feed: Feed = following({"NSE:A": bars})
    assert feed.take(ns("2024-01-15 09:20+05:30") - 1) == []
    first = ClosedBar("NSE:A", "5m", ns("2024-01-15 09:15+05:30"), 100.0, 102.0, 99.0, 101.0, 0.0)
    assert feed.take(ns("2024-01-15 09:20+05:30")) == [first]
    assert feed.take(ns("2024-01-15 09:20+05:30")) == []
    assert [bar.open for bar in feed.take(ns("2030-01-01 00:00+05:30"))] == [101.0]
    assert feed.gaps() == []


def test_B1_a_bar_closes_with_its_session_and_at_a_pause() -> None:
    day = day_number("2024-01-20")
    pieces = [CalendarRow(day, "NSE", "SPECIAL", 9 * 60 + 15, 10 * 60), CalendarRow(day, "NSE", "SPECIAL", 660, 750)]
    calendar = NSE.with_rows(CalendarRows.of(pieces))
    stamps = ["2024-01-15 15:15+05:30", "2024-01-20 09:15+05:30", "2024-01-20 10:15+05:30", "2024-01-20 12:15+05:30"]
    feed = following({"NSE:A": bars_at(stamps, "1h", calendar)})
    closes = []
    while (now := feed.next_ns(0)) is not None:
        closes.append(str(pd.Timestamp(now, tz="UTC").tz_convert("Asia/Kolkata"))[:16])
        assert len(feed.take(now)) == 1
    assert closes == ["2024-01-15 15:30", "2024-01-20 10:00", "2024-01-20 11:15", "2024-01-20 12:30"]


def test_B4_a_daily_bar_closes_with_its_session() -> None:
    xnys = resolve_calendar("XNYS")
    bars = bars_at(["2024-07-02 00:00+00:00", "2024-07-03 00:00+00:00"], "1d", xnys)
    feed = following({"XNYS:A": bars})
    assert feed.next_ns(0) == ns("2024-07-02 16:00-04:00")
    assert [bar.ts_ns for bar in feed.take(ns("2024-07-03 13:00-04:00") - 1)] == [ns("2024-07-02 00:00+00:00")]
    assert [bar.ts_ns for bar in feed.take(ns("2024-07-03 13:00-04:00"))] == [ns("2024-07-03 00:00+00:00")]


def test_bars_of_one_instant_come_by_name_and_all_by_close() -> None:
    first = ["2024-01-15 09:15+05:30", "2024-01-15 09:20+05:30"]
    data = {"NSE:B": bars_at(first, "5m", NSE), "NSE:C": bars_at(first[:1], "15m", NSE)}
    feed = following(data | {"NSE:A": bars_at(first, "5m", NSE)})
    got = [(bar.instrument, bar.timeframe, bar.open) for bar in feed.take(ns("2024-01-16 00:00+00:00"))]
    assert got == [("NSE:A", "5m", 100.0), ("NSE:B", "5m", 100.0), ("NSE:A", "5m", 101.0), ("NSE:B", "5m", 101.0),
                   ("NSE:C", "15m", 100.0)]  # fmt: skip


def test_only_what_is_followed_comes_and_only_after_since() -> None:
    stamps = ["2024-01-15 09:15+05:30", "2024-01-15 09:20+05:30", "2024-01-15 09:25+05:30"]
    feed = ReplayFeed({"NSE:A": bars_at(stamps, "5m", NSE), "NSE:B": bars_at(stamps, "5m", NSE)})
    assert feed.take(ns("2025-01-01 00:00+00:00")) == []
    assert feed.next_ns(0) is None
    feed.follow("NSE:A", "5m", NSE, ns("2024-01-15 09:25+05:30"))
    feed.follow("NSE:A", "5m", NSE, 0)
    assert [bar.open for bar in feed.take(ns("2025-01-01 00:00+00:00"))] == [102.0]


def test_an_instrument_that_is_followed_later_is_caught_up() -> None:
    stamps = ["2024-01-15 09:15+05:30", "2024-01-15 09:20+05:30", "2024-01-15 09:25+05:30"]
    feed = ReplayFeed({"NSE:A": bars_at(stamps, "5m", NSE, 200.0), "NSE:B": bars_at(stamps, "5m", NSE)})
    feed.follow("NSE:B", "5m", NSE, 0)
    assert [bar.open for bar in feed.take(ns("2024-01-15 09:25+05:30"))] == [100.0, 101.0]
    feed.follow("NSE:A", "5m", NSE, ns("2024-01-15 09:20+05:30"))
    assert feed.through_ns("NSE:A", "5m") == 0
    assert feed.next_ns(0) == ns("2024-01-15 09:25+05:30")
    assert [bar.open for bar in feed.take(ns("2024-01-15 09:25+05:30"))] == [201.0]
    assert feed.through_ns("NSE:A", "5m") == ns("2024-01-15 09:25+05:30")
    assert [bar.open for bar in feed.take(ns("2024-01-15 09:30+05:30"))] == [202.0, 102.0]


def test_B7_it_is_complete_through_the_instant_asked_for_and_no_further_than_its_last_bar() -> None:
    bars = bars_at(["2024-01-15 09:15+05:30", "2024-01-15 09:30+05:30"], "5m", NSE)
    feed = following({"NSE:A": bars})
    assert feed.through_ns("NSE:A", "5m") == 0
    feed.take(ns("2024-01-15 09:27+05:30"))
    assert feed.through_ns("NSE:A", "5m") == ns("2024-01-15 09:27+05:30")
    feed.take(ns("2024-01-15 09:22+05:30"))
    assert feed.through_ns("NSE:A", "5m") == ns("2024-01-15 09:27+05:30")
    feed.take(ns("2024-01-15 11:00+05:30"))
    assert feed.through_ns("NSE:A", "5m") == ns("2024-01-15 09:35+05:30")
    assert feed.through_ns("NSE:A", "15m") == 0
    assert feed.through_ns("NSE:B", "5m") == 0
    assert feed.next_ns(0) is None


def test_B5_bar_by_bar_gives_what_one_take_gives() -> None:
    bars = samples.synthetic(seed=5, start="2024-01-01", end="2024-02-29")
    data = {"NSE:A": bars, "NSE:B": samples.synthetic(seed=6, start="2024-01-15", end="2024-02-15")}
    slow, at_once = following(data), following(data)
    got: list[ClosedBar] = []
    while (now := slow.next_ns(0)) is not None:
        got += slow.take(now)
    assert got == at_once.take(2**62)
    own = [bar for bar in got if bar.instrument == "NSE:A"]
    assert [bar.ts_ns for bar in own] == bars.ts_ns.tolist()
    for name in ("open", "high", "low", "close", "volume"):
        assert [getattr(bar, name) for bar in own] == getattr(bars, name).tolist()
    assert {type(value) for value in own[0]} == {str, int, float}


@pytest.mark.parametrize(
    ("instrument", "timeframe", "calendar", "message"),
    [
        ("NSE:B", "5m", "NSE", "no bars of NSE:B to replay; there are those of NSE:A"),
        ("NSE:A", "15m", "NSE", "are 5m bars, not 15m"),
        ("NSE:A", "5m", "XNYS", "on the calendar NSE, not XNYS"),
    ],
)
def test_what_is_not_there_is_refused(instrument: str, timeframe: str, calendar: str, message: str) -> None:
    feed = ReplayFeed({"NSE:A": bars_at(["2024-01-15 09:15+05:30"], "5m", NSE)})
    with pytest.raises(ConfigError, match=message):
        feed.follow(instrument, timeframe, resolve_calendar(calendar), 0)


def test_B7_an_instrument_that_ends_before_others_is_complete_through_their_end() -> None:
    long = ["2024-01-15 09:15+05:30", "2024-01-15 09:20+05:30", "2024-01-15 09:25+05:30"]
    feed = following({"NSE:A": bars_at(long[:1], "5m", NSE), "NSE:B": bars_at(long, "5m", NSE)})
    feed.take(ns("2024-01-15 09:25+05:30"))
    assert feed.through_ns("NSE:A", "5m") == ns("2024-01-15 09:25+05:30")
    feed.take(ns("2024-01-15 12:00+05:30"))
    assert feed.through_ns("NSE:A", "5m") == feed.through_ns("NSE:B", "5m") == ns("2024-01-15 09:30+05:30")
