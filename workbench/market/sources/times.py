"""Times of a file, in whatever way they are written, as instants (pure).

A time with an offset, or an epoch number, is an instant; a zone that says otherwise is refused. A clock time needs the
zone of the clock, which nobody guesses: it is refused unless the reader names it. Daily bars need only a date.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import ConfigError, DataError
from workbench.market.checks import Origin
from workbench.market.sessions import Int64
from workbench.market.timeframe import DAY_NS, MINUTE_NS

_MISSING = np.iinfo(np.int64).min
_OFFSET = r"(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})\s*$"
_SIGNED = re.compile(r"([+-])(\d{2}):?(\d{2})\s*$")
_SLASHED = re.compile(r"\s*(\d{1,2})([./-])(\d{1,2})\2(\d{2}|\d{4})(?!\d)")
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
    clock = pd.Series(times).reset_index(drop=True)
    if clock.dtype.kind in "if":  # 915 or 91500: a number has lost its zeros
        width = 6 if clock.max() > 2400 else 4
        clock = clock.astype("Int64").astype("str").str.zfill(width)
        clock = clock.str.replace(r"(\d{2})(\d{2})(\d{2})?$", r"\1:\2:\3", regex=True).str.rstrip(":")
    return day.astype("str") + " " + clock.astype("str")


def _of_numbers(values: pd.Series, zone: str | None, daily: bool, origin: Origin) -> Int64:
    """Epoch numbers, or dates written as 20240131."""
    known = values.dropna()
    size = float(known.iloc[0]) if len(known) else 0.0
    if known.between(19000101, 22001231).all() and len(known):
        return _of_text(values.astype("Int64").astype("str"), zone, daily, origin)
    for scale, smallest in _EPOCHS:
        if size >= smallest:
            ns = values.fillna(-1).to_numpy(np.float64 if values.dtype.kind == "f" else np.int64)
            whole = np.rint(ns * scale).astype(np.int64) if ns.dtype.kind == "f" else ns * scale
            instants_ns = np.where(values.isna().to_numpy(), _MISSING, whole)
            _refuse_other_zone(instants_ns, np.zeros(len(whole), np.int64), zone, daily, origin)
            return instants_ns
    raise DataError(f"{origin.at(0)}: time {values.iloc[0]!r} is neither an epoch number nor a date such as 20240131.")


def _of_text(values: pd.Series, zone: str | None, daily: bool, origin: Origin) -> Int64:
    text = values.astype("str").str.strip()
    missing = values.isna() | text.isin(["", "NaT", "nan", "None", "<NA>"])
    offset = text.str.contains(_OFFSET, regex=True, flags=re.IGNORECASE) & ~missing
    if offset.any():
        if not (offset | missing).all():
            row = int(np.argmax((~offset & ~missing).to_numpy()))
            raise DataError(f"{origin.at(row)}: {text.iloc[row]!r} has no time zone, other rows have one.")
        ns = _parsed(text, missing, origin, utc=True)
        _refuse_other_zone(ns, _offsets(text), zone, daily, origin)
        return ns
    parsed = _parsed(text, missing, origin, utc=False)
    clock = pd.Series(parsed.astype("datetime64[ns]"))
    return _of_clock(clock, zone, daily, origin)


def _parsed(text: pd.Series, missing: pd.Series, origin: Origin, utc: bool) -> Int64:
    """Parse text; day and month must be told apart by some row."""
    options: dict[str, Any] = {"utc": utc, "errors": "coerce", "format": "ISO8601"}
    moments = pd.to_datetime(text.mask(missing), **options)
    if (moments.isna() & ~missing).any():
        options = {"utc": utc, "errors": "coerce", "format": "mixed", "dayfirst": _day_first(text, missing, origin)}
        moments = pd.to_datetime(text.mask(missing), **options)
    bad = (moments.isna() & ~missing).to_numpy()
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(f"{origin.at(row)}: {text.iloc[row]!r} is not a time. Write it as 2024-01-31 09:15:00+05:30.")
    return _ns(moments)


def _day_first(text: pd.Series, missing: pd.Series, origin: Origin) -> bool:
    """Whether 03/04/2024 is the third of April; told by any row in which one of the two is above 12."""
    parts = text[~missing].str.extract(_SLASHED)
    first, second = pd.to_numeric(parts[0]), pd.to_numeric(parts[2])
    if not first.notna().any():
        return False
    if (first > 12).any() or (parts[1] == ".").all():
        return True
    if (second > 12).any():
        return False
    row = int(text.index[~missing][int(np.argmax(first.notna().to_numpy()))])
    raise DataError(f"{origin.at(row)}: in {text.iloc[row]!r} nobody can tell day from month, in any row of the file. "
                    "Write dates as 2024-01-31.")


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


def _zone(name: str) -> Any:
    try:
        return pd.Timestamp(0, tz="UTC").tz_convert(name).tz
    except (KeyError, ValueError, OSError, TypeError) as error:
        raise ConfigError(f"zone={name!r} is no time zone. Write 'Asia/Kolkata' or 'America/New_York'.") from error


def _offsets(text: pd.Series) -> Int64:
    """Offset that each text ends in, in nanoseconds; 0 for ``Z``, ``UTC``, ``GMT`` and where there is none."""
    parts = text.str.extract(_SIGNED)
    minutes = 60 * pd.to_numeric(parts[1]) + pd.to_numeric(parts[2])
    signed = minutes.where(parts[0] != "-", -minutes).fillna(0)
    return np.asarray(signed.to_numpy(np.int64) * MINUTE_NS, np.int64)


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
