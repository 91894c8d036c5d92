"""What a person probably meant where the parser stumbled: messages and hints for the usual slips of the pen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final

from workbench.expressions.source import quoted, suggestion
from workbench.expressions.syntax import KEYWORDS

_EQUALS: Final = "Write == to compare. A single = defines a variable, at the start of a line."
_AND: Final = "Write AND."
_OR: Final = "Write OR."
_POWER: Final = "Write POW(a, b)."
_QUOTE: Final = 'Write straight quotes, for example close("1h").'

_LAST: Final = (
    "End with the expression itself. Write == to compare; name = expression defines a variable. "
    "A last statement that begins with - goes into parentheses."
)

# Two characters, around the place where the parser stopped.
_PAIRS: Final[dict[str, str]] = {
    "=<": "Write <= for less or equal.",
    "=>": "Write >= for greater or equal.",
    "<>": "Write != for not equal.",
    "&&": _AND,
    "||": _OR,
    "**": _POWER,
}

# One character that no part of the language is written with.
_FOREIGN: Final[dict[str, str]] = {
    "=": _EQUALS,
    "&": _AND,
    "|": _OR,
    "!": "Write NOT, or != to compare.",
    "^": _POWER,
    "%": "There is no percent sign and no remainder. Fractions are written 0.02; ROC and MOVING_UP count in percent.",
    "[": "Write LAG(x, n) for the value n bars ago.",
    "]": "Write LAG(x, n) for the value n bars ago.",
    "{": "Write ( and ).",
    "}": "Write ( and ).",
    ";": "Put each definition on a line of its own, and join conditions with AND or OR.",
    "?": "Write IF(condition, a, b).",
    ":": "Write IF(condition, a, b); a range is written BETWEEN a AND b.",
    "'": "The quote is not closed on its line.",
    '"': "The quote is not closed on its line.",
    "≥": "Write >= for greater or equal.",
    "≤": "Write <= for less or equal.",
    "≠": "Write != for not equal.",
    "×": "Write * to multiply.",
    "÷": "Write / to divide.",
    "−": "Write - with the key of the hyphen.",
    "–": "Write - with the key of the hyphen.",
    "“": _QUOTE,
    "”": _QUOTE,
    "‘": _QUOTE,
    "’": _QUOTE,
}

# A character of the language in the wrong place: where a value was expected, and after a value.
_AFTER_OPERATOR: Final[dict[str, str]] = {"+": "A number needs no plus sign.", "$": "A parameter is written $name."}
_AFTER_VALUE: Final[dict[str, str]] = {
    "$": "A parameter is written $name.",
    "<": "Comparisons do not chain: write a < b AND b < c.",
    ">": "Comparisons do not chain: write a > b AND b > c.",
    ",": "Commas separate the arguments of a call. Numbers have no separators: 1000, 0.5.",
    "(": "Write * to multiply. A call's parenthesis stands on the line of its name.",
    ")": "There is no ( that it closes.",
}

# By the word at that place, in capitals.
_WORDS: Final[dict[str, str]] = {
    **dict.fromkeys(("CROSSES", "CROSS", "CROSSING", "CROSSED"), "Write CROSSES_ABOVE or CROSSES_BELOW, in one word."),
    **dict.fromkeys(("ABOVE", "OVER"), "Write >, or CROSSES_ABOVE."),
    **dict.fromkeys(("BELOW", "UNDER"), "Write <, or CROSSES_BELOW."),
    **dict.fromkeys(("MOVING", "RISING", "FALLING"), "Write MOVING_UP n or MOVING_DOWN n, with n in percent."),
    "CROSSOVER": "Write CROSSOVER(a, b), or a CROSSES_ABOVE b.",
    "CROSSUNDER": "Write CROSSUNDER(a, b), or a CROSSES_BELOW b.",
    **dict.fromkeys(("IF", "THEN", "ELSE"), "Write IF(condition, a, b)."),
    **dict.fromkeys(("IS", "EQUALS"), "Write == to compare."),
    "IN": "Write BETWEEN a AND b.",
    "MOVING_UP": "Write x MOVING_UP n, with x before it and n in percent after it.",
    "MOVING_DOWN": "Write x MOVING_DOWN n, with x before it and n in percent after it.",
    "BETWEEN": "Write x BETWEEN a AND b.",
    "NOT": "NOT stands before a whole condition: NOT a > b, or (NOT a > b) inside parentheses. Not equal is !=.",
}

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TIMEFRAME = re.compile(r"[0-9]+(m|min|h|d)\Z", re.IGNORECASE)
_QUOTED = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
_COMMENT = re.compile(r"(?:#|//)[^\n]*")


def slip(source: str, at: int, accepted: Collection[str]) -> tuple[int, str, str]:
    """Say what is wrong at the place where the parser stopped.

    Parameters
    ----------
    source : str
        The whole expression.
    at : int
        Offset where it stopped; the end of the source when something is missing.
    accepted : collection of str
        Terminals of the grammar that could have followed.

    Returns
    -------
    tuple
        Offset to point at, message, hint.
    """
    if not _COMMENT.sub("", source[at:]).strip(" \t\n"):
        return _unfinished(source, accepted)
    operand = "NAME" in accepted and "AND" not in accepted
    missing = "a value is missing before" if operand else "an operator is missing before"
    if "COMMA" in accepted and not operand:
        missing = "a comma or an operator is missing before"
    for start in (at - 1, at):
        hint = _PAIRS.get(source[max(start, 0) : start + 2])
        if hint is not None:
            return start, f"{quoted(source[start : start + 2])} is not part of the language", hint
    word = _WORD.match(source, at)
    if word:
        return at, f"{missing} {quoted(word[0])}", _word_hint(source, at, word[0], operand)
    if _QUOTED.match(source, at):
        return at, f"{missing} the text", 'Text is only a timeframe, inside a call: close("1h"), SMA(close, 50, "1h").'
    return at, *_character_slip(source[at], missing, operand)


def _character_slip(character: str, missing: str, operand: bool) -> tuple[str, str]:
    if character in "<>()+-*/,$.0123456789":
        hint = _AFTER_OPERATOR.get(character, "") if operand else _AFTER_VALUE.get(character, "")
        return f"{missing} {quoted(character)}", hint
    if character in _FOREIGN:
        return f"{quoted(character)} is not part of the language", _FOREIGN[character]
    name = unicodedata.name(character, "")
    shown = character if character.isprintable() and not character.isspace() else f"U+{ord(character):04X}"
    named = f" ({name.lower()})" if name else ""
    return f"unknown character {quoted(shown)}{named}", "Nothing is skipped: remove it."


def _word_hint(source: str, at: int, word: str, operand: bool) -> str:
    known = _WORDS.get(word.upper())
    if known is not None:
        return known
    before = re.search(r"[0-9.]+\Z", source[max(0, at - 8) : at])
    if before and _TIMEFRAME.match(before[0] + word):
        return f'Write a timeframe in quotes: "{before[0]}{word[0].lower()}".'
    if before and word.startswith("_"):
        return "Numbers have no separators: 1000."
    meant = "" if operand else suggestion(word, KEYWORDS)
    if meant:
        return meant
    starts_line = not source[source.rfind("\n", 0, at) + 1 : at].strip()
    if starts_line and at and not operand:
        return "Only the last statement stands without a name; join conditions with AND or OR."
    return ""


def _unfinished(source: str, accepted: Collection[str]) -> tuple[int, str, str]:
    """Something is missing at the end: a closing parenthesis, a value, or the last statement."""
    opened: list[int] = []
    for match in re.finditer(r"(?:#|//)[^\n]*|\"[^\"\n]*\"|'[^'\n]*'|[()]", source):
        if match[0] == "(":
            opened.append(match.start())
        elif match[0] == ")" and opened:
            opened.pop()
    end = len(_COMMENT.sub(lambda comment: " " * len(comment[0]), source).rstrip(" \t\n"))
    if end == 0:
        return 0, "the expression is empty: it holds only comments", "Write a condition, for example RSI(14) < 30."
    if opened and ("AND" in accepted or "CLOSE" in accepted):
        return opened[-1], "this ( is never closed", ""
    if "DEFINE" in accepted:
        return end, "the last statement is missing: every line defines a variable", _LAST
    return end, "the expression ends where a value is expected", ""
