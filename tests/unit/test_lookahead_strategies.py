"""Expressions pass a check for look-ahead; an evaluation that is broken on purpose does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb

FIELDS = {"name": "checked", "version": "1.0.0", "instruments": ("NSE:A",), "calendar": "NSE", "product": "CNC"}


@pytest.fixture(scope="module")
def bars() -> wb.Bars:
    """A week of 5m bars."""
    return wb.samples.synthetic(seed=4, start="2024-01-08", end="2024-01-12")


def strategy(**fields: Any) -> wb.Strategy:
    """A strategy on two timeframes."""
    mixed = {
        "timeframe": "15m",
        "entry": "RSI(5) < 60 AND close > SMA(3, '1h')",
        "exit": "close CROSSES_BELOW SMA(5) OR BARS_SINCE(RSI(5) > 70) == 2",
    }
    return wb.Strategy(**{**FIELDS, **mixed, **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"timeframe": "5m", "entry": "EMA(3) > EMA(8)", "exit": "SUPERTREND_DIR(5, 2) < 0", "stop_loss_atr": 2.0},
        {"timeframe": "5m", "entry": "close > MAX2(SESSION_OPEN(), VWAP())", "exit": "close < LAG(LOWEST(low, 5), 1)"},
        {"timeframe": "1d", "execution": "proxy_close", "entry": "close > LAG(close, 1)", "exit": "close < open"},
        {"direction": "BOTH", "product": "MIS", "short_entry": "RSI(5) > 70", "short_exit": "RSI(5) < 50",
         "rank": "ROC(5)", "allocation": "RANKING"},
    ],
    ids=["two timeframes", "stops", "session", "proxy close", "both directions"],
)
def test_P2_expressions_pass_at_every_bar(fields: dict[str, Any], bars: wb.Bars) -> None:
    checked = strategy(**fields)
    answer = wb.lookahead_check(checked, bars)
    assert answer.passed, answer
    assert answer.complete and answer.compared > 100 and answer.n_values > 100
    assert answer.replaced > 16
    assert answer.name == "checked 1.0.0"


def test_P2_every_instrument_of_a_strategy_is_checked(bars: wb.Bars) -> None:
    other = wb.samples.synthetic(seed=5, start="2024-01-08", end="2024-01-10")
    both = strategy(instruments=("NSE:A", "NSE:B"))
    answer = wb.lookahead_check(both, {"NSE:A": bars, "NSE:B": other})
    # Three base bars make the first strategy bar.
    assert answer.passed and answer.compared == len(bars) + len(other) - 2 - 2 * 2


def test_B4_a_coarser_bar_that_is_seen_too_early_is_caught(bars: wb.Bars, monkeypatch: pytest.MonkeyPatch) -> None:
    def running_bar(values: Any, coarse_closed: Any, own_closed: Any, out: Any) -> None:
        """The bar that is still open instead of the last closed one."""
        at = np.searchsorted(coarse_closed, own_closed, side="left")
        out[:] = np.append(values, np.nan)[np.minimum(at, len(values))]

    monkeypatch.setattr("workbench.expressions.evaluate.align", running_bar)
    answer = wb.lookahead_check(strategy(), bars)
    assert not answer.passed
    assert answer.first is not None
    # The mean of three hours: the third hour of the first session, whose first 15m bar opens at 11:15 in Kolkata.
    assert answer.first.ts.tz_convert("Asia/Kolkata").strftime("%H:%M") == "11:15"
    assert any("ALIGN" in name for name in answer.differences["column"])


def test_P2_a_leak_behind_a_condition_that_never_holds_is_caught(
    bars: wb.Bars, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.expressions import evaluate

    real = evaluate.align

    def leaking(values: Any, coarse_closed: Any, own_closed: Any, out: Any) -> None:
        real(values, coarse_closed, own_closed, out)
        out[:-1] = out[1:]

    monkeypatch.setattr(evaluate, "align", leaking)
    silent = strategy(entry="close < 0 AND close > SMA(3, '1h')", exit="close < 0")
    answer = wb.lookahead_check(silent, bars)
    assert not answer.passed
    assert not {"entry", "exit"} & set(answer.differences["column"])
    assert any("never true" in note for note in answer.notes)


def test_an_evaluation_that_depends_on_the_length_is_caught(bars: wb.Bars, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.research.lookahead import probed

    real = probed.evaluate_arrays

    def measuring(program: Any, columns: Any) -> Any:
        found = real(program, columns)
        found.values["entry"][:] = len(found.values["entry"]) % 2
        return found

    monkeypatch.setattr(probed, "evaluate_arrays", measuring)
    answer = wb.lookahead_check(strategy(), bars)
    assert not answer.passed
    assert answer.first is not None and answer.first.column == "entry"


def test_bars_too_few_to_say_anything_are_not_passed(bars: wb.Bars) -> None:
    answer = wb.lookahead_check(strategy(entry="close > SMA(5000)", exit="close < SMA(5000)"), bars)
    assert not answer.passed
    assert answer.n_values == 0
    assert any("never warm" in note for note in answer.notes)


def test_bars_that_do_not_fit_the_strategy_are_refused(bars: wb.Bars) -> None:
    with pytest.raises(wb.StrategyError, match="cannot be built from"):
        wb.lookahead_check(strategy(timeframe="1m", entry="close > 1", exit="close < 1"), bars)
    with pytest.raises(wb.StrategyError, match="trades 2 instruments"):
        wb.lookahead_check(strategy(instruments=("NSE:A", "NSE:B")), bars)


@pytest.mark.parametrize(
    ("file", "rows", "entry"),
    [
        ("nse/RELIANCE_5m", 700, "RSI(14) < 40 AND close > EMA(10, '1h')"),
        ("nse/SBIN_15m", 500, "VOLUME_RATIO(10) > 1.5 AND close > SMA(3, '1d')"),
        ("us_daily/AAPL_1d", 600, "close > SMA(50)"),
    ],
)
def test_P2_expressions_pass_on_real_bars(file: str, rows: int, entry: str, real_bars: Any) -> None:
    whole = real_bars(file, repair="drop")
    part = whole.between(None, whole.index[rows - 1])
    exchange = whole.calendar.name
    own = {"instruments": (f"{exchange}:A",), "calendar": exchange, "timeframe": str(whole.timeframe)}
    checked = strategy(**own, entry=entry, exit="RSI(9) > 60")
    answer = wb.lookahead_check(checked, part)
    assert answer.passed, answer
    assert answer.complete and answer.compared == rows - 1
