"""From text to the terminals of the grammar (rules E1, E2).

White space and comments are the only text that is passed over; a character that begins nothing becomes a terminal
UNKNOWN, which no rule of the grammar accepts. One regular expression cuts the text, and what can be counted is counted
before anything is parsed, so that a text beyond the limits costs nothing.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate, islice, repeat
from operator import sub
from typing import Final

from workbench.expressions.builder import DEPTH_LIMIT, NODE_LIMIT, Refused, too_deep
from workbench.expressions.syntax import KEYWORDS
from workbench.expressions.tables import END, Token

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_ALONE = "|".join(word for word, kind in KEYWORDS.items() if kind != "CROSS")

# Each piece is one terminal with the white space before it, the last one the end of the text. What begins nothing takes
# all the rest of the text with it, for the parser does not get past it. The parenthesis of a call belongs to its name
# and stands on the same line, so that a last statement in parentheses is not swallowed by a definition above it that
# ends with a name.
_PIECE = re.compile(
    rf"""[ \t\n]*^[ \t]*{_NAME}[ \t]*=(?!=) | [ \t\n]*(?:
      (?!(?i:{_ALONE})[ \t]*\(){_NAME}[ \t]*\(
    | {_NAME}
    | (?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?
    | "[^"\n]*" | '[^'\n]*'
    | ==|[<>!]=
    | \${_NAME}
    | [-+*/(),<>]
    | \Z
    | (?s:.+)
    )""",
    re.VERBOSE | re.MULTILINE,
)
_COMMENT = re.compile(r"(\"[^\"\n]*\"|'[^'\n]*')|(?:#|//)[^\n]*")

#: Most words and signs of a text, parentheses and commas included, a call's parenthesis with its name. Each node has at
#: most six of them: ``v = ABS(w, "1h")``. So only parentheses and variables without any use reach this limit.
TOKEN_LIMIT: Final = 15_000

_SPLIT: Final = "Split it into several strategies, or define what repeats once: name = expression."
_COMPARE: Final = dict.fromkeys((">", ">=", "<", "<=", "==", "!="), "COMPARE")
_SIGNS: Final = {
    **_COMPARE,
    "*": "MULTIPLY",
    "/": "MULTIPLY",
    "+": "ADD",
    "-": "SIGN",
    ",": "COMMA",
    "(": "OPEN",
    ")": "CLOSE",
    "": END,
}
_LETTERS: Final = frozenset(string.ascii_letters + "_")
_DIGITS: Final = frozenset(string.digits)
_QUOTES: Final = frozenset("\"'")
_VALUES: Final = frozenset(("NUMBER", "NAME", "PARAMETER", "TEXT", "CLOSE"))

# Terminals that count as a node; the AND of a BETWEEN counts for it. A definition is taken off again, for the name that
# stands where it is used is no node of the expression with its variables written out.
_NODES: Final = ("NUMBER NAME PARAMETER CALL AND OR NOT COMPARE CROSS MOVING ADD MULTIPLY MINUS").split()
_WEIGHTS: Final = {**dict.fromkeys(_NODES, 1), "DEFINE": -1}
_LEVELS: Final = {"OPEN": 1, "CALL": 1, "CLOSE": -1}
_MINUS_CHAIN = re.compile(rf"-(?:[ \t\n]*-){{{DEPTH_LIMIT},}}")


class _Kinds(dict[str, str]):
    """Terminal of each word that occurs; a word is looked at once."""

    def __missing__(self, text: str) -> str:
        kind = self[text] = _kind(text)
        return kind


def _kind(text: str) -> str:
    first, last = text[0], text[-1]
    if first in _LETTERS:
        if last == "=":
            return "DEFINE"
        if last == "(":
            return "CROSS(" if text[:-1].rstrip(" \t").upper() in KEYWORDS else "CALL"
        return KEYWORDS.get(text.upper(), "NAME")
    if first in _DIGITS or (first == "." and text[1:2] in _DIGITS):
        return "NUMBER"
    if first == "$" and text[1:2] in _LETTERS:
        return "PARAMETER"
    if first in _QUOTES and last == first and len(text) > 1 and "\n" not in text:
        return "TEXT"
    return "UNKNOWN"


def tokens(source: str) -> Iterable[Token]:
    """Terminals of a text, with END as the last.

    What a sign or a crossing is depends on what stands before it: after a value an operator, elsewhere the sign of a
    number or the name of a function.

    Raises
    ------
    Refused
        More nodes or words than rule E8 allows.
    """
    if "#" in source or "//" in source:
        source = _COMMENT.sub(_blank, source)
    # All at once is faster, one by one may be left early.
    if len(source) <= 2 * TOKEN_LIMIT:
        pieces = _PIECE.findall(source)[: TOKEN_LIMIT + 2]
    else:
        pieces = list(map(re.Match.group, islice(_PIECE.finditer(source), TOKEN_LIMIT + 2)))
    if len(pieces) > 1 and not pieces[-1] and not pieces[-2].strip(" \t\n"):
        pieces.pop()  # the end, once with the white space before it and once alone
    texts = [piece.lstrip(" \t\n") for piece in pieces]
    kinds = list(map(_Kinds(_SIGNS).__getitem__, texts))
    ends = list(accumulate(map(len, pieces)))
    if "CROSS(" in kinds:
        texts, kinds, ends = _uncrossed(texts, kinds, ends)
    if "SIGN" in kinds:
        kinds = [
            kind if kind != "SIGN" else "ADD" if before in _VALUES else "MINUS"
            for before, kind in zip(("", *kinds), kinds, strict=False)
        ]
    _refuse_deep(source, kinds, ends)
    refused = _limit(texts, kinds, ends)
    if refused is not None:
        del kinds[refused[0] :]
    starts = map(sub, ends, map(len, texts))
    found = list(map(tuple.__new__, repeat(Token), zip(kinds, texts, starts, strict=False)))
    return found if refused is None else _until(found, refused[1])


def _blank(match: re.Match[str]) -> str:
    """Blanks as long as a comment; a text in quotes stays as it is."""
    return match[1] or " " * len(match[0])


def _uncrossed(texts: list[str], kinds: list[str], ends: list[int]) -> tuple[list[str], list[str], list[int]]:
    """Take ``CROSSES_ABOVE (`` apart where it is an operator: after a value."""
    pieces: list[tuple[str, str, int]] = []
    before = ""
    for text, kind, end in zip(texts, kinds, ends, strict=True):
        if kind != "CROSS(":
            pieces.append((text, kind, end))
        elif before in _VALUES:
            word = text[:-1].rstrip(" \t")
            pieces += (word, "CROSS", end - len(text) + len(word)), ("(", "OPEN", end)
        else:
            pieces.append((text, "CALL", end))
        before = pieces[-1][1]
    return [one[0] for one in pieces], [one[1] for one in pieces], [one[2] for one in pieces]


def _refuse_deep(source: str, kinds: list[str], ends: list[int]) -> None:
    """Refuse what would be stacked before anybody counts it: parentheses, and chains of signs.

    A closing parenthesis too many takes levels away from those behind it; it is refused itself when it is reached.
    """
    levels = list(accumulate(map(_LEVELS.get, kinds, repeat(0))))
    if max(levels) > DEPTH_LIMIT:
        at = next(i for i, level in enumerate(levels) if level > DEPTH_LIMIT)
        raise too_deep(ends[at] - 1)
    if kinds.count("MINUS") > DEPTH_LIMIT:
        chain = _MINUS_CHAIN.search(source)
        if chain:
            raise too_deep(chain.start())


def _limit(texts: list[str], kinds: list[str], ends: list[int]) -> tuple[int, Refused] | None:
    """How many terminals there are within the limits, and the refusal of the next one; nothing if that are all.

    Nodes are counted first, and the one too many is looked for only where there is one.
    """
    if sum(_WEIGHTS.get(kind, 0) * times for kind, times in Counter(kinds).items()) > NODE_LIMIT:
        sums = accumulate(map(_WEIGHTS.get, kinds, repeat(0)))
        count = next(i for i, nodes in enumerate(sums) if nodes > NODE_LIMIT)
        message = f"the expression has more than {NODE_LIMIT:,} nodes"
    elif len(kinds) - 1 > TOKEN_LIMIT:
        count, message = TOKEN_LIMIT, f"the expression has more than {TOKEN_LIMIT:,} words and signs"
    else:
        return None
    return count, Refused(ends[count] - len(texts[count]), message, _SPLIT)


def _until(found: list[Token], refused: Refused) -> Iterator[Token]:
    """Terminals up to a limit: what is wrong before it is said first."""
    yield from found
    raise refused
