"""Our loop over lark's parse table takes and refuses what lark's own does, at the same place."""

from __future__ import annotations

import random
from collections.abc import Iterator

import lark
import pytest
from lark.lexer import Lexer

from tests.property.test_expressions_fuzz import mutated, of_tokens, valid
from workbench.expressions.builder import Builder
from workbench.expressions.tables import END, Table, Unexpected
from workbench.expressions.tokens import tokens


class Ours(Lexer):
    """Hands our terminals to lark."""

    def __init__(self, lexer_conf: object) -> None:
        pass

    def lex(self, data: str) -> Iterator[lark.Token]:
        for one in tokens(data):
            if one.kind != END:
                yield lark.Token(one.kind, one.text, one.at)


@pytest.fixture(scope="module")
def grammar() -> lark.Lark:
    options = {"parser": "lalr", "lexer": Ours, "maybe_placeholders": False, "keep_all_tokens": True}
    return lark.Lark.open_from_package("workbench.expressions", "grammar.lark", **options)


def outcome_of_lark(grammar: lark.Lark, text: str) -> tuple[str, int, frozenset[str]]:
    try:
        grammar.parse(text)
    except lark.UnexpectedToken as wrong:
        end = wrong.token.type == "$END"
        # Whether the text might end here is what ours does not say.
        return "refused", len(text) if end else wrong.token.start_pos, frozenset(wrong.accepts) - {"$END"}
    return "taken", -1, frozenset()


def outcome(table: Table, text: str) -> tuple[str, int, frozenset[str]]:
    try:
        table.run(tokens(text))
    except Unexpected as wrong:
        return "refused", wrong.token.at, frozenset(wrong.accepted)
    return "taken", -1, frozenset()


def test_E1_our_loop_over_the_table_agrees_with_larks(grammar):
    rng, table = random.Random(7), Table(grammar, Builder())
    seen = []
    for write in (valid, mutated, mutated, of_tokens):
        for _ in range(300):
            text = write(rng)
            if "1e999" in text:
                continue
            mine = outcome(table, text)
            assert mine == outcome_of_lark(grammar, text), text
            seen.append(mine[0])
    assert seen.count("taken") > 300 and seen.count("refused") > 300


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b * c - d", "(a + (b * c)) - d"),
        ("a OR b AND c OR d", "(a OR (b AND c)) OR d"),
        ("NOT a > 1 AND b > 2", "(NOT (a > 1)) AND (b > 2)"),
        ("- a * b", "(- a) * b"),
    ],
)
def test_E1_parentheses_that_change_nothing(grammar, text, tree):
    table = Table(grammar, Builder())

    def bare(source: str) -> str:
        """The tree without places and depths, chains split from the left."""
        return _bare(table.run(tokens(source)).body)

    assert bare(text) == bare(tree)


def _bare(node: object) -> str:
    operands = [_bare(one) for one in getattr(node, "operands", ())]
    operators = getattr(node, "operators", None)
    if operators is not None:
        text = operands[0]
        for operator, right in zip(operators, operands[1:], strict=True):
            text = f"({text} {operator} {right})"
        return text
    name = getattr(node, "name", None) or getattr(node, "value", None) or getattr(node, "operator", "")
    return f"({type(node).__name__} {name} {' '.join(operands)})"
