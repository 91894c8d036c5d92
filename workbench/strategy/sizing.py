"""Sizing policies: how much an entry buys (rules S1 to S4).

Each is a frozen record; the arithmetic is the engine's. All are sized from the close of the decision bar.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from workbench.errors import StrategyError
from workbench.strategy.checks import Check, RefusedError, fraction, positive
from workbench.strategy.frozen import frozen_in_words

_frozen = frozen_in_words("make a new policy, and strategy.replace(sizing=...)")


class _Checked:
    """Runs ``CHECKS`` over the fields when a policy is made."""

    CHECKS: ClassVar[dict[str, Check]] = {}

    def __post_init__(self) -> None:
        for name, check in self.CHECKS.items():
            try:
                object.__setattr__(self, name, check(getattr(self, name)))
            except RefusedError as error:
                raise StrategyError(f"{type(self).__name__}: {name} {error}") from None


@_frozen
@dataclass(frozen=True)
class PercentOfEquity(_Checked):
    """A fraction of equity for each position.

    Parameters
    ----------
    frac : float
        Above 0, at most 1; 0.25 is 25 %.
    """

    CHECKS: ClassVar[dict[str, Check]] = {"frac": fraction(one=True)}
    frac: float


@_frozen
@dataclass(frozen=True)
class FixedCash(_Checked):
    """The same amount of money for each position.

    Parameters
    ----------
    amount : float
        Money in the instrument's currency, above 0.
    """

    CHECKS: ClassVar[dict[str, Check]] = {"amount": positive}
    amount: float


@_frozen
@dataclass(frozen=True)
class CashPerSlot(_Checked):
    """Free cash divided by free slots, computed once a bar (rules D8 and S2)."""


@_frozen
@dataclass(frozen=True)
class FixedQty(_Checked):
    """The same quantity for each position.

    Parameters
    ----------
    qty : float
        Units, above 0; rounded down to whole lots.
    """

    CHECKS: ClassVar[dict[str, Check]] = {"qty": positive}
    qty: float


@_frozen
@dataclass(frozen=True)
class RiskPerTrade(_Checked):
    """The quantity that loses a fraction of equity when the stop is hit.

    Parameters
    ----------
    frac : float
        Of equity, above 0 and below 1; 0.01 risks 1 % a trade.
    leverage_max : float
        Cap of the position's value as a multiple of equity, above 0. 1 by default: never more than equity.
    """

    CHECKS: ClassVar[dict[str, Check]] = {"frac": fraction(), "leverage_max": positive}
    frac: float
    leverage_max: float = 1.0


SizingPolicy: TypeAlias = PercentOfEquity | FixedCash | CashPerSlot | FixedQty | RiskPerTrade

#: Policies by the name they have in a strategy file.
POLICIES: dict[str, type[SizingPolicy]] = {
    policy.__name__: policy for policy in (PercentOfEquity, FixedCash, CashPerSlot, FixedQty, RiskPerTrade)
}


def default_sizing(n_instruments: int, max_open_positions: int) -> PercentOfEquity:
    """Equal shares of equity over the positions that can be open at once: all of it for a single instrument."""
    return PercentOfEquity(1.0 / max(1, min(n_instruments, max_open_positions)))


def policy_to_dict(policy: SizingPolicy) -> dict[str, Any]:
    """Plain form of a policy: its name and its fields."""
    return {"policy": type(policy).__name__, **dataclasses.asdict(policy)}


def sizing_policy(value: Any) -> SizingPolicy:
    """Check that a value is a policy, made, not only named."""
    if isinstance(value, PercentOfEquity | FixedCash | CashPerSlot | FixedQty | RiskPerTrade):
        return value
    name = value.__name__ if isinstance(value, type) else value if isinstance(value, str) else ""
    near = f"; did you mean {name}(...)?" if name in POLICIES else ""
    raise RefusedError(f"is {value!r}; a policy is asked, like PercentOfEquity(0.25){near}")
