"""What bars must be (rule B6), checked on arrays; pure.

Every check marks rows with a ``Fault``. Without repair the first marked row is refused, with its reason and how to go
on. With ``repair="drop"`` marked rows are dropped and each is reported. Rows are never reordered and never invented;
a high or low that misses by rounding is moved onto the price it should reach, and reported too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.errors import DataError
from workbench.market.calendar import Calendar
from workbench.market.columns import FIELDS
from workbench.market.faults import Fault, place_reasons
from workbench.market.foreign import foreign_rows, jumps
from workbench.market.grid import Grid, build_grid
from workbench.market.sessions import Bool, Int32, Int64, day_number
from workbench.market.timeframe import DAY_NS, Timeframe

Float64 = npt.NDArray[np.float64]

#: A price of this much or more is no price.
PRICE_LIMIT = 1e12
#: A high or low that misses by less than this, relatively, is rounding.
CLAMP_RELATIVE = 1e-9
_EARLIEST, _LATEST = day_number("1900-01-01") * DAY_NS, day_number("2200-01-01") * DAY_NS
_SHOWN = 3


@dataclass(frozen=True)
class Origin:
    """Where rows come from, for messages.

    Attributes
    ----------
    name : str
        File name, or what else the rows are called.
    first_line : int or None
        Line of row 0 in a text file.
    zone : str or None
        Zone that the reader was given for clock times.
    """

    name: str = "bars"
    first_line: int | None = None
    zone: str | None = None

    def at(self, row: int, ts: int | None = None) -> str:
        """``file, row 40 (line 42), 2015-03-30 04:25:00+00:00``; rows count from 0."""
        line = "" if self.first_line is None else f" (line {row + self.first_line})"
        stamp = "" if ts is None else f", {pd.Timestamp(int(ts), tz='UTC')}"
        return f"{self.name}, row {row}{line}{stamp}"


@dataclass(frozen=True)
class Checked:
    """Bars that passed.

    Attributes
    ----------
    ts : int64[n]
        Opening stamps, ascending; date labels for daily bars.
    block : float64[5, n]
        Open, high, low, close, volume.
    grid : Grid
        From the first bar's interval to the last's.
    at : int32[n]
        Position of each bar in the grid.
    report : DataFrame
        One row for each row that was dropped or moved: row, ts, action, reason.
    """

    ts: Int64
    block: Float64
    grid: Grid
    at: Int32
    report: pd.DataFrame


@dataclass
class _Rows:
    """Rows under inspection: their numbers in the source, what they hold, what was found."""

    row: npt.NDArray[np.intp]
    ts: Int64
    block: Float64
    fault: npt.NDArray[np.int8]
    why: dict[int, str]

    def mark(self, where: Bool | npt.NDArray[np.intp], fault: Fault) -> None:
        """Mark rows that carry no mark yet."""
        chosen = np.flatnonzero(where) if where.dtype == np.bool_ else where
        self.fault[chosen[self.fault[chosen] == Fault.NONE]] = fault


def check(ts: Int64, block: Float64, timeframe: Timeframe, calendar: Calendar, repair: str | None,
          origin: Origin, max_jump_ratio: float) -> Checked:
    """Check bars by rule B6 and place them on the grid (rules B1, B2).

    Parameters
    ----------
    ts : int64[n]
        Stamps in nanoseconds UTC; the smallest int64 is a missing one.
    block : float64[5, n]
        Open, high, low, close, volume; highs and lows are clamped in place.
    timeframe, calendar
        Of the bars.
    repair : None or "drop"
        Refuse bad rows, or drop them.
    origin : Origin
        For messages.
    max_jump_ratio : float
        A move between neighbouring prices of one session by more than this factor is another instrument's row.

    Raises
    ------
    DataError
        Names file, row and reason; says how many more rows are refused.
    """
    size = len(ts)
    if not size:
        raise DataError(f"{origin.name}: there are no bars in it.")
    rows = _Rows(np.arange(size), ts, block, np.zeros(size, np.int8), {})
    rows.mark((ts < _EARLIEST) | (ts >= _LATEST), Fault.STAMP)
    stamped = rows.fault == Fault.NONE
    if not stamped.any():
        raise _refusal(rows, timeframe, calendar, origin)
    if not stamped.all() and repair is None:
        raise _refusal(rows, timeframe, calendar, origin)
    _refuse_unsorted(rows, stamped, origin)
    clamped = _check_values(rows)
    _check_duplicates(rows)
    if timeframe.is_daily:
        rows.ts = ts = _date_labels(ts, stamped, calendar)
    grid, at = _locate(rows, stamped, timeframe, calendar)
    _check_jumps(rows, grid, at, max_jump_ratio, repair is not None)
    bad = (rows.fault != Fault.NONE) & (rows.fault != Fault.DUPLICATE)
    if repair is None and bad.any():
        raise _refusal(rows, timeframe, calendar, origin)
    report = _report(rows, clamped, timeframe, calendar)
    if rows.fault.any():
        keep = rows.fault == Fault.NONE
        if not keep.any():
            raise DataError(f"{origin.name}: every row was dropped, the first because {report['reason'].iloc[0]}.")
        ts, block = ts[keep], np.ascontiguousarray(block[:, keep])
        grid = build_grid(calendar, timeframe, int(ts[0]), int(ts[-1]))
        at = grid.locate(ts)
    return Checked(ts, block, grid, at, report)


def _refuse_unsorted(rows: _Rows, stamped: Bool, origin: Origin) -> None:
    """Times that go back are refused whatever the repair: putting rows in order would invent a history."""
    ts = rows.ts if stamped.all() else rows.ts[stamped]
    back = ts[1:] < ts[:-1]
    if not back.any():
        return
    row = rows.row[stamped]
    i = int(np.argmax(back)) + 1
    again = np.isin(ts[i:], ts[:i]).mean()
    hint = (f"{again:.0%} of the rows from there repeat earlier stamps: the file seems to hold the same months twice. "
            "Keep one copy." if again > 0.5 else "Sort the file by time.")
    raise DataError(f"{origin.at(int(row[i]), int(ts[i]))}: times go back, the row before is "
                    f"{pd.Timestamp(int(ts[i - 1]), tz='UTC')}. {hint} Repair never reorders.")


def _check_values(rows: _Rows) -> npt.NDArray[np.intp]:
    """Mark impossible prices, ranges and volumes; clamp rounding; give the rows clamped."""
    opens, high, low, close, volume = rows.block
    fine = (low > 0) & (low <= opens) & (low <= close) & (high >= opens) & (high >= close) & (high < PRICE_LIMIT)
    fine &= (volume >= 0) & (volume < np.inf)
    clamped = np.zeros(0, np.intp)
    if fine.all():
        return clamped
    priced = np.asarray(((rows.block[:4] > 0) & (rows.block[:4] < PRICE_LIMIT)).all(axis=0))
    rows.mark(~priced, Fault.PRICE)
    top, bottom = np.maximum(np.maximum(opens, close), low), np.minimum(np.minimum(opens, close), high)
    for edge, best in ((high, top), (low, bottom)):
        with np.errstate(invalid="ignore"):  # infinite prices are marked already
            miss = np.abs(edge - best)
        near = priced & (miss > 0) & (miss <= CLAMP_RELATIVE * np.abs(best))
        near &= (edge < best) if edge is high else (edge > best)
        edge[near] = best[near]
        clamped = np.union1d(clamped, np.flatnonzero(near))
    wrong = (high < np.maximum(np.maximum(opens, close), low)) | (low > np.minimum(np.minimum(opens, close), high))
    rows.mark(priced & wrong, Fault.RANGE)
    rows.mark(~((volume >= 0) & (volume < np.inf)), Fault.VOLUME)
    return clamped


def _check_duplicates(rows: _Rows) -> None:
    """Mark every row of a stamp whose rows differ, and all but the first where they are identical."""
    ts, block = rows.ts, rows.block
    twin = np.flatnonzero(ts[1:] == ts[:-1]) + 1
    if not len(twin):
        return
    one, other = block[:, twin], block[:, twin - 1]
    same = ((one == other) | (np.isnan(one) & np.isnan(other))).all(axis=0)
    conflicting = np.isin(ts, ts[twin[~same]])
    rows.fault[conflicting & (rows.fault != Fault.STAMP)] = Fault.CONFLICT
    rows.mark(twin[same], Fault.DUPLICATE)


def _date_labels(ts: Int64, stamped: Bool, calendar: Calendar) -> Int64:
    """Stamps of daily bars as 00:00 UTC date labels (rule B1).

    Besides the label itself, a stamp may be the session's open, or midnight in the exchange's zone when sessions lie
    inside the local day; anything else stays and is found off the grid.
    """
    label = ts.copy()
    odd = np.flatnonzero(stamped & (ts % DAY_NS != 0))
    if not len(odd):
        return label
    moments = ts[odd]
    sessions = calendar.covering(int(moments.min()), int(moments.max()))
    if len(sessions):
        row = np.minimum(np.searchsorted(sessions.open_ns, moments), len(sessions) - 1)
        opening = sessions.open_ns[row] == moments
        label[odd[opening]] = sessions.date[row[opening]].astype(np.int64) * DAY_NS
    if calendar.name != "FX":
        local = pd.DatetimeIndex(moments, tz="UTC").tz_convert(calendar.zone).tz_localize(None).asi8
        midnight = local % DAY_NS == 0
        label[odd[midnight]] = local[midnight]
    return label


def _locate(rows: _Rows, stamped: Bool, timeframe: Timeframe, calendar: Calendar) -> tuple[Grid, Int32]:
    """Place rows on the grid; mark those on closed days, outside trading hours and between grid openings."""
    first, last = (0, -1) if stamped.all() else (int(np.argmax(stamped)), int(np.flatnonzero(stamped)[-1]))
    grid = build_grid(calendar, timeframe, int(rows.ts[first]), int(rows.ts[last]))
    at = grid.locate(rows.ts)
    lost = np.flatnonzero((at < 0) & (rows.fault == Fault.NONE))
    if not len(lost):
        return grid, at
    ts = rows.ts[lost]
    if timeframe.is_daily:
        rows.fault[lost] = np.where(ts % DAY_NS == 0, Fault.CLOSED, Fault.GRID)
        return grid, at
    around = calendar.table(int(ts.min() // DAY_NS) - 2, int(ts.max() // DAY_NS) + 2)
    row = np.searchsorted(around.open_ns, ts, side="right") - 1
    inside = (row >= 0) & (ts < around.close_ns[np.maximum(row, 0)]) if len(around) else np.zeros(len(ts), bool)
    local_day = pd.DatetimeIndex(ts, tz="UTC").tz_convert(calendar.zone).tz_localize(None).asi8 // DAY_NS
    open_day = np.isin(local_day, around.date)
    rows.fault[lost] = np.where(inside, Fault.GRID, np.where(open_day, Fault.OUTSIDE, Fault.CLOSED))
    if len(around.pause_start_ns):
        pause = np.maximum(np.searchsorted(around.pause_start_ns, ts, side="right") - 1, 0)
        paused = (ts >= around.pause_start_ns[pause]) & (ts < around.pause_end_ns[pause])
        rows.fault[lost[paused]] = Fault.OUTSIDE
    return grid, at


def _check_jumps(rows: _Rows, grid: Grid, at: Int32, limit: float, repair: bool) -> None:
    """Mark rows that cannot be the same instrument as their neighbours in the session."""
    if grid.timeframe.is_daily:
        return
    good = np.flatnonzero(rows.fault == Fault.NONE) if rows.fault.any() else None
    block, place = (rows.block, at) if good is None else (rows.block[:, good], at[good])
    if not len(place):
        return
    found = jumps(block[0], block[3], grid, place, limit)
    if not len(found):
        return
    if repair:
        found, reasons = foreign_rows(block[0], block[3], grid, place, limit)
    else:
        opens, close = block[0], block[3]
        reasons = []
        for i in found:
            inside = max(close[i] / opens[i], opens[i] / close[i]) > limit
            before, now = (opens[i], close[i]) if inside else (close[i - 1], opens[i])
            what = "from its open" if inside else "from the close before"
            reasons.append(f"{now:g} is a factor of {max(now / before, before / now):.3g} {what}, {before:g}, "
                           "inside one session: a row of another instrument")
    source = found if good is None else good[found]
    rows.mark(source, Fault.JUMP)
    rows.why.update(zip(source.tolist(), reasons, strict=True))


_HINTS = {
    Fault.CLOSED: "If the exchange did trade, import its calendar with a SPECIAL row for the day: import_calendar",
    Fault.OUTSIDE: "If the times mark a bar's close, say stamp='close'; local clock times are written without an "
                   "offset and read with zone",
    Fault.GRID: "Bars are anchored to the session's open, not to the clock",
    Fault.JUMP: "If the move is real, allow it with a larger max_jump_ratio",
}


def _refusal(rows: _Rows, timeframe: Timeframe, calendar: Calendar, origin: Origin) -> DataError:
    """The error that names the first bad rows and how many there are."""
    bad = np.flatnonzero((rows.fault != Fault.NONE) & (rows.fault != Fault.DUPLICATE))
    told = []
    for i, reason in zip(bad, _reasons(rows, bad[:_SHOWN], timeframe, calendar), strict=False):
        stamp = int(rows.ts[i]) if _EARLIEST <= rows.ts[i] < _LATEST else None
        told.append(f"{origin.at(int(rows.row[i]), stamp)}: {reason}.")
    if len(bad) > _SHOWN:
        told.append(f"... and {len(bad) - _SHOWN:,} more rows of {len(rows.ts):,}.")
    hint = _HINTS.get(Fault(int(rows.fault[bad[0]])))
    guess = _guess(rows, timeframe, calendar, origin)
    how = ". ".join(part for part in (guess, hint, "repair='drop' drops what is refused and reports each row") if part)
    return DataError("\n".join(told) + f"\n{how}.")


def _reasons(rows: _Rows, chosen: npt.NDArray[np.intp], timeframe: Timeframe, calendar: Calendar) -> list[str]:
    """Why each of some rows is marked."""
    misplaced = chosen[np.isin(rows.fault[chosen], (Fault.CLOSED, Fault.OUTSIDE, Fault.GRID))]
    places = dict(zip(misplaced.tolist(),
                      place_reasons(rows.ts[misplaced], rows.fault[misplaced], timeframe, calendar), strict=True))
    return [places.get(i) or _value_reason(rows, i) for i in chosen.tolist()]


def _value_reason(rows: _Rows, i: int) -> str:
    """Why one row is marked for what it holds."""
    fault = Fault(int(rows.fault[i]))
    opens, high, low, close, volume = rows.block[:, i].tolist()
    if fault == Fault.STAMP:
        return "the time is missing or not between 1900 and 2200"
    if fault == Fault.PRICE:
        return _price_reason((opens, high, low, close))
    if fault == Fault.RANGE:
        top, bottom = max(opens, close, low), min(opens, close, high)
        return f"high {high!r} is below {top!r}" if high < top else f"low {low!r} is above {bottom!r}"
    if fault == Fault.VOLUME:
        return "volume is missing" if volume != volume else f"volume {volume!r} is negative or infinite"
    if fault == Fault.CONFLICT:
        return "two different bars have this time"
    if fault == Fault.JUMP:
        return rows.why[i]
    assert fault == Fault.DUPLICATE, fault
    return "identical to the row before"


def _price_reason(prices: Sequence[float]) -> str:
    for name, value in zip(FIELDS, prices, strict=False):
        if value != value:
            return f"{name} is missing (NaN)"
        if value in (np.inf, -np.inf):
            return f"{name} is infinite"
        if value <= 0:
            return f"{name} {value!r} is not positive"
        if value >= PRICE_LIMIT:
            return f"{name} {value!r} is beyond belief ({PRICE_LIMIT:g} or more)"
    raise AssertionError("a row was marked for its prices, which are fine")


def _guess(rows: _Rows, timeframe: Timeframe, calendar: Calendar, origin: Origin) -> str:
    """A cause that would explain every misplaced row: stamps of closes, or local times called UTC."""
    lost = np.isin(rows.fault, (Fault.CLOSED, Fault.OUTSIDE, Fault.GRID))
    if timeframe.is_daily or not lost.any():
        return ""
    ts = rows.ts[rows.fault != Fault.STAMP]
    moved = ts - timeframe.ns
    if (build_grid(calendar, timeframe, int(moved[0]), int(moved[-1])).locate(moved) >= 0).all():
        return "Every row would fit if its time were the bar's close: stamp='close'"
    as_local = pd.DatetimeIndex(ts).tz_localize(calendar.zone, ambiguous="NaT", nonexistent="NaT").asi8
    if (as_local > _EARLIEST).all():
        placed = build_grid(calendar, timeframe, int(as_local[0]), int(as_local[-1])).locate(as_local) >= 0
        # A wrong zone misplaces most rows; a few rows out of place have another cause.
        if lost.mean() > 0.5 and placed.mean() > 0.99:
            if origin.zone is not None:
                return f"The times look like {calendar.zone} clock times that were called UTC: zone={calendar.zone!r}"
            return (f"The times look like {calendar.zone} clock times that were given the offset of UTC. Take the "
                    f"offset off: in a DataFrame frame.tz_localize(None).tz_localize({calendar.zone!r}), in a file "
                    f"write them without it and say zone={calendar.zone!r}")
    return ""


def _report(rows: _Rows, clamped: npt.NDArray[np.intp], timeframe: Timeframe, calendar: Calendar) -> pd.DataFrame:
    """One row for each row that did not pass as it was."""
    dropped = np.flatnonzero(rows.fault)
    moved = clamped[rows.fault[clamped] == Fault.NONE]
    touched = np.concatenate([dropped, moved]).astype(np.intp)
    reasons = _reasons(rows, dropped, timeframe, calendar)
    reasons += ["a high or low missed by rounding and was clamped"] * len(moved)
    stamps = np.where(rows.fault[touched] == Fault.STAMP, np.iinfo(np.int64).min, rows.ts[touched])
    frame = pd.DataFrame({
        "row": rows.row[touched].astype(np.int64),
        "ts": pd.DatetimeIndex(stamps.astype("datetime64[ns]"), tz="UTC"),
        "action": ["dropped"] * len(dropped) + ["clamped"] * len(moved),
        "reason": pd.Series(reasons, dtype="str"),
    })
    return frame.sort_values("row", kind="stable", ignore_index=True)
