"""What options mean: dates, cost models, pairs, columns, outputs, values that follow."""

from __future__ import annotations

import datetime as dt
import pathlib

import pytest

from workbench import costs
from workbench.cli.options import check_order, column_names, cost_model, moment, parameters, repeated
from workbench.cli.tables import TABLES, outputs
from workbench.errors import ConfigError


@pytest.mark.parametrize(
    ("given", "spread"),
    [
        ("s.toml --bars a b --cash 5", "s.toml --bars a --bars b --cash 5"),
        ("--bars a b s.toml", "--bars a --bars b s.toml"),
        ("s.toml --bars a --bars b c", "s.toml --bars a --bars b --bars c"),
        ("s.toml --bars=a b", "s.toml --bars=a b"),
        ("c.csv --covers 2023 2024", "c.csv --covers 2023 --covers 2024"),
        ("--covers 2023 c.csv", "--covers 2023 c.csv"),
        ("--bars a -- b", "--bars a -- b"),
        ("s.toml", "s.toml"),
    ],
)
def test_values_that_follow_belong_to_their_option(given: str, spread: str) -> None:
    assert repeated(given.split()) == spread.split()


def test_a_moment_is_a_date_or_an_instant_with_a_zone() -> None:
    assert moment("2024-06-30", "--start") == dt.date(2024, 6, 30)
    instant = moment("2024-06-30T09:15+05:30", "--start")
    assert isinstance(instant, dt.datetime)
    assert instant.astimezone(dt.UTC) == dt.datetime(2024, 6, 30, 3, 45, tzinfo=dt.UTC)
    assert moment(None, "--start") is None


@pytest.mark.parametrize("text", ["soon", "2024-13-01", "2024-06-30T09:15", "", "30/06/2024"])
def test_anything_else_is_no_moment(text: str) -> None:
    with pytest.raises(ConfigError, match="--end"):
        moment(text, "--end")


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(ConfigError, match="before --start"):
        check_order(dt.date(2024, 2, 1), dt.date(2024, 1, 31))
    check_order(dt.date(2024, 2, 1), dt.date(2024, 2, 1))
    check_order(None, dt.date(2024, 2, 1))


def test_cost_models_by_name() -> None:
    assert cost_model("none").hash == costs.none().hash
    assert cost_model("bps:10,5").hash == costs.bps(10, 5).hash
    assert cost_model("bps:10").hash == costs.bps(10).hash
    assert cost_model("Zerodha").hash == costs.zerodha_equity().hash
    assert cost_model("zerodha:2").hash == costs.zerodha_equity(slippage_bps=2).hash
    assert cost_model("alpaca:3").hash == costs.alpaca_equity(slippage_bps=3).hash
    assert cost_model("oanda:1").hash == costs.oanda_fx(slippage_bps=1).hash


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("zerodah", "Did you mean 'zerodha'"), ("", "There are none"), ("bps", "bps:COMMISSION,SLIPPAGE"),
        ("bps:", "no number"), ("bps:1,2,3", "two numbers"), ("none:1", "no number"), ("zerodha:1,2", "one number"),
        ("bps:x", "'x' is no number"), ("bps:nan", "no number"), ("bps:-1", "from 0"),
    ],
)  # fmt: skip
def test_a_wrong_cost_model_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        cost_model(text)


def test_parameters_are_numbers_by_name() -> None:
    assert parameters(["n=14", "$k=2.5"]) == {"n": 14, "k": 2.5}
    assert isinstance(parameters(["n=14"])["n"], int)
    for text in ("n", "n=", "=3", "n=x", "n=inf"):
        with pytest.raises(ConfigError, match="--param"):
            parameters([text])


def test_columns_are_pairs_or_an_order() -> None:
    assert column_names("open=First, close=Last") == {"open": "First", "close": "Last"}
    assert column_names("date,time,open") == ["date", "time", "open"]
    assert column_names(None) is None
    with pytest.raises(ConfigError, match="--columns"):
        column_names("open=First,close")


def test_outputs_are_trades_a_named_table_or_a_folder() -> None:
    assert outputs(["a.csv", "equity=e.parquet"], "csv") == [
        ("trades", pathlib.Path("a.csv")),
        ("equity", pathlib.Path("e.parquet")),
    ]
    assert outputs(["out/"], "parquet") == [(name, pathlib.Path(f"out/{name}.parquet")) for name in TABLES]


@pytest.mark.parametrize(
    ("texts", "kind", "says"),
    [
        (["a.xlsx"], "csv", "End it in"), (["a.csv", "fills=a.csv"], "csv", "twice"), (["out/"], "xlsx", "--format"),
        (["fill=a.csv"], "csv", None), (["equity=e"], "csv", "End it in"),
    ],
)  # fmt: skip
def test_outputs_that_cannot_be_written_are_refused(texts: list[str], kind: str, says: str | None) -> None:
    if says is None:  # no table of that name: it is a file name with an equals sign
        assert outputs(texts, kind) == [("trades", pathlib.Path(texts[0]))]
        return
    with pytest.raises(ConfigError, match=says):
        outputs(texts, kind)
