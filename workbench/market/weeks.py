"""The weeks that calendars start from, before an uploaded file overrides them (rule C3).

``ExchangeWeek`` asks exchange_calendars, which knows holidays and early closes of real exchanges but no special NSE
sessions; ``ForexWeek`` is 24x5 from 17:00 New York; ``RoundTheClock`` is every day from 00:00 UTC.
exchange_calendars is imported only when an exchange is resolved, and asked for fixed blocks of years: its default
range follows today's date, and a result must not.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.errors import ConfigError
from workbench.market.sessions import DayKind, Int64, TradingDays, day_number, wall_ns
from workbench.market.timeframe import DAY_NS

#: Building a calendar costs the same for one year as for fifty, so years come in blocks.
BLOCK_YEARS = 50
FIRST_BLOCK = 1990


class Week(Protocol):
    """What a calendar is built on."""

    zone: str

    def days(self, first: int, last: int) -> TradingDays:
        """Trading hours from day ``first`` to day ``last``; days nobody can vouch for are ``DayKind.UNKNOWN``."""
        ...

    def normal(self, first: int, last: int) -> TradingDays:
        """Normal hours on every day of the week that trades, whatever the holidays."""
        ...

    def hours(self, day: npt.ArrayLike) -> TradingDays:
        """Normal hours on given days, of whatever weekday."""
        ...

    def sessions_per_year(self) -> int:
        """Sessions in a typical year (rule R3)."""
        ...


class ForexWeek:
    """Monday to Friday; a session lasts from 17:00 New York of the day before to 17:00 of its own (rule B2)."""

    zone = "America/New_York"

    def days(self, first: int, last: int) -> TradingDays:
        """Every weekday; there are no holidays."""
        return self.normal(first, last)

    def normal(self, first: int, last: int) -> TradingDays:
        """Every weekday."""
        return self.hours(_weekdays(first, last, "1111100"))

    def hours(self, day: npt.ArrayLike) -> TradingDays:
        """From 17:00 New York of the day before to 17:00 of the day."""
        day = np.asarray(day, np.int64)
        opens, closes = (wall_ns(day + shift, 17 * 60, self.zone) for shift in (-1, 0))
        return TradingDays.of(day, opens, closes, DayKind.NORMAL)

    def sessions_per_year(self) -> int:
        """260."""
        return 260


class RoundTheClock:
    """Every day from 00:00 UTC to 00:00 UTC."""

    zone = "UTC"

    def days(self, first: int, last: int) -> TradingDays:
        """Every day."""
        return self.normal(first, last)

    def normal(self, first: int, last: int) -> TradingDays:
        """Every day."""
        return self.hours(np.arange(first, last + 1))

    def hours(self, day: npt.ArrayLike) -> TradingDays:
        """From 00:00 UTC to 00:00 UTC."""
        day = np.asarray(day, np.int64)
        return TradingDays.of(day, day * DAY_NS, (day + 1) * DAY_NS, DayKind.NORMAL)

    def sessions_per_year(self) -> int:
        """365."""
        return 365


class ExchangeWeek:
    """An exchange that exchange_calendars knows.

    Parameters
    ----------
    name : str
        Its name there, such as ``XNYS`` or ``XBOM``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._rules, _ = _block(name, FIRST_BLOCK)
        self.zone = self._rules.zone

    def days(self, first: int, last: int) -> TradingDays:
        """Sessions with holidays and early closes; outside the bounds of exchange_calendars, unknown ones."""
        low, high = self._rules.first, self._rules.last
        parts = []
        if max(first, low) <= min(last, high):
            blocks = range(_block_of(max(first, low)), _block_of(min(last, high)) + 1, BLOCK_YEARS)
            parts += [_block(self.name, block)[1] for block in blocks]
        for start, stop in ((first, min(last, low - 1)), (max(first, high + 1), last)):
            if start <= stop:
                days = self.normal(start, stop)
                parts.append(replace(days, kind=np.full(len(days.date), DayKind.UNKNOWN, np.int8)))
        return TradingDays.joined(parts).between(first, last) if parts else self.normal(1, 0)

    def normal(self, first: int, last: int) -> TradingDays:
        """Today's regular hours on the days of the week on which the exchange trades."""
        return self.hours(_weekdays(first, last, self._rules.weekmask))

    def hours(self, day: npt.ArrayLike) -> TradingDays:
        """Today's regular hours."""
        rules, day = self._rules, np.asarray(day, np.int64)
        opens = wall_ns(day + rules.open_offset, rules.open_minute, self.zone)
        closes = wall_ns(day + rules.close_offset, rules.close_minute, self.zone)
        pauses: Any = ()
        if rules.pause_minutes is not None:
            pauses = np.column_stack([day, *(wall_ns(day, minute, self.zone) for minute in rules.pause_minutes)])
        return TradingDays.of(day, opens, closes, DayKind.NORMAL, pauses)

    def sessions_per_year(self) -> int:
        """Mean over 2015 to 2024, as far as the exchange is known there, rounded."""
        first = max(day_number("2015-01-01"), self._rules.first)
        stop = day_number("2025-01-01")
        if first >= stop:
            return 252
        return round(len(self.days(first, stop - 1).date) / ((stop - first) / 365.25))


@dataclass(frozen=True)
class _Rules:
    """What is needed of a calendar besides its sessions; minutes are of the local day, rules those in force now."""

    zone: str
    weekmask: str
    open_minute: int
    close_minute: int
    open_offset: int
    close_offset: int
    pause_minutes: tuple[int, int] | None
    first: int
    last: int


def _weekdays(first: int, last: int, mask: str) -> Int64:
    """Days from first to last whose weekday is marked in ``mask`` (Monday first)."""
    day = np.arange(first, last + 1, dtype=np.int64)
    marked = np.array([mark == "1" for mark in mask])
    chosen: Int64 = day[marked[(day + 3) % 7]]  # 1970-01-01 was a Thursday
    return chosen


def _minute(times: Any) -> int:
    """Minute of the day of the rule in force now; exchange_calendars lists rules as (since, time)."""
    now = times[-1][1]
    return int(now.hour * 60 + now.minute)


def _block_of(day: int) -> int:
    year = pd.Timestamp(day * DAY_NS).year
    return FIRST_BLOCK + (year - FIRST_BLOCK) // BLOCK_YEARS * BLOCK_YEARS


#: A session shorter than this share of the usual one is a half day.
SHORT_SESSION_FRAC = 0.8


@cache
def _block(name: str, year: int) -> tuple[_Rules, TradingDays]:
    """Rules of an exchange and its sessions in ``BLOCK_YEARS`` years from ``year``, clipped to its bounds."""
    known = _fetch(name, f"{year}-01-01", f"{year + BLOCK_YEARS - 1}-12-31")
    low, high = _bounds(known)
    breaks = known.break_start_times and known.break_end_times
    rules = _Rules(
        str(known.tz), known.weekmask, _minute(known.open_times), _minute(known.close_times), known.open_offset,
        known.close_offset, (_minute(known.break_start_times), _minute(known.break_end_times)) if breaks else None,
        low, high,
    )
    schedule = known.schedule
    day = schedule.index.as_unit("ns").asi8 // DAY_NS
    paused = schedule["break_start"].notna().to_numpy()
    pauses = np.column_stack([day[paused], _ns(schedule["break_start"][paused]), _ns(schedule["break_end"][paused])])
    opens, closes = _ns(schedule["open"]), _ns(schedule["close"])
    return rules, TradingDays.of(day, opens, closes, _kinds(closes - opens), pauses)


def _kinds(length_ns: Int64) -> npt.NDArray[np.int8]:
    """HALF_DAY for sessions that close early, NORMAL for the others; regular hours have changed by less than that."""
    if not len(length_ns):
        return np.zeros(0, np.int8)
    early = length_ns < SHORT_SESSION_FRAC * np.median(length_ns)
    return np.where(early, DayKind.HALF_DAY, DayKind.NORMAL).astype(np.int8)


def _fetch(name: str, first: str, last: str) -> Any:
    """A calendar of exchange_calendars over the part of a range that it covers."""
    import exchange_calendars as source

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it uses calls that newer pandas deprecates; its user can do nothing
            try:
                return source.get_calendar(name, start=first, end=last)
            except ValueError:  # the range leaves the exchange's bounds, which only its class knows
                low, high = _bounds(source.get_calendar(name))
                start, end = max(day_number(first), low), min(day_number(last), high)
                return source.get_calendar(name, start=pd.Timestamp(start * DAY_NS), end=pd.Timestamp(end * DAY_NS))
    except source.errors.InvalidCalendarName as error:
        raise ConfigError(f"exchange_calendars knows no calendar {name!r}.") from error
    except (NotImplementedError, ValueError) as error:
        raise ConfigError(
            f"exchange_calendars cannot build the calendar {name!r} with the installed pandas: {str(error)[:120]}"
        ) from error


def _bounds(known: Any) -> tuple[int, int]:
    """First and last day an exchange is answered for; where it names none, 1960 to 2099."""
    low, high = type(known).bound_min(), type(known).bound_max()
    return (day_number(low) if low is not None else day_number("1960-01-01"),
            day_number(high) if high is not None else day_number("2099-12-31"))


def _ns(column: Any) -> Int64:
    return np.asarray(pd.DatetimeIndex(column).as_unit("ns").asi8, dtype=np.int64)
