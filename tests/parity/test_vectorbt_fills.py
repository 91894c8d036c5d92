"""vectorbt as an oracle: random strategies on real files, without stops, filling at the next open.

Both are told the same signals (``wb.evaluate``), moved by us to the row whose open fills them, because vectorbt has
no next bar of its own. Fills must agree to the last bit in bar, side, quantity and price; charges and equity to 1e-9
relative (the two add up in another order). Where rules differ: vectorbt fills a reversal as one order of twice the
quantity, we fill two; its signals cannot say that an entry and an exit which are true together mean the entry when
flat, so cases for ``from_signals`` keep them apart and ``from_orders`` takes all; nor does it know that an entry
waits no longer than the first interval of the next session (X1).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.parity.random_strategies import Case, Signals, Wishes, draw, epoch_ns, on_rows

#: File, first row, rows, strategy timeframe, coarser timeframes. A slice is chosen for its events, not for its gaps.
FILES = {
    "nse/SBIN_15m": (0, 2_500, "15m", ("1h", "1d")),
    "nse/ADANIENT_15m": (6_000, 2_500, "15m", ("1h",)),
    "nse/INFY_5m": (3_000, 2_500, "5m", ("15m", "1h")),
    "nse/RELIANCE_5m": (20_000, 4_000, "15m", ("1h",)),
    "nse/YESBANK_1m": (9_000, 2_500, "1m", ("5m", "15m")),
    "nse_daily/TATAMOTORS_1d": (0, 1_200, "1d", ()),
    "us/NVDA_1m": (0, 2_500, "1m", ("5m", "1h")),
    "us/AAPL_5m": (1_000, 2_500, "5m", ("1h",)),
    "us_daily/MSFT_1d": (500, 2_500, "1d", ()),
    "us_daily/K_1d": (0, 2_500, "1d", ()),
    "fx/EUR_USD_5m": (8_000, 2_500, "5m", ("15m", "1h")),
    "fx/EUR_USD_1h": (2_000, 2_500, "1h", ("1d",)),
}
CASES_PER_FILE = 20
INITIAL_CASH = 1e6


@dataclass(frozen=True)
class Ours:
    """One of our results beside its case."""

    case: Case
    result: wb.Result
    wishes: Wishes


class Run:
    """All cases of one file, run by us, and the arrays that vectorbt needs for the same."""

    def __init__(self, name: str, bars: wb.Bars, exclusive: bool) -> None:
        _, _, self.timeframe, coarser = FILES[name]
        self.bars, self.said = bars, Signals(bars, self.timeframe)
        rng = random.Random(f"{name} {exclusive}")
        folder, _, symbol = name.partition("/")
        exchange = {"nse": "NSE", "fx": "FX", "us": "XNYS"}[folder.split("_")[0]]
        self.all: list[Ours] = []
        for number in range(CASES_PER_FILE // 2):
            case = draw(rng, coarser, exclusive)
            strategy = case.strategy(
                f"random-{number}", f"{exchange}:{symbol.rpartition('_')[0]}", self.timeframe, exchange
            )
            result = wb.backtest(strategy, bars, initial_cash=INITIAL_CASH, costs=case.costs())
            self.all.append(Ours(case, result, Wishes.of(case, self.said)))

    def arguments(self) -> dict[str, Any]:
        """What ``from_orders`` and ``from_signals`` have in common; one column a case."""
        columns = range(len(self.all))
        wide = {
            name: pd.DataFrame(np.tile(getattr(self.bars, name)[:, None], len(columns)), columns=list(columns))
            for name in ("open", "close")
        }
        return {
            "close": wide["close"],
            "price": wide["open"],
            "init_cash": INITIAL_CASH,
            "freq": "1min",
            "fees": np.array([[one.case.commission_bps / 1e4 for one in self.all]]),
            "slippage": np.array([[one.case.slippage_bps / 1e4 for one in self.all]]),
        }

    def stacked(self, of: Any) -> Any:
        """One column a case of something with one row a bar."""
        return np.column_stack([of(one) for one in self.all])


@pytest.fixture
def sliced(real_frame: Any, nse: Any) -> Any:
    """Loader of the slice of a file that is compared."""

    def load(name: str) -> wb.Bars:
        first, count, _, _ = FILES[name]
        folder = name.split("/", maxsplit=1)[0]
        calendar = nse if folder.startswith("nse") else wb.resolve_calendar("FX" if folder == "fx" else "XNYS")
        frame = real_frame(name).iloc[first : first + count]
        return wb.Bars(frame, name.rpartition("_")[2], calendar, repair="drop")

    return load


def fills_by_bar(result: wb.Result, bars: wb.Bars) -> pd.DataFrame:
    """Our fills with the two of a reversal as one; row is that of the bar."""
    fills = result.fills
    stamps = pd.DatetimeIndex(fills["ts"])
    ns = epoch_ns(stamps.normalize() if bars.timeframe.is_daily else stamps)
    row = np.searchsorted(bars.ts_ns, ns)
    np.testing.assert_array_equal(bars.ts_ns[row], ns)
    table = pd.DataFrame(
        {"row": row, "side": fills["side"], "price": fills["price"], "qty": fills["qty"], "charges": fills["charges"]}
    )
    return table.groupby(["row", "side", "price"], sort=False, as_index=False).sum()


def check_against(portfolio: Any, run: Run) -> tuple[int, float]:
    """Fills equal to the last bit, charges and equity to 1e-9; the number of fills and the worst error of equity."""
    records, values = portfolio.orders.records, portfolio.value().to_numpy()
    total, worst = 0, 0.0
    for column, one in enumerate(run.all):
        theirs = records[records["col"] == column]
        ours = fills_by_bar(one.result, run.bars)
        where = f"{one.case}"
        np.testing.assert_array_equal(ours["row"], theirs["idx"], err_msg=where)
        np.testing.assert_array_equal(ours["side"] == "SELL", theirs["side"] == 1, err_msg=where)
        np.testing.assert_array_equal(ours["qty"], theirs["size"], err_msg=where)
        np.testing.assert_array_equal(ours["price"], theirs["price"], err_msg=where)
        np.testing.assert_allclose(ours["charges"], theirs["fees"], rtol=1e-9, err_msg=where)
        equity = one.result.equity["equity"].to_numpy()
        np.testing.assert_allclose(equity, values[:, column], rtol=1e-9, err_msg=where)
        total, worst = total + len(theirs), max(worst, float(np.max(np.abs(equity / values[:, column] - 1))))
    return total, worst


@pytest.mark.parametrize("name", FILES)
def test_X1_F1_S5_fills_and_equity_are_those_of_vectorbt_from_orders(name: str, sliced: Any) -> None:
    import vectorbt as vbt

    run = Run(name, sliced(name), exclusive=False)
    rows = len(run.bars)
    size = run.stacked(lambda one: one.wishes.orders(one.case.qty, run.said.fill_row, rows))
    portfolio = vbt.Portfolio.from_orders(size=size, direction="both", **run.arguments())
    fills, worst = check_against(portfolio, run)
    print(f"\n{name}: from_orders, {len(run.all)} strategies, {fills} fills, equity within {worst:.1e}")
    assert fills > 100, "too few fills to prove anything"


@pytest.mark.parametrize("name", FILES)
def test_X1_D6_fills_and_equity_are_those_of_vectorbt_from_signals(name: str, sliced: Any) -> None:
    import vectorbt as vbt

    run = Run(name, sliced(name), exclusive=True)
    rows, at = len(run.bars), run.said.fill_row
    signals = {
        theirs: run.stacked(lambda one, ours=ours: on_rows(getattr(one.wishes, ours), at, rows))
        for theirs, ours in (
            ("entries", "enter_long"),
            ("exits", "leave_long"),
            ("short_entries", "enter_short"),
            ("short_exits", "leave_short"),
        )
    }
    size = np.array([[one.case.qty for one in run.all]])
    portfolio = vbt.Portfolio.from_signals(size=size, upon_opposite_entry="reverse", **signals, **run.arguments())
    fills, worst = check_against(portfolio, run)
    print(f"\n{name}: from_signals, {len(run.all)} strategies, {fills} fills, equity within {worst:.1e}")
    assert fills > 100, "too few fills to prove anything"


def test_at_least_two_hundred_strategies_are_compared() -> None:
    assert len(FILES) * CASES_PER_FILE >= 200


def test_the_comparison_with_vectorbt_sees_one_lost_bar(sliced: Any) -> None:
    import vectorbt as vbt

    run = Run("nse/SBIN_15m", sliced("nse/SBIN_15m"), exclusive=False)
    rows = len(run.bars)
    size = run.stacked(lambda one: one.wishes.orders(one.case.qty, run.said.fill_row + 1, rows))
    portfolio = vbt.Portfolio.from_orders(size=size, direction="both", **run.arguments())
    with pytest.raises(AssertionError, match="Arrays are not equal"):
        check_against(portfolio, run)
