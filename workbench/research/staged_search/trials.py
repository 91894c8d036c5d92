"""Every set that was tried, in all stages: how many differ, and their returns as one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.research.sweep import Sweep

if TYPE_CHECKING:
    from workbench.research.staged_search.answer import Stage
    from workbench.strategy import Strategy


def n_distinct(*sweeps: Sweep) -> int:
    """How many of their sets differ in the return of any session, to the last bit.

    Sets that never differ are one rule, written in several ways: thresholds between which no score lies, for one.
    """
    return len({row for found in sweeps for row in _rows(found)})


def _rows(found: Sweep) -> list[bytes]:
    table = np.ascontiguousarray(found.returns.to_numpy(np.float64).T) + 0.0  # -0.0 is no other return than 0.0
    dates = found.returns.index.to_numpy()
    return [dates[~np.isnan(row)].tobytes() + row[~np.isnan(row)].tobytes() for row in table]


class Trials:
    """All trials as one sweep, in the order in which they were run: what ``wb.significance`` takes.

    Parameters
    ----------
    stages : sequence of Stage
        All of them.
    rank_by : str
        The statistic that chose.

    Attributes
    ----------
    returns : DataFrame
        In sample, one row a session and one column a trial.
    ranking : int64[trials]
        The locked one first, then the others in their order.
    best : Strategy
        The locked one.
    """

    def __init__(self, stages: Sequence[Stage], rank_by: str) -> None:
        self.rank_by = rank_by
        tables: list[Any] = [stage.trials.returns for stage in stages]
        self.returns: pd.DataFrame = pd.concat(tables, axis=1, ignore_index=True).sort_index()
        last = stages[-1]
        locked = len(self.returns.columns) - len(last.trials) + last.number
        others = np.delete(np.arange(len(self.returns.columns), dtype=np.int64), locked)
        self.ranking: npt.NDArray[np.int64] = np.append(np.int64(locked), others)
        self.best: Strategy = last.strategy
