"""What a person hands in to be promoted: the text of a strategy, or a function in Python, as it can be written down."""

from __future__ import annotations

import hashlib
import inspect
import os
import pathlib
import re
import sys
from dataclasses import dataclass
from typing import Any, Literal

from workbench.errors import ConfigError, WorkbenchError
from workbench.market.home import unreadable
from workbench.research.signals import Signals
from workbench.strategy import Strategy

Kind = Literal["toml", "pickle", "python"]


@dataclass(frozen=True)
class Subject:
    """A strategy to be, perhaps not a sound one.

    Attributes
    ----------
    kind : str
        ``toml``: a strategy's file; ``pickle``: a function of a notebook or module; ``python``: a file with one.
    text : str
        As a person reads it.
    content : bytes
        Of a function, as it goes to its own process; nothing here ever runs it.
    called : str
        Of a function: its name and version, as far as they are known without running it.
    instruments : tuple of str
        Of a function, as far as they are known.
    """

    kind: Kind
    text: str
    content: bytes = b""
    called: str = ""
    instruments: tuple[str, ...] = ()

    @property
    def is_function(self) -> bool:
        """Whether it is a function in Python."""
        return self.kind != "toml"

    @property
    def file(self) -> str:
        """What its text is called beside the notebooks."""
        return "strategy.py" if self.is_function else "strategy.toml"

    @property
    def hash(self) -> str:
        """Of everything in it."""
        return hashlib.blake2b(self.text.encode() + b"\0" + self.content, digest_size=16).hexdigest()

    @property
    def name(self) -> str:
        """Name and version, as far as they can be read."""
        if self.is_function:
            return self.called
        try:
            strategy = Strategy.from_toml(self.text)
        except WorkbenchError:
            found = re.search(r'^\s*name\s*=\s*"([^"\n]{1,100})"', self.text, re.MULTILINE)
            return found.group(1) if found else "unreadable"
        return f"{strategy.name} {strategy.version}"


def subject_of(strategy: Any) -> Subject:
    """What is to be promoted, from a strategy, a function of ``wb.signals``, or the path or text of a file.

    Raises
    ------
    ConfigError
        It is none of these, a file is missing, or a function cannot be sent to a process of its own.
    """
    if isinstance(strategy, Strategy):
        return Subject("toml", strategy.to_toml())
    if isinstance(strategy, Signals):
        return _of_function(strategy)
    if isinstance(strategy, str) and ("\n" in strategy or not strategy.endswith((".toml", ".py"))):
        return Subject("toml", strategy)
    if not isinstance(strategy, str | os.PathLike):
        raise ConfigError(
            f"strategy is of type {type(strategy).__name__}; a wb.Strategy, a function with @wb.signals, or the path "
            "or text of a file is asked."
        )
    path = pathlib.Path(strategy)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {unreadable(path, error)}.") from error
    text = content.decode("utf-8-sig", errors="replace")
    if path.suffix == ".py":
        return Subject("python", text, content, path.stem)
    return Subject("toml", text)


def _of_function(given: Signals) -> Subject:
    """A function by value, with what it names of its own module: its process has no other way to it."""
    import cloudpickle

    module = sys.modules.get(getattr(given.function, "__module__", ""))
    by_value = module is not None and module.__name__ != "__main__" and not _is_installed(module)
    if by_value:
        cloudpickle.register_pickle_by_value(module)
    try:
        content = cloudpickle.dumps(given)
    except Exception as error:
        raise ConfigError(
            f"the function {given.name} cannot be sent to a process of its own: {error}. Take out what it holds beside "
            "numbers, text and other functions."
        ) from error
    finally:
        if by_value:
            cloudpickle.unregister_pickle_by_value(module)
    try:
        text = inspect.getsource(given.function)
    except (OSError, TypeError):
        text = f"{given.name}: a function whose source is not at hand"
    version = given.fields.get("version", "0.1.0")
    return Subject("pickle", text, content, f"{given.name} {version}", tuple(given.fields.get("instruments", ())))


def _is_installed(module: Any) -> bool:
    """Whether the other process finds a module by its name: it lies with what is installed."""
    file = getattr(module, "__file__", None)
    return file is None or os.path.realpath(file).startswith(os.path.realpath(sys.prefix) + os.sep)
