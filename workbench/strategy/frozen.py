"""A mapping that cannot be changed, so that a strategy's content cannot either."""

from __future__ import annotations

from typing import Any, Generic, NoReturn, TypeVar

Value = TypeVar("Value")


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
