"""The strategy record: fields, defaults, what is refused (rules N3, N6, X3, X5, S2, D6, D7, F2)."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import math
import pickle
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import ConfigError, StrategyError
from workbench.market.timeframe import Timeframe
from workbench.strategy import CashPerSlot, FixedCash, FixedQty, PercentOfEquity, RiskPerTrade, Strategy
from workbench.strategy.fields import CHECKS

BASE = {
    "name": "dip",
    "version": "1.0.0",
    "instruments": ("NSE:TCS", "NSE:INFY"),
    "timeframe": "15m",
    "calendar": "NSE",
    "product": "MIS",
    "entry": "close > open",
}


def made(**changes):
    return Strategy(**{**BASE, **changes})


def refused(**changes):
    with pytest.raises(StrategyError) as error:
        made(**changes)
    return str(error.value)


# What N3 says of names and defaults.
DEFAULTS = {
    "direction": "LONG",
    "exit": None,
    "short_entry": None,
    "short_exit": None,
    "params": {},
    "rank": None,
    "allocation": "EQUAL",
    "max_open_positions": 10,
    "execution": "next_open",
    "stop_loss_frac": None,
    "stop_loss_atr": None,
    "stop_loss_atr_length": 14,
    "take_profit_frac": None,
    "trailing_stop_frac": None,
    "trailing_activation_frac": 0,
    "stop_execution": "intrabar",
    "ambiguous_bar": "stop",
    "target_touch": "touch",
    "max_holding_bars": None,
    "min_holding_bars": 0,
    "cooldown_bars": 0,
    "max_trades_per_day": None,
    "entry_window": None,
    "exit_time": None,
    "max_drawdown_frac": None,
    "max_trade_drawdown_frac": None,
    "daily_loss_limit_frac": None,
    "max_symbol_alloc_frac": None,
    "max_symbol_exposure": None,
    "sector_cap_frac": None,
    "sectors": {},
    "margin_frac": None,
    "reuse_exit_proceeds": True,
}


def test_N3_fields_and_defaults():
    strategy = made()
    assert {name: getattr(strategy, name) for name in DEFAULTS} == DEFAULTS
    fields = [field.name for field in dataclasses.fields(Strategy)]
    assert set(fields) == {*BASE, *DEFAULTS, "sizing"}
    assert set(CHECKS) == set(fields)
    assert list(inspect.signature(Strategy).parameters) == fields


def test_N3_frozen_and_independent_of_what_it_was_made_from():
    params = {"n": 14}
    names = ["NSE:TCS"]
    strategy = made(params=params, instruments=names, entry="RSI($n) < 30")
    params["n"] = 99
    names.append("NSE:INFY")
    assert strategy.params == {"n": 14}
    assert strategy.instruments == ("NSE:TCS",)
    with pytest.raises(dataclasses.FrozenInstanceError):
        strategy.entry = "true"
    for change in (
        lambda: strategy.params.__setitem__("n", 1),
        lambda: strategy.params.update(n=1),
        lambda: strategy.params.pop("n"),
        strategy.params.clear,
    ):
        with pytest.raises(TypeError, match="frozen"):
            change()


def test_N3_survives_copies_and_pickles():
    strategy = made(params={"n": 14}, entry="RSI($n) < 30", sectors={"NSE:TCS": "IT"})
    for twin in (copy.copy(strategy), copy.deepcopy(strategy), pickle.loads(pickle.dumps(strategy))):
        assert twin == strategy
        assert hash(twin) == hash(strategy)
        assert twin.hash == strategy.hash


def test_N3_names_only():
    with pytest.raises(StrategyError, match="names only"):
        Strategy("dip", "1.0.0")


def test_N3_unknown_names_are_refused_with_a_suggestion():
    said = refused(stop_los_frac=0.02, chicken=1)
    assert "unknown name 'stop_los_frac'; did you mean 'stop_loss_frac'?" in said
    assert "unknown name 'chicken'" in said
    assert "'chicken'; did" not in said


def test_N3_missing_names_are_all_listed():
    with pytest.raises(StrategyError) as error:
        Strategy(name="dip", version="1.0.0")
    for name in ("instruments", "timeframe", "calendar", "product", "entry"):
        assert f"{name} is missing" in str(error.value)


def test_N3_every_problem_is_in_one_message():
    said = refused(version="one", stop_loss_frac=2, cooldown_bars=-1)
    assert "strategy 'dip' has 3 problems" in said
    assert "version" in said and "stop_loss_frac" in said and "cooldown_bars" in said


FRACTIONS = (
    "stop_loss_frac",
    "take_profit_frac",
    "trailing_stop_frac",
    "max_drawdown_frac",
    "max_trade_drawdown_frac",
    "daily_loss_limit_frac",
)


@pytest.mark.parametrize("name", FRACTIONS)
def test_N3_two_for_two_percent_is_refused_with_a_hint(name):
    most = 2 if name == "take_profit_frac" else 1
    assert f"{name} is 2; a fraction is asked, above 0 and below {most} (use 0.02 for 2 %)" in refused(**{name: 2})
    for value in (0, -0.01, most, float(most), 250):
        assert name in refused(**{name: value})
    assert getattr(made(**{name: 0.02}), name) == 0.02


@pytest.mark.parametrize("name", ["max_symbol_alloc_frac", "margin_frac", "sector_cap_frac"])
def test_N3_fractions_that_may_be_the_whole(name):
    sectors = {"sectors": {"NSE:TCS": "IT", "NSE:INFY": "IT"}} if name == "sector_cap_frac" else {}
    assert getattr(made(**{name: 1}, **sectors), name) == 1.0
    assert "(use 0.25 for 25 %)" in refused(**{name: 25}, **sectors)
    assert name in refused(**{name: 0}, **sectors)


@pytest.mark.parametrize("name", ["take_profit_frac", "trailing_activation_frac"])
def test_N3_a_long_may_more_than_double_and_a_short_may_not(name):
    trailing = {"trailing_stop_frac": 0.1, name: 1.5}
    assert getattr(made(**trailing), name) == 1.5
    assert getattr(made(**{**trailing, name: 1}), name) == 1.0
    for direction, more in (("SHORT", {}), ("BOTH", {"short_entry": "close < open"})):
        said = refused(direction=direction, **trailing, **more)
        assert f"{name} 1.5 with direction {direction}: a short gains at most its entry price" in said
        assert made(direction=direction, **{**trailing, name: 0.99}, **more)


def test_N3_activation_may_be_zero_but_not_two():
    assert made(trailing_stop_frac=0.01, trailing_activation_frac=0).trailing_activation_frac == 0.0
    assert "use 0.02 for 2 %" in refused(trailing_stop_frac=0.01, trailing_activation_frac=2)
    assert "0 or more" in refused(trailing_stop_frac=0.01, trailing_activation_frac=-0.1)


NUMBERS = (*FRACTIONS, "stop_loss_atr", "max_symbol_exposure", "max_holding_bars", "max_trades_per_day", "margin_frac")


@pytest.mark.parametrize("name", [*NUMBERS, "max_open_positions", "min_holding_bars", "cooldown_bars"])
@pytest.mark.parametrize("value", [math.nan, math.inf, True, "0.02", [0.02], 1j, np.bool_(True), 10**400])
def test_N3_only_finite_numbers_count_as_numbers(name, value):
    said = refused(**{name: value})
    assert name in said
    assert "number is asked" in said


def test_N3_a_number_in_quotes_gets_a_hint():
    assert "write 0.02 without quotes" in refused(stop_loss_frac="0.02")


@pytest.mark.parametrize("value", [np.float64(0.02), np.float32(0.5), np.int64(3)])
def test_N3_numpy_numbers_become_plain(value):
    name = "max_holding_bars" if isinstance(value, np.integer) else "stop_loss_frac"
    kept = getattr(made(**{name: value}), name)
    assert type(kept) in (float, int)
    assert kept == value


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("max_open_positions", 0, "at least 1"),
        ("max_open_positions", 2.5, "whole number"),
        ("max_holding_bars", 0, "at least 1"),
        ("min_holding_bars", -1, "at least 0"),
        ("cooldown_bars", -1, "at least 0"),
        ("max_trades_per_day", 0, "at least 1"),
        ("stop_loss_atr_length", 0, "at least 1"),
        ("stop_loss_atr", 0, "above 0"),
        ("max_symbol_exposure", -5, "above 0"),
        ("reuse_exit_proceeds", 1, "True or False"),
        ("product", "mis", "did you mean 'MIS'?"),
        ("product", "NRML", "CNC, MIS or MARGIN"),
        ("direction", "long", "did you mean 'LONG'?"),
        ("direction", None, "LONG, SHORT or BOTH"),
        ("allocation", "RANKED", "did you mean 'RANKING'?"),
        ("execution", "next-open", "did you mean 'next_open'?"),
        ("stop_execution", "intra_bar", "did you mean 'intrabar'?"),
        ("ambiguous_bar", "worst", "stop or target"),
        ("target_touch", "thru", "touch or through"),
        ("timeframe", "15 min", "Write '15m'"),
        ("timeframe", "15T", "Write '15m'"),
        ("timeframe", 15, "timeframe"),
        ("timeframe", "1w", "Weeks"),
        ("calendar", "", "calendar"),
        ("calendar", 7, "calendar"),
        ("calendar", "NES", "NSE"),
        ("name", "", "printable"),
        ("name", " dip", "blanks around"),
        ("name", "a/b", "slashes"),
        ("name", "a\nb", "printable"),
        ("name", "x" * 101, "100"),
        ("name", None, "text"),
        ("name", 3, "text"),
        ("version", "1.0", "did you mean '1.0.0'?"),
        ("version", "v1.2.3", "did you mean '1.2.3'?"),
        ("version", 1, "did you mean '1.0.0'?"),
        ("version", "1.0.0-", "version like"),
        ("version", "01.0.0", "version like"),
        ("version", None, "version like"),
        ("entry", "", "empty"),
        ("entry", "  \n", "empty"),
        ("entry", None, "expression"),
        ("exit", 5, "expression"),
        ("exit", "", "leave it out"),
        ("instruments", (), "empty"),
        ("instruments", "NSE:TCS", "write ('NSE:TCS',)"),
        ("instruments", {"NSE:TCS"}, "tuple"),
        ("instruments", ("NSE:TCS", "NSE:TCS"), "twice"),
        ("instruments", ("TCS",), "did you mean 'NSE:TCS'"),
        ("instruments", (None,), "text"),
        ("params", {"n": "14"}, "'n' is '14'; a number"),
        ("params", {"n": True}, "number"),
        ("params", {"n": math.nan}, "finite"),
        ("params", {"$n": 14}, "write 'n'"),
        ("params", {"1n": 14}, "letters"),
        ("params", {3: 14}, "letters"),
        ("params", [("n", 14)], "mapping"),
        ("sectors", {"NSE:TCS": 5}, "text"),
        ("sectors", {"NSE:TCS": ""}, "text"),
        ("sectors", ["IT"], "mapping"),
        ("entry_window", ("10:30", "10:00"), "before"),
        ("entry_window", ("10:00", "10:00"), "before"),
        ("entry_window", ("9:15", "10:00"), "two digits"),
        ("entry_window", ("09:15", "24:00"), "HH:MM"),
        ("entry_window", "10:00-10:30", "two times"),
        ("entry_window", ("10:00",), "two times"),
        ("entry_window", (1000, 1030), "times are text"),
        ("exit_time", "15.55", "a time like"),
        ("exit_time", "25:00", "a time like"),
        ("exit_time", "20m", "a time like"),
        ("exit_time", "-0m", "a time like"),
        ("exit_time", "15:5", "a time like"),
        ("exit_time", -20, "a time like"),
        ("sizing", PercentOfEquity, "PercentOfEquity(...)"),
        ("sizing", "CashPerSlot", "CashPerSlot(...)"),
        ("sizing", 0.25, "a policy is asked"),
    ],
)
def test_N3_wrong_values_are_refused_with_name_and_hint(name, value, said):
    message = refused(**{name: value})
    assert name in message
    assert said in message


CONTRADICTIONS = [
    ("X5", {"direction": "SHORT", "product": "CNC"}, "SHORT with product CNC"),
    ("X5", {"direction": "BOTH", "product": "CNC", "short_entry": "close < open"}, "BOTH with product CNC"),
    ("X3", {"execution": "proxy_close", "timeframe": "1d"}, "MIS with execution proxy_close"),
    ("X3", {"execution": "proxy_close", "product": "CNC"}, "proxy_close with timeframe 15m"),
    ("X1", {"timeframe": "1d"}, "MIS with timeframe 1d"),
    ("X1", {"timeframe": "1d", "product": "CNC", "exit_time": "15:00"}, "exit_time with timeframe 1d"),
    ("D6", {"exit_time": "14:00", "entry_window": ("14:00", "15:00")}, "begins at or after exit_time 14:00"),
    ("F2", {"stop_loss_frac": 0.01, "stop_loss_atr": 2}, "stop_loss_frac and stop_loss_atr"),
    ("F6", {"trailing_activation_frac": 0.01}, "trailing_activation_frac without"),
    ("S2", {"sizing": RiskPerTrade(0.01)}, "RiskPerTrade without a stop"),
    ("D6", {"direction": "BOTH"}, "BOTH without short_entry"),
    ("N3", {"short_entry": "close < open"}, "short_entry is given with direction LONG"),
    ("N3", {"short_exit": "close < open"}, "short_exit is given with direction LONG"),
    ("N6", {"direction": "SHORT", "short_entry": "close < open"}, "a SHORT strategy uses entry and exit"),
    ("D7", {"allocation": "RANKING"}, "RANKING without rank"),
    ("D7", {"rank": "RSI(14)"}, "rank is given with allocation EQUAL"),
    ("S4", {"product": "CNC", "margin_frac": 0.2}, "margin_frac 0.2 with product CNC"),
    ("S3", {"sector_cap_frac": 0.3, "sectors": {"NSE:TCS": "IT"}}, "without a sector for NSE:INFY"),
    ("S3", {"sector_cap_frac": 0.3}, "NSE:TCS, NSE:INFY"),
    ("S3", {"sectors": {"NSE:TSC": "IT"}}, "NSE:TSC"),
    ("D4", {"min_holding_bars": 5, "max_holding_bars": 4}, "min_holding_bars 5 is above"),
    ("N6", {"instruments": ("BSE:TCS",)}, "'NSE:TCS'"),
    ("C1", {"instruments": ("NSE:TCS", "BSE:INFY")}, "one exchange"),
]


@pytest.mark.parametrize(("rule", "changes", "said"), CONTRADICTIONS, ids=[f"{r}-{s}" for r, _, s in CONTRADICTIONS])
def test_N3_contradictions_are_refused_when_made(rule, changes, said):
    assert said in refused(**changes)
    assert issubclass(StrategyError, ConfigError)


@pytest.mark.parametrize(
    "changes",
    [
        {"direction": "SHORT"},
        {"exit_time": "14:00", "entry_window": ("13:59", "15:00")},
        {"exit_time": "-20m", "entry_window": ("14:00", "15:00")},
        {"exit_time": "09:00", "entry_window": ("18:00", "20:00"), "calendar": "FX", "instruments": ("FX:EUR_USD",)},
        {"direction": "SHORT", "product": "MARGIN"},
        {"direction": "BOTH", "short_entry": "close < open"},
        {"direction": "BOTH", "short_entry": "close < open", "short_exit": "close > open", "exit": "close < open"},
        {"execution": "proxy_close", "timeframe": "1d", "product": "CNC"},
        {"execution": "proxy_close", "timeframe": "1d", "product": "MARGIN", "direction": "SHORT"},
        {"timeframe": "1d", "product": "CNC", "exit": None},
        {"stop_loss_atr": 2.5, "stop_loss_atr_length": 20},
        {"sizing": RiskPerTrade(0.01), "stop_loss_atr": 2},
        {"sizing": RiskPerTrade(0.01), "trailing_stop_frac": 0.02},
        {"allocation": "RANKING", "rank": "RSI(14)"},
        {"product": "CNC", "margin_frac": 1.0},
        {"margin_frac": 0.2},
        {"sectors": {"NSE:TCS": "IT"}},
        {"min_holding_bars": 5, "max_holding_bars": 5},
        {"entry_window": ["10:00", "10:30"]},
        {"exit_time": "15:15"},
        {"exit_time": "-20m"},
        {"instruments": ["FX:EUR_USD"], "calendar": "FX", "product": "MARGIN"},
        {"instruments": ["24x7:BTC/USD"], "calendar": "24x7", "product": "CNC"},
        {"instruments": ["24x7:BTC/USD"], "calendar": "CRYPTO", "product": "CNC"},
        {"instruments": ["XNYS:BRK.B"], "calendar": "XNYS", "product": "CNC"},
        {"version": "1.0.0-rc.1+build.5"},
        {"name": "Größte Lücke (v2), <b>"},
    ],
)
def test_N3_what_makes_sense_is_taken(changes):
    strategy = made(**changes)
    for name, value in changes.items():
        if name not in ("entry_window", "instruments", "calendar"):
            assert getattr(strategy, name) == value


def test_C1_calendars_are_kept_under_their_canonical_name():
    assert made(calendar="nse").calendar == "NSE"
    assert made(calendar="CRYPTO", instruments=("24x7:BTC",)).calendar == "24x7"
    assert "24x7:BTC" in refused(calendar="CRYPTO", instruments=("CRYPTO:BTC",))


def test_C1_a_calendar_itself_is_taken_by_its_name():
    from workbench.market.calendar import resolve_calendar

    assert made(calendar=resolve_calendar("NSE")).calendar == "NSE"


def test_B3_timeframes_are_kept_in_their_canonical_spelling():
    assert made(timeframe="60m").timeframe == "1h"
    assert made(timeframe="60m").bar_timeframe == Timeframe.parse("1h")
    assert made(timeframe="60m") == made(timeframe="1h")


def test_S2_default_sizing_shares_equity_over_the_positions_that_can_be_open():
    assert made(instruments=("NSE:TCS",)).sizing == PercentOfEquity(1.0)
    assert made().sizing == PercentOfEquity(0.5)
    assert made(max_open_positions=1).sizing == PercentOfEquity(1.0)
    thirty = tuple(f"NSE:S{i}" for i in range(30))
    assert made(instruments=thirty).sizing == PercentOfEquity(0.1)


@pytest.mark.parametrize(
    ("policy", "values", "said"),
    [
        (PercentOfEquity, (25,), "use 0.25 for 25 %"),
        (PercentOfEquity, (0,), "above 0"),
        (PercentOfEquity, ("0.25",), "without quotes"),
        (FixedCash, (0,), "above 0"),
        (FixedCash, (math.inf,), "finite"),
        (FixedQty, (-1,), "above 0"),
        (FixedQty, (True,), "number"),
        (RiskPerTrade, (1,), "use 0.01 for 1 %"),
        (RiskPerTrade, (0.01, 0), "leverage_max"),
        (RiskPerTrade, (0.01, math.nan), "leverage_max"),
    ],
)
def test_S2_policies_check_their_values(policy, values, said):
    with pytest.raises(StrategyError, match=re.escape(said)) as error:
        policy(*values)
    assert policy.__name__ in str(error.value)


def test_S2_policies_are_frozen_and_equal_by_value():
    assert PercentOfEquity(1) == PercentOfEquity(1.0)
    assert RiskPerTrade(0.01).leverage_max == 1.0
    assert CashPerSlot() == CashPerSlot()
    assert FixedQty(10) != FixedCash(10)
    with pytest.raises(dataclasses.FrozenInstanceError):
        FixedQty(10).qty = 5


def test_N3_replace_checks_anew():
    strategy = made(stop_loss_frac=0.01)
    assert strategy.replace(stop_loss_frac=None).stop_loss_frac is None
    assert strategy.replace() == strategy
    assert strategy.replace(stop_loss_frac=0.01).hash == strategy.hash
    assert dataclasses.replace(strategy, cooldown_bars=3).cooldown_bars == 3
    with pytest.raises(StrategyError, match="cooldown_bars"):
        strategy.replace(cooldown_bar=3)
    with pytest.raises(StrategyError, match="SHORT with product CNC"):
        strategy.replace(direction="SHORT", product="CNC")


def test_N3_shows_itself_with_escaped_text():
    strategy = made(name="<script>x", entry="close < open AND close > 5", stop_loss_frac=0.01)
    shown = strategy._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;x" in shown
    assert "close &lt; open AND close &gt; 5" in shown
    assert "stop_loss_frac" in shown
    assert "ambiguous_bar" not in shown
    assert repr(strategy).startswith("Strategy(name='<script>x', version='1.0.0'")
    assert "cooldown_bars" not in repr(strategy)


anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.binary(max_size=4),
        st.sampled_from(["NSE:TCS", "10:00", "1d", "CNC", "MARGIN", "SHORT", "close > open", "0.02", "-20m", object()]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(st.text(max_size=4), st.integers()), inner, max_size=2),
    ),
    max_leaves=4,
)


# Names of calendars are left out: looking an unknown one up takes milliseconds.
@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(set(CHECKS) - {"calendar"})), anything, min_size=1, max_size=4))
def test_N3_whatever_comes_is_taken_whole_or_refused_as_a_config_error(changes):
    try:
        strategy = made(**changes)
    except ConfigError as error:
        said = str(error)
        strategy = None
    assert Strategy.from_toml(strategy.to_toml()) == strategy if strategy is not None else said


@pytest.mark.parametrize("name", sorted(set(CHECKS) - {"calendar"}))
def test_N3_a_file_that_gives_a_list_where_none_is_meant_is_refused(name):
    with pytest.raises(ConfigError, match=name):
        Strategy.from_dict({**BASE, name: [[1]]})
