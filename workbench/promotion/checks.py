"""One question asked of a strategy, with what was measured, what was needed, and what to try."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """An answer that can be no.

    Attributes
    ----------
    name : str
        Of the question, as settings and docs call it.
    passed : bool
        The answer.
    measured : str
        What was found, in words.
    needed : str
        What was asked for, in words.
    advice : str
        What to try where it failed; empty where it passed.
    value, threshold : float or None
        The numbers compared, where they are numbers: by how much it failed.
    """

    name: str
    passed: bool
    measured: str
    needed: str
    advice: str = ""
    value: float | None = None
    threshold: float | None = None

    @property
    def words(self) -> str:
        """In a line."""
        return f"{self.name}: {self.measured}; needed: {self.needed}"

    def plain(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Check:
        """From what ``plain`` made."""
        return cls(**plain)


def said(name: str, passed: bool, measured: str, needed: str, advice: str = "") -> Check:
    """A check of something that is no number."""
    return Check(name, passed, measured, needed, "" if passed else advice)


def at_least(name: str, value: float | None, threshold: float, advice: str, unit: str = "") -> Check:
    """A number that must not be below a threshold; one that is undefined does not reach it."""
    return _compared(name, value, threshold, ("at least", advice, unit), lambda one: one >= threshold)


def at_most(name: str, value: float | None, threshold: float, advice: str, unit: str = "") -> Check:
    """A number that must not be above a threshold; one that is undefined does not keep it."""
    return _compared(name, value, threshold, ("at most", advice, unit), lambda one: one <= threshold)


def above(name: str, value: float | None, threshold: float, advice: str, unit: str = "") -> Check:
    """A number that must be above a threshold."""
    return _compared(name, value, threshold, ("above", advice, unit), lambda one: one > threshold)


def _compared(name: str, value: float | None, threshold: float, words: tuple[str, str, str], holds: Any) -> Check:
    how, advice, unit = words
    needed = f"{how} {written(threshold, unit)}"
    if value is None or not math.isfinite(value):
        return Check(name, False, "undefined", needed, advice, None, threshold)
    passed = bool(holds(value))
    return Check(name, passed, written(value, unit), needed, "" if passed else advice, float(value), threshold)


def written(value: float, unit: str = "") -> str:
    """A number as a person reads it: fractions as percent, counts whole, others to four digits."""
    if unit == "%":
        return f"{100 * value:.2f} %"
    text = f"{value:,.0f}" if float(value).is_integer() and abs(value) >= 1 else f"{value:.4g}"
    return f"{text} {unit}".rstrip()


def number(statistic: Any) -> float | None:
    """A statistic as a number; None where it is undefined."""
    return None if statistic is None else float(statistic)


def all_passed(checks: Iterable[Check]) -> bool:
    """Whether something was asked, and every answer is yes."""
    found = list(checks)
    return bool(found) and all(one.passed for one in found)
