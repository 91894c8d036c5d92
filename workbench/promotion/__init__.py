"""From a strategy to a verdict that one may deploy on: six stages, executed as notebooks, none of which is constant."""

from __future__ import annotations

from workbench.promotion.pipeline import promote
from workbench.promotion.verdict import Verdict

__all__ = ["Verdict", "promote"]
