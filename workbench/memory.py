"""Giving memory back to the system after work on whole columns.

The allocators of C and of Arrow keep what was freed for the next time. After a long history is read, or a run over one,
that is as much again as the bars themselves.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any


@cache
def _trim() -> Any:
    """The C library's own function for it; None where it has none (only glibc does)."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None


def give_back() -> None:
    """Return freed memory to the system; a millisecond or so."""
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()
    trim = _trim()
    if trim is not None:
        trim(0)
