"""The kernels that run programs one closed bar at a time, and the alignment of coarser bars (rules B4, E7, E9).

Every node goes through the one ``update`` of the indicators, whether a single program is advanced or a thousand.
A missing value is NaN, a condition 1.0, 0.0 or NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.indicators.memory import Memory, cells
from workbench.indicators.ops import Op
from workbench.indicators.update import initialise, update
from workbench.jit import njit

Records = Any
Flags = npt.NDArray[np.uint8]
Ranges = npt.NDArray[np.int64]
Instants = npt.NDArray[np.int32]

_CONST, _LEAF, _ALIGN = int(Op.CONST), int(Op.LEAF), int(Op.ALIGN)


@njit
def prepare(nodes: Records, state: Memory, values: Memory, seen: Flags) -> None:
    """Set programs to the origin of history: no bar seen, every value missing.

    Parameters
    ----------
    nodes : record array[nodes]
        Of ``node_dtype``.
    state : float64[cells]
    values : float64[nodes]
    seen : uint8[nodes]
        All three are written to.
    """
    for i in range(nodes.shape[0]):
        p = nodes[i]["p"]
        initialise(int(nodes[i]["op"]), p[0], p[1], p[2], state, nodes[i]["state_off"])
        values[i] = np.nan
        seen[i] = 0


@njit
def _value(values: Memory, index: int) -> float:
    return values[index] if index >= 0 else np.nan


@njit
def _advance(
    nodes: Records, first: int, last: int, leaves: Memory, memory: Memory, values: Memory, seen: Flags
) -> None:
    for i in range(first, last):
        node = nodes[i]
        op = int(node["op"])
        p, args = node["p"], node["args"]
        if op == _CONST:
            value = p[0]
        elif op == _LEAF:
            value = leaves[int(p[0])]
        elif op == _ALIGN:
            value = values[args[0]]
        else:
            x0, x1 = _value(values, args[0]), _value(values, args[1])
            x2, x3 = _value(values, args[2]), _value(values, args[3])
            value = update(op, x0, x1, x2, x3, p[0], p[1], p[2], memory, node["state_off"])
        values[i] = value
        if node["is_call"] and value == value:
            seen[i] = 1


@njit
def advance(nodes: Records, first: int, last: int, leaves: Memory, state: Memory, values: Memory, seen: Flags) -> None:
    """Run one timeframe's nodes of one program for one closed bar.

    Coarser timeframes that close at the same instant are advanced before finer ones.

    Parameters
    ----------
    nodes : record array[nodes]
        Of ``node_dtype``.
    first, last : int
        The timeframe's nodes are ``first`` to ``last - 1``.
    leaves : float64[N_LEAVES]
        What the closed bar says, by ``Leaf``.
    state : float64[cells]
    values : float64[nodes]
    seen : uint8[nodes]
        Memory, latest values, and whether a call has had a value; advanced in place.
    """
    _advance(nodes, first, last, leaves, cells(state), values, seen)


@njit
def advance_all(nodes: Records, jobs: Ranges, leaves: Memory, state: Memory, values: Memory, seen: Flags) -> None:
    """``advance`` for many programs laid end to end.

    Parameters
    ----------
    nodes : record array[nodes]
        Of all programs, with absolute child and memory offsets (``batch.Batch``).
    jobs : int64[jobs, 3]
        One row a program with a closed bar: its first and last (exclusive) node, and its row of ``leaves``.
    leaves : float64[bars, N_LEAVES]
        The closed bars; one of an instrument serves all programs that read it.
    state : float64[cells]
    values : float64[nodes]
    seen : uint8[nodes]
        Of all programs; advanced in place.
    """
    memory = cells(state)
    for i in range(jobs.shape[0]):
        _advance(nodes, jobs[i, 0], jobs[i, 1], leaves[jobs[i, 2]], memory, values, seen)


@njit
def all_seen(seen: Flags, calls: Ranges) -> bool:
    """Whether every call has had a value: the program is warm (rule E7)."""
    missing = 0
    for i in range(calls.shape[0]):
        missing += seen[calls[i]] == 0
    return missing == 0


@njit
def align(coarse: Memory, coarse_closed_at: Instants, closed_at: Instants, out: Memory) -> None:
    """What each bar sees of a coarser timeframe: the value of its last bar that is final by then, or missing.

    Parameters
    ----------
    coarse : float64[m]
        Values of the coarser bars.
    coarse_closed_at : int32[m]
        Instants that make the coarser bars final, ascending.
    closed_at : int32[n]
        Instants that make the finer bars final, ascending.
    out : float64[n]
        Written to.
    """
    j = -1
    for i in range(closed_at.shape[0]):
        while j + 1 < coarse_closed_at.shape[0] and coarse_closed_at[j + 1] <= closed_at[i]:
            j += 1
        out[i] = coarse[j] if j >= 0 else np.nan


@njit
def first_value(values: Memory) -> int:
    """Index of the first value that is not missing; the length when there is none."""
    first = 0
    while first < len(values) and values[first] != values[first]:
        first += 1
    return first
