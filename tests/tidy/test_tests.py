"""The tests themselves: each can fail, none is switched off in silence, and a rule they name exists."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.source import FUNCTIONS, ROOT, Source, dotted, functions, listed, snippet, sources

#: Calls that fail a test by themselves.
ASSERTING_CALLS = re.compile(
    r"(?:^|\.)(?:raises|warns|fail|deprecated_call|assert_\w+|assert\w*_equal|check_\w+|testmod|run_state_machine\w*)$"
)
RULE = re.compile(r"[A-Z]\d+")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def tests_of(source: Source) -> Iterator[tuple[str, Function]]:
    """Every test of a test module."""
    if not source.path.rpartition("/")[2].startswith("test_"):
        return iter(())
    return ((name, node) for name, node in functions(source.tree) if node.name.startswith("test_"))


def asserting_names(tree: ast.Module) -> set[str]:
    """Functions of a file that assert, or that call one of the file that does."""
    bodies = dict(functions(tree))
    found: set[str] = set()
    while True:
        new = {name for name, node in bodies.items() if name not in found and asserts(node, found)}
        if not new:
            return found
        found |= new | {name.rpartition(".")[2] for name in new}


def asserts(node: ast.AST, known: set[str]) -> bool:
    """Whether something in a function can fail it."""
    for child in ast.walk(node):
        if isinstance(child, ast.Assert) and not is_constant(child.test):
            return True
        if isinstance(child, ast.Call):
            name = dotted(child.func)
            if ASSERTING_CALLS.search(name) or name.rpartition(".")[2] in known:
                return True
    return False


def is_constant(test: ast.expr) -> bool:
    """Whether a condition has its answer written in it: ``True``, ``x or True``, ``1 == 1``, ``x == x``."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(is_constant(value) for value in test.values)
    if isinstance(test, ast.BoolOp):
        return all(is_constant(value) for value in test.values)
    if isinstance(test, (ast.Tuple, ast.List)):
        return bool(test.elts)  # assert (condition, "message") is always true
    if isinstance(test, ast.Compare):
        sides = [test.left, *test.comparators]
        same = len({ast.dump(side) for side in sides}) == 1 and not any(isinstance(op, ast.Is) for op in test.ops)
        return same and not any(isinstance(side, ast.Call) for side in sides)
    return False


def constant_asserts(source: Source) -> list[str]:
    """Assertions that cannot fail."""
    found = [node for node in ast.walk(source.tree) if isinstance(node, ast.Assert) and is_constant(node.test)]
    return [source.at(node, f"cannot fail: {ast.unparse(node)[:80]}") for node in found]


def toothless(source: Source) -> list[str]:
    """Tests without any assertion."""
    known = asserting_names(source.tree)
    imported = {
        alias.asname or alias.name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests")
        for alias in node.names
    }
    strong = known | {name for name in imported if name.startswith(("assert_", "check_", "expect_"))}
    return [source.at(node, f"{name} asserts nothing") for name, node in tests_of(source) if not asserts(node, strong)]


def silenced(source: Source) -> list[str]:
    """Skips and expected failures without a reason."""
    complaints = []
    for node in ast.walk(source.tree):
        name = dotted(node.func if isinstance(node, ast.Call) else node)
        kind = name.rpartition(".")[2]
        if not name.startswith("pytest.") or kind not in {"skip", "skipif", "xfail", "importorskip"}:
            continue
        if isinstance(node, ast.Call) and not has_reason(node, positional=kind in {"skip", "xfail"}):
            complaints.append(source.at(node, f"{name} without a reason"))
        if isinstance(node, ast.Attribute) and not is_called(source.tree, node):
            complaints.append(source.at(node, f"{name} without a reason"))
    return complaints


def has_reason(call: ast.Call, positional: bool) -> bool:
    """Whether a skip says why, in more than a word."""
    given = [word.value for word in call.keywords if word.arg == "reason"] + (call.args[:1] if positional else [])
    texts = [node for node in given if not isinstance(node, ast.Constant) or len(str(node.value).split()) >= 3]
    return bool(texts)


def is_called(tree: ast.Module, attribute: ast.Attribute) -> bool:
    """Whether an attribute is what some call calls."""
    return any(isinstance(node, ast.Call) and node.func is attribute for node in ast.walk(tree))


def swallowing(source: Source) -> list[str]:
    """Handlers that let any error pass in a test."""
    broad = [node for node in ast.walk(source.tree) if isinstance(node, ast.ExceptHandler)]
    empty = [node for node in broad if all(isinstance(child, (ast.Pass, ast.Return)) for child in node.body)]
    wide = [
        node
        for node in empty
        if node.type is None or dotted(node.type) in {"Exception", "BaseException", "AssertionError"}
    ]
    return [source.at(node, "swallows an error") for node in wide]


def repeated(source: Source) -> list[str]:
    """Tests of one name in one scope, of which only the last runs."""
    complaints = []
    scopes = [source.tree, *(node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef))]
    for scope in scopes:
        names = [node.name for node in scope.body if isinstance(node, FUNCTIONS) and node.name.startswith("test_")]
        complaints += [
            f"{source.path}: {name} is defined twice" for name in sorted({n for n in names if names.count(n) > 1})
        ]
    return complaints


CHECKS = (constant_asserts, toothless, silenced, swallowing, repeated)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_test_can_fail_and_says_when_it_does_not_run(check: object) -> None:
    complaints = [text for source in sources("tests") for text in check(source)]
    assert not complaints, listed(complaints)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (constant_asserts, "assert True"),
        (constant_asserts, "assert 1 == 1"),
        (constant_asserts, "assert x == x"),
        (constant_asserts, "assert f(x) or True"),
        (constant_asserts, "assert (x == 1, 'message')"),
        (toothless, "def test_a():\n    f()"),
        (toothless, "def test_a():\n    assert True"),
        (toothless, "def g(): f()\ndef test_a():\n    g()"),
        (toothless, "class TestA:\n    def test_a(self):\n        x = 1"),
        (silenced, "@pytest.mark.skip\ndef test_a(): assert f()"),
        (silenced, "@pytest.mark.xfail()\ndef test_a(): assert f()"),
        (silenced, "@pytest.mark.skipif(x)\ndef test_a(): assert f()"),
        (silenced, "def test_a():\n    pytest.skip()\n    assert f()"),
        (silenced, "def test_a():\n    pytest.skip('later')\n    assert f()"),
        (silenced, "x = pytest.importorskip('x')"),
        (swallowing, "def test_a():\n    try:\n        assert f()\n    except Exception:\n        pass"),
        (swallowing, "def test_a():\n    try:\n        assert f()\n    except AssertionError:\n        return"),
        (repeated, "def test_a(): assert f()\ndef test_a(): assert g()"),
    ],
)
def test_a_test_that_cannot_fail_is_seen(check: object, text: str) -> None:
    assert check(snippet(text, "tests/unit/test_snippet.py"))


@pytest.mark.parametrize(
    "text",
    [
        "def test_a():\n    assert f(x) == 1",
        "def test_a():\n    with pytest.raises(ValueError, match='x'):\n        f()",
        "def g():\n    assert f()\ndef h():\n    g()\ndef test_a():\n    h()",
        "def test_a():\n    np.testing.assert_array_equal(a, b)",
        "def test_a():\n    pd.testing.assert_frame_equal(a, b)",
        "@pytest.mark.skipif(x, reason='needs the bars of a year')\ndef test_a(): assert f()",
        "def test_a():\n    pytest.skip(f'no data at {folder}')\n    assert f()",
        "from tests.reference import check_fills\ndef test_a():\n    check_fills(x)",
        "def test_a():\n    assert f(x) == f(x)",
    ],
)
def test_a_test_that_can_fail_passes(text: str) -> None:
    source = snippet(text, "tests/unit/test_snippet.py")
    assert not [complaint for check in CHECKS for complaint in check(source)]


# --- the law ------------------------------------------------------------------------------------------------------


def rules_of(law: str) -> list[str]:
    """Numbers of the rules of the law that a test must prove; names (N) are proved by their use."""
    return [rule for rule in re.findall(r"^- ([A-Z]\d+) ", law, flags=re.MULTILINE) if not rule.startswith("N")]


def named_rules(modules: tuple[Source, ...]) -> dict[str, str]:
    """Rule to one test that names it, between underscores: ``test_F4_gap_through_stop_fills_at_open``."""
    tests = [(source.path, node.name) for source in modules for _, node in tests_of(source)]
    return {part: f"{path}::{name}" for path, name in tests for part in name.split("_") if RULE.fullmatch(part)}


@pytest.fixture(scope="module")
def law() -> str:
    """Text of the execution semantics, from WORKBENCH_LAW or beside the checkout."""
    path = Path(os.environ.get("WORKBENCH_LAW") or ROOT.parent / "shared" / "design" / "semantics.md")
    if not path.is_file():
        pytest.skip(f"the law is not at {path}: set WORKBENCH_LAW to the text of the execution semantics")
    return path.read_text(encoding="utf-8")


#: Proved where the runner is: parity of backtest and paper (P1), replay (P3) and live reports (P4).
NOT_YET = frozenset({"P1", "P3", "P4"})


def test_every_rule_of_the_law_is_named_by_a_test(law: str) -> None:
    named = named_rules(sources("tests"))
    missing = [rule for rule in rules_of(law) if rule not in named and rule not in NOT_YET]
    assert not missing, "no test names " + " ".join(missing)


def test_every_rule_that_a_test_names_is_in_the_law(law: str) -> None:
    known = set(re.findall(r"^- ([A-Z]\d+) ", law, flags=re.MULTILINE))
    wrong = [f"{where} names {rule}" for rule, where in named_rules(sources("tests")).items() if rule not in known]
    assert not wrong, listed(wrong)


def test_a_rule_without_a_test_is_seen() -> None:
    tests = (snippet("def test_F4_gap(): assert f()\ndef test_X1_X2_both(): assert f()", "tests/test_a.py"),)
    assert sorted(named_rules(tests)) == ["F4", "X1", "X2"]
    assert rules_of("- F4 gap\n- F5 touch\n  - F6 no\n- N1 name\n") == ["F4", "F5"]
