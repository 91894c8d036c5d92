"""One instant of the base grid, read from its columns."""

from __future__ import annotations

from workbench.engine.records import Moment
from workbench.jit import inlined


@inlined
def moment(market, i):  # type: ignore[no-untyped-def]
    """Instant ``i`` of the market; its numbers have one type whatever that of the columns."""
    times = market.times
    return Moment(times.open_ns[i], times.close_ns[i], int(times.session[i]), int(times.flags[i]))
