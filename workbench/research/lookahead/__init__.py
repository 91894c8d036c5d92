"""Whether what is said of a bar depends on bars that come later."""

from workbench.research.lookahead.answer import Lookahead
from workbench.research.lookahead.check import lookahead_check

__all__ = ["Lookahead", "lookahead_check"]
