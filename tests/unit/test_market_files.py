"""Bars from files, and the bad ones of real life (rule B6; N1)."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from workbench.errors import ConfigError, DataError
from workbench.market.bars import Bars
from workbench.market.sources.files import read_bars

ROWS = [("2024-03-01 09:15", 100.0, 101.0, 99.0, 100.5, 10), ("2024-03-01 09:20", 100.5, 102.0, 100.0, 101.5, 20),
        ("2024-03-01 09:25", 101.5, 103.0, 101.0, 102.5, 30)]
CLOSES = [100.5, 101.5, 102.5]
OPENINGS = pd.DatetimeIndex(["2024-03-01 03:45", "2024-03-01 03:50", "2024-03-01 03:55"], tz="UTC")
JULY = ("symbol", "date", "time", "open", "high", "low", "close", "volume", "oi")

Write = Callable[..., pathlib.Path]


@pytest.fixture
def write(tmp_path: pathlib.Path) -> Write:
    def put(text: str, name: str = "bars.csv", encoding: str = "utf-8") -> pathlib.Path:
        path = tmp_path / name
        path.write_text(text, encoding=encoding)
        return path

    return put


def lines(stamp: Callable[[str], str], header: str, separator: str = ",") -> str:
    body = [separator.join([stamp(row[0]), *map(str, row[1:])]) for row in ROWS]
    return "\n".join([header, *body]) + "\n"


def check_read(bars: Bars) -> None:
    assert bars.index.equals(OPENINGS)
    assert bars.close.tolist() == CLOSES
    assert bars.volume.tolist() == [10, 20, 30]


@pytest.mark.parametrize(("header", "stamp", "zone"), [
    ("ts,open,high,low,close,volume", lambda t: f"{t}:00+05:30", None),
    ("Timestamp,Open,High,Low,Close,Volume", lambda t: t.replace(" ", "T") + ":00+0530", None),
    ("datetime,o,h,l,c,v", lambda t: str(pd.Timestamp(t) - pd.Timedelta(hours=5.5)) + "Z", None),
    ("Date,Open Price,High Price,Low Price,Close Price,Total Traded Quantity", lambda t: t, "Asia/Kolkata"),
    ("Date,Open,High,Low,Close,Volume", lambda t: pd.Timestamp(t).strftime("%d-%m-%Y %H:%M"), "Asia/Kolkata"),
    ("time,open,high,low,close,tick_volume", lambda t: str(int(pd.Timestamp(t, tz="Asia/Kolkata").timestamp())), None),
    ("time,open,high,low,close,vol", lambda t: str(int(pd.Timestamp(t, tz="Asia/Kolkata").timestamp() * 1000)), None),
    (",open,high,low,close,volume", lambda t: f"{t}:00+05:30", None),
])
def test_N1_columns_and_times_are_recognised(write: Write, header: str, stamp: Callable[[str], str],
                                             zone: str | None) -> None:
    text = lines(stamp, header)
    if "strftime" in str(stamp.__code__.co_names):  # one row must tell day from month
        text += pd.Timestamp("2024-03-15 09:15").strftime("%d-%m-%Y %H:%M") + ",100,101,99,100,5\n"
        bars = read_bars(write(text), "5m", "NSE", zone=zone)  # type: ignore[typeddict-item]
        assert bars.index[:3].equals(OPENINGS)
        return
    check_read(read_bars(write(text), "5m", "NSE", **({"zone": zone} if zone else {})))  # type: ignore[typeddict-item]


def test_N1_a_date_and_a_time_column(write: Write) -> None:
    split = lines(lambda t: t.replace(" ", "\t"), "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>", "\t")
    check_read(read_bars(write(split, "mt5.csv"), "5m", "NSE", zone="Asia/Kolkata"))
    header = "date;time;open;high;low;close;volume"
    numbers = lines(lambda t: t.replace("-", "").replace(" ", ";").replace(":", ""), header, ";")
    check_read(read_bars(write(numbers), "5m", "NSE", zone="Asia/Kolkata"))


def test_N1_a_file_without_a_header(write: Write) -> None:
    text = lines(lambda t: f"RELIANCE,{t}", "").lstrip("\n")
    names = ("symbol", "ts", "open", "high", "low", "close", "volume")
    check_read(read_bars(write(text, "bars.txt"), "5m", "NSE", zone="Asia/Kolkata", columns=names))
    with pytest.raises(DataError, match="line 1: there is no header"):
        read_bars(write(text), "5m", "NSE", zone="Asia/Kolkata")
    with pytest.raises(DataError, match="has 7 columns, 2 names"):
        read_bars(write(text), "5m", "NSE", columns=("ts", "open"))


def test_N1_bars_stamped_at_their_close(write: Write) -> None:
    closing = lines(lambda t: f"{pd.Timestamp(t) + pd.Timedelta(minutes=5)}+05:30", "ts,open,high,low,close,volume")
    check_read(read_bars(write(closing), "5m", "NSE", stamp="close"))
    short = "ts,open,high,low,close\n2024-03-01 15:15+05:30,1,1,1,1\n2024-03-01 15:30+05:30,1,1,1,1\n"
    bars = read_bars(write(short), "1h", "NSE", stamp="close")
    assert [f"{stamp:%H:%M}" for stamp in bars.index.tz_convert("Asia/Kolkata")] == ["14:15", "15:15"]


def test_N1_a_mapping_names_columns_that_are_not_guessed(write: Write) -> None:
    text = lines(lambda t: f"{t}+05:30", "wann,auf,hoch,tief,zu,menge")
    given = {"ts": "wann", "open": "auf", "high": "hoch", "low": "tief", "close": "zu", "volume": "menge"}
    check_read(read_bars(write(text), "5m", "NSE", columns=given))
    with pytest.raises(DataError, match="no column holds the times"):
        read_bars(write(text), "5m", "NSE")
    with pytest.raises(DataError, match="there is no column 'wo'"):
        read_bars(write(text), "5m", "NSE", columns={"ts": "wo"})
    with pytest.raises(DataError, match="column 'open' is missing"):
        read_bars(write(text), "5m", "NSE", columns={"ts": "wann"})


def test_N1_other_encodings_and_compressed_files(write: Write, tmp_path: pathlib.Path) -> None:
    text = lines(lambda t: f"{t}+05:30", "ts,open,high,low,close,volume")
    check_read(read_bars(write(text, encoding="utf-16"), "5m", "NSE"))
    check_read(read_bars(write(text, encoding="utf-8-sig"), "5m", "NSE"))
    pd.read_csv(write(text)).to_csv(tmp_path / "bars.csv.gz", index=False)
    check_read(read_bars(tmp_path / "bars.csv.gz", "5m", "NSE"))


def test_N1_parquet_with_the_times_in_a_column_or_the_index(write: Write, tmp_path: pathlib.Path) -> None:
    frame = read_bars(write(lines(lambda t: f"{t}+05:30", "ts,open,high,low,close,volume")), "5m", "NSE").frame
    frame.to_parquet(tmp_path / "index.parquet")
    check_read(read_bars(tmp_path / "index.parquet", "5m", "NSE"))
    frame.reset_index().to_parquet(tmp_path / "column.parquet")
    check_read(read_bars(tmp_path / "column.parquet", "5m", "NSE"))
    frame.rename_axis(None).tz_convert("Asia/Kolkata").to_parquet(tmp_path / "unnamed.parquet")
    check_read(read_bars(tmp_path / "unnamed.parquet", "5m", "NSE"))


def test_N1_daily_files_need_only_dates(write: Write) -> None:
    text = "Date,Open,High,Low,Close,Volume\n2024-11-27,1,2,1,2,5\n2024-11-29,2,3,2,3,5\n"
    bars = read_bars(write(text), "1d", "XNYS")
    assert [str(day.date()) for day in bars.index] == ["2024-11-27", "2024-11-29"]
    compact = "Date,Open,High,Low,Close\n20241127,1,2,1,2\n20241129,2,3,2,3\n"
    assert read_bars(write(compact), "1d", "XNYS").index.equals(bars.index)


def test_B6_clock_times_without_a_zone_are_refused_with_row_and_hint(write: Write) -> None:
    path = write(lines(lambda t: t, "ts,open,high,low,close,volume"))
    reason = r"bars\.csv, row 0 \(line 2\): 2024-03-01 09:15:00 has no time zone.*zone='Asia/Kolkata'"
    with pytest.raises(DataError, match=reason):
        read_bars(path, "5m", "NSE", repair="drop")
    with pytest.raises(ConfigError, match="'Asia/Calcuta' is no time zone"):
        read_bars(path, "5m", "NSE", zone="Asia/Calcuta")


def test_B6_the_wrong_zone_is_refused(write: Write) -> None:
    path = write(lines(lambda t: t, "ts,open,high,low,close,volume"))
    with pytest.raises(DataError, match=r"row 0.*Fri 19:45 local is outside the session of 2024-03-01"):
        read_bars(path, "5m", "NSE", zone="America/New_York")


def with_offset(stamp: str) -> Callable[[str], str]:
    return lambda t: f"{t}:00{stamp}"


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Colombo", "+05:30"])
def test_B6_a_zone_that_agrees_with_the_offsets_is_accepted(write: Write, tmp_path: pathlib.Path, zone: str) -> None:
    check_read(read_bars(write(lines(with_offset("+05:30"), "ts,open,high,low,close,volume")), "5m", "NSE", zone=zone))
    frame = pd.DataFrame([row[1:] for row in ROWS], columns=["open", "high", "low", "close", "volume"])
    frame.insert(0, "ts", OPENINGS.tz_convert("Asia/Kolkata"))
    frame.to_parquet(tmp_path / "bars.parquet", index=False)
    check_read(read_bars(tmp_path / "bars.parquet", "5m", "NSE", zone=zone))


@pytest.mark.parametrize("stamp", ["Z", "+00:00", "+0000", " UTC", "-05:00"])
def test_B6_a_zone_that_contradicts_the_offsets_is_refused(write: Write, stamp: str) -> None:
    """Clock times exported as UTC with a zone named beside them were read as UTC, the zone passed over in silence."""
    path = write(lines(with_offset(stamp), "ts,open,high,low,close,volume"))
    offset = stamp.strip().replace("Z", "+00:00").replace("UTC", "+00:00").replace("+0000", "+00:00")
    with pytest.raises(DataError, match=rf"row 0 \(line 2\).* the offset {re.escape(offset)}") as caught:
        read_bars(path, "5m", "NSE", zone="Asia/Kolkata")
    assert "Asia/Kolkata was +05:30 then" in str(caught.value)
    assert "leave the zone out" in str(caught.value)
    with pytest.raises(ConfigError, match="'Asia/Calcuta' is no time zone"):
        read_bars(path, "5m", "NSE", zone="Asia/Calcuta")


def test_B6_the_row_from_which_a_zone_contradicts_is_named(write: Write) -> None:
    """New York was five hours behind in winter, four in summer: a file that says -05:00 all year is wrong from then."""
    rows = [f"2024-03-{day} 09:30:00-05:00,1,2,1,2,5" for day in ("07", "08", "11", "12")]
    with pytest.raises(DataError, match=r"row 2 \(line 4\).*the offset -05:00, but America/New_York was -04:00 then"):
        read_bars(write("ts,open,high,low,close,volume\n" + "\n".join(rows)), "5m", "XNYS", zone="America/New_York")


def test_B6_instants_in_a_parquet_or_as_numbers_contradict_a_zone_too(write: Write, tmp_path: pathlib.Path) -> None:
    frame = pd.DataFrame([row[1:] for row in ROWS], columns=["open", "high", "low", "close", "volume"])
    frame.insert(0, "ts", OPENINGS)
    frame.to_parquet(tmp_path / "bars.parquet", index=False)
    epoch = lines(lambda t: str(int(pd.Timestamp(t, tz="Asia/Kolkata").timestamp())), "ts,open,high,low,close,volume")
    numbers = write(epoch)
    for path in (tmp_path / "bars.parquet", numbers):
        check_read(read_bars(path, "5m", "NSE"))
        check_read(read_bars(path, "5m", "NSE", zone="UTC"))
        with pytest.raises(DataError, match=r"row 0.*offset \+00:00, but Asia/Kolkata was \+05:30"):
            read_bars(path, "5m", "NSE", zone="Asia/Kolkata")


def test_B1_date_labels_have_no_clock_that_a_zone_could_contradict(write: Write) -> None:
    text = "ts,open,high,low,close,volume\n2024-03-01T00:00:00Z,1,2,1,2,5\n2024-03-04T00:00:00Z,1,2,1,2,5\n"
    assert len(read_bars(write(text), "1d", "NSE", zone="Asia/Kolkata")) == 2


def test_B6_the_hint_for_local_times_called_utc_says_what_can_be_done(write: Write) -> None:
    clock = lines(lambda t: t.replace(" 09:", " 15:"), "ts,open,high,low,close,volume")
    carried = lines(lambda t: t.replace(" 09:", " 15:") + "Z", "ts,open,high,low,close,volume")
    with pytest.raises(DataError, match="Take the offset off") as caught:
        read_bars(write(carried), "5m", "NSE")
    assert "zone='Asia/Kolkata'" in str(caught.value)
    with pytest.raises(DataError, match="called UTC: zone='Asia/Kolkata'"):
        read_bars(write(clock), "5m", "NSE", zone="UTC")
    assert len(read_bars(write(clock), "5m", "NSE", zone="Asia/Kolkata")) == 3


def test_B6_day_and_month_that_cannot_be_told_apart_are_refused(write: Write) -> None:
    text = "Date,Open,High,Low,Close\n03/01/2024,1,2,1,2\n04/01/2024,2,3,2,3\n"
    with pytest.raises(DataError, match=r"row 0 \(line 2\): in '03/01/2024' nobody can tell day from month"):
        read_bars(write(text), "1d", "XNYS")


def test_B6_a_time_the_zone_skips_or_shows_twice_is_refused(write: Write) -> None:
    text = "ts,open,high,low,close\n2024-11-03 00:55,1,1,1,1\n2024-11-03 01:00,1,1,1,1\n"
    with pytest.raises(DataError, match=r"row 1.*skipped or shown twice"):
        read_bars(write(text), "5m", "24x7", zone="America/New_York")


def test_B6_times_with_and_without_offset_are_refused(write: Write) -> None:
    text = "ts,open,high,low,close\n2024-03-01 09:15+05:30,1,1,1,1\n2024-03-01 09:20,1,1,1,1\n"
    with pytest.raises(DataError, match=r"row 1.*has no time zone, other rows have one"):
        read_bars(write(text), "5m", "NSE")


@pytest.mark.parametrize(("text", "name", "reason"), [
    ("", "bars.csv", "the file is empty"),
    ("", "bars.parquet", "the file is empty"),
    ("ts,open,high,low,close\n", "bars.csv", "there are no bars in it"),
    ("ts,open,high,low,close\nyesterday,1,1,1,1\n", "bars.csv", r"row 0 \(line 2\): 'yesterday' is not a time"),
    ("ts,open,high,low,close\n2024-03-01 09:15+05:30,1,1,1,x\n", "bars.csv", r"row 0 \(line 2\): close 'x' is no"),
    ("ts,open,high,low,close\n2024-03-01 09:15+05:30,1,1,1,1,7\n", "bars.csv",
     "line 2: there are 6 fields under 5 names"),
    ("ts,open,high,low,close\n2024-03-01 09:15+05:30,1,1,1,1\n2024-03-01 09:20+05:30,1,1,1,1,7\n", "bars.csv",
     "cannot be read as a table: .*Expected 5 fields in line 3, saw 6"),
    ("no parquet at all", "bars.parquet", "damaged or cut short"),
    ("ts,open\n", "bars.xlsx", "files ending in '.xlsx' are not read"),
])
def test_B6_files_that_hold_no_bars_are_refused(write: Write, text: str, name: str, reason: str) -> None:
    with pytest.raises(DataError, match=f"{name}.*{reason}"):
        read_bars(write(text, name), "5m", "NSE")


def test_B6_an_absent_file_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(DataError, match=r"absent\.csv: there is no such file"):
        read_bars(tmp_path / "absent.csv", "5m", "NSE")


def test_B6_a_truncated_parquet_file_is_refused(write: Write, tmp_path: pathlib.Path) -> None:
    frame = read_bars(write(lines(lambda t: f"{t}+05:30", "ts,open,high,low,close,volume")), "5m", "NSE").frame
    path = tmp_path / "cut.parquet"
    frame.to_parquet(path)
    whole = path.read_bytes()
    for size in (10, len(whole) // 2, len(whole) - 5):
        path.write_bytes(whole[:size])
        with pytest.raises(DataError, match=r"cut\.parquet: the Parquet file is damaged or cut short"):
            read_bars(path, "5m", "NSE")


def test_B6_a_damaged_compressed_file_is_refused(write: Write, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "bars.csv.gz"
    pd.read_csv(write(lines(lambda t: f"{t}+05:30", "ts,open,high,low,close,volume"))).to_csv(path, index=False)
    whole = path.read_bytes()
    for damaged in (whole[:10] + b"\xff" * 40, whole[:-12], whole[:30] + b"\x00" * 9 + whole[39:]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"bars\.csv\.gz: the (file cannot be read|text cannot be read as a table)"):
            read_bars(path, "5m", "NSE")


def test_B6_empty_fields_at_the_end_of_lines_are_passed_over(write: Write) -> None:
    text = lines(lambda t: f"{t}+05:30", "ts,open,high,low,close,volume").replace("\n", ",\n")
    check_read(read_bars(write(text.replace("volume,", "volume", 1)), "5m", "NSE"))


def test_B6_a_file_of_two_symbols_is_refused(write: Write) -> None:
    text = ("symbol,ts,open,high,low,close\nTCS,2024-03-01 09:15+05:30,1,1,1,1\n"
            "INFY,2024-03-01 09:20+05:30,1,1,1,1\n")
    with pytest.raises(DataError, match=r"row 1 \(line 3\): symbol 'INFY' in a file of 'TCS'"):
        read_bars(write(text), "5m", "NSE")


def test_B6_rows_of_a_file_are_named_by_line(write: Write) -> None:
    text = lines(lambda t: f"{t}+05:30", "ts,open,high,low,close,volume").replace("102.0", "")
    with pytest.raises(DataError, match=r"bars\.csv, row 1 \(line 3\), 2024-03-01 03:50:00\+00:00: high is missing"):
        read_bars(write(text), "5m", "NSE")


def test_B6_prices_of_a_billion_times_too_much_are_refused(write: Write) -> None:
    text = lines(lambda t: f"{t}+05:30", "ts,open,high,low,close,volume").replace("102.0", "1e12")
    with pytest.raises(DataError, match=r"row 1.*high 1000000000000\.0 is beyond belief"):
        read_bars(write(text), "5m", "NSE")


def test_N1_options_that_do_not_exist_are_refused(write: Write) -> None:
    path = write(lines(lambda t: f"{t}+05:30", "ts,open,high,low,close,volume"))
    with pytest.raises(ConfigError, match="takes no 'tz'"):
        read_bars(path, "5m", "NSE", tz="UTC")  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match="stamp='middle'"):
        read_bars(path, "5m", "NSE", stamp="middle")


def test_B6_a_month_that_a_file_holds_twice_is_refused(data_dir: pathlib.Path) -> None:
    path = data_dir / "dirty" / "2016_JULY_NIFTY.txt"
    with pytest.raises(DataError, match=r"row 7125 \(line 7126\), 2016-07-01 03:45.*go back.*the same months twice"):
        read_bars(path, "1m", "NSE", repair="drop", columns=JULY, zone="Asia/Kolkata", stamp="close")


def test_B6_the_doubled_month_sorted_loses_its_identical_rows(data_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
    table = pd.read_csv(data_dir / "dirty" / "2016_JULY_NIFTY.txt", header=None, names=list(JULY))
    table.sort_values(["date", "time"], kind="stable").to_csv(tmp_path / "sorted.csv", index=False)
    bars = read_bars(tmp_path / "sorted.csv", "1m", "NSE", zone="Asia/Kolkata", stamp="close")
    assert len(bars) == 20 * 375
    assert len(bars.report) == 19 * 375
    assert (bars.report["reason"] == "identical to the row before").all()


def test_B6_foreign_rows_of_a_real_file_are_refused_and_dropped_when_asked(data_dir: pathlib.Path) -> None:
    path = data_dir / "dirty" / "BANKNIFTY_foreign_instrument_rows.csv"
    reason = r"row 40 \(line 42\), 2015-03-30 04:25:00\+00:00: 1578\.65 is a factor of 11\.5"
    with pytest.raises(DataError, match=reason):
        read_bars(path, "1m", "NSE")
    bars = read_bars(path, "1m", "NSE", repair="drop")
    assert len(bars) == 43
    assert bars.report["row"].tolist() == [*range(40, 335), *range(338, 707)]
    assert np.all(bars.low > 18_000)


def test_B6_two_sets_of_columns_in_a_real_file_are_refused(data_dir: pathlib.Path) -> None:
    path = data_dir / "dirty" / "yahoo_GBPJPY_5m_mixed_columns.csv"
    with pytest.raises(DataError, match="columns 'open' and 'Open' can both be 'open'"):
        read_bars(path, "5m", "FX")
    chosen = {name: name for name in ("open", "high", "low", "close", "volume")}
    reason = r"row 1064 \(line 1066\).*outside the session of 2026-04-17, Thu 17:00 to Fri 17:00"
    with pytest.raises(DataError, match=reason):
        read_bars(path, "5m", "FX", columns=chosen)
    bars = read_bars(path, "5m", "FX", repair="drop", columns=chosen)
    assert len(bars) + len(bars.report) == 6000
    assert (bars.report["reason"] == "open is missing (NaN)").sum() == 3547
    assert bars.report["reason"].str.contains("outside").sum() == 12


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
def test_B6_lines_may_end_as_on_any_machine(tmp_path: pathlib.Path, end: str) -> None:
    path = tmp_path / "bars.csv"
    path.write_bytes(lines(lambda t: f"{t}+05:30", "ts,open,high,low,close,volume").replace("\n", end).encode())
    check_read(read_bars(path, "5m", "NSE"))
    path.write_bytes(path.read_bytes().replace(b"102.0", b""))
    with pytest.raises(DataError, match=r"row 1 \(line 3\)"):
        read_bars(path, "5m", "NSE")


@pytest.mark.parametrize("values", [[1 + 2j, 1 + 0j, 1j], [True, False, True], pd.to_datetime(["2024-01-01"] * 3),
                                    pd.Series([True, 1.0, 2.0], dtype=object), pd.array([True, None, True])])
def test_B6_what_only_turns_into_numbers_is_refused(values: object) -> None:
    """As float, numpy halves a complex number with a warning, and takes True for a price of 1."""
    frame = pd.DataFrame([row[1:] for row in ROWS], columns=["open", "high", "low", "close", "volume"], index=OPENINGS)
    for name in ("high", "volume"):
        wrong = frame.assign(**{name: pd.Series(values).set_axis(OPENINGS)})
        with pytest.raises(DataError, match=f"row 0: {name} .* is not a number"):
            Bars(wrong, "5m", "NSE")


def test_B6_booleans_in_a_text_file_are_no_prices(write: Write) -> None:
    text = "ts,open,high,low,close\n2024-03-01 09:15+05:30,True,True,True,True\n"
    with pytest.raises(DataError, match=r"row 0 \(line 2\): open True is not a number"):
        read_bars(write(text), "5m", "NSE")


def test_B6_messages_show_plain_numbers_and_one_full_stop(write: Write) -> None:
    frame = pd.DataFrame({name: [1.0, 1.0] for name in ("open", "high", "low", "close")}, index=pd.Index([7, 8]))
    texts = []
    for refused in (lambda: Bars(frame, "5m", "NSE"),
                    lambda: read_bars(write("no parquet at all", "bars.parquet"), "5m", "NSE"),
                    lambda: read_bars(write("ts,open,high,low,close\n5,1,1,1,1\n"), "5m", "NSE"),
                    lambda: read_bars(write("symbol,ts,open,high,low,close\n5,1,1,1,1,1\n6,1,1,1,1,1\n"), "5m", "NSE")):
        with pytest.raises(DataError) as caught:
            refused()
        texts.append(str(caught.value))
    assert "the index holds 7, not times" in texts[0]
    assert "time 5 is neither" in texts[2]
    assert "symbol 6 in a file of 5" in texts[3]
    assert not [text for text in texts if "np." in text or ".. " in text]
