"""Bars of files that appear, grow and change come once, when they are final; what is wrong is told (B1, B5, B6, B7)."""

from __future__ import annotations

import gzip
import os
import pathlib

import pandas as pd
import pytest

from workbench.errors import ConfigError
from workbench.live.feed import ClosedBar, Feed, Gap
from workbench.live.feeds.bar_files import name_parts
from workbench.live.feeds.folder import FolderFeed
from workbench.market.bars import Bars
from workbench.market.calendar import Calendar, resolve_calendar
from workbench.market.sources.files import read_bars
from workbench.market.store import Store

NSE = resolve_calendar("NSE")
HEADER = "ts,open,high,low,close,volume"
MINUTE = 60_000_000_000


def ns(text: str) -> int:
    return int(pd.Timestamp(text).as_unit("ns").value)


def at(clock: str) -> int:
    """An instant of 2024-01-15, a Monday, in Mumbai."""
    return ns(f"2024-01-15 {clock}+05:30")


EVENING = at("18:00")


def row(clock: str, price: float = 100.0) -> str:
    return f"2024-01-15 {clock}:00+05:30,{price},{price + 2},{price - 1},{price + 1},10"


def write(path: pathlib.Path, *rows: str, written_ns: int = EVENING) -> None:
    """Replace a CSV by one with a header and some rows, written at an instant."""
    new = path.with_name(f".{path.name}.new")
    new.write_text("\n".join([HEADER, *rows]) + "\n")
    os.utime(new, ns=(written_ns, written_ns))
    new.replace(path)


def following(folder: pathlib.Path, since_ns: int = 0, calendar: Calendar = NSE) -> FolderFeed:
    feed = FolderFeed(folder)
    feed.follow("NSE:A", "5m", calendar, since_ns)
    return feed


def clocks(bars: list[ClosedBar]) -> list[str]:
    return [pd.Timestamp(bar.ts_ns, tz="UTC").tz_convert("Asia/Kolkata").strftime("%H:%M") for bar in bars]


def whats(feed: FolderFeed) -> list[str]:
    return [gap.what for gap in feed.gaps()]


def test_B5_bars_of_a_file_that_grows_come_once(tmp_path: pathlib.Path) -> None:
    feed = following(tmp_path)
    port: Feed = feed
    write(tmp_path / "A_5m.csv", row("09:15"))
    assert port.take(EVENING) == [ClosedBar("NSE:A", "5m", at("09:15"), 100.0, 102.0, 99.0, 101.0, 10.0)]
    assert port.through_ns("NSE:A", "5m") == at("09:20")
    assert port.take(EVENING) == []
    with (tmp_path / "A_5m.csv").open("a") as file:
        file.write(row("09:20") + "\n" + row("09:25") + "\n")
    assert clocks(feed.take(EVENING)) == ["09:20", "09:25"]
    assert port.through_ns("NSE:A", "5m") == at("09:30")
    assert port.next_ns(EVENING) is None
    assert port.gaps() == []


def test_B1_a_bar_waits_for_its_close(tmp_path: pathlib.Path) -> None:
    feed = following(tmp_path)
    write(tmp_path / "A_5m.csv", row("09:15"), row("09:20"))
    assert feed.take(at("09:20") - 1) == []
    assert feed.next_ns(at("09:20") - 1) == at("09:20")
    assert feed.through_ns("NSE:A", "5m") == 0
    assert clocks(feed.take(at("09:20"))) == ["09:15"]
    assert feed.next_ns(at("09:20")) == at("09:25")
    assert clocks(feed.take(at("09:25"))) == ["09:20"]


def test_B1_the_last_bar_of_a_session_is_final_at_its_close(tmp_path: pathlib.Path) -> None:
    feed = FolderFeed(tmp_path)
    feed.follow("NSE:A", "1h", NSE, 0)
    write(tmp_path / "A_60m.csv", row("14:15"), row("15:15"))
    assert clocks(feed.take(at("15:30") - 1)) == ["14:15"]
    assert clocks(feed.take(at("15:30"))) == ["15:15"]
    assert feed.through_ns("NSE:A", "60m") == at("15:30")


def test_B5_a_bar_waits_while_the_file_was_written_before_its_close(tmp_path: pathlib.Path) -> None:
    feed = following(tmp_path)
    write(tmp_path / "A_5m.csv", row("09:15"), row("09:20", 90.0), written_ns=at("09:23"))
    assert clocks(feed.take(at("09:23"))) == ["09:15"]
    assert feed.next_ns(at("09:23")) is None
    assert feed.take(at("09:29")) == []
    assert feed.gaps() == []
    assert feed.take(at("09:30")) == []
    assert feed.take(at("09:31")) == []
    what = "the file was written before this bar closed and not since: the bar may not be whole, and waits"
    assert feed.gaps() == [Gap("NSE:A", "5m", at("09:20"), what)]
    write(tmp_path / "A_5m.csv", row("09:15"), row("09:20", 80.0), written_ns=at("09:25"))
    assert [bar.open for bar in feed.take(at("09:31"))] == [80.0]
    assert feed.gaps() == []


def test_B5_a_file_may_be_written_a_little_early_for_clocks_are_rounded(tmp_path: pathlib.Path) -> None:
    write(tmp_path / "A_5m.csv", row("09:15"), written_ns=at("09:20") - 20_000_000)
    assert clocks(following(tmp_path).take(at("09:20"))) == ["09:15"]
    write(tmp_path / "A_5m.csv", row("09:15"), written_ns=at("09:20") - 20_001_000)
    assert following(tmp_path).take(at("09:20")) == []
    patient = FolderFeed(tmp_path, early_ns=MINUTE)
    patient.follow("NSE:A", "5m", NSE, 0)
    assert clocks(patient.take(at("09:20"))) == ["09:15"]


def test_B5_a_bar_that_changed_comes_again_and_only_that(tmp_path: pathlib.Path) -> None:
    feed = following(tmp_path)
    write(tmp_path / "A_5m.csv", row("09:15"), row("09:20"), row("09:25"))
    assert len(feed.take(EVENING)) == 3
    write(tmp_path / "A_5m.csv", row("09:15"), row("09:20", 101.0), row("09:25"))
    assert feed.take(EVENING) == [ClosedBar("NSE:A", "5m", at("09:20"), 101.0, 103.0, 100.0, 102.0, 10.0)]
    write(tmp_path / "A_5m.csv", row("09:25"), row("09:30"))
    assert clocks(feed.take(EVENING)) == ["09:30"]
    write(tmp_path / "A_5m.csv", row("09:20"), row("09:25"), row("09:30"))
    assert [bar.open for bar in feed.take(EVENING)] == [100.0]
    assert feed.through_ns("NSE:A", "5m") == at("09:35")
    assert feed.gaps() == []


def test_only_bars_after_since_come_and_bad_rows_before_it_are_passed_over(tmp_path: pathlib.Path) -> None:
    write(tmp_path / "A_5m.csv", row("09:15"), row("09:18"), row("09:20"), row("09:35"), row("09:38"), row("09:40"))
    feed = following(tmp_path, since_ns=at("09:25"))
    feed.follow("NSE:A", "5m", NSE, 0)
    assert clocks(feed.take(EVENING)) == ["09:35", "09:40"]
    assert [gap.ts_ns for gap in feed.gaps()] == [at("09:38")]


def test_B7_intervals_without_a_bar_between_two_bars_are_told_once(tmp_path: pathlib.Path) -> None:
    feed = following(tmp_path)
    write(tmp_path / "A_5m.csv", row("09:30"), row("09:35"))
    feed.take(EVENING)
    assert feed.gaps() == []
    write(tmp_path / "A_5m.csv", row("09:50"), row("10:00"))
    feed.take(EVENING)
    assert feed.gaps() == [
        Gap("NSE:A", "5m", at("09:40"), "no bar in 2 intervals of 5m, from 2024-01-15 09:40 to 09:50 Asia/Kolkata"),
        Gap("NSE:A", "5m", at("09:55"), "no bar in 1 interval of 5m, from 2024-01-15 09:55 to 10:00 Asia/Kolkata"),
    ]
    write(tmp_path / "A_5m.csv", row("09:45"), row("09:50"), row("10:00"))
    assert clocks(feed.take(EVENING)) == ["09:45"]
    assert feed.through_ns("NSE:A", "5m") == at("10:05")
    assert feed.gaps() == []


def test_B7_a_gap_lies_in_one_session(tmp_path: pathlib.Path) -> None:
    feed = following(tmp_path)
    next_day = EVENING + 24 * 60 * MINUTE
    write(tmp_path / "A_5m.csv", row("15:15"), row("09:25").replace("01-15", "01-16"), written_ns=next_day)
    assert len(feed.take(next_day)) == 2
    assert whats(feed) == ["no bar in 2 intervals of 5m, from 2024-01-15 15:20 to 15:30 Asia/Kolkata",
                           "no bar in 2 intervals of 5m, from 2024-01-16 09:15 to 09:25 Asia/Kolkata"]  # fmt: skip


def test_B7_a_daily_gap_is_a_session(tmp_path: pathlib.Path) -> None:
    (tmp_path / "IBM_1d.csv").write_text(f"date,{HEADER[3:]}\n2024-01-11,1,1,1,1,0\n2024-01-16,1,1,1,1,0\n")
    feed = FolderFeed(tmp_path)
    feed.follow("XNYS:IBM", "1d", resolve_calendar("XNYS"), 0)
    now = ns("2024-01-16 16:00-05:00")
    assert [bar.ts_ns for bar in feed.take(now - 1)] == [ns("2024-01-11 00:00+00:00")]
    assert [bar.ts_ns for bar in feed.take(now)] == [ns("2024-01-16 00:00+00:00")]
    what = "no bar of the session of 2024-01-12"
    assert feed.gaps() == [Gap("XNYS:IBM", "1d", ns("2024-01-12 00:00+00:00"), what)]
    assert feed.through_ns("XNYS:IBM", "1d") == now


def test_B6_bad_rows_are_told_once_with_the_loaders_reason_and_the_others_come(tmp_path: pathlib.Path) -> None:
    bad = ["2024-01-15 09:20:00+05:30,100,99,98,100,10", row("09:28"), "2024-01-15 09:30:00+05:30,,101,99,100,10"]
    rows = [row("09:15"), *bad, row("09:35"), row("09:35")]
    feed = following(tmp_path)
    write(tmp_path / "A_5m.csv", *rows)
    assert clocks(feed.take(EVENING)) == ["09:15", "09:35"]
    off_the_grid = "09:28:00 local is no opening of a 5m bar: they are counted from 09:15"
    assert [(gap.ts_ns, gap.what) for gap in feed.gaps()] == [
        (at("09:20"), "A_5m.csv, row 1: dropped: high 99.0 is below 100.0"),
        (at("09:28"), f"A_5m.csv, row 2: dropped: {off_the_grid}"),
        (at("09:30"), "A_5m.csv, row 3: dropped: open is missing (NaN)"),
        (at("09:35"), "A_5m.csv, row 5: dropped: identical to the row before"),
        (at("09:20"), "no bar in 3 intervals of 5m, from 2024-01-15 09:20 to 09:35 Asia/Kolkata"),
    ]
    write(tmp_path / "A_5m.csv", *rows, ",100,102,99,101,10", row("09:40"))
    assert clocks(feed.take(EVENING)) == ["09:40"]
    why = "A_5m.csv, row 6: dropped: the time is missing or not between 1900 and 2200"
    assert feed.gaps() == [Gap("NSE:A", "5m", EVENING, why)]


def test_B6_what_the_loader_assumes_is_told_once(tmp_path: pathlib.Path) -> None:
    feed = following(tmp_path)
    lines = ["ts,open,high,low,close", *(f"2024-01-15 {clock}:00+05:30,1,1,1,1" for clock in ("09:15", "09:20"))]
    for count in (2, 3):
        (tmp_path / "A_5m.csv").write_text("\n".join(lines[:count]) + "\n")
        assert len(feed.take(EVENING)) == 1
    assert feed.gaps() == [Gap("NSE:A", "5m", EVENING, "A_5m.csv: there is no volume column: volume is 0")]


def test_B7_bars_that_look_coarser_than_their_file_says_are_told_once(tmp_path: pathlib.Path) -> None:
    feed = FolderFeed(tmp_path)
    feed.follow("NSE:A", "1m", NSE, 0)
    rows = [row(f"09:{minute}") for minute in range(15, 60, 5)]
    for count in (6, 9):
        write(tmp_path / "A_1m.csv", *rows[:count])
        feed.take(EVENING)
    asked = [what for what in whats(feed) if "are these 5m bars?" in what]
    what = "every bar lies on the grid of 5m, and 77% of the 1m intervals have none: are these 5m bars? Then read them"
    assert asked == [f"A_1m.csv: {what} as 5m"]


def parquet(path: pathlib.Path, *opens: tuple[str, float]) -> bytes:
    """Write a Parquet file of bars whose four prices are equal, and give its content."""
    prices = [price for _, price in opens]
    frame = pd.DataFrame({"ts": pd.DatetimeIndex([at(clock) for clock, _ in opens], tz="UTC"),
                          **dict.fromkeys(("open", "high", "low", "close"), prices), "volume": 1.0})  # fmt: skip
    frame.to_parquet(path)
    return path.read_bytes()


def test_a_parquet_file_without_its_end_is_waited_for(tmp_path: pathlib.Path) -> None:
    whole = parquet(tmp_path / "A_5m.parquet", ("09:15", 100.0), ("09:20", 101.0))
    (tmp_path / "A_5m.parquet").write_bytes(whole[:-20])
    feed = following(tmp_path)
    assert feed.take(EVENING) == []
    assert feed.gaps() == []
    (tmp_path / "A_5m.parquet").write_bytes(whole)
    assert clocks(feed.take(EVENING)) == ["09:15", "09:20"]
    assert feed.gaps() == []


def test_a_line_that_does_not_end_is_waited_for(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "A_5m.csv"
    write(path, row("09:15"))
    feed = following(tmp_path)
    feed.take(EVENING)
    with path.open("a") as file:
        file.write(row("09:20")[:-1])
        file.flush()
        assert feed.take(EVENING) == []
        file.write("0\n")
    assert [bar.volume for bar in feed.take(EVENING)] == [10.0]
    assert feed.gaps() == []


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("A_5m.csv", f"{HEADER}\n{row('09:15')}".encode(), "the last line does not end, so it may be half written"),
        ("A_5m.parquet", b"PAR1 and nothing else", "the Parquet file is damaged or cut short"),
        ("A_5m.csv", f"{HEADER}\n2024-01-15 09:15:00,1,1,1,1,1\n".encode(), "has no time zone"),
        ("A_5m.csv", f"{HEADER}\n{row('09:20')}\n{row('09:15')}\n".encode(), "times go back"),
        ("A_5m.csv", b"", "the file is empty"),
        ("A_5m.csv.gz", gzip.compress(f"{HEADER}\n{row('09:15')}\n".encode())[:-12], "the file cannot be read"),
        ("A_5m.csv.gz", gzip.compress(b"a" * 99)[:10] + b"\xff" * 40, "the file cannot be read"),
    ],
    ids=["open end", "parquet", "no zone", "backwards", "empty", "cut", "damaged"],
)
def test_a_file_that_stays_unreadable_is_told_once(tmp_path: pathlib.Path, name: str, content: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(content)
    feed = following(tmp_path)
    assert feed.take(EVENING) == []
    assert feed.gaps() == []
    assert feed.take(EVENING + 1) == []
    told = feed.gaps()
    assert [(gap.ts_ns, gap.instrument, gap.timeframe) for gap in told] == [(EVENING + 1, "NSE:A", "5m")]
    assert f"{tmp_path / name}" in told[0].what
    assert why in told[0].what
    assert feed.take(EVENING + 2) == []
    (tmp_path / name).write_bytes(content)
    assert feed.take(EVENING + 3) == []
    assert feed.gaps() == []


def test_a_file_that_can_be_read_again_is_told_again_when_it_breaks_again(tmp_path: pathlib.Path) -> None:
    path, feed = tmp_path / "A_5m.csv", following(tmp_path)
    counts = []
    for broken in (True, False, True):
        write(path, row("09:15"))
        if broken:
            path.write_bytes(path.read_bytes()[:-1])
        counts.append([len(feed.take(EVENING)) for _ in range(3)] + [len(feed.gaps())])
    assert counts == [[0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 1]]


def test_a_file_that_is_not_there_is_told_once_and_may_come_later(tmp_path: pathlib.Path) -> None:
    feed = following(tmp_path)
    assert feed.take(EVENING) == []
    assert feed.gaps() == []
    feed.take(EVENING)
    feed.take(EVENING)
    assert whats(feed) == [f"{tmp_path}: there is no file of A, 5m: it is called A_5m.parquet, or A_5m.csv."]
    write(tmp_path / "A_5m.csv", row("09:15"))
    assert clocks(feed.take(EVENING)) == ["09:15"]


def test_a_folder_that_goes_away_is_told_and_may_come_back(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "bars"
    folder.mkdir()
    feed = following(folder)
    write(folder / "A_5m.csv", row("09:15"))
    assert len(feed.take(EVENING)) == 1
    folder.rename(tmp_path / "elsewhere")
    assert [feed.take(EVENING), feed.take(EVENING)] == [[], []]
    assert [what.startswith(f"{folder}: there is no such file") for what in whats(feed)] == [True]
    (tmp_path / "elsewhere").rename(folder)
    write(folder / "A_5m.csv", row("09:15"), row("09:20"))
    assert clocks(feed.take(EVENING)) == ["09:20"]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("RELIANCE_5m.parquet", ("RELIANCE", "5m")),
        ("EUR_USD_60m.csv.gz", ("EUR_USD", "1h")),
        ("EUR_USD.CSV", ("EUR_USD", None)),
        ("M&M_1d.txt", ("M&M", "1d")),
        ("_5m.csv", ("_5m", None)),
        (".RELIANCE_5m.parquet.3f.tmp", None),
        (".RELIANCE_5m.parquet", None),
        ("RELIANCE_5m.json", None),
        ("README", None),
    ],
)
def test_a_files_name_says_what_it_holds(name: str, parts: tuple[str, str | None] | None) -> None:
    found = name_parts(name)
    assert (found and (found[0], found[1] and str(found[1]))) == parts


def test_a_file_that_says_its_timeframe_is_taken_before_one_that_does_not(tmp_path: pathlib.Path) -> None:
    feed = following(tmp_path)
    write(tmp_path / "A.csv", row("09:15", 50.0))
    assert [bar.open for bar in feed.take(EVENING)] == [50.0]
    write(tmp_path / "A_15m.csv", row("09:15", 70.0))
    write(tmp_path / "A_5m.csv", row("09:15", 60.0))
    assert [bar.open for bar in feed.take(EVENING)] == [60.0]


def test_nothing_is_guessed_where_a_name_can_mean_two_things(tmp_path: pathlib.Path) -> None:
    feed = following(tmp_path)
    write(tmp_path / "A_5m.csv", row("09:15"))
    parquet(tmp_path / "A_5m.parquet", ("09:15", 100.0))
    assert [feed.take(EVENING), feed.take(EVENING)] == [[], []]
    assert whats(feed) == [f"{tmp_path}: A_5m.csv and A_5m.parquet both can hold the 5m bars of A. Keep one."]
    (tmp_path / "A_5m.parquet").unlink()
    assert len(feed.take(EVENING)) == 1
    feed.follow("BSE:A", "5m", resolve_calendar("BSE"), 0)
    assert [feed.take(EVENING), feed.take(EVENING)] == [[], []]
    ends = "cannot say whose bars it holds. Use a folder and a feed for each exchange."
    assert [what.endswith(ends) for what in whats(feed)] == [True, True]
    other = following(tmp_path)
    other.follow("NSE:A", "15m", NSE, 0)
    (tmp_path / "A_5m.csv").rename(tmp_path / "A.csv")
    assert [other.take(EVENING), other.take(EVENING)] == [[], []]
    assert whats(other)[0] == (f"{tmp_path}: 5m and 15m bars of NSE:A are followed, and the name of A.csv does not say "
                               "which it holds. Call it A_5m.csv.")  # fmt: skip


def test_bars_of_several_files_come_in_the_order_of_their_closes(tmp_path: pathlib.Path) -> None:
    feed = FolderFeed(tmp_path)
    for name, timeframe in (("NSE:B", "5m"), ("NSE:A", "15m"), ("NSE:A", "5m")):
        feed.follow(name, timeframe, NSE, 0)
        write(tmp_path / f"{name[4:]}_{timeframe}.csv", row("09:15"), row("09:30"))
    bars = feed.take(EVENING)
    assert clocks(bars) == ["09:15", "09:15", "09:15", "09:30", "09:30", "09:30"]
    assert [(bar.instrument, bar.timeframe) for bar in bars] == [("NSE:A", "5m"), ("NSE:B", "5m"), ("NSE:A", "15m")] * 2


def test_a_layout_says_how_the_files_are_written(tmp_path: pathlib.Path) -> None:
    (tmp_path / "A_5m.txt").write_text("20240115;0920;1;1;1;1;7\n20240115;0925;1;1;1;1;8\n")
    names = ("date", "time", "open", "high", "low", "close", "volume")
    feed = FolderFeed(tmp_path, zone="Asia/Kolkata", stamp="close", columns=names)
    feed.follow("NSE:A", "5m", NSE, 0)
    assert clocks(feed.take(EVENING)) == ["09:15", "09:20"]


def test_what_a_person_wrote_wrong_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="nowhere: there is no such file"):
        FolderFeed(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="it is a file"):
        FolderFeed(tmp_path / "file")
    with pytest.raises(ConfigError, match="takes no 'tz'"):
        FolderFeed(tmp_path, tz="UTC")  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match="not written EXCHANGE:SYMBOL"):
        FolderFeed(tmp_path).follow("A", "5m", NSE, 0)


def test_a_file_that_did_not_change_is_not_read_again(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def counting(path: pathlib.Path, *rest: object, **named: object) -> Bars:
        read.append(path.name)
        return read_bars(path, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("workbench.live.feeds.bar_files.read_bars", counting)
    write(tmp_path / "A_5m.csv", row("09:15"), row("09:20"))
    write(tmp_path / "B_5m.csv", row("09:20"), row("09:15"))
    feed = following(tmp_path)
    feed.follow("NSE:B", "5m", NSE, 0)
    for minute in range(60):
        feed.take(at("09:10") + minute * MINUTE)
    assert read == ["A_5m.csv", "B_5m.csv"]
    write(tmp_path / "A_5m.csv", row("09:15"), row("09:20"))
    assert feed.take(EVENING) == []
    assert read == ["A_5m.csv", "B_5m.csv", "A_5m.csv"]


def test_a_file_that_is_written_while_it_is_read_is_read_again(tmp_path: pathlib.Path,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    path, feed = tmp_path / "A_5m.csv", following(tmp_path)
    write(path, row("09:15"))

    def overtaken(*rest: object, **named: object) -> Bars:
        bars = read_bars(*rest, **named)  # type: ignore[arg-type]
        write(path, row("09:15", 60.0), row("09:20"))
        return bars

    with monkeypatch.context() as patched:
        patched.setattr("workbench.live.feeds.bar_files.read_bars", overtaken)
        assert feed.take(EVENING) == []
    assert [bar.open for bar in feed.take(EVENING)] == [60.0, 100.0]
    assert feed.gaps() == []


def test_B5_real_bars_come_out_of_the_store_as_they_are_saved(real_bars, nse, tmp_path: pathlib.Path) -> None:  # type: ignore[no-untyped-def]
    bars = real_bars("nse/RELIANCE_5m", repair="drop").between("2023-11-08", "2023-11-17")
    store = Store(tmp_path)
    store.folder.mkdir()
    feed = FolderFeed(store.folder)
    feed.follow("NSE:RELIANCE", "5m", nse, 0)
    days = pd.DatetimeIndex(bars.index).tz_convert("Asia/Kolkata").strftime("%Y-%m-%d")
    got, closes = [], []
    for day in dict.fromkeys(days):
        store.save("RELIANCE", bars.between(day, day))
        got += feed.take(2**62)
        closes.append(feed.through_ns("NSE:RELIANCE", "5m"))
    assert [bar.ts_ns for bar in got] == bars.ts_ns.tolist()
    for name in ("open", "high", "low", "close", "volume"):
        assert [getattr(bar, name) for bar in got] == getattr(bars, name).tolist()
    assert closes == bars.grid.sessions.close_ns.tolist()
    assert len(feed.gaps()) == bars.gaps == 0


def test_B6_B7_a_real_file_with_bad_rows_and_holes_tells_of_each(data_dir: pathlib.Path, nse: Calendar) -> None:
    feed = FolderFeed(data_dir / "nse")
    feed.follow("NSE:BANKNIFTY", "1m", nse, ns("2015-03-27 00:00+05:30"))
    got = feed.take(ns("2015-04-01 00:00+05:30"))
    bars = read_bars(data_dir / "nse" / "BANKNIFTY_1m.parquet", "1m", nse, "drop").between("2015-03-27", "2015-03-31")
    assert [bar.ts_ns for bar in got] == bars.ts_ns.tolist()
    told = feed.gaps()
    holes = [gap for gap in told if gap.what.startswith("no bar in")]
    rows = [gap for gap in told if ": dropped: " in gap.what]
    assert sum(int(gap.what.split()[3]) for gap in holes) == bars.gaps
    assert len(rows) + len(holes) == len(told)
