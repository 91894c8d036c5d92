"""Where in sample ends and out of sample begins: a border between two sessions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from workbench.errors import ConfigError
from workbench.market.bars import Bars
from workbench.research.walk_forward.timeline import timeline_of

#: Of each side; a deviation needs two returns.
LEAST = 2


class Split(NamedTuple):
    """The sessions of both parts, as dates.

    Attributes
    ----------
    in_sample_start, in_sample_end, out_of_sample_start, out_of_sample_end : Timestamp
        First and last session of each part.
    n_in_sample, n_out_of_sample : int
        Sessions in which something traded.
    instant : Timestamp
        Close of the last base interval in sample, UTC: nothing that choosing sees is later.
    """

    in_sample_start: pd.Timestamp
    in_sample_end: pd.Timestamp
    out_of_sample_start: pd.Timestamp
    out_of_sample_end: pd.Timestamp
    n_in_sample: int
    n_out_of_sample: int
    instant: pd.Timestamp

    def known(self, data: Mapping[str, Bars]) -> dict[str, Bars]:
        """The bars that choosing may see.

        Raises
        ------
        ConfigError
            An instrument has none there.
        """
        end = self.in_sample_end.date()
        for name, item in data.items():
            if item.index[0] >= self.instant:
                raise ConfigError(
                    f"{name} has no bar up to {end}, where in sample ends; leave it out, or raise in_sample_frac."
                )
        return {name: item.between(None, end) for name, item in data.items()}


def split_of(data: Mapping[str, Bars], start: Any, in_sample_frac: Any) -> Split:
    """Divide the sessions from ``start`` on in which an instrument has a bar.

    Parameters
    ----------
    data : mapping of str to Bars
        All bars.
    start : date or None
        Bars before it are history for indicators, and in neither part.
    in_sample_frac : float
        Fraction of the sessions that choosing may see, rounded down to whole ones.

    Raises
    ------
    ConfigError
        The fraction is none, ``start`` is an instant, or there are too few sessions.
    """
    number = isinstance(in_sample_frac, int | float) and not isinstance(in_sample_frac, bool)
    if not number or not 0.0 < in_sample_frac < 1.0:
        raise ConfigError(f"in_sample_frac={in_sample_frac!r} is a fraction between 0 and 1, such as 0.7.")
    if start is not None and ":" in str(start).replace(" 00:00:00", ""):
        raise ConfigError(f"start={start!r} is an instant; the bars are split between sessions: write a date.")
    timeline = timeline_of(data, start)
    n = len(timeline.sessions)
    inside = math.floor(n * in_sample_frac + 1e-9)
    if inside < LEAST or n - inside < LEAST:
        raise ConfigError(
            f"there are {n} sessions{'' if start is None else f' from {start} on'}, of which {inside} in sample and "
            f"{n - inside} out of sample; each part needs {LEAST} at least, and many more to say anything."
        )
    last = int(np.searchsorted(timeline.days, timeline.sessions[inside - 1], side="right")) - 1
    return Split(
        timeline.day(0), timeline.day(inside - 1), timeline.day(inside), timeline.day(n - 1), inside, n - inside,
        pd.Timestamp(int(timeline.close_ns[last]), tz="UTC"),
    )  # fmt: skip
