"""Times of a file, in whatever way they are written, as instants (pure).

A time with an offset, or an epoch number, is an instant; a zone that says otherwise is refused. A clock time needs the
zone of the clock, which nobody guesses: it is refused unless the reader names it. Daily bars need only a date.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import ConfigError, DataError
from workbench.market.checks import Origin
from workbench.market.sessions import Int64
from workbench.market.sources.written import read_written
from workbench.market.timeframe import DAY_NS, MINUTE_NS

_MISSING = np.iinfo(np.int64).min
#: Epoch numbers by size: nanoseconds in a unit, and the smallest value read in it (1973).
_EPOCHS = ((1, 10**17), (1_000, 10**14), (1_000_000, 10**11), (1_000_000_000, 10**8))


def instants(values: Any, zone: str | None, daily: bool, origin: Origin) -> Int64:
    """Instants of a column.

    Parameters
    ----------
    values : Series
        Text, numbers or times.
    zone : str or None
        Zone of clock times. Stamps that carry an offset may be given one only if it agrees with them at every row.
    daily : bool
        Dates without a time are labels of daily bars: 00:00 UTC.
    origin : Origin
        For messages.

    Returns
    -------
    int64[n]
        Nanoseconds UTC; the smallest int64 where a value is missing.

    Raises
    ------
    ConfigError
        The zone does not exist.
    DataError
        A zone that contradicts the stamps' own offsets; clock times without a zone, a text that is no time, day and
        month that cannot be told apart, a time that the zone skips or shows twice. Names file and row.
    """
    if zone is not None:
        _zone(zone)
    values = pd.Series(values).reset_index(drop=True)
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        ns = _ns(values)
        clock = np.array(pd.DatetimeIndex(values).tz_localize(None).as_unit("ns").asi8, dtype=np.int64)
        _refuse_other_zone(ns, clock - ns, zone, daily, origin)
        return ns
    if values.dtype.kind in "iuf":
        return _of_numbers(values, zone, daily, origin)
    if values.dtype.kind == "M":
        return _of_clock(values, zone, daily, origin)
    return _of_text(values, zone, daily, origin)


def joined(dates: Any, times: Any) -> pd.Series:
    """A date column and a time column as one column of text."""
    day = pd.Series(dates).reset_index(drop=True)
    if day.dtype.kind in "if":
        day = day.astype("Int64")
    elif day.dtype.kind == "M":
        day = day.dt.strftime("%Y-%m-%d")
    clock = pd.Series(times).reset_index(drop=True)
    if clock.dtype.kind in "if":  # 915 or 91500: a number has lost its zeros
        width = 6 if clock.max() > 2400 else 4
        clock = clock.astype("Int64").astype("str").str.zfill(width)
        clock = clock.str.replace(r"(\d{2})(\d{2})(\d{2})?$", r"\1:\2:\3", regex=True).str.rstrip(":")
    # A date exported as a midnight says its clock twice.
    date = day.astype("str").str.strip().str.replace(r"[T ]+0?0:00(?::00(?:\.0+)?)?$", "", regex=True)
    return date + " " + clock.astype("str")


def _of_numbers(values: pd.Series, zone: str | None, daily: bool, origin: Origin) -> Int64:
    """Epoch numbers, or dates and clock times written as 20240131, 202401310915 or 20240131091500."""
    known = values.dropna()
    size = float(known.iloc[0]) if len(known) else 0.0
    if len(known) and any(_are_dates(known, digits) for digits in (8, 12, 14)):
        return _of_text(values.astype("Int64").astype("str"), zone, daily, origin)
    for scale, smallest in _EPOCHS:
        if size >= smallest:
            ns = values.fillna(-1).to_numpy(np.float64 if values.dtype.kind == "f" else np.int64)
            whole = np.rint(ns * scale).astype(np.int64) if ns.dtype.kind == "f" else ns * scale
            instants_ns = np.where(values.isna().to_numpy(), _MISSING, whole)
            _refuse_other_zone(instants_ns, np.zeros(len(whole), np.int64), zone, daily, origin)
            return instants_ns
    row = int(np.argmax(values.notna().to_numpy()))
    raise DataError(f"{origin.at(row)}: time {values.iloc[row]} is neither an epoch number nor a date such as "
                    "20240131. Every row needs its date: write times as 2024-01-31 09:15:00+05:30.")


def _are_dates(known: pd.Series, digits: int) -> bool:
    """Whether whole numbers are dates, with hours and minutes for 12 digits and seconds for 14.

    With 12 digits they could be epochs in milliseconds of 1976 to 1979, but only if every one of them happens to be a
    day and a clock that exist; with 14 they are beyond every epoch.
    """
    place = 10 ** (digits - 8)
    if not known.between(19000101 * place, 22001231 * place + place - 1).all() or (known % 1 != 0).any():
        return False
    clock = known % place * (100 if digits == 12 else 1)
    month, day = known // (place * 100) % 100, known // place % 100
    return digits != 12 or bool((month.between(1, 12) & day.between(1, 31) & (clock // 10000 < 24)
                                 & (clock // 100 % 100 < 60)).all())


def _of_text(values: pd.Series, zone: str | None, daily: bool, origin: Origin) -> Int64:
    text = values.astype("str").str.strip()
    missing = values.isna() | text.isin(["", "NaT", "nan", "None", "<NA>"])
    written = read_written(text, np.asarray(missing, np.bool_), origin)
    if written.has_offset.any():
        bare = ~written.has_offset & ~np.asarray(missing, np.bool_)
        if bare.any():
            row = int(np.argmax(bare))
            raise DataError(f"{origin.at(row)}: {text.iloc[row]!r} has no time zone, other rows have one.")
        ns = np.where(missing, _MISSING, written.clock_ns - written.offset_ns)
        _refuse_other_zone(ns, written.offset_ns, zone, daily, origin)
        return ns
    return _of_clock(pd.Series(written.clock_ns.astype("datetime64[ns]")), zone, daily, origin)


def _of_clock(values: pd.Series, zone: str | None, daily: bool, origin: Origin) -> Int64:
    """Clock times in a zone; dates of daily bars as labels."""
    ns = _ns(values)
    known = ns != _MISSING
    if daily and not (ns[known] % DAY_NS).any():
        return ns
    if zone is None:
        row = int(np.argmax(known))
        raise DataError(f"{origin.at(row)}: {values.iloc[row]} has no time zone, so its instant is unknown. "
                        "Say which clock it is: zone='Asia/Kolkata', 'America/New_York' or 'UTC'.")
    clock = pd.DatetimeIndex(ns.astype("datetime64[ns]"))
    local = clock.tz_localize(_zone(zone), ambiguous="NaT", nonexistent="NaT")
    lost = np.asarray(local.isna()) & known
    if lost.any():
        row = int(np.argmax(lost))
        raise DataError(f"{origin.at(row)}: {clock[row]} is skipped or shown twice in {zone} when clocks change. "
                        "Write times with their offset.")
    return np.asarray(local.asi8, dtype=np.int64)


def _zone(name: Any) -> Any:
    try:
        # pandas takes a number for an offset in seconds.
        return pd.Timestamp(0, tz="UTC").tz_convert(name if isinstance(name, str | dt.tzinfo) else str(name)).tz
    except (KeyError, ValueError, OSError, TypeError) as error:
        raise ConfigError(f"zone={name!r} is no time zone. Write 'Asia/Kolkata' or 'America/New_York'.") from error


def _refuse_other_zone(ns: Int64, offset: Int64, zone: str | None, daily: bool, origin: Origin) -> None:
    """Refuse a zone whose clocks show something else than the stamps' own offsets say; date labels have no clock."""
    if zone is None:
        return
    wanted = pd.DatetimeIndex(ns.astype("datetime64[ns]"), tz="UTC").tz_convert(_zone(zone)).tz_localize(None)
    known = ns != _MISSING
    if daily and not (ns[known] % DAY_NS).any():
        return
    differs = known & (np.asarray(wanted.as_unit("ns").asi8) - ns != offset)
    if differs.any():
        row = int(np.argmax(differs))
        ours, theirs = _offset_text(int(wanted.asi8[row] - ns[row])), _offset_text(int(offset[row]))
        raise DataError(f"{origin.at(row, int(ns[row]))}: the time is an instant with the offset {theirs}, but "
                        f"{zone} was {ours} then, so zone={zone!r} contradicts it. If the offset is right, leave the "
                        "zone out; if these are clock times that were exported with a wrong offset, take the offset "
                        "off in the file and keep the zone.")


def _offset_text(ns: int) -> str:
    minutes = abs(ns) // MINUTE_NS
    return f"{'-' if ns < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def _ns(values: Any) -> Int64:
    try:
        return np.array(pd.DatetimeIndex(values).as_unit("ns").asi8, dtype=np.int64)
    except pd.errors.OutOfBoundsDatetime as error:
        raise DataError(f"a time lies outside 1677 to 2262: {error}") from error
