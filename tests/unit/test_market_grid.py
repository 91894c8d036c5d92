"""The grid of base intervals and its coarser buckets (rules B1, B2, B3, B4, B7)."""

from __future__ import annotations

import pathlib

import numpy as np
import pandas as pd
import pytest

from workbench.errors import ConfigError
from workbench.market.calendar import Calendar, import_calendar, resolve_calendar
from workbench.market.grid import Grid, buckets, build_grid


def ns(text: str) -> int:
    return int(pd.Timestamp(text).tz_convert("UTC").value) if "+" in text or "-0" in text[10:] else int(
        pd.Timestamp(text, tz="UTC").value)


def clock(values: np.ndarray, zone: str) -> list[str]:
    return [f"{stamp:%H:%M}" for stamp in pd.DatetimeIndex(values, tz="UTC").tz_convert(zone)]


def day_grid(calendar: Calendar | str, date: str, timeframe: str) -> Grid:
    resolved = resolve_calendar(calendar)
    session = resolved.session(date)
    assert session is not None
    return build_grid(resolved, timeframe, session.open_ns, session.close_ns - 1)


@pytest.fixture
def drill(tmp_path: pathlib.Path) -> Calendar:
    """NSE with the drill of 2024-03-02 (09:15-10:00, 11:30-12:30) and the odd one of 2013-05-11."""
    path = tmp_path / "special.csv"
    path.write_text("date,exchange,session_type,open_time,close_time,notes\n"
                    "2024-03-02,NSE,SPECIAL,09:15,10:00,\n2024-03-02,NSE,SPECIAL,11:30,12:30,\n"
                    "2013-05-11,NSE,SPECIAL,11:07,11:08,\n2013-05-11,NSE,SPECIAL,11:15,12:45,\n"
                    "2013-05-11,NSE,SPECIAL,12:49,12:50,\n")
    return import_calendar(path, home=tmp_path)["NSE"]


def test_B2_hourly_bars_are_anchored_to_the_open_and_the_last_is_short() -> None:
    grid = day_grid("NSE", "2024-03-01", "1h")
    assert clock(grid.open_ns, "Asia/Kolkata") == ["09:15", "10:15", "11:15", "12:15", "13:15", "14:15", "15:15"]
    assert clock(grid.close_ns, "Asia/Kolkata")[-2:] == ["15:15", "15:30"]


def test_B1_a_bar_closes_at_the_session_close_if_that_is_earlier() -> None:
    grid = day_grid("XNYS", "2024-11-29", "1h")  # closes 13:00
    assert clock(grid.open_ns, "America/New_York") == ["09:30", "10:30", "11:30", "12:30"]
    assert clock(grid.close_ns, "America/New_York") == ["10:30", "11:30", "12:30", "13:00"]


def test_B2_a_pause_takes_out_the_intervals_it_covers_and_cuts_the_one_it_begins_in(drill: Calendar) -> None:
    grid = day_grid(drill, "2024-03-02", "15m")
    assert clock(grid.open_ns, "Asia/Kolkata") == ["09:15", "09:30", "09:45", "11:30", "11:45", "12:00", "12:15"]
    hourly = day_grid(drill, "2024-03-02", "1h")
    assert clock(hourly.open_ns, "Asia/Kolkata") == ["09:15", "11:15", "12:15"]
    assert clock(hourly.close_ns, "Asia/Kolkata") == ["10:00", "12:15", "12:30"]


def test_B2_two_pauses_in_one_session(drill: Calendar) -> None:
    grid = day_grid(drill, "2013-05-11", "1m")
    names = clock(grid.open_ns, "Asia/Kolkata")
    assert len(grid) == 1 + 90 + 1
    assert names[:2] == ["11:07", "11:15"]
    assert names[-2:] == ["12:44", "12:49"]
    quarter = day_grid(drill, "2013-05-11", "15m")
    # 11:07 holds trades until 11:22, past its short pause; 12:37 runs into the pause of 12:45 and past it.
    assert clock(quarter.open_ns, "Asia/Kolkata") == ["11:07", "11:22", "11:37", "11:52", "12:07", "12:22", "12:37"]
    assert clock(quarter.close_ns, "Asia/Kolkata")[0] == "11:22"
    assert clock(quarter.close_ns, "Asia/Kolkata")[-1] == "12:50"


def test_B2_bars_across_a_pause_are_found_and_stamps_inside_it_are_not(drill: Calendar) -> None:
    grid = day_grid(drill, "2024-03-02", "15m")
    stamps = [ns(f"2024-03-02 {at}+05:30") for at in ("09:45", "10:00", "11:15", "11:30", "12:15", "12:30", "11:31")]
    assert grid.locate(np.array(stamps)).tolist() == [2, -1, -1, 3, 6, -1, -1]


def test_B2_fx_and_round_the_clock_grids_hold_every_interval_of_the_week() -> None:
    fx = build_grid(resolve_calendar("FX"), "1h", ns("2024-03-08 12:00"), ns("2024-03-11 12:00"))
    assert pd.Timestamp(fx.close_ns[9], tz="UTC") == pd.Timestamp("2024-03-08 22:00", tz="UTC")  # Friday 17:00 EST
    assert pd.Timestamp(fx.open_ns[10], tz="UTC") == pd.Timestamp("2024-03-10 21:00", tz="UTC")  # Sunday 17:00 EDT
    always = build_grid(resolve_calendar("24x7"), "1h", ns("2024-03-08 00:00"), ns("2024-03-10 23:00"))
    assert len(always) == 72
    assert np.diff(always.open_ns).tolist() == [3_600_000_000_000] * 71


def test_B2_daylight_saving_moves_the_grid_with_the_exchange() -> None:
    openings = {"2024-03-08": "14:30", "2024-03-11": "13:30", "2024-11-01": "13:30", "2024-11-04": "14:30"}
    for date, opening in openings.items():
        assert clock(day_grid("XNYS", date, "5m").open_ns, "UTC")[0] == opening


def test_B7_the_grid_is_there_whether_or_not_anything_traded() -> None:
    first, last = ns("2024-03-01 04:00"), ns("2024-03-04 04:10")
    grid = build_grid(resolve_calendar("NSE"), "5m", first, last)
    assert (int(grid.open_ns[0]), int(grid.open_ns[-1])) == (first, last)
    assert len(grid) == 72 + 6
    assert grid.session.tolist() == [0] * 72 + [1] * 6


def test_B1_a_grid_starts_at_the_interval_that_holds_its_first_instant() -> None:
    grid = build_grid(resolve_calendar("NSE"), "1h", ns("2024-03-01 05:00"), ns("2024-03-01 05:00"))
    assert clock(grid.open_ns, "Asia/Kolkata") == ["10:15"]
    outside = build_grid(resolve_calendar("NSE"), "1h", ns("2024-03-02 05:00"), ns("2024-03-03 05:00"))
    assert len(outside) == 0
    assert outside.locate(np.array([ns("2024-03-02 05:00")])).tolist() == [-1]


def test_B1_a_daily_stamp_is_the_label_of_its_session() -> None:
    grid = build_grid(resolve_calendar("XNYS"), "1d", ns("2024-11-27"), ns("2024-12-02"))
    assert clock(grid.open_ns, "America/New_York") == ["09:30"] * 3
    assert clock(grid.close_ns, "America/New_York") == ["16:00", "13:00", "16:00"]
    assert grid.locate(np.array([ns("2024-11-27"), ns("2024-11-28"), ns("2024-11-29"), ns("2024-11-29 01:00"),
                                 ns("2024-12-02"), ns("2024-12-03")])).tolist() == [0, -1, 1, -1, 2, -1]


def test_B3_a_coarser_bar_is_final_at_its_last_interval() -> None:
    grid = day_grid("NSE", "2024-03-01", "15m")
    hourly = buckets(grid, "1h")
    assert hourly.bucket.tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4 + [6]
    assert np.flatnonzero(hourly.final).tolist() == [3, 7, 11, 15, 19, 23, 24]
    daily = buckets(grid, "1d")
    assert (daily.count, np.flatnonzero(daily.final).tolist()) == (1, [24])


def test_B3_a_coarser_bar_of_an_unfinished_session_is_not_final() -> None:
    nse = resolve_calendar("NSE")
    part = build_grid(nse, "15m", ns("2024-03-01 03:45"), ns("2024-03-01 04:45"))  # up to the bar 10:15
    assert buckets(part, "1h").final.tolist() == [False, False, False, True, False]
    assert not buckets(part, "1d").final.any()
    whole = build_grid(nse, "15m", ns("2024-03-01 03:45"), ns("2024-03-01 04:30"))  # the bar 10:00 ends the first hour
    assert buckets(whole, "1h").final.tolist() == [False, False, False, True]


def test_B3_a_grid_that_starts_inside_a_bar_keeps_the_session_anchor() -> None:
    part = build_grid(resolve_calendar("NSE"), "15m", ns("2024-03-01 04:15"), ns("2024-03-01 05:30"))
    assert buckets(part, "1h").bucket.tolist() == [0, 0, 1, 1, 1, 1]


def test_B3_a_bar_cut_by_a_pause_is_final_at_the_last_interval_before_it(drill: Calendar) -> None:
    grid = day_grid(drill, "2024-03-02", "15m")
    hourly = buckets(grid, "1h")
    assert hourly.bucket.tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert hourly.final.tolist() == [False, False, True, False, False, True, True]


def test_B4_a_daily_bar_can_close_at_the_proxy_close() -> None:
    nse = resolve_calendar("NSE")
    grid = build_grid(nse, "5m", ns("2024-03-01 03:45"), ns("2024-03-04 09:55"))
    cut = buckets(grid, "1d", cut_at_proxy=True)
    assert cut.bucket.tolist() == [0] * 74 + [-1] + [1] * 74 + [-1]
    assert np.flatnonzero(cut.final).tolist() == [73, 148]
    early = build_grid(nse, "5m", ns("2024-03-01 03:45"), ns("2024-03-01 09:45"))  # the bar 15:15, one too early
    assert not buckets(early, "1d", cut_at_proxy=True).final.any()
    on_time = build_grid(nse, "5m", ns("2024-03-01 03:45"), ns("2024-03-01 09:50"))  # 15:20 closes at 15:25
    assert np.flatnonzero(buckets(on_time, "1d", cut_at_proxy=True).final).tolist() == [73]


def test_B4_the_proxy_cut_off_the_grid_uses_the_last_instant_before_it() -> None:
    grid = day_grid("NSE", "2024-03-01", "15m")  # 15:15 closes at 15:30, after 15:25
    cut = buckets(grid, "1d", cut_at_proxy=True)
    assert cut.bucket.tolist() == [0] * 24 + [-1]
    assert np.flatnonzero(cut.final).tolist() == [23]


def test_B4_a_grid_that_starts_after_the_proxy_close_has_no_bar_that_day() -> None:
    grid = build_grid(resolve_calendar("NSE"), "5m", ns("2024-03-01 09:55"), ns("2024-03-04 09:55"))
    cut = buckets(grid, "1d", cut_at_proxy=True)
    assert cut.bucket.tolist() == [-1] + [0] * 74 + [-1]
    assert cut.count == 1


def test_B3_coarser_bars_need_a_base_that_divides_them() -> None:
    grid = day_grid("NSE", "2024-03-01", "15m")
    with pytest.raises(ConfigError, match="bars of 20m cannot be built from bars of 15m"):
        buckets(grid, "20m")
    with pytest.raises(ConfigError, match="proxy close cuts 1d bars"):
        buckets(grid, "1h", cut_at_proxy=True)


def test_B2_stamps_in_any_order_are_located() -> None:
    grid = build_grid(resolve_calendar("NSE"), "5m", ns("2024-02-01 03:45"), ns("2024-03-01 09:55"))
    order = np.random.default_rng(3).permutation(len(grid))
    assert np.array_equal(grid.locate(grid.open_ns[order]), order)
