"""``workbench data``: import into the store, validate, list."""

from __future__ import annotations

import pathlib

import pandas as pd
import pytest

from tests.command_line import expect, made_up, write_csv, write_parquet
from workbench.market.store import Store, load_bars


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))


def bad_csv(path: pathlib.Path) -> pathlib.Path:
    """Bars of which one has its high below its low, and one a price of zero."""
    frame = made_up().frame.reset_index()
    frame.loc[3, "high"] = frame.loc[3, "low"] - 1.0
    frame.loc[7, "close"] = 0.0
    frame.to_csv(path, index=False)
    return path


def test_imported_bars_are_in_the_store_as_they_were(tmp_path: pathlib.Path) -> None:
    bars = made_up()
    text = expect(0, "data", "import", write_csv(tmp_path / "AAA_5m.csv", bars), "--calendar", "NSE", "--basis", "raw")
    assert f"{len(bars):,}" in text
    stored = load_bars("AAA", "5m", "NSE")
    pd.testing.assert_frame_equal(stored.frame, bars.frame)
    assert stored.basis == "raw"


def test_symbol_and_timeframe_of_options_win_over_silence(tmp_path: pathlib.Path) -> None:
    path = write_parquet(tmp_path / "export.parquet", made_up())
    assert "--timeframe" in expect(2, "data", "import", path, "--calendar", "NSE")
    expect(0, "data", "import", path, "--calendar", "NSE", "--timeframe", "5m", "--symbol", "NSE:BBB")
    assert [one.symbol for one in Store().list()] == ["BBB"]


def test_a_timeframe_that_contradicts_the_name_is_refused(tmp_path: pathlib.Path) -> None:
    path = write_csv(tmp_path / "AAA_5m.csv", made_up())
    text = expect(2, "data", "import", path, "--calendar", "NSE", "--timeframe", "15m", "--repair", "drop")
    assert "its name says 5m" in text
    assert not Store().list()


def test_a_folder_is_imported_file_by_file_and_a_bad_file_stops_no_other(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write_csv(folder / "AAA_5m.csv", made_up(1))
    bad_csv(folder / "BAD_5m.csv")
    write_parquet(folder / "CCC_5m.parquet", made_up(3))
    (folder / "readme.md").write_text("not bars")
    text = expect(2, "data", "import", folder, "--calendar", "NSE")
    assert "refused: 1 of 3" in text
    assert "row 3" in text
    assert "--repair drop" in text
    assert [one.symbol for one in Store().list()] == ["AAA", "CCC"]


def test_months_of_one_symbol_are_appended(tmp_path: pathlib.Path) -> None:
    bars = made_up()
    parts = [bars.between(None, "2023-01-10"), bars.between("2023-01-11", None)]
    files = [write_csv(tmp_path / f"part{k}.csv", part) for k, part in enumerate(parts)]
    expect(0, "data", "import", *files, "--symbol", "AAA", "--timeframe", "5m", "--calendar", "NSE",
           "--basis", "synthetic")  # fmt: skip
    assert load_bars("AAA", "5m", "NSE").content_hash == bars.content_hash


def test_B6_a_repair_is_asked_for_and_counted(tmp_path: pathlib.Path) -> None:
    path = bad_csv(tmp_path / "BAD_5m.csv")
    assert not Store().list()
    text = expect(0, "data", "import", path, "--calendar", "NSE", "--repair", "drop")
    assert "2 rows were dropped or clamped" in text
    assert len(load_bars("BAD", "5m", "NSE")) == len(made_up()) - 2


def test_B6_validate_names_every_row_and_its_reason(tmp_path: pathlib.Path) -> None:
    path, rows = bad_csv(tmp_path / "BAD_5m.csv"), tmp_path / "rows.csv"
    text = expect(1, "data", "validate", path, "--calendar", "NSE", "--output", rows)
    assert "refused, 2 bad rows" in text
    assert "is below" in text
    assert "close 0.0 is not positive" in text
    report = pd.read_csv(rows)
    assert report["row"].tolist() == [3, 7]
    assert report["action"].tolist() == ["dropped", "dropped"]
    assert report["file"].eq(str(path)).all()
    assert not Store().list()


def test_validate_shows_as_many_rows_as_asked(tmp_path: pathlib.Path) -> None:
    text = expect(1, "data", "validate", bad_csv(tmp_path / "BAD_5m.csv"), "--calendar", "NSE", "--limit", "1")
    assert "1 rows more" in text
    assert "is not positive" not in text


def test_validate_of_good_files(tmp_path: pathlib.Path) -> None:
    bars = made_up()
    first, second = write_csv(tmp_path / "AAA_5m.csv", bars), write_parquet(tmp_path / "AAA_5m.parquet", bars)
    text = expect(0, "data", "validate", first, second, "--calendar", "NSE", "--output", tmp_path / "rows.parquet")
    assert text.count("good, ") == 2
    assert list(pd.read_parquet(tmp_path / "rows.parquet")) == ["file", "row", "ts", "action", "reason"]


def test_B6_an_identical_duplicate_is_good_and_told(tmp_path: pathlib.Path) -> None:
    frame = made_up().frame.reset_index()
    pd.concat([frame.iloc[:5], frame.iloc[4:]]).to_csv(tmp_path / "AAA_5m.csv", index=False)
    text = expect(0, "data", "validate", tmp_path / "AAA_5m.csv", "--calendar", "NSE")
    assert "1 rows repaired without loss" in text
    assert "identical to the row before" in text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "the file is empty"),
        ("ts,open,high,low,close\n", "there are no bars"),
        ("ts,open,high,low,close\n2023-01-02 09:15,1,1,1,1\n", "--zone Asia/Kolkata"),
        ("ts,open,high,low\n2023-01-02T03:45Z,1,1,1\n", "column 'close' is missing"),
        ("2023-01-02,09:15,1,1,1,1\n", "--columns date,time,open"),
        ("ts,open,high,low,close,Open\n2023-01-02T03:45Z,1,1,1,1,2\n", "--columns open=..."),
    ],
)
def test_B6_files_beyond_repair_are_refused_with_the_option_that_helps(
    tmp_path: pathlib.Path, content: str, says: str
) -> None:
    path = tmp_path / "AAA_5m.csv"
    path.write_text(content)
    assert says in expect(1, "data", "validate", path, "--calendar", "NSE")


def test_zone_columns_and_stamp_reach_the_reader(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "AAA_5m.csv"
    path.write_text("20230102,09:20,10,11,9,10.5,5\n20230102,09:25,10,11,9,10.5,5\n")
    layout = ("--zone", "Asia/Kolkata", "--columns", "date,time,open,high,low,close,volume", "--stamp", "close")
    expect(0, "data", "import", path, "--calendar", "NSE", *layout)
    assert str(load_bars("AAA", "5m", "NSE").index[0]) == "2023-01-02 03:45:00+00:00"


def test_wrong_options_are_configuration_errors(tmp_path: pathlib.Path) -> None:
    path = write_csv(tmp_path / "AAA_5m.csv", made_up())
    assert "NSE" in expect(2, "data", "validate", path, "--calendar", "NSF")
    assert "there is no such file" in expect(2, "data", "validate", tmp_path / "no.csv", "--calendar", "NSE")
    assert "'drop'" in expect(2, "data", "import", path, "--calendar", "NSE", "--repair", "fix")
    assert "'open' or 'close'" in expect(2, "data", "import", path, "--calendar", "NSE", "--stamp", "middle")
    assert "--calendar" in expect(2, "data", "import", path)
    assert "End it in" in expect(2, "data", "validate", path, "--calendar", "NSE", "--output", "rows.doc")
    (tmp_path / "empty").mkdir()
    assert "no file of bars" in expect(2, "data", "import", tmp_path / "empty", "--calendar", "NSE")


def test_list_shows_what_there_is(tmp_path: pathlib.Path) -> None:
    assert "is empty" in expect(0, "data", "list")
    expect(0, "data", "import", write_csv(tmp_path / "AAA_5m.csv", made_up()), "--calendar", "NSE")
    text = expect(0, "data", "list")
    assert "AAA" in text
    assert "2023-01-02" in text
    assert load_bars("AAA", "5m", "NSE").content_hash in text


def test_a_damaged_store_is_named(tmp_path: pathlib.Path) -> None:
    expect(0, "data", "import", write_csv(tmp_path / "AAA_5m.csv", made_up()), "--calendar", "NSE")
    path = Store().path("AAA", "5m")
    path.write_bytes(path.read_bytes()[:100])
    expect(0, "data", "import", write_csv(tmp_path / "BBB_5m.csv", made_up(2)), "--calendar", "NSE")
    text = expect(2, "data", "list")
    assert "AAA_5m.parquet: the Parquet file is damaged" in text
    assert load_bars("BBB", "5m", "NSE").content_hash in text
    for asked in (("evaluate", "close", "--bars", "AAA"), ("evaluate", "close", "--bars", "NSE:AAA")):
        assert "AAA_5m.parquet: the Parquet file is damaged" in expect(2, *asked)


def test_a_damaged_manifest_hides_no_file(tmp_path: pathlib.Path) -> None:
    for name in ("AAA", "BBB"):
        expect(0, "data", "import", write_csv(tmp_path / f"{name}_5m.csv", made_up()), "--calendar", "NSE")
    Store().path("AAA", "5m").with_suffix(".json").write_text("{")
    text = expect(2, "data", "list")
    assert "the manifest is damaged" in text
    assert text.count(load_bars("BBB", "5m", "NSE").content_hash) == 2


def test_B7_bars_of_a_coarser_timeframe_are_noted(tmp_path: pathlib.Path) -> None:
    bars = made_up()
    path = write_csv(tmp_path / "export.csv", bars)
    for command in (("validate",), ("import", "--symbol", "AAA")):
        text = expect(0, "data", *command, path, "--calendar", "NSE", "--timeframe", "1m")
        assert "every bar lies on the grid of 5m" in text
        assert "are these 5m bars?" in text
    assert "grid of" not in expect(0, "data", "validate", path, "--calendar", "NSE", "--timeframe", "5m")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("2016_JULY_NIFTY.txt", "there is no header"),
        ("BANKNIFTY_foreign_instrument_rows.csv", "a row of another instrument"),
        ("yahoo_GBPJPY_5m_mixed_columns.csv", "can both be"),
    ],
)
def test_B6_real_dirty_files_are_refused(data_dir: pathlib.Path, name: str, says: str) -> None:
    path = data_dir / "dirty" / name
    if not path.exists():
        pytest.skip(f"no real file {path}")
    text = expect(1, "data", "validate", path, "--calendar", "NSE", "--timeframe", "1m" if "GBP" not in name else "5m")
    assert says in text
    assert name in text
