"""Operations of two numbers that remember nothing, as columns: comparisons, AND, OR and the four kinds of arithmetic.

A loop that asks at every bar which operation it is costs more than the operation. Here each has a loop of its own,
over the same function of two numbers that ``update`` calls at one bar (rule E9).
"""

from __future__ import annotations

from workbench.indicators.arithmetic import arithmetic_update
from workbench.indicators.comparison import both, compared, either
from workbench.indicators.memory import Memory
from workbench.indicators.ops import Op
from workbench.jit import inlined, njit


@inlined
def of_two(op, a, b):  # type: ignore[no-untyped-def]
    """The value of one operation; with a constant ``op`` nothing is left of the choice."""
    if op == Op.AND:
        return both(a, b)
    elif op == Op.OR:
        return either(a, b)
    elif op == Op.ADD or op == Op.SUB or op == Op.MUL or op == Op.DIV:
        return arithmetic_update(op, a, b, 0.0)
    return compared(op, a, b)


@inlined
def every_bar(op, x0, x1, out):  # type: ignore[no-untyped-def]
    """The loop; an input of length 1 is the same at every bar."""
    n = out.shape[0]
    if x0.shape[0] == n and x1.shape[0] == n:
        for i in range(n):
            out[i] = of_two(op, x0[i], x1[i])
    elif x0.shape[0] == n:
        b = x1[0]
        for i in range(n):
            out[i] = of_two(op, x0[i], b)
    else:
        a, stride = x0[0], int(x1.shape[0] == n)
        for i in range(n):
            out[i] = of_two(op, a, x1[i * stride])


@njit
def column_of_two(op: int, x0: Memory, x1: Memory, out: Memory) -> bool:
    """Fill ``out`` if the operation is one of these; False, with nothing written, if it is not."""
    if op == Op.GT:
        every_bar(Op.GT.value, x0, x1, out)
    elif op == Op.GE:
        every_bar(Op.GE.value, x0, x1, out)
    elif op == Op.LT:
        every_bar(Op.LT.value, x0, x1, out)
    elif op == Op.LE:
        every_bar(Op.LE.value, x0, x1, out)
    elif op == Op.EQ:
        every_bar(Op.EQ.value, x0, x1, out)
    elif op == Op.AND:
        every_bar(Op.AND.value, x0, x1, out)
    elif op == Op.OR:
        every_bar(Op.OR.value, x0, x1, out)
    elif op == Op.ADD:
        every_bar(Op.ADD.value, x0, x1, out)
    elif op == Op.SUB:
        every_bar(Op.SUB.value, x0, x1, out)
    elif op == Op.MUL:
        every_bar(Op.MUL.value, x0, x1, out)
    elif op == Op.DIV:
        every_bar(Op.DIV.value, x0, x1, out)
    else:
        return False
    return True
