"""A strategy as data: TOML, plain form and hash (rules N3, R4)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import ConfigError, StrategyError
from workbench.strategy import CashPerSlot, FixedCash, FixedQty, PercentOfEquity, RiskPerTrade, Strategy

FULL = {
    "name": "full",
    "version": "2.1.0",
    "instruments": ("NSE:TCS", "NSE:M&M"),
    "timeframe": "15m",
    "calendar": "NSE",
    "product": "MIS",
    "direction": "BOTH",
    "entry": "# first line\nfast = EMA(close, $n)\nclose > fast AND volume > 0",
    "exit": "close < EMA(close, $n)",
    "short_entry": "close < SMA(close, 50, '1h')",
    "short_exit": "close > SMA(close, 50, '1h')",
    "params": {"n": 14},
    "rank": "RSI(14)",
    "allocation": "RANKING",
    "sizing": RiskPerTrade(0.01, leverage_max=2),
    "max_open_positions": 4,
    "stop_loss_atr": 2.5,
    "stop_loss_atr_length": 10,
    "take_profit_frac": 0.03,
    "trailing_stop_frac": 0.008,
    "trailing_activation_frac": 0.005,
    "stop_execution": "close",
    "ambiguous_bar": "target",
    "target_touch": "through",
    "max_holding_bars": 40,
    "min_holding_bars": 2,
    "cooldown_bars": 3,
    "max_trades_per_day": 5,
    "entry_window": ("09:30", "14:30"),
    "exit_time": "-20m",
    "max_drawdown_frac": 0.2,
    "max_trade_drawdown_frac": 0.05,
    "daily_loss_limit_frac": 0.02,
    "max_symbol_alloc_frac": 0.5,
    "max_symbol_exposure": 250_000,
    "sector_cap_frac": 0.6,
    "sectors": {"NSE:TCS": 'IT "services"', "NSE:M&M": "Auto"},
    "margin_frac": 0.2,
    "reuse_exit_proceeds": False,
}
SMALL = {key: FULL[key] for key in ("name", "version", "instruments", "timeframe", "calendar", "product")}


def small(**changes):
    return Strategy(**{**SMALL, "entry": "close > open", **changes})


@pytest.mark.parametrize(
    "strategy",
    [
        Strategy(**FULL),
        small(),
        *(small(sizing=policy) for policy in (PercentOfEquity(1 / 3), FixedCash(1e6), CashPerSlot(), FixedQty(7))),
        small(entry="close > open # naïve ✓ \\ \"quoted\" '''"),
        small(entry="close >\r\n  open\r"),
    ],
    ids=lambda strategy: f"{strategy.name}-{type(strategy.sizing).__name__}-{len(strategy.entry)}",
)
def test_N3_toml_and_plain_data_round_trip(strategy):
    again = Strategy.from_toml(strategy.to_toml())
    assert again == strategy
    assert again.hash == strategy.hash
    assert again.to_toml() == strategy.to_toml()
    assert Strategy.from_dict(strategy.to_dict()) == strategy


comments = st.text(st.characters(exclude_categories=("Cs",)), max_size=30).map(lambda text: text.replace("\n", " "))
values = st.one_of(st.integers(1, 10**6), st.floats(1e-6, 1e6))


@settings(max_examples=60, deadline=None)
@given(comments, st.dictionaries(st.sampled_from(["a", "B_2", "_c"]), values), st.floats(1e-12, 1, exclude_max=True))
def test_N3_toml_round_trips_any_text_and_number(comment, params, frac):
    uses = " AND ".join(["close > open", *(f"close > ${name}" for name in params)])
    strategy = small(entry=f"{uses} # {comment}".splitlines()[0], params=params, stop_loss_frac=frac)
    again = Strategy.from_toml(strategy.to_toml())
    assert again == strategy
    assert again.hash == strategy.hash
    assert [type(value) for value in again.params.values()] == [type(value) for value in strategy.params.values()]


def test_N3_toml_reads_from_a_file(tmp_path):
    file = tmp_path / "full.toml"
    file.write_text(Strategy(**FULL).to_toml(), encoding="utf-8")
    assert Strategy.from_toml(file) == Strategy(**FULL)
    assert Strategy.from_toml(str(file)) == Strategy(**FULL)


def test_R4_hash_does_not_follow_the_order_of_names():
    names = list(FULL)
    random.Random(5).shuffle(names)
    shuffled = Strategy(**{name: FULL[name] for name in names})
    assert shuffled.hash == Strategy(**FULL).hash
    assert small(params={"a": 1, "b": 2}, entry="close > $a + $b").hash == (
        small(params={"b": 2, "a": 1}, entry="close > $a + $b").hash
    )


def test_R4_equal_content_has_one_hash_however_it_was_written():
    one = small(max_symbol_exposure=1000, params={"n": 14}, entry="close > $n", trailing_activation_frac=0)
    other = small(max_symbol_exposure=1000.0, params={"n": 14.0}, entry="close > $n", trailing_activation_frac=-0.0)
    assert one == other
    assert one.hash == other.hash
    assert len(one.hash) == 32


CHANGES = {
    "name": "other",
    "version": "2.1.1",
    "instruments": ("NSE:M&M", "NSE:TCS"),
    "timeframe": "30m",
    "product": "MARGIN",
    "entry": "close > $n",
    "exit": None,
    "short_entry": "close < open",
    "short_exit": None,
    "params": {"n": 15},
    "rank": "RSI(15)",
    "sizing": RiskPerTrade(0.01, leverage_max=1),
    "max_open_positions": 5,
    "stop_loss_atr": 2.4,
    "stop_loss_atr_length": 11,
    "take_profit_frac": None,
    "trailing_stop_frac": 0.009,
    "trailing_activation_frac": 0.006,
    "stop_execution": "intrabar",
    "ambiguous_bar": "stop",
    "target_touch": "touch",
    "max_holding_bars": None,
    "min_holding_bars": 1,
    "cooldown_bars": 4,
    "max_trades_per_day": None,
    "entry_window": None,
    "exit_time": "15:00",
    "max_drawdown_frac": None,
    "max_trade_drawdown_frac": 0.06,
    "daily_loss_limit_frac": 0.03,
    "max_symbol_alloc_frac": None,
    "max_symbol_exposure": 250_001,
    "sector_cap_frac": None,
    "sectors": {"NSE:TCS": "IT", "NSE:M&M": "Auto"},
    "margin_frac": None,
    "reuse_exit_proceeds": True,
}


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_R4_every_field_is_in_the_hash(name):
    strategy = Strategy(**FULL)
    assert strategy.replace(**{name: CHANGES[name]}).hash != strategy.hash


def test_R4_the_hash_is_the_same_on_every_run():
    # Written down once: a change here is a change of every stored strategy's identity.
    assert small(instruments=("NSE:TCS",)).hash == "c76ef519d0c995ef7749e3a58d94f242"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "not valid TOML"),
        ("a = 1\nb = = 2\n", "line 2"),
        ('name = "x"\n', "entry is missing"),
        ("{base}stop_los_frac = 0.1\n", "unknown name 'stop_los_frac'; did you mean 'stop_loss_frac'?"),
        ("{base}stop_loss_frac = 2\n", "stop_loss_frac is 2"),
        ("{base}exit_time = 15:15:00\n", "exit_time is datetime.time(15, 15)"),
        ('{base}sizing = "CashPerSlot"\n', "[sizing]"),
        ('{base}[sizing]\npolicy = "PercentOfEquty"\nfrac = 0.1\n', "did you mean 'PercentOfEquity'?"),
        ("{base}[sizing]\nfrac = 0.1\n", "sizing.policy is None"),
        ('{base}[sizing]\npolicy = "PercentOfEquity"\nfraction = 0.1\n', "sizing.fraction is unknown"),
        ('{base}[sizing]\npolicy = "FixedCash"\n', "sizing.amount is missing"),
        ('{base}[sizing]\npolicy = "PercentOfEquity"\nfrac = 25\n', "use 0.25 for 25 %"),
        ('{base}[params]\nn = "14"\n', "params 'n' is '14'"),
    ],
)
def test_N3_a_wrong_file_is_refused_with_file_and_key(tmp_path, text, said):
    base = small().to_toml().split("[sizing]")[0]
    file = tmp_path / "wrong.toml"
    file.write_text(text.replace("{base}", base))
    with pytest.raises(StrategyError) as error:
        Strategy.from_toml(file)
    assert str(file) in str(error.value)
    assert said in str(error.value)


def test_N3_a_missing_or_binary_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml: there is no such file$"):
        Strategy.from_toml(tmp_path / "none.toml")
    file = tmp_path / "binary.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        Strategy.from_toml(str(file))


def test_N3_a_misspelt_path_is_told_with_what_lies_beside_it(tmp_path):
    folder = tmp_path / "strategies"
    folder.mkdir()
    (folder / "rsi_dip.toml").write_text("")
    (folder / "notes.md").write_text("")
    for wrong, said in (
        (folder / "rsi_dipp.toml", "rsi_dipp.toml: there is no such file; beside it there is rsi_dip.toml"),
        (folder / "momentum.toml", "momentum.toml: there is no such file; beside it there is rsi_dip.toml"),
        (
            tmp_path / "strategy" / "rsi_dip.toml",
            f"there is no such file, for there is no folder {tmp_path}/strategy; beside it there is strategies",
        ),
    ):
        with pytest.raises(StrategyError) as error:
            Strategy.from_toml(str(wrong))
        assert str(error.value).startswith(f"{wrong}: ")
        assert str(error.value).endswith(said)
        assert "Errno" not in str(error.value)


def test_N3_a_folder_named_as_a_strategy_is_refused(tmp_path):
    with pytest.raises(StrategyError, match="cannot be read: is a directory"):
        Strategy.from_toml(tmp_path)
