"""One instant of one instrument, as kernels: base bar in, values of programs out (rules B3, B4, B7, E9).

``pass_instant`` is what happens at an instant; ``feed_many`` is the same for many instruments of many deployments in
one call, which is how a live runner does it.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from workbench.addresses import array_at
from workbench.expressions.kernels import advance_all, all_seen
from workbench.expressions.program import node_dtype
from workbench.jit import njit
from workbench.market.resample import absorb, partial_dtype
from workbench.schema import N_LEAVES, Leaf, Signal

#: Where an interval stands in a coarser bar.
OUTSIDE, INSIDE, LAST = 0, 1, 2

FIRST_OF_SESSION: Final = int(Leaf.SESSION)
_N_LEAVES: Final = N_LEAVES
_N_SESSION: Final = N_LEAVES - FIRST_OF_SESSION
_BAR: Final = int(Signal.BAR)
_BAR_WARM: Final = int(Signal.BAR | Signal.WARM)
#: Integers in ``Stepper.table``, and numbers that may be watched.
TABLE: Final = 30
NUMBERS: Final = 2

NODE, PARTIAL = node_dtype, partial_dtype


@njit
def observe(partials: Any, place: Any, bar: Any, is_bar: bool, session: Any, leaves: Any, closed: Any) -> None:
    """Fold one instant into the bars of every timeframe.

    Parameters
    ----------
    partials : record[timeframes] of ``partial_dtype``
        The running bars; changed in place.
    place : uint8[timeframes]
        Where this interval stands in a bar of each timeframe: ``OUTSIDE`` (after a proxy cut), ``INSIDE``, or
        ``LAST``, which makes it final.
    bar : float64[5]
        Open, high, low, close, volume of the base bar.
    is_bar : bool
        Whether there is one.
    session : float64[4]
        What the instant says of its session: ``Leaf.SESSION`` and the leaves after it.
    leaves : float64[timeframes, N_LEAVES]
        Out: the bars that closed.
    closed : bool[timeframes]
        Out: whether a bar of each timeframe closed.
    """
    first = leaves.shape[1] - session.shape[0]
    for k in range(partials.shape[0]):
        partial = partials[k]
        if is_bar and place[k] != OUTSIDE:
            absorb(partial, bar[0], bar[1], bar[2], bar[3], bar[4])
        closed[k] = place[k] == LAST and partial["bars"] > 0
        if closed[k]:
            leaves[k, 0], leaves[k, 1], leaves[k, 2] = partial["open"], partial["high"], partial["low"]
            leaves[k, 3], leaves[k, 4] = partial["close"], partial["volume"]
            for i in range(session.shape[0]):
                leaves[k, first + i] = session[i]
            partial["bars"] = 0


class Fed(NamedTuple):
    """Everything that one instant of one instrument reads and changes; arrays that stay where they are.

    Attributes
    ----------
    nodes, state, values, seen : arrays
        Of the programs laid end to end (``batch.Batch``).
    partials, leaves, closed : arrays
        The running bar, the last closed bar, and whether one closed now, of each timeframe.
    place : uint8[instants, timeframes], session : float64[instants, 4]
        What the grid says of every instant.
    jobs : int64[jobs, 3], job_off : int64[timeframes + 1]
        What ``advance`` does when a bar of a timeframe closes.
    calls : int64[calls], roots : int64[roots, 2], numbers : int64[numbers]
        What is told of the first program: calls that must have had a value, nodes of conditions with their bits, nodes
        of numbers.
    own : int64[1]
        The timeframe at whose closes that is told; -1 if it is never told.
    """

    nodes: Any
    state: Any
    values: Any
    seen: Any
    partials: Any
    leaves: Any
    closed: Any
    place: Any
    session: Any
    jobs: Any
    job_off: Any
    calls: Any
    roots: Any
    numbers: Any
    own: Any


@njit
def pass_instant(fed: Any, at: int, bar: Any, is_bar: bool) -> None:
    """Let instant ``at`` of the grid pass, with the base bar that closes at it or without one."""
    observe(fed.partials, fed.place[at], bar, is_bar, fed.session[at], fed.leaves, fed.closed)
    for k in range(fed.closed.shape[0]):
        if fed.closed[k]:
            jobs = fed.jobs[fed.job_off[k] : fed.job_off[k + 1]]
            advance_all(fed.nodes, jobs, fed.leaves, fed.state, fed.values, fed.seen)


@njit
def signal_bits(fed: Any) -> int:
    """Bits of ``Signal`` after an instant: 0 unless a bar of the strategy's own timeframe closed at it."""
    if fed.own[0] < 0 or not fed.closed[fed.own[0]]:
        return 0
    bits = _BAR_WARM if all_seen(fed.seen, fed.calls) else _BAR
    for r in range(fed.roots.shape[0]):
        if fed.values[fed.roots[r, 0]] == 1.0:
            bits |= fed.roots[r, 1]
    return bits


@njit
def fed_at(table: Any) -> Any:
    """The arrays whose addresses and lengths are in a table, in the order of ``Fed``."""
    t = table[9]
    return Fed(
        array_at(table[0], (table[1],), NODE),
        array_at(table[2], (table[3],), np.float64),
        array_at(table[4], (table[5],), np.float64),
        array_at(table[6], (table[7],), np.uint8),
        array_at(table[8], (t,), PARTIAL),
        array_at(table[10], (t, _N_LEAVES), np.float64),
        array_at(table[12], (t,), np.bool_),
        array_at(table[14], (table[15], t), np.uint8),
        array_at(table[16], (table[17], _N_SESSION), np.float64),
        array_at(table[18], (table[19], 3), np.int64),
        array_at(table[20], (table[21],), np.int64),
        array_at(table[22], (table[23],), np.int64),
        array_at(table[24], (table[25], 2), np.int64),
        array_at(table[26], (table[27],), np.int64),
        array_at(table[28], (table[29],), np.int64),
    )


@njit
def feed_many(tables: Any, at: int, bars: Any, which: Any, flags: Any, numbers: Any) -> None:
    """One instant of many instruments of many deployments.

    Parameters
    ----------
    tables : int64[k]
        Addresses of ``Stepper.table``, each of a stepper on the same grid.
    at : int
        The instant.
    bars : float64[instruments, 5]
        Its base bars; NaN where an instrument has none.
    which : int64[k]
        Row of ``bars`` that each stepper sees.
    flags : uint8[k]
        Out: bits of ``Signal``, as ``Stepper.watch`` said; 0 where no bar of the strategy's own timeframe closed.
    numbers : float64[k, 2]
        Out: the numbers that it asked for, NaN where no such bar closed.
    """
    for i in range(tables.shape[0]):
        fed = fed_at(array_at(tables[i], (TABLE,), np.int64))
        bar = bars[which[i]]
        pass_instant(fed, at, bar, not np.isnan(bar[3]))
        bits = signal_bits(fed)
        flags[i] = bits
        for r in range(fed.numbers.shape[0]):
            node = fed.numbers[r]
            numbers[i, r] = fed.values[node] if bits and node >= 0 else np.nan
