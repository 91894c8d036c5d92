"""Time, handed in: the wall's, or a virtual one that jumps to the next thing that happens."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """What the runner knows of time."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC; never goes back."""

    def wait_until(self, ns: int | None) -> None:
        """Come back at an instant, or sooner when something may have happened; None waits for that alone."""


class VirtualClock:
    """A clock that stands until it is told to go on; waiting takes no time.

    Parameters
    ----------
    ns : int
        Where it stands.
    """

    def __init__(self, ns: int = 0) -> None:
        self._ns = ns

    def now_ns(self) -> int:
        """Where it stands."""
        return self._ns

    def wait_until(self, ns: int | None) -> None:
        """Jump to an instant; never back."""
        if ns is not None:
            self._ns = max(self._ns, ns)
