"""The array form of a program: every node as a column, each the loop over its update (rules E9, B4, E7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from workbench.errors import ConfigError
from workbench.expressions.kernels import align, first_value
from workbench.expressions.program import Program
from workbench.indicators.ops import Op
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
    return _Evaluation(program, columns).all()


class _Evaluation:
    """One pass over the nodes; a column is given back for the next one when nobody reads it any more."""

    def __init__(self, program: Program, columns: Mapping[Timeframe, Columns]) -> None:
        self.program = program
        self.nodes: Any = program.nodes
        self.columns = [columns[one] for one in program.timeframes]
        self.held: dict[int, Values] = {}
        self.free: dict[int, list[Values]] = {}
        self.readers = np.bincount(np.ravel(self.nodes["args"]) + 1, minlength=len(program) + 1)[1:]
        for node in program.roots.values():
            self.readers[node] += 1
        self.warm_from = 0

    def all(self) -> Evaluated:
        """Columns of the roots, and from which strategy bar on the program is warm."""
        ops = [Op(op) for op in self.nodes["op"].tolist()]
        tfs, arguments = self.nodes["tf"].tolist(), self.nodes["args"].tolist()
        for index, op in enumerate(ops):
            children = [child for child in arguments[index] if child >= 0]
            self.held[index] = out = self._column(index, op, tfs[index], children)
            if self.nodes[index]["is_call"]:
                self.warm_from = max(self.warm_from, self._strategy_bar(int(first_value(out)), tfs[index]))
            for child in children:
                self._release(child, tfs[child], ops[child])
        n = self.columns[-1].n
        # Columns that belong to the bars, and constants, are copied: what is handed out may be written to.
        values = {
            name: np.array(np.broadcast_to(self.held[node], (n,))) if ops[node] in _BORROWED else self.held[node]
            for name, node in self.program.roots.items()
        }
        warm = np.ones(n, np.bool_)
        warm[: self.warm_from] = False
        return Evaluated(values, warm)

    def _column(self, index: int, op: Op, tf: int, children: list[int]) -> Values:
        p0, p1, p2 = (float(one) for one in self.nodes["p"][index])
        columns = self.columns[tf]
        if op is Op.CONST:
            return np.full(1, p0)
        if op is Op.LEAF:
            return columns.leaf(Leaf(int(p0)))
        out = self._buffer(columns.n)
        if op is Op.ALIGN:
            coarse = self.columns[int(self.nodes["tf"][children[0]])]
            align(self.held[children[0]], coarse.closed_at, columns.closed_at, out)
            return out
        state = np.empty(int(state_size(int(op), p0, p1, p2)) or 1)
        initialise(int(op), p0, p1, p2, state, 0)
        x0, x1, x2, x3, *_ = [*(self.held[child] for child in children), *_FOUR_ABSENT]
        run(int(op), x0, x1, x2, x3, p0, p1, p2, state, 0, out)
        return out

    def _buffer(self, n: int) -> Values:
        free = self.free.get(n)
        return free.pop() if free else np.empty(n)

    def _release(self, child: int, tf: int, op: Op) -> None:
        """Count one reader less; the last one gives the column back, unless it belongs to the bars."""
        self.readers[child] -= 1
        if self.readers[child] == 0:
            column = self.held.pop(child)
            if op not in _BORROWED:
                self.free.setdefault(self.columns[tf].n, []).append(column)

    def _strategy_bar(self, bar: int, tf: int) -> int:
        """First strategy bar that sees bar number ``bar`` of a timeframe; the count of strategy bars if none does."""
        coarse, own = self.columns[tf], self.columns[-1]
        if tf == len(self.columns) - 1:
            return bar
        if bar >= coarse.n:
            return own.n
        return int(np.searchsorted(own.closed_at, coarse.closed_at[bar], side="left"))
