"""Small rooms (design §7): caps on modules, functions, classes and parameters, held as a ratchet.

What is over a cap today stands in ``ratchet.toml`` with its size. It may shrink and must then be written smaller; it
may not grow, and nothing new may be added but a compiled kernel (which takes arrays one by one) or a command line
(whose parameters are its options). Tests have the caps on modules and functions only.
"""

from __future__ import annotations

import ast
import statistics
import tomllib
from pathlib import Path

import pytest

from tests.tidy.source import FUNCTIONS, Source, dotted, functions, listed, snippet, sources

MODULE_LINES, FUNCTION_LINES, PUBLIC_METHODS, PARAMETERS, MEDIAN_MODULE_LINES = 500, 70, 12, 7, 150
RATCHET = Path(__file__).with_name("ratchet.toml")

#: "kind" to "path::name" to size.
Sizes = dict[str, dict[str, int]]


def docstring_lines(node: ast.AST) -> int:
    """Lines of a function's docstring, which do not count."""
    first = node.body[0]  # type: ignore[attr-defined]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return first.end_lineno - first.lineno + 1 if is_text else 0


def n_parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Parameters without ``self`` and ``cls``; ``*args`` and ``**kwargs`` count as one each."""
    given = node.args
    names = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    names += [argument.arg for argument in (given.vararg, given.kwarg) if argument is not None]
    return len(names) - (1 if names[:1] in (["self"], ["cls"]) else 0)


def over_the_caps(source: Source) -> Sizes:
    """Everything in a file that is over a cap."""
    found: Sizes = {"module": {}, "function": {}, "class": {}, "parameters": {}}
    if (lines := len(source.text.splitlines())) > MODULE_LINES:
        found["module"][source.path] = lines
    for name, node in functions(source.tree):
        lines = (node.end_lineno or 0) - node.lineno + 1 - docstring_lines(node)
        if lines > FUNCTION_LINES:
            found["function"][f"{source.path}::{name}"] = lines
        if (count := n_parameters(node)) > PARAMETERS:
            found["parameters"][f"{source.path}::{name}"] = count
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            methods = {inner.name for inner in node.body if isinstance(inner, FUNCTIONS) and inner.name[0] != "_"}
            if len(methods) > PUBLIC_METHODS:
                found["class"][f"{source.path}::{node.name}"] = len(methods)
    return found


def compare(found: Sizes, allowed: Sizes) -> list[str]:
    """What grew, what is new, and what shrank without the ratchet being told."""
    complaints = []
    for kind, sizes in found.items():
        known = allowed.get(kind, {})
        for name, size in sizes.items():
            if name not in known:
                complaints.append(f"{name}: {kind} of {size} is over the cap; split it by what it means")
            elif size > known[name]:
                complaints.append(f"{name}: {kind} grew from {known[name]} to {size}")
        for name, size in known.items():
            if sizes.get(name, 0) < size:
                complaints.append(f"{name}: {kind} is now {sizes.get(name, 0) or 'within the cap'}; write it down")
    return complaints


def may_be_listed(source: Source, name: str) -> bool:
    """Whether a function may stand in the ratchet: a compiled kernel or a command."""
    node = dict(functions(source.tree)).get(name)
    decorators = [dotted(d.func if isinstance(d, ast.Call) else d) for d in node.decorator_list] if node else []
    return not {"njit", "inlined"}.isdisjoint(decorators) or any(
        d.endswith((".command", ".callback")) for d in decorators
    )


def found_sizes() -> Sizes:
    """Everything over a cap in the package and in the tests."""
    total: Sizes = {}
    for source in (*sources("workbench"), *sources("tests")):
        for kind, sizes in over_the_caps(source).items():
            if source.path.startswith("workbench/") or kind in ("module", "function"):
                total.setdefault(kind, {}).update(sizes)
    return total


def test_rooms_are_small_and_only_get_smaller() -> None:
    complaints = compare(found_sizes(), tomllib.loads(RATCHET.read_text(encoding="utf-8")))
    assert not complaints, listed(complaints)


def test_only_kernels_and_commands_stand_in_the_ratchet() -> None:
    allowed = tomllib.loads(RATCHET.read_text(encoding="utf-8"))
    by_path = {source.path: source for source in (*sources("workbench"), *sources("tests"))}
    entries = [entry for kind in allowed.values() for entry in kind]
    wrong = [entry for entry in entries if not may_be_listed(by_path[entry.split("::")[0]], entry.split("::")[-1])]
    assert not wrong, listed(wrong)


def test_half_of_the_modules_fit_on_three_screens() -> None:
    lengths = [len(source.text.splitlines()) for source in sources("workbench") if source.text.strip()]
    assert statistics.median(lengths) <= MEDIAN_MODULE_LINES


METHODS = "\n".join(f"    def m{k}(self): pass" for k in range(13))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("module", "x = 1\n" * 501),
        ("function", "def f():\n    '''Short.'''\n" + "    x = 1\n" * 70),
        ("function", "class A:\n    async def f(self):\n" + "        x = 1\n" * 70),
        ("class", f"class A:\n{METHODS}"),
        ("parameters", "def f(a, b, c, d, e, *, g, h, i): pass"),
        ("parameters", "class A:\n    def f(self, a, b, c, d, e, g, *h, **i): pass"),
    ],
)
def test_what_is_over_a_cap_is_seen(kind: str, text: str) -> None:
    assert over_the_caps(snippet(text))[kind]


def test_what_is_within_the_caps_passes() -> None:
    long_docstring = "'''" + "\n    word" * 90 + "\n    '''"
    text = f"def f(self, a, b, c, d, e, g, h):\n    {long_docstring}\n" + "    x = 1\n" * 69
    assert not any(over_the_caps(snippet(text)).values())


@pytest.mark.parametrize(
    ("found", "allowed", "clean"),
    [
        ({}, {}, True),
        ({"a::f": 8}, {"a::f": 8}, True),
        ({"a::f": 9}, {"a::f": 8}, False),
        ({"a::f": 8}, {"a::f": 9}, False),
        ({"a::f": 8}, {}, False),
        ({}, {"a::f": 8}, False),
    ],
)
def test_the_ratchet_only_tightens(found: dict[str, int], allowed: dict[str, int], clean: bool) -> None:
    assert (compare({"parameters": found}, {"parameters": allowed}) == []) is clean


def test_only_a_kernel_or_a_command_may_be_listed() -> None:
    source = snippet("@njit\ndef a(): pass\n@app.command()\ndef b(): pass\ndef c(): pass")
    assert [may_be_listed(source, name) for name in "abcd"] == [True, True, False, False]
