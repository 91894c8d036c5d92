"""Times as text, read by what they look like and by nothing else (pure).

A general parser of times guesses: it reads ``GMT+05:30`` as west, ``+5`` as a change of the clock, ``09:15`` as today,
and swaps day and month where that makes a date. So the shape of a text (its digits as 0) decides here: a shape is known
and says which digit is what, or the text is refused. All texts of one shape are read at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.errors import DataError
from workbench.market.checks import Origin
from workbench.market.sessions import Int64
from workbench.market.timeframe import DAY_NS, MINUTE_NS

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = (r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
         r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)")
_WEEKDAY = r"(?:(?:mon|tue(?:s)?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?[.,]?\s+)?"
_DATES = (
    r"(?P<year>0{4})(?P<sign>[-/. ])(?P<month>0{1,2})(?P=sign)(?P<day>0{1,2})",
    r"(?P<year>0{4})(?P<month>00)(?P<day>00)",
    r"(?P<one>0{1,2})(?P<sign>[-/.])(?P<two>0{1,2})(?P=sign)(?P<year>0{4}|00)",
    rf"(?P<day>0{{1,2}})[-/. ]*{_NAME}\.?[-/., ]*(?P<year>0{{4}}|00)",
    rf"{_NAME}\.?[- ]+(?P<day>0{{1,2}})[-, ]+(?P<year>0{{4}})",
    rf"(?P<year>0{{4}})[-/ ]?{_NAME}[-/ ]?(?P<day>0{{1,2}})",
)
_SECOND = r"(?P<second>00)(?:[.,](?P<fraction>0{1,9}))?"
_CLOCKS = (
    rf"(?P<hour>0{{1,2}}):(?P<minute>00)(?::{_SECOND})?(?:\s*(?P<half>[ap])\.?m\.?)?",
    rf"(?P<hour>00)(?P<minute>00)(?:{_SECOND})?",
    r"(?P<hour>0{1,2})\s*(?P<half>[ap])\.?m\.?",
    r"(?P<hour>00)",
)
_OFFSET = r"(?:\s*(?P<offset>Z|(?:UTC|GMT)?\s*[+-]00(?::?00)?|UTC|GMT))?"
_BETWEEN = r"(?:\s+-\s+|,\s*|\s+|T)"
_FLAGS = re.IGNORECASE | re.ASCII
_SIGNED = re.compile(r"([+-])(\d{2}):?(\d{2})?$", re.ASCII)
_CLOCK_ALONE = re.compile(r"0{1,2}:00(?::00)?.*", re.DOTALL)
_HOW = "Write it as 2024-01-31 09:15:00+05:30."

Flags = npt.NDArray[np.bool_]


@cache
def _known() -> tuple[re.Pattern[str], ...]:
    """Every way to write a time, compiled when a text is first read: it takes a tenth of a second."""
    return tuple(re.compile(pattern, _FLAGS) for pattern in (
        *(_WEEKDAY + date for date in _DATES),
        *(_WEEKDAY + date + _BETWEEN + clock + _OFFSET for date in _DATES for clock in _CLOCKS),
        _DATES[1] + _CLOCKS[1] + _OFFSET,
        rf"{_WEEKDAY}{_NAME}\s+(?P<day>0{{1,2}})\s+{_CLOCKS[0]}\s+(?P<year>0{{4}})",
    ))


@dataclass(frozen=True)
class Written:
    """What texts say.

    Attributes
    ----------
    clock_ns : int64[n]
        Date and clock as if in UTC, nanoseconds; the smallest int64 where nothing is written.
    offset_ns : int64[n]
        Offset east of UTC that stands behind the clock; 0 for ``Z``, ``UTC``, ``GMT`` and where there is none.
    has_offset : bool[n]
        Whether there is one.
    """

    clock_ns: Int64
    offset_ns: Int64
    has_offset: Flags


class _Group(NamedTuple):
    """All texts of one shape: their rows, their characters, and what each place of the shape means."""

    rows: Int64
    characters: npt.NDArray[np.uint8]
    found: re.Match[str]

    def number(self, part: str) -> Int64:
        """The digits of a part as numbers; zeros where the shape has no such part."""
        value = np.zeros(len(self.rows), np.int64)
        if self.found.groupdict().get(part) is None:
            return value
        for at in range(*self.found.span(part)):
            value = value * 10 + (self.characters[:, at] - ord("0"))
        return value


def read_written(text: pd.Series, missing: Flags, origin: Origin) -> Written:
    """Read texts.

    Parameters
    ----------
    text : Series of str, length n
        Without blanks around.
    missing : bool[n]
        Rows in which nothing is written.
    origin : Origin
        For messages.

    Raises
    ------
    DataError
        A text that is no date with or without a clock, a day that does not exist, day and month that cannot be told
        apart; with file, row, text and what to write.
    """
    clock = np.full(len(text), np.iinfo(np.int64).min)
    offset, has = np.zeros(len(text), np.int64), np.zeros(len(text), np.bool_)
    groups = list(_groups(text, missing, origin))
    day_first = _day_first([group for group in groups if "one" in group.found.re.groupindex], text, origin)
    wrong = np.zeros(len(text), np.bool_)
    for group in groups:
        ns, bad = _clock_ns(group, day_first)
        if group.found.groupdict().get("offset") is not None:
            has[group.rows] = True
            offset[group.rows], astray = _offset_ns(group)
            bad |= astray
        clock[group.rows] = ns
        wrong[group.rows] = bad
    if wrong.any():
        row = int(np.argmax(wrong))
        order = "" if day_first is None else f" (this file writes the {'day' if day_first else 'month'} first)"
        raise DataError(f"{origin.at(row)}: {text.iloc[row]!r} is not a time: no calendar has that day{order}, no "
                        f"clock that time, or it lies outside 1678 to 2261. {_HOW}")
    return Written(clock, offset, has)


def _groups(text: pd.Series, missing: Flags, origin: Origin) -> Iterator[_Group]:
    """The texts by shape; the first row of no known shape is refused."""
    import pyarrow as pa
    from pyarrow import compute

    whole: Any = pa.array(text, pa.large_string(), from_pandas=True)
    whole = compute.fill_null(whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole, "")
    _, ends, data = whole.buffers()
    shown = np.frombuffer(data if data is not None else b"", np.uint8).copy()
    shown[(shown >= ord("0")) & (shown <= ord("9"))] = ord("0")
    masked = pa.Array.from_buffers(pa.large_string(), len(whole), [None, ends, pa.py_buffer(shown)], 0, whole.offset)
    shapes = masked.dictionary_encode()
    code = np.where(missing, -1, shapes.indices.to_numpy(zero_copy_only=False)).astype(np.int64)
    named = shapes.dictionary.to_pylist()
    ways = _known()
    found = [next((match for match in (one.fullmatch(shape) for one in ways) if match), None) for shape in named]
    unknown = np.array([match is None for match in found] + [False])[code]
    if unknown.any():
        row = int(np.argmax(unknown))
        raise DataError(f"{origin.at(row)}: {_why(text.iloc[row], named[code[row]])} {_HOW}")
    order = np.argsort(code, kind="stable")
    bounds = np.searchsorted(code[order], np.arange(len(named) + 1))
    for at, match in enumerate(found):
        rows = order[bounds[at]:bounds[at + 1]]
        if match is not None and len(rows):
            # A known shape is ASCII, so every text of it has as many bytes as the shape has characters.
            bytes_of = np.frombuffer(whole.take(pa.array(rows)).buffers()[2], np.uint8)
            width = len(named[at])
            yield _Group(rows, bytes_of[:len(rows) * width].reshape(-1, width), match)


def _why(text: str, shape: str) -> str:
    """Why a text of unknown shape is refused."""
    if _CLOCK_ALONE.fullmatch(shape):
        return f"{text!r} is a clock without a date before it. Every row needs its date, here or in a column 'date'."
    for known in _known():
        begun = known.match(shape)
        if begun and "hour" in known.groupindex:
            last = "minute" if "minute" in known.groupindex else "hour"
            rest = text[begun.end(last):].lstrip(":.,0123456789").strip()
            if rest:
                return (f"{text!r} is not a time: {rest!r} behind the clock is none of Z, UTC, GMT, or an offset with "
                        "two-digit hours such as +05, +0530, +05:30 or GMT+05:30 (plus is east of Greenwich).")
    return f"{text!r} is not a time."


def _clock_ns(group: _Group, day_first: bool | None) -> tuple[Int64, Flags]:
    """Date and clock of a group, and where there is no such day or time."""
    year, parts = group.number("year"), group.found.groupdict()
    if len(parts["year"]) == 2:
        year += np.where(year < 69, 2000, 1900)
    if "one" in parts:
        month, day = (group.number(part) for part in (("two", "one") if day_first else ("one", "two")))
    else:
        day = group.number("day")
        name = parts.get("name")
        month = group.number("month") if name is None else np.full(len(day), 1 + _MONTHS.index(name[:3].lower()))
    hour, minute, second = (group.number(part) for part in ("hour", "minute", "second"))
    bad = (year < 1678) | (year > 2261) | (month < 1) | (month > 12) | (day < 1) | (minute > 59) | (second > 59)
    if parts.get("half") is not None:
        bad |= (hour < 1) | (hour > 12)
        hour = hour % 12 + (12 if parts["half"].lower() == "p" else 0)
    bad |= hour > 23
    months = np.where(bad, 0, 12 * (year - 1970) + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + np.where(bad, 0, day - 1)
    bad |= days.astype("datetime64[M]") != months
    fraction = group.number("fraction") * 10 ** (9 - len(parts.get("fraction") or ""))
    return days.astype(np.int64) * DAY_NS + (60 * hour + minute) * MINUTE_NS + second * 10**9 + fraction, bad


def _offset_ns(group: _Group) -> tuple[Int64, Flags]:
    """Offsets of a group, east positive also behind GMT and UTC, and where there is no such offset."""
    first, stop = group.found.span("offset")
    values = np.ascontiguousarray(group.characters[:, first:stop]).view(f"S{stop - first}").ravel()
    distinct, inverse = np.unique(values, return_inverse=True)
    minutes = []
    for text in distinct:
        signed = _SIGNED.search(text.decode())
        hours, rest = (int(signed[2]), int(signed[3] or 0)) if signed else (0, 0)
        east = -1 if signed and signed[1] == "-" else 1
        minutes.append(east * (60 * hours + rest) if hours < 16 and rest < 60 else 10**6)
    offset = np.array(minutes, np.int64)[inverse]
    return offset * MINUTE_NS, offset == 10**6


def _day_first(groups: list[_Group], text: pd.Series, origin: Origin) -> bool | None:
    """Whether 03/04/2024 is the third of April; told by any row in which one of the two is above 12."""
    if not groups:
        return None
    one, two = (np.concatenate([group.number(part) for group in groups]) for part in ("one", "two"))
    short = all(len(group.found["year"]) == 2 and group.found["sign"] == "-" for group in groups)
    row = min(int(group.rows[0]) for group in groups)
    if short and (one > 12).all() and all((group.number("year") < 32).all() for group in groups):
        raise DataError(f"{origin.at(row)}: in {text.iloc[row]!r} nobody can tell day from year, in any row of the "
                        "file. Write dates as 2024-01-31.")
    if (one > 12).any() or all(group.found["sign"] == "." for group in groups):
        return True
    if (two > 12).any():
        return False
    raise DataError(f"{origin.at(row)}: in {text.iloc[row]!r} nobody can tell day from month, in any row of the file. "
                    "Write dates as 2024-01-31.")
