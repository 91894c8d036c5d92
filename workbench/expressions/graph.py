"""The DAG of a program while it grows, in which equal nodes are one node, and how terms become its nodes.

A node lives on one timeframe. What runs on a coarser one than the strategy's is computed there, once a bar, and read
on the strategy's through an ALIGN node (rule B4). Terms are walked with a stack, because chains are deep to the left.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from workbench.expressions.calls import LOOKBACK_LIMIT
from workbench.expressions.source import error
from workbench.expressions.terms import Application, Constant, Operation, Source, Term
from workbench.indicators.ops import Op
from workbench.market.timeframe import Timeframe

#: Operations that read the bar before.
_STEPPING: Final = (Op.CROSS_ABOVE, Op.CROSS_BELOW, Op.MOVING_UP, Op.MOVING_DOWN)


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One node: ``op(children; p)`` on a timeframe."""

    op: Op
    children: tuple[int, ...]
    p: tuple[float, float, float]
    timeframe: Timeframe


class Graph:
    """Nodes in the order they were made; children before parents."""

    def __init__(self) -> None:
        self.nodes: list[GraphNode] = []
        self._index: dict[tuple[Op, tuple[int, ...], bytes, Timeframe], int] = {}

    def add(
        self,
        op: Op,
        children: Sequence[int] = (),
        p: tuple[float, float, float] = (0.0, 0.0, 0.0),
        *,
        timeframe: Timeframe,
    ) -> int:
        """Index of a node, which is made unless an equal one exists (equal to the bit: 0.0 is not -0.0)."""
        key = op, tuple(children), struct.pack("3d", *p), timeframe
        index = self._index.get(key)
        if index is None:
            index = self._index[key] = len(self.nodes)
            self.nodes.append(GraphNode(op, tuple(children), p, timeframe))
        return index

    def builder(self, timeframe: Timeframe) -> Callable[..., int]:
        """``Build`` of the registry: makes nodes on one timeframe."""

        def build(op: Op, children: Sequence[int] = (), p0: float = 0.0, p1: float = 0.0, p2: float = 0.0) -> int:
            return self.add(op, children, (float(p0), float(p1), float(p2)), timeframe=timeframe)

        return build


class Lowered(NamedTuple):
    """A term's node; ``first`` and ``back`` count bars of the node's timeframe.

    ``first`` is the index of the first bar with a value on clean data, ``back`` how far the value looks back.
    """

    node: int
    first: int
    back: int


class Lowering:
    """Turns the terms of one program into nodes.

    Parameters
    ----------
    graph : Graph
        Where the nodes go.
    timeframe : Timeframe
        The strategy's.
    session_minutes : int
        Nominal length of a session, for counts of coarser bars in strategy bars.
    """

    def __init__(self, graph: Graph, timeframe: Timeframe, session_minutes: int) -> None:
        self.graph, self.timeframe, self.session_minutes = graph, timeframe, session_minutes
        #: Node of every call that warm waits for, with the strategy bar on which it first has a value.
        self.calls: dict[int, int] = {}

    def lower(self, root: Term, source: str) -> int:
        """Node of an expression on the strategy's timeframe.

        Raises
        ------
        ExpressionError
            A call looks back further than rule E8 allows.
        """
        done: dict[tuple[int, Timeframe], Lowered] = {}
        stack: list[tuple[Term, Timeframe]] = [(root, self.timeframe)]
        while stack:
            term, on = stack[-1]
            if (id(term), on) in done:
                stack.pop()
                continue
            inner = (term.timeframe or on) if isinstance(term, Application | Source) else on
            operands = term.operands if isinstance(term, Application | Operation) else ()
            waiting = [(one, inner) for one in operands if (id(one), inner) not in done]
            if waiting:
                stack.extend(reversed(waiting))
                continue
            stack.pop()
            lowered = self._one(term, inner, [done[id(one), inner] for one in operands])
            if lowered.back > LOOKBACK_LIMIT:
                message = f"this looks back {lowered.back:,} bars of {inner}, at most {LOOKBACK_LIMIT:,} are allowed"
                raise error(source, term.at, message, "Name a higher timeframe, or shorten the lengths.")
            done[id(term), on] = lowered if inner == on else self._aligned(lowered, inner)
        return done[id(root), self.timeframe].node

    def _one(self, term: Term, on: Timeframe, operands: list[Lowered]) -> Lowered:
        """Node of a term whose operands have theirs."""
        build = self.graph.builder(on)
        nodes = [one.node for one in operands]
        first = max((one.first for one in operands), default=0)
        back = max((one.back for one in operands), default=0)
        match term:
            case Constant():
                return Lowered(build(Op.CONST, (), term.value), 0, 0)
            case Source():
                return Lowered(term.series.lower(build), 0, 0)
            case Operation():
                step = int(term.op in _STEPPING)
                return Lowered(build(term.op, nodes), first + step, back + step)
            case Application():
                own = term.overload.first(term.constants)
                node = term.overload.lower(build, nodes, term.constants)
                if term.function.counts_for_warm:
                    self.calls[node] = max(self.calls.get(node, 0), self._strategy_bar(on, first + own))
                return Lowered(node, first + own, back + own)
        raise AssertionError(f"no term: {type(term).__name__}")

    def _aligned(self, lowered: Lowered, timeframe: Timeframe) -> Lowered:
        """The same value as the strategy's bars see it: of the last final bar of the coarser timeframe."""
        node = self.graph.add(Op.ALIGN, (lowered.node,), timeframe=self.timeframe)
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
