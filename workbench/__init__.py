"""Workbench: research-to-live for trading strategies. The names a notebook may import, and nothing else.

Every name is loaded when it is first used, so that ``import workbench`` costs almost nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from workbench import costs as costs
    from workbench import panels as panels
    from workbench.errors import ConfigError as ConfigError
    from workbench.errors import DataError as DataError
    from workbench.errors import ExpressionError as ExpressionError
    from workbench.errors import StrategyError as StrategyError
    from workbench.errors import WorkbenchError as WorkbenchError
    from workbench.live.client import Client as Client
    from workbench.market import samples as samples
    from workbench.market.bars import Bars as Bars
    from workbench.market.calendar import Calendar as Calendar
    from workbench.market.calendar import import_calendar as import_calendar
    from workbench.market.calendar import resolve_calendar as resolve_calendar
    from workbench.market.instruments import instrument as instrument
    from workbench.market.instruments import load_instruments as load_instruments
    from workbench.market.instruments import register_instrument as register_instrument
    from workbench.market.sources.files import read_bars as read_bars
    from workbench.market.store import load_bars as load_bars
    from workbench.market.store import save_bars as save_bars
    from workbench.promotion import promote as promote
    from workbench.research.backtest import backtest as backtest
    from workbench.research.evaluate import evaluate as evaluate
    from workbench.research.lookahead import lookahead_check as lookahead_check
    from workbench.research.result import Result as Result
    from workbench.research.signals import Signals as Signals
    from workbench.research.signals import signals as signals
    from workbench.research.significance import significance as significance
    from workbench.research.staged_search import StagedSearch as StagedSearch
    from workbench.research.staged_search import staged_search as staged_search
    from workbench.research.sweep import Sweep as Sweep
    from workbench.research.sweep import sweep as sweep
    from workbench.research.walk_forward import WalkForward as WalkForward
    from workbench.research.walk_forward import walk_forward as walk_forward
    from workbench.research.warmup import warmup_check as warmup_check
    from workbench.strategy import CashPerSlot as CashPerSlot
    from workbench.strategy import FixedCash as FixedCash
    from workbench.strategy import FixedQty as FixedQty
    from workbench.strategy import PercentOfEquity as PercentOfEquity
    from workbench.strategy import RiskPerTrade as RiskPerTrade
    from workbench.strategy import Strategy as Strategy

#: Public names that are modules.
_MODULES = {"costs": "workbench.costs", "panels": "workbench.panels", "samples": "workbench.market.samples"}

#: Public name to the module that holds it.
_HOMES = {
    "ConfigError": "workbench.errors",
    "DataError": "workbench.errors",
    "ExpressionError": "workbench.errors",
    "StrategyError": "workbench.errors",
    "WorkbenchError": "workbench.errors",
    "Client": "workbench.live.client",
    "Bars": "workbench.market.bars",
    "Calendar": "workbench.market.calendar",
    "import_calendar": "workbench.market.calendar",
    "resolve_calendar": "workbench.market.calendar",
    "instrument": "workbench.market.instruments",
    "load_instruments": "workbench.market.instruments",
    "register_instrument": "workbench.market.instruments",
    "read_bars": "workbench.market.sources.files",
    "load_bars": "workbench.market.store",
    "save_bars": "workbench.market.store",
    "promote": "workbench.promotion",
    "backtest": "workbench.research.backtest",
    "evaluate": "workbench.research.evaluate",
    "lookahead_check": "workbench.research.lookahead",
    "Result": "workbench.research.result",
    "Sweep": "workbench.research.sweep",
    "sweep": "workbench.research.sweep",
    "signals": "workbench.research.signals",
    "Signals": "workbench.research.signals",
    "significance": "workbench.research.significance",
    "StagedSearch": "workbench.research.staged_search",
    "staged_search": "workbench.research.staged_search",
    "WalkForward": "workbench.research.walk_forward",
    "walk_forward": "workbench.research.walk_forward",
    "warmup_check": "workbench.research.warmup",
    "CashPerSlot": "workbench.strategy",
    "FixedCash": "workbench.strategy",
    "FixedQty": "workbench.strategy",
    "PercentOfEquity": "workbench.strategy",
    "RiskPerTrade": "workbench.strategy",
    "Strategy": "workbench.strategy",
}

__all__ = [*_MODULES, *_HOMES, "__version__"]  # noqa: PLE0604 (every one of them is text)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        found: Any = importlib.import_module(_MODULES[name])
    elif name in _HOMES:
        found = getattr(importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
