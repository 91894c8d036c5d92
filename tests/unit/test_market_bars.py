"""What bars must be (rules B1, B2, B6, B7, B9)."""

from __future__ import annotations

import copy
import pathlib
import pickle

import numpy as np
import pandas as pd
import pytest

from workbench.errors import ConfigError, DataError
from workbench.market.bars import Bars
from workbench.market.calendar import import_calendar, resolve_calendar
from workbench.market.samples import synthetic

OPENING = pd.Timestamp("2024-03-01 09:15+05:30")  # a Friday


def good(count: int = 10, minutes: int = 5, opening: pd.Timestamp = OPENING) -> pd.DataFrame:
    """Bars from an opening on: bar i opens at 100+i, high +1, low -1, close +0.5, volume 10."""
    index = pd.DatetimeIndex([opening + pd.Timedelta(minutes=minutes * i) for i in range(count)], name="ts")
    opens = 100.0 + np.arange(count)
    return pd.DataFrame({"open": opens, "high": opens + 1, "low": opens - 1, "close": opens + 0.5,
                         "volume": np.full(count, 10)}, index=index.tz_convert("UTC"))


def changed(row: int, **values: float) -> pd.DataFrame:
    frame = good().astype(float)
    for name, value in values.items():
        frame.loc[frame.index[row], name] = value
    return frame


def test_N1_bars_hold_a_frame_a_report_and_arrays() -> None:
    bars = Bars(good(), "5m", "NSE", basis="unadjusted")
    assert len(bars) == 10
    assert bars.frame.index.name == "ts"
    assert str(bars.frame.index.tz) == "UTC"
    assert list(bars.frame.columns) == ["open", "high", "low", "close", "volume"]
    assert bars.close.tolist() == [100.5 + i for i in range(10)]
    assert all(column.flags.c_contiguous for column in (bars.open, bars.high, bars.low, bars.close, bars.volume))
    assert list(bars.report.columns) == ["row", "ts", "action", "reason"]
    assert len(bars.report) == 0
    assert "10 of 5m" in repr(bars)
    assert "unadjusted" in bars._repr_html_()


def test_N1_changing_the_frame_changes_neither_the_bars_nor_the_source() -> None:
    source = good()
    bars = Bars(source, "5m", "NSE")
    frame = bars.frame
    frame.loc[frame.index[0], "close"] = 1.0
    source.loc[source.index[1], "close"] = 1.0
    assert bars.close[:2].tolist() == [100.5, 101.5]
    assert bars.frame["close"].iloc[0] == 100.5


@pytest.mark.parametrize(("values", "reason"), [
    ({"close": np.nan}, "close is missing"),
    ({"open": np.inf, "high": np.inf}, "open is infinite"),
    ({"low": 0.0}, "low 0.0 is not positive"),
    ({"low": -3.0}, "low -3.0 is not positive"),
    ({"high": 103.0}, "high 103.0 is below 103.5"),
    ({"low": 103.2}, "low 103.2 is above 103.0"),
    ({"high": 101.0}, "high 101.0 is below 103.5"),
    ({"volume": -1.0}, "volume -1.0 is negative"),
    ({"volume": np.nan}, "volume is missing"),
    ({"open": 1e12, "high": 1e12}, "beyond belief"),
])
def test_B6_a_bad_value_is_refused_with_row_and_reason(values: dict[str, float], reason: str) -> None:
    with pytest.raises(DataError, match=rf"row 3, 2024-03-01 04:00:00\+00:00: .*{reason}"):
        Bars(changed(3, **values), "5m", "NSE")


def test_B6_repair_drops_the_row_and_reports_it() -> None:
    bars = Bars(changed(3, close=np.nan), "5m", "NSE", repair="drop")
    assert len(bars) == 9
    assert bars.report.to_dict("records") == [{
        "row": 3, "ts": pd.Timestamp("2024-03-01 04:00", tz="UTC"), "action": "dropped",
        "reason": "close is missing (NaN)"}]
    assert bars.gaps == 1


def test_B6_the_refusal_says_how_many_more_rows_are_bad() -> None:
    frame = good().astype(float)
    frame.iloc[2:8, 3] = np.nan
    with pytest.raises(DataError, match=r"row 2.*\n.*row 3.*\n.*row 4.*\n.*and 3 more rows of 10"):
        Bars(frame, "5m", "NSE")


def test_B6_a_high_that_misses_by_rounding_is_clamped_and_counted() -> None:
    frame = changed(3, high=103.5 * (1 - 5e-10), low=102.0)
    frame.loc[frame.index[5], "low"] = 105.0 * (1 + 5e-10)
    bars = Bars(frame, "5m", "NSE")
    assert bars.high[3] == 103.5
    assert bars.low[5] == 105.0
    assert bars.report["action"].tolist() == ["clamped", "clamped"]
    assert bars.report["row"].tolist() == [3, 5]
    with pytest.raises(DataError, match=r"row 3.*is below"):
        Bars(changed(3, high=103.5 * (1 - 2e-9)), "5m", "NSE")


def test_B6_identical_duplicates_are_dropped_and_counted() -> None:
    frame = good()
    twice = pd.concat([frame.iloc[:4], frame.iloc[3:]])
    bars = Bars(twice, "5m", "NSE")
    assert len(bars) == 10
    assert bars.report[["row", "action", "reason"]].to_dict("records") == [
        {"row": 4, "action": "dropped", "reason": "identical to the row before"}]


def test_B6_conflicting_duplicates_are_refused_and_repair_drops_both() -> None:
    frame = good()
    other = frame.iloc[[3]] + 0.25
    twice = pd.concat([frame.iloc[:4], other, frame.iloc[4:]])
    with pytest.raises(DataError, match=r"row 3.*two different bars have this time"):
        Bars(twice, "5m", "NSE")
    bars = Bars(twice, "5m", "NSE", repair="drop")
    assert len(bars) == 9
    assert bars.report["row"].tolist() == [3, 4]
    assert pd.Timestamp("2024-03-01 04:00", tz="UTC") not in bars.index


@pytest.mark.parametrize("repair", [None, "drop"])
def test_B6_times_that_go_back_are_refused_even_with_repair(repair: str | None) -> None:
    frame = good().iloc[[0, 1, 2, 4, 3, 5]]
    with pytest.raises(DataError, match=r"row 4, 2024-03-01 04:00:00\+00:00: times go back"):
        Bars(frame, "5m", "NSE", repair=repair)


@pytest.mark.parametrize("repair", [None, "drop"])
def test_B6_times_without_a_zone_are_refused_even_with_repair(repair: str | None) -> None:
    with pytest.raises(DataError, match=r"row 0: 2024-03-01 03:45:00 has no time zone"):
        Bars(good().tz_localize(None), "5m", "NSE", repair=repair)


def test_B6_a_missing_time_is_refused() -> None:
    frame = good()
    frame.index = pd.DatetimeIndex([*frame.index[:3], pd.NaT, *frame.index[4:]])
    with pytest.raises(DataError, match="row 3: the time is missing"):
        Bars(frame, "5m", "NSE")
    assert Bars(frame, "5m", "NSE", repair="drop").report["row"].tolist() == [3]


def test_B2_a_bar_off_the_grid_is_refused_with_a_hint() -> None:
    frame = good()
    frame.index = frame.index + pd.Timedelta(minutes=2)
    with pytest.raises(DataError, match=r"09:17:00 local is no opening of a 5m bar: they are counted from 09:15"):
        Bars(frame, "5m", "NSE")
    hourly = good(3, 60, pd.Timestamp("2024-03-01 10:00+05:30"))
    with pytest.raises(DataError, match="anchored to the session's open"):
        Bars(hourly, "1h", "NSE")
    assert len(Bars(good(7, 60), "1h", "NSE")) == 7


def test_B6_a_bar_outside_its_session_is_refused() -> None:
    late = pd.concat([good(3), good(1, opening=pd.Timestamp("2024-03-01 15:30+05:30"))])
    reason = r"row 3.*Fri 15:30 local is outside the session of 2024-03-01, Fri 09:15 to Fri 15:30"
    with pytest.raises(DataError, match=reason):
        Bars(late, "5m", "NSE")
    assert Bars(late, "5m", "NSE", repair="drop").report["row"].tolist() == [3]


def test_B6_a_bar_on_a_closed_day_is_refused_until_the_calendar_says_otherwise(tmp_path: pathlib.Path) -> None:
    muhurat = good(12, opening=pd.Timestamp("2023-11-12 18:15+05:30"))
    with pytest.raises(DataError, match=r"row 0.*NSE is closed on 2023-11-12.*\n?(.*\n)*.*SPECIAL row"):
        Bars(muhurat, "5m", "NSE")
    path = tmp_path / "special.csv"
    path.write_text("date,exchange,session_type,open_time,close_time\n2023-11-12,NSE,SPECIAL,18:15,19:15\n")
    assert len(Bars(muhurat, "5m", import_calendar(path, home=tmp_path)["NSE"])) == 12


def test_C5_a_closed_day_has_no_bars(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "closed.csv"
    path.write_text("date,exchange,session_type,open_time,close_time\n2024-03-01,NSE,CLOSED,,\n")
    with pytest.raises(DataError, match="NSE is closed on 2024-03-01"):
        Bars(good(), "5m", import_calendar(path, home=tmp_path)["NSE"])


def test_C3_bars_of_an_unknown_year_are_accepted() -> None:
    bars = Bars(good(opening=pd.Timestamp("2032-03-01 09:15+05:30")), "5m", "NSE")
    assert not bars.grid.sessions.known.any()


def test_B6_local_times_called_utc_are_refused_with_the_cause() -> None:
    wrong = good(75).tz_convert("Asia/Kolkata").tz_localize(None).tz_localize("UTC")
    with pytest.raises(DataError, match="look like Asia/Kolkata clock times that were given the offset of UTC"):
        Bars(wrong, "5m", "NSE")


@pytest.mark.parametrize(("true", "said"), [("5m", "1m"), ("15m", "1m"), ("15m", "5m"), ("1h", "15m")])
def test_B7_bars_declared_too_fine_are_noted(true: str, said: str) -> None:
    bars = synthetic(seed=3, start="2023-01-02", end="2023-01-06", timeframe=true)
    assert Bars(bars.frame, true, "NSE").notes == ()
    (note,) = Bars(bars.frame, said, "NSE").notes
    assert note.startswith(f"every bar lies on the grid of {true}")
    assert f"of the {said} intervals have none: are these {true} bars?" in note
    assert "are these" in Bars(bars.frame, said, "NSE")._repr_html_()


def test_B7_one_bar_a_session_at_its_open_is_noted_as_daily() -> None:
    bars = synthetic(seed=3, start="2023-01-02", end="2023-01-13", timeframe="5m")
    opening = bars.frame[bars.index.strftime("%H:%M") == "03:45"]
    (note,) = Bars(opening, "5m", "NSE").notes
    assert note.startswith("every bar opens its session, and 99% of the 5m intervals have none: are these 1d bars?")


def test_B7_a_thin_instrument_is_not_suspected() -> None:
    bars = synthetic(seed=3, start="2023-01-02", end="2023-01-06", timeframe="1m")
    thin = bars.frame.sample(frac=0.1, random_state=7).sort_index()
    assert Bars(thin, "1m", "NSE").notes == ()
    half = bars.frame.iloc[::2]
    assert Bars(half, "1m", "NSE").notes == ()


def test_B6_bars_stamped_at_their_close_are_refused_with_the_cause() -> None:
    closing = good(75)
    closing.index = closing.index + pd.Timedelta(minutes=5)
    with pytest.raises(DataError, match="stamp='close'"):
        Bars(closing, "5m", "NSE")


def test_B6_swapped_columns_are_refused() -> None:
    with pytest.raises(DataError, match=r"row 0.*high 99\.0 is below 101\.0"):
        Bars(good().rename(columns={"high": "low", "low": "high"}), "5m", "NSE")
    with pytest.raises(DataError, match=r"row 0.*is below"):
        Bars(good().assign(volume=5000).rename(columns={"close": "volume", "volume": "close"}), "5m", "NSE")


def test_B6_a_missing_column_or_a_text_in_it_is_refused() -> None:
    with pytest.raises(DataError, match="column 'close' is missing"):
        Bars(good().drop(columns="close"), "5m", "NSE")
    frame = good().astype(object)
    frame.iloc[4, 1] = "n/a"
    with pytest.raises(DataError, match="row 4: high 'n/a' is not a number"):
        Bars(frame, "5m", "NSE")


def test_B6_bars_without_volume_have_zero_and_say_so() -> None:
    bars = Bars(good().drop(columns="volume"), "5m", "NSE")
    assert not bars.volume.any()
    assert bars.notes == ("there is no volume column: volume is 0",)


def test_B6_no_bars_at_all_are_refused() -> None:
    with pytest.raises(DataError, match="there are no bars"):
        Bars(good().iloc[:0], "5m", "NSE")
    with pytest.raises(DataError, match="every row was dropped"):
        Bars(changed(0, close=np.nan).iloc[:1], "5m", "NSE", repair="drop")


def test_B6_only_drop_is_a_repair() -> None:
    with pytest.raises(ConfigError, match="repair='fill'"):
        Bars(good(), "5m", "NSE", repair="fill")


def foreign(first: int, last: int, count: int = 10) -> pd.DataFrame:
    frame = good(count).astype(float)
    frame.iloc[first : last + 1, :4] /= 12.0
    return frame


def test_B6_rows_of_another_instrument_are_refused() -> None:
    with pytest.raises(DataError, match=r"row 4.*8\.66667 is a factor of 11\.9 from the close before, 103\.5"):
        Bars(foreign(4, 6), "5m", "NSE")


def test_B6_repair_drops_the_rows_that_do_not_follow_from_the_session_before() -> None:
    before = good(75)
    after = foreign(4, 6, 20).set_axis(good(20, opening=pd.Timestamp("2024-03-04 09:15+05:30")).index)
    bars = Bars(pd.concat([before, after]), "5m", "NSE", repair="drop")
    assert bars.report["row"].tolist() == [79, 80, 81]
    assert bars.report["reason"].str.contains("another instrument").all()


def test_B6_foreign_rows_to_the_end_of_the_session_are_dropped_too() -> None:
    first = foreign(4, 74, 75)
    after = good(5, opening=pd.Timestamp("2024-03-04 09:15+05:30"))
    bars = Bars(pd.concat([first, after]), "5m", "NSE", repair="drop")
    assert bars.report["row"].tolist() == list(range(4, 75))


def test_B6_a_session_in_which_nobody_can_tell_is_dropped_whole() -> None:
    alone = foreign(4, 9)
    far = good(5, opening=pd.Timestamp("2024-03-04 09:15+05:30")) * 40
    bars = Bars(pd.concat([alone, far]), "5m", "NSE", repair="drop")
    assert bars.report["row"].tolist() == list(range(10))
    with pytest.raises(DataError, match="every row was dropped"):
        Bars(alone, "5m", "NSE", repair="drop")


def test_B6_a_split_between_sessions_is_no_foreign_row() -> None:
    after = good(5, opening=pd.Timestamp("2024-03-04 09:15+05:30")).astype(float) / 10.0
    assert len(Bars(pd.concat([good(75), after]), "5m", "NSE")) == 80


def test_B6_a_real_move_can_be_allowed() -> None:
    assert len(Bars(foreign(4, 6), "5m", "NSE", max_jump_ratio=20.0)) == 10
    with pytest.raises(ConfigError, match="max_jump_ratio"):
        Bars(good(), "5m", "NSE", max_jump_ratio=0.5)


def test_B1_daily_bars_are_labelled_by_their_session() -> None:
    labels = pd.DatetimeIndex(["2024-11-27", "2024-11-29", "2024-12-02"], tz="UTC", name="ts")
    prices = good(3).set_axis(labels)
    bars = Bars(prices, "1d", "XNYS")
    assert bars.index.equals(labels)
    assert bars.grid.close_ns[1] == pd.Timestamp("2024-11-29 13:00", tz="America/New_York").value
    half_past_nine = pd.DatetimeIndex([f"{day:%Y-%m-%d} 09:30" for day in labels])
    opening = prices.set_axis(half_past_nine.tz_localize("America/New_York"))
    midnight = prices.set_axis(labels.tz_localize(None).tz_localize("America/New_York"))
    assert Bars(opening, "1d", "XNYS").hash == bars.hash
    assert Bars(midnight, "1d", "XNYS").hash == bars.hash


def test_B1_a_daily_bar_of_a_closed_day_or_an_odd_hour_is_refused() -> None:
    thanksgiving = good(1).set_axis(pd.DatetimeIndex(["2024-11-28"], tz="UTC"))
    with pytest.raises(DataError, match="XNYS is closed on 2024-11-28"):
        Bars(thanksgiving, "1d", "XNYS")
    odd = good(1).set_axis(pd.DatetimeIndex(["2024-11-27 11:00"], tz="UTC"))
    with pytest.raises(DataError, match="a daily bar is stamped 00:00 UTC"):
        Bars(odd, "1d", "XNYS")


def test_B1_a_daily_fx_bar_may_be_stamped_at_1700_new_york() -> None:
    stamped = good(1).set_axis(pd.DatetimeIndex(["2024-03-10 21:00"], tz="UTC"))
    assert str(Bars(stamped, "1d", "FX").index[0]) == "2024-03-11 00:00:00+00:00"


def test_B9_the_basis_and_the_calendar_are_in_the_hash(tmp_path: pathlib.Path) -> None:
    plain = Bars(good(), "5m", "NSE")
    assert plain.hash == Bars(good(), "5m", "NSE").hash
    assert plain.hash != Bars(good(), "5m", "NSE", basis="adjusted").hash
    assert plain.hash != Bars(changed(3, volume=11), "5m", "NSE").hash
    assert plain.hash != Bars(good(), "5m", "BSE").hash
    path = tmp_path / "half.csv"
    path.write_text("date,exchange,session_type,open_time,close_time\n2024-03-01,NSE,HALF_DAY,09:15,12:30\n")
    half = Bars(good(), "5m", import_calendar(path, home=tmp_path)["NSE"])
    assert half.content_hash == plain.content_hash
    assert half.hash != plain.hash


def test_N1_a_part_of_the_bars_by_session_or_instant() -> None:
    bars = Bars(pd.concat([good(75), good(75, opening=pd.Timestamp("2024-03-04 09:15+05:30"))]), "5m", "NSE")
    assert len(bars.between("2024-03-04", "2024-03-04")) == 75
    assert len(bars.between(end="2024-03-03")) == 75
    assert len(bars.between("2024-03-01T15:00+05:30", "2024-03-04T09:15+05:30")) == 7
    with pytest.raises(ConfigError, match="no time zone"):
        bars.between("2024-03-04 10:00")
    with pytest.raises(DataError, match="no bars between"):
        bars.between("2024-03-05")


def test_B6_clean_real_files_pass_and_known_bad_rows_are_found(real_bars) -> None:  # type: ignore[no-untyped-def]
    for name in ("nse/FEDERALBNK_1m", "nse/BANKNIFTY_1m", "nse/RELIANCE_15m", "us/AAPL_5m", "fx/EUR_USD_5m",
                 "us_daily/AAPL_1d", "nse_daily/RELIANCE_1d"):
        assert len(real_bars(name).report) == 0, name  # FEDERALBNK has an unadjusted bonus inside
    with pytest.raises(DataError, match=r"row 2939.*low 837\.4 is above 835\.6"):
        real_bars("nse/HDFCBANK_15m")
    assert real_bars("nse/HDFCBANK_15m", repair="drop").report["row"].tolist() == [2939]


def test_B2_real_hourly_bars_on_the_clock_are_refused(real_frame) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataError, match="counted from 09:30"):
        Bars(real_frame("us/AAPL_1h"), "1h", resolve_calendar("XNYS"))


def test_R4_nobody_can_write_to_the_bars() -> None:
    """Their hash is computed once, and stamps and prices are shared with the grid and with parts of them."""
    bars = synthetic(seed=1, start="2023-01-02", end="2023-01-05")
    for shown in (bars, bars.between("2023-01-03"), copy.deepcopy(bars), pickle.loads(pickle.dumps(bars))):
        for name in ("open", "high", "low", "close", "volume", "ts_ns"):
            with pytest.raises(ValueError, match="read-only"):
                getattr(shown, name)[0] = 1
    assert copy.deepcopy(bars).hash == pickle.loads(pickle.dumps(bars)).hash == bars.hash
