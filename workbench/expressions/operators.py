"""Terms of the operators: arithmetic, logic, comparison, crossings (rules E1, E6)."""

from __future__ import annotations

from typing import Final

from workbench.expressions import syntax
from workbench.expressions.scope import CONDITION, NUMBER, Scope
from workbench.expressions.terms import NOTHING, Chain, Constant, Operation, Reach, Term, folded, new, together
from workbench.indicators.ops import Op

_COMPARE: Final = {">": Op.GT, ">=": Op.GE, "<": Op.LT, "<=": Op.LE, "==": Op.EQ, "!=": Op.NE}
_CHAIN: Final = {"+": Op.ADD, "-": Op.SUB, "*": Op.MUL, "/": Op.DIV, "AND": Op.AND, "OR": Op.OR}


def operator_term(scope: Scope, node: syntax.Operator, operands: tuple[Term, ...]) -> Term:
    """Term of an operator over the terms of its operands."""
    if isinstance(node, syntax.Comparison):
        return _condition(scope, node, _COMPARE[node.operator], operands, node.operator)
    if isinstance(node, (syntax.Logic, syntax.Arithmetic)):
        return _chain(scope, node, operands)
    if isinstance(node, syntax.Crossing):
        return crossing(scope, node, node.above, operands)
    if isinstance(node, syntax.Between):
        return _condition(scope, node, Op.BETWEEN, operands, "BETWEEN")
    if isinstance(node, syntax.Moving):
        return _moving(scope, node, operands)
    if isinstance(node, syntax.Inverse):
        scope.need(operands[0], CONDITION, "NOT")
        return Operation(CONDITION, node.at, *scope.count(node, operands, level=1), operands[0].reach, Op.NOT, operands)
    scope.need(operands[0], NUMBER, "a minus sign")
    counts = scope.count(node, operands, level=1)
    if isinstance(operands[0], Constant):
        return Constant(NUMBER, node.at, *counts, NOTHING, -operands[0].value)
    return Operation(NUMBER, node.at, *counts, operands[0].reach, Op.NEG, operands)


def crossing(scope: Scope, node: syntax.Crossing | syntax.Call, above: bool, operands: tuple[Term, ...]) -> Term:
    """Term of a crossing. It steps the bars of its surroundings (rule E6), so it reads those besides its operands'."""
    for term in operands:
        scope.need(term, NUMBER, "a crossing")
    counts = scope.count(node, operands, level=int(isinstance(node, syntax.Call)))
    op = Op.CROSS_ABOVE if above else Op.CROSS_BELOW
    return Operation(CONDITION, node.at, *counts, _stepped(scope, operands), op, operands)


def _stepped(scope: Scope, operands: tuple[Term, ...]) -> Reach:
    named, read, conflict = together(operands)
    return Reach(named, read | scope.own, conflict)


def _moving(scope: Scope, node: syntax.Moving, operands: tuple[Term, ...]) -> Term:
    for term in operands:
        scope.need(term, NUMBER, "MOVING_UP" if node.up else "MOVING_DOWN")
    if not isinstance(operands[1], Constant):
        hint = "Write a number, a parameter, or arithmetic of those."
        scope.refuse(operands[1].at, "the percentage must be constant", hint)
    op = Op.MOVING_UP if node.up else Op.MOVING_DOWN
    return Operation(CONDITION, node.at, *scope.count(node, operands), _stepped(scope, operands), op, operands)


def _condition(scope: Scope, node: syntax.Operator, op: Op, operands: tuple[Term, ...], what: str) -> Term:
    for term in operands:
        if term.type is not NUMBER:
            scope.need(term, NUMBER, what)
    size, depth = scope.count(node, operands)
    return new(Operation, (CONDITION, node.at, size, depth, together(operands), op, operands))


def _chain(scope: Scope, node: syntax.Logic | syntax.Arithmetic, operands: tuple[Term, ...]) -> Term:
    """``a + b - c`` from the left; constants at its beginning are folded."""
    logic = isinstance(node, syntax.Logic)
    wanted = CONDITION if logic else NUMBER
    for term in operands:
        if term.type is not wanted:
            scope.need(term, wanted, node.operators[0] if logic else "arithmetic")
    counts = scope.count(node, operands, nodes=len(node.operators))
    ops = [_CHAIN[operator] for operator in node.operators]
    start, first = 0, operands[0]
    if isinstance(first, Constant):
        value = first.value
        for op, right in zip(ops, operands[1:], strict=True):
            result = folded(op, value, right.value) if isinstance(right, Constant) else None
            if result is None:
                break
            value, start = result, start + 1
        if start == len(ops):
            return Constant(NUMBER, node.at, *counts, NOTHING, value)
        operands = (first._replace(value=value), *operands[start + 1 :])
    return new(Chain, (wanted, node.at, *counts, together(operands), tuple(ops[start:]), operands))
