"""How a runner's process ended, for whoever started it; known without loading anything of the engine."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """How a runner ended, as the exit code of its process."""

    DONE = 0  # asked to, or at the end of its bars
    LOOK = 2  # a person must look: what was written is wrong, or the database cannot be used
    FENCED = 3  # somebody else has taken over
