"""The tree of a parsed expression: what was written, where, and nothing about what it means.

Every node is frozen. ``at`` is the offset of its first character in the source, ``depth`` the number of
parentheses, calls, minus signs and NOTs inside each other (a chain such as ``a AND b AND c`` stays on one level
however long it is), ``size`` the number of nodes it is written with. Parentheses leave no node, only depth.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """What every node of the tree has."""

    at: int
    depth: int
    size: int


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A finite number."""

    value: float


@dataclass(frozen=True, slots=True)
class Text(Node):
    """Text in quotes, which may stand only where a call takes a timeframe."""

    value: str


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A series or a variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Parameter(Node):
    """``$name``, bound when the strategy is made; ``name`` is without the dollar."""

    name: str


@dataclass(frozen=True, slots=True)
class Call(Node):
    """``name(arguments)``: an indicator, a series on a timeframe, or a crossing written as a function."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Negative(Node):
    """``-operand``."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Inverse(Node):
    """``NOT operand``."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """A chain of ``+ -`` or of ``* /``, evaluated from the left; ``operators`` has one character an operator."""

    operators: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """A chain of ``AND`` or of ``OR``."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """``left operator right`` with one of ``> >= < <= == !=``."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Between(Node):
    """``operand BETWEEN low AND high``, both ends included."""

    operand: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class Crossing(Node):
    """``left CROSSES_ABOVE right``, or below."""

    above: bool
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Moving(Node):
    """``operand MOVING_UP percent``, or down."""

    up: bool
    operand: Node
    percent: Node


@dataclass(frozen=True, slots=True)
class Definition:
    """``name = body`` on lines before the last statement."""

    at: int
    name: str
    body: Node


@dataclass(frozen=True, slots=True)
class Script:
    """Definitions in the order of their lines, and the statement they lead to."""

    definitions: tuple[Definition, ...]
    body: Node


def children(node: Node) -> tuple[Node, ...]:
    """Nodes right below one node, in the order of the text."""
    match node:
        case Call():
            return node.arguments
        case Arithmetic() | Logic():
            return node.operands
        case Comparison() | Crossing():
            return node.left, node.right
        case Between():
            return node.operand, node.low, node.high
        case Moving():
            return node.operand, node.percent
        case Negative() | Inverse():
            return (node.operand,)
    return ()
