"""Bars, sessions and calendars: when a market trades and what it did."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.market import samples
    from workbench.market.bars import Bars
    from workbench.market.calendar import Calendar, import_calendar, resolve_calendar
    from workbench.market.sources.files import read_bars
    from workbench.market.store import Store, load_bars, save_bars
    from workbench.market.timeframe import Timeframe

__all__ = ["Bars", "Calendar", "Store", "Timeframe", "import_calendar", "load_bars", "read_bars", "resolve_calendar",
           "samples", "save_bars"]

#: Where each name lives; imported when first used, because numba and the calendars take their time.
_HOMES = {
    "Bars": "bars", "Calendar": "calendar", "import_calendar": "calendar", "resolve_calendar": "calendar",
    "read_bars": "sources.files", "Store": "store", "load_bars": "store", "save_bars": "store",
    "Timeframe": "timeframe",
}


def __getattr__(name: str) -> Any:
    if name == "samples":
        return importlib.import_module("workbench.market.samples")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"workbench.market.{_HOMES[name]}"), name)
