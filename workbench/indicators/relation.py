"""How two numbers stand to each other (rule E5), and what comparisons and crossings make of it.

A relation is one byte, so that a column of them is an eighth of a column of numbers, and all comparisons of the same
two numbers are read from one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.indicators.memory import Memory
from workbench.indicators.ops import Op
from workbench.jit import inlined, njit
from workbench.tolerance import equal, less

Bytes = npt.NDArray[np.uint8]

#: Relations of a to b; 0 when one of them is missing.
BELOW, EQUAL, ABOVE = 1, 2, 4


@inlined
def relation(a, b):  # type: ignore[no-untyped-def]
    """The relation of ``a`` to ``b``."""
    said = BELOW if less(a, b) else 0
    said |= ABOVE if less(b, a) else 0
    said |= EQUAL if equal(a, b) else 0
    return said


@inlined
def holds(op, said):  # type: ignore[no-untyped-def]
    """Whether a comparison is true of two numbers in this relation."""
    if op == Op.GT:
        return said & ABOVE != 0
    elif op == Op.GE:
        return said & (ABOVE | EQUAL) != 0
    elif op == Op.LT:
        return said & BELOW != 0
    elif op == Op.LE:
        return said & (BELOW | EQUAL) != 0
    elif op == Op.EQ:
        return said & EQUAL != 0
    return said & (BELOW | ABOVE) != 0


@inlined
def crosses(op, before, now):  # type: ignore[no-untyped-def]
    """Whether a crossed b between two bars: at or below it on the first, above it on the second, or the reverse."""
    if op == Op.CROSS_ABOVE:
        return before & (BELOW | EQUAL) != 0 and now & ABOVE != 0
    return before & (ABOVE | EQUAL) != 0 and now & BELOW != 0


@njit
def relations(x0: Memory, x1: Memory, out: Bytes) -> None:
    """Fill ``out`` with the relation at every bar; an input of length 1 is the same at every bar."""
    n = out.shape[0]
    if x0.shape[0] == n and x1.shape[0] == n:
        for i in range(n):
            out[i] = relation(x0[i], x1[i])
    elif x0.shape[0] == n:
        b = x1[0]
        for i in range(n):
            out[i] = relation(x0[i], b)
    else:
        a, stride = x0[0], int(x1.shape[0] == n)
        for i in range(n):
            out[i] = relation(a, x1[i * stride])


@inlined
def mark_one(op, said, bit, marks):  # type: ignore[no-untyped-def]
    """The loop of one comparison; with a constant ``op`` nothing is left of the choice."""
    for i in range(len(marks)):
        marks[i] |= bit if holds(op, said[i]) else np.uint8(0)


@inlined
def mark_crossings(op, said, bit, marks):  # type: ignore[no-untyped-def]
    """The loop of one crossing; the first bar has none before it."""
    for i in range(1, len(marks)):
        marks[i] |= bit if crosses(op, said[i - 1], said[i]) else np.uint8(0)


@njit
def mark(op: int, said: Bytes, bit: int, marks: Bytes) -> None:
    """Set ``bit`` in the marks of the bars at which a comparison or crossing is true, given the relations."""
    if op == Op.GT:
        mark_one(Op.GT.value, said, bit, marks)
    elif op == Op.GE:
        mark_one(Op.GE.value, said, bit, marks)
    elif op == Op.LT:
        mark_one(Op.LT.value, said, bit, marks)
    elif op == Op.LE:
        mark_one(Op.LE.value, said, bit, marks)
    elif op == Op.EQ:
        mark_one(Op.EQ.value, said, bit, marks)
    elif op == Op.NE:
        mark_one(Op.NE.value, said, bit, marks)
    elif op == Op.CROSS_ABOVE:
        mark_crossings(Op.CROSS_ABOVE.value, said, bit, marks)
    elif op == Op.CROSS_BELOW:
        mark_crossings(Op.CROSS_BELOW.value, said, bit, marks)


@njit
def mark_true(values: Memory, bit: int, marks: Bytes) -> None:
    """Set ``bit`` where a condition is true; missing is not true."""
    if values.shape[0] == marks.shape[0]:
        for i in range(len(marks)):
            marks[i] |= bit if values[i] == 1.0 else np.uint8(0)
    elif values[0] == 1.0:
        for i in range(len(marks)):
            marks[i] |= bit


@njit
def mark_bytes(true: Bytes, bit: int, marks: Bytes) -> None:
    """Set ``bit`` where a byte is 1 and not 0."""
    for i in range(len(marks)):
        marks[i] |= np.uint8(bit) * true[i]


@njit
def mark_both(one: int, other: int, scratch: Bytes, bit: int, marks: Bytes) -> None:
    """Set ``bit`` where ``scratch`` has both other bits."""
    wanted = np.uint8(one | other)
    for i in range(len(marks)):
        marks[i] |= bit if scratch[i] & wanted == wanted else np.uint8(0)
