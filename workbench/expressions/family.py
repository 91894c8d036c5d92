"""Programs of the same expressions with other parameters, in one graph: what is equal among them is one node.

A sweep makes thousands of programs of one text. None of them is laid out to be run bar by bar; each is an outline, its
roots and its calls as places in the common graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from workbench.expressions.graph import Graph
from workbench.expressions.program import SESSION_MINUTES, lowered
from workbench.market.timeframe import Timeframe


class Outline(NamedTuple):
    """One program of a family.

    Attributes
    ----------
    graph : Graph
        Of the family; it grows while programs are added.
    roots : dict of str to int
        Place of each expression in ``graph.nodes``, and of ``stop_atr``.
    calls : tuple of int
        Places of the nodes that must have had a value before entries are allowed (rule E7).
    """

    graph: Graph
    roots: dict[str, int]
    calls: tuple[int, ...]

    @property
    def timeframe(self) -> Timeframe:
        """The strategy's timeframe."""
        return self.graph.timeframe

    @property
    def timeframes(self) -> tuple[Timeframe, ...]:
        """All timeframes of the family."""
        return self.graph.timeframes


class Family:
    """Makes outlines.

    Parameters
    ----------
    sources : mapping of root to text
        As for ``compile_program``, like the rest.
    timeframe : Timeframe or str
        The strategy's.
    stop_atr_length : int, optional
        Adds the root ``stop_atr``.
    session_minutes : int
        Nominal length of a session.
    """

    def __init__(
        self,
        sources: Mapping[str, str],
        timeframe: Timeframe | str,
        stop_atr_length: int | None = None,
        session_minutes: int = SESSION_MINUTES,
    ) -> None:
        self.sources, self.stop_atr_length = dict(sources), stop_atr_length
        self.graph = Graph(Timeframe.parse(timeframe), max(1, session_minutes))

    def outline(self, params: Mapping[str, object]) -> Outline:
        """Add the program with these parameters.

        Raises
        ------
        ExpressionError
            An expression cannot be used with them.
        """
        self.graph.restart()
        roots = lowered(self.graph, self.sources, params, self.stop_atr_length)
        return Outline(self.graph, roots, tuple(self.graph.calls))
