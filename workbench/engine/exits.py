"""Rule D4: one exit reason a position, by precedence, at the close of a strategy bar.

The first four reasons (KILL, DAILY_LOSS, FORCED_FLATTEN, TRADE_DRAWDOWN) are decided in ``on_base_close``, which
has run before at the same instant. Here: STOP_LOSS / TRAILING_STOP, TAKE_PROFIT (only with
``stop_execution="close"``, F7), MAX_HOLDING, EXIT_SIGNAL. ``min_holding_bars`` delays EXIT_SIGNAL and nothing else.
"""

from __future__ import annotations

from workbench.engine.levels import at_or_beyond_stop, at_or_beyond_target, beyond_target, working_stop
from workbench.engine.on_fill import stop_reason
from workbench.engine.records import Direction
from workbench.jit import inlined
from workbench.schema import Reason, Signal


@inlined
def level_exit(config, position, price):  # type: ignore[no-untyped-def]
    """STOP_LOSS, TRAILING_STOP or TAKE_PROFIT if ``price`` is at or beyond its level, else NONE (F7)."""
    direction = 1 if position["qty"] > 0.0 else -1
    stop = working_stop(position["stop"], position["trail"], direction)
    if at_or_beyond_stop(price, stop, direction):
        return stop_reason(position, direction)
    target = position["target"]
    through = config["touch_through"]
    if beyond_target(price, target, direction) if through else at_or_beyond_target(price, target, direction):
        return Reason.TAKE_PROFIT.value
    return Reason.NONE.value


@inlined
def exit_reason(config, position, price, flags):  # type: ignore[no-untyped-def]
    """The reason to leave a position at the close ``price`` of a strategy bar, NONE to stay."""
    if not config["stop_intrabar"]:
        reason = level_exit(config, position, price)
        if reason != Reason.NONE:
            return reason
    held = position["bars_held"]
    if 0 <= config["max_holding_bars"] <= held:
        return Reason.MAX_HOLDING.value
    wanted = Signal.EXIT
    if config["direction"] == Direction.BOTH and position["qty"] < 0.0:
        wanted = Signal.SHORT_EXIT
    if flags & wanted and held >= config["min_holding_bars"]:
        return Reason.EXIT_SIGNAL.value
    return Reason.NONE.value
