"""From text to tree (rules E1, E2).

The grammar beside this file is read by lark as LALR with a contextual lexer, once in a process and when the first
expression is parsed. Nothing of the text is ever executed. Only ``ExpressionError`` leaves this module, whatever the
text: nesting and size are counted while the tree grows, so that neither deep nor long input gets far.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from functools import cache, lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, cast

from workbench.expressions.slips import slip
from workbench.expressions.source import error, readable
from workbench.expressions.syntax import (
    Arithmetic,
    Between,
    Call,
    Comparison,
    Crossing,
    Definition,
    Inverse,
    Logic,
    Moving,
    Name,
    Negative,
    Node,
    Number,
    Parameter,
    Script,
    Text,
)

if TYPE_CHECKING:
    import lark

NODE_LIMIT: Final = 2_500
DEPTH_LIMIT: Final = 64

# Read before parsing: comments, parentheses, and chains of signs, which would otherwise be stacked before anybody
# counts them.
_NESTING = re.compile(r"(?:#|//)[^\n]*|[()]|-(?:[ \t\r\n]*-){64,}")


class _Refused(Exception):  # noqa: N818 - it becomes an ExpressionError as soon as it is out of the parser
    """The tree broke a limit; carried out of the parser with the place where it happened."""

    def __init__(self, at: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.at, self.message, self.hint = at, message, hint


def _too_deep(at: int) -> _Refused:
    return _Refused(
        at,
        f"the expression is nested more than {DEPTH_LIMIT} levels deep",
        "Define inner parts as variables on lines of their own, or write a chain of AND and OR without parentheses.",
    )


def _too_large(at: int) -> _Refused:
    return _Refused(at, f"the expression has more than {NODE_LIMIT:,} nodes", "Split it into several strategies.")


class _Builder:
    """What each rule of the grammar makes of its children; lark calls the method named like the rule."""

    def __init__(self) -> None:
        self.size = 0

    def _count(self, at: int, *children: Node, level: int = 0, nodes: int = 1) -> tuple[int, int, int]:
        self.size += nodes
        depth = max((child.depth for child in children), default=0) + level
        if depth > DEPTH_LIMIT:
            raise _too_deep(at)
        if self.size > NODE_LIMIT:
            raise _too_large(at)
        return at, depth, nodes + sum(child.size for child in children)

    def number(self, children: list[Any]) -> Number:
        """Read ``14``, ``.5`` or ``1e-3``."""
        at, value = children[0].start_pos, float(children[0])
        if value == math.inf:
            raise _Refused(at, "the number is too large", "")
        return Number(*self._count(at), value)

    def name(self, children: list[Any]) -> Name:
        """Read a series or a variable."""
        return Name(*self._count(children[0].start_pos), str(children[0]))

    def parameter(self, children: list[Any]) -> Parameter:
        """Read ``$name``."""
        return Parameter(*self._count(children[0].start_pos), str(children[0])[1:])

    def text(self, children: list[Any]) -> Text:
        """Read a timeframe in quotes; it is no node of its own."""
        return Text(*self._count(children[0].start_pos, nodes=0), str(children[0])[1:-1])

    def group(self, children: list[Any]) -> Node:
        """Drop parentheses, keeping where they began and that they were a level."""
        opening, inner = children
        at, depth, _ = self._count(opening.start_pos, inner, level=1, nodes=0)
        return cast("Node", replace(inner, at=at, depth=depth))

    def call(self, children: list[Any]) -> Call:
        """Read a name with arguments."""
        token, *arguments = children
        return Call(*self._count(token.start_pos, *arguments, level=1), token[:-1].rstrip(), tuple(arguments))

    def negative(self, children: list[Any]) -> Negative:
        """Read a minus sign and its operand."""
        return Negative(*self._count(children[0].start_pos, children[1], level=1), children[1])

    def inverse(self, children: list[Any]) -> Inverse:
        """Read NOT and its operand."""
        return Inverse(*self._count(children[0].start_pos, children[1], level=1), children[1])

    def arithmetic(self, children: list[Any]) -> Arithmetic:
        """Read a chain of ``+`` and ``-``, or of ``*`` and ``/``."""
        operands = tuple(children[::2])
        counted = self._count(operands[0].at, *operands, nodes=len(operands) - 1)
        return Arithmetic(*counted, "".join(children[1::2]), operands)

    product = arithmetic
    addition = arithmetic

    def conjunction(self, children: list[Any]) -> Logic:
        """Read a chain of AND."""
        return Logic(*self._count(children[0].at, *children, nodes=len(children) - 1), "AND", tuple(children))

    def disjunction(self, children: list[Any]) -> Logic:
        """Read a chain of OR."""
        return Logic(*self._count(children[0].at, *children, nodes=len(children) - 1), "OR", tuple(children))

    def compare(self, children: list[Any]) -> Comparison:
        """Read a comparison of two numbers."""
        left, operator, right = children
        return Comparison(*self._count(left.at, left, right), str(operator), left, right)

    def between(self, children: list[Any]) -> Between:
        """Read ``a BETWEEN low AND high``."""
        return Between(*self._count(children[0].at, *children), *children)

    def cross(self, children: list[Any]) -> Crossing:
        """Read a crossing in any of its spellings."""
        left, operator, right = children
        return Crossing(*self._count(left.at, left, right), operator.upper().endswith("ABOVE"), left, right)

    def moving(self, children: list[Any]) -> Moving:
        """Read ``a MOVING_UP percent``."""
        operand, operator, percent = children
        return Moving(*self._count(operand.at, operand, percent), operator.upper().endswith("UP"), operand, percent)

    def definition(self, children: list[Any]) -> Definition:
        """Read a line ``name = expression``."""
        token, body = children
        name = token[:-1].strip()
        return Definition(token.start_pos + token.index(name), name, body)

    def start(self, children: list[Any]) -> Script:
        """Close the script."""
        return Script(tuple(children[:-1]), children[-1])


_BUILDER: Final = _Builder()
_ONE_AT_A_TIME: Final = Lock()


@cache
def _parser() -> lark.Lark:
    """Build the parser; about a tenth of a second, so not before it is needed."""
    import lark

    return lark.Lark.open_from_package(
        __package__,
        "grammar.lark",
        parser="lalr",
        lexer="contextual",
        maybe_placeholders=False,
        transformer=cast("lark.Transformer[lark.Token, Script]", _BUILDER),
    )


def _refuse_deep(source: str) -> None:
    level = 0
    for match in _NESTING.finditer(source):
        if match[0] == "(":
            level += 1
        elif match[0] == ")":
            level = max(0, level - 1)
        if level > DEPTH_LIMIT or match[0][0] == "-":
            raise _too_deep(match.start())


def parse(text: str) -> Script:
    """Parse an expression.

    Parameters
    ----------
    text : str
        Definitions, one a line, and the statement they lead to.

    Returns
    -------
    Script
        The tree; its offsets count characters of the text with line ends made line feeds.

    Raises
    ------
    ExpressionError
        With line, column and, where it can be guessed, what was meant.
    """
    return _parsed(readable(text))


@lru_cache(maxsize=512)
def _parsed(source: str) -> Script:
    import lark

    try:
        _refuse_deep(source)
        with _ONE_AT_A_TIME:
            _BUILDER.size = 0
            script = cast("Script", _parser().parse(source))
    except _Refused as refused:
        raise error(source, refused.at, refused.message, refused.hint) from None
    except lark.UnexpectedCharacters as wrong:
        at, message, hint = slip(source, cast("int", wrong.pos_in_stream), wrong.allowed or ())
        raise error(source, at, message, hint) from None
    except lark.UnexpectedToken as wrong:
        stopped = len(source) if wrong.token.type == "$END" else wrong.token.start_pos or 0
        at, message, hint = slip(source, stopped, wrong.accepts or wrong.expected)
        raise error(source, at, message, hint) from None
    _refuse_same_line(source, script)
    return script


def _refuse_same_line(source: str, script: Script) -> None:
    """Refuse ``n = 14 RSI(n) < 30``: the last statement starts a line."""
    at = script.body.at
    if script.definitions and source[source.rfind("\n", 0, at) + 1 : at].strip():
        hint = "The last statement starts on a line of its own, below the definitions."
        raise error(source, at, "an operator is missing here", hint)
