"""Bars as they might have been: real ones until a moment, from which on every price is another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from workbench.market.bars import Bars
from workbench.market.columns import PRICES

#: From one bar on, every price times a factor.
Step = tuple[int, float]


def shocked(data: Mapping[str, Bars], since: pd.Timestamp, steps: Sequence[Step]) -> dict[str, Bars]:
    """Bars of all instruments with the same shocks.

    Parameters
    ----------
    data : mapping of str to Bars
        As they were.
    since : Timestamp
        Stamp of the bar from which steps are counted.
    steps : sequence of (int, float)
        So many bars later, prices are those that were, times a factor; later steps replace earlier ones.
    """
    found = {}
    for name, bars in data.items():
        frame = bars.frame.copy()
        factors, first = np.ones(len(frame)), int(frame.index.searchsorted(since))
        for later, factor in steps:
            factors[first + later :] = factor
        frame[list(PRICES)] = frame[list(PRICES)].mul(factors, axis=0)
        found[name] = Bars(frame, bars.timeframe, bars.calendar, bars.basis, max_jump_ratio=1e9)
    return found
