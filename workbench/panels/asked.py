"""What a person asks a form to deploy, from a strategy or from the result of its backtest."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from workbench import costs as cost_models
from workbench.costs import CostModel
from workbench.engine.fitting import AnyBars
from workbench.errors import ConfigError
from workbench.live.client import Client
from workbench.live.starting import NOW
from workbench.research.result import Result
from workbench.strategy import Strategy

#: As in ``wb.backtest``.
CASH = 1_000_000.0


@dataclass(frozen=True)
class Asked:
    """What is to be deployed.

    Attributes
    ----------
    strategy : Strategy
        What to trade.
    bars : Bars or mapping of str to Bars
        Its history.
    costs : CostModel
        Charges and slippage.
    initial_cash : float
        Sizing reference, money.
    start : object
        Where decisions begin.
    name : str
        What to call it; the strategy's name where it is empty.
    acknowledged : collection of str
        What a person said they know.
    """

    strategy: Strategy
    bars: AnyBars
    costs: CostModel
    initial_cash: float
    start: Any = None
    name: str = ""
    acknowledged: Collection[str] = ()

    @property
    def is_at_once(self) -> bool:
        """Whether it is to enter at once."""
        return bool(self.start == NOW)

    def preview(self, client: Client) -> dict[str, Any]:
        """The dry run."""
        return client.preview(*self._arguments())

    def deploy(self, client: Client) -> str:
        """Deploy it; its id."""
        return client.deploy(*self._arguments())

    def _arguments(self) -> tuple[Any, ...]:
        money = (self.costs, self.initial_cash)
        return self.strategy, self.bars, *money, self.start, self.name, self.acknowledged


def asked_of(
    strategy: Strategy | Result,
    bars: AnyBars | None,
    costs: CostModel | None,
    initial_cash: float | None,
    start: Any,
    name: str,
) -> Asked:
    """What is asked for; what is not given comes from the result, or is what a backtest takes.

    Raises
    ------
    ConfigError
        A strategy without bars, or neither a strategy nor a result.
    """
    if isinstance(strategy, Result):
        known: tuple[Any, ...] = (strategy.bars, strategy.costs, strategy.initial_cash)
        strategy = strategy.strategy
    elif isinstance(strategy, Strategy):
        known = (None, cost_models.none(), CASH)
    else:
        raise ConfigError(
            f"strategy is of type {type(strategy).__name__}; a wb.Strategy is asked, or the result of wb.backtest."
        )
    given = (bars, costs, initial_cash)
    chosen: list[Any] = [one if asked is None else asked for asked, one in zip(given, known, strict=True)]
    if chosen[0] is None:
        raise ConfigError(
            f"no bars for {strategy.name}: its expressions are warm from its history. Give bars=..., or hand in the "
            "result of wb.backtest, which has them."
        )
    return Asked(strategy, chosen[0], chosen[1], chosen[2], start, name)
