"""The fills of a result as a vectorbt portfolio, for its analysis and its plots.

How it works: vectorbt keeps a portfolio as order records, and computes cash, value, trades and statistics from them.
The records are written here from our fills one by one, with the time, side, size, price and charges of each. Its own
``from_orders`` is not asked to trade them again: that takes one order a bar and instrument (an entry and its stop in
one bar, or a reversal, are two) and cuts what a cash balance below zero would buy (which rule S1 permits).

Invariants: the portfolio's value is our equity at every row of ``result.equity``, and its cash is our cash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from workbench.research.result import Result


def portfolio_from(result: Result) -> Any:
    """Hand the fills of a result to vectorbt.

    Parameters
    ----------
    result : Result
        Of one instrument, or of several that share their cash.

    Returns
    -------
    vectorbt.Portfolio
        Rows are those of ``result.equity`` (UTC, closing instants); a column an instrument, several in one group.
        A fill stands in the row of the bar it happened in; charges are its fees; closes are carried over gaps, as a
        position is marked at its last close (rule B7).

    Notes
    -----
    vectorbt annualises by calendar time, 365 days a year, and by rows; rule R3 by sessions. For annual figures
    that compare with ours, resample to sessions and name the year: ``portfolio.returns().vbt.returns(freq="1d",
    year_freq="252d")``.
    """
    import vectorbt
    from vectorbt.base.array_wrapper import ArrayWrapper
    from vectorbt.portfolio.enums import log_dt

    close = marks(result)
    shared = close.shape[1] > 1
    wrapped: pd.DataFrame | pd.Series[float] = close if shared else close.iloc[:, 0]
    frequency = "1d" if _timeframe(result).is_daily else pd.Timedelta(_timeframe(result).ns, unit="ns")
    return vectorbt.Portfolio(
        ArrayWrapper.from_obj(wrapped, freq=frequency, group_by=True if shared else None),
        wrapped,
        order_records(result),
        np.empty(0, log_dt),
        np.array([result.initial_cash]),
        shared,
    )


def marks(result: Result) -> pd.DataFrame:
    """Last close of each instrument at each row of equity, NaN before its first bar.

    Returns
    -------
    DataFrame
        float64, index that of ``result.equity``, a column an instrument.
    """
    rows = result.equity.index
    laid = {}
    for name, bars in result.bars.items():
        closed = bars.grid.close_ns[bars.at]
        last = np.searchsorted(closed, instants(rows), side="right") - 1
        laid[name] = np.where(last >= 0, bars.close[np.maximum(last, 0)], np.nan)
    return pd.DataFrame(laid, index=rows)


def order_records(result: Result) -> npt.NDArray[np.void]:
    """The fills as vectorbt's order records, in the order in which they happened.

    Returns
    -------
    record array of ``vectorbt.portfolio.enums.order_dt``
        ``idx`` is the row of the first close after the fill's instant, which is the close of its bar.
    """
    from vectorbt.portfolio.enums import OrderSide, order_dt

    fills, names = result.fills, list(result.bars)
    records = np.zeros(len(fills), order_dt)
    records["col"] = pd.Categorical(fills["instrument"], categories=names).codes
    at = instants(pd.DatetimeIndex(fills["ts"]))
    records["idx"] = np.searchsorted(instants(result.equity.index), at, side="right")
    records["size"], records["price"], records["fees"] = fills["qty"], fills["price"], fills["charges"]
    records["side"] = np.where(fills["side"] == "BUY", OrderSide.Buy, OrderSide.Sell)
    records["id"] = np.arange(len(records))
    return records


def instants(index: pd.Index) -> npt.NDArray[np.int64]:
    """int64[n]: nanoseconds since 1970-01-01 UTC of an index or column of UTC timestamps."""
    return pd.DatetimeIndex(index).as_unit("ns").asi8


def _timeframe(result: Result) -> Any:
    return next(iter(result.bars.values())).timeframe
