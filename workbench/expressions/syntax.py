"""The tree of a parsed expression: what was written, where, and nothing about what it means.

Every node is immutable. ``at`` is the offset of its first character in the source, ``depth`` the number of parentheses,
calls, minus signs and NOTs inside each other (a chain such as ``a AND b AND c`` stays on one level however long it is).
Parentheses leave no node, only depth.
"""

from __future__ import annotations

from typing import Final, NamedTuple

#: Words of the grammar, in capitals, with their terminals.
KEYWORDS: Final[dict[str, str]] = {
    "AND": "AND",
    "OR": "OR",
    "NOT": "NOT",
    "BETWEEN": "BETWEEN",
    "MOVING_UP": "MOVING",
    "MOVING_DOWN": "MOVING",
    **{f"{verb}_{side}": "CROSS" for side in ("ABOVE", "BELOW") for verb in ("CROSSES", "CROSS", "CROSSING")},
}


class Number(NamedTuple):
    """A finite number."""

    at: int
    depth: int
    value: float


class Text(NamedTuple):
    """Text in quotes, which may stand only where a call takes a timeframe."""

    at: int
    depth: int
    value: str


class Name(NamedTuple):
    """A series or a variable."""

    at: int
    depth: int
    name: str


class Parameter(NamedTuple):
    """``$name``, bound when the strategy is made; ``name`` is without the dollar."""

    at: int
    depth: int
    name: str


class Call(NamedTuple):
    """``name(arguments)``: an indicator, a series on a timeframe, or a crossing written as a function."""

    at: int
    depth: int
    name: str
    operands: tuple[Node, ...]


class Negative(NamedTuple):
    """``-operand``."""

    at: int
    depth: int
    operands: tuple[Node]


class Inverse(NamedTuple):
    """``NOT operand``."""

    at: int
    depth: int
    operands: tuple[Node]


class Arithmetic(NamedTuple):
    """A chain of ``+ -`` or of ``* /``, evaluated from the left; ``operators`` stand between the operands."""

    at: int
    depth: int
    operators: tuple[str, ...]
    operands: tuple[Node, ...]


class Logic(NamedTuple):
    """A chain of ``AND`` or of ``OR``; ``operators`` stand between the operands."""

    at: int
    depth: int
    operators: tuple[str, ...]
    operands: tuple[Node, ...]


class Comparison(NamedTuple):
    """``left operator right`` with one of ``> >= < <= == !=``."""

    at: int
    depth: int
    operator: str
    operands: tuple[Node, Node]


class Between(NamedTuple):
    """``operand BETWEEN low AND high``, both ends included."""

    at: int
    depth: int
    operands: tuple[Node, Node, Node]


class Crossing(NamedTuple):
    """``left CROSSES_ABOVE right``, or below."""

    at: int
    depth: int
    above: bool
    operands: tuple[Node, Node]


class Moving(NamedTuple):
    """``operand MOVING_UP percent``, or down."""

    at: int
    depth: int
    up: bool
    operands: tuple[Node, Node]


Leaf = Number | Text | Name | Parameter
LEAVES: Final = frozenset((Number, Text, Name, Parameter))
Operator = Negative | Inverse | Arithmetic | Logic | Comparison | Between | Crossing | Moving
Node = Leaf | Call | Operator

NO_OPERANDS: Final[tuple[Node, ...]] = ()


class Definition(NamedTuple):
    """``name = body`` on lines before the last statement."""

    at: int
    name: str
    body: Node


class Script(NamedTuple):
    """Definitions in the order of their lines, and the statement they lead to."""

    definitions: tuple[Definition, ...]
    body: Node


def operands(node: Node) -> tuple[Node, ...]:
    """Nodes right below one node, in the order of the text."""
    return NO_OPERANDS if isinstance(node, Number | Text | Name | Parameter) else node.operands
