"""``result.report(folder)`` and the notebook card: complete, offline, escaped, and the same for the same result."""

from __future__ import annotations

import json
import pathlib
import re
from functools import cache

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.page import Page
from workbench.research import report
from workbench.research.card import sparkline
from workbench.research.wording import KEY_FIGURES, WORDINGS, formatted, price, written

ATTACK = "<script>alert(1)</script>"
INSTRUMENT = f"NSE:{ATTACK}"


@cache
def attacked() -> wb.Result:
    """A result whose every name is an attack."""
    bars = wb.samples.synthetic(seed=3, start="2023-02-01", end="2023-02-28")
    strategy = wb.Strategy(
        name="attack", version="1.0.0", instruments=(INSTRUMENT,), timeframe="15m", calendar="NSE", product="MIS",
        entry="RSI(14) < 40  # <script>alert(1)</script>", exit="RSI(14) > 60", stop_loss_frac=0.004,
    )
    # The name of a strategy may hold no slash; a report must not depend on that.
    object.__setattr__(strategy, "name", ATTACK)
    odd = wb.Bars(bars.frame, "5m", "NSE", basis=ATTACK)
    return wb.backtest(strategy, odd, 1_000_000.0, wb.costs.zerodha_equity(2))


@cache
def five() -> wb.Result:
    """Five real shares on one account."""
    bars = wb.samples.stocks()
    strategy = wb.Strategy(
        name="five", version="1.0.0", instruments=tuple(bars), timeframe="1d", calendar="XNYS", product="CNC",
        entry="RSI(3) < 20", exit="RSI(3) > 70", max_open_positions=3, sizing=wb.CashPerSlot(), stop_loss_frac=0.05,
    )
    return wb.backtest(strategy, bars, 100_000.0, wb.costs.bps(5, 2))


@cache
def page_of_five() -> Page:
    """The report of five shares, parsed."""
    return Page(report.report_html(five()))


def test_what_people_wrote_is_text() -> None:
    page = Page(report.report_html(attacked()))
    assert len(attacked().trades) > 0
    assert not [script for script in page.scripts if script.lstrip().startswith("alert")]
    assert page.tags.count("script") == len(page_of_five().scripts) - 1  # one chart less than a portfolio has
    assert not page.handlers
    assert ATTACK in page.text  # said, and not run
    assert page.text.count(ATTACK) >= 4  # title, instrument, basis, comment of the expression


def test_the_card_of_a_result_is_escaped_and_readable_on_black_and_white() -> None:
    card = attacked()._repr_html_()
    page = Page(card)
    assert "script" not in page.tags and "svg" in page.tags
    assert ATTACK in page.text
    assert not re.search(r"color:\s*#|(?:fill|stroke)='#|background", card)
    assert attacked().hash in page.text
    for name in KEY_FIGURES:
        assert WORDINGS[name].title in page.text
        assert written(name, attacked().stats[name]) in page.text


def test_the_page_asks_for_nothing_from_a_network() -> None:
    page = page_of_five()
    assert not page.references
    assert page.tags.count("link") == page.tags.count("img") == page.tags.count("iframe") == 0
    plotly_js = max(page.scripts, key=len)
    assert len(plotly_js) > 1_000_000
    assert sum(len(script) > 1_000_000 for script in page.scripts) == 1  # embedded once
    assert sum("Plotly.newPlot" in script for script in page.scripts if script is not plotly_js) == 2


def test_every_statistic_is_explained_in_plain_words() -> None:
    result, page = five(), page_of_five()
    benchmark = wb.samples.stock("AAPL").frame["close"].rename("held")
    known = result.statistics(benchmark=benchmark)
    assert set(known) == set(WORDINGS)
    for name in result.stats:
        word = WORDINGS[name]
        assert word.meaning.endswith(".")
        assert {word.title, word.meaning, name, written(name, result.stats[name])} <= {
            part.strip() for part in page.words
        }


def test_what_was_run_is_said() -> None:
    result, text = five(), page_of_five().text
    for part in (
        "five 1.0.0", result.hash, "RSI(3) < 20", "stop_loss_frac", "12,154 of 1d", "01 Mar 2000 to 01 Mar 2013",
        "adjusted for splits and dividends",
        "bps, commission 5 bps of each fill, slippage 2 bps",
        "100,000.00", "CashPerSlot()", "VOLUME_UNLIMITED",
    ):
        assert part in text, part


def test_tables_lie_beside_the_page(tmp_path: pathlib.Path) -> None:
    result = five()
    path = result.report(str(tmp_path / "new" / "folder"))
    assert path == tmp_path / "new" / "folder" / "report.html"
    folder = path.parent
    assert sorted(one.name for one in folder.iterdir()) == [
        "equity.parquet", "fills.csv", "report.html", "stats.json", "strategy.toml", "trades.csv",
    ]
    trades = pd.read_csv(folder / "trades.csv", parse_dates=["entry_ts", "exit_ts"])
    pd.testing.assert_series_equal(trades["net_pnl"], result.trades["net_pnl"])
    assert list(trades.columns) == list(result.trades.columns)
    assert len(pd.read_csv(folder / "fills.csv")) == len(result.fills)
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "equity.parquet"), result.equity, check_freq=False)
    told = json.loads((folder / "stats.json").read_text())
    assert told["hash"] == result.hash and told["stats"] == result.stats
    assert wb.Strategy.from_toml(folder / "strategy.toml") == result.strategy


def test_R4_equal_results_give_equal_pages(tmp_path: pathlib.Path) -> None:
    strategy, bars = attacked().strategy, attacked().bars
    again = wb.backtest(strategy, bars, 1_000_000.0, wb.costs.zerodha_equity(2))
    assert again.hash == attacked().hash
    assert report.report_html(again) == report.report_html(attacked())


def test_months_compound_to_the_total() -> None:
    result = five()
    months, growth, years = report._months(result), 1.0, 1.0
    assert [row[0] for row in months] == [str(year) for year in range(2000, 2014)]
    for _, cells, (whole, _) in months:
        growth *= np.prod([1 + _number(text) for text, _ in cells if text])
        years *= 1 + _number(whole)
    # Two decimals of a percent each.
    assert growth == pytest.approx(1 + result.stats["total_return_frac"], rel=5e-3)
    assert years == pytest.approx(1 + result.stats["total_return_frac"], rel=1e-3)


def _number(text: str) -> float:
    return float(text.replace("−", "-").replace("\u202f%", "").replace(",", "")) / 100


def test_every_trade_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    result = five()
    shown = report._trades(result)
    assert len(shown["trades"]) == shown["n_trades"] == len(result.trades)
    first, trade = shown["trades"][0], result.trades.iloc[0]
    told = dict(zip((title for title, _ in shown["headings"]), first, strict=True))
    assert told["Instrument"][0] == trade["instrument"]
    assert told["Entry"][0] == f"{trade['entry_ts']:%Y-%m-%d}"
    assert float(told["Net P&L"][1]) == trade["net_pnl"]
    assert told["Net P&L"][2] == ("number loss" if trade["net_pnl"] < 0 else "number")
    monkeypatch.setattr(report, "SHOWN_TRADES", 10)
    text = Page(report.report_html(result)).text
    assert f"The first 10 of {len(result.trades):,}" in text


def test_open_trades_and_none_at_all_are_reported() -> None:
    bars = wb.samples.stock("AAPL")
    base = five().strategy.replace(instruments=("XNYS:AAPL",), exit=None, stop_loss_frac=None)
    held = wb.backtest(base.replace(entry="close > 0"), bars, 100_000.0)
    row = report._trades(held)["trades"][0]
    assert row[5][0] == "open" and row[6][0] == "–"
    nothing = wb.backtest(base.replace(entry="close < 0"), bars, 100_000.0)
    text = Page(report.report_html(nothing)).text
    assert "not a single trade" in text
    assert "–" in nothing._repr_html_()


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (-0.01234, "frac", "−1.23\u202f%"), (0.5, "frac", "50.00\u202f%"), (-1e-7, "frac", "0.00\u202f%"),
        (16.1669, "frac", "1,616.69\u202f%"), (-0.001, "money", "0.00"), (1234567.891, "money", "1,234,567.89"),
        (-3.0, "money", "−3.00"), (12000, "count", "12,000"), (220.0, "qty", "220"), (0.5, "qty", "0.5"),
        (None, "frac", "–"), (float("nan"), "money", "–"), ("AAPL", "text", "AAPL"), (3.14159, "ratio", "3.14"),
    ],
)
def test_numbers_are_written_in_their_unit(value: float | str | None, unit: str, text: str) -> None:
    assert formatted(value, unit) == text


@pytest.mark.parametrize(
    ("value", "tick", "text"),
    [
        (1131.6, 0.05, "1,131.60"), (1.23456, 0.00001, "1.23456"), (82.2122317, 0.01, "82.21"),
        (0.123456789, 0.0, "0.123456789"), (float("nan"), 0.01, "–"),
    ],
)
def test_N6_prices_have_the_decimals_of_their_tick(value: float, tick: float, text: str) -> None:
    assert price(value, tick) == text


def test_the_small_line_of_equity_stays_inside_its_frame() -> None:
    equity = 100.0 + np.cumsum(np.random.default_rng(1).standard_normal(5000))
    (points,) = re.findall(r"points='([^']*)'", sparkline(equity, 100.0))
    pairs = np.array([pair.split(",") for pair in points.split()], dtype=float)
    assert pairs[:, 0].min() == 0.0 and pairs[:, 0].max() == 640.0
    assert pairs[:, 1].min() == pytest.approx(3.0, abs=0.1) or equity.max() < 100.0
    assert ((pairs[:, 1] >= 3.0) & (pairs[:, 1] <= 69.0)).all()
    assert sparkline(equity[:1], 100.0) == ""
    assert "points" in sparkline(np.full(10, 100.0), 100.0)
