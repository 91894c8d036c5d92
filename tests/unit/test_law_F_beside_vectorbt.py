"""Where the fill model differs from vectorbt on purpose, each with its reason; and that otherwise the two agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.worked import ENTRY, EXIT, bars, fills, run


def vectorbt_fills(given: wb.Bars, slippage: float = 0.0, **fields: Any) -> list[tuple[str, float]]:
    """(side, price) of what vectorbt makes of the same signals, acting at the next open, ten units."""
    import vectorbt as vbt

    frame = given.frame.reset_index(drop=True)
    entries, exits = (wb.evaluate(text, given).to_numpy() == 1.0 for text in (ENTRY, EXIT))
    later = [pd.Series(np.append(False, signal[:-1])) for signal in (entries, exits)]
    portfolio = vbt.Portfolio.from_signals(
        frame["close"],
        *later,
        price=frame["open"],
        open=frame["open"],
        high=frame["high"],
        low=frame["low"],
        size=10,
        init_cash=100_000,
        slippage=slippage,
        **fields,
    )
    orders = portfolio.orders.records
    return [
        ("SELL" if side else "BUY", round(price, 9))
        for side, price in zip(orders["side"], orders["price"], strict=True)
    ]


def ours(given: wb.Bars, **fields: Any) -> list[tuple[str, float]]:
    """(side, price) of our fills."""
    return [(row[1], row[3]) for row in fills(run(given, **fields))]


def test_F1_without_stops_both_agree() -> None:
    given = bars("Mon \n 09:15 100 entry \n 09:20 101 103 99 102 exit \n 09:25 104 105 103 104 \n 09:30 104")
    assert ours(given) == vectorbt_fills(given) == [("BUY", 101.0), ("SELL", 104.0)]
    slipped = ours(given, costs=wb.costs.bps(0, 10))
    assert slipped == vectorbt_fills(given, slippage=0.001) == [("BUY", 101.101), ("SELL", 103.896)]


def test_F3_stops_are_tested_on_the_entry_bar_where_vectorbt_waits_a_bar() -> None:
    """We buy at the open, so the bar's whole range comes after the buy: a stop at the broker would have been hit.

    Ours sells at 95. vectorbt looks at stops from the next bar on, which stays above 95: it still holds.
    """
    given = bars("Mon \n 09:15 100 entry \n 09:20 100 101 90 97 \n 09:25 97 98 96 97")
    assert ours(given, stop_loss_frac=0.05) == [("BUY", 100.0), ("SELL", 95.0)]
    assert vectorbt_fills(given, sl_stop=0.05, stop_entry_price="FillPrice") == [("BUY", 100.0)]


def test_F5_slippage_applies_to_stops_where_vectorbt_fills_at_the_level() -> None:
    """A stop becomes a market order when it is touched, and pays what market orders pay.

    Bought at 100.1, stop 95.095 down to the tick 95.05, sold at 95.05 * 0.999. vectorbt's default sells at the level
    itself.
    """
    given = bars("Mon \n 09:15 100 entry \n 09:20 100 \n 09:25 99 99 90 97")
    assert ours(given, stop_loss_frac=0.05, costs=wb.costs.bps(0, 10)) == [("BUY", 100.1), ("SELL", 94.95495)]
    theirs = vectorbt_fills(given, slippage=0.001, sl_stop=0.05, stop_entry_price="FillPrice")
    assert theirs == [("BUY", 100.1), ("SELL", 95.095)]


@pytest.mark.parametrize("choice", ["stop", "target"])
def test_F5_a_bar_that_touches_both_is_a_setting_where_vectorbt_takes_the_stop(choice: str) -> None:
    given = bars("Mon \n 09:15 100 entry \n 09:20 100 \n 09:25 100 112 90 97")
    fields = {"stop_loss_frac": 0.05, "take_profit_frac": 0.1}
    price = {"stop": 95.0, "target": 110.0}[choice]
    assert ours(given, ambiguous_bar=choice, **fields)[1] == ("SELL", price)
    assert vectorbt_fills(given, sl_stop=0.05, tp_stop=0.1, stop_entry_price="FillPrice")[1] == ("SELL", 95.0)
