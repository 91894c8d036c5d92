"""What a bug that is put in on purpose consists of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Patch = tuple[Any, str, Any]


class Mutant(NamedTuple):
    """One bug.

    Attributes
    ----------
    name, sentence : str
        What it is called, and what it does wrong.
    patches : callable
        What is replaced: owner, name, replacement; made anew for every use.
    """

    name: str
    sentence: str
    patches: Callable[[], list[Patch]]


def around(owner: Any, name: str, changed: Callable[[Callable[..., Any]], Callable[..., Any]]) -> list[Patch]:
    """One replacement that is made from what it replaces."""
    return [(owner, name, changed(getattr(owner, name)))]
