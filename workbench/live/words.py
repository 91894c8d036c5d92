"""Numbers as people write them."""

from __future__ import annotations


def figure(value: float | None) -> str:
    """A number with thousands apart and no zeros at the end."""
    text = f"{0.0 if value is None else value:,.8f}"
    return text.rstrip("0").rstrip(".")


def counted(number: int, noun: str) -> str:
    """So many of something: ``1 deployment``, ``1,200 deployments``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
