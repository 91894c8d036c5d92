"""Timeframes: how long a bar lasts (rule B3).

Written ``Nm``, ``Nh`` or ``1d``. Minutes and hours are lengths; ``1d`` is one session, however long that is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

from workbench.errors import ConfigError

MINUTE_NS = 60_000_000_000
DAY_NS = 86_400_000_000_000

_WRITTEN = re.compile(r"([1-9][0-9]*)(m|h)")
_FOREIGN = re.compile(r"([0-9]*)\s*(min(?:ute)?s?|t|m|h(?:(?:ou)?rs?)?|d(?:ays?)?)", re.IGNORECASE)
_WEEKS = re.compile(r"[0-9]*\s*(w(?:eeks?)?|mo(?:nths?)?|y(?:ears?)?|q)", re.IGNORECASE)
_RULE = "Timeframes are written Nm, Nh or 1d, for example '5m', '1h', '1d'."


@total_ordering
@dataclass(frozen=True, repr=False)
class Timeframe:
    """Length of a bar.

    Make one with ``Timeframe.parse("15m")``; ``Timeframe.parse("60m") == Timeframe.parse("1h")``. They order by
    length, with ``1d`` after every intraday one.

    Attributes
    ----------
    minutes : int
        Length in minutes, 1 to 1439; 0 for ``1d``, whose length is its session's.
    """

    minutes: int

    def __post_init__(self) -> None:
        if not 0 <= self.minutes < 1440:
            raise ConfigError(f"a timeframe of {self.minutes} minutes does not exist. {_RULE}")

    @classmethod
    def parse(cls, text: str | Timeframe) -> Timeframe:
        """Read a timeframe.

        Parameters
        ----------
        text : str or Timeframe
            ``"5m"``, ``"1h"``, ``"1d"``; a Timeframe is handed back as it is.

        Raises
        ------
        ConfigError
            Anything else, with a hint where the meaning can be guessed.
        """
        if isinstance(text, Timeframe):
            return text
        if not isinstance(text, str):
            raise ConfigError(f"a timeframe is text, not {type(text).__name__}. {_RULE}")
        if text == "1d":
            return cls(0)
        match = _WRITTEN.fullmatch(text)
        minutes = int(match[1]) * (60 if match[2] == "h" else 1) if match and len(match[1]) <= 6 else 0
        if not 0 < minutes < 1440:
            raise ConfigError(f"timeframe {text!r} is not understood. {_hint(text)}")
        return cls(minutes)

    @property
    def is_daily(self) -> bool:
        """Whether this is ``1d``, one bar a session."""
        return self.minutes == 0

    @property
    def ns(self) -> int:
        """Length in nanoseconds; for ``1d`` that of a calendar day, an upper bound of a session."""
        return DAY_NS if self.is_daily else self.minutes * MINUTE_NS

    @property
    def text(self) -> str:
        """Canonical spelling: ``1h`` for sixty minutes, ``90m`` for ninety."""
        if self.is_daily:
            return "1d"
        return f"{self.minutes // 60}h" if self.minutes % 60 == 0 else f"{self.minutes}m"

    def divides(self, other: Timeframe) -> bool:
        """Whether bars of ``other`` can be built from bars of this one (rule B3): a multiple, or ``1d`` above."""
        if other.is_daily:
            return True
        return not self.is_daily and other.minutes % self.minutes == 0

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Timeframe):
            return NotImplemented
        return self.ns < other.ns

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Timeframe({self.text!r})"


def _hint(text: str) -> str:
    """What the writer probably meant."""
    stripped = text.strip()
    if _WEEKS.fullmatch(stripped):
        return f"Weeks, months and years are not timeframes. {_RULE}"
    match = _FOREIGN.fullmatch(stripped)
    if not match or len(match[1]) > 6:
        return _RULE
    count, unit = int(match[1] or 1), match[2].lower()
    if unit[0] == "d" or (unit[0] == "h" and count == 24) or (unit[0] in "mt" and count == 1440):
        one = count in (1, 24, 1440)
        return "Write '1d' for one bar a session." if one else f"Only '1d' exists above hours. {_RULE}"
    if count == 0:
        return f"A bar lasts at least a minute. {_RULE}"
    hours = unit[0] == "h"
    return f"Write '{count}{'h' if hours else 'm'}'." if count * (60 if hours else 1) < 1440 else _RULE
