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
from workbench.expressions.calls import argument_nodes, call_term, named, refuse_variable_call, series_term
from workbench.expressions.naming import definition_hint, is_reserved, name_hint
from workbench.expressions.operators import operator_term
from workbench.expressions.parse import parse
from workbench.expressions.scope import NUMBER, Scope
from workbench.expressions.source import quoted, readable, suggestion
from workbench.expressions.terms import NOTHING, Constant, Term, new
from workbench.indicators.signature import Series, ValueType
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
            kind = node.__class__
            if operands >= 0:
                taken = tuple(done[len(done) - operands :])
                del done[len(done) - operands :]
            elif kind in syntax.LEAVES:
                done.append(self._leaf(cast("syntax.Leaf", node)))
                continue
            else:
                inner = cast("syntax.Call | syntax.Operator", node)
                below = self._arguments(inner) if isinstance(inner, syntax.Call) else inner.operands
                # Most have leaves below them and nothing else, and need no stack.
                leaves = []
                for child in below:
                    if child.__class__ not in syntax.LEAVES:
                        break
                    leaves.append(self._leaf(cast("syntax.Leaf", child)))
                if len(leaves) < len(below):
                    stack.append((node, len(below)))
                    stack.extend([(child, -1) for child in below[::-1]])
                    continue
                taken = tuple(leaves)
            one = call_term if kind is syntax.Call else operator_term
            done.append(one(self.scope, cast("Any", node), taken))
        return done[0]

    def _arguments(self, node: syntax.Call) -> tuple[syntax.Node, ...]:
        """Arguments to look at before a call; its name is looked up before them."""
        if node.name in self.variables:
            refuse_variable_call(self.scope, node)
        if named(node.name) is None:
            self._unknown(node.at, node.name)
        return argument_nodes(node)

    def _leaf(self, node: syntax.Leaf) -> Term:
        if isinstance(node, syntax.Number):
            at, depth, value = node
            return new(Constant, (NUMBER, at, 1, depth, NOTHING, value))
        if isinstance(node, syntax.Name):
            return self._name(node)
        if isinstance(node, syntax.Parameter):
            return self._parameter(node)
        hint = 'It stands last in a call: close("1h"), SMA(close, 50, "1h").'
        return self.scope.refuse(node.at, "text is only for a timeframe", hint)

    def _name(self, node: syntax.Name) -> Term:
        variable = self.variables.get(node.name)
        if variable is None:
            series = named(node.name)
            if not isinstance(series, Series):
                self._unknown(node.at, node.name)
            return series_term(self.scope, node, series)
        # Written out, a definition stands in parentheses: one level, unless it is a single name or number.
        depth = node.depth + variable.depth + (variable.size > 1)
        if depth > DEPTH_LIMIT:
            message = f"with {quoted(node.name)} written out, it is nested more than {DEPTH_LIMIT} levels deep"
            self.scope.refuse(node.at, message)
        kind, _, size, _, *rest = variable
        return new(variable.__class__, (kind, node.at, size, depth, *rest))

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
