"""What the checks of one expression share: its text, the strategy's timeframe, the limits, and how they refuse."""

from __future__ import annotations

from typing import Final, NoReturn

from workbench.expressions.builder import DEPTH_LIMIT, NODE_LIMIT
from workbench.expressions.source import error
from workbench.expressions.syntax import Node
from workbench.expressions.terms import NONE, Reach, Term, Timeframes
from workbench.indicators.signature import Function, Overload, Series, ValueType
from workbench.market.timeframe import Timeframe

NUMBER: Final = ValueType.NUMBER
CONDITION: Final = ValueType.CONDITION
WORDS: Final = {NUMBER: "a number", CONDITION: "a condition"}


#: What a call calls, which way (none for a series) and the timeframe it names.
Way = tuple[Function, Overload, Timeframe | None] | tuple[Series, None, Timeframe]


class Scope:
    """The surroundings of every check.

    Parameters
    ----------
    source : str
        The text, with line ends made line feeds; errors point into it.
    timeframe : Timeframe
        The strategy's.

    Attributes
    ----------
    own : frozenset of Timeframe
        The strategy's timeframe as a set.
    here : Reach
        Of a series of the strategy's bars.
    timeframes : dict of str to Timeframe
        Those named so far, by how they were written; equal ones are one object, the strategy's own too.
    ways : dict
        What calls of one name with so many arguments and one timeframe call.
    places : dict
        What calls of one kind over operands of one reach run on and reach.
    """

    def __init__(self, source: str, timeframe: Timeframe) -> None:
        self.source, self.timeframe = source, timeframe
        self.own: Timeframes = frozenset((timeframe,))
        self.here = Reach(NONE, self.own, None)
        self.timeframes: dict[str, Timeframe] = {}
        self.ways: dict[tuple[str, int, str | None], Way] = {}
        self.places: dict[tuple[bool, Timeframe | None, Reach], tuple[Timeframe | None, Reach]] = {}
        self._only: dict[int, tuple[Timeframe, Reach]] = {}
        self.only(timeframe)

    def only(self, timeframe: Timeframe) -> tuple[Timeframe, Reach]:
        """The one object for a timeframe, and the reach of what names it and reads its bars alone."""
        known = self._only.get(timeframe.minutes)
        if known is None:
            alone: Timeframes = self.own if timeframe == self.timeframe else frozenset((timeframe,))
            known = self._only[timeframe.minutes] = timeframe, Reach(alone, alone, None)
        return known

    def refuse(self, at: int, message: str, hint: str = "") -> NoReturn:
        """Raise the error that points at one character of the text."""
        raise error(self.source, at, message, hint)

    def need(self, term: Term, wanted: ValueType, what: str) -> None:
        """Refuse a number where ``what`` takes a condition, and the other way round."""
        if term.type is not wanted:
            hint = "Compare it: close > 0." if wanted is CONDITION else "Write IF(condition, 1, 0) for a number."
            self.refuse(term.at, f"{what} needs {WORDS[wanted]}, this is {WORDS[term.type]}", hint)

    def count(self, node: Node, operands: tuple[Term, ...], nodes: int = 1, level: int = 0) -> tuple[int, int]:
        """Size and depth of a node with its variables written out, within the limits of rule E8."""
        size, inner = nodes, 0
        for term in operands:
            size += term.size
            if term.depth > inner:
                inner = term.depth
        depth = max(node.depth, level + inner)
        if size > NODE_LIMIT:
            message = f"with its variables written out, the expression has more than {NODE_LIMIT:,} nodes"
            self.refuse(node.at, message, "Split it into several strategies.")
        if depth > DEPTH_LIMIT:
            self.refuse(node.at, f"with its variables written out, it is nested more than {DEPTH_LIMIT} levels deep")
        return size, depth
