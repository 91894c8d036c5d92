"""A strategy is data: a frozen record with expressions, checked once when it is made (rule N3)."""

from __future__ import annotations

from workbench.strategy.record import Strategy
from workbench.strategy.sizing import CashPerSlot, FixedCash, FixedQty, PercentOfEquity, RiskPerTrade, SizingPolicy

__all__ = [
    "CashPerSlot",
    "FixedCash",
    "FixedQty",
    "PercentOfEquity",
    "RiskPerTrade",
    "SizingPolicy",
    "Strategy",
]
