"""Bars that need no download: real daily ones from bokeh_sampledata, and an intraday series that is made up.

The real ones are unadjusted in the package, which ships an adjusted close: open, high, low and close are multiplied by
``Adj Close / Close``, and the basis says so (rule B9). The made-up ones are labelled ``synthetic``: they are there to
try a thing out, never to judge a strategy.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from workbench.errors import ConfigError
from workbench.market.bars import Bars
from workbench.market.calendar import resolve_calendar
from workbench.market.checks import Float64
from workbench.market.columns import bare
from workbench.market.grid import Grid, build_grid
from workbench.market.sessions import Int64, day_number
from workbench.market.timeframe import DAY_NS, Timeframe

STOCKS = ("AAPL", "IBM", "MSFT", "GOOG", "FB")

ADJUSTED = "adjusted for splits and dividends by adjusted close / close (bokeh_sampledata)"
SYNTHETIC = "synthetic"


def stock(symbol: str) -> Bars:
    """Daily bars of a US stock, up to 2013-03-01.

    Parameters
    ----------
    symbol : str
        AAPL, IBM, MSFT, GOOG or FB.

    Returns
    -------
    Bars
        ``1d`` on XNYS; basis ``ADJUSTED``, or ``"as supplied"`` where the package ships no adjusted close. Rows that
        do not pass rule B6 are dropped and listed in ``report``.

    Raises
    ------
    ConfigError
        Another symbol.
    """
    if symbol not in STOCKS:
        raise ConfigError(f"there is no sample of {symbol!r}. There are {', '.join(STOCKS)}.")
    from bokeh_sampledata import stocks

    table = pd.DataFrame(getattr(stocks, symbol))
    table.columns = pd.Index([bare(name) for name in table.columns])
    table.index = pd.DatetimeIndex(pd.to_datetime(table["date"]), tz="UTC", name="ts")
    basis = "as supplied (bokeh_sampledata)"
    if "adjclose" in table:
        factor = table["adjclose"] / table["close"]
        for name in ("open", "high", "low", "close"):
            table[name] *= factor
        basis = ADJUSTED
    return Bars(table[["open", "high", "low", "close", "volume"]], "1d", "XNYS", basis, repair="drop")


def stocks() -> dict[str, Bars]:
    """All five, by instrument: ``{"XNYS:AAPL": Bars, ...}``."""
    return {f"XNYS:{symbol}": stock(symbol) for symbol in STOCKS}


def synthetic(seed: int = 1, start: str | dt.date = "2023-01-01", end: str | dt.date = "2023-12-31",
              timeframe: str | Timeframe = "5m", calendar: str = "NSE") -> Bars:
    """An intraday series like an NSE share's, made up.

    Overnight gaps, volatility and volume that are high at the open and the close, slowly changing volatility, prices
    on a tick of 0.05, no drift: nothing in it can be predicted from its past.

    Parameters
    ----------
    seed : int
        Equal seeds give equal bars.
    start, end : date
        First and last session, both inclusive.
    timeframe, calendar
        Of the bars.

    Returns
    -------
    Bars
        Basis ``"synthetic"``.
    """
    timeframe, exchange = Timeframe.parse(timeframe), resolve_calendar(calendar)
    first, last = day_number(start), day_number(end)
    sessions = exchange.table(first, last)
    if not len(sessions):
        raise ConfigError(f"{exchange.name} has no session from {start} to {end}.")
    low_ns = first * DAY_NS if timeframe.is_daily else int(sessions.open_ns[0])
    high_ns = last * DAY_NS if timeframe.is_daily else int(sessions.close_ns[-1]) - 1
    grid = build_grid(exchange, timeframe, low_ns, high_ns)
    size, draw = len(grid), np.random.default_rng(seed)
    opening = np.r_[True, grid.session[1:] != grid.session[:-1]]
    length = (grid.sessions.close_ns - grid.sessions.open_ns)[grid.session]
    phase = (grid.open_ns - grid.sessions.open_ns[grid.session]) / length
    smile = 0.7 + 2.4 * (phase - 0.5) ** 2  # busy at both ends of the session
    regime = np.exp(0.25 * _slow(draw.standard_normal(len(grid.sessions)), 0.95))[grid.session]
    minutes = 375.0 if timeframe.is_daily else timeframe.minutes
    sigma = 0.012 * np.sqrt(minutes / 375.0) * smile * regime
    inside = sigma * draw.standard_normal(size)
    overnight = np.where(opening, 0.006 * draw.standard_normal(size), 0.0)
    path = np.cumsum(inside + overnight - 0.5 * sigma**2)
    close = 1000.0 * np.exp(path)
    opens = 1000.0 * np.exp(path - inside)
    reach = np.abs(draw.standard_normal((2, size))) * sigma * 0.6
    rounded = [_ticks(prices) for prices in (opens, np.maximum(opens, close) * (1 + reach[0]),
                                             np.minimum(opens, close) * (1 - reach[1]), close)]
    opens, high, low, close = rounded
    volume = np.floor(20_000 * smile * regime * minutes / 5.0 * draw.lognormal(0.0, 0.5, size))
    frame = pd.DataFrame({
        "open": opens, "high": np.maximum(high, np.maximum(opens, close)),
        "low": np.minimum(low, np.minimum(opens, close)), "close": close, "volume": volume,
    }, index=pd.DatetimeIndex(stamps(grid), tz="UTC", name="ts"))
    return Bars(frame, timeframe, exchange, SYNTHETIC)


def stamps(grid: Grid) -> Int64:
    """Stamps of bars in every interval of a grid."""
    if grid.timeframe.is_daily:
        return grid.sessions.date.astype(np.int64) * DAY_NS
    return grid.open_ns


def _ticks(prices: Float64) -> Float64:
    """Prices on a tick of 0.05, with two decimals exactly."""
    return np.asarray(np.round(np.maximum(np.round(prices / 0.05), 1.0) * 0.05, 2))


def _slow(noise: Float64, memory: float) -> Float64:
    """First-order autoregression with unit innovations."""
    out = np.empty_like(noise)
    last = 0.0
    for i, shock in enumerate(noise):
        last = memory * last + shock
        out[i] = last
    return out
