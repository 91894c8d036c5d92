"""Expressions as data: one typed DAG for everything a strategy evaluates, run by kernels that exist beforehand.

Nothing is compiled when a strategy is made. ``compile_program`` parses, checks and lays out nodes in the order in
which they run: timeframes from the coarsest to the strategy's own, and within one, children before parents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
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
    own = Timeframe.parse(timeframe)
    graph = Graph(own, max(1, session_minutes))
    roots: dict[str, int] = {}
    for root, text in sources.items():
        term = check(text, params or {}, own, ROOT_TYPES.get(root))
        roots[root] = graph.lower(term, readable(text))
    if stop_atr_length is not None:
        atr = function("ATR")
        assert atr is not None
        roots[STOP_ATR] = atr.overloads[0].lower(graph.own.build, (), (float(stop_atr_length),))
    return _laid_out(graph, roots)


def _laid_out(graph: Graph, roots: dict[str, int]) -> Program:
    """Sort the nodes into the order in which they run and give each its memory."""
    timeframes = sorted(graph.timeframes, reverse=True)
    rank = np.array([timeframes.index(timeframe) for timeframe in graph.timeframes])
    ops, children, constants, layers = zip(*graph.nodes, strict=True)
    count = len(ops)
    tf_of = rank[np.array(layers)]
    order = np.argsort(tf_of, kind="stable")
    place = np.full(count + 1, -1, np.int32)  # the last one is where -1, no child, points to
    place[order] = np.arange(count, dtype=np.int32)
    four = chain.from_iterable([(*one, *_ABSENT[len(one) :]) for one in children])
    sizes = [0 if op < _STATELESS else int(state_size(op, *p)) for op, p in zip(ops, constants, strict=True)]
    ordered = np.array(sizes, np.int64)[order]
    nodes: Any = np.zeros(count, node_dtype)
    nodes["op"] = np.array(ops, np.int32)[order]
    nodes["args"] = place[np.fromiter(four, np.int32, 4 * count).reshape(-1, 4)[order]]
    nodes["p"] = np.fromiter(chain.from_iterable(constants), np.float64, 3 * count).reshape(-1, 3)[order]
    nodes["state_off"] = np.cumsum(ordered) - ordered
    nodes["tf"] = tf_of[order]
    nodes["is_call"][place[list(graph.calls)]] = 1
    bounds = np.searchsorted(nodes["tf"], np.arange(len(timeframes) + 1))
    leaves: list[set[Leaf]] = [set() for _ in timeframes]
    for node in nodes[nodes["op"] == Op.LEAF]:
        leaves[node["tf"]].add(Leaf(int(node["p"][0])))
    return Program(
        nodes=nodes,
        timeframes=tuple(timeframes),
        first=bounds[:-1].astype(np.int64),
        last=bounds[1:].astype(np.int64),
        state_size=sum(sizes),
        roots={name: int(place[index]) for name, index in roots.items()},
        calls=np.flatnonzero(nodes["is_call"]),
        warm_bars=max((bar + 1 for bar in graph.calls.values()), default=0),
        leaves=tuple(tuple(sorted(one)) for one in leaves),
    )
