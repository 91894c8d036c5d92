"""Every public name says what it is, in whole sentences, and its list of parameters is the one it has (design §7)."""

from __future__ import annotations

import ast
import re

import pytest

from tests.tidy.source import FUNCTIONS, Source, listed, snippet, sources

SECTION = re.compile(r"^ *(\w[\w ]*)\n *-{3,} *$", flags=re.MULTILINE)
SECTIONS = frozenset(
    ("Parameters", "Returns", "Yields", "Raises", "Warns", "Notes", "Examples", "See Also", "References", "Attributes")
)
#: A property may open with its type and shape, as in ``int64[n]: opening instants.``
TYPE = re.compile(r"[\w.]+(?:\[[^\]]*\]| *:)")
#: Openings that say nothing a reader does not see.
EMPTY_OPENINGS = ("this function", "this method", "this class", "this module", "helper")

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def is_public(name: str) -> bool:
    """Whether a name may be used from elsewhere."""
    return not name.startswith("_")


def public_nodes(source: Source) -> list[tuple[str, Documented]]:
    """The module, its public classes and functions, and their public methods."""
    found: list[tuple[str, Documented]] = [(source.path, source.tree)]
    for node in source.tree.body:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and is_public(node.name):
            found.append((node.name, node))
            inner = node.body if isinstance(node, ast.ClassDef) else []
            methods = [child for child in inner if isinstance(child, FUNCTIONS) and is_public(child.name)]
            found += [(f"{node.name}.{child.name}", child) for child in methods if not is_overload(child)]
    return found


def is_overload(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a definition is only a signature, or the setter of a documented property."""
    names = [ast.unparse(decorator) for decorator in node.decorator_list]
    return any(name.endswith(("overload", ".setter")) for name in names)


def undocumented(source: Source) -> list[str]:
    """Public names without a docstring; an empty file needs none."""
    if not source.text.strip():
        return []
    return [source.at(node, f"{name} has no docstring") for name, node in public_nodes(source) if not doc_of(node)]


def doc_of(node: Documented) -> str:
    """Docstring without indentation, or the empty text."""
    return ast.get_docstring(node) or ""


def badly_put(source: Source) -> list[str]:
    """Docstrings whose first paragraph is no sentence, or that open with nothing."""
    complaints = []
    for name, node in public_nodes(source):
        if not (text := doc_of(node)):
            continue
        first = text.split("\n\n")[0].strip()
        if not first.endswith((".", ":", "::", "?")):
            complaints.append(source.at(node, f"{name}: the first paragraph is no whole sentence"))
        if first[0].islower() and not TYPE.match(first):
            complaints.append(source.at(node, f"{name}: the first sentence starts small"))
        if first.lower().startswith(EMPTY_OPENINGS):
            complaints.append(source.at(node, f"{name}: {first[:20]!r} says nothing"))
        unknown = {title for title in SECTION.findall(text) if title not in SECTIONS}
        complaints += [source.at(node, f"{name}: no numpydoc section {title!r}") for title in sorted(unknown)]
    return complaints


def documented_parameters(text: str) -> list[str] | None:
    """Names in the Parameters section, or None without one."""
    parts = SECTION.split(text)
    if "Parameters" not in parts[1::2]:
        return None
    lines = parts[parts.index("Parameters") + 1].splitlines()
    heads = [line.split(" : ")[0] for line in lines if line and not line.startswith(" ")]
    return [name.strip().lstrip("*`").rstrip("`") for head in heads for name in head.split(",")]


def real_parameters(node: Documented) -> list[str]:
    """Names in a function's signature, or of a dataclass's fields."""
    if isinstance(node, FUNCTIONS):
        given = node.args
        names = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
        names += [argument.arg for argument in (given.vararg, given.kwarg) if argument is not None]
        return [name for name in names if name not in ("self", "cls") and is_public(name)]
    if isinstance(node, ast.ClassDef):
        makers = [child for child in node.body if isinstance(child, FUNCTIONS) and child.name == "__init__"]
        if makers:
            return real_parameters(makers[0])
        fields = [child for child in node.body if isinstance(child, ast.AnnAssign)]
        return [field.target.id for field in fields if is_field(field) and is_public(field.target.id)]
    return []


def is_field(node: ast.AnnAssign) -> bool:
    """Whether an annotation in a class is a field that is given when it is made."""
    shared = "ClassVar" in ast.unparse(node.annotation)
    derived = node.value is not None and "init=False" in ast.unparse(node.value).replace(" ", "")
    return isinstance(node.target, ast.Name) and not shared and not derived


def parameters_that_differ(source: Source) -> list[str]:
    """Parameters sections that list other names than the signature, or in another order."""
    complaints = []
    for name, node in public_nodes(source):
        said, real = documented_parameters(doc_of(node)), real_parameters(node)
        # The fields of a class are given by name, so that their order in the text is the author's.
        if said is not None and (sorted(said) != sorted(real) if isinstance(node, ast.ClassDef) else said != real):
            complaints.append(source.at(node, f"{name}: documents {said}, takes {real}"))
    return complaints


CHECKS = (undocumented, badly_put, parameters_that_differ)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_public_name_says_what_it_is(check: object) -> None:
    complaints = [text for source in sources("workbench") for text in check(source)]
    assert not complaints, listed(complaints)


def test_every_test_module_says_what_it_proves() -> None:
    silent = [source.path for source in sources("tests") if source.text.strip() and not doc_of(source.tree)]
    assert not silent, listed(silent)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (undocumented, "x = 1"),
        (undocumented, "'''Module.'''\ndef f(): pass"),
        (undocumented, "'''Module.'''\nclass A: pass"),
        (undocumented, "'''Module.'''\nclass A:\n    '''A.'''\n    def f(self): pass"),
        (badly_put, "'''Module without an end'''"),
        (badly_put, "'''small opening.'''"),
        (badly_put, "'''This module does things.'''"),
        (badly_put, "'''Module.\n\nParams\n------\nx : int\n    What.\n'''"),
        (
            parameters_that_differ,
            "def f(a, b):\n    '''F.\n\n    Parameters\n    ----------\n    a : int\n        A.\n    '''",
        ),
        (
            parameters_that_differ,
            "def f(a):\n    '''F.\n\n    Parameters\n    ----------\n    a, b : int\n        A.\n    '''",
        ),
        (
            parameters_that_differ,
            "class A:\n    '''A.\n\n    Parameters\n    ----------\n    a : int\n        A.\n    '''\n    b: int",
        ),
    ],
)
def test_a_bad_docstring_is_seen(check: object, text: str) -> None:
    assert check(snippet(text))


def test_a_good_docstring_passes() -> None:
    text = '''"""Module: what it is.

How it works.
"""

class A:
    """A pair.

    Parameters
    ----------
    a, b : int
        Both.
    """

    a: int
    b: int = 0
    _hidden: int = 0
    KIND: ClassVar[str] = "pair"
    c: int = field(init=False)

    @overload
    def f(self, x): ...

    def _g(self): ...

def f(x, *rest, **named):
    """Whether ``x`` is there.

    Parameters
    ----------
    x : float
        What.
    *rest, **named : float
        More.

    Returns
    -------
    bool
        True.
    """
'''
    assert not [complaint for check in CHECKS for complaint in check(snippet(text))]
