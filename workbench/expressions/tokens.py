"""From text to the terminals of the grammar (rules E1, E2).

White space and comments are the only text that is passed over; a character that begins nothing becomes a terminal
UNKNOWN, which no rule of the grammar accepts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from workbench.expressions.builder import NODE_LIMIT, Refused
from workbench.expressions.syntax import KEYWORDS
from workbench.expressions.tables import Token

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"

# DEFINE comes first, and looks at the whole beginning of a line; everything else may have blanks before it.
_SCAN = re.compile(
    rf"""(?P<DEFINE>^[ \t]*{_NAME}[ \t]*=(?!=)) | [ \t\r]*(?:
      (?P<WORD>{_NAME})
    | (?P<NUMBER>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<SKIP>\n|(?:\#|//)[^\n]*|\Z)
    | (?P<COMMA>,)
    | (?P<OPEN>\()
    | (?P<CLOSE>\))
    | (?P<COMPARE>>=|<=|==|!=|>|<)
    | (?P<SIGN>[+-])
    | (?P<MULTIPLY>[*/])
    | (?P<PARAMETER>\${_NAME})
    | (?P<TEXT>"[^"\n]*"|'[^'\n]*')
    | (?P<UNKNOWN>.)
    )""",
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_CALLED = re.compile(r"[ \t]*\(")

#: Most words and signs of a text, parentheses and commas included: with it, nothing keeps the parser busy for 50 ms.
TOKEN_LIMIT: Final = 5_000

_VALUES: Final = frozenset(("NUMBER", "NAME", "PARAMETER", "TEXT", "CLOSE"))

_SPLIT: Final = "Split it into several strategies, or define what repeats once: name = expression."
# Terminals that count as a node; the AND of a BETWEEN counts for it.
_NODES: Final = frozenset(
    "NUMBER NAME PARAMETER CALL AND OR NOT COMPARE CROSS MOVING ADD MULTIPLY MINUS".split(),
)


def tokens(source: str) -> Iterator[Token]:
    """Terminals of a text; a text with too many is left at once.

    What a sign or a crossing is depends on what stands before it: after a value an operator, elsewhere the sign of a
    number or the name of a function. The parenthesis of a call stands on the line of its name, so that a last
    statement in parentheses is not swallowed by a definition above it that ends with a name.

    Raises
    ------
    Refused
        More nodes or words than rule E8 allows.
    """
    before, nodes, words = "", 0, 0
    for match in _SCAN.finditer(source):
        kind = match.lastgroup or ""
        if kind == "SKIP":
            continue
        text = match[kind]
        if kind == "WORD":
            kind = KEYWORDS.get(text.upper(), "NAME")
            named = kind == "NAME" or (kind == "CROSS" and before not in _VALUES)
            if named and _CALLED.match(source, match.end()):
                kind = "CALL"
        elif kind == "SIGN":
            kind = "ADD" if text == "+" or before in _VALUES else "MINUS"
        before = kind
        at = match.start(match.lastindex or 0)
        nodes += kind in _NODES
        words += 1
        if nodes > NODE_LIMIT:
            raise Refused(at, f"the expression has more than {NODE_LIMIT:,} nodes", _SPLIT)
        if words > TOKEN_LIMIT:
            raise Refused(at, f"the expression has more than {TOKEN_LIMIT:,} words and signs", _SPLIT)
        yield Token(kind, text, at)
