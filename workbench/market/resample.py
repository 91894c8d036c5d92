"""Coarser bars from base bars (rules B3, B4, B7): one kernel folds one base bar, the array form is the loop over it.

A coarser bar holds the base bars of its intervals inside one session. It is final when its last base *interval* has
closed, whether or not that one traded; an interval without any base bar yields no coarser bar; a bar that is
not final by the end of the grid does not exist.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.jit import njit
from workbench.market.grid import Buckets, Grid, buckets
from workbench.market.sessions import Int32, Int64
from workbench.market.timeframe import DAY_NS, MINUTE_NS, Timeframe
from workbench.schema import Leaf

Float64 = npt.NDArray[np.float64]

#: A coarser bar while it is being built; ``bars`` counts the base bars in it, 0 when there are none yet.
partial_dtype = np.dtype([("open", np.float64), ("high", np.float64), ("low", np.float64), ("close", np.float64),
                          ("volume", np.float64), ("bars", np.int64)], align=True)


class Arrays(NamedTuple):
    """Columns of bars as kernels take them: contiguous float64[n], to which nobody writes."""

    open: Float64
    high: Float64
    low: Float64
    close: Float64
    volume: Float64


@njit
def absorb(partial: Any, opens: float, high: float, low: float, close: float, volume: float) -> None:
    """Fold one base bar into a coarser bar.

    Parameters
    ----------
    partial : record of ``partial_dtype``
        Changed in place; with ``bars`` 0 it starts afresh.
    opens, high, low, close, volume : float
        The base bar.
    """
    if partial["bars"] == 0:
        partial["open"] = opens
        partial["high"] = high
        partial["low"] = low
        partial["volume"] = volume
    else:
        partial["high"] = max(partial["high"], high)
        partial["low"] = min(partial["low"], low)
        partial["volume"] += volume
    partial["close"] = close
    partial["bars"] += 1


@njit
def absorb_all(columns: Any, group: Any, partials: Any, out: Any) -> None:
    """Fold base bars into coarser bars, in order.

    Parameters
    ----------
    columns : tuple of five float64[n]
        Open, high, low, close, volume of the base bars.
    group : int32[n]
        Number of the coarser bar that each base bar belongs to, ascending; -1 for none.
    partials : record[1] of ``partial_dtype``
        Room for the running bar.
    out : float64[5, k]
        Open, high, low, close, volume of the coarser bars.
    """
    opens, high, low, close, volume = columns
    partial = partials[0]
    running = -1
    for i in range(len(group)):
        now = group[i]
        if now < 0:
            continue
        if now != running:
            partial["bars"] = 0
            running = now
        absorb(partial, opens[i], high[i], low[i], close[i], volume[i])
        out[0, now] = partial["open"]
        out[1, now] = partial["high"]
        out[2, now] = partial["low"]
        out[3, now] = partial["close"]
        out[4, now] = partial["volume"]


@njit
def gather(at: Any, bucket: Any, finals: Any, group: Any, closed_at: Any) -> int:
    """Number the coarser bars that exist: those with a base bar whose last interval closes inside the grid.

    Parameters
    ----------
    at : int32[n]
        Grid positions of the base bars.
    bucket : int32[m]
        Bucket of each grid interval.
    finals : int32[count]
        Grid interval that makes each bucket final, -1 for none.
    group : int32[n]
        Out: coarser bar of each base bar, -1 for none.
    closed_at : int32[n]
        Out: for each coarser bar, the interval whose close makes it final.

    Returns
    -------
    int
        Number of coarser bars.
    """
    count = 0
    running = -1
    for i in range(len(at)):
        now = bucket[at[i]]
        if now < 0 or finals[now] < 0:
            group[i] = -1
            continue
        if now != running:
            closed_at[count] = finals[now]
            count += 1
            running = now
        group[i] = count - 1
    return count


class Columns:
    """Bars of one timeframe as columns of what expressions read, computed when first asked for.

    Attributes
    ----------
    timeframe : Timeframe
        Of these bars.
    grid : Grid
        The base grid.
    n : int
        Number of bars.
    closed_at : int32[n]
        Grid interval whose close makes each bar final, ascending.
    """

    def __init__(self, timeframe: Timeframe, grid: Grid, bars: Arrays, closed_at: Int32,
                 group: Int32 | None) -> None:
        self.timeframe, self.grid, self.closed_at, self.n = timeframe, grid, closed_at, len(closed_at)
        self._bars, self._group = bars, group
        self._kept: dict[Leaf, Float64] = {}
        self._ts: Int64 | None = None

    @property
    def ts(self) -> Int64:
        """int64[n], ns UTC: the opening instant of each bar; for ``1d`` the 00:00 UTC label of its date (rule B1)."""
        if self._ts is None:
            grid, session = self.grid, self._session
            if self.timeframe.is_daily:
                self._ts = grid.sessions.date[session].astype(np.int64) * DAY_NS
            elif self._group is None:
                self._ts = grid.open_ns[self.closed_at]
            else:
                opens = grid.sessions.open_ns[session]
                length = self.timeframe.ns
                self._ts = opens + (grid.open_ns[self.closed_at] - opens) // length * length
        return self._ts

    @property
    def close_ns(self) -> Int64:
        """int64[n], ns UTC: the instant at which each bar is final."""
        return self.grid.close_ns[self.closed_at]

    @property
    def _session(self) -> Int32:
        return self.grid.session[self.closed_at]

    def leaf(self, leaf: Leaf) -> Float64:
        """One value a bar, float64[n]; see ``Leaf`` for units. Kept: the same array on every call."""
        if leaf not in self._kept:
            if leaf <= Leaf.VOLUME:
                self._kept |= self._prices()
            else:
                self._kept[leaf] = self._derived(leaf)
        return self._kept[leaf]

    def _prices(self) -> dict[Leaf, Float64]:
        base = (self._bars.open, self._bars.high, self._bars.low, self._bars.close, self._bars.volume)
        if self._group is None:
            return dict(zip(Leaf, base, strict=False))
        out = np.empty((5, self.n))
        absorb_all(base, self._group, np.zeros(1, partial_dtype), out)
        return dict(zip(Leaf, out, strict=False))

    def _derived(self, leaf: Leaf) -> Float64:
        sessions, session = self.grid.sessions, self._session
        if leaf == Leaf.SESSION:
            return sessions.date[session].astype(np.float64)
        if leaf == Leaf.DAY_OF_WEEK:  # 1970-01-01 was a Thursday, 4
            return ((sessions.date[session] + 3) % 7 + 1).astype(np.float64)
        if leaf == Leaf.MINUTES_SINCE_OPEN:
            return np.asarray((self.close_ns - sessions.open_ns[session]) / MINUTE_NS, np.float64)
        return np.asarray((sessions.close_ns[session] - self.close_ns) / MINUTE_NS, np.float64)


def resample(bars: Arrays, at: Int32, grid: Grid, grouping: Buckets) -> Columns:
    """Bars of a timeframe from base bars.

    Parameters
    ----------
    bars : Arrays
        Base bars.
    at : int32[n]
        ``grid.locate`` of their stamps, ascending and none -1.
    grid : Grid
        Base grid.
    grouping : Buckets
        From ``buckets(grid, timeframe)``. For the grid's own timeframe the columns are the base's own arrays.

    Returns
    -------
    Columns
        Values are known at ``closed_at``.
    """
    if grouping.timeframe == grid.timeframe:
        return Columns(grouping.timeframe, grid, bars, at, None)
    finals = np.full(grouping.count, -1, np.int32)
    last = np.flatnonzero(grouping.final)
    finals[grouping.bucket[last]] = last
    group, closed_at = np.empty(len(at), np.int32), np.empty(min(len(at), grouping.count), np.int32)
    count = gather(at, grouping.bucket, finals, group, closed_at)
    return Columns(grouping.timeframe, grid, bars, closed_at[:count].copy(), group)


def columns_of(bars: Any, timeframe: Timeframe | str, cut_at_proxy: bool = False) -> Columns:
    """Columns of one ``Bars`` in a timeframe that its own divides, on its own grid.

    Parameters
    ----------
    bars : Bars
        Base bars.
    timeframe : Timeframe or str
        The bars' own, or a coarser one.
    cut_at_proxy : bool
        Only with ``1d``: bars end at the proxy close (rule B4).

    Raises
    ------
    ConfigError
        The bars' timeframe does not divide the one asked for.
    """
    return resample(bars.arrays, bars.at, bars.grid, buckets(bars.grid, timeframe, cut_at_proxy))
