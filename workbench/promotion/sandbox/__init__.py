"""Functions of the user, called in a process of their own that has nothing to harm and nothing to tell."""

from __future__ import annotations

from workbench.promotion.sandbox.caller import Broke, Caller

__all__ = ["Broke", "Caller"]
