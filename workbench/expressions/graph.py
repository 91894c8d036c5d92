"""The DAG of a program while it grows, in which equal nodes are one node, and how terms become its nodes.

A node lives on one timeframe, its layer. What runs on a coarser one than the strategy's is computed there, once a bar,
and read on the strategy's through an ALIGN node (rule B4). Terms are walked with a stack instead of recursion.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from workbench.expressions.calls import LOOKBACK_LIMIT
from workbench.expressions.source import error
from workbench.expressions.terms import (
    Application,
    Chain,
    Constant,
    Operation,
    Source,
    Term,
    WithOperands,
    new,
)
from workbench.indicators.ops import Op
from workbench.market.timeframe import Timeframe

#: The bits of a node's constants, by which nodes are told apart.
BITS: Final = struct.Struct("3d").pack

#: Operations that read the bar before.
_STEPPING: Final = frozenset((Op.CROSS_ABOVE, Op.CROSS_BELOW, Op.MOVING_UP, Op.MOVING_DOWN))


class GraphNode(NamedTuple):
    """One node: ``op(children; p)`` on a layer."""

    op: int
    children: tuple[int, ...]
    p: tuple[float, float, float]
    layer: int


class Lowered(NamedTuple):
    """A term's node; ``first`` and ``back`` count bars of the node's timeframe.

    ``first`` is the index of the first bar with a value on clean data, ``back`` how far the value looks back.
    """

    node: int
    first: int
    back: int


class Layer:
    """The nodes of one timeframe.

    Parameters
    ----------
    timeframe : Timeframe
        Whose bars the nodes step.
    number : int
        Of the layer, in the order they were made; the strategy's is 0.
    nodes : list of GraphNode
        Those of all layers, in the order they were made; children before parents.
    """

    def __init__(self, timeframe: Timeframe, number: int, nodes: list[GraphNode]) -> None:
        self.timeframe, self.number, self.nodes = timeframe, number, nodes
        #: Terms that have their node on this layer, by identity.
        self.done: dict[int, Lowered] = {}
        self._index: dict[tuple[int, tuple[int, ...], bytes], int] = {}
        self._leaves: dict[object, Lowered] = {}
        #: Nodes of calls, by what is called with which constants over which operands, and as the strategy sees them.
        self.calls: dict[object, Lowered] = {}
        self.seen: dict[Lowered, Lowered] = {}

    def build(self, op: Op, children: Sequence[int] = (), p0: float = 0.0, p1: float = 0.0, p2: float = 0.0) -> int:
        """Index of a node, which is made unless an equal one exists (equal to the bit: 0.0 is not -0.0)."""
        key = op, tuple(children), BITS(p0, p1, p2)
        index = self._index.get(key)
        if index is None:
            index = self._index[key] = len(self.nodes)
            self.nodes.append(new(GraphNode, (int(op), key[1], (float(p0), float(p1), float(p2)), self.number)))
        return index

    def leaf(self, term: Constant | Source) -> Lowered:
        """Node of a number or of a series."""
        # Zero and minus zero are one key, so they are left to ``build``.
        key: object = (term.value or None) if isinstance(term, Constant) else term.series.name
        known = self._leaves.get(key)
        if known is None:
            if isinstance(term, Constant):
                index = self.build(Op.CONST, (), term.value)
            else:
                index = term.series.lower(self.build)
            known = Lowered(index, 0, 0)
            if key is not None:
                self._leaves[key] = known
        return known


class Graph:
    """Turns the terms of one program into nodes.

    Parameters
    ----------
    timeframe : Timeframe
        The strategy's.
    session_minutes : int
        Nominal length of a session, for counts of coarser bars in strategy bars.

    Attributes
    ----------
    nodes : list of GraphNode
        In the order they were made; children before parents.
    calls : dict of int to int
        Node of every call that warm waits for, with the strategy bar on which it first has a value.
    """

    def __init__(self, timeframe: Timeframe, session_minutes: int) -> None:
        self.timeframe, self.session_minutes = timeframe, session_minutes
        self.nodes: list[GraphNode] = []
        self.calls: dict[int, int] = {}
        self.own = Layer(timeframe, 0, self.nodes)
        self._layers = {timeframe.minutes: self.own}
        self._kept: list[Term] = []

    def restart(self) -> None:
        """Begin another program in the same graph: it shares the nodes, and has calls of its own."""
        self.calls = {}
        self._kept.clear()
        for layer in self._layers.values():
            layer.done.clear()

    def lower(self, root: Term, source: str) -> int:
        """Node of an expression on the strategy's timeframe.

        Raises
        ------
        ExpressionError
            A call looks back further than rule E8 allows.
        """
        self._kept.append(root)  # terms are known by identity, so they must live as long as the graph
        stack: list[tuple[Term, Layer]] = [(root, self.own)]
        while stack:
            term, layer = stack[-1]
            if id(term) in layer.done:
                stack.pop()
                continue
            inner = layer
            if isinstance(term, (Application, Source)) and term.timeframe is not None:
                inner = self._layer(term.timeframe)
            if isinstance(term, (Constant, Source)):
                lowered = inner.leaf(term)
            else:
                depth = len(stack)
                below = self._below(term, inner, stack)
                if len(stack) > depth:
                    continue
                lowered = self._one(term, inner, below)
                if lowered.back > LOOKBACK_LIMIT:
                    message = f"this looks back {lowered.back:,} bars of {inner.timeframe}"
                    hint = f"At most {LOOKBACK_LIMIT:,} are allowed: name a higher timeframe, or shorten the lengths."
                    raise error(source, term.at, message, hint)
            stack.pop()
            if inner is not layer:
                lowered = self._seen(lowered, inner)
            layer.done[id(term)] = lowered
        return self.own.done[id(root)].node

    def _below(self, term: WithOperands, layer: Layer, stack: list[tuple[Term, Layer]]) -> list[Lowered]:
        """Nodes of a term's operands; those that have none yet go on the stack, unless they are leaves."""
        done = layer.done
        below: list[Lowered] = []
        waiting: list[tuple[Term, Layer]] = []
        for one in term.operands:
            lowered = done.get(id(one))
            if lowered is not None:
                below.append(lowered)
            elif isinstance(one, Constant) or (isinstance(one, Source) and one.timeframe is None):
                below.append(layer.leaf(one))
            else:
                waiting.append((one, layer))
        if waiting:
            stack.extend(waiting[::-1])
        return below

    @property
    def timeframes(self) -> tuple[Timeframe, ...]:
        """Timeframes by number of their layer."""
        return tuple(layer.timeframe for layer in self._layers.values())

    def _layer(self, timeframe: Timeframe) -> Layer:
        layer = self._layers.get(timeframe.minutes)
        if layer is None:
            layer = self._layers[timeframe.minutes] = Layer(timeframe, len(self._layers), self.nodes)
        return layer

    def _one(self, term: WithOperands, layer: Layer, operands: list[Lowered]) -> Lowered:
        """Node of a term whose operands have theirs."""
        nodes, first, back = [], 0, 0
        for node, one_first, one_back in operands:
            nodes.append(node)
            if one_first > first:
                first = one_first
            if one_back > back:
                back = one_back
        if isinstance(term, Chain):
            node = nodes[0]
            for op, right in zip(term.ops, nodes[1:], strict=True):
                node = layer.build(op, (node, right))
            return new(Lowered, (node, first, back))
        if isinstance(term, Operation):
            step = int(term.op in _STEPPING)
            return new(Lowered, (layer.build(term.op, nodes), first + step, back + step))
        key = id(term.overload), term.constants, *operands
        known = layer.calls.get(key)
        if known is None:
            own = term.overload.first(term.constants)
            node = term.overload.lower(layer.build, nodes, term.constants)
            known = Lowered(node, first + own, back + own)
            if 0.0 not in term.constants:  # which would also find minus zero
                layer.calls[key] = known
        if term.function.counts_for_warm:
            bar = self._strategy_bar(layer.timeframe, known.first)
            self.calls[known.node] = max(self.calls.get(known.node, 0), bar)
        return known

    def _seen(self, lowered: Lowered, layer: Layer) -> Lowered:
        """The same value as the strategy's bars see it: of the last final bar of the coarser timeframe."""
        seen = layer.seen.get(lowered)
        if seen is None:
            node = self.own.build(Op.ALIGN, (lowered.node,))
            seen = layer.seen[lowered] = Lowered(node, self._strategy_bar(layer.timeframe, lowered.first), 0)
        return seen

    def _strategy_bar(self, timeframe: Timeframe, bar: int) -> int:
        """Index of the strategy bar at whose close bar number ``bar`` of a timeframe is final, in nominal sessions."""
        if timeframe.minutes == self.timeframe.minutes:
            return bar
        minutes = self.session_minutes
        length = min(timeframe.minutes or minutes, minutes)
        own = self.timeframe.minutes
        sessions, inside = divmod(bar, -(-minutes // length))
        return sessions * -(-minutes // own) + -(-min((inside + 1) * length, minutes) // own) - 1
