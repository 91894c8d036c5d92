"""The six stages, in their order: each asks questions of a case and shows what it saw."""

from __future__ import annotations

from typing import NamedTuple


class Listed(NamedTuple):
    """A stage: its number, its name, what it is called, and what it asks."""

    number: int
    name: str
    title: str
    asks: str

    @property
    def file(self) -> str:
        """Of its notebook and its verdict, without a suffix."""
        return f"{self.number}_{self.name}"


STAGES = (
    Listed(1, "syntax", "Syntax", "Is it a strategy, and does it fit the bars?"),
    Listed(2, "unit_tests", "Unit tests", "Does it keep the contracts of every strategy, and pass your own tests?"),
    Listed(3, "backtest", "Backtest", "Is anything left after costs?"),
    Listed(4, "paper", "Paper trading", "Does the runner trade the held-out bars exactly as the backtest does?"),
    Listed(5, "risk", "Risk", "What can be lost, and does every limit act?"),
    Listed(6, "performance", "Performance", "Is it good enough, more than luck, and does it last?"),
)


def stage_named(name: str) -> Listed:
    """The stage of a name."""
    return next(one for one in STAGES if one.name == name)
