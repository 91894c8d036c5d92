"""Reads the project's own files, once, for the checks."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the root, with forward slashes, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text, self.path)

    @property
    def module(self) -> str:
        """Dotted name below the package: ``engine.step``; the package itself is the empty text."""
        parts = self.path.removesuffix(".py").split("/")[1:]
        return ".".join(parts[:-1] if parts and parts[-1] == "__init__" else parts)

    def at(self, node: ast.AST, what: str) -> str:
        """One complaint: path, line and what is wrong."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {what}"


@cache
def tracked() -> tuple[str, ...]:
    """Paths of the project's files: what git knows or would add, or, without git, what is there."""
    asked = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        hidden = (".venv", ".git", "build", "dist", "output")
        below = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        listed = [path.as_posix() for path in below if path.parts[0] not in hidden and "__pycache__" not in path.parts]
    return tuple(sorted(path for path in set(listed) if (ROOT / path).is_file()))


@cache
def sources(folder: str) -> tuple[Source, ...]:
    """Every Python file below a folder of the project."""
    paths = [path for path in tracked() if path.startswith(f"{folder}/") and path.endswith(".py")]
    return tuple(Source(path, (ROOT / path).read_text(encoding="utf-8")) for path in paths)


def snippet(text: str, path: str = "workbench/engine/snippet.py") -> Source:
    """A source that is not on disk, for a check to be tried on."""
    return Source(path, text)


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function and method with its qualified name, nested ones too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, FUNCTIONS):
            yield prefix + node.name, node
            yield from functions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, f"{prefix}{node.name}.")
        else:
            yield from functions(node, prefix)


def dotted(node: ast.AST) -> str:
    """``a.b.c`` of a chain of attributes, or the empty text."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def imports(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Every imported name, wherever the import stands: ``from a.b import c`` gives ``a.b.c``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            yield from ((node, f"{start}.{alias.name}") for alias in node.names)


def listed(complaints: list[str]) -> str:
    """Complaints as the message of a failed test."""
    return "\n" + "\n".join(complaints)
