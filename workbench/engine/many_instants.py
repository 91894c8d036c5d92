"""One instant of many deployments in one call: what ``OneInstant.close`` does, for each of them in turn."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from workbench.addresses import array_at
from workbench.engine.one_instant import TABLE, close_at, market_at, signals_at
from workbench.engine.records import account_dtype
from workbench.jit import njit

ACCOUNT = account_dtype


class Group(NamedTuple):
    """Desks that move together.

    Attributes
    ----------
    desks : int64[n]
        Addresses of ``OneInstant.table``.
    first : int64[n + 1]
        Where the instruments of each desk begin in ``rows``.
    rows : int64[k]
        Row of ``Shown.bars`` of each instrument of each desk.
    """

    desks: Any
    first: Any
    rows: Any


class Shown(NamedTuple):
    """What an instant brings.

    Attributes
    ----------
    instant : int64[3]
        Opening and closing instant of the interval, and its session.
    bars : float64[instruments, 5]
        Base bars; NaN where there is none.
    flags : uint8[k]
        What the expressions say: bits of ``Signal``, in the order of ``Group.rows``.
    numbers : float64[k, 2]
        Rank and ATR.
    """

    instant: Any
    bars: Any
    flags: Any
    numbers: Any


@njit
def show(table, group, i, shown, kind, mask):  # type: ignore[no-untyped-def]
    """Write an instant, its bars and what the expressions say where the engine reads them, for desk ``i``."""
    first = group.first[i]
    n = group.first[i + 1] - first
    market, signals = market_at(table, n), signals_at(table, n)
    times = market.times
    times.open_ns[0], times.close_ns[0], times.session[0] = shown.instant[0], shown.instant[1], shown.instant[2]
    times.flags[0] = kind
    for k in range(n):
        bar = shown.bars[group.rows[first + k]]
        market.open[0, k], market.high[0, k], market.low[0, k], market.close[0, k] = bar[0], bar[1], bar[2], bar[3]
        signals.flags[0, k] = shown.flags[first + k] & mask
        if len(signals.rank):
            signals.rank[0, k] = shown.numbers[first + k, 0]
        if len(signals.atr):
            signals.atr[0, k] = shown.numbers[first + k, 1]


@njit
def close_many(group, which, shown, kinds, masks, told):  # type: ignore[no-untyped-def]
    """Base close and, at a strategy close, the step, of many desks; fills were reported before.

    Parameters
    ----------
    group : Group
        The desks.
    which : int64[m]
        Numbers of those that close.
    shown : Shown
        What the instant brings.
    kinds : uint8[n]
        Bits of ``Instant`` by the hours of each strategy.
    masks : uint8[n]
        Bits of ``Signal`` that each step may see.
    told : record[n] of ``told_dtype``
        Out, of those that closed: as ``OneInstant.close`` answers, rows written to any buffer, and the account.
    """
    for j in range(len(which)):
        i = which[j]
        table = array_at(group.desks[i], (TABLE,), np.int64)
        show(table, group, i, shown, kinds[i], masks[i])
        out = told[i]
        out["answer"] = close_at(table)
        account = array_at(table[6], (1,), ACCOUNT)[0]
        out["cash"], out["position_value"] = account["cash"], account["position_value"]
        out["n_positions"] = account["n_positions"]
        out["written"] = (
            account["n_actions"] + account["n_fills"] + account["n_trades"] + account["n_decisions"]
            + account["n_notes"]
        )  # fmt: skip


told_dtype = np.dtype(
    [
        ("answer", np.int64),
        ("written", np.int64),
        ("n_positions", np.int64),
        ("cash", np.float64),
        ("position_value", np.float64),
    ]
)
