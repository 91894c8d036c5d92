"""Expressions as data: one typed DAG for everything a strategy evaluates, run by kernels that exist beforehand.

Nothing is compiled when a strategy is made. ``compile_program`` parses, checks and lays out nodes in the order in
which they run: timeframes from the coarsest to the strategy's own, and within one, children before parents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from workbench.expressions.check import check
from workbench.expressions.graph import Graph
from workbench.expressions.scope import CONDITION, NUMBER
from workbench.expressions.source import readable
from workbench.indicators.ops import Op
from workbench.indicators.registry import function
from workbench.indicators.signature import ValueType
from workbench.indicators.update import state_size
from workbench.market.timeframe import Timeframe
from workbench.schema import Leaf

#: One node. ``args`` are indices of its children, -1 for none; ``p`` its constants; ``state_off`` where its memory
#: starts; ``tf`` the index of its timeframe; ``is_call`` whether warm waits for it (rule E7).
node_dtype = np.dtype(
    [
        ("op", np.int32),
        ("args", np.int32, (4,)),
        ("p", np.float64, (3,)),
        ("state_off", np.int64),
        ("tf", np.int32),
        ("is_call", np.uint8),
    ],
    align=True,
)

# Below it are the arithmetic operations and combinations of one bar, which remember nothing.
_STATELESS: Final = int(Op.AND)
_LEAF: Final = int(Op.LEAF)

_ABSENT: Final = (-1, -1, -1, -1)

#: What the value of each root of a strategy must be; other names may be either.
ROOT_TYPES: Final[dict[str, ValueType]] = {
    "entry": CONDITION,
    "exit": CONDITION,
    "short_entry": CONDITION,
    "short_exit": CONDITION,
    "rank": NUMBER,
}

#: Root of the average true range that a stop is set from.
STOP_ATR: Final = "stop_atr"

#: Minutes of a nominal session, where the caller does not say (NSE 09:15–15:30).
SESSION_MINUTES: Final = 375


@dataclass(frozen=True, eq=False)
class Program:
    """A compiled strategy: plain data that can be pickled, concatenated and run by any of the kernels.

    Attributes
    ----------
    nodes : record array[nodes]
        Of ``node_dtype``, in the order in which they run.
    timeframes : tuple of Timeframe
        Coarsest first, the strategy's last.
    first, last : int64[timeframes]
        Nodes ``first[k]`` to ``last[k] - 1`` live on timeframe k.
    state_size : int
        ``float64`` cells of memory of all nodes together.
    roots : dict of str to int
        Node of each expression, and of ``stop_atr``.
    calls : int64[calls]
        Nodes that must have had a value before entries are allowed (rule E7).
    warm_bars : int
        Strategy bars after which they all have one on clean data; informative.
    leaves : tuple of tuple of Leaf
        What is read of the bars of each timeframe.
    """

    nodes: npt.NDArray[np.void]
    timeframes: tuple[Timeframe, ...]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    state_size: int
    roots: dict[str, int]
    calls: npt.NDArray[np.int64]
    warm_bars: int
    leaves: tuple[tuple[Leaf, ...], ...]

    @property
    def timeframe(self) -> Timeframe:
        """The strategy's timeframe."""
        return self.timeframes[-1]

    def __len__(self) -> int:
        return len(self.nodes)


def compile_program(
    sources: Mapping[str, str],
    params: Mapping[str, object] | None = None,
    timeframe: Timeframe | str = "1d",
    stop_atr_length: int | None = None,
    session_minutes: int = SESSION_MINUTES,
) -> Program:
    """Compile the expressions of one strategy into one program.

    Parameters
    ----------
    sources : mapping of root to text
        ``entry``, ``exit``, ``short_entry``, ``short_exit`` (conditions), ``rank`` (a number); another name may be
        either.
    params : mapping, optional
        Values of ``$name``.
    timeframe : Timeframe or str
        The strategy's.
    stop_atr_length : int, optional
        Adds the root ``stop_atr``, ATR of this length on the strategy's timeframe, for which warm does not wait.
    session_minutes : int
        Nominal length of a session, by which ``warm_bars`` counts bars of coarser timeframes.

    Raises
    ------
    ExpressionError
        An expression cannot be used: line, column, caret and how to fix it.
    ConfigError
        ``timeframe`` is none.
    """
    graph = Graph(Timeframe.parse(timeframe), max(1, session_minutes))
    return _laid_out(graph, lowered(graph, sources, params or {}, stop_atr_length))


def lowered(
    graph: Graph, sources: Mapping[str, str], params: Mapping[str, object], stop_atr_length: int | None
) -> dict[str, int]:
    """Nodes of the roots of one program, whose own are added to a graph; arguments as for ``compile_program``."""
    roots: dict[str, int] = {}
    for root, text in sources.items():
        term = check(text, params, graph.timeframe, ROOT_TYPES.get(root))
        roots[root] = graph.lower(term, readable(text))
    if stop_atr_length is not None:
        atr = function("ATR")
        assert atr is not None
        roots[STOP_ATR] = atr.overloads[0].lower(graph.own.build, (), (float(stop_atr_length),))
    return roots


def _laid_out(graph: Graph, roots: dict[str, int]) -> Program:
    """Sort the nodes into the order in which they run and give each its memory.

    Written with lists: most programs have a dozen nodes, and a sweep compiles thousands of programs.
    """
    timeframes = sorted(graph.timeframes, reverse=True)
    rank = [timeframes.index(timeframe) for timeframe in graph.timeframes]
    order: Sequence[int] = range(len(graph.nodes))
    if len(rank) > 1:
        order = sorted(order, key=lambda index: rank[graph.nodes[index].layer])
    place = [0] * len(graph.nodes)
    for row, index in enumerate(order):
        place[index] = row
    constants: list[float] = []
    ops, args, offsets, tfs = [], [], [], []
    counts = [0] * len(timeframes)
    leaves: list[set[Leaf]] = [set() for _ in timeframes]
    size = 0
    for index in order:
        op, children, p, layer = graph.nodes[index]
        tf = rank[layer]
        counts[tf] += 1
        ops.append(op)
        args.extend([place[child] for child in children])
        args.extend(_ABSENT[len(children) :])
        constants.extend(p)
        offsets.append(size)
        tfs.append(tf)
        if op == _LEAF:
            leaves[tf].add(Leaf(int(p[0])))
        elif op >= _STATELESS:
            size += int(state_size(op, *p))
    calls = sorted(place[index] for index in graph.calls)
    nodes: Any = np.zeros(len(ops), node_dtype)
    nodes["op"], nodes["state_off"], nodes["tf"] = ops, offsets, tfs
    nodes["args"] = np.array(args, np.int32).reshape(-1, 4)
    nodes["p"] = np.array(constants).reshape(-1, 3)
    nodes["is_call"][calls] = 1
    last = np.cumsum(counts, dtype=np.int64)
    return Program(
        nodes=nodes,
        timeframes=tuple(timeframes),
        first=last - np.array(counts, np.int64),
        last=last,
        state_size=size,
        roots={name: place[index] for name, index in roots.items()},
        calls=np.array(calls, np.int64),
        warm_bars=max((bar + 1 for bar in graph.calls.values()), default=0),
        leaves=tuple(tuple(sorted(one)) for one in leaves),
    )
