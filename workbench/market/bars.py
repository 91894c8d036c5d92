"""Bars: what a market did, checked once, as contiguous arrays (rules B1, B2, B6, B7, B9; N1)."""

from __future__ import annotations

import datetime as dt
import hashlib
import html
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.errors import ConfigError, DataError
from workbench.market.calendar import Calendar, resolve_calendar
from workbench.market.checks import Checked, Float64, Origin, check
from workbench.market.columns import FIELDS, PRICES, recognised
from workbench.market.grid import build_grid
from workbench.market.resample import Arrays
from workbench.market.sessions import Int32, Int64, day_number
from workbench.market.spacing import spacing_note
from workbench.market.timeframe import Timeframe


class Handed(pd.DataFrame):
    """A frame that is handed over: ``Bars`` takes its columns out one by one, so that none is in memory twice."""


#: What numpy would turn into a number that it is not.
_NO_NUMBERS = (bool, np.bool_, complex, np.complexfloating, dt.date, dt.timedelta, np.datetime64, np.timedelta64)

_SHOWN = (*Arrays._fields, "arrays", "ts_ns")


def _view(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    shown = values.view()
    shown.flags.writeable = False
    return shown


class Bars:
    """Bars of one instrument and timeframe, checked by rule B6.

    Parameters
    ----------
    frame : DataFrame
        Columns open, high, low, close and volume (0 where there is none), index ``ts``: opening instants with a time
        zone, ascending. Daily bars are stamped 00:00 UTC of their session's date; the session's open and local midnight
        are understood too.
    timeframe : str or Timeframe
        Length of a bar.
    calendar : str or Calendar
        Name of the exchange.
    basis : str, optional
        Adjustment of the prices, such as ``"split-adjusted"``; part of the hash (rule B9).
    repair : None or "drop"
        Refuse bad rows, or drop what can be dropped and report each row.
    origin : Origin, optional
        Where the rows come from, for messages.
    max_jump_ratio : float
        A move inside a session by more than this factor between neighbouring prices is refused as another
        instrument's row.

    Attributes
    ----------
    open, high, low, close, volume : float64[n]
        Read-only.
    ts_ns : int64[n]
        Opening stamps, ns UTC; 00:00 UTC date labels for daily bars. Read-only.
    arrays : Arrays
        The columns as kernels take them.
    grid : Grid
        Base intervals from the first bar's to the last's.
    report : DataFrame
        One row for each row that was dropped or clamped: row (from 0), ts, action, reason.
    notes : tuple of str
        What was assumed, such as a volume of 0, and what looks wrong without being refused, such as 5m bars read as 1m.

    Raises
    ------
    DataError
        Names file, row and reason.

    Examples
    --------
    >>> bars = Bars(frame, "5m", calendar="NSE")  # doctest: +SKIP
    """

    def __init__(self, frame: pd.DataFrame, timeframe: str | Timeframe, calendar: str | Calendar,
                 basis: str | None = None, repair: str | None = None, *, origin: Origin | None = None,
                 max_jump_ratio: float = 2.0) -> None:
        if repair not in (None, "drop"):
            raise ConfigError(f"repair={repair!r} does not exist. It is None (refuse) or 'drop'.")
        if not max_jump_ratio > 1:
            raise ConfigError(f"max_jump_ratio={max_jump_ratio!r} is a factor above 1, such as 2.0.")
        where = origin or Origin()
        self.timeframe = Timeframe.parse(timeframe)
        self.calendar = resolve_calendar(calendar)
        self.basis = basis
        ts, block, self.notes = _arrays(frame, where)
        self._hold(check(ts, block, self.timeframe, self.calendar, repair, where, max_jump_ratio))
        self.notes += spacing_note(self.grid, self.at)

    def _hold(self, checked: Checked) -> None:
        self._block, self.grid = checked.block, checked.grid
        # Without a gap the stamps are those of the grid, which are not kept twice; a daily stamp is a label.
        complete = len(checked.ts) == len(checked.grid)
        self._at = None if complete else checked.at
        self._ts = checked.grid.open_ns if complete and not checked.grid.timeframe.is_daily else checked.ts
        self.report = checked.report
        self._show()

    def _show(self) -> None:
        """Hand out views that cannot be written to: what was hashed, and what others share, stays as it is."""
        self.arrays = Arrays(*self._block)
        self.open, self.high, self.low, self.close, self.volume = (_view(column) for column in self._block)
        self.ts_ns = _view(self._ts)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _SHOWN}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._show()

    def __len__(self) -> int:
        return len(self.ts_ns)

    @property
    def at(self) -> Int32:
        """int32[n], position of each bar in ``grid``."""
        return np.arange(len(self), dtype=np.int32) if self._at is None else self._at

    @property
    def index(self) -> pd.DatetimeIndex:
        """Opening stamps as a UTC index named ``ts``."""
        return pd.DatetimeIndex(self.ts_ns, tz="UTC", name="ts")

    @property
    def frame(self) -> pd.DataFrame:
        """The bars as a DataFrame of its own, index ``ts`` (UTC); changing it does not change the bars."""
        return self._frame.copy(deep=False)

    @cached_property
    def _frame(self) -> pd.DataFrame:
        return pd.DataFrame(dict(zip(FIELDS, self._block, strict=True)), index=self.index)

    @cached_property
    def content_hash(self) -> str:
        """Hash of stamps, prices, volumes, timeframe and basis: what a store keeps."""
        digest = hashlib.blake2b(f"{self.timeframe}|{self.basis or ''}|".encode(), digest_size=16)
        digest.update(_bytes(self.ts_ns, "<i8"))
        digest.update(_bytes(self._block, "<f8"))
        return digest.hexdigest()

    @cached_property
    def hash(self) -> str:
        """Hash of everything about the data that can change a result (rules B9, R4).

        Besides the content and its adjustment basis that is the calendar: its name and the sessions the bars lie in.
        """
        sessions = self.grid.sessions
        digest = hashlib.blake2b(self.content_hash.encode(), digest_size=16)
        digest.update(f"{self.calendar.name}|{self.calendar.sessions_per_year}".encode())
        for column in (sessions.open_ns, sessions.close_ns, sessions.proxy_close_ns, sessions.sell_end_ns,
                       sessions.pause_start_ns, sessions.pause_end_ns):
            digest.update(_bytes(column, "<i8"))
        digest.update(_bytes(sessions.date, "<i4"))
        digest.update(_bytes(sessions.known, "u1"))
        return digest.hexdigest()

    @property
    def gaps(self) -> int:
        """Intervals between the first and the last bar in which nothing traded (rule B7)."""
        return len(self.grid) - len(self)

    def between(self, start: str | dt.date | None = None, end: str | dt.date | None = None) -> Bars:
        """The bars from ``start`` to ``end``, both inclusive.

        Parameters
        ----------
        start, end : date, ISO date, or instant with a time zone
            A date means the session of that date; an instant is compared with a bar's opening stamp.

        Raises
        ------
        ConfigError
            An instant without a time zone.
        DataError
            No bar lies there.
        """
        day = self.grid.sessions.date[self.grid.session[self.at]]
        keep = np.ones(len(self), np.bool_)
        for bound, low in ((start, True), (end, False)):
            if bound is None:
                continue
            limit, is_day = _bound(bound)
            values: Any = day if is_day else self.ts_ns
            keep &= values >= limit if low else values <= limit
        if not keep.any():
            raise DataError(f"there are no bars between {start} and {end}; "
                            f"they run from {self.index[0]} to {self.index[-1]}.")
        first, stop = int(np.argmax(keep)), len(keep) - int(np.argmax(keep[::-1]))
        ts = self._ts[first:stop]
        part = object.__new__(Bars)
        part.timeframe, part.calendar, part.basis, part.notes = self.timeframe, self.calendar, self.basis, self.notes
        grid = build_grid(self.calendar, self.timeframe, int(ts[0]), int(ts[-1]))
        block = np.ascontiguousarray(self._block[:, first:stop])
        part._hold(Checked(ts, block, grid, grid.locate(ts), self.report.iloc[:0]))
        return part

    def __repr__(self) -> str:
        basis = f", basis={self.basis!r}" if self.basis else ""
        return (f"Bars({len(self):,} of {self.timeframe}, {self.calendar.name}, {self.index[0]} to {self.index[-1]}"
                f"{basis}, gaps={self.gaps:,}, repaired={len(self.report):,})")

    def _repr_html_(self) -> str:
        ends = pd.concat([self._frame.iloc[:3], self._frame.iloc[-3:]]) if len(self) > 6 else self._frame
        facts = {
            "bars": f"{len(self):,} of {self.timeframe}", "calendar": self.calendar.name,
            "sessions": f"{len(self.grid.sessions):,}", "from": str(self.index[0]), "to": str(self.index[-1]),
            "basis": self.basis or "not stated", "intervals without a bar": f"{self.gaps:,}",
            "rows repaired": f"{len(self.report):,}", "hash": self.hash,
            **({"notes": "; ".join(self.notes)} if self.notes else {}),
        }
        left = "style='text-align:left'"
        rows = "".join(f"<tr><th {left}>{name}</th><td {left}>{html.escape(value)}</td></tr>"
                       for name, value in facts.items())
        return f"<table>{rows}</table>{ends.to_html(border=0)}"


def _bytes(values: npt.NDArray[Any], kind: str) -> memoryview:
    """The values as bytes of one layout on every machine, without a copy where they have it already."""
    return np.ascontiguousarray(values, dtype=kind).data


def _bound(bound: Any) -> tuple[int, bool]:
    """A bound as (days, True) or (ns, False)."""
    if isinstance(bound, dt.date) and not isinstance(bound, dt.datetime):
        return day_number(bound), True
    try:
        moment = pd.Timestamp(bound)
    except ValueError as error:
        raise ConfigError(f"{bound!r} is neither a date nor an instant. Write 2024-06-30.") from error
    if moment.tz is None:
        if moment != moment.normalize() or (isinstance(bound, str) and ":" in bound):
            raise ConfigError(f"{bound!r} has no time zone. Write a date, or an instant as 2024-06-30T09:15+05:30.")
        return day_number(moment), True
    return int(moment.as_unit("ns").value), False


def _arrays(frame: pd.DataFrame, where: Origin) -> tuple[Int64, Float64, tuple[str, ...]]:
    """Stamps and a block of open, high, low, close, volume from a DataFrame; copies."""
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"{where.name}: bars are a DataFrame, not {type(frame).__name__}.")
    found = recognised(list(frame.columns), None, where.name)
    missing = [name for name in PRICES if name not in found]
    if missing:
        raise DataError(f"{where.name}: column {missing[0]!r} is missing; there are "
                        f"{', '.join(map(repr, frame.columns)) or 'none'}.")
    index: Any = frame.index
    if not isinstance(index, pd.DatetimeIndex) and "ts" in found:
        index = frame.iloc[:, found["ts"]]
    ts = _stamps(index, where)
    block = np.empty((5, len(frame)))
    notes: tuple[str, ...] = ()
    for at, name in enumerate(FIELDS):
        if name in found:
            column = frame.pop(name) if isinstance(frame, Handed) else frame.iloc[:, found[name]]
            block[at] = _numbers(column, name, where)
        else:
            block[at] = 0.0
            notes = ("there is no volume column: volume is 0",)
    return ts, block, notes


def _numbers(column: Any, name: str, where: Origin) -> npt.NDArray[np.float64]:
    """A column as numbers; numpy would also take booleans for 1 and 0, times for nanoseconds, and halve complex."""
    if column.dtype.kind in "bcmM":
        wrong = column.notna()
    elif column.dtype.kind == "O":
        wrong = column.map(lambda value: isinstance(value, _NO_NUMBERS))
    else:
        wrong = pd.Series([False])
    if not wrong.any():
        try:
            return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
        except (ValueError, TypeError):
            wrong = pd.to_numeric(column, errors="coerce").isna() & column.notna()
    row = int(np.argmax(wrong.to_numpy()))
    raise DataError(f"{where.at(row)}: {name} {column.iloc[[row]].tolist()[0]!r} is not a number.")


def _stamps(index: Any, where: Origin) -> Int64:
    """Stamps in ns UTC; times without a zone are refused, whatever the repair (rule B6)."""
    if len(index) and not isinstance(index.dtype, pd.DatetimeTZDtype):
        first = index[:1].tolist()[0]
        if not isinstance(index.dtype, np.dtype) or index.dtype.kind != "M":
            raise DataError(f"{where.at(0)}: the index holds {first!r}, not times. "
                            "Bars have an index 'ts' of instants with a time zone.")
        raise DataError(f"{where.at(0)}: {first} has no time zone, so its instant is unknown. Say which clock it is: "
                        "frame.tz_localize('Asia/Kolkata'), or zone='Asia/Kolkata' when reading a file.")
    try:
        return np.array(pd.DatetimeIndex(index).as_unit("ns").asi8, dtype=np.int64)
    except pd.errors.OutOfBoundsDatetime as error:
        raise DataError(f"{where.name}: a time lies outside 1677 to 2262: {error}") from error


