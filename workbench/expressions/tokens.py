"""From text to the terminals of the grammar (rules E1, E2).

White space and comments are the only text that is passed over; a character that begins nothing becomes a terminal
UNKNOWN, which no rule of the grammar accepts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from lark import Token
from lark.lexer import Lexer

from workbench.expressions.builder import NODE_LIMIT, Refused
from workbench.expressions.syntax import KEYWORDS

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
# What each terminal adds to the count of nodes; the AND of a BETWEEN is not one of its own.
_NODES: Final = {
    **dict.fromkeys(("NUMBER", "NAME", "PARAMETER", "CALL", "AND", "OR", "NOT", "COMPARE"), 1),
    **dict.fromkeys(("CROSS", "MOVING", "ADD", "MULTIPLY", "MINUS"), 1),
}


class Tokens(Lexer):
    """The lexer that lark's parser calls."""

    def __init__(self, lexer_conf: Any) -> None:
        """Take no configuration: the terminals are declared in the grammar and made here."""

    def lex(self, data: Any) -> Iterator[Token]:  # type: ignore[override]  # lark wraps a lexer that takes text
        """Terminals of a text, each with its offset; a text with too many nodes is left at once.

        What a sign or a crossing is depends on what stands before it: after a value an operator, elsewhere the sign
        of a number or the name of a function. The parenthesis of a call stands on the line of its name, so that a
        last statement in parentheses is not swallowed by a definition above it that ends with a name.
        """
        before, nodes, tokens = "", 0, 0
        for match in _SCAN.finditer(data):
            kind = match.lastgroup or ""
            if kind == "SKIP":
                continue
            value = match[kind]
            if kind == "WORD":
                kind = KEYWORDS.get(value.upper(), "NAME")
                named = kind == "NAME" or (kind == "CROSS" and before not in _VALUES)
                if named and _CALLED.match(data, match.end()):
                    kind = "CALL"
            elif kind == "SIGN":
                kind = "ADD" if value == "+" or before in _VALUES else "MINUS"
            before = kind
            at = match.start(match.lastindex or 0)
            nodes += _NODES.get(kind, 0)
            tokens += 1
            if nodes > NODE_LIMIT:
                raise Refused(at, f"the expression has more than {NODE_LIMIT:,} nodes", _SPLIT)
            if tokens > TOKEN_LIMIT:
                raise Refused(at, f"the expression has more than {TOKEN_LIMIT:,} words and signs", _SPLIT)
            yield Token(kind, value, at)
