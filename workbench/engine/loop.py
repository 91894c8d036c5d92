"""The driver of research: the three functions over arrays of bars.

At each instant of the base grid, in this order: what fills inside the interval (``fill_interval``, each fill
through ``on_fill``), then ``on_base_close``, then ``step`` if a strategy bar is final. The live runner calls the
same functions for one instant.

The loop stops before an output buffer could overflow and says where; the caller grows the buffer and goes on.
Kernels never allocate.
"""

from __future__ import annotations

from workbench.engine.fills import fill_interval
from workbench.engine.on_base_close import on_base_close
from workbench.engine.records import Instant
from workbench.engine.step import step
from workbench.jit import inlined, njit

#: Most rows that one instrument can add to each buffer at one instant.
ACTIONS_PER_INSTANT = 16
FILLS_PER_INSTANT = 4
TRADES_PER_INSTANT = 3
DECISIONS_PER_INSTANT = 2
NOTES_PER_INSTANT = 1


@inlined
def room(desk):  # type: ignore[no-untyped-def]
    """Whether every output buffer can take one more instant."""
    account = desk.account[0]
    n = len(desk.positions)
    return (
        account["n_actions"] + ACTIONS_PER_INSTANT * n <= len(desk.actions)
        and account["n_fills"] + FILLS_PER_INSTANT * n <= len(desk.fills)
        and account["n_trades"] + TRADES_PER_INSTANT * n <= len(desk.trades)
        and account["n_decisions"] + DECISIONS_PER_INSTANT * n <= len(desk.decisions)
        and account["n_notes"] + NOTES_PER_INSTANT * n <= len(desk.notes)
    )


@inlined
def advance_instant(desk, market, i, signals, s):  # type: ignore[no-untyped-def]
    """One instant: fills, base close and, at a strategy close, ``step`` with row ``s`` of the signals; returns s."""
    fill_interval(desk, market, i)
    return close_instant(desk, market, i, signals, s)


@inlined
def close_instant(desk, market, i, signals, s):  # type: ignore[no-untyped-def]
    """What follows the fills of one instant: base close and, at a strategy close, ``step``; returns as above."""
    on_base_close(desk, market, i)
    if market.times.flags[i] & Instant.STRATEGY_CLOSE:
        step(desk, market, i, signals, s)
        return s + 1
    return s


@njit
def run(desk, market, signals, curve, i, s):  # type: ignore[no-untyped-def]
    """Advance from instant ``i`` and strategy close ``s`` until the data or a buffer ends.

    Parameters
    ----------
    desk : Desk
        State and output.
    market : Market
        Instants and bars, m of them.
    signals : Signals
        One row a strategy close.
    curve : Curve
        Written for each instant: cash, position value and whether a position is held, after its decisions.
    i, s : int
        Where to begin.

    Returns
    -------
    tuple of int
        The instant and the strategy close to go on from; the instant is m at the end.
    """
    account = desk.account[0]
    while i < len(market.times.flags) and room(desk):
        s = advance_instant(desk, market, i, signals, s)
        curve.cash[i] = account["cash"]
        curve.position_value[i] = account["position_value"]
        curve.held[i] = account["n_positions"] > 0
        i += 1
    return i, s
