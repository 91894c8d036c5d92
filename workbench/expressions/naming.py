"""Names of the language: which ones are taken, and what a wrong one was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.expressions.source import quoted, suggestion
from workbench.expressions.syntax import KEYWORDS
from workbench.indicators import registry


def is_reserved(name: str) -> bool:
    """Whether a name belongs to the language, in any case, and cannot be defined."""
    return name.upper() in KEYWORDS or registry.series(name) is not None or registry.function(name) is not None


def definition_hint(name: str) -> str:
    """Why a reserved name cannot be defined, and what to write."""
    kind = "a series" if registry.series(name) else "a function" if registry.function(name) else "a keyword"
    return f"It is {kind}. Write == to compare it, or define another name, for example my_{name.lower()}."


def name_hint(name: str, variables: Iterable[str], params: Iterable[str]) -> tuple[str, str]:
    """Message and hint for a name that means nothing where it stands."""
    function = registry.function(name)
    if function is not None:
        arguments = function.overloads[0].arguments
        call = f"{function.name}({', '.join(a.name for a in arguments)})"
        return f"{quoted(name)} is a function and needs parentheses", f"Write {call}."
    if name in params:
        return f"unknown name {quoted(name)}", f"Write ${name} for the parameter."
    other = next((one for one in variables if one.upper() == name.upper()), None)
    if other is not None:
        return f"unknown name {quoted(name)}", f"Variables are case-sensitive: {other}."
    if name.upper() in ("TRUE", "FALSE"):
        return f"unknown name {quoted(name)}", "Write 1 > 0 for a condition that is always true, 0 > 1 for never."
    known = (*variables, *registry.names(), *KEYWORDS)
    return f"unknown name {quoted(name)}", suggestion(name, known) or "Define it above: name = expression."
