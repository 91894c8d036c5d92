"""``wb.significance`` as a user meets it: what it takes, what it says, what it refuses, how it shows itself."""

from __future__ import annotations

import dataclasses
import math
import pathlib
import subprocess
import sys
from functools import cache

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.research.significance.answer import FIGURES
from workbench.research.significance.bootstrap import studentised
from workbench.research.significance.words import share

INTERVALS = ("sharpe_ann", "mean_return_ann", "session_drawdown_frac")


@cache
def result() -> wb.Result:
    """Made-up 5-minute bars of half a year, long only."""
    bars = wb.samples.synthetic(seed=3, start="2024-01-01", end="2024-06-28")
    return wb.backtest(dip(), bars, costs=wb.costs.zerodha_equity(2))


def dip(**changes: object) -> wb.Strategy:
    fields: dict[str, object] = {
        "name": "dip", "version": "1.0.0", "instruments": ("NSE:X",), "timeframe": "15m", "calendar": "NSE",
        "product": "MIS", "entry": "RSI($n) < $low", "exit": "RSI($n) > 60", "params": {"n": 5, "low": 30},
        "sizing": wb.PercentOfEquity(0.25), **changes,
    }  # fmt: skip
    return wb.Strategy(**fields)  # type: ignore[arg-type]


def noise(sets: int = 30, sessions: int = 400, seed: int = 1) -> pd.DataFrame:
    drawn = np.random.default_rng(seed).standard_normal((sessions, sets)) * 0.01
    return pd.DataFrame(drawn, index=pd.bdate_range("2020-01-01", periods=sessions), columns=range(100, 100 + sets))


def test_R3_figures_are_those_of_the_result() -> None:
    found = wb.significance(result(), draws=500)
    stats = result().stats
    assert found.n_sessions == stats["n_sessions"]
    assert found.sharpe_ann is not None
    assert found.sharpe_ann.value == pytest.approx(stats["sharpe_ann"])
    assert found.mean_return_ann is not None
    assert found.mean_return_ann.value == pytest.approx(result().sessions.returns.mean() * 248)
    assert found.session_drawdown_frac is not None
    closes = result().sessions.equity / 1_000_000.0
    falls = closes / np.maximum(np.maximum.accumulate(closes), 1.0) - 1.0
    assert found.session_drawdown_frac.value == pytest.approx(falls.min())
    for name in INTERVALS:
        one = getattr(found, name)
        assert one.low < one.value < one.high or name == "session_drawdown_frac"
        assert one.low < one.high


def test_a_result_is_one_trial_and_says_so_until_told_otherwise() -> None:
    alone, many = wb.significance(result(), draws=500), wb.significance(result(), trials=60, draws=500)
    assert alone.n_trials == 1
    assert any("only trial" in sentence for sentence in alone.words)
    assert alone.deflated_sharpe_frac == alone.probabilistic_sharpe_frac
    assert alone.random_best_frac == alone.random_frac
    assert not any("no number was given" in sentence for sentence in many.words)
    assert many.deflated_sharpe_frac is not None
    assert alone.deflated_sharpe_frac is not None
    assert many.deflated_sharpe_frac < alone.deflated_sharpe_frac
    assert many.random_frac == alone.random_frac
    assert alone.random_frac is not None
    assert many.random_best_frac == pytest.approx(1.0 - (1.0 - alone.random_frac) ** 60)
    assert many.sharpe_ann == alone.sharpe_ann
    assert any("with as many trials (60), if these were independent, do as well" in sentence for sentence in many.words)


def test_a_sweep_is_read_with_the_set_that_came_first() -> None:
    bars = wb.samples.synthetic(seed=3, start="2024-01-01", end="2024-06-28")
    sweep = wb.sweep(
        dip(), bars, {"n": [4, 5, 6], "low": [20, 30]}, rank_by="total_return_frac", progress=False, keep=False
    )
    found = wb.significance(sweep, draws=500)
    best = wb.backtest(sweep.best, bars)
    assert found.n_trials == found.n_sets == 6
    assert found.sharpe_ann is not None
    assert found.sharpe_ann.value == pytest.approx(best.stats["sharpe_ann"])
    assert found.sessions_per_year == 248.0
    assert found.overfitting is not None
    assert found.overfitting.n_blocks == 12
    assert any("12 blocks, not 16" in sentence for sentence in found.words)
    assert any("not by total_return_frac" in sentence for sentence in found.words)
    assert any("of random strategies with as many trials do as well" in sentence for sentence in found.words)
    # The same matrix as a table, and trials that nobody kept.
    more = wb.significance(sweep, trials=500, draws=500)
    assert more.n_trials == 500
    assert more.deflated_sharpe_frac is not None
    assert found.deflated_sharpe_frac is not None
    assert more.deflated_sharpe_frac < found.deflated_sharpe_frac
    assert any("6 of 500 trials" in sentence for sentence in more.words)


def test_a_table_is_read_by_columns_and_its_best_is_the_highest_ratio() -> None:
    table = noise()
    ratios = table.mean() / table.std()
    found = wb.significance(table, draws=500)
    assert found.name == str(ratios.idxmax())
    assert found.sharpe_ann is not None
    assert found.sharpe_ann.value == pytest.approx(ratios.max() * math.sqrt(252))
    assert found.expected_best_sharpe_ann is not None
    assert found.effective_trials == pytest.approx(30, abs=1.5)
    one = wb.significance(table[105], draws=500)
    assert one.n_trials == one.n_sets == 1
    assert wb.significance(table, draws=500, sessions_per_year=63).sharpe_ann.value == pytest.approx(  # type: ignore[union-attr]
        ratios.max() * math.sqrt(63)
    )


def test_the_best_of_noise_is_called_luck_and_skill_is_not() -> None:
    lucky = wb.significance(noise(sets=60), draws=500)
    table = noise(sets=60, sessions=1000)
    table[130] += 0.0025
    skilled = wb.significance(table, draws=500)
    assert lucky.probabilistic_sharpe_frac is not None
    assert lucky.probabilistic_sharpe_frac > 0.95
    assert lucky.deflated_sharpe_frac is not None
    assert lucky.deflated_sharpe_frac < 0.9
    assert lucky.random_best_frac is not None
    assert lucky.random_best_frac > 0.1
    assert skilled.name == "130"
    assert skilled.random_best_frac is not None
    assert skilled.random_best_frac < 0.01
    assert skilled.overfitting_frac == pytest.approx(0.0, abs=0.01)


def test_alike_trials_are_worth_fewer() -> None:
    table = noise(sets=40)
    table = table * 0.2 + 2.0 * table[[100]].to_numpy()
    found = wb.significance(table, draws=500)
    assert found.effective_trials is not None
    assert found.effective_trials < 3.0
    assert any("so alike" in sentence for sentence in found.words)


def test_the_same_seed_gives_the_same_answer_bit_for_bit() -> None:
    first, again, other = (wb.significance(noise(), draws=300, seed=seed) for seed in (5, 5, 6))
    pd.testing.assert_frame_equal(first.frame, again.frame, check_exact=True)
    assert first.words == again.words
    assert not first.frame.equals(other.frame)
    assert wb.significance(result(), draws=300).frame.equals(wb.significance(result(), draws=300).frame)


# --- undefined ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returns", "why"),
    [
        (np.full(19, 0.01) * np.arange(19), "19 sessions"),
        (np.zeros(100), "no deviation"),
        (np.full(100, 0.001), "no deviation"),
        (np.append(np.linspace(-0.01, 0.01, 60), np.nan), "into debt"),
        (np.array([]), "0 sessions"),
        (np.where(np.arange(500) % 100 == 7, 0.02, 0.0), "moved in 5 sessions of 500"),
    ],
)
def test_what_is_undefined_is_none_and_says_why(returns: np.ndarray, why: str) -> None:
    found = wb.significance(pd.Series(returns, dtype=float, name="x"))
    assert all(getattr(found, name) is None for name in FIGURES)
    assert all(why in found.reasons[name] for name in FIGURES)
    assert any(why in sentence for sentence in found.words)
    assert found.frame["value"].isna().all()
    assert why in found._repr_html_()
    with pytest.raises(ValueError, match="nothing to plot"):
        found.plot()


def test_every_figure_has_a_value_or_a_reason() -> None:
    answers = [
        wb.significance(one, draws=200)
        for one in (result(), noise(), noise(sets=1), noise(sessions=40), noise()[105], noise(sessions=20))
    ]
    for found in answers:
        for name in FIGURES:
            assert (getattr(found, name) is None) == (name in found.reasons), name


def test_sessions_that_hardly_vary_have_finite_intervals_or_none() -> None:
    # Up and down in turn: whole blocks of it sum to nothing, so that some draws have no error of their own.
    found = wb.significance(pd.Series(np.tile([0.01, -0.01], 60)), draws=300)
    for name in INTERVALS:
        one = getattr(found, name)
        assert one is None or (math.isfinite(one.low) and math.isfinite(one.high))


def test_an_interval_that_the_draws_do_not_give_is_none() -> None:
    drawn, errors = np.array([-1.0, 1.0, 0.0, 2.0]), np.zeros(4)
    assert not studentised(0.5, drawn, errors, 0.1, (0.05, 0.95)).is_finite
    assert studentised(0.5, drawn, np.ones(4), 0.1, (0.05, 0.95)).is_finite


def test_short_data_is_called_short() -> None:
    found = wb.significance(noise(sessions=40), draws=200)
    assert any(sentence.startswith("Too short: 40 sessions") for sentence in found.words)
    assert found.overfitting_frac is None
    assert "40 sessions" in found.reasons["overfitting_frac"]
    assert not any("Too short" in sentence for sentence in wb.significance(noise(), draws=200).words)


def test_few_trades_have_no_timing() -> None:
    bars = wb.samples.stocks()["XNYS:IBM"]
    strategy = wb.Strategy(
        name="hold", version="1.0.0", instruments=("XNYS:IBM",), timeframe="1d", calendar="XNYS", product="CNC",
        entry="close > 0", exit="close < 0",
    )  # fmt: skip
    found = wb.significance(wb.backtest(strategy, bars), draws=200)
    assert found.random_frac is None
    assert "fewer than 5 trades" in found.reasons["random_frac"]
    assert found.sharpe_ann is not None


def test_a_result_without_a_trade_says_that_there_is_no_deviation() -> None:
    bars = wb.samples.synthetic(seed=3, start="2024-01-01", end="2024-03-28")
    found = wb.significance(wb.backtest(dip(entry="RSI($n) < $low - 999"), bars))
    assert found.sharpe_ann is None
    assert "no deviation" in repr(found)


def test_sets_that_fell_to_nothing_or_never_traded_count_as_trials() -> None:
    table = noise()
    table[101] = np.nan
    table[102] = 0.0
    found = wb.significance(table, draws=200)
    assert found.n_trials == 30
    assert found.n_sets == 29
    assert any("1 set left out" in sentence for sentence in found.words)
    assert found.random_best_frac is not None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"trials": 0}, "trials=0"),
        ({"trials": 2.5}, "trials=2.5"),
        ({"trials": True}, "trials=True"),
        ({"trials": 3}, "fewer than the 30 sets"),
        ({"confidence_frac": 90}, "confidence_frac=90"),
        ({"draws": 5}, "draws=5"),
        ({"seed": -1}, "seed=-1"),
        ({"blocks": 7}, "blocks=7"),
        ({"blocks": 40}, "blocks=40"),
        ({"sessions_per_year": 0}, "sessions_per_year=0"),
    ],
)
def test_what_makes_no_sense_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(wb.ConfigError, match=message):
        wb.significance(noise(), **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("strange", [None, 3, "result", [0.1, 0.2], np.zeros((3, 3))])
def test_what_is_no_result_is_refused(strange: object) -> None:
    with pytest.raises(wb.ConfigError, match="give a Result, a sweep, or a DataFrame"):
        wb.significance(strange)


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(wb.ConfigError, match="no set"):
        wb.significance(pd.DataFrame(index=range(50)))


# --- how it shows itself ------------------------------------------------------------------------------------------


def test_the_answer_is_frozen_and_its_table_has_a_row_a_figure() -> None:
    found = wb.significance(noise(), draws=200)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.random_frac = 0.0  # type: ignore[misc]
    assert list(found.frame.index) == list(FIGURES)
    assert list(found.frame.columns) == ["value", "low", "high", "says"]
    assert found.frame["low"].notna().sum() == len(INTERVALS)
    fields = {field.name for field in dataclasses.fields(found)}
    assert set(FIGURES) <= fields


def test_html_is_escaped() -> None:
    table = noise(sets=1)
    table.columns = ["<script>alert(1)</script>"]
    shown = wb.significance(table, draws=200)._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_words_promise_nothing() -> None:
    said = " ".join(wb.significance(noise(), draws=200).words + wb.significance(result(), draws=200).words)
    assert "significant" not in said
    assert "proven" not in said
    assert "100\u202f%" not in said
    assert share(0.0) == "under 1\u202f%"
    assert share(1.0) == "over 99\u202f%"
    assert share(0.54) == "54\u202f%"


def test_the_plot_shows_draws_interval_and_value() -> None:
    found = wb.significance(noise(), draws=300)
    figure = found.plot()
    assert found.sharpe_ann is not None
    assert sum(figure.data[0].y) == pytest.approx(1.0)
    band, value, zero = figure.layout.shapes
    assert (band.x0, band.x1) == (found.sharpe_ann.low, found.sharpe_ann.high)
    assert (value.x0, zero.x0) == (found.sharpe_ann.value, 0.0)


def test_asking_needs_no_heavy_library() -> None:
    code = (
        "import sys, numpy as np, pandas as pd, workbench as wb;"
        "wb.significance(pd.Series(np.sin(np.arange(50.0))), draws=100);"
        "print(sorted(name for name in ('scipy.stats', 'plotly', 'statsmodels', 'vectorbt') if name in sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize("page", ["significance.md", "glossary.md"])
def test_every_figure_is_described(page: str) -> None:
    text = (pathlib.Path(__file__).resolve().parents[2] / "docs" / page).read_text(encoding="utf-8")
    assert [name for name in FIGURES if f"`{name}`" not in text] == []
