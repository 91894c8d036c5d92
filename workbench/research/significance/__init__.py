"""How far a result is from luck: intervals, deflated Sharpe ratios, overfitting, random strategies, and words.

How it works: everything is computed from one return a session (R3), of one result or of every set of a sweep.
``given`` reads the question, ``ask`` puts it to ``bootstrap`` (intervals), ``sharpe`` (luck of the best of many),
``overfitting`` (cross-validation), ``permutation`` (the same trades at other times) and ``reality`` (as many sets
without skill), ``words`` says what came out, and ``answer`` holds it.
"""

from __future__ import annotations

from workbench.research.significance.answer import Significance
from workbench.research.significance.ask import significance

__all__ = ["Significance", "significance"]
