"""``workbench backtest``: bars from files and from the store, what is shown, what is written, what is refused."""

from __future__ import annotations

import pathlib

import numpy as np
import pandas as pd
import pytest

from tests.command_line import expect, made_up, write_csv, write_parquet, write_strategy
from workbench import costs
from workbench.cli.matching import assigned, name_parts
from workbench.cli.tables import TABLES
from workbench.errors import ConfigError
from workbench.research.backtest import backtest
from workbench.research.result import Result
from workbench.strategy import Strategy

CASH = 1_000_000.0


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))


@pytest.fixture
def strategy(tmp_path: pathlib.Path) -> pathlib.Path:
    """One instrument, NSE:AAA."""
    return write_strategy(tmp_path)


@pytest.fixture
def bars_file(tmp_path: pathlib.Path) -> pathlib.Path:
    """Its five-minute bars."""
    return write_csv(tmp_path / "AAA_5m.csv", made_up())


def in_notebook(strategy: pathlib.Path, **changes: object) -> Result:
    """The same backtest as a notebook runs it, on bars without a basis."""
    bars = made_up().between(None, changes.pop("end", None))  # type: ignore[arg-type]
    bars.basis = None
    return backtest(Strategy.from_toml(strategy), bars, CASH, **changes)  # type: ignore[arg-type]


def test_N4_the_result_is_that_of_a_notebook(strategy: pathlib.Path, bars_file: pathlib.Path) -> None:
    text = expect(0, "backtest", strategy, "--bars", bars_file, "--costs", "bps:10,5")
    result = in_notebook(strategy, costs=costs.bps(10, 5))
    assert len(result.trades) > 5
    assert f"hash {result.hash}" in text
    assert f"{result.stats['final_equity']:,.2f}" in text
    assert "VOLUME_UNLIMITED" in text
    assert "ENTRY_TRUE" in text
    assert "No charges" not in text


def test_costs_that_are_left_out_are_said(strategy: pathlib.Path, bars_file: pathlib.Path) -> None:
    assert "No charges and no slippage" in expect(0, "backtest", strategy, "--bars", bars_file)


def test_B8_start_begins_decisions_and_end_is_inclusive(
    strategy: pathlib.Path, bars_file: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "decisions.parquet"
    text = expect(0, "backtest", strategy, "--bars", bars_file, "--start", "2023-01-05", "--end", "2023-01-10",
                  "--output", f"decisions={out}")  # fmt: skip
    result = in_notebook(strategy, start="2023-01-05", end="2023-01-10")
    assert f"hash {result.hash}" in text
    decisions = pd.read_parquet(out)
    days = decisions["ts"].dt.tz_convert("Asia/Kolkata").dt.date.astype(str)
    assert days.iloc[0] == "2023-01-05"
    assert days.iloc[-1] == "2023-01-10"
    assert "WARMING_UP" not in set(decisions["decision"])  # the bars before the start have warmed the indicators
    assert "WARMING_UP" in set(in_notebook(strategy).decisions["decision"])


def test_trades_are_written_by_the_ending(
    strategy: pathlib.Path, bars_file: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    one, other = tmp_path / "trades.csv", tmp_path / "deep" / "trades.parquet"
    text = expect(0, "backtest", strategy, "--bars", bars_file, "--output", one, "--output", f"trades={other}")
    trades = in_notebook(strategy).trades
    assert f"trades: {len(trades)} rows in {one}" in text
    pd.testing.assert_frame_equal(pd.read_parquet(other), trades, check_dtype=False)
    written = pd.read_csv(one, parse_dates=["entry_ts", "exit_ts"])
    assert list(written) == list(trades)
    np.testing.assert_array_equal(written["net_pnl"], trades["net_pnl"])  # to the last digit
    assert (written["entry_ts"] == trades["entry_ts"]).all()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_folder_gets_every_table(
    strategy: pathlib.Path, bars_file: pathlib.Path, tmp_path: pathlib.Path, kind: str
) -> None:
    expect(0, "backtest", strategy, "--bars", bars_file, "--output", f"{tmp_path}/out/", "--format", kind)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{name}.{kind}" for name in TABLES}
    read = pd.read_csv if kind == "csv" else pd.read_parquet
    equity, stats = read(tmp_path / "out" / f"equity.{kind}"), read(tmp_path / "out" / f"stats.{kind}")
    result = in_notebook(strategy)
    assert list(equity) == ["ts_close", "cash", "position_value", "equity", "drawdown_frac"]
    assert float(equity["equity"].iloc[-1]) == result.equity["equity"].iloc[-1]
    assert float(stats.set_index("statistic")["value"]["sharpe_ann"]) == result.stats["sharpe_ann"]


def test_a_report_is_written_into_its_folder(
    strategy: pathlib.Path, bars_file: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stands_in(_: Result, folder: str) -> pathlib.Path:
        return pathlib.Path(folder) / "report.html"

    monkeypatch.setattr(Result, "report", stands_in)
    text = expect(0, "backtest", strategy, "--bars", bars_file, "--report", tmp_path / "deep" / "r")
    assert f"report: {tmp_path}/deep/r/report.html" in text
    (tmp_path / "taken").write_text("")
    assert "--report" in expect(2, "backtest", strategy, "--bars", bars_file, "--report", tmp_path / "taken")


def test_bars_come_from_the_store_by_symbol(strategy: pathlib.Path, bars_file: pathlib.Path) -> None:
    assert "the store has no bars of AAA" in expect(2, "backtest", strategy)
    expect(0, "data", "import", bars_file, "--calendar", "NSE")
    shown = [expect(0, "backtest", strategy, *named) for named in ((), ("--bars", "AAA"), ("--bars", "NSE:AAA"))]
    assert len(set(shown)) == 1
    assert f"hash {in_notebook(strategy).hash}" in shown[0]
    assert " store" in shown[0]


def test_of_several_stored_timeframes_one_is_named(bars_file: pathlib.Path, tmp_path: pathlib.Path) -> None:
    strategy = write_strategy(tmp_path, product="CNC")
    expect(0, "data", "import", bars_file, write_csv(tmp_path / "AAA_15m.csv", made_up(1, "15m")), "--calendar", "NSE")
    assert "5m, 15m" in expect(2, "backtest", strategy)
    assert "runs on 15m bars" in expect(0, "backtest", strategy, "--timeframe", "15m")
    assert "runs on 5m bars" in expect(0, "backtest", strategy, "--base", "5m")


def portfolio(tmp_path: pathlib.Path) -> tuple[pathlib.Path, list[pathlib.Path]]:
    """A strategy of three instruments and a folder with their files, and one that is none of theirs."""
    folder = tmp_path / "bars"
    folder.mkdir()
    files = [write_parquet(folder / f"{name}_5m.parquet", made_up(k)) for k, name in enumerate(("AAA", "BBB", "C&C"))]
    write_parquet(folder / "DDD_5m.parquet", made_up(9))
    return write_strategy(tmp_path, "NSE:AAA", "NSE:BBB", "NSE:C&C", product="CNC"), files


def test_a_portfolio_is_read_in_every_way_alike(tmp_path: pathlib.Path) -> None:
    strategy, files = portfolio(tmp_path)
    pairs = [part for path in files for part in ("--bars", f"NSE:{path.name.partition('_')[0]}={path}")]
    bare = [part for path in files for part in ("--bars", f"{path.name.partition('_')[0]}={path}")]
    expect(0, "data", "import", files[0].parent, "--calendar", "NSE")
    ways = [["--bars", files[0].parent], ["--bars", *files], pairs, bare, [], ["--bars", files[0], "BBB", "C&C"]]
    hashes = {expect(0, "backtest", strategy, *way).partition("hash ")[2][:32] for way in ways}
    assert len(hashes) == 1
    assert len(hashes.pop()) == 32


def test_a_folder_with_several_timeframes_needs_one_said(tmp_path: pathlib.Path) -> None:
    strategy, files = portfolio(tmp_path)
    write_parquet(files[0].parent / "AAA_15m.parquet", made_up(0, "15m"))
    assert "both are of NSE:AAA" in expect(2, "backtest", strategy, "--bars", files[0].parent)
    assert "runs on 5m bars" in expect(0, "backtest", strategy, "--bars", files[0].parent, "--timeframe", "5m")


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["NSE:ZZZ=AAA"], "does not trade NSE:ZZZ"),
        (["ZZZ"], "does not trade such a symbol"),
        (["AAA", "NSE:AAA"], "twice"),
        (["AAA"], "names none for NSE:BBB"),
        (["nowhere/AAA_5m.csv"], "no such file"),
        (["AAA=nowhere.csv"], "no such file"),
    ],
)
def test_bars_that_do_not_fit_the_instruments_are_refused(texts: list[str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        assigned(texts, ("NSE:AAA", "NSE:BBB"), None)


def test_a_file_whose_name_is_silent_needs_its_instrument(tmp_path: pathlib.Path) -> None:
    path = write_csv(tmp_path / "export.csv", made_up())
    with pytest.raises(ConfigError, match="does not say of which instrument"):
        assigned([str(path)], ("NSE:AAA", "NSE:BBB"), None)
    assert assigned([str(path)], ("NSE:AAA",), None) == {"NSE:AAA": path}
    other = write_csv(tmp_path / "ZZZ_5m.csv", made_up())
    with pytest.raises(ConfigError, match="does not trade ZZZ"):
        assigned([str(other)], ("NSE:AAA", "NSE:BBB"), None)
    with pytest.raises(ConfigError, match="after one of"):
        assigned([str(tmp_path)], ("NSE:AAA", "NSE:BBB"), None)


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe"),
    [
        ("RELIANCE_5m.parquet", "RELIANCE", "5m"), ("M&M.NS_1d.csv", "M&M.NS", "1d"), ("A_60m.csv.gz", "A", "1h"),
        ("EUR_USD_1h.csv", "EUR_USD", "1h"), ("EUR_USD.csv", "EUR_USD", None), ("export.csv", "export", None),
        ("_5m.csv", "_5m", None),
    ],
)  # fmt: skip
def test_a_file_name_says_symbol_and_timeframe(name: str, symbol: str, timeframe: str | None) -> None:
    found = name_parts(pathlib.Path("some_1m/folder") / name)
    assert found[0] == symbol
    assert (None if found[1] is None else str(found[1])) == timeframe


def test_a_timeframe_of_the_option_is_used_for_a_silent_name(tmp_path: pathlib.Path, strategy: pathlib.Path) -> None:
    path = write_csv(tmp_path / "export.csv", made_up())
    assert "runs on 5m bars" in expect(0, "backtest", strategy, "--bars", path, "--timeframe", "5m")
    # Without it the bars are taken for the strategy's own, which these are not.
    assert "no opening of a 15m bar" in expect(2, "backtest", strategy, "--bars", path)
    named = write_csv(tmp_path / "AAA_5m.csv", made_up())
    assert "its name says 5m" in expect(2, "backtest", strategy, "--bars", named, "--timeframe", "15m")


def test_wrong_input_is_refused_before_anything_is_run(
    strategy: pathlib.Path, bars_file: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    args = ("backtest", strategy, "--bars", bars_file)
    assert "no.toml" in expect(2, "backtest", tmp_path / "no.toml")
    assert "--costs" in expect(2, *args, "--costs", "free")
    assert "--start" in expect(2, *args, "--start", "soon")
    assert "is before --start" in expect(2, *args, "--start", "2023-01-10", "--end", "2023-01-09")
    assert "after the last bar" in expect(2, *args, "--start", "2024-01-01")
    assert "no bars up to --end" in expect(2, *args, "--end", "2022-12-31")
    assert "initial_cash" in expect(2, *args, "--cash", "-5")
    assert "End it in" in expect(2, *args, "--output", "trades.doc")
    assert "'drop'" in expect(2, *args, "--repair", "fix")
    assert "cannot be written" in expect(2, *args, "--output", bars_file / "trades.csv")
    (tmp_path / "broken.toml").write_text("name = [")
    assert "not valid TOML" in expect(2, "backtest", tmp_path / "broken.toml", "--bars", bars_file)


def test_a_strategy_that_contradicts_itself_is_refused(tmp_path: pathlib.Path, bars_file: pathlib.Path) -> None:
    short = write_strategy(tmp_path, product="CNC", more='direction = "SHORT"\n')
    assert "CNC" in expect(2, "backtest", short, "--bars", bars_file)
    misspelt = write_strategy(tmp_path, more="stop_loss_frac = 2\n")
    assert "stop_loss_frac" in expect(2, "backtest", misspelt, "--bars", bars_file)
    unknown = write_strategy(tmp_path, more='"[red]x" = 2\n')
    assert "[red]x" in expect(2, "backtest", unknown, "--bars", bars_file)
    short = write_strategy(tmp_path)
    short.write_text(short.read_text().replace('exit = "RSI(5) > 55"', 'exit = "RSY(5) > 55"'))
    text = expect(2, "backtest", short, "--bars", bars_file)
    assert "RSI" in text
    assert "^" in text


def test_B6_repaired_rows_are_counted(strategy: pathlib.Path, tmp_path: pathlib.Path) -> None:
    frame = made_up().frame.reset_index()
    frame.loc[3, "close"] = -1.0
    frame.to_csv(tmp_path / "AAA_5m.csv", index=False)
    args = ("backtest", strategy, "--bars", tmp_path / "AAA_5m.csv", "--end", "2023-01-10")
    assert "row 3" in expect(2, *args)
    line = next(line for line in expect(0, *args, "--repair", "drop").splitlines() if "NSE:AAA" in line)
    assert line.split()[5] == "1"


def test_bars_without_volume_say_so(strategy: pathlib.Path, tmp_path: pathlib.Path) -> None:
    made_up().frame.drop(columns="volume").to_csv(tmp_path / "AAA_5m.csv")
    assert "volume is 0" in expect(0, "backtest", strategy, "--bars", tmp_path / "AAA_5m.csv")


@pytest.mark.heavy
def test_real_bars_of_a_portfolio(data_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
    names = [path.name.partition("_")[0] for path in sorted((data_dir / "nse").glob("*_15m.parquet"))]
    if len(names) < 20:
        pytest.skip(f"no real files of 15-minute bars in {data_dir / 'nse'}")
    strategy = write_strategy(tmp_path, *(f"NSE:{name}" for name in names), product="CNC")
    text = expect(0, "backtest", strategy, "--bars", data_dir / "nse", "--timeframe", "15m", "--repair", "drop",
                  "--costs", "zerodha", "--start", "2024-06-01", "--output", tmp_path / "trades.csv")  # fmt: skip
    assert f"and {len(names) - 12} instruments more" in text
    trades = pd.read_csv(tmp_path / "trades.csv")
    assert len(trades) > 100
    assert (trades["charges"] > 0).all()
