"""A small stand-in for the compiler: lowers calls of the registry and runs the nodes in both forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from workbench.indicators.ops import Op
from workbench.indicators.registry import function
from workbench.indicators.signature import Kind
from workbench.indicators.update import initialise, run, state_size, step
from workbench.schema import Leaf

Column = npt.NDArray[np.float64]
ABSENT = np.full(1, np.nan)


def column(*values: float) -> Column:
    """A column of numbers; None is not allowed, NaN is missing."""
    return np.array(values, dtype=np.float64)


class IndicatorProgram:
    """Nodes in the order in which they were built; equal nodes are one node."""

    def __init__(self) -> None:
        self.nodes: list[tuple[Op, tuple[int, ...], tuple[float, float, float]]] = []
        self.inputs: dict[int, Column] = {}

    def build(self, op: Op, children: Sequence[int] = (), p0: float = 0.0, p1: float = 0.0, p2: float = 0.0) -> int:
        """The node with these parts."""
        node = (op, tuple(children), (float(p0), float(p1), float(p2)))
        if node not in self.nodes:
            self.nodes.append(node)
        return self.nodes.index(node)

    def given(self, values: Column) -> int:
        """A node whose values are handed in."""
        node = self.build(Op.ALIGN, (), float(len(self.inputs)))
        self.inputs[node] = np.ascontiguousarray(values, dtype=np.float64)
        return node

    def call(self, name: str, arguments: Sequence[Column | float], count: int | None = None) -> int:
        """Lower one call; arrays are series or conditions, numbers are lengths and factors."""
        found = function(name)
        assert found is not None, name
        overload = found.overload(len(arguments))
        assert overload is not None, name
        if len(arguments) < len(overload.arguments):
            raise AssertionError(f"{name}: hand in x, the compiler fills it in")
        nodes, constants = [], []
        for spec, value in zip(overload.arguments, arguments, strict=True):
            if spec.kind in (Kind.LENGTH, Kind.FACTOR):
                constants.append(float(value))  # type: ignore[arg-type]
            else:
                nodes.append(self.given(np.asarray(value, dtype=np.float64)))
        return overload.lower(self.build, nodes, constants)

    def children(self, index: int, columns: Mapping[Leaf, Column], done: Sequence[Column]) -> list[Column]:
        """Columns a node reads, four of them."""
        op, children, constants = self.nodes[index]
        if index in self.inputs:
            found = [self.inputs[index]]
        elif op == Op.LEAF:
            found = [columns[Leaf(int(constants[0]))]]
        else:
            found = [done[child] for child in children]
        return found + [ABSENT] * (4 - len(found))

    def arrays(self, columns: Mapping[Leaf, Column], length: int) -> list[Column]:
        """Every node by the array form."""
        done: list[Column] = []
        with np.errstate(all="ignore"):
            for index, (op, _, p) in enumerate(self.nodes):
                state = np.full(state_size(int(op), *p) + 2, -7.0)
                initialise(int(op), *p, state, 1)
                out = np.empty(length)
                run(int(op), *self.children(index, columns, done), *p, state, 1, out)
                assert state[0] == -7.0 and state[-1] == -7.0, f"{op.name} wrote outside its memory"
                done.append(out)
        return done

    def bars(self, columns: Mapping[Leaf, Column], length: int, restore_at: Sequence[int] = ()) -> list[Column]:
        """Every node bar by bar; at the bars named the memory is copied away, spoilt and copied back."""
        sizes = [state_size(int(op), *p) for op, _, p in self.nodes]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
        state = np.empty(int(starts[-1]))
        done = [np.full(length, np.nan) for _ in self.nodes]
        with np.errstate(all="ignore"):
            for (op, _, p), start in zip(self.nodes, starts[:-1], strict=True):
                initialise(int(op), *p, state, int(start))
            for i in range(length):
                if i in restore_at:
                    kept = state.copy()
                    state = np.random.default_rng(i).normal(size=state.shape)
                    state = kept.copy()
                for index, (op, _, p) in enumerate(self.nodes):
                    x = [float(c[i] if len(c) > 1 else c[0]) for c in self.children(index, columns, done)]
                    done[index][i] = step(int(op), *x, *p, state, int(starts[index]))
        return done


def values(name: str, arguments: Sequence[Column | float] = (), bars: Mapping[Leaf, Column] | None = None) -> Column:
    """Column of one call by the array form."""
    program = IndicatorProgram()
    index = program.call(name, arguments)
    lengths = [len(a) for a in arguments if isinstance(a, np.ndarray)] + [len(c) for c in (bars or {}).values()]
    return program.arrays(bars or {}, lengths[0])[index]


def primitive(op: Op, inputs: Sequence[Column], p0: float = 0.0) -> Column:
    """Column of one primitive operation by the array form."""
    program = IndicatorProgram()
    index = program.build(op, [program.given(x) for x in inputs], p0)
    return program.arrays({}, len(inputs[0]))[index]
