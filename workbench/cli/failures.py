"""What a failure looks like on the command line, in one place.

====  =====================================================================================
code  meaning
====  =====================================================================================
0     done
1     a failure that nobody foresaw, or a file that ``data validate`` refuses
2     something a person wrote or gave is wrong: options, strategy, expression, bars, calendar; or a runner that ended
      and a person must look
3     another runner has taken over (``workbench run``)
130   interrupted (Ctrl-C); a sweep keeps what is finished
====  =====================================================================================

A foreseen failure is a short message without a traceback; ``--debug``, anywhere on the line, adds the traceback.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from workbench.cli.screen import errors, plain
from workbench.errors import ConfigError, DataError, WorkbenchError

DONE, UNFORESEEN, REFUSED, WRONG, INTERRUPTED = 0, 1, 1, 2, 130

DEBUG = "--debug"

#: What passes through: typer's ways out, and the wrong options that it shows itself. Their class is found through its
#: child because typer ships it from another place in every other version.
_PASSED: tuple[type[BaseException], ...] = (
    typer.Exit,
    typer.Abort,
    BrokenPipeError,
    *(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"),
)

#: Arguments that messages about files name, and the options of the command line that set them.
_OPTIONS = (
    (re.compile(r"\b(repair|zone|stamp)='([^']*)'"), r"--\1 \2"),
    (re.compile(r"\bcolumns=\{'(\w+)': (?:\.\.\.|'[^']*')\}"), r"--columns \1=..."),
    (re.compile(r"\bcolumns=\(([^)]*)\)"), lambda found: "--columns " + re.sub(r"[' ]", "", found[1])),
    (re.compile(r"\bmax_jump_ratio\b"), "--max-jump-ratio"),
    (re.compile(r"(?<=: )import_calendar\b"), "workbench calendar import"),
)


class Commands(TyperGroup):
    """The group of all commands, which turns what they raise into messages and exit codes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take ``--debug`` from wherever it stands, then parse as usual."""
        parsed: list[str] = super().parse_args(ctx, debug_first(args))
        return parsed

    def invoke(self, ctx: Any) -> Any:
        """Run a command; nothing it raises leaves as a traceback unless it was asked for."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except _PASSED:
            raise
        except Exception as error:
            if ctx.params.get("debug"):
                errors().print(plain(traceback.format_exc()), soft_wrap=True)
            say_failure(error)
            raise typer.Exit(WRONG if isinstance(error, ConfigError) else UNFORESEEN) from error


def debug_first(args: Sequence[str]) -> list[str]:
    """The arguments with ``--debug`` in front, wherever before ``--`` it stood."""
    end = list(args).index("--") if "--" in args else len(args)
    rest = [arg for arg in args[:end] if arg != DEBUG]
    return [*([DEBUG] if len(rest) < end else []), *rest, *args[end:]]


def message_of(error: BaseException) -> str:
    """What an error says; messages about files name options of the command line instead of arguments in Python."""
    text = str(error)
    if isinstance(error, DataError):
        for pattern, option in _OPTIONS:
            text = pattern.sub(option, text)
    return text


def say_failure(error: BaseException) -> None:
    """Show an error on standard error: foreseen ones as they are, others with the way to their traceback."""
    screen = errors()
    if isinstance(error, WorkbenchError):
        screen.print(plain("error: ", "bold red") + plain(message_of(error), "red"), soft_wrap=True)
        return
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    screen.print(plain("unexpected failure: ", "bold red") + plain(said, "red"), soft_wrap=True)
    screen.print(plain(f"The same command with {DEBUG} shows where."), soft_wrap=True)
