"""What makes a strategy's content unchangeable, and says so in words: a mapping, and a record's attributes."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable
from typing import Any, Generic, NoReturn, TypeVar

Value = TypeVar("Value")
Record = TypeVar("Record")


class FrozenMapping(dict[str, Value], Generic[Value]):
    """A ``dict`` with text keys that refuses every change and can be hashed; it equals a dict of the same items."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return (FrozenMapping, (dict(self),))

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("this mapping is part of a frozen strategy; make a new one with strategy.replace(...)")

    __setitem__ = __delitem__ = __ior__ = _refuse
    update = setdefault = pop = popitem = clear = _refuse


def frozen_in_words(way: str) -> Callable[[type[Record]], type[Record]]:
    """Let a frozen dataclass say how to go on when somebody assigns to it.

    Parameters
    ----------
    way : str
        What to do instead; ``{name}`` and ``{value}`` stand for what was assigned.

    Returns
    -------
    callable
        A decorator. The error is still ``dataclasses.FrozenInstanceError``, an AttributeError.
    """

    def decorate(cls: type[Record]) -> type[Record]:
        fields = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]

        def refuse(name: str, instead: str) -> NoReturn:
            if name not in fields:
                near = difflib.get_close_matches(name, fields, 1, 0.6)
                meant = f" (did you mean {near[0]!r}?)" if near else ""
                raise dataclasses.FrozenInstanceError(f"{cls.__name__} is frozen and has no field {name!r}{meant}")
            raise dataclasses.FrozenInstanceError(f"{cls.__name__} is frozen, {name!r} stays as it is; {instead}")

        def assign(self: Any, name: str, value: Any) -> None:
            refuse(name, way.format(name=name, value=_short(value)))

        def delete(self: Any, name: str) -> None:
            refuse(name, way.format(name=name, value="None"))

        cls.__setattr__ = assign  # type: ignore[method-assign]
        cls.__delattr__ = delete  # type: ignore[method-assign]
        return cls

    return decorate


def _short(value: Any) -> str:
    """A value as code, or dots where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else "..."
