"""From tree to terms: names, types, parameters, timeframes and limits (rules E1, E2, E3, E8, B4).

The tree of an expression is walked once, with a stack instead of recursion. A variable is checked once and then stands
for its term wherever it is named, so that a definition which doubles and doubles again costs nothing. Every refusal is
an ``ExpressionError`` that points at the first character of what is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any, Final, NoReturn, cast

from workbench.expressions import syntax
from workbench.expressions.builder import DEPTH_LIMIT
from workbench.expressions.calls import argument_nodes, call_term, refuse_variable_call, series_term
from workbench.expressions.naming import definition_hint, is_reserved, name_hint
from workbench.expressions.operators import operator_term
from workbench.expressions.parse import parse
from workbench.expressions.scope import NUMBER, Scope
from workbench.expressions.source import quoted, readable, suggestion
from workbench.expressions.terms import NOTHING, Constant, Term
from workbench.indicators import registry
from workbench.indicators.signature import ValueType
from workbench.market.timeframe import Timeframe

#: Most timeframes one expression may name besides the strategy's own (rule E8).
TIMEFRAME_LIMIT: Final = 8


def check(text: str, params: Mapping[str, object], timeframe: Timeframe, wanted: ValueType | None = None) -> Term:
    """Make sense of one expression.

    Parameters
    ----------
    text : str
        Definitions, one a line, and the statement they lead to.
    params : mapping
        Values of ``$name``: finite numbers. Names that the expression does not use are passed over.
    timeframe : Timeframe
        The strategy's.
    wanted : ValueType, optional
        What the value must be: a condition for an entry, a number for a rank.

    Raises
    ------
    ExpressionError
        With line, column, caret and how to fix it.
    """
    script = parse(text)
    scope = Scope(readable(text), timeframe)
    term = _Walk(scope, params).script(script)
    if wanted is not None:
        scope.need(term, wanted, "the expression")
    if term.reach.conflict is not None:
        scope.refuse(*term.reach.conflict)
    count = len(term.reach.named - scope.own)
    if count > TIMEFRAME_LIMIT:
        hint = "Every one is built and kept bar by bar: name fewer."
        scope.refuse(term.at, f"the expression names {count} timeframes, at most {TIMEFRAME_LIMIT} are allowed", hint)
    return term


def parameters(text: str) -> tuple[str, ...]:
    """Names of the parameters of an expression, in the order they first appear, without the dollar.

    Raises
    ------
    ExpressionError
        When the expression does not parse.
    """
    script = parse(text)
    roots = [*(definition.body for definition in script.definitions), script.body]
    found = dict.fromkeys(node.name for node in _nodes(roots) if isinstance(node, syntax.Parameter))
    return tuple(found)


def _nodes(roots: list[syntax.Node]) -> Iterator[syntax.Node]:
    """Every node at and below some roots, in the order of the text."""
    stack = roots[::-1]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(syntax.operands(node)))


class _Walk:
    """One walk over one expression, with the variables defined so far."""

    def __init__(self, scope: Scope, params: Mapping[str, object]) -> None:
        self.scope, self.params = scope, params
        self.variables: dict[str, Term] = {}

    def script(self, script: syntax.Script) -> Term:
        """Check the definitions in order, then the last statement."""
        for definition in script.definitions:
            name = definition.name
            if name in self.variables:
                self.scope.refuse(definition.at, f"{quoted(name)} is defined twice", "Give it another name.")
            if is_reserved(name):
                self.scope.refuse(definition.at, f"{quoted(name)} cannot be defined", definition_hint(name))
            self.variables[name] = self._term(definition.body)
        return self._term(script.body)

    def _term(self, root: syntax.Node) -> Term:
        """Terms of everything below a node, each after its operands, and last its own."""
        done: list[Term] = []
        stack: list[tuple[syntax.Node, int]] = [(root, -1)]
        while stack:
            node, operands = stack.pop()
            if isinstance(node, syntax.LEAVES):
                done.append(self._leaf(node))
            elif operands < 0:
                below = self._below(node)
                stack.append((node, len(below)))
                stack.extend([(child, -1) for child in reversed(below)])
            else:
                taken = tuple(done[len(done) - operands :])
                del done[len(done) - operands :]
                one = call_term if isinstance(node, syntax.Call) else operator_term
                done.append(one(self.scope, cast("Any", node), taken))
        return done[0]

    def _below(self, node: syntax.Call | syntax.Operator) -> tuple[syntax.Node, ...]:
        """Nodes to look at before one node; a call's name is looked up before its arguments."""
        if not isinstance(node, syntax.Call):
            return node.operands
        if node.name in self.variables:
            refuse_variable_call(self.scope, node)
        if registry.function(node.name) is None and registry.series(node.name) is None:
            self._unknown(node.at, node.name)
        return argument_nodes(node)

    def _leaf(self, node: syntax.Leaf) -> Term:
        if isinstance(node, syntax.Text):
            hint = 'It stands last in a call: close("1h"), SMA(close, 50, "1h").'
            self.scope.refuse(node.at, "text is only for a timeframe", hint)
        if isinstance(node, syntax.Number):
            return Constant(NUMBER, node.at, 1, node.depth, NOTHING, node.value)
        return self._name(node) if isinstance(node, syntax.Name) else self._parameter(node)

    def _name(self, node: syntax.Name) -> Term:
        variable = self.variables.get(node.name)
        if variable is None:
            series = registry.series(node.name)
            if series is None:
                self._unknown(node.at, node.name)
            return series_term(self.scope, node, series)
        # Written out, a definition stands in parentheses: one level, unless it is a single name or number.
        depth = node.depth + variable.depth + (variable.size > 1)
        if depth > DEPTH_LIMIT:
            message = f"with {quoted(node.name)} written out, it is nested more than {DEPTH_LIMIT} levels deep"
            self.scope.refuse(node.at, message)
        return variable._replace(at=node.at, depth=depth)

    def _unknown(self, at: int, name: str) -> NoReturn:
        message, hint = name_hint(name, self.variables, self.params)
        self.scope.refuse(at, message, hint)

    def _parameter(self, node: syntax.Parameter) -> Term:
        shown = f"parameter {quoted('$' + node.name)}"
        if node.name not in self.params:
            hint = suggestion(node.name, self.params) or f"Bind it: params={{{node.name[:40]!r}: 14}}."
            self.scope.refuse(node.at, f"{shown} is not bound", hint)
        value = self.params[node.name]
        if isinstance(value, bool) or not isinstance(value, Real):
            self.scope.refuse(node.at, f"{shown} is {type(value).__name__}, not a number")
        try:
            number = float(value)
        except (OverflowError, ValueError):
            number = math.inf
        if not math.isfinite(number):
            self.scope.refuse(node.at, f"{shown} is not a finite number")
        return Constant(NUMBER, node.at, 1, node.depth, NOTHING, number)
