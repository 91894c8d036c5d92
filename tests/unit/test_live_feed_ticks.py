"""Ticks become the bars of the grid's intervals, whatever the order in which they arrive (rules B1, B2, B5, B6, B7)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import ConfigError
from workbench.live.feed import ClosedBar, Feed, Gap
from workbench.live.feeds.ticks import TickFeed
from workbench.market import samples
from workbench.market.calendar import Calendar, resolve_calendar
from workbench.market.calendar_rows import CalendarRow, CalendarRows
from workbench.market.grid import build_grid
from workbench.market.sessions import day_number
from workbench.market.timeframe import DAY_NS

NSE = resolve_calendar("NSE")
SECOND = 1_000_000_000
FOREVER = 2**62


def ns(text: str) -> int:
    return int(pd.Timestamp(text).as_unit("ns").value)


def at(clock: str) -> int:
    """An instant of 2024-01-15, a Monday, in Mumbai."""
    return ns(f"2024-01-15 {clock}+05:30")


def following(timeframe: str = "5m", calendar: Calendar = NSE, since_ns: int = 0, **settings: int) -> TickFeed:
    feed = TickFeed(**settings)
    feed.follow("NSE:A", timeframe, calendar, since_ns)
    return feed


def test_B5_a_bar_is_final_a_moment_after_its_close() -> None:
    feed = following()
    port: Feed = feed
    for clock, price, qty in (("15:00", 100.0, 5), ("16:00", 103.0, 1), ("17:00", 99.0, 2), ("19:59", 101.0, 4)):
        feed.tick("NSE:A", at(f"09:{clock}"), price, qty)
    assert port.next_ns(0) == at("09:20:02")
    assert port.take(at("09:20:02") - 1) == []
    assert port.take(at("09:20:02")) == [ClosedBar("NSE:A", "5m", at("09:15:00"), 100.0, 103.0, 99.0, 101.0, 12.0)]
    assert port.take(at("09:20:02")) == []
    assert port.gaps() == []
    assert feed.count("NSE:A", "5m") == (4, 0, 0, 0)


def test_B5_a_tick_of_the_closed_interval_still_counts_while_the_bar_is_not_final() -> None:
    feed = following(lateness_ns=5 * SECOND)
    feed.tick("NSE:A", at("09:16:00"), 100.0, 1)
    assert feed.take(at("09:20:04")) == []
    feed.tick("NSE:A", at("09:20:01"), 102.0, 1)
    feed.tick("NSE:A", at("09:19:58"), 101.0, 1)
    assert [(bar.close, bar.volume) for bar in feed.take(at("09:20:05"))] == [(101.0, 2.0)]
    assert [(bar.open, bar.volume) for bar in feed.take(at("09:25:05"))] == [(102.0, 1.0)]


def test_B5_a_late_tick_is_counted_told_and_changes_nothing() -> None:
    feed = following()
    feed.tick("NSE:A", at("09:16:00"), 100.0, 1)
    assert len(feed.take(at("09:20:02"))) == 1
    for _ in range(3):
        feed.tick("NSE:A", at("09:19:00"), 200.0, 1)
    assert feed.take(FOREVER) == []
    assert feed.count("NSE:A", "5m").late == 3
    assert feed.gaps() == [Gap("NSE:A", "5m", at("09:15:00"),
                               "3 ticks came when the bar was final, and changed nothing")]  # fmt: skip
    assert feed.gaps() == []


def test_B5_a_tick_of_a_silent_interval_that_is_final_makes_no_bar() -> None:
    feed = following()
    assert feed.take(at("09:20:02")) == []
    feed.tick("NSE:A", at("09:19:00"), 100.0, 1)
    assert feed.take(FOREVER) == []
    assert feed.count("NSE:A", "5m") == (0, 1, 0, 0)


def test_B7_a_silent_interval_gives_no_bar_and_does_not_stop_the_feed() -> None:
    feed = following()
    assert feed.through_ns("NSE:A", "5m") == 0
    feed.tick("NSE:A", at("09:16:00"), 100.0, 1)
    feed.tick("NSE:A", at("09:26:00"), 101.0, 1)
    assert [bar.ts_ns for bar in feed.take(at("09:25:02"))] == [at("09:15:00")]
    assert feed.through_ns("NSE:A", "5m") == at("09:25:00")
    assert [bar.ts_ns for bar in feed.take(at("09:30:02"))] == [at("09:25:00")]
    feed.take(at("09:20:00"))
    assert feed.through_ns("NSE:A", "5m") == at("09:30:00")
    assert feed.next_ns(0) is None
    assert feed.gaps() == []


def test_ticks_of_one_instant_are_ordered_by_arrival() -> None:
    feed = following()
    for clock, price in (("09:18:00", 5.0), ("09:16:00", 2.0), ("09:16:00", 3.0), ("09:18:00", 6.0), ("09:17:00", 9.0)):
        feed.tick("NSE:A", at(clock), price, 1)
    bar = feed.take(FOREVER)[0]
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (2.0, 9.0, 2.0, 6.0, 5.0)


def test_the_order_of_arrival_changes_no_bit_of_the_volume() -> None:
    ticks = [(at("09:16:00") + k, qty) for k, qty in enumerate([1e16, 1.0, 1.0, 0.1, 0.2, 0.3])]
    volumes = set()
    for order in (ticks, ticks[::-1], ticks[3:] + ticks[:3]):
        feed = following()
        for instant, qty in order:
            feed.tick("NSE:A", instant, 100.0, qty)
        volumes.add(feed.take(FOREVER)[0].volume)
    assert volumes == {1e16 + 2.0}


def test_B2_ticks_outside_the_session_and_in_a_pause_are_dropped_and_counted() -> None:
    day = day_number("2024-01-20")
    pieces = [CalendarRow(day, "NSE", "SPECIAL", 555, 600), CalendarRow(day, "NSE", "SPECIAL", 690, 750)]
    feed = following("30m", NSE.with_rows(CalendarRows.of(pieces)))
    # 09:15 to 10:00 and 11:30 to 12:30: the intervals are 09:15, 09:45, 11:15 and 11:45, 12:15.
    for clock in ("09:14:59", "09:15", "09:59:59", "10:00", "11:20", "11:30", "11:29:59", "12:29:59", "12:30"):
        feed.tick("NSE:A", ns(f"2024-01-20 {clock}+05:30"), 100.0, 1)
    feed.tick("NSE:A", ns("2024-01-21 11:00+05:30"), 100.0, 1)
    assert feed.count("NSE:A", "30m") == (4, 0, 6, 0)
    got = [pd.Timestamp(bar.ts_ns, tz="UTC").tz_convert("Asia/Kolkata").strftime("%H:%M") for bar in feed.take(FOREVER)]
    assert got == ["09:15", "09:45", "11:15", "12:15"]
    assert feed.gaps() == []


def test_B1_a_short_interval_is_final_when_the_session_closes() -> None:
    feed = following("1h")
    feed.tick("NSE:A", at("15:20:00"), 100.0, 1)
    assert feed.next_ns(0) == at("15:30:02")
    assert [bar.ts_ns for bar in feed.take(at("15:30:02"))] == [at("15:15:00")]


def test_B1_a_half_day_ends_early() -> None:
    feed = following("1h", resolve_calendar("XNYS"))
    feed.tick("NSE:A", ns("2024-07-03 12:45-04:00"), 100.0, 1)
    feed.tick("NSE:A", ns("2024-07-03 13:00-04:00"), 100.0, 1)
    assert [bar.ts_ns for bar in feed.take(ns("2024-07-03 13:00:02-04:00"))] == [ns("2024-07-03 12:30-04:00")]
    assert feed.count("NSE:A", "1h") == (1, 0, 1, 0)


@pytest.mark.parametrize(("monday", "utc"), [("2024-03-04", "22:00"), ("2024-03-11", "21:00"), ("2024-11-04", "22:00")])
def test_B2_a_forex_session_opens_at_17_00_in_new_york_and_is_named_by_its_close(monday: str, utc: str) -> None:
    feed = TickFeed()
    for timeframe in ("4h", "1d"):
        feed.follow("FX:EUR_USD", timeframe, resolve_calendar("FX"), 0)
    opening = ns(f"{monday} {utc}+00:00") - DAY_NS
    feed.tick("FX:EUR_USD", opening - 1, 1.2, 1)
    feed.tick("FX:EUR_USD", opening, 1.1, 1)
    got = [(bar.timeframe, bar.ts_ns) for bar in feed.take(FOREVER)]
    assert got == [("4h", opening), ("1d", ns(f"{monday} 00:00+00:00"))]
    assert feed.count("FX:EUR_USD", "4h") == (1, 0, 1, 0)


@pytest.mark.parametrize(
    ("instant", "price", "qty", "why"),
    [
        (at("09:16"), math.nan, 1.0, "price nan, quantity 1.0: a price is above 0 and below 1e+12"),
        (at("09:16"), math.inf, 1.0, "price inf, quantity 1.0: a price is above 0 and below 1e+12"),
        (at("09:16"), 0.0, 1.0, "price 0.0, quantity 1.0: a price is above 0 and below 1e+12"),
        (at("09:16"), -5.0, 1.0, "price -5.0, quantity 1.0: a price is above 0 and below 1e+12"),
        (at("09:16"), 5.0, -1.0, "price 5.0, quantity -1.0: a quantity is at least 0 and below 1e+18"),
        (at("09:16"), 5.0, math.nan, "price 5.0, quantity nan: a quantity is at least 0 and below 1e+18"),
        (-1, 5.0, 1.0, "price 5.0, quantity 1.0: a time lies between 1970 and 2200, in nanoseconds"),
        (2**63 - 1, 5.0, 1.0, "price 5.0, quantity 1.0: a time lies between 1970 and 2200, in nanoseconds"),
    ],
)
def test_B6_a_tick_that_cannot_be_is_refused_and_told(instant: int, price: float, qty: float, why: str) -> None:
    feed = following()
    feed.tick("NSE:A", instant, price, qty)
    feed.tick("NSE:A", at("09:17"), 100.0, 0.0)
    assert [(bar.low, bar.high, bar.volume) for bar in feed.take(FOREVER)] == [(100.0, 100.0, 0.0)]
    assert feed.gaps() == [Gap("NSE:A", "5m", instant, f"1 tick refused, the first for {why}")]
    feed.tick("NSE:A", instant + 1, price, qty)
    feed.tick("NSE:A", instant, price, qty)
    assert [(gap.ts_ns, gap.what[:15]) for gap in feed.gaps()] == [(instant + 1, "2 ticks refused")]
    assert feed.count("NSE:A", "5m").refused == 3


def test_bars_before_since_are_not_made_and_strangers_are_passed_over() -> None:
    feed = following(since_ns=at("09:20"))
    feed.follow("NSE:A", "5m", NSE, 0)
    for clock in ("09:16", "09:21"):
        feed.tick("NSE:A", at(clock), 100.0, 1)
        feed.tick("NSE:B", at(clock), 100.0, 1)
    assert [bar.ts_ns for bar in feed.take(FOREVER)] == [at("09:20")]
    assert feed.count("NSE:A", "5m") == (1, 1, 0, 0)
    assert feed.count("NSE:B", "5m") == (0, 0, 0, 0)
    assert feed.through_ns("NSE:B", "5m") == 0


def test_B5_an_interval_that_was_not_seen_whole_gets_no_bar() -> None:
    feed = following()
    feed.connected(at("09:16"))
    for clock in ("09:17", "09:21", "09:26", "09:36", "09:41"):
        if clock == "09:26":
            feed.disconnected(at("09:25:30"))
            feed.disconnected(at("09:25:40"))
            feed.connected(at("09:36"))
            feed.connected(at("09:36:30"))
        feed.tick("NSE:A", at(clock), 100.0, 1)
    assert [bar.ts_ns for bar in feed.take(FOREVER)] == [at("09:20"), at("09:40")]
    down, up = "from 2024-01-15 03:55:30+00:00", "until 2024-01-15 04:06:00+00:00"
    none = "no bar is made of 1 tick: others were missed"
    assert [(gap.ts_ns, gap.what) for gap in feed.gaps()] == [
        (at("09:25:30"), f"no ticks come {down}: an interval that is not seen whole gets no bar"),
        (at("09:15"), f"{none} until 2024-01-15 03:46:00+00:00"),
        (at("09:25"), f"{none} {down} {up}"),
        (at("09:35"), f"{none} {down} {up}"),
    ]


def test_B5_an_interval_is_whole_when_ticks_come_from_its_open_to_its_close() -> None:
    feed = following()
    feed.connected(at("09:15"))
    feed.tick("NSE:A", at("09:15"), 100.0, 1)
    feed.disconnected(at("09:20"))
    assert [bar.ts_ns for bar in feed.take(FOREVER)] == [at("09:15")]


def test_B5_while_no_ticks_come_there_are_no_bars_and_days_later_all_is_well() -> None:
    feed = following()
    feed.tick("NSE:A", at("09:16"), 100.0, 1)
    feed.disconnected(at("09:20"))
    feed.tick("NSE:A", at("09:21"), 100.0, 1)
    assert [bar.ts_ns for bar in feed.take(at("15:30"))] == [at("09:15")]
    feed.connected(at("15:30"))
    feed.take(ns("2024-01-18 09:15+05:30"))
    feed.connected(ns("2024-01-18 09:16+05:30"))
    feed.tick("NSE:A", ns("2024-01-18 09:15+05:30"), 100.0, 1)
    assert [bar.ts_ns for bar in feed.take(FOREVER)] == [ns("2024-01-18 09:15+05:30")]


def test_a_negative_lateness_is_refused() -> None:
    with pytest.raises(ConfigError, match="lateness_ns=-1 is negative"):
        TickFeed(lateness_ns=-1)


# --- against a plain computation ----------------------------------------------------------------------------------


class Tick(NamedTuple):
    """One trade, as it is handed to a feed."""

    ns: int
    price: float
    qty: float


FX = resolve_calendar("FX")
BROKEN_DAY = NSE.with_rows(CalendarRows.of([
    CalendarRow(day_number("2024-03-09"), "NSE", "SPECIAL", opens, closes)
    for opens, closes in ((555, 600), (607, 611), (690, 750))
]))  # fmt: skip
#: Calendars, and the day from which ticks are drawn: two pauses, a half day, clocks that change in New York.
GROUNDS = [(BROKEN_DAY, "2024-03-09"), (resolve_calendar("XNYS"), "2024-07-03"), (FX, "2024-03-10"), (FX, "2024-11-03"),
           (resolve_calendar("24x7"), "2024-03-09")]  # fmt: skip


def plainly(ticks: list[Tick], calendar: Calendar, timeframe: str) -> list[ClosedBar]:
    """Bars by grouping ticks, in the order of their instants, by the intervals of the grid."""
    day = min(tick.ns for tick in ticks) // DAY_NS
    grid = build_grid(calendar, timeframe, (day - 2) * DAY_NS, (day + 4) * DAY_NS)
    frame = pd.DataFrame(sorted(ticks), columns=list(Tick._fields))
    interval = np.searchsorted(grid.open_ns, frame["ns"], side="right") - 1
    trades = (interval >= 0) & (frame["ns"] < grid.close_ns[interval])
    table = grid.sessions
    for start, end in zip(table.pause_start_ns.tolist(), table.pause_end_ns.tolist(), strict=True):
        trades &= ~frame["ns"].between(start, end, inclusive="left")
    label = table.date[grid.session].astype(np.int64) * DAY_NS if timeframe == "1d" else grid.open_ns
    bars = frame[trades].groupby(interval[trades]).agg(
        open=("price", "first"), high=("price", "max"), low=("price", "min"), close=("price", "last"),
        volume=("qty", math.fsum),
    )  # fmt: skip
    return [ClosedBar("A:A", timeframe, int(label[row.Index]), *row[1:]) for row in bars.itertuples()]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_B2_bars_are_those_of_grouping_ticks_by_the_grid_however_they_arrive(data: st.DataObject) -> None:
    calendar, date = data.draw(st.sampled_from(GROUNDS))
    timeframe = data.draw(st.sampled_from(["1m", "7m", "15m", "1h", "1d"]))
    first = ns(f"{date} 00:00+00:00")
    instants = data.draw(st.sets(st.integers(first, first + 2 * DAY_NS), min_size=1, max_size=60))
    near = data.draw(st.sets(st.integers(0, 60 * 24 * 2), max_size=20))
    instants |= {first + minute * 60 * SECOND for minute in near}
    numbers = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    ticks = [Tick(instant, float(numbers.integers(900, 1100)) / 10, float(numbers.random())) for instant in instants]
    feed = TickFeed()
    feed.follow("A:A", timeframe, calendar, 0)
    for tick in data.draw(st.permutations(ticks)):
        feed.tick("A:A", *tick)
    assert feed.take(FOREVER) == plainly(ticks, calendar, timeframe)
    count = feed.count("A:A", timeframe)
    assert (count.used + count.outside, count.late, count.refused) == (len(ticks), 0, 0)


def test_B5_taking_often_gives_what_taking_once_gives() -> None:
    bars = samples.synthetic(seed=2, start="2024-01-15", end="2024-01-19")
    columns = (bars.ts_ns, bars.open, bars.high, bars.low, bars.close, bars.volume)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    ticks = [Tick(opening + step * 60 * SECOND, price, volume / 4)
             for opening, *prices, volume in rows for step, price in enumerate(prices)]  # fmt: skip
    often, once = following(), following()
    got = []
    for tick in ticks:
        often.tick("NSE:A", *tick)
        once.tick("NSE:A", *tick)
        got += often.take(tick.ns)
    got += often.take(FOREVER)
    assert got == once.take(FOREVER)
    assert [bar.ts_ns for bar in got] == bars.ts_ns.tolist()
    for name in ("open", "high", "low", "close", "volume"):
        assert [getattr(bar, name) for bar in got] == getattr(bars, name).tolist()
