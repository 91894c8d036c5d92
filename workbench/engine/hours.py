"""Hours in which a strategy can never do what it asks for, as far as calendar and bars tell (rules D6, X1 to X4)."""

from __future__ import annotations

import numpy as np

from workbench.engine.timetable import NEVER, exit_instants
from workbench.errors import StrategyError
from workbench.market.grid import Grid
from workbench.market.sessions import DayKind, wall_ns
from workbench.strategy import Strategy


def check_hours(strategy: Strategy, grid: Grid) -> None:
    """Refuse wall times with which nothing could enter, or nothing would leave, on any day of the bars.

    Parameters
    ----------
    strategy : Strategy
        Its entry window, exit time and execution.
    grid : Grid
        Of the base bars. A run over special sessions alone is not judged.

    Raises
    ------
    StrategyError
        The entry window or the exit time lies outside every session (D6, X4), or the exit time at or before the proxy
        close (X3, X4).
    """
    sessions = grid.sessions
    normal = np.flatnonzero(sessions.kind == DayKind.NORMAL)
    if not len(normal):
        return
    zone = grid.calendar.zone
    shown = sessions.session(int(normal[0]), grid.calendar.name, zone)
    if strategy.execution == "proxy_close" and strategy.exit_time is not None:
        leaves = exit_instants(strategy.exit_time, grid)[normal]
        if (leaves <= sessions.proxy_close_ns[normal]).all():
            raise StrategyError(
                f"strategy {strategy.name!r}: exit_time {strategy.exit_time} lies at or before the proxy close "
                f"({shown.proxy_close:%H:%M} on a normal day), at which execution proxy_close enters: nothing could "
                "ever enter. Leave exit_time out, or choose a later one."
            )
    if strategy.exit_time is not None and (exit_instants(strategy.exit_time, grid) == NEVER).all():
        raise StrategyError(
            f"strategy {strategy.name!r}: exit_time {strategy.exit_time} lies outside every session of the bars "
            f"({shown.open:%H:%M}-{shown.close:%H:%M} on a normal day): it would never act, and positions would stay. "
            f"Its times are those of the exchange, {zone}; '-20m' is 20 minutes before each close."
        )
    if strategy.entry_window is not None and not _touches_a_session(strategy.entry_window, grid):
        start, stop = strategy.entry_window
        raise StrategyError(
            f"strategy {strategy.name!r}: entry_window {start}-{stop} lies outside every session of the bars "
            f"({shown.open:%H:%M}-{shown.close:%H:%M} on a normal day): nothing could ever enter. Its times are those "
            f"of the exchange, {zone}."
        )


def _touches_a_session(window: tuple[str, str], grid: Grid) -> bool:
    """Whether some session has an instant after its open and up to its close inside ``[a, b)``."""
    sessions, zone = grid.sessions, grid.calendar.zone
    start, stop = (60 * int(text[:2]) + int(text[3:]) for text in window)
    # A session may run over midnight, named by the day on which it closes or opens.
    for days_off in (-1, 0, 1):
        day = sessions.date.astype(np.int64) + days_off
        if ((wall_ns(day, start, zone) <= sessions.close_ns) & (wall_ns(day, stop, zone) > sessions.open_ns)).any():
            return True
    return False
