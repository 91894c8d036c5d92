"""Parameter sweeps: which sets there are, how they run, and the table they end in."""

from workbench.research.sweep.sweeping import sweep
from workbench.research.sweep.table import Sweep

__all__ = ["Sweep", "sweep"]
