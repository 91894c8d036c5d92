"""The tree while it grows: what each rule of the grammar makes of its parts, and the limit of its depth (rule E8)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

from workbench.expressions.syntax import (
    Arithmetic,
    Between,
    Call,
    Comparison,
    Crossing,
    Definition,
    Inverse,
    Logic,
    Moving,
    Name,
    Negative,
    Node,
    Number,
    Parameter,
    Script,
    Text,
)
from workbench.expressions.tables import Token

#: Deepest nesting, and most nodes, of an expression (rule E8).
DEPTH_LIMIT: Final = 64
NODE_LIMIT: Final = 2_500


# Makes a node from its fields in order, without the detour through a function of Python's.
_new: Final = tuple.__new__


class Refused(Exception):  # noqa: N818 - it becomes an ExpressionError as soon as it is out of the parser
    """The text breaks a limit; carried out of the parser with the place where it happened."""

    def __init__(self, at: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.at, self.message, self.hint = at, message, hint


def too_deep(at: int) -> Refused:
    """The refusal of an expression that is nested too deep."""
    return Refused(
        at,
        f"the expression is nested more than {DEPTH_LIMIT} levels deep",
        "Define inner parts as variables on lines of their own, or write a chain of AND and OR without parentheses.",
    )


class Operands:
    """Makes the nodes that stand between operators: values, calls, and what is in parentheses or after a sign."""

    def number(self, parts: list[Any]) -> Number:
        """Read ``14``, ``.5`` or ``1e-3``."""
        ((_, text, at),) = parts
        value = float(text)
        if value == math.inf:
            raise Refused(at, "the number is too large")
        return _new(Number, (at, 0, value))

    def name(self, parts: list[Any]) -> Name:
        """Read a series or a variable."""
        ((_, text, at),) = parts
        return _new(Name, (at, 0, text))

    def parameter(self, parts: list[Any]) -> Parameter:
        """Read ``$name``."""
        ((_, text, at),) = parts
        return _new(Parameter, (at, 0, text[1:]))

    def group(self, parts: list[Any]) -> Any:
        """Drop parentheses, keeping where they began and that they were a level."""
        opening, inner, _ = parts
        at = opening.at
        return _new(inner.__class__, (at, _level(at, (inner,)), *inner[2:]))

    def call(self, parts: list[Any]) -> Call:
        """Read a name with arguments."""
        _, text, at = parts[0]
        operands = parts[1:-1:2]
        for i, one in enumerate(operands):
            if one.__class__ is Token:
                operands[i] = Text(one.at, 0, one.text[1:-1])
        return _new(Call, (at, _level(at, operands), text[:-1].rstrip(" \t"), tuple(operands)))

    def negative(self, parts: list[Any]) -> Negative:
        """Read a minus sign and its operand."""
        sign, operand = parts
        return Negative(sign.at, _level(sign.at, (operand,)), (operand,))


class Builder(Operands):
    """Makes every node; the method named like a rule of the grammar takes the rule's parts."""

    def logic(self, parts: list[Any]) -> Any:
        """Read a chain of AND and OR; AND binds tighter."""
        return _chain(Logic, parts, "AND")

    def arithmetic(self, parts: list[Any]) -> Any:
        """Read a chain of ``+ - * /``; ``*`` and ``/`` bind tighter."""
        return _chain(Arithmetic, parts, "MULTIPLY")

    def inverse(self, parts: list[Any]) -> Inverse:
        """Read NOT and its operand."""
        word, operand = parts
        return Inverse(word.at, _level(word.at, (operand,)), (operand,))

    def comparison(self, parts: list[Any]) -> Comparison:
        """Read a comparison of two numbers."""
        left, operator, right = parts
        operands = left, right
        return _new(Comparison, (left.at, _deepest(operands), operator.text, operands))

    def between(self, parts: list[Any]) -> Between:
        """Read ``a BETWEEN low AND high``."""
        operands = parts[0], parts[2], parts[4]
        return Between(operands[0].at, _deepest(operands), operands)

    def crossing(self, parts: list[Any]) -> Crossing:
        """Read a crossing in any of its spellings."""
        operands = parts[0], parts[2]
        return Crossing(operands[0].at, _deepest(operands), parts[1].text.upper().endswith("ABOVE"), operands)

    def moving(self, parts: list[Any]) -> Moving:
        """Read ``a MOVING_UP percent``."""
        operands = parts[0], parts[2]
        return Moving(operands[0].at, _deepest(operands), parts[1].text.upper().endswith("UP"), operands)

    def definition(self, parts: list[Any]) -> Definition:
        """Read a line ``name = expression``."""
        token, body = parts
        name = token.text[:-1].strip()
        return Definition(token.at + token.text.index(name), name, body)

    def start(self, parts: list[Any]) -> Script:
        """Close the script."""
        return Script(tuple(parts[:-1]), parts[-1])


def _deepest(operands: Iterable[Node]) -> int:
    depth = 0
    for one in operands:
        if one.depth > depth:
            depth = one.depth
    return depth


def _level(at: int, operands: Iterable[Node]) -> int:
    """Depth of a node that is a level of its own."""
    depth = _deepest(operands)
    if depth >= DEPTH_LIMIT:
        raise too_deep(at)
    return depth + 1


def _chain(kind: type[Logic | Arithmetic], parts: list[Any], tight: str) -> Any:
    """Node of a flat chain of two levels of operators: runs of the tight ones become operands of the loose ones."""
    if len(parts) == 3 or len({token.kind for token in parts[1::2]}) == 1:
        return _joined(kind, parts)
    outer: list[Any] = []
    run = [parts[0]]
    for operator, operand in zip(parts[1::2], parts[2::2], strict=True):
        if operator.kind == tight:
            run += operator, operand
        else:
            outer += _joined(kind, run), operator
            run = [operand]
    return _joined(kind, [*outer, _joined(kind, run)])


def _joined(kind: type[Logic | Arithmetic], parts: list[Any]) -> Any:
    """Node of operands with operators of one level between them; one operand stays what it is."""
    if len(parts) == 1:
        return parts[0]
    operands = tuple(parts[::2])
    operators = tuple([token.text.upper() for token in parts[1::2]])
    return _new(kind, (operands[0].at, _deepest(operands), operators, operands))
