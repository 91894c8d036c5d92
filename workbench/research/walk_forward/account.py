"""One account through all test windows: each begins with the money that the one before left.

A position that is open at the end of a window is not the next strategy's: it is sold (a short bought back) at its last
close, with slippage and charges as for a fill, and the money goes on. The last window ends with the data, as any
backtest does (F9).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.engine.records import Records, trade_dtype
from workbench.research.curve import EquityRows
from workbench.research.frames import order_id, trades_frame, utc
from workbench.research.result import Result
from workbench.research.stats import Statistic, statistics

#: Why a trade ended, and the kind of the fill that ended it, where it was a window's end.
REASON, KIND = "WINDOW_END", "close"

FILL_COLUMNS = ("ts", "instrument", "side", "qty", "price", "charges", "reason", "kind", "order_id")


class Part(NamedTuple):
    """The account over one test window.

    Attributes
    ----------
    ts_close : DatetimeIndex
        Of its rows of equity.
    rows : EquityRows
        The account at each.
    position_value : float64[n]
        Money in positions at each.
    trades, fills : DataFrame
        With the columns of N5.
    """

    ts_close: pd.DatetimeIndex
    rows: EquityRows
    position_value: npt.NDArray[np.float64]
    trades: pd.DataFrame
    fills: pd.DataFrame

    @property
    def equity_left(self) -> float:
        """Money at the end."""
        return float(self.rows.equity[-1])

    def statistic(self, name: str) -> Statistic:
        """One of R3, over this window alone; undefined where it began without money."""
        if self.rows.equity[0] <= 0.0 and not len(self.trades):
            return None
        return statistics(self.rows, self.trades, self.fills)[name]


def traded(result: Result, goes_on: bool) -> Part:
    """The account of a backtest over one test window.

    Parameters
    ----------
    result : Result
        From the window's first session to its last.
    goes_on : bool
        Whether another window follows, so that open positions are closed.
    """
    rows = result._rows  # noqa: SLF001 (what the statistics of a result are made of; its tables do not hold all of it)
    days, numbers = np.unique(rows.dates[rows.session], return_inverse=True)
    rows = EquityRows(
        rows.equity.copy(), rows.cash.copy(), rows.in_position.copy(), numbers.astype(np.int32), days,
        rows.initial_cash, rows.sessions_per_year,
    )  # fmt: skip
    ts_close = pd.DatetimeIndex(result.equity.index)
    part = Part(ts_close, rows, np.array(result.equity["position_value"]), result.trades, result.fills)
    return _closed(result, part) if goes_on and result.trades["is_open"].any() else part


def idle(close_ns: npt.NDArray[np.int64], days: npt.NDArray[np.int32], cash: float, sessions_per_year: float) -> Part:
    """An account that stays in cash, or in debt.

    Parameters
    ----------
    close_ns : int64[n]
        Closes of the base intervals in which something has a bar.
    days : int32[n]
        Days since 1970-01-01 of their sessions.
    cash : float
        Money.
    sessions_per_year : float
        Of the calendar.
    """
    n = len(close_ns)
    dates, numbers = np.unique(days, return_inverse=True)
    money = np.full(n, cash)
    # Nothing is measured against a debt: of such a window no statistic is asked.
    began = cash if cash > 0.0 else 1.0
    rows = EquityRows(money, money, np.zeros(n, np.bool_), numbers.astype(np.int32), dates, began, sessions_per_year)
    return Part(utc(close_ns).rename("ts_close"), rows, np.zeros(n), NO_TRADES, NO_FILLS)


def _closed(result: Result, part: Part) -> Part:
    """The same window with what is open closed at its last close; changes the last row of equity in place."""
    rows, trades, ts = part.rows, part.trades.copy(), part.ts_close[-1]
    positions, session = _positions(result)
    fills, cash = [], float(rows.cash[-1])
    for at in np.flatnonzero(trades["is_open"]).tolist():
        trade = trades.iloc[at]
        name = str(trade["instrument"])
        position = positions[list(result.bars).index(name)]
        fill = _fill(result, name, position, ts, bool(position["entry_session"] == session))
        fills.append(fill)
        cash += float(np.sign(position["qty"])) * fill["qty"] * fill["price"] - fill["charges"]
        for column, value in _ended(trade, position, fill).items():
            trades.loc[at, column] = value
    rows.cash[-1] = rows.equity[-1] = cash
    rows.in_position[-1], part.position_value[-1] = False, 0.0
    return part._replace(trades=trades, fills=_joined([part.fills, pd.DataFrame(fills)], NO_FILLS))


def _fill(result: Result, name: str, position: np.void, ts: pd.Timestamp, same_session: bool) -> dict[str, Any]:
    """The fill that closes a position at its mark, with slippage against the trader (as F1) and charges (F10)."""
    strategy, costs, qty = result.strategy, result.costs, float(position["qty"])
    side = "SELL" if qty > 0.0 else "BUY"
    price = float(position["mark"]) * (1.0 - float(np.sign(qty)) * costs.slippage_frac)
    charges = costs.charges(name, strategy.product, side, abs(qty), price, ts.to_pydatetime(), same_session).total
    identity = order_id(strategy.hash, name, ts.value, KIND, REASON)
    return dict(zip(FILL_COLUMNS, (ts, name, side, abs(qty), price, charges, REASON, KIND, identity), strict=True))


def _ended(trade: pd.Series[Any], position: np.void, fill: Mapping[str, Any]) -> dict[str, Any]:
    """What an open trade becomes by the fill that ends it (R1)."""
    direction, qty, price, entry = float(np.sign(position["qty"])), fill["qty"], fill["price"], position["entry_price"]
    gross, charges = direction * qty * (price - entry), float(position["entry_charges"]) + fill["charges"]
    net, risk = gross - charges, abs(entry - position["first_level"]) * qty
    moved = direction * (price - entry) / entry
    return {
        "exit_ts": fill["ts"], "exit_price": price, "exit_reason": REASON, "gross_pnl": gross, "charges": charges,
        "net_pnl": net, "return_frac": net / (entry * qty), "r_multiple": net / risk if risk > 0 else np.nan,
        "mae_frac": min(trade["mae_frac"], moved), "mfe_frac": max(trade["mfe_frac"], moved), "is_open": False,
    }  # fmt: skip


def _positions(result: Result) -> tuple[Records, int]:
    """Where the engine stood after the last instant, and the number of that instant's session."""
    run = result._run  # noqa: SLF001 (the mark and the first level of a position are in no table)
    return run.desk.positions, int(run.session[-1])


class Account(NamedTuple):
    """All windows together; attributes as in ``Part``, ``equity`` with the columns of N5."""

    equity: pd.DataFrame
    rows: EquityRows
    trades: pd.DataFrame
    fills: pd.DataFrame


def stitched(parts: Sequence[Part], initial_cash: float) -> Account:
    """The windows as one account, in the order of time."""
    days = np.concatenate([part.rows.dates[part.rows.session] for part in parts])
    dates, numbers = np.unique(days, return_inverse=True)
    equity, cash, held = (
        np.concatenate([getattr(part.rows, name) for part in parts]) for name in ("equity", "cash", "in_position")
    )
    year = parts[0].rows.sessions_per_year
    rows = EquityRows(equity, cash, held, numbers.astype(np.int32), dates, initial_cash, year)
    index = parts[0].ts_close.append([part.ts_close for part in parts[1:]]).rename("ts_close")
    table = pd.DataFrame(
        {
            "cash": cash,
            "position_value": np.concatenate([part.position_value for part in parts]),
            "equity": equity,
            "drawdown_frac": rows.drawdown_frac,
        },
        index=index,
    )
    trades = _joined([part.trades for part in parts], NO_TRADES)
    return Account(table, rows, trades, _joined([part.fills for part in parts], NO_FILLS))


def _joined(tables: Sequence[pd.DataFrame], empty: pd.DataFrame) -> pd.DataFrame:
    some = [table for table in tables if len(table)]
    return pd.concat(some, ignore_index=True) if some else empty.copy()


NO_TRADES = trades_frame(np.zeros(0, trade_dtype), ())
NO_FILLS = pd.DataFrame({
    name: pd.Series(dtype=kind)
    for name, kind in zip(
        FILL_COLUMNS, ("datetime64[ns, UTC]", "str", "str", "f8", "f8", "f8", "str", "str", "str"), strict=True
    )
})  # fmt: skip
