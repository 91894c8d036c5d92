"""What an expression means once its names are known: the typed terms that ``check`` makes and ``program`` lowers.

A term knows which timeframes are written inside it (``named``) and whose bars its value steps on (``read``, with the
strategy's own counted as one and constants reading none). Two of them where a call reads earlier bars are a conflict
(rule E3); it is carried upwards, because a call with a timeframe further out puts everything inside it on that one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.indicators.ops import Op
from workbench.indicators.signature import Function, Overload, Series, ValueType
from workbench.market.timeframe import Timeframe
from workbench.tolerance import RELATIVE

Timeframes = frozenset[Timeframe]
NONE: Timeframes = frozenset()


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two timeframes inside one call that reads earlier bars, at an offset of the source."""

    at: int
    message: str
    hint: str


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """What every term has; ``size`` and ``depth`` count the expression with its variables written out."""

    type: ValueType
    at: int
    size: int
    depth: int
    named: Timeframes
    read: Timeframes
    conflict: Conflict | None


@dataclass(frozen=True, slots=True, eq=False)
class Constant(Term):
    """A number known when the strategy is made."""

    value: float


@dataclass(frozen=True, slots=True, eq=False)
class Source(Term):
    """A series of the bars; ``timeframe`` is None on the timeframe of its surroundings."""

    series: Series
    timeframe: Timeframe | None


@dataclass(frozen=True, slots=True, eq=False)
class Operation(Term):
    """An operator: element-wise, a crossing or MOVING, on the bars of its surroundings."""

    op: Op
    operands: tuple[Term, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Application(Term):
    """A call of a function; ``timeframe`` is the one it runs on when that is not its surroundings'."""

    function: Function
    overload: Overload
    operands: tuple[Term, ...]
    constants: tuple[float, ...]
    timeframe: Timeframe | None


def folded(op: Op, values: tuple[float, ...]) -> float | None:
    """Value of ``+ - * /`` or a minus sign over constants, to the bit what the kernel computes.

    Returns
    -------
    float or None
        None where the value is missing (rule E4: division by zero, a non-finite result), which no constant can be.
    """
    if op is Op.NEG:
        return -values[0]
    left, right = values
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
