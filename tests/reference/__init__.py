"""A slow, plain reading of the law (rules D, S, X, F, R): the fast engine is checked against it.

``run(**scenario)`` takes the plain-Python input described in ``law.py`` and returns lists of dict rows. Nothing here
imports the product: the two have only the text of the law in common. ``scenarios.scenario(seed)`` makes random input.
"""

from __future__ import annotations

from tests.reference.law import run
from tests.reference.scenarios import cut, scenario

__all__ = ["cut", "run", "scenario"]
