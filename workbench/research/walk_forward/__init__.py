"""Walk-forward: parameters chosen on what was known, traded on what came after, one account through all of it."""

from workbench.research.walk_forward.answer import WalkForward
from workbench.research.walk_forward.walking import walk_forward

__all__ = ["WalkForward", "walk_forward"]
