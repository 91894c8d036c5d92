"""Rules E1 and E2: the grammar, and what is said of text that does not follow it."""

from __future__ import annotations

import contextlib
import time

import pytest

from workbench.errors import ExpressionError
from workbench.expressions import syntax
from workbench.expressions.parse import parse


def shape(node: syntax.Node) -> object:
    """The tree as nested tuples."""
    inner = tuple(shape(one) for one in syntax.operands(node))
    match node:
        case syntax.Number():
            return node.value
        case syntax.Name():
            return node.name
        case syntax.Parameter():
            return f"${node.name}"
        case syntax.Text():
            return (node.value,)
        case syntax.Call():
            return (node.name, *inner)
        case syntax.Negative():
            return ("-", *inner)
        case syntax.Inverse():
            return ("NOT", *inner)
        case syntax.Arithmetic():
            return ("".join(node.operators), *inner)
        case syntax.Logic():
            assert len(set(node.operators)) == 1
            return (node.operators[0], *inner)
        case syntax.Comparison():
            return (node.operator, *inner)
        case syntax.Between():
            return ("BETWEEN", *inner)
        case syntax.Crossing():
            return ("ABOVE" if node.above else "BELOW", *inner)
        case syntax.Moving():
            return ("UP" if node.up else "DOWN", *inner)
    raise AssertionError(node)


def refused(text: object) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        parse(text)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a OR b AND NOT c > d", ("OR", "a", ("AND", "b", ("NOT", (">", "c", "d"))))),
        ("a AND b OR c AND d", ("OR", ("AND", "a", "b"), ("AND", "c", "d"))),
        ("NOT a > 1 AND b > 2", ("AND", ("NOT", (">", "a", 1.0)), (">", "b", 2.0))),
        ("a + b * -c - d", ("+-", "a", ("*", "b", ("-", "c")), "d")),
        ("a - b - c", ("--", "a", "b", "c")),
        ("a / b / c * d", ("//*", "a", "b", "c", "d")),
        ("-a * b", ("*", ("-", "a"), "b")),
        ("(a + b) * c", ("*", ("+", "a", "b"), "c")),
        ("a + 1 > b - 1", (">", ("+", "a", 1.0), ("-", "b", 1.0))),
        ("a BETWEEN 1 AND 2 AND b > 3", ("AND", ("BETWEEN", "a", 1.0, 2.0), (">", "b", 3.0))),
        ("a crosses_above b + 1", ("ABOVE", "a", ("+", "b", 1.0))),
        ("a CROSSING_BELOW b", ("BELOW", "a", "b")),
        ("a cross_above (b)", ("ABOVE", "a", "b")),
        ("CROSSOVER(a, b)", ("CROSSOVER", "a", "b")),
        ("a MOVING_DOWN 2.5", ("DOWN", "a", 2.5)),
        ("a moving_up $p", ("UP", "a", "$p")),
        ("f(a > 1, b, '1h')", ("f", (">", "a", 1.0), "b", ("1h",))),
        ("f()", ("f",)),
        ("f (a)", ("f", "a")),
        ("not(a > 1)", ("NOT", (">", "a", 1.0))),
        ("ANDROID + ORDER + NOTE + between1", ("+++", "ANDROID", "ORDER", "NOTE", "between1")),
        ("a # a comment (\n> // another\n b", (">", "a", "b")),
        ("a\r\n>\r\nb", (">", "a", "b")),
    ],
)
def test_E1_precedence_and_forms(text, tree):
    assert shape(parse(text).body) == tree


@pytest.mark.parametrize(("text", "value"), [("5", 5.0), (".5", 0.5), ("1e-3", 0.001), ("2.50", 2.5), ("1E3", 1000.0)])
def test_E1_numbers(text, value):
    assert shape(parse(text).body) == value


@pytest.mark.parametrize("operator", [">", ">=", "<", "<=", "==", "!="])
def test_E1_comparisons_do_not_chain(operator):
    assert shape(parse(f"a {operator} b").body) == (operator, "a", "b")
    wrong = refused(f"a {operator} b {operator} c")
    assert (wrong.line, wrong.column) == (1, 4 + len(operator) + 2)


def test_E2_definitions_end_where_the_next_line_defines():
    script = parse("fast = SMA(close, 5)\n  + 1\nslow = SMA(\n  close, 50)\nfast > slow\n  AND fast > 0")
    assert [one.name for one in script.definitions] == ["fast", "slow"]
    assert shape(script.definitions[0].body) == ("+", ("SMA", "close", 5.0), 1.0)
    assert shape(script.body) == ("AND", (">", "fast", "slow"), (">", "fast", 0.0))


def test_E2_last_statement_in_parentheses_is_not_an_argument_of_the_line_above():
    script = parse("n = close\n(n > 3)")
    assert shape(script.definitions[0].body) == "close"
    assert shape(script.body) == (">", "n", 3.0)


def test_E2_last_statement_starts_a_line():
    wrong = refused("n = 14 RSI(n) < 30")
    assert (wrong.line, wrong.column) == (1, 8)
    assert "line of its own" in wrong.hint


def test_E2_every_line_a_definition():
    assert "last statement is missing" in refused("a = 1\nb = 2").message
    assert "last statement is missing" in refused("n = 14\n-RSI(n)").message


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("close > 5 AND x = 3", 1, 17, "Write == to compare"),
        ("a && b", 1, 3, "Write AND"),
        ("a & b", 1, 3, "Write AND"),
        ("a || b", 1, 3, "Write OR"),
        ("!a", 1, 1, "Write NOT"),
        ("a <> b", 1, 3, "Write !="),
        ("a => b", 1, 3, "Write >="),
        ("a =< b", 1, 3, "Write <="),
        ("a ≥ b", 1, 3, "Write >="),
        ("a ^ 2", 1, 3, "Write POW(a, b)"),
        ("a ** 2", 1, 3, "Write POW(a, b)"),
        ("a % 2", 1, 3, "Fractions are written 0.02"),
        ("close[1] > 2", 1, 6, "LAG(x, n)"),
        ("close crosses above 5", 1, 7, "CROSSES_ABOVE"),
        ("close crossover 5", 1, 7, "CROSSOVER(a, b)"),
        ("close CROSES_ABOVE 5", 1, 7, "Did you mean CROSSES_ABOVE?"),
        ("a > 1 ADN b > 2", 1, 7, "Did you mean AND?"),
        ("a BETWEN 1 AND 2", 1, 3, "Did you mean BETWEEN?"),
        ("a BETWEEN 1 ADN 2", 1, 13, "Did you mean AND?"),
        ("close is 5", 1, 7, "=="),
        ("a ? b : c", 1, 3, "IF(condition, a, b)"),
        ("a > 1; b", 1, 6, "line of its own"),
        ("RSI(14, 1h)", 1, 10, 'Write a timeframe in quotes: "1h"'),
        ("a > 5m", 1, 6, 'Write a timeframe in quotes: "5m"'),
        ('close > "1h"', 1, 9, "only a timeframe"),
        ("close > '1h", 1, 9, "quote is not closed"),
        ("close(“1h”)", 1, 7, "straight quotes"),
        ("1,000 > a", 1, 2, "no separators"),
        ("1_000 > a", 1, 2, "no separators"),
        ("+5 > a", 1, 1, "needs no plus sign"),
        ("a > b\nc > d", 2, 1, "join conditions with AND or OR"),
        ("a AND AND b", 1, 7, "a value is missing before 'AND'"),
        ("a AND", 1, 6, "ends where a value is expected"),
        ("a AND (b OR c", 1, 7, "this ( is never closed"),
        ("a > b)", 1, 6, "There is no ( that it closes"),
        ("()", 1, 2, "a value is missing before ')'"),
        ("RSI(,14)", 1, 5, "a value is missing before ','"),
        ("POW(2 3)", 1, 7, "a comma or an operator"),
        ("a NOT b", 1, 3, "NOT stands before a whole condition"),
        ("é > 1", 1, 1, "latin small letter e with acute"),
        ("a > 1\u00a0", 1, 6, "no-break space"),
        ("a\x00", 1, 2, "U+0000"),
        ("1e999 > a", 1, 1, "too large"),
        ("\n\n  a > > b", 3, 7, "a value is missing before '>'"),
        ("# nothing\n// at all", 1, 1, "only comments"),
        ("", 1, 1, "empty"),
        ("  \n ", 1, 1, "empty"),
    ],
)
def test_E1_error_has_line_column_and_hint(text, line, column, said):
    wrong = refused(text)
    assert (wrong.line, wrong.column) == (line, column)
    assert said in str(wrong)


def test_E1_error_shows_the_line_with_a_caret():
    text = str(refused("close > 0\n\tAND x = 3"))
    shown, caret = text.splitlines()[1:3]
    assert shown[caret.index("^")] == "="


@pytest.mark.parametrize("text", [b"close > 1", None, 5, ["close"], object()])
def test_E1_only_text_is_an_expression(text):
    with pytest.raises(ExpressionError, match="an expression is text"):
        parse(text)


STRANGE = ("\ud800 > 1", "close > 1 # \u2028 x\n AND", "\ufeffclose", "a\x0bb", "a\x0cb", "\x85")


@pytest.mark.parametrize("text", STRANGE)
def test_E1_strange_characters_are_refused_in_printable_words(text):
    str(refused(text)).encode("utf-8")


def test_E8_depth_counts_parentheses_calls_and_signs():
    for opening, closing in (("(", ")"), ("ABS(", ")"), ("-", ""), ("NOT ", "")):
        inner = "a > b" if opening == "NOT " else "a"
        assert parse(opening * 64 + inner + closing * 64).body.depth == 64
        assert "more than 64 levels" in refused(opening * 65 + inner + closing * 65).message


def test_E8_a_long_chain_is_one_level():
    assert parse(" AND ".join(["a > b"] * 500)).body.depth == 0
    assert parse(" + ".join(["a"] * 1000)).body.depth == 0


def test_E8_nodes_are_counted():
    assert len(syntax.operands(parse(" + ".join(["a"] * 1250)).body)) == 1250
    wrong = refused(" + ".join(["a"] * 1251))
    assert "more than 2,500 nodes" in wrong.message
    assert wrong.column == 4 * 1250 + 1
    each_six = ["-a BETWEEN 2 AND $x"] * 416  # with the AND that joins it
    assert parse(" AND ".join([*each_six, "1 > a"])).body.depth == 1
    assert "more than 2,500 nodes" in refused(" AND ".join([*each_six, "1 > a + b"])).message


LONG_TEXTS = pytest.mark.parametrize(
    "text",
    [
        "0" * 63_990 + " x",
        "- " * 63 + " " * 63_000 + "a b",
        "(" * 63_999,
        "a AND " * 1_249 + "(",
        "f(" + "a," * 2_490,
        "a = b\n" * 2_400,
        "x y" * 20_000,
        "1," * 31_000,
        "()" * 31_000,
        "f(" + "'1h'," * 7_000,
        '"' * 63_999,
        "é" * 63_999,
        "#" * 63_999,
    ],
)


@LONG_TEXTS
def test_E8_long_texts_that_mean_nothing_are_refused_with_a_place(text):
    wrong = refused(text)
    assert wrong.line >= 1 and wrong.column >= 1
    assert wrong.message


@pytest.mark.bench
@LONG_TEXTS
def test_E8_no_text_keeps_the_parser_busy(text):
    parse("close")
    best = 9.0
    for i in range(8):
        started = time.thread_time()
        with contextlib.suppress(ExpressionError):
            parse(text + "\n" * i)
        best = min(best, time.thread_time() - started)
    assert best < 0.050


def test_E8_long_text_is_refused_at_once():
    assert "at most 64,000" in refused("a " * 50_000).message
    assert "more than 15,000 words and signs" in refused(("(" * 60 + "a" + ")" * 60 + "-") * 150).message
    assert parse("a > 1" + "\n# a word on it" * 4_000).body.depth == 0


def test_E8_what_is_wrong_before_the_limit_is_said_first():
    assert "an operator is missing before '1'" in refused("1 + a\n" * 2_000).message
    assert "more than 2,500 nodes" in refused("a + " * 2_000 + "b b").message
