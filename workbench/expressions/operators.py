"""Terms of the operators: arithmetic, logic, comparison, crossings (rules E1, E6)."""

from __future__ import annotations

from typing import Final, cast

from workbench.expressions import syntax
from workbench.expressions.scope import CONDITION, NUMBER, Scope, conflict, named, read
from workbench.expressions.terms import NONE, Constant, Operation, Term, folded
from workbench.indicators.ops import Op

_COMPARE: Final = {">": Op.GT, ">=": Op.GE, "<": Op.LT, "<=": Op.LE, "==": Op.EQ, "!=": Op.NE}
_ARITHMETIC: Final = {"+": Op.ADD, "-": Op.SUB, "*": Op.MUL, "/": Op.DIV}
_LOGIC: Final = {"AND": Op.AND, "OR": Op.OR}
_NUMERIC: Final = (Op.NEG, *_ARITHMETIC.values())


def operator_term(scope: Scope, node: syntax.Node, operands: tuple[Term, ...]) -> Term:
    """Term of an operator over the terms of its operands."""
    match node:
        case syntax.Negative():
            return _simple(scope, node, Op.NEG, operands, "a minus sign", level=1)
        case syntax.Inverse():
            return _simple(scope, node, Op.NOT, operands, "NOT", level=1)
        case syntax.Arithmetic():
            return _chain(scope, node, [_ARITHMETIC[one] for one in node.operators], operands, "arithmetic")
        case syntax.Logic():
            return _chain(scope, node, [_LOGIC[node.operator]] * (len(operands) - 1), operands, node.operator)
        case syntax.Comparison():
            return _simple(scope, node, _COMPARE[node.operator], operands, node.operator)
        case syntax.Between():
            return _simple(scope, node, Op.BETWEEN, operands, "BETWEEN")
        case syntax.Crossing():
            return crossing(scope, node, node.above, operands)
        case syntax.Moving():
            return _moving(scope, node, operands)
    raise AssertionError(f"no operator: {type(node).__name__}")


def crossing(scope: Scope, node: syntax.Node, above: bool, operands: tuple[Term, ...]) -> Term:
    """Term of a crossing. It steps the bars of its surroundings (rule E6), so it reads those besides its operands'."""
    op = Op.CROSS_ABOVE if above else Op.CROSS_BELOW
    for term in operands:
        scope.need(term, NUMBER, "a crossing")
    counts = scope.count(node, operands, level=int(isinstance(node, syntax.Call)))
    stepped = read(operands) | scope.own
    return Operation(CONDITION, node.at, *counts, named(operands), stepped, conflict(operands), op, operands)


def _moving(scope: Scope, node: syntax.Moving, operands: tuple[Term, ...]) -> Term:
    for term in operands:
        scope.need(term, NUMBER, "MOVING_UP" if node.up else "MOVING_DOWN")
    if not isinstance(operands[1], Constant):
        hint = "Write a number, a parameter, or arithmetic of those."
        scope.refuse(operands[1].at, "the percentage must be constant", hint)
    op = Op.MOVING_UP if node.up else Op.MOVING_DOWN
    counts = scope.count(node, operands)
    stepped = read(operands) | scope.own
    return Operation(CONDITION, node.at, *counts, named(operands), stepped, conflict(operands), op, operands)


def _simple(
    scope: Scope, node: syntax.Node, op: Op, operands: tuple[Term, ...], what: str, level: int = 0
) -> Term:
    wanted = CONDITION if op is Op.NOT else NUMBER
    for term in operands:
        scope.need(term, wanted, what)
    return _combine(node.at, op, operands, scope.count(node, operands, level=level))


def _chain(scope: Scope, node: syntax.Node, ops: list[Op], operands: tuple[Term, ...], what: str) -> Term:
    """``a + b - c`` from the left. The terms are deep to the left, so nobody may walk them by recursion."""
    wanted = NUMBER if ops[0] in _NUMERIC else CONDITION
    for term in operands:
        scope.need(term, wanted, what)
    scope.count(node, operands, nodes=len(ops))
    result = operands[0]
    for op, right in zip(ops, operands[1:], strict=True):
        counts = result.size + right.size + 1, max(result.depth, right.depth)
        result = _combine(node.at, op, (result, right), counts)
    return result


def _combine(at: int, op: Op, operands: tuple[Term, ...], counts: tuple[int, int]) -> Term:
    kind = NUMBER if op in _NUMERIC else CONDITION
    if kind is NUMBER and all(isinstance(term, Constant) for term in operands):
        value = folded(op, tuple(cast("Constant", term).value for term in operands))
        if value is not None:
            return Constant(NUMBER, at, *counts, NONE, NONE, None, value)
    return Operation(kind, at, *counts, named(operands), read(operands), conflict(operands), op, operands)
