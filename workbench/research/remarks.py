"""What the reader of a result should know and no table shows: rows of ``result.notes`` about the whole run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from workbench.costs import CostModel
from workbench.engine.records import Market, Signals
from workbench.market.bars import Bars
from workbench.research.caveats import caveats, never_warm
from workbench.schema import Signal
from workbench.strategy import Strategy

#: Instant in nanoseconds UTC, instrument (empty for the whole result), text.
Remark = tuple[int, str, str]


def remarks(
    strategy: Strategy, costs: CostModel, data: Mapping[str, Bars], market: Market, signals: Signals
) -> tuple[Remark, ...]:
    """Every remark on a run, at its first instant.

    Parameters
    ----------
    strategy : Strategy
        What was run.
    costs : CostModel
        Its note says what the model leaves out; rates that begin after the data are said too.
    data : mapping of str to Bars
        By instrument, in the engine's order; their own notes are passed on.
    market, signals : Market, Signals
        What the engine was given.
    """
    if not len(market.open):
        return ()
    first = int(market.times.open_ns[0])
    return tuple((first, name, text) for name, text in _all(strategy, costs, data, (market, signals), first))


def _all(
    strategy: Strategy, costs: CostModel, data: Mapping[str, Bars], given: tuple[Market, Signals], first: int
) -> Iterator[tuple[str, str]]:
    yield "", "VOLUME_UNLIMITED: fills are not limited by the volume of a bar (F1)."
    for said in (costs.note, costs.note_for(first, strategy.product, strategy.calendar)):
        if said:
            yield "", f"COSTS: {said}"
    market, signals = given
    ever_warm = np.atleast_1d((signals.flags & np.uint8(Signal.WARM)).any(axis=0))
    for k, (name, bars) in enumerate(data.items()):
        for said in bars.notes:
            yield name, f"BARS: {said}"
        if not ever_warm[k]:
            yield name, never_warm(strategy, bars)
    yield from caveats(strategy, data, market.times)
