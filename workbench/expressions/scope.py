"""What the checks of one expression share: its text, the strategy's timeframe, the limits, and how they refuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

from workbench.expressions.parse import DEPTH_LIMIT, NODE_LIMIT
from workbench.expressions.source import error
from workbench.expressions.syntax import Node
from workbench.expressions.terms import Conflict, Term, Timeframes
from workbench.indicators.signature import ValueType
from workbench.market.timeframe import Timeframe

NUMBER: Final = ValueType.NUMBER
CONDITION: Final = ValueType.CONDITION
WORDS: Final = {NUMBER: "a number", CONDITION: "a condition"}

_NONE: Timeframes = frozenset()


@dataclass(frozen=True)
class Scope:
    """The surroundings of every check.

    Parameters
    ----------
    source : str
        The text, with line ends made line feeds; errors point into it.
    timeframe : Timeframe
        The strategy's.
    """

    source: str
    timeframe: Timeframe

    @property
    def own(self) -> Timeframes:
        """The strategy's timeframe as a set."""
        return frozenset((self.timeframe,))

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
        size = nodes + sum(term.size for term in operands)
        if size > NODE_LIMIT:
            self.refuse(
                node.at,
                f"with its variables written out, the expression has more than {NODE_LIMIT:,} nodes",
                "Split it into several strategies.",
            )
        depth = max(node.depth, level + max((term.depth for term in operands), default=0))
        if depth > DEPTH_LIMIT:
            self.refuse(node.at, f"with its variables written out, it is nested more than {DEPTH_LIMIT} levels deep")
        return size, depth


def named(operands: tuple[Term, ...]) -> Timeframes:
    """Timeframes written anywhere in some terms."""
    return _NONE.union(*(term.named for term in operands))


def read(operands: tuple[Term, ...]) -> Timeframes:
    """Timeframes whose bars some terms step on."""
    return _NONE.union(*(term.read for term in operands))


def conflict(operands: tuple[Term, ...]) -> Conflict | None:
    """First conflict of timeframes inside some terms."""
    return next((term.conflict for term in operands if term.conflict is not None), None)
