"""Which strategy close each bar belongs to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.jit import njit

Rows = npt.NDArray[np.int32]


@njit
def count_closes(final: npt.NDArray[np.bool_], closed_at: npt.NDArray[np.int32], rows: Rows) -> None:
    """Write to ``rows`` which strategy close each bar is: the count of closes before the interval it closes at."""
    passed = i = 0
    for bar in range(len(closed_at)):
        while i < closed_at[bar]:
            passed += final[i]
            i += 1
        rows[bar] = passed


def rows_of(final: npt.NDArray[np.bool_], closed_at: npt.NDArray[np.int32]) -> Rows | None:
    """Which strategy close each bar is, int32[bars]; None if every close has its bar."""
    rows = np.empty(len(closed_at), np.int32)
    count_closes(final, closed_at, rows)
    whole = len(rows) == np.count_nonzero(final) and (not len(rows) or rows[-1] == len(rows) - 1)
    return None if whole else rows
