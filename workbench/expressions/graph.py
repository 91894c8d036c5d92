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
    WITH_OPERANDS,
    WITH_TIMEFRAME,
    Chain,
    Constant,
    Operation,
    Source,
    Term,
    WithOperands,
)
from workbench.indicators.ops import Op
from workbench.market.timeframe import Timeframe

_BITS: Final = struct.Struct("3d").pack

#: Operations that read the bar before.
_STEPPING: Final = (Op.CROSS_ABOVE, Op.CROSS_BELOW, Op.MOVING_UP, Op.MOVING_DOWN)


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

    def build(self, op: Op, children: Sequence[int] = (), p0: float = 0.0, p1: float = 0.0, p2: float = 0.0) -> int:
        """Index of a node, which is made unless an equal one exists (equal to the bit: 0.0 is not -0.0)."""
        key = int(op), tuple(children), _BITS(p0, p1, p2)
        index = self._index.get(key)
        if index is None:
            index = self._index[key] = len(self.nodes)
            self.nodes.append(GraphNode(key[0], key[1], (float(p0), float(p1), float(p2)), self.number))
        return index


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
        self._layers = {timeframe: self.own}
        self._kept: list[Term] = []

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
            if isinstance(term, WITH_TIMEFRAME) and term.timeframe is not None:
                inner = self._layer(term.timeframe)
            below: list[Lowered] = []
            if isinstance(term, WITH_OPERANDS):
                below = self._below(term, inner, stack)
                if len(below) < len(term.operands):
                    continue
            stack.pop()
            lowered = self._one(term, inner, below)
            if lowered.back > LOOKBACK_LIMIT:
                message = f"this looks back {lowered.back:,} bars of {inner.timeframe}"
                hint = f"At most {LOOKBACK_LIMIT:,} are allowed: name a higher timeframe, or shorten the lengths."
                raise error(source, term.at, message, hint)
            layer.done[id(term)] = lowered if inner is layer else self._aligned(lowered, inner.timeframe)
        return self.own.done[id(root)].node

    def _below(self, term: WithOperands, layer: Layer, stack: list[tuple[Term, Layer]]) -> list[Lowered]:
        """Nodes of a term's operands; those that have none yet go on the stack, unless they are constants."""
        done = layer.done
        below: list[Lowered] = []
        waiting: list[tuple[Term, Layer]] = []
        for one in term.operands:
            lowered = done.get(id(one))
            if lowered is None and isinstance(one, Constant):
                lowered = done[id(one)] = Lowered(layer.build(Op.CONST, (), one.value), 0, 0)
            if lowered is None:
                waiting.append((one, layer))
            else:
                below.append(lowered)
        stack.extend(reversed(waiting))
        return below

    @property
    def timeframes(self) -> tuple[Timeframe, ...]:
        """Timeframes by number of their layer."""
        return tuple(self._layers)

    def _layer(self, timeframe: Timeframe) -> Layer:
        layer = self._layers.get(timeframe)
        if layer is None:
            layer = self._layers[timeframe] = Layer(timeframe, len(self._layers), self.nodes)
        return layer

    def _one(self, term: Term, layer: Layer, operands: list[Lowered]) -> Lowered:
        """Node of a term whose operands have theirs."""
        if isinstance(term, Constant):
            return Lowered(layer.build(Op.CONST, (), term.value), 0, 0)
        if isinstance(term, Source):
            return Lowered(term.series.lower(layer.build), 0, 0)
        nodes, first, back = [], 0, 0
        for one in operands:
            nodes.append(one.node)
            first, back = max(first, one.first), max(back, one.back)
        if isinstance(term, Operation):
            step = int(term.op in _STEPPING)
            return Lowered(layer.build(term.op, nodes), first + step, back + step)
        if isinstance(term, Chain):
            node = nodes[0]
            for op, right in zip(term.ops, nodes[1:], strict=True):
                node = layer.build(op, (node, right))
            return Lowered(node, first, back)
        own = term.overload.first(term.constants)
        node = term.overload.lower(layer.build, nodes, term.constants)
        if term.function.counts_for_warm:
            self.calls[node] = max(self.calls.get(node, 0), self._strategy_bar(layer.timeframe, first + own))
        return Lowered(node, first + own, back + own)

    def _aligned(self, lowered: Lowered, timeframe: Timeframe) -> Lowered:
        """The same value as the strategy's bars see it: of the last final bar of the coarser timeframe."""
        node = self.own.build(Op.ALIGN, (lowered.node,))
        return Lowered(node, self._strategy_bar(timeframe, lowered.first), 0)

    def _strategy_bar(self, timeframe: Timeframe, bar: int) -> int:
        """Index of the strategy bar at whose close bar number ``bar`` of a timeframe is final, in nominal sessions."""
        if timeframe == self.timeframe:
            return bar
        minutes = self.session_minutes
        length = min(timeframe.minutes or minutes, minutes)
        own = self.timeframe.minutes
        sessions, inside = divmod(bar, -(-minutes // length))
        return sessions * -(-minutes // own) + -(-min((inside + 1) * length, minutes) // own) - 1
