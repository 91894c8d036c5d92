"""What an expression means once its names are known: the typed terms that ``check`` makes and ``graph`` lowers.

A term knows which timeframes are written inside it (``named``) and whose bars its value steps on (``read``, with the
strategy's own counted as one and constants reading none). Two of them where a call reads earlier bars are a conflict
(rule E3); it is carried upwards, because a call with a timeframe further out puts everything inside it on that one.
``size`` and ``depth`` count the expression with its variables written out.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final, NamedTuple

from workbench.indicators.ops import Op
from workbench.indicators.signature import Function, Overload, Series, ValueType
from workbench.market.timeframe import Timeframe
from workbench.tolerance import RELATIVE

Timeframes = frozenset[Timeframe]
NONE: Final[Timeframes] = frozenset()


# Makes a tuple of a class from its fields in order, without the detour through a function of Python's.
new: Final = tuple.__new__


class Conflict(NamedTuple):
    """Two timeframes inside one call that reads earlier bars, at an offset of the source."""

    at: int
    message: str
    hint: str


class Reach(NamedTuple):
    """Timeframes of a term: written in it, stepped on by its value, and the first conflict of two."""

    named: Timeframes
    read: Timeframes
    conflict: Conflict | None


#: Of what reads no bars.
NOTHING: Final = Reach(NONE, NONE, None)


class Constant(NamedTuple):
    """A number known when the strategy is made."""

    type: ValueType
    at: int
    size: int
    depth: int
    reach: Reach
    value: float


class Source(NamedTuple):
    """A series of the bars; ``timeframe`` is None on the timeframe of its surroundings."""

    type: ValueType
    at: int
    size: int
    depth: int
    reach: Reach
    series: Series
    timeframe: Timeframe | None


class Operation(NamedTuple):
    """An operator: element-wise, a crossing or MOVING, on the bars of its surroundings."""

    type: ValueType
    at: int
    size: int
    depth: int
    reach: Reach
    op: Op
    operands: tuple[Term, ...]


class Chain(NamedTuple):
    """Operators between operands, evaluated from the left: ``a + b - c``, ``a AND b AND c``."""

    type: ValueType
    at: int
    size: int
    depth: int
    reach: Reach
    ops: tuple[Op, ...]
    operands: tuple[Term, ...]


class Application(NamedTuple):
    """A call of a function; ``timeframe`` is the one it runs on when that is not its surroundings'."""

    type: ValueType
    at: int
    size: int
    depth: int
    reach: Reach
    function: Function
    overload: Overload
    operands: tuple[Term, ...]
    constants: tuple[float, ...]
    timeframe: Timeframe | None


WithOperands = Operation | Chain | Application
Term = Constant | Source | WithOperands


def together(operands: tuple[Term, ...]) -> Reach:
    """What some terms reach between them."""
    reach = operands[0].reach if operands else NOTHING
    for term in operands[1:]:
        other = term.reach
        if other is not reach and other is not NOTHING:
            reach = other if reach is NOTHING else _joined(reach, other)
    return reach


@lru_cache(maxsize=1024)
def _joined(one: Reach, other: Reach) -> Reach:
    if one == other:
        return one
    return Reach(one.named | other.named, one.read | other.read, one.conflict or other.conflict)


def folded(op: Op, left: float, right: float) -> float | None:
    """Value of ``+ - * /`` over constants, to the bit what the kernel computes.

    Returns
    -------
    float or None
        None where the value is missing (rule E4: division by zero, a non-finite result), which no constant can be.
    """
    if op is Op.ADD:
        value = _difference(left, -right)
    elif op is Op.SUB:
        value = _difference(left, right)
    elif op is Op.MUL:
        value = left * right
    else:
        value = left / right if right != 0.0 else math.inf
    return value if math.isfinite(value) else None


def _difference(left: float, right: float) -> float:
    """``tolerance.difference`` without its kernel, which need not be loaded to compile an expression."""
    if left == right or abs(left - right) <= RELATIVE * max(abs(left), abs(right)):
        return 0.0
    return left - right
