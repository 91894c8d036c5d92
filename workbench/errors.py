"""Errors, typed by what the reader must do.

::

    WorkbenchError
    ├── ConfigError        refuse to start: something written by a person is wrong (what, where, how to fix)
    │   ├── ExpressionError    an expression: line, column, caret, suggestion
    │   ├── DataError          bars or a calendar: file, row, reason
    │   ├── StrategyError      a strategy that contradicts itself
    │   ├── NotFound           there is nothing of that name
    │   └── Refused            it cannot be done as things stand: nothing was changed
    ├── RetryableError     back off and try again: the world was not ready
    │   └── UncertainCommit    it was written or it was not: read before anything is written again
    ├── DivergenceError    stop entries, keep exits: what is recorded and what is seen differ
    └── HaltError          a human must look
        ├── Unwritable         nothing can be written until a human gives room or rights back; then it goes on
        └── Fenced             somebody else has taken over: write and send nothing more

Bugs are asserts and stay on.
"""

from __future__ import annotations


class WorkbenchError(Exception):
    """Root of every error this package raises on purpose."""


class ConfigError(WorkbenchError, ValueError):
    """Refuse to start: something that a person wrote is wrong."""


class ExpressionError(ConfigError):
    """An expression cannot be used.

    Parameters
    ----------
    message : str
        What is wrong.
    line, column : int
        Where, both from 1.
    source : str
        The whole expression, from which the offending line is shown with a caret.
    hint : str, optional
        How to fix it.
    """

    def __init__(self, message: str, line: int = 1, column: int = 1, source: str = "", hint: str = "") -> None:
        self.message, self.line, self.column, self.source, self.hint = message, line, column, source, hint
        lines = source.splitlines() or [""]
        shown = lines[line - 1] if 1 <= line <= len(lines) else ""
        start = max(0, column - 60)
        clipped = shown[start : start + 120]
        text = f"line {line}, column {column}: {message}"
        if clipped:
            text += f"\n    {clipped}\n    {' ' * (column - 1 - start)}^"
        if hint:
            text += f"\n{hint}"
        super().__init__(text)


class DataError(ConfigError):
    """Bars or a calendar are refused; the message names file, row and reason."""


class StrategyError(ConfigError):
    """A strategy contradicts itself or does not fit its bars."""


class NotFound(ConfigError):  # noqa: N818 - said of a name, by every surface alike
    """There is nothing of that name, or nothing that whoever asks may see."""


class Refused(ConfigError):  # noqa: N818 - an answer
    """What was asked cannot be done as things stand; nothing was changed, and the message says what would help."""


class RetryableError(WorkbenchError):
    """Back off and try again."""


class UncertainCommit(RetryableError):  # noqa: N818 - the word says what is known: not that it failed
    """The connection was lost while a transaction was being committed: it was written whole, or not at all.

    Read the database before anything is written again.
    """


class DivergenceError(WorkbenchError):
    """Stop entries and keep exits: records and reality differ."""


class HaltError(WorkbenchError):
    """A human must look before anything goes on."""


class Unwritable(HaltError):  # noqa: N818 - a state of the disk, that ends when a human changed it
    """A human must give room or rights back; nothing was written, and whoever waits can go on then."""


class Fenced(HaltError):  # noqa: N818 - a state to be in, not a mistake
    """Somebody else has taken over what this process held: it must write and send nothing more."""
