"""What the expressions say at each strategy close, packed as the bits of ``schema.Signal``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.jit import njit
from workbench.schema import Signal

Rows = npt.NDArray[np.int32]
Flags = npt.NDArray[np.uint8]


@njit
def rows_of(final: npt.NDArray[np.bool_], closed_at: npt.NDArray[np.int32], rows: Rows) -> None:
    """Write to ``rows`` which strategy close each bar is: the count of closes before the interval it closes at."""
    passed = i = 0
    for bar in range(len(closed_at)):
        while i < closed_at[bar]:
            passed += final[i]
            i += 1
        rows[bar] = passed


@njit
def pack_bars(rows: Rows, warm: npt.NDArray[np.bool_], flags: Flags, k: int) -> None:
    """Mark the closes at which instrument ``k`` has a bar, and those at which it is warm."""
    for bar in range(len(rows)):
        said = Signal.BAR.value
        if warm[bar]:
            said |= Signal.WARM.value
        flags[rows[bar], k] = said


@njit
def pack_condition(values: npt.NDArray[np.float64], rows: Rows, bit: int, flags: Flags, k: int) -> None:
    """Mark the closes at which a condition is true; missing is not true."""
    for bar in range(len(rows)):
        if values[bar] == 1.0:
            flags[rows[bar], k] |= bit
