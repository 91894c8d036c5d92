"""The store of bars: atomic, disjoint, self-describing (rule B9; N1)."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from workbench.errors import ConfigError, DataError
from workbench.market.bars import Bars
from workbench.market.home import write_atomically
from workbench.market.samples import synthetic
from workbench.market.store import Store, load_bars, save_bars


@pytest.fixture(scope="module")
def year() -> Bars:
    return synthetic(seed=5, start="2023-01-01", end="2023-03-31", timeframe="15m")


@pytest.fixture
def store(tmp_path: pathlib.Path) -> Store:
    return Store(tmp_path)


def with_close(bars: Bars, row: int, close: float) -> Bars:
    frame = bars.frame
    frame.iloc[row, 3] = close
    frame.iloc[row, 1] = max(frame.iloc[row, 1], close)
    return Bars(frame, bars.timeframe, bars.calendar, bars.basis)


def test_N1_bars_come_back_by_name_and_range(store: Store, year: Bars) -> None:
    store.save("M&M", year)
    assert store.path("M&M", "15m").name == "M&M_15m.parquet"
    back = store.load("M&M", "15m", "NSE")
    assert back.hash == year.hash
    assert back.basis == "synthetic"
    february = store.load("M&M", "15m", "NSE", start="2023-02-01", end="2023-02-28")
    assert (february.index[0].date().isoformat(), february.index[-1].date().isoformat()) == ("2023-02-01", "2023-02-28")
    assert len(february) == 20 * 25


def test_N1_the_default_store_lies_in_the_home(
    year: Bars, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    save_bars("RELIANCE", year)
    assert (tmp_path / "home" / "bars" / "RELIANCE_15m.parquet").exists()
    assert load_bars("RELIANCE", "15m", calendar="NSE").hash == year.hash
    assert load_bars("NSE:RELIANCE", "15m", calendar="NSE").hash == year.hash
    with pytest.raises(ConfigError, match="is of BSE, the calendar is NSE"):
        load_bars("BSE:RELIANCE", "15m", calendar="NSE")


def test_N1_disjoint_and_identical_appends_add_up(store: Store, year: Bars) -> None:
    store.save("X", year.between(start="2023-03-01"))
    store.save("X", year.between(end="2023-01-31"))
    whole = store.save("X", year.between(start="2023-01-15", end="2023-03-15"))
    assert whole.hash == year.hash
    assert store.load("X", "15m", "NSE").hash == year.hash


def test_N1_a_conflicting_row_is_refused_and_the_store_unchanged(store: Store, year: Bars) -> None:
    store.save("X", year)
    other = with_close(year, 100, year.close[100] + 5.0)
    named = re.escape(str(year.index[100]))
    with pytest.raises(DataError, match=rf"X_15m\.parquet: the stored bar of {named}.*are not overwritten"):
        store.save("X", other)
    assert store.load("X", "15m", "NSE").hash == year.hash


def test_B9_bars_of_another_basis_or_calendar_are_refused(store: Store, year: Bars) -> None:
    store.save("X", year.between(end="2023-01-31"))
    later = year.between(start="2023-02-01").frame
    with pytest.raises(DataError, match="basis 'synthetic', the new ones 'adjusted'"):
        store.save("X", Bars(later, "15m", "NSE", basis="adjusted"))
    with pytest.raises(DataError, match="stored with calendar NSE, not BSE"):
        store.save("X", Bars(later, "15m", "BSE", basis="synthetic"))
    with pytest.raises(DataError, match="stored with calendar NSE, not BSE"):
        store.load("X", "15m", "BSE")


def test_N1_the_manifest_tells_what_was_asked_and_got(store: Store, year: Bars) -> None:
    dirty = pd.concat([year.frame.iloc[:10], year.frame.iloc[9:50]])
    store.save("X", Bars(dirty, "15m", "NSE", basis="synthetic"), asked={"path": "first.csv", "repair": None})
    store.save("X", year.between(start="2023-02-01"), asked={"path": "second.csv"})
    manifest = store.manifest("X", "15m")
    assert manifest["hash"] == store.load("X", "15m", "NSE").content_hash
    first, second = manifest["imports"]
    assert first["asked"] == {"path": "first.csv", "repair": "None"}
    assert (first["got"]["rows"], first["got"]["dropped"]) == (50, 1)
    assert second["got"]["first"].startswith("2023-02-01")
    assert manifest["rows"] == 50 + second["got"]["rows"]
    assert store.manifest("Y", "15m") == {}


def test_N1_what_is_stored_is_listed(store: Store, year: Bars) -> None:
    store.save("B", year)
    store.save("A", year)
    assert [(one.symbol, one.timeframe, one.calendar, one.rows) for one in store.list()] == [
        ("A", "15m", "NSE", len(year)), ("B", "15m", "NSE", len(year))]
    with pytest.raises(DataError, match="no bars of C 15m are stored; there is A 15m, B 15m"):
        store.load("C", "15m", "NSE")


def test_B6_a_damaged_file_of_the_store_is_refused(store: Store, year: Bars) -> None:
    store.save("X", year)
    path = store.path("X", "15m")
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    for call in (lambda: store.load("X", "15m", "NSE"), lambda: store.save("X", year)):
        with pytest.raises(DataError, match=r"X_15m\.parquet: the Parquet file is damaged or cut short"):
            call()


def test_N1_a_damaged_file_is_listed_with_its_error_and_hides_no_other(store: Store, year: Bars) -> None:
    for name in ("A", "X_Y", "Z"):
        store.save(name, year)
    path = store.path("X_Y", "15m")
    path.write_bytes(path.read_bytes()[:-40])
    (store.folder / "notes.parquet").write_bytes(b"no parquet at all")
    shown = {one.symbol: one for one in store.list()}
    assert [(one.symbol, one.timeframe, one.rows, one.error is None) for one in store.list()] == [
        ("A", "15m", len(year), True), ("X_Y", "15m", 0, False), ("Z", "15m", len(year), True), ("notes", "", 0, False)]
    assert shown["X_Y"].error is not None
    assert re.search(r"X_Y_15m\.parquet: the Parquet file is damaged or cut short", shown["X_Y"].error)
    assert shown["X_Y"].path == path


def test_B9_content_that_does_not_match_its_hash_is_refused(store: Store, year: Bars) -> None:
    store.save("X", year)
    store.save("Y", with_close(year, 3, year.close[3] + 1))
    from pyarrow import parquet

    genuine, other = (parquet.read_table(store.path(name, "15m")) for name in ("X", "Y"))
    parquet.write_table(other.replace_schema_metadata(genuine.schema.metadata), store.path("X", "15m"))
    with pytest.raises(DataError, match="the content is not what was stored"):
        store.load("X", "15m", "NSE")


def test_N1_a_foreign_parquet_file_in_the_store_is_refused(store: Store, year: Bars) -> None:
    store.folder.mkdir(parents=True)
    year.frame.to_parquet(store.path("X", "15m"))
    with pytest.raises(DataError, match="was not written by the store"):
        store.load("X", "15m", "NSE")


@pytest.mark.parametrize("symbol", ["../X", "a/b", "", "NSE:X", ".hidden", "X" * 80])
def test_N1_a_symbol_that_cannot_name_a_file_is_refused(store: Store, symbol: str) -> None:
    with pytest.raises(ConfigError, match="cannot name a file"):
        store.path(symbol, "5m")


def test_N1_a_write_that_fails_leaves_the_old_file(store: Store, year: Bars, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save("X", year.between(end="2023-01-31"))
    before = store.path("X", "15m").read_bytes()

    def broken(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="No space left"):
        store.save("X", year.between(start="2023-02-01"))
    assert store.path("X", "15m").read_bytes() == before
    assert not list(store.folder.glob(".*.tmp"))


def test_N1_a_writer_killed_at_any_moment_leaves_a_whole_file(store: Store, year: Bars) -> None:
    """The writer dies before the rename: the old content is still there and nothing else is seen."""
    store.save("X", year.between(end="2023-01-31"))
    script = ("import os, pathlib; from workbench.market import home; "
              "os.fsync = lambda _: os._exit(9); "
              f"home.write_atomically(pathlib.Path({str(store.path('X', '15m'))!r}), b'half a file')")
    died = subprocess.run([sys.executable, "-c", script], check=False, cwd=pathlib.Path(__file__).parents[2])
    assert died.returncode == 9
    assert len(store.load("X", "15m", "NSE")) == len(year.between(end="2023-01-31"))
    assert [one.symbol for one in store.list()] == ["X"]


def test_N1_a_manifest_is_valid_json_beside_the_data(store: Store, year: Bars) -> None:
    store.save("X", year)
    assert json.loads(store.path("X", "15m").with_suffix(".json").read_text())["rows"] == len(year)
    store.path("X", "15m").with_suffix(".json").write_text("{")
    with pytest.raises(DataError, match="the manifest is damaged"):
        store.manifest("X", "15m")


def test_N1_bars_imported_with_a_wider_jump_limit_load_again(store: Store, year: Bars) -> None:
    frame = year.frame.copy()
    frame.iloc[5:9, :4] *= 3.0
    store.save("X", Bars(frame, "15m", "NSE", max_jump_ratio=5.0))
    assert np.array_equal(store.load("X", "15m", "NSE").close, frame["close"].to_numpy())


def test_written_files_follow_the_umask(tmp_path: pathlib.Path) -> None:
    target = tmp_path / "trades.csv"
    before = os.umask(0o027)
    try:
        write_atomically(target, b"x")
    finally:
        os.umask(before)
    assert target.read_bytes() == b"x"
    assert target.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["trades.csv"]


def test_N1_a_conflict_shows_plain_numbers(store: Store, year: Bars) -> None:
    store.save("TCS", year)
    frame = year.frame
    frame["volume"] = frame["volume"] + 1
    with pytest.raises(DataError, match=r"has volume \d+\.0, the new one \d+\.0 \(") as caught:
        store.save("TCS", Bars(frame, year.timeframe, year.calendar, year.basis))
    assert "np." not in str(caught.value)
