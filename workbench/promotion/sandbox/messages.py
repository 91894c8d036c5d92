"""What caller and host say to each other: arrays by name, with a length before them; nothing that could be code."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

_LENGTH = 8

Message = dict[str, npt.NDArray[Any]]


def packed(arrays: Mapping[str, npt.ArrayLike]) -> bytes:
    """A message as bytes."""
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **{name: np.asarray(value) for name, value in arrays.items()})
    content = out.getvalue()
    return len(content).to_bytes(_LENGTH, "big") + content


def unpacked(content: bytes) -> Message:
    """Arrays of a message, without the length."""
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def heard(stream: BinaryIO) -> Message | None:
    """The next message of a stream; None at its end."""
    head = stream.read(_LENGTH)
    if len(head) < _LENGTH:
        return None
    length = int.from_bytes(head, "big")
    content = stream.read(length)
    return unpacked(content) if len(content) == length else None
