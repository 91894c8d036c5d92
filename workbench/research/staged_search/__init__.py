"""Staged search: groups of parameters chosen one after the other in sample, the winner tried once out of sample."""

from workbench.research.staged_search.answer import Stage, StagedSearch
from workbench.research.staged_search.searching import staged_search

__all__ = ["Stage", "StagedSearch", "staged_search"]
