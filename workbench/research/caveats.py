"""What settings, hours and data mean together for a result: a far target, a late exit, an unknown day, too few bars."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.engine.fitting import LOT_ROUNDING
from workbench.engine.records import Instant, Times
from workbench.engine.timetable import NEVER, exit_instants
from workbench.market.bars import Bars
from workbench.market.instruments import instrument
from workbench.market.resample import columns_of
from workbench.market.sessions import date_of
from workbench.strategy import FixedQty, Strategy


def caveats(strategy: Strategy, data: Mapping[str, Bars], times: Times) -> Iterator[tuple[str, str]]:
    """What calendar, bars and settings together mean, as instrument (empty for the whole result) and text.

    Parameters
    ----------
    strategy : Strategy
        What was run.
    data : mapping of str to Bars
        By instrument.
    times : Times
        The instants of the run, from its start on.
    """
    for name in ("take_profit_frac", "trailing_activation_frac"):
        gain = getattr(strategy, name)
        if gain is not None and gain >= 1:
            yield (
                "",
                f"FAR_TARGET: {name} {gain:g} is a gain of +{100 * gain:g} %; {gain:g} % is written {gain / 100:g}.",
            )
    for said in _hours(strategy, times, next(iter(data.values()))):
        yield "", said
    if len(times.close_ns):
        first = int(times.close_ns[0])
        for said in (*_exit_never(strategy, data, first), *_unknown_days(data, first)):
            yield "", said
    for name in data:
        for said in _lots(strategy, name):
            yield name, said
    for name, bars in data.items():
        for said in _first_bar(strategy, bars):
            yield name, said


def never_warm(strategy: Strategy, bars: Bars) -> str:
    """The note on an instrument that never became warm (E7): how many bars there were of those that it takes."""
    cut = strategy.execution == "proxy_close"
    seen, need = columns_of(bars, strategy.timeframe, cut_at_proxy=cut).n, strategy.program.warm_bars
    if seen < need:
        return (
            f"NEVER_WARM: {seen}/{need} bars; the data has {seen} of the {need} bars of {strategy.timeframe} that the "
            "expressions need before they have values, so nothing was entered (E7). Give data from earlier on."
        )
    return (
        f"NEVER_WARM: {seen}/{need} bars; there were bars enough, but a call of the expressions never had a value (no "
        "volume, or no change of price?), so nothing was entered (E7)."
    )


def _first_bar(strategy: Strategy, bars: Bars) -> Iterator[str]:
    """Say when the data begins inside a coarser bar, which is then built from what is there (B3, B8)."""
    grid = bars.grid
    if grid.timeframe.is_daily:
        return
    late = int(grid.open_ns[0] - grid.sessions.open_ns[grid.session[0]])
    cut = [one for one in strategy.program.timeframes if late and (one.is_daily or late % one.ns)]
    if cut:
        begins = bars.index[0].tz_convert(bars.calendar.zone)
        yield (
            f"FIRST_BAR: the data begins at {begins:%Y-%m-%d %H:%M} {bars.calendar.zone}, inside a bar of "
            f"{' and of '.join(map(str, cut))}: the first one is built from what is there (B8)."
        )


def _hours(strategy: Strategy, times: Times, base: Bars) -> Iterator[str]:
    """Say when no strategy bar could enter, and when an exit time is too late to leave in its session."""
    if strategy.entry_window is None and strategy.exit_time is None and strategy.product != "MIS":
        return
    flags = times.flags
    closes = _has(flags, Instant.STRATEGY_CLOSE)
    in_window = closes & _has(flags, Instant.ENTRY_WINDOW)
    if closes.any() and not in_window.any():
        last = pd.Timestamp(int(times.close_ns[closes][-1]), tz="UTC").tz_convert(base.calendar.zone)
        yield (
            f"NEVER_ENTERS: no bar of {strategy.timeframe} closes inside entry_window "
            f"{'-'.join(strategy.entry_window or ())}; the last one closes at {last:%H:%M} {base.calendar.zone} (D6)."
        )
    elif closes.any() and _has(flags, Instant.NO_ENTRY)[in_window].all():
        why = f"exit_time {strategy.exit_time}" if strategy.exit_time else f"the flatten of {strategy.product}"
        yield f"NEVER_ENTERS: every bar of {strategy.timeframe} that may enter closes at or after {why} (X1)."
    flatten = _has(flags, Instant.FLATTEN)
    if strategy.exit_time and flatten.any() and _has(flags, Instant.LAST)[flatten].all():
        yield (
            f"EXIT_TIME: {strategy.exit_time} is decided when the session's last interval has closed, so it fills at "
            f"the open of the next session: positions are held over the close. An exit_time at least {base.timeframe} "
            "before the close leaves in its session (X4)."
        )


def _exit_never(strategy: Strategy, data: Mapping[str, Bars], first_ns: int) -> Iterator[str]:
    """Say when no session of the run, from the instant ``first_ns`` on, contains the exit time (X4)."""
    if strategy.exit_time is None:
        return
    for bars in data.values():
        ran = bars.grid.sessions.close_ns >= first_ns
        if (exit_instants(strategy.exit_time, bars.grid)[ran] != NEVER).any():
            return
    yield (
        f"EXIT_TIME: {strategy.exit_time} lies outside every session of this run, where it is ignored: it never made "
        "anything leave (X4). A time like '-20m' counts from the close of every session."
    )


def _unknown_days(data: Mapping[str, Bars], first_ns: int) -> Iterator[str]:
    """Say which sessions, from the instant ``first_ns`` on, the calendar knows nothing of (C3)."""
    known: dict[int, bool] = {}
    for bars in data.values():
        sessions = bars.grid.sessions
        ran = sessions.close_ns >= first_ns
        known |= dict(zip(sessions.date[ran].tolist(), sessions.known[ran].tolist(), strict=True))
    unknown = sorted(day for day, is_known in known.items() if not is_known)
    if unknown:
        calendar = next(iter(data.values())).calendar.name
        years = " ".join(map(str, sorted({date_of(day).year for day in unknown})))
        yield (
            f"CALENDAR_UNKNOWN: the calendar {calendar} does not cover {len(unknown)} of the {len(known)} sessions, "
            f"{date_of(unknown[0])} to {date_of(unknown[-1])}: normal hours are assumed there and every entry is "
            "BLOCKED_CALENDAR, exits are not (C3). Import the exchange's days: workbench calendar import FILE --covers "
            f"{years}"
        )


def _lots(strategy: Strategy, name: str) -> Iterator[str]:
    """Say when a fixed quantity is no whole number of lots, which is rounded down (S3)."""
    if not isinstance(strategy.sizing, FixedQty):
        return
    qty, lot = strategy.sizing.qty, instrument(name).lot
    lots = math.floor(qty / lot + LOT_ROUNDING)
    if qty / lot - lots > LOT_ROUNDING:
        yield (
            f"LOTS: FixedQty({qty:.10g}) is no whole number of lots of {lot:.10g}, so {lots * lot:.10g} is traded "
            f"(S3); the next larger quantity is {(lots + 1) * lot:.10g}."
        )


def _has(flags: npt.NDArray[np.uint8], bit: Instant) -> npt.NDArray[np.bool_]:
    return (flags & np.uint8(bit)).astype(np.bool_)
