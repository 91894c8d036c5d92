"""Levels of protective orders (rules F2 and F6).

A stop lies on the losing side of the entry, a target on the winning side; ``direction`` is +1 for a long, -1 for a
short. Levels are rounded to the tick away from the entry for stops and targets alike (a long's stop down, a
long's target up), within 1e-9 of a tick, then to 9 places.
"""

from __future__ import annotations

import math

import numpy as np

from workbench.jit import njit
from workbench.tolerance import less, less_equal

PLACES = 1e9


@njit
def round_to_tick(level: float, tick: float, upward: bool) -> float:
    """Round a level to the tick, up or down, then to 9 places."""
    if tick > 0.0:
        ticks = level / tick
        level = (np.ceil(ticks - 1e-9) if upward else np.floor(ticks + 1e-9)) * tick
    return float(np.rint(level * PLACES) / PLACES)


@njit
def stop_level(level: float, direction: int, tick: float) -> float:
    """Round a stop to the tick: a long's down, a short's up (F2)."""
    return round_to_tick(level, tick, direction < 0)


@njit
def target_level(level: float, direction: int, tick: float) -> float:
    """Round a target to the tick: a long's up, a short's down (F2)."""
    return round_to_tick(level, tick, direction > 0)


@njit
def excursion_frac(entry: float, price: float, direction: int) -> float:
    """How far ``price`` lies from the entry, as a fraction of it, positive where the position gains (R1)."""
    return direction * (price - entry) / entry


@njit
def trailing_level(config, entry: float, best: float, direction: int, tick: float) -> float:  # type: ignore[no-untyped-def]
    """Trailing level for ``best`` over the bars already closed (F6); NaN while it is off or inactive."""
    trail = config["trailing_stop_frac"]
    if math.isnan(trail):
        return math.nan
    activation = entry * (1.0 + direction * config["trailing_activation_frac"])
    reached = less_equal(activation, best) if direction > 0 else less_equal(best, activation)
    if not reached:
        return math.nan
    return stop_level(best * (1.0 - direction * trail), direction, tick)


@njit
def trailing_is_better(stop: float, trail: float, direction: int) -> bool:
    """Whether the trailing level is strictly the better of the two (F6)."""
    if math.isnan(trail):
        return False
    if math.isnan(stop):
        return True
    return less(stop, trail) if direction > 0 else less(trail, stop)


@njit
def working_stop(stop: float, trail: float, direction: int) -> float:
    """The better of the fixed stop and the trailing level; NaN when there is neither."""
    return trail if trailing_is_better(stop, trail, direction) else stop


@njit
def at_or_beyond_stop(price: float, level: float, direction: int) -> bool:
    """Whether ``price`` touches or passes a stop (false when there is none)."""
    if math.isnan(level):
        return False
    return less_equal(price, level) if direction > 0 else less_equal(level, price)


@njit
def at_or_beyond_target(price: float, level: float, direction: int) -> bool:
    """Whether ``price`` touches or passes a target (false when there is none)."""
    if math.isnan(level):
        return False
    return less_equal(level, price) if direction > 0 else less_equal(price, level)


@njit
def beyond_target(price: float, level: float, direction: int) -> bool:
    """Whether ``price`` passes a target by more than rounding (``target_touch="through"``)."""
    if math.isnan(level):
        return False
    return less(level, price) if direction > 0 else less(price, level)
