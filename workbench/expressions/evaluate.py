"""The array form of programs: every node as a column, each the loop over its update (rules E9, B4, E7).

Programs over the same bars share what they have in common: equal nodes are one column, computed when it is first asked
for, by whichever thread asks first, and let go when nobody will read it any more.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from workbench.errors import ConfigError
from workbench.expressions.family import Outline
from workbench.expressions.graph import BITS, Graph
from workbench.expressions.kernels import align, first_value
from workbench.expressions.program import Program
from workbench.indicators.ops import Op
from workbench.indicators.relation import Bytes
from workbench.indicators.update import initialise, run, state_size
from workbench.market.timeframe import Timeframe
from workbench.schema import Leaf

Values = npt.NDArray[np.float64]

_FOUR_ABSENT = (np.full(1, np.nan),) * 4
_BORROWED = (Op.CONST, Op.LEAF)


class Columns(Protocol):
    """Bars of one timeframe by column; ``market.resample`` makes them."""

    @property
    def n(self) -> int:
        """Count of bars."""
        ...

    @property
    def closed_at(self) -> npt.NDArray[np.int32]:
        """int32[n], index of the base interval whose close makes each bar final, ascending."""
        ...

    def leaf(self, which: Leaf) -> Values:
        """float64[n], one column of the bars."""
        ...


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What a program says at every strategy bar.

    Attributes
    ----------
    values : dict of str to float64[n]
        By root; missing is NaN, a condition 1.0, 0.0 or NaN.
    warm : bool[n]
        Rule E7: every call has had a value at or before this bar.
    """

    values: dict[str, Values]
    warm: npt.NDArray[np.bool_]


def evaluate_arrays(program: Program, columns: Mapping[Timeframe, Columns]) -> Evaluated:
    """Run a program over whole columns.

    Parameters
    ----------
    program : Program
    columns : mapping of Timeframe to Columns
        Bars of each of ``program.timeframes``, built from the same base bars.

    Returns
    -------
    Evaluated
        Equal to the last bit to what ``advance`` gives bar by bar.

    Raises
    ------
    ConfigError
        A timeframe's bars are not given.
    """
    absent = [str(one) for one in program.timeframes if one not in columns]
    if absent:
        raise ConfigError(f"bars of {', '.join(absent)} are needed to evaluate this program and were not given")
    return Evaluation([program], columns).of(0)


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """A node of some programs, its column while there is one, and how many will still read it."""

    op: Op
    timeframe: Timeframe
    p: tuple[float, float, float]
    children: tuple[Node, ...]
    readers: int = 0
    is_call: bool = False
    column: Values | None = None
    truth: Bytes | None = None
    first: int = -1
    done: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class Evaluation:
    """Some programs over the bars of one instrument.

    Parameters
    ----------
    programs : sequence of Program or Outline
        Each is evaluated once, in any order, by any thread.
    columns : mapping of Timeframe to Columns
        Bars of each of their timeframes.

    Attributes
    ----------
    computed : int
        How many columns have been computed so far, constants and those of the bars not counted.
    """

    def __init__(self, programs: Sequence[Program | Outline], columns: Mapping[Timeframe, Columns]) -> None:
        self.programs, self.columns = programs, columns
        self.computed = 0
        self._nodes: dict[object, Node] = {}
        self._of_graph: dict[Graph, list[Node]] = {}
        self._free: dict[int, list[Values]] = {}
        self._counting = threading.Lock()
        self._own = [self._merged(program) for program in programs]

    def of(self, number: int) -> Evaluated:
        """Columns of the roots of one program, and from which strategy bar on it is warm."""
        program = self.programs[number]
        n = self.columns[program.timeframe].n
        values = {name: self.value(number, name) for name in program.roots}
        warm = np.ones(n, np.bool_)
        warm[: self.warm_from(number)] = False
        return Evaluated(values, warm)

    def root(self, number: int, name: str) -> Node | None:
        """Node of a root of one program, None if it has no such root; whoever asks becomes its reader."""
        index = self.programs[number].roots.get(name)
        return None if index is None else self._own[number][index]

    def value(self, number: int, name: str) -> Values:
        """Column of a root of one program, float64[n strategy bars]; may be asked for once."""
        node = self.root(number, name)
        assert node is not None, f"the program has no root {name}"
        return self._handed_out(node, self.columns[self.programs[number].timeframe].n)

    def warm_from(self, number: int) -> int:
        """The first strategy bar at which every call has had a value (rule E7); asked for after all roots."""
        program, nodes = self.programs[number], self._own[number]
        return max((self._strategy_bar(nodes[index], program.timeframe) for index in program.calls), default=0)

    def truth(self, node: Node) -> Bytes:
        """Where a condition with several readers is true, uint8[n] of 0 and 1: found once, an eighth of its column."""
        column = self.column(node)
        with node.lock:
            if node.truth is None:
                node.truth = (column == 1.0).view(np.uint8)
            return node.truth

    def passed(self, node: Node) -> None:
        """A node with one reader is done without a column of its own."""
        with self._counting:
            self.computed += 1
            node.readers, node.done = 0, True

    def _handed_out(self, node: Node, n: int) -> Values:
        """A root's column, to be written to by whoever asked: its own if nobody else will read it, else a copy."""
        column = self.column(node)
        with self._counting:
            own = node.readers == 1 and node.op not in _BORROWED
            if own:
                node.readers, node.column = 0, None
        if not own:
            column = np.array(np.broadcast_to(column, (n,)))
            self.release(node)
        return column

    def _merged(self, program: Program | Outline) -> list[Node]:
        """The program's nodes, in its order; those that another one has already are the same."""
        if isinstance(program, Outline):
            found = self._of_graph.setdefault(program.graph, [])
            timeframes = program.timeframes
            for op, children, p, layer in program.graph.nodes[len(found) :]:
                found.append(self._node(op, timeframes[layer], p, [found[child] for child in children]))
        else:
            found = []
            for op, args, constants, _, tf, _ in program.nodes.tolist():
                below = [found[child] for child in args if child >= 0]
                found.append(self._node(op, program.timeframes[tf], tuple(constants), below))
        for index in program.roots.values():
            found[index].readers += 1
        for index in program.calls:
            found[index].is_call = True
        return found

    def _node(self, op: int, timeframe: Timeframe, p: tuple[float, float, float], below: Sequence[Node]) -> Node:
        # Nodes are equal to the bit: 0.0 is not -0.0. Their children are known by identity.
        name = op, timeframe.minutes, BITS(*p), *map(id, below)
        node = self._nodes.get(name)
        if node is None:
            node = self._nodes[name] = Node(Op(op), timeframe, p, tuple(below))
            for child in below:
                child.readers += 1
        return node

    def column(self, root: Node) -> Values:
        """A node's column, computed if nobody has; whoever asks is one of its readers until it says so.

        Walked with a stack: a sum of a thousand terms is a thousand nodes deep. A node is a reader of its children
        until it is done, so they keep their columns as long as they are needed here, whatever other threads do.
        """
        stack = [root]
        while stack:
            node = stack[-1]
            waiting = () if node.done else [child for child in node.children if not child.done]
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            with node.lock:
                if not node.done:
                    self._finish(node)
        assert root.column is not None, "a root keeps its column until it is read"
        return root.column

    def _finish(self, node: Node) -> None:
        """Compute a node whose children are done."""
        children = [child.column for child in node.children]
        node.column = self._computed(node, children)
        if node.is_call:
            node.first = int(first_value(node.column))
        node.done = True
        for child in node.children:
            self.release(child)

    def _computed(self, node: Node, children: Sequence[Any]) -> Values:
        p0, p1, p2 = node.p
        columns = self.columns[node.timeframe]
        if node.op is Op.CONST:
            return np.full(1, p0)
        if node.op is Op.LEAF:
            return columns.leaf(Leaf(int(p0)))
        out = self._buffer(columns.n)
        if node.op is Op.ALIGN:
            align(children[0], self.columns[node.children[0].timeframe].closed_at, columns.closed_at, out)
            return out
        state = np.empty(int(state_size(int(node.op), p0, p1, p2)) or 1)
        initialise(int(node.op), p0, p1, p2, state, 0)
        x0, x1, x2, x3, *_ = [*children, *_FOUR_ABSENT]
        run(int(node.op), x0, x1, x2, x3, p0, p1, p2, state, 0, out)
        return out

    def _buffer(self, n: int) -> Values:
        with self._counting:
            self.computed += 1
            free = self._free.get(n)
            return free.pop() if free else np.empty(n)

    def release(self, node: Node) -> None:
        """Count one reader less; the last one gives the column back, unless it belongs to the bars."""
        with self._counting:
            node.readers -= 1
            if node.readers == 0 and node.column is not None:
                if node.op not in _BORROWED:
                    self._free.setdefault(len(node.column), []).append(node.column)
                node.column = node.truth = None

    def _strategy_bar(self, call: Node, timeframe: Timeframe) -> int:
        """First strategy bar that sees the first value of a call; the count of strategy bars if none does."""
        coarse, own = self.columns[call.timeframe], self.columns[timeframe]
        if call.timeframe == timeframe:
            return call.first
        if call.first >= coarse.n:
            return own.n
        return int(np.searchsorted(own.closed_at, coarse.closed_at[call.first], side="left"))
