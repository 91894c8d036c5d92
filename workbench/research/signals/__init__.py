"""Strategies in Python: a function of a DataFrame of bars, whose answers trade by the engine's rules."""

from __future__ import annotations

from workbench.research.signals.function import Signals, signals
from workbench.research.signals.tape import taped

__all__ = ["Signals", "signals", "taped"]
