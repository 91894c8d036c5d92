"""Many programs laid end to end, so that one kernel call advances all of them by a bar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.expressions.kernels import all_seen, prepare
from workbench.expressions.program import Program
from workbench.market.timeframe import Timeframe


class Batch:
    """Programs of many deployments with their memory, in flat arrays.

    Parameters
    ----------
    programs : sequence of Program
        In the order in which they are numbered.

    Attributes
    ----------
    nodes : record array
        Of all programs; children and memory at absolute offsets.
    state : float64[cells], values : float64[nodes], seen : uint8[nodes]
        Memory, latest values, and which calls have had a value.
    node_off, state_off : int64[programs + 1]
        Where each program's nodes and memory start; copying a program's slices saves it.
    """

    def __init__(self, programs: Sequence[Program]) -> None:
        self.programs = tuple(programs)
        self.node_off = np.concatenate([[0], np.cumsum([len(one) for one in programs])]).astype(np.int64)
        self.state_off = np.concatenate([[0], np.cumsum([one.state_size for one in programs])]).astype(np.int64)
        parts: list[Any] = []
        for number, program in enumerate(programs):
            part: Any = program.nodes.copy()
            part["args"] = np.where(part["args"] >= 0, part["args"] + self.node_off[number], -1)
            part["state_off"] += self.state_off[number]
            parts.append(part)
        self.nodes = np.concatenate(parts)
        self.state = np.empty(max(1, int(self.state_off[-1])))
        self.values = np.empty(len(self.nodes))
        self.seen = np.empty(len(self.nodes), np.uint8)
        prepare(self.nodes, self.state, self.values, self.seen)

    def jobs(
        self, timeframe: Timeframe, which: Iterable[int] | None = None, row: int | None = None
    ) -> npt.NDArray[np.int64]:
        """What ``advance_all`` does when a bar of one timeframe closes.

        Parameters
        ----------
        timeframe : Timeframe
            Whose bar closed; programs that do not read it have no job.
        which : iterable of int, optional
            Numbers of the programs with a closed bar; all of them unless given.
        row : int, optional
            Row of ``leaves`` that every job reads; unless given, job i reads row i.

        Returns
        -------
        int64[jobs, 3]
            First node, last node (exclusive) and row of ``leaves`` of each.
        """
        jobs: list[tuple[int, int, int]] = []
        for number in range(len(self.programs)) if which is None else which:
            program = self.programs[number]
            if timeframe in program.timeframes:
                k, off = program.timeframes.index(timeframe), int(self.node_off[number])
                line = len(jobs) if row is None else row
                jobs.append((off + int(program.first[k]), off + int(program.last[k]), line))
        return np.array(jobs, np.int64).reshape(-1, 3)

    def value(self, number: int, root: str) -> float:
        """Latest value of one root of one program; missing is NaN."""
        return float(self.values[self.node_off[number] + self.programs[number].roots[root]])

    def is_warm(self, number: int) -> bool:
        """Whether every call of one program has had a value (rule E7)."""
        return bool(all_seen(self.seen, self.programs[number].calls + self.node_off[number]))
