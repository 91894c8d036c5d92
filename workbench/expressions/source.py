"""The text of an expression, and errors that point into it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from workbench.errors import ExpressionError

#: Longest source in characters, comments included: 25 for each node. What it says is limited in nodes (``tokens``).
SOURCE_LIMIT: Final = 64_000

# A longer name is no slip of the pen, and looking for what resembles it takes its time.
_NAME_LIMIT: Final = 40
_CANDIDATE_LIMIT: Final = 100
_LENGTH_SLIP: Final = 3

# In the copy that an error shows, each of these is one blank: a tab would move the caret, the others end a line for
# Python only.
_SHOWN = str.maketrans(dict.fromkeys("\t\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029", " "))


def readable(text: object) -> str:
    """Check that a source is text of a bearable length and make its line ends line feeds.

    Raises
    ------
    ExpressionError
        When it is not a ``str``, empty, or longer than ``SOURCE_LIMIT``.
    """
    if not isinstance(text, str):
        raise ExpressionError(f"an expression is text, not {type(text).__name__}", hint="Write it in quotes.")
    if len(text) > SOURCE_LIMIT:
        raise ExpressionError(
            f"the expression has {len(text):,} characters, at most {SOURCE_LIMIT:,} are allowed",
            hint="Split it into several strategies, or define what repeats once: name = expression.",
        )
    if not text.strip():
        raise ExpressionError("the expression is empty", hint="Write a condition, for example RSI(14) < 30.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def error(source: str, at: int, message: str, hint: str = "") -> ExpressionError:
    """Make the error that points at one character of a source.

    Parameters
    ----------
    source : str
        The whole expression.
    at : int
        Offset of the character, ``len(source)`` for its end.
    message, hint : str
        What is wrong and how to fix it.
    """
    at = min(max(at, 0), len(source))
    line = source.count("\n", 0, at) + 1
    column = at - (source.rfind("\n", 0, at) + 1) + 1
    shown = source.translate(_SHOWN).encode("utf-8", "replace").decode("utf-8")
    return ExpressionError(message, line, column, shown, hint)


def quoted(text: str) -> str:
    """Text as an error names it: printable, in quotes, cut after forty characters."""
    return repr(text if len(text) <= _NAME_LIMIT else text[:_NAME_LIMIT] + "…")


def suggestion(name: str, known: Iterable[str]) -> str:
    """``Did you mean …?`` for a misspelt name, or nothing.

    Parameters
    ----------
    name : str
        As it was written.
    known : iterable of str
        Names that exist; case does not matter.
    """
    if len(name) > _NAME_LIMIT:
        return ""
    candidates: dict[str, str] = {}
    for candidate in known:
        if len(candidates) < _CANDIDATE_LIMIT and abs(len(candidate) - len(name)) <= _LENGTH_SLIP:
            candidates.setdefault(candidate.upper(), candidate)
    close = get_close_matches(name.upper(), candidates, n=1, cutoff=0.6)
    return f"Did you mean {candidates[close[0]]}?" if close else ""
