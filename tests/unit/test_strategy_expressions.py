"""Expressions are compiled when the strategy is made (rules E1, E2, N3)."""

from __future__ import annotations

import pytest

from workbench.errors import ConfigError, ExpressionError, StrategyError
from workbench.strategy import Strategy


def made(**changes):
    base = {
        "name": "dip",
        "version": "1.0.0",
        "instruments": ("NSE:TCS",),
        "timeframe": "15m",
        "calendar": "NSE",
        "product": "MIS",
        "entry": "RSI(14) < 30",
    }
    return Strategy(**{**base, **changes})


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"entry": "RIS(14) < 30"}, "entry", "RSI"),
        ({"entry": "RSI(14) <"}, "entry", "line 1"),
        ({"exit": "close >\n  clsoe"}, "exit", "line 2, column 3"),
        ({"exit": "RSI(14)"}, "exit", "a condition"),
        ({"rank": "RSI(14) > 5", "allocation": "RANKING"}, "rank", "a number"),
        ({"direction": "BOTH", "short_entry": "close > SMA(0)"}, "short_entry", "SMA"),
        ({"direction": "BOTH", "short_entry": "close < open", "short_exit": "close > 'x'"}, "short_exit", "line 1"),
        ({"entry": "close > SMA(close, 50, '5m')"}, "entry", "5m"),
        ({"entry": "close > $level"}, "entry", "$level"),
    ],
)
def test_E1_a_wrong_expression_is_refused_with_field_line_and_caret(changes, field, said):
    with pytest.raises(ExpressionError) as error:
        made(**changes)
    assert f"in {field}: " in str(error.value)
    assert said in str(error.value)
    assert "^" in str(error.value)
    assert isinstance(error.value, ConfigError)


def test_E1_of_two_equal_errors_the_first_field_is_named():
    with pytest.raises(ExpressionError, match="in entry: "):
        made(entry="RIS(14) < 30", exit="RIS(14) < 30")


def test_E2_an_unbound_parameter_is_refused_with_the_nearest_bound_one():
    with pytest.raises(ExpressionError, match="length"):
        made(entry="RSI($lenght) < 30", params={"length": 14})


def test_E2_a_parameter_that_no_expression_uses_is_refused():
    with pytest.raises(StrategyError, match=r"params binds 'm'.* no expression uses") as error:
        made(entry="RSI($n) < 30", params={"n": 14, "m": 3})
    assert "strategy 'dip'" in str(error.value)


def test_E2_parameters_may_be_used_by_any_expression():
    strategy = made(
        entry="RSI($n) < $low", exit="RSI($n) > $high", rank="ROC(close, $m)", allocation="RANKING",
        params={"n": 14, "low": 30, "high": 60, "m": 5},
    )  # fmt: skip
    assert set(strategy.program.roots) == {"entry", "exit", "rank"}


def test_E2_lengths_are_checked_with_their_parameters_bound():
    assert made(entry="RSI($n) < 30", params={"n": 14.0}).params == {"n": 14}
    with pytest.raises(ExpressionError, match="in entry"):
        made(entry="RSI($n) < 30", params={"n": 14.5})
    with pytest.raises(ExpressionError, match="in entry"):
        made(entry="RSI($n) < 30", params={"n": 0})


def test_F2_a_stop_by_average_true_range_adds_its_root():
    assert "stop_atr" not in made(stop_loss_frac=0.01).program.roots
    assert "stop_atr" in made(stop_loss_atr=2).program.roots


def test_N3_equal_expressions_share_one_program():
    one, other = made(stop_loss_frac=0.01), made(name="other", cooldown_bars=3)
    assert one.program is other.program
    assert made(entry="RSI(15) < 30").program is not one.program
    assert made(timeframe="30m").program.timeframe == made(timeframe="30m").bar_timeframe


def test_N3_a_wrong_expression_in_a_file_names_file_and_field(tmp_path):
    file = tmp_path / "dip.toml"
    file.write_text(made().to_toml().replace("RSI(14) < 30", "RIS(14) < 30"))
    with pytest.raises(ExpressionError, match="in entry: ") as error:
        Strategy.from_toml(file)
    assert str(file) in str(error.value)
