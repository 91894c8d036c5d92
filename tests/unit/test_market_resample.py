"""Coarser bars (rules B3, B4, B7) and what expressions read of a bar."""

from __future__ import annotations

import pathlib

import numpy as np
import pandas as pd
import pytest

from workbench.errors import ConfigError
from workbench.market.bars import Bars
from workbench.market.calendar import import_calendar, resolve_calendar
from workbench.market.resample import Columns, absorb, columns_of, partial_dtype
from workbench.schema import Leaf


def bars_at(stamps: list[str], timeframe: str, calendar: object = "NSE") -> Bars:
    """Bars in which every price tells which bar it is: bar i opens at 100+i, high +0.5, low -0.5, close +0.25."""
    index = pd.DatetimeIndex(pd.to_datetime(stamps, utc=True), name="ts")
    number = np.arange(len(index))
    opens = 100.0 + number
    return Bars(pd.DataFrame({"open": opens, "high": opens + 0.5, "low": opens - 0.5, "close": opens + 0.25,
                              "volume": number + 1.0}, index=index), timeframe, calendar)  # type: ignore[arg-type]


def session_stamps(date: str, opens: str = "09:15", count: int = 25, minutes: int = 15) -> list[str]:
    first = pd.Timestamp(f"{date} {opens}+05:30")
    return [str(first + pd.Timedelta(minutes=minutes * i)) for i in range(count)]


def rows(columns: Columns) -> list[tuple[float, ...]]:
    leaves = (Leaf.OPEN, Leaf.HIGH, Leaf.LOW, Leaf.CLOSE, Leaf.VOLUME)
    return [tuple(row) for row in np.column_stack([columns.leaf(leaf) for leaf in leaves])]


def test_B3_coarser_bars_fold_open_high_low_close_and_volume() -> None:
    hourly = columns_of(bars_at(session_stamps("2024-03-01"), "15m"), "1h")
    assert hourly.n == 7
    assert rows(hourly)[:2] == [(100.0, 103.5, 99.5, 103.25, 10.0), (104.0, 107.5, 103.5, 107.25, 26.0)]
    assert rows(hourly)[6] == (124.0, 124.5, 123.5, 124.25, 25.0)  # 15:15 alone
    assert hourly.closed_at.tolist() == [3, 7, 11, 15, 19, 23, 24]
    assert f"{pd.DatetimeIndex(hourly.ts, tz='UTC')[6]}" == "2024-03-01 09:45:00+00:00"
    assert f"{pd.DatetimeIndex(hourly.close_ns, tz='UTC')[6]}" == "2024-03-01 10:00:00+00:00"


def test_B3_a_coarser_bar_is_final_when_its_last_interval_closed_even_without_a_trade() -> None:
    stamps = session_stamps("2024-03-01")
    quiet = [stamp for i, stamp in enumerate(stamps) if i not in (3, 8, 9, 10, 11)]
    hourly = columns_of(bars_at(quiet, "15m"), "1h")
    # The first hour lacks its last quarter but is final there; the third hour has no bar at all and does not exist.
    assert hourly.closed_at.tolist() == [3, 7, 15, 19, 23, 24]
    assert rows(hourly)[0] == (100.0, 102.5, 99.5, 102.25, 6.0)


def test_B3_coarser_bars_never_span_sessions() -> None:
    stamps = session_stamps("2024-03-01") + session_stamps("2024-03-04")
    two_hours = columns_of(bars_at(stamps, "15m"), "2h")
    assert [f"{stamp:%d %H:%M}" for stamp in pd.DatetimeIndex(two_hours.ts, tz="UTC").tz_convert("Asia/Kolkata")] == [
        "01 09:15", "01 11:15", "01 13:15", "01 15:15", "04 09:15", "04 11:15", "04 13:15", "04 15:15"]
    assert rows(two_hours)[3] == (124.0, 124.5, 123.5, 124.25, 25.0)


def test_B5_an_unfinished_coarser_bar_does_not_exist() -> None:
    hourly = columns_of(bars_at(session_stamps("2024-03-01", count=7), "15m"), "1h")
    assert hourly.closed_at.tolist() == [3]
    assert columns_of(bars_at(session_stamps("2024-03-01", count=24), "15m"), "1d").n == 0


def test_B4_a_daily_bar_closes_with_the_session_or_at_the_proxy_close() -> None:
    bars = bars_at(session_stamps("2024-03-01", count=75, minutes=5), "5m")
    whole, cut = columns_of(bars, "1d"), columns_of(bars, "1d", cut_at_proxy=True)
    assert rows(whole) == [(100.0, 174.5, 99.5, 174.25, 75 * 76 / 2)]
    assert rows(cut) == [(100.0, 173.5, 99.5, 173.25, 74 * 75 / 2)]
    assert (whole.closed_at.tolist(), cut.closed_at.tolist()) == ([74], [73])
    assert f"{pd.DatetimeIndex(cut.close_ns, tz='UTC')[0]}" == "2024-03-01 09:55:00+00:00"


def test_B1_a_daily_bar_built_from_intraday_carries_the_label_of_its_session() -> None:
    fx = resolve_calendar("FX")
    stamps = [str(pd.Timestamp("2024-03-10 21:00", tz="UTC") + pd.Timedelta(hours=i)) for i in range(24)]
    daily = columns_of(bars_at(stamps, "1h", fx), "1d")
    assert f"{pd.DatetimeIndex(daily.ts, tz='UTC')[0]}" == "2024-03-11 00:00:00+00:00"


def test_B7_a_gap_stays_a_gap() -> None:
    stamps = session_stamps("2024-03-01")
    bars = bars_at(stamps[:2] + stamps[5:], "15m")
    base = columns_of(bars, "15m")
    assert base.n == 22
    assert base.closed_at.tolist() == [0, 1, *range(5, 25)]
    assert bars.gaps == 3
    assert np.array_equal(base.ts, bars.ts_ns)


def test_B3_the_base_timeframe_is_handed_on_without_a_copy() -> None:
    bars = bars_at(session_stamps("2024-03-01"), "15m")
    base = columns_of(bars, "15m")
    assert base.leaf(Leaf.CLOSE) is bars.arrays.close
    assert base.leaf(Leaf.MINUTES_TO_CLOSE) is base.leaf(Leaf.MINUTES_TO_CLOSE)


def test_E3_session_leaves_are_known_at_the_close_of_the_bar() -> None:
    bars = bars_at(session_stamps("2024-03-01") + session_stamps("2024-03-04"), "15m")
    base, hourly = columns_of(bars, "15m"), columns_of(bars, "1h")
    assert base.leaf(Leaf.MINUTES_SINCE_OPEN)[[0, 24, 25]].tolist() == [15, 375, 15]
    assert base.leaf(Leaf.MINUTES_TO_CLOSE)[[0, 24, 25]].tolist() == [360, 0, 360]
    assert hourly.leaf(Leaf.MINUTES_SINCE_OPEN)[[0, 5, 6]].tolist() == [60, 360, 375]
    assert base.leaf(Leaf.DAY_OF_WEEK)[[0, 25]].tolist() == [5, 1]  # Friday, Monday
    assert base.leaf(Leaf.SESSION)[[0, 25]].tolist() == [19783, 19786]


def test_E3_an_fx_bar_on_sunday_evening_belongs_to_monday() -> None:
    stamps = [str(pd.Timestamp("2024-03-10 21:00", tz="UTC") + pd.Timedelta(hours=i)) for i in range(3)]
    base = columns_of(bars_at(stamps, "1h", "FX"), "1h")
    assert base.leaf(Leaf.DAY_OF_WEEK).tolist() == [1, 1, 1]
    assert base.leaf(Leaf.MINUTES_TO_CLOSE).tolist() == [23 * 60, 22 * 60, 21 * 60]


def test_B3_a_pause_ends_a_coarser_bar_at_the_last_interval_before_it(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "special.csv"
    path.write_text("date,exchange,session_type,open_time,close_time\n2024-03-02,NSE,SPECIAL,09:15,10:00\n"
                    "2024-03-02,NSE,SPECIAL,11:30,12:30\n")
    nse = import_calendar(path, home=tmp_path)["NSE"]
    stamps = session_stamps("2024-03-02", count=3) + session_stamps("2024-03-02", "11:30", count=4)
    hourly = columns_of(bars_at(stamps, "15m", nse), "1h")
    assert hourly.closed_at.tolist() == [2, 5, 6]
    assert rows(hourly)[1] == (103.0, 105.5, 102.5, 105.25, 15.0)
    assert [f"{stamp:%H:%M}" for stamp in pd.DatetimeIndex(hourly.ts, tz="UTC").tz_convert("Asia/Kolkata")] == [
        "09:15", "11:15", "12:15"]


def test_E9_the_kernel_folds_one_bar_like_the_array_form() -> None:
    bars = bars_at(session_stamps("2024-03-01", count=4), "15m")
    partials = np.zeros(1, partial_dtype)
    for row in zip(bars.open, bars.high, bars.low, bars.close, bars.volume, strict=True):
        absorb(partials[0], *row)
    assert tuple(partials[0])[:5] == rows(columns_of(bars, "1h"))[0]
    assert partials[0]["bars"] == 4


def test_B3_bars_cannot_be_made_finer() -> None:
    with pytest.raises(ConfigError, match="cannot be built"):
        columns_of(bars_at(session_stamps("2024-03-01"), "15m"), "5m")


def test_B3_real_bars_agree_with_pandas(real_bars) -> None:  # type: ignore[no-untyped-def]
    bars = real_bars("nse/RELIANCE_5m")
    hourly = columns_of(bars, "1h")
    frame = bars.frame.tz_convert("Asia/Kolkata")
    regular = frame[(frame.index.hour * 60 + frame.index.minute).isin(range(555, 930))]
    regular = regular[regular.index.day_of_week < 5]
    wanted = regular.resample("1h", offset="15min").agg(
        {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}).dropna()
    got = pd.DataFrame({name: hourly.leaf(leaf) for name, leaf in zip(wanted.columns, Leaf, strict=False)},
                       index=pd.DatetimeIndex(hourly.ts, tz="UTC").tz_convert("Asia/Kolkata"))
    shared = got.index.intersection(wanted.index)
    assert len(shared) == len(wanted)
    assert len(wanted) > 2500
    pd.testing.assert_frame_equal(got.loc[shared], wanted, check_freq=False, check_names=False, check_index_type=False)
