"""Sessions as data: when an exchange trades, and nothing else (rules C1, C3, C4, C5; B2 for pauses).

A session is one day of trading: open, close, pauses between, the proxy close, the windows. Days are counted
from 1970-01-01, instants in nanoseconds UTC; local times appear only in ``wall_ns``.
Everything here is pure: calendars that know holidays are in ``calendar.py`` and ``weeks.py``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.market.timeframe import DAY_NS, MINUTE_NS

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
Bool = npt.NDArray[np.bool_]

_EPOCH = dt.date(1970, 1, 1)


class DayKind(IntEnum):
    """Why a day has the session it has."""

    NORMAL = 0
    HALF_DAY = 1
    SPECIAL = 2
    SETTLEMENT_ONLY = 3  # trades as on any other day (rule C5)
    UNKNOWN = 4  # CALENDAR_UNKNOWN: normal hours assumed, entries are blocked (rule C3)


def day_number(date: dt.date | str | Any) -> int:
    """Days from 1970-01-01 to a date (a ``date``, ISO text or anything pandas reads as a date)."""
    if isinstance(date, dt.date) and not isinstance(date, dt.datetime):
        return (date - _EPOCH).days
    return (pd.Timestamp(date).date() - _EPOCH).days


def date_of(day: int) -> dt.date:
    """The date that is ``day`` days after 1970-01-01."""
    return _EPOCH + dt.timedelta(days=int(day))


def wall_ns(day: npt.ArrayLike, minute: npt.ArrayLike, zone: str) -> Int64:
    """Instants at which clocks in ``zone`` show ``minute`` minutes after midnight of ``day``.

    A time that daylight saving skips is moved forward to the first that exists; of a time shown twice, the first
    is meant.
    """
    local = np.asarray(day, np.int64) * DAY_NS + np.asarray(minute, np.int64) * MINUTE_NS
    index = pd.DatetimeIndex(local.astype("datetime64[ns]"))
    known = index.tz_localize(zone, ambiguous=np.ones(len(index), bool), nonexistent="shift_forward")
    return np.asarray(known.asi8, dtype=np.int64)


@dataclass(frozen=True)
class TradingDays:
    """Trading hours of some days, ascending by date; what a week or an uploaded calendar answers.

    Attributes
    ----------
    date : int32[n]
        Days since 1970-01-01.
    open_ns, close_ns : int64[n]
        First and last instant.
    kind : int8[n]
        ``DayKind``.
    pause_date : int32[p]
        Day of each pause, ascending.
    pause_start_ns, pause_end_ns : int64[p]
        Pauses, ascending inside a day.
    """

    date: Int32
    open_ns: Int64
    close_ns: Int64
    kind: npt.NDArray[np.int8]
    pause_date: Int32
    pause_start_ns: Int64
    pause_end_ns: Int64

    @classmethod
    def of(cls, date: npt.ArrayLike, open_ns: npt.ArrayLike, close_ns: npt.ArrayLike, kind: DayKind | npt.ArrayLike,
           pauses: Sequence[tuple[int, int, int]] | Int64 = ()) -> TradingDays:
        """Build from arrays; ``pauses`` are rows of (day, start_ns, end_ns)."""
        days = np.asarray(date, np.int32)
        rows = np.asarray(pauses, np.int64).reshape(-1, 3)
        kinds = np.broadcast_to(np.asarray(kind, np.int8), days.shape)
        return cls(days, np.asarray(open_ns, np.int64), np.asarray(close_ns, np.int64), kinds,
                   rows[:, 0].astype(np.int32), rows[:, 1].copy(), rows[:, 2].copy())

    def where(self, keep: Bool) -> TradingDays:
        """The days for which ``keep`` (bool[n]) holds, with their pauses."""
        pauses = np.isin(self.pause_date, self.date[keep])
        return TradingDays(self.date[keep], self.open_ns[keep], self.close_ns[keep], self.kind[keep],
                           self.pause_date[pauses], self.pause_start_ns[pauses], self.pause_end_ns[pauses])

    def between(self, first: int, last: int) -> TradingDays:
        """The days from ``first`` to ``last``, both inclusive."""
        return self.where((self.date >= first) & (self.date <= last))

    @staticmethod
    def joined(parts: Sequence[TradingDays]) -> TradingDays:
        """Several sets of different days as one, ascending."""
        whole = [np.concatenate([getattr(part, name) for part in parts]) for name in TradingDays.__dataclass_fields__]
        order = np.argsort(whole[0], kind="stable")
        pause_order = np.lexsort((whole[5], whole[4]))
        return TradingDays(*(column[order] for column in whole[:4]), *(column[pause_order] for column in whole[4:]))


@dataclass(frozen=True)
class Session:
    """One session of one exchange (rule C1). All instants are nanoseconds UTC.

    Attributes
    ----------
    exchange : str
        Name of the calendar.
    date : datetime.date
        The day that names the session.
    open_ns, close_ns, proxy_close_ns, sell_end_ns : int
        Open, close, proxy close and end of the sell window (rule C4).
    kind : DayKind
        Normal, half day, special, settlement only, or unknown.
    pauses : tuple of (int, int)
        Start and end of each pause.
    zone : str
        Time zone of the exchange.
    """

    exchange: str
    date: dt.date
    open_ns: int
    close_ns: int
    proxy_close_ns: int
    sell_end_ns: int
    kind: DayKind
    pauses: tuple[tuple[int, int], ...]
    zone: str

    @property
    def known(self) -> bool:
        """False when the calendar does not cover the day (CALENDAR_UNKNOWN)."""
        return self.kind != DayKind.UNKNOWN

    @property
    def open(self) -> pd.Timestamp:
        """Opening instant in the exchange's zone."""
        return self._local(self.open_ns)

    @property
    def close(self) -> pd.Timestamp:
        """Closing instant in the exchange's zone."""
        return self._local(self.close_ns)

    @property
    def proxy_close(self) -> pd.Timestamp:
        """Proxy close in the exchange's zone."""
        return self._local(self.proxy_close_ns)

    @property
    def buy_window(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """``[proxy close, close)``, also the flatten window (rule C4)."""
        return self.proxy_close, self.close

    @property
    def sell_window(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """``(open, open + sell_after_open]``, read on a bar's close (rule C4)."""
        return self.open, self._local(self.sell_end_ns)

    def _local(self, ns: int) -> pd.Timestamp:
        return pd.Timestamp(ns, tz="UTC").tz_convert(self.zone)


@dataclass(frozen=True)
class SessionTable:
    """Sessions of one exchange as equal-length arrays, ascending, one row a session.

    Attributes
    ----------
    date : int32[n]
        Days since 1970-01-01 of the day that names the session.
    open_ns, close_ns, proxy_close_ns, sell_end_ns : int64[n]
        As in ``Session``.
    kind : int8[n]
        ``DayKind``.
    known : bool[n]
        False where the calendar does not cover the day (CALENDAR_UNKNOWN).
    pause_first : int32[n + 1]
        Pauses of row s are ``pause_start_ns[pause_first[s]:pause_first[s + 1]]``.
    pause_start_ns, pause_end_ns : int64[p]
        Pauses, ascending.
    """

    date: Int32
    open_ns: Int64
    close_ns: Int64
    proxy_close_ns: Int64
    sell_end_ns: Int64
    kind: npt.NDArray[np.int8]
    known: Bool
    pause_first: Int32
    pause_start_ns: Int64
    pause_end_ns: Int64

    @classmethod
    def of(cls, days: TradingDays, proxy_before_close_ns: int, sell_after_open_ns: int) -> SessionTable:
        """Add proxy close and windows to trading hours (rule C4); both stay inside a very short session."""
        bounds = np.searchsorted(days.pause_date, days.date, side="left")
        return cls(
            date=days.date,
            open_ns=days.open_ns,
            close_ns=days.close_ns,
            proxy_close_ns=np.maximum(days.close_ns - proxy_before_close_ns, days.open_ns),
            sell_end_ns=np.minimum(days.open_ns + sell_after_open_ns, days.close_ns),
            kind=days.kind,
            known=days.kind != DayKind.UNKNOWN,
            pause_first=np.append(bounds, len(days.pause_date)).astype(np.int32),
            pause_start_ns=days.pause_start_ns,
            pause_end_ns=days.pause_end_ns,
        )

    def __len__(self) -> int:
        return len(self.date)

    def rows(self, first: int, stop: int) -> SessionTable:
        """Rows ``first`` to ``stop - 1`` as a table; the arrays are views."""
        low, high = (int(self.pause_first[first]), int(self.pause_first[stop])) if stop > first else (0, 0)
        cut = slice(first, stop)
        return SessionTable(
            self.date[cut], self.open_ns[cut], self.close_ns[cut], self.proxy_close_ns[cut], self.sell_end_ns[cut],
            self.kind[cut], self.known[cut], (self.pause_first[first : max(stop, first) + 1] - low).astype(np.int32),
            self.pause_start_ns[low:high], self.pause_end_ns[low:high],
        )

    def row_of_day(self, day: int) -> int:
        """Row of the session named by a day, -1 when that day has none."""
        row = int(np.searchsorted(self.date, day))
        return row if row < len(self) and self.date[row] == day else -1

    def pauses(self, row: int) -> tuple[tuple[int, int], ...]:
        """Pauses of a row as (start_ns, end_ns)."""
        cut = slice(int(self.pause_first[row]), int(self.pause_first[row + 1]))
        return tuple(zip(self.pause_start_ns[cut].tolist(), self.pause_end_ns[cut].tolist(), strict=True))

    def session(self, row: int, exchange: str, zone: str) -> Session:
        """One row as a ``Session``."""
        return Session(
            exchange, date_of(int(self.date[row])), int(self.open_ns[row]), int(self.close_ns[row]),
            int(self.proxy_close_ns[row]), int(self.sell_end_ns[row]), DayKind(int(self.kind[row])),
            self.pauses(row), zone,
        )
