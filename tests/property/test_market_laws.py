"""Laws of grid, resampling and checks over random sessions, pauses and gaps."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.market.bars import Bars
from workbench.market.calendar import Calendar, resolve_calendar
from workbench.market.calendar_rows import CalendarRow, CalendarRows
from workbench.market.grid import buckets, build_grid
from workbench.market.resample import columns_of
from workbench.market.sessions import day_number
from workbench.market.timeframe import MINUTE_NS, Timeframe
from workbench.schema import Leaf

HARMS = ("nan", "range", "volume", "twin", "copy", "jump", "late")
FIRST = day_number(dt.date(2024, 3, 4))


@st.composite
def special_days(draw: st.DrawFn) -> Calendar:
    """NSE with three days of random trading hours, up to four pieces each."""
    rows = []
    for day in range(FIRST, FIRST + 3):
        edges = sorted(draw(st.sets(st.integers(540, 640), min_size=2, max_size=8)))
        edges = edges[: len(edges) // 2 * 2]
        pieces = zip(edges[::2], edges[1::2], strict=True)
        rows += [CalendarRow(day, "NSE", "SPECIAL", opens, closes) for opens, closes in pieces]
    return resolve_calendar("NSE").with_rows(CalendarRows.of(rows))


def by_hand(calendar: Calendar, minutes: int) -> list[tuple[int, int, int]]:
    """Intervals of the three days, minute by minute: (session, open, close)."""
    table = calendar.table(FIRST, FIRST + 2)
    found = []
    for row in range(len(table)):
        opens, closes = int(table.open_ns[row]), int(table.close_ns[row])
        pauses = table.pauses(row)
        trading = [at for at in range(opens, closes, MINUTE_NS) if not any(a <= at < b for a, b in pauses)]
        by_interval: dict[int, int] = {}
        for at in trading:
            by_interval[(at - opens) // (minutes * MINUTE_NS)] = at + MINUTE_NS
        for step, last in by_interval.items():
            end = min(opens + (step + 1) * minutes * MINUTE_NS, closes)
            found.append((row, opens + step * minutes * MINUTE_NS, min(end, last)))
    return found


@settings(max_examples=60, deadline=None)
@given(special_days(), st.sampled_from([1, 3, 5, 15, 60]))
def test_B2_the_grid_is_what_counting_minutes_gives(calendar: Calendar, minutes: int) -> None:
    table = calendar.table(FIRST, FIRST + 2)
    grid = build_grid(calendar, f"{minutes}m", int(table.open_ns[0]), int(table.close_ns[-1]) - 1)
    got = list(zip(grid.session.tolist(), grid.open_ns.tolist(), grid.close_ns.tolist(), strict=True))
    assert got == by_hand(calendar, minutes)
    assert np.array_equal(grid.locate(grid.open_ns), np.arange(len(grid)))
    assert (grid.locate(grid.open_ns + 1) == -1).all()


@settings(max_examples=60, deadline=None)
@given(special_days(), st.sampled_from([(1, 3), (1, 15), (5, 15), (5, 60), (3, 0)]), st.data())
def test_B3_buckets_of_a_part_agree_with_those_of_the_whole(calendar: Calendar, lengths: tuple[int, int],
                                                            data: st.DataObject) -> None:
    base, coarse = Timeframe(lengths[0]), Timeframe(lengths[1])
    table = calendar.table(FIRST, FIRST + 2)
    whole = build_grid(calendar, base, int(table.open_ns[0]), int(table.close_ns[-1]) - 1)
    last = data.draw(st.integers(0, len(whole) - 1))
    part = build_grid(calendar, base, int(whole.open_ns[0]), int(whole.open_ns[last]))
    for cut in (False, True) if coarse.is_daily else (False,):
        all_of_it, some = buckets(whole, coarse, cut), buckets(part, coarse, cut)
        assert np.array_equal(some.bucket, all_of_it.bucket[: last + 1])
        assert np.array_equal(some.final, all_of_it.final[: last + 1])
        finals = all_of_it.bucket[all_of_it.final]
        assert np.array_equal(finals, np.unique(all_of_it.bucket[all_of_it.bucket >= 0]))


def random_bars(calendar: Calendar, minutes: int, seed: int, share: float) -> Bars:
    table = calendar.table(FIRST, FIRST + 2)
    grid = build_grid(calendar, Timeframe(minutes), int(table.open_ns[0]), int(table.close_ns[-1]) - 1)
    draw = np.random.default_rng(seed)
    kept = np.flatnonzero(draw.random(len(grid)) < share)
    kept = kept if len(kept) else np.array([0])
    opens, close = (100 + draw.random(len(kept)) for _ in range(2))
    frame = pd.DataFrame({"open": opens, "high": np.maximum(opens, close) + 0.1, "low": np.minimum(opens, close) - 0.1,
                          "close": close, "volume": draw.integers(0, 100, len(kept))},
                         index=pd.DatetimeIndex(grid.open_ns[kept], tz="UTC"))
    return Bars(frame, f"{minutes}m", calendar)


@settings(max_examples=60, deadline=None)
@given(special_days(), st.integers(0, 2**32), st.sampled_from([0.3, 0.9, 1.0]), st.sampled_from(["15m", "1h", "1d"]))
def test_B3_resampling_agrees_with_grouping_by_hand(calendar: Calendar, seed: int, share: float, coarse: str) -> None:
    bars = random_bars(calendar, 5, seed, share)
    columns, grouping = columns_of(bars, coarse), buckets(bars.grid, coarse)
    frame = bars.frame.set_axis(grouping.bucket[bars.at])
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    folded: Any = frame.groupby(level=0).agg(how)
    finals = pd.Series(np.flatnonzero(grouping.final), index=grouping.bucket[grouping.final])
    folded = folded[folded.index.isin(finals.index)]
    assert columns.closed_at.tolist() == finals[folded.index].tolist()
    for name, leaf in zip(folded.columns, Leaf, strict=False):
        assert columns.leaf(leaf).tolist() == folded[name].tolist()


@settings(max_examples=40, deadline=None)
@given(special_days(), st.integers(0, 2**32), st.integers(1, 40))
def test_P2_coarser_bars_of_a_prefix_are_a_prefix(calendar: Calendar, seed: int, count: int) -> None:
    bars = random_bars(calendar, 5, seed, 0.8)
    part = Bars(bars.frame.iloc[:count], "5m", calendar)
    for coarse in ("15m", "1d"):
        whole, some = columns_of(bars, coarse), columns_of(part, coarse)
        assert some.ts.tolist() == whole.ts[: some.n].tolist()
        assert some.leaf(Leaf.CLOSE).tolist() == whole.leaf(Leaf.CLOSE)[: some.n].tolist()
        known = whole.grid.close_ns[whole.closed_at] <= part.grid.close_ns[-1]
        assert some.n == int(known.sum())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(HARMS), max_size=4))
def test_B6_repair_leaves_bars_that_pass_and_reports_every_row_it_took(seed: int, harms: list[str]) -> None:
    bars = random_bars(resolve_calendar("NSE"), 5, seed, 0.9)
    frame, draw = bars.frame.astype(float), np.random.default_rng(seed)
    for harm in harms:
        row = int(draw.integers(1, len(frame)))
        if harm in ("nan", "range", "volume"):
            column, value = {"nan": (3, np.nan), "range": (1, 1.0), "volume": (4, -1.0)}[harm]
            frame.iloc[row, column] = value
        elif harm == "jump":
            frame.iloc[row, :4] *= 9.0
        elif harm == "late":
            stray = frame.iloc[[row]].set_axis(pd.DatetimeIndex([frame.index[row] + pd.Timedelta(seconds=7)]))
            frame = pd.concat([frame.iloc[: row + 1], stray, frame.iloc[row + 1 :]]).sort_index()
        else:
            twin = frame.iloc[[row]] + (0.01 if harm == "twin" else 0.0)
            frame = pd.concat([frame.iloc[: row + 1], twin, frame.iloc[row + 1 :]])
    mended = Bars(frame, "5m", "NSE", repair="drop")
    assert len(mended) + len(mended.report) == len(frame)
    assert set(mended.report["row"]) <= set(range(len(frame)))
    untouched = frame.drop(frame.index[mended.report["row"].to_numpy()])
    assert set(untouched.index) <= set(mended.index)
    again = Bars(mended.frame, "5m", "NSE")
    assert again.hash == mended.hash
    if (mended.report["reason"] != "identical to the row before").any():
        first = mended.report.loc[mended.report["reason"] != "identical to the row before", "row"].iloc[0]
        with pytest.raises(DataError, match=f"row {first}, "):
            Bars(frame, "5m", "NSE")
    else:
        assert Bars(frame, "5m", "NSE").hash == mended.hash
