"""Checks of one value each: type, range, spelling.

A check takes what the user wrote and hands back what the record keeps (lists become tuples, whole numbers become
floats where a fraction is meant), or raises ``RefusedError`` with a reason that does not name the field.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from workbench.errors import ConfigError
from workbench.market.instruments import split_name
from workbench.market.timeframe import Timeframe
from workbench.strategy.frozen import FrozenMapping

Check = Callable[[Any], Any]

_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_BEFORE_CLOSE = re.compile(r"-([1-9]\d{0,3})m", re.ASCII)
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Calendars that need no looking up, which takes a third of a second the first time.
_WELL_KNOWN = frozenset(("NSE", "BSE", "XNYS", "XNAS", "FX", "24x7"))
_LARGEST_WHOLE = 2**53


class RefusedError(ValueError):
    """A value that a check does not take; the text is the reason."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that proposes the known name nearest to ``name``; empty when none is near."""
    near = difflib.get_close_matches(name, list(known), 1, 0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def number(value: Any) -> float:
    """A finite number; truth values and text are none."""
    if isinstance(value, bool) or type(value).__name__ == "bool" or not isinstance(value, Real):
        hint = f" (write {value.strip()} without quotes)" if isinstance(value, str) and _is_numeral(value) else ""
        raise RefusedError(f"is {value!r}; a number is asked{hint}")
    try:
        plain = float(value)
    except OverflowError:
        plain = math.inf
    if not math.isfinite(plain):
        raise RefusedError(f"is {value!r}; a finite number is asked")
    return plain


def _is_numeral(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def fraction(*, zero: bool = False, one: bool = False) -> Check:
    """Make a check for a fraction above 0 (or 0 itself) and below 1 (or 1 itself)."""

    def check(value: Any) -> float:
        plain = number(value)
        if (plain > 0 or (zero and plain == 0)) and (plain < 1 or (one and plain == 1)):
            return plain
        low, high = ("0 or more" if zero else "above 0"), ("at most 1" if one else "below 1")
        hint = f" (use {plain / 100:g} for {plain:g} %)" if 1 <= plain <= 100 else ""
        raise RefusedError(f"is {value!r}; a fraction is asked, {low} and {high}{hint}")

    return check


def gain(*, zero: bool = False) -> Check:
    """Make a check for a gain as a fraction: a price can more than double, so below 2; 2 itself is 2 % misspelt."""

    def check(value: Any) -> float:
        plain = number(value)
        if (plain > 0 or (zero and plain == 0)) and plain < 2:
            return plain
        hint = f" (use {plain / 100:g} for {plain:g} %)" if 2 <= plain <= 100 else ""
        raise RefusedError(f"is {value!r}; a fraction is asked, {'0 or more' if zero else 'above 0'} and below 2{hint}")

    return check


def positive(value: Any) -> float:
    """A number above 0."""
    plain = number(value)
    if plain <= 0:
        raise RefusedError(f"is {value!r}; it must be above 0")
    return plain


def whole(least: int) -> Check:
    """Make a check for a whole number of at least ``least``."""

    def check(value: Any) -> int:
        plain = number(value)
        if plain != math.floor(plain) or abs(plain) > _LARGEST_WHOLE:
            raise RefusedError(f"is {value!r}; a whole number is asked")
        if plain < least:
            raise RefusedError(f"is {value!r}; it must be at least {least}")
        return int(plain)

    return check


def truth(value: Any) -> bool:
    """True or False, nothing that merely counts as one."""
    if not isinstance(value, bool):
        raise RefusedError(f"is {value!r}; True or False is asked")
    return value


def one_of(*allowed: str) -> Check:
    """Make a check for one of a few words, spelt exactly."""

    def check(value: Any) -> str:
        if isinstance(value, str) and value in allowed:
            return str(value)
        words = ", ".join(allowed[:-1]) + " or " + allowed[-1]
        same = [word for word in allowed if isinstance(value, str) and word.lower() == value.strip().lower()]
        near = f"; did you mean {same[0]!r}?" if same else suggestion(value, allowed) if isinstance(value, str) else ""
        raise RefusedError(f"is {value!r}; {words} is asked{near}")

    return check


def optional(check: Check) -> Check:
    """Make a check that also takes None, for off."""
    return lambda value: None if value is None else check(value)


def title(value: Any) -> str:
    """A strategy's name: one printable line of up to 100 characters, no slashes (it becomes part of file names)."""
    if not isinstance(value, str):
        raise RefusedError(f"is {value!r}; text is asked")
    if not value or value != value.strip() or not value.isprintable() or len(value) > 100 or re.search(r"[/\\]", value):
        raise RefusedError(
            f"is {value!r}; 1 to 100 printable characters are asked, without slashes or blanks around them"
        )
    return str(value)


def semantic_version(value: Any) -> str:
    """A version by semver.org, like ``1.0.0``."""
    if isinstance(value, str) and _SEMVER.fullmatch(value):
        return str(value)
    parts = re.fullmatch(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?", str(value)) if not isinstance(value, bool) else None
    meant = ".".join(str(int(part or 0)) for part in parts.groups()) if parts else ""
    hint = f"; did you mean {meant!r}?" if meant else ""
    raise RefusedError(f"is {value!r}; a version like '1.0.0' is asked{hint}")


def timeframe(value: Any) -> str:
    """A timeframe in its canonical spelling."""
    try:
        return Timeframe.parse(value).text
    except ConfigError as error:
        raise RefusedError(f"is {value!r}: {error}") from None


def calendar_name(value: Any) -> str:
    """The canonical name of a calendar, from a name or from the calendar itself."""
    name = value if isinstance(value, str) else getattr(value, "name", None)
    if not isinstance(name, str) or not name.strip():
        raise RefusedError(f"is {value!r}; the name of a calendar is asked, like 'NSE', 'XNYS', 'FX' or '24x7'")
    if name in _WELL_KNOWN or not isinstance(value, str):
        return str(name)
    from workbench.market.calendar import resolve_calendar

    try:
        return resolve_calendar(name).name
    except ConfigError as error:
        raise RefusedError(f"is {value!r}: {error}") from None


def instruments(value: Any) -> tuple[str, ...]:
    """A tuple of different instruments, each ``EXCHANGE:SYMBOL``."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        hint = f" (write ({value!r},))" if isinstance(value, str) else ""
        raise RefusedError(f"is {value!r}; a tuple of instruments is asked{hint}")
    if not value:
        raise RefusedError("is empty; at least one instrument is asked, like 'NSE:RELIANCE'")
    seen: set[str] = set()
    for name in value:
        try:
            split_name(name)
        except ConfigError as error:
            raise RefusedError(f"is wrong: {error}") from None
        if name in seen:
            raise RefusedError(f"names {name!r} twice")
        seen.add(name)
    return tuple(str(name) for name in value)


def expression(value: Any) -> str:
    """The text of an expression, with plain line ends; what it says is checked when it is compiled."""
    if not isinstance(value, str):
        raise RefusedError(f"is {value!r}; an expression is asked, as text")
    if not value.strip():
        raise RefusedError("is empty; leave it out (None) when there is none")
    _encodable(value)
    return value.replace("\r\n", "\n").replace("\r", "\n")


def _encodable(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RefusedError(f"has a character that no file can hold, at position {error.start}") from None


def params(value: Any) -> FrozenMapping[float]:
    """Parameters by name, each a finite number; whole numbers stay whole."""
    if not isinstance(value, Mapping):
        raise RefusedError(f"is {value!r}; a mapping of names to numbers is asked, like {{'n': 14}}")
    kept: dict[str, float] = {}
    for name, given in value.items():
        if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
            hint = f" (write {name[1:]!r}: the $ belongs to the expression)" if str(name).startswith("$") else ""
            raise RefusedError(f"has the name {name!r}; letters, digits and _ are asked, no digit first{hint}")
        try:
            plain = number(given)
        except RefusedError as error:
            raise RefusedError(f"{name!r} {error}") from None
        kept[name] = int(given) if isinstance(given, Integral) and abs(plain) <= _LARGEST_WHOLE else plain
    return FrozenMapping(kept)


def sectors(value: Any) -> FrozenMapping[str]:
    """The sector of each instrument, as a mapping of text to text."""
    if not isinstance(value, Mapping):
        raise RefusedError(f"is {value!r}; a mapping of instruments to sectors is asked, like {{'NSE:TCS': 'IT'}}")
    for name, sector in value.items():
        if not isinstance(name, str) or not isinstance(sector, str) or not sector.strip():
            raise RefusedError(
                f"has {name!r}: {sector!r}; an instrument and the name of its sector are asked, both text"
            )
    return FrozenMapping({str(name): str(sector) for name, sector in value.items()})


def entry_window(value: Any) -> tuple[str, str]:
    """Two wall times of the session's zone, the first before the second."""
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 2:
        raise RefusedError(f"is {value!r}; two times are asked, like ('10:00', '10:30')")
    for time in value:
        if not isinstance(time, str) or not _CLOCK.fullmatch(time):
            raise RefusedError(f"has {time!r}; times are text, HH:MM with two digits each, like '09:20'")
    if not value[0] < value[1]:
        raise RefusedError(f"is {tuple(value)!r}; the first time must be before the second")
    return (str(value[0]), str(value[1]))


def exit_time(value: Any) -> str:
    """A wall time of the session's zone, or minutes before its close."""
    if isinstance(value, str) and (_CLOCK.fullmatch(value) or _BEFORE_CLOSE.fullmatch(value)):
        return str(value)
    raise RefusedError(f"is {value!r}; a time like '15:15', or minutes before the close like '-20m', is asked, as text")
