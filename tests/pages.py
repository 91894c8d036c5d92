"""Runs what a page of the documentation says, in the order in which a reader would.

Fenced blocks are read by their language:

- ``python`` runs in one namespace a page. As in a notebook, the value of a last line that is an expression is shown,
  and an error of ours ends the block with ``Type: message``.
- ``console`` holds commands after ``$``; those that start with ``workbench`` run as the command line would.
- ``toml`` and ``csv`` with ``file=NAME`` after the language are written to that file.
- ``expression`` holds expressions, with an empty line between them; each must compile and evaluate.
- ``text`` right below one of these is what it shows; ``...`` stands for anything, as in doctest.
- others (``bash``, ``ebnf``) are only read.

``python -m tests.pages PAGE`` puts what is really shown into a page, wherever it says something else: read the
difference before keeping it.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import io
import os
import pathlib
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

import workbench as wb

ROOT = pathlib.Path(__file__).resolve().parents[1]
_FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```[ ]*$", flags=re.MULTILINE | re.DOTALL)
#: The engine's sources are in it.
_VARIES = re.compile(r"^hash [0-9a-f]{32}$", flags=re.MULTILINE)
_DISPLAY = ("display.width", 118, "display.max_columns", None, "display.max_colwidth", 60)

#: What ``$name`` stands for in the expressions of a page.
PARAMS = {"n": 14, "low": 30, "fast": 10, "slow": 50, "k": 2.5}


@dataclass(frozen=True)
class Block:
    """One fenced block of a page: line of its first line, language, options, text, and what should be shown."""

    line: int
    language: str
    options: dict[str, str]
    text: str
    shown: str | None

    @property
    def runs(self) -> bool:
        """Whether something happens when the block is run."""
        return self.language in ("python", "console", "expression") or "file" in self.options


def blocks(page: str) -> list[Block]:
    """Blocks of a page in their order, each with the ``text`` block right below it."""
    found = list(_FENCE.finditer(page))
    kept = []
    for at, match in enumerate(found):
        after = found[at + 1] if at + 1 < len(found) else None
        below = after is not None and after[1] == "text" and not page[match.end() : after.start()].strip()
        options = dict(part.split("=", 1) for part in match[2].split() if "=" in part)
        line = page.count("\n", 0, match.start()) + 1
        kept.append(Block(line, match[1], options, match[3], after[3] if after is not None and below else None))
    return kept


class Reader:
    """A reader of one page, in a folder of their own.

    Parameters
    ----------
    folder : path
        Where files are written and commands run; also the home of the store.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "page"}

    def run(self, block: Block) -> str:
        """Run a block and return what it shows."""
        if "file" in block.options:
            (self.folder / block.options["file"]).write_text(block.text, encoding="utf-8")
            return ""
        with self._settled():
            run = {"python": self._python, "console": self._console, "expression": expressions}[block.language]
            return run(block.text)

    @contextlib.contextmanager
    def _settled(self) -> Iterator[None]:
        before, home = pathlib.Path.cwd(), os.environ.get("WORKBENCH_HOME")
        os.chdir(self.folder)
        os.environ["WORKBENCH_HOME"] = str(self.folder / ".workbench")
        try:
            with pd.option_context(*_DISPLAY):
                yield
        finally:
            os.chdir(before)
            os.environ.pop("WORKBENCH_HOME")
            if home is not None:
                os.environ["WORKBENCH_HOME"] = home

    def _python(self, text: str) -> str:
        tree = ast.parse(text)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            try:
                exec(compile(tree, "page", "exec"), self.names)
                if last is not None:
                    value = eval(compile(ast.Expression(last.value), "page", "eval"), self.names)
                    if value is not None:
                        print(repr(value))
            except wb.WorkbenchError as error:
                print(f"{type(error).__name__}: {error}")
        return out.getvalue().replace(str(self.folder), "...")

    def _console(self, text: str) -> str:
        shown = []
        for command in re.findall(r"^\$ (.*(?:\\\n.*)*)", text, flags=re.MULTILINE):
            shown += [f"$ {command}", *command_line(shlex.split(command.replace("\\\n", " "))).splitlines()]
        return "\n".join(shown) + "\n"


def command_line(words: list[str]) -> str:
    """What a command shows; one that fails shows its exit code last."""
    from typer.testing import CliRunner

    from workbench.cli import app

    assert words[0] == "workbench", words
    done = CliRunner().invoke(app, words[1:])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    code = f"(exit code {done.exit_code})\n" if done.exit_code else ""
    return "\n".join(line.rstrip() for line in done.output.splitlines()) + "\n" + code


def expressions(text: str) -> str:
    """Evaluate expressions on made-up bars; the error of one that cannot be compiled is shown."""
    bars = wb.samples.synthetic(seed=1, start="2024-01-01", end="2024-01-19")
    for expression in re.split(r"\n[ \t]*\n", text.strip("\n")):
        used = {name: value for name, value in PARAMS.items() if f"${name}" in expression}
        try:
            values = wb.evaluate(expression, bars, used, "15m")
        except wb.ExpressionError as error:
            return f"{error}\n"
        assert len(values), expression
    return ""


def agrees(shown: str, wanted: str, folder: pathlib.Path | None = None) -> bool:
    """Whether what is shown is what the page says, blanks at the ends of lines apart.

    With the reader's folder, which the page writes as ``...``, it is a terminal that shows: where it breaks lines
    depends on how long the folder's name is, so that no blank counts.
    """
    if folder is None:
        ours, theirs = ("\n".join(map(str.rstrip, text.strip().splitlines())) + "\n" for text in (shown, wanted))
    else:
        ours, theirs = ("".join(text.split()) for text in (shown, wanted))
        ours = ours.replace("".join(str(folder).split()), "...")
    return doctest.OutputChecker().check_output(theirs, ours, doctest.ELLIPSIS)


def filled(page: str, folder: pathlib.Path) -> str:
    """The page with what a run really shows wherever that is not what the page says."""
    reader, found, parts, end = Reader(folder), list(_FENCE.finditer(page)), [], 0
    for at, block in enumerate(blocks(page)):
        if not block.runs:
            continue
        shown = reader.run(block)
        console = block.language == "console"
        wanted = block.text if console else block.shown
        if wanted is None and shown:
            print(f"line {block.line} shows what the page does not say:\n{shown}")
        if wanted is None or agrees(shown, wanted, folder if console else None):
            continue
        place = found[at if console else at + 1]
        lines = "\n".join(line.rstrip() for line in shown.replace(str(folder), "...").splitlines()).strip("\n")
        parts += [page[end : place.start(3)], _VARIES.sub("hash ...", lines) + "\n"]
        end = place.end(3)
    return "".join(parts) + page[end:]


if __name__ == "__main__":
    import tempfile

    for name in sys.argv[1:]:
        path = pathlib.Path(name)
        with tempfile.TemporaryDirectory() as temporary:
            path.write_text(filled(path.read_text(encoding="utf-8"), pathlib.Path(temporary)), encoding="utf-8")
