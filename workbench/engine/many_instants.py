"""One instant of many deployments in one call: what ``OneInstant.close`` does, for each of them in turn."""

from __future__ import annotations

import numpy as np

from workbench.addresses import array_at
from workbench.engine.one_instant import TABLE, close_at, market_at, signals_at
from workbench.engine.records import account_dtype
from workbench.jit import njit

ACCOUNT = account_dtype


@njit
def show(table, instant, flag, bars, rows, flags, numbers, mask):  # type: ignore[no-untyped-def]
    """Write an instant, its bars and what the expressions say where the engine reads them."""
    n = len(rows)
    market, signals = market_at(table, n), signals_at(table, n)
    times = market.times
    times.open_ns[0], times.close_ns[0], times.session[0], times.flags[0] = instant[0], instant[1], instant[2], flag
    for k in range(n):
        bar = bars[rows[k]]
        market.open[0, k], market.high[0, k], market.low[0, k], market.close[0, k] = bar[0], bar[1], bar[2], bar[3]
        signals.flags[0, k] = flags[k] & mask
        if len(signals.rank):
            signals.rank[0, k] = numbers[k, 0]
        if len(signals.atr):
            signals.atr[0, k] = numbers[k, 1]


@njit
def close_many(desks, which, instant, kinds, first, bars, rows, flags, numbers, masks, told):  # type: ignore[no-untyped-def]
    """Base close and, at a strategy close, the step, of many desks; fills were reported before.

    Parameters
    ----------
    desks : int64[n]
        Addresses of ``OneInstant.table``.
    which : int64[m]
        Numbers of the desks that close.
    instant : int64[3]
        Opening and closing instant of the interval, and its session.
    kinds : uint8[n]
        Bits of ``Instant`` by the hours of each strategy.
    first : int64[n + 1]
        Where the instruments of each desk begin in ``rows``, ``flags`` and ``numbers``.
    bars : float64[instruments, 5]
        Base bars of the instant; NaN where there is none.
    rows : int64[k]
        Row of ``bars`` of each instrument of each desk.
    flags : uint8[k], numbers : float64[k, 2]
        What the expressions say: bits of ``Signal``; rank and ATR.
    masks : uint8[n]
        Bits that each step may see.
    told : record[n] of ``told_dtype``
        Out, of those that closed: as ``OneInstant.close`` answers, rows written to any buffer, and the account.
    """
    for j in range(len(which)):
        i = which[j]
        a, b = first[i], first[i + 1]
        table = array_at(desks[i], (TABLE,), np.int64)
        show(table, instant, kinds[i], bars, rows[a:b], flags[a:b], numbers[a:b], masks[i])
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
