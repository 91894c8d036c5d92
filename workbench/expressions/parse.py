"""From text to tree (rules E1, E2).

The grammar beside this file is read by lark as LALR(1), once in a process and when the first expression is parsed.
Nothing of the text is ever executed. Only ``ExpressionError`` leaves this module, whatever the text: nesting and size
are counted on the way, so that neither deep nor long input gets far.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import cast

from workbench.expressions.builder import Builder, Refused
from workbench.expressions.slips import slip
from workbench.expressions.source import error, readable
from workbench.expressions.syntax import Script
from workbench.expressions.tables import Table, Unexpected
from workbench.expressions.tokens import tokens


@cache
def _table() -> Table:
    """Build the parse table; about a tenth of a second, so not before it is needed."""
    import lark
    from lark.lexer import Lexer

    class NoLexer(Lexer):
        """The terminals are made by ``tokens``."""

        def __init__(self, lexer_conf: object) -> None:
            """Take nothing."""

        def lex(self, lexer_state: object, parser_state: object) -> Iterator[lark.Token]:
            """Never called."""
            raise AssertionError

    grammar = lark.Lark.open_from_package(
        __package__, "grammar.lark", parser="lalr", lexer=NoLexer, maybe_placeholders=False, keep_all_tokens=True
    )
    return Table(grammar, Builder())


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
    try:
        script = cast("Script", _table().run(tokens(source)))
    except Refused as refused:
        raise error(source, refused.at, refused.message, refused.hint) from None
    except Unexpected as wrong:
        raise error(source, *slip(source, wrong.token.at, wrong.accepted)) from None
    _refuse_same_line(source, script)
    return script


def _refuse_same_line(source: str, script: Script) -> None:
    """Refuse ``n = 14 RSI(n) < 30``: the last statement starts a line."""
    at = script.body.at
    if script.definitions and source[source.rfind("\n", 0, at) + 1 : at].strip():
        hint = "The last statement starts on a line of its own, below the definitions."
        raise error(source, at, "an operator is missing here", hint)
