"""Instruments and their table (rule N6)."""

from __future__ import annotations

import pytest

from workbench.errors import ConfigError
from workbench.market.instruments import (
    forget_instruments,
    instrument,
    load_instruments,
    register_instrument,
    split_name,
)


@pytest.fixture(autouse=True)
def _fresh_table():
    forget_instruments()
    yield
    forget_instruments()


@pytest.mark.parametrize(
    ("name", "tick", "currency"),
    [
        ("NSE:RELIANCE", 0.05, "INR"),
        ("NSE:M&M", 0.05, "INR"),
        ("BSE:500325", 0.05, "INR"),
        ("XNYS:IBM", 0.01, "USD"),
        ("XNAS:AAPL", 0.01, "USD"),
        ("FX:EUR_USD", 0.00001, "USD"),
        ("FX:EURUSD", 0.00001, "USD"),
        ("FX:USD_JPY", 0.00001, "JPY"),
        ("24x7:BTC/USD", 0.0, ""),
        ("XLON:VOD", 0.0, ""),
    ],
)
def test_N6_defaults_by_exchange(name, tick, currency):
    found = instrument(name)
    assert (found.name, found.tick, found.lot, found.currency) == (name, tick, 1.0, currency)
    assert f"{found.exchange}:{found.symbol}" == name


@pytest.mark.parametrize(
    "name", ["RELIANCE", "", ":", "NSE:", ":TCS", "NSE:A:B", "NSE: TCS", "NSE:TCS ", "NSE:A\nB", "N SE:TCS", None, 5]
)
def test_N6_other_spellings_are_refused(name):
    with pytest.raises(ConfigError, match=r"EXCHANGE:SYMBOL|text like"):
        instrument(name)


def test_N6_a_bare_symbol_gets_a_hint():
    with pytest.raises(ConfigError, match="did you mean 'NSE:RELIANCE'"):
        split_name("RELIANCE")


def test_N6_registered_values_override_the_defaults():
    made = register_instrument("NSE:IDEA", tick=0.01)
    assert instrument("NSE:IDEA") is made
    assert (made.tick, made.lot, made.currency) == (0.01, 1.0, "INR")
    register_instrument("NSE:IDEA", lot=25)
    assert (instrument("NSE:IDEA").tick, instrument("NSE:IDEA").lot) == (0.05, 25.0)
    assert instrument("NSE:TCS").tick == 0.05


@pytest.mark.parametrize(
    "values",
    [{"tick": -0.01}, {"tick": "0.05"}, {"tick": float("nan")}, {"lot": 0}, {"lot": True}, {"currency": "rupees"}],
)
def test_N6_wrong_values_are_refused_and_change_nothing(values):
    with pytest.raises(ConfigError, match="NSE:TCS"):
        register_instrument("NSE:TCS", **values)
    assert instrument("NSE:TCS").tick == 0.05


def test_N6_overrides_from_csv(tmp_path):
    file = tmp_path / "instruments.csv"
    file.write_text("name,tick,lot,currency\nNSE:IDEA,0.01,,\n24x7:BTC/USD,0.1,0.0001,USD\n")
    loaded = load_instruments(file)
    assert [each.name for each in loaded] == ["NSE:IDEA", "24x7:BTC/USD"]
    assert instrument("24x7:BTC/USD").lot == 0.0001
    assert instrument("NSE:IDEA").currency == "INR"


def test_N6_overrides_from_toml(tmp_path):
    file = tmp_path / "instruments.toml"
    file.write_text('["NSE:IDEA"]\ntick = 0.01\n["FX:USD_JPY"]\ntick = 0.001\nlot = 1\n')
    load_instruments(file)
    assert instrument("FX:USD_JPY").tick == 0.001
    assert instrument("NSE:IDEA").tick == 0.01


@pytest.mark.parametrize(
    ("suffix", "text", "said"),
    [
        ("csv", "name,tik\nNSE:IDEA,0.01\n", "did you mean 'tick'"),
        ("csv", "symbol,tick\nNSE:IDEA,0.01\n", "symbol"),
        ("csv", "tick\n0.01\n", "'name' is asked"),
        ("csv", "name,tick\nNSE:IDEA,0.01\nNSE:TCS,abc\n", "row 3.*tick"),
        ("csv", "name,tick\nNSE:IDEA,0.01\nTCS,0.01\n", "row 3.*EXCHANGE:SYMBOL"),
        ("csv", "name,tick\nNSE:IDEA,0.01,7\n", "row 2"),
        ("csv", "name,tick,lot\nNSE:IDEA,0.01\n", "row 2"),
        ("csv", "", "header"),
        ("toml", '["NSE:IDEA"]\ntikc = 0.01\n', "did you mean 'tick'"),
        ("toml", '"NSE:IDEA" = 0.01\n', "a table is asked"),
        ("toml", '["NSE:IDEA"]\ntick = "0.01"\n', "a number is asked"),
        ("toml", "nonsense", "not valid TOML"),
        ("json", "{}", "csv or .toml"),
    ],
)
def test_N6_a_wrong_file_is_refused_whole_with_file_and_place(tmp_path, suffix, text, said):
    file = tmp_path / f"instruments.{suffix}"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said) as refused:
        load_instruments(file)
    assert str(file) in str(refused.value)
    assert instrument("NSE:IDEA").tick == 0.05


def test_N6_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="there is no such file"):
        load_instruments(tmp_path / "none.csv")
