"""How much history decisions need."""

from workbench.research.warmup.answer import Warmup
from workbench.research.warmup.check import warmup_check

__all__ = ["Warmup", "warmup_check"]
