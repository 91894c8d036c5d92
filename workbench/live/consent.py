"""What a person must have said before a strategy that can hurt more than others is deployed (rule X5).

Selling short has no bounded loss, and entering at once trades on the last bar instead of waiting for one. Each needs
its own word; the words are kept with the deployment, and its journal begins with them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from workbench.errors import ConfigError
from workbench.live.starting import is_now
from workbench.strategy import Strategy

#: Words that a person can say.
SHORT, AT_ONCE = "short", "at_once"


def settings_of(strategy: Strategy, start: Any, acknowledged: Collection[str]) -> dict[str, Any]:
    """What was asked for and acknowledged, as it is kept with a deployment.

    Parameters
    ----------
    strategy : Strategy
        What is to be deployed.
    start : object
        Where decisions begin; ``"at once"`` enters at once.
    acknowledged : collection of str
        ``"short"``, ``"at_once"``.

    Raises
    ------
    ConfigError
        Something was not acknowledged that must be, or a strategy may sell short without what bounds a loss.
    """
    words = {acknowledged} if isinstance(acknowledged, str) else set(acknowledged)
    if unknown := sorted(words - {SHORT, AT_ONCE}):
        raise ConfigError(f"acknowledged={unknown[0]!r} cannot be acknowledged; there are {SHORT!r} and {AT_ONCE!r}.")
    sells_short, at_once = strategy.direction != "LONG", is_now(start)
    if sells_short:
        _check_short(strategy, SHORT in words)
    if at_once and AT_ONCE not in words:
        raise ConfigError(
            f"{strategy.name} is to enter at once: if its entry is true at the last strategy bar so far, an order goes "
            "to the next open without waiting for a bar. Confirm that: --confirm-entry, acknowledged=('at_once',); or "
            "leave it out, and the first bar that comes decides."
        )
    kept = [word for word, needed in ((SHORT, sells_short), (AT_ONCE, at_once)) if needed]
    return {"acknowledged": kept} if kept else {}


def _check_short(strategy: Strategy, acknowledged: bool) -> None:
    what = f"{strategy.name} may sell short (direction {strategy.direction})"
    if strategy.product not in ("MIS", "MARGIN"):
        raise ConfigError(f"{what} with product {strategy.product}. Selling short needs MIS or MARGIN: set product.")
    if strategy.daily_loss_limit_frac is None:
        raise ConfigError(
            f"{what} without a daily loss limit, and a short can lose more than it stands for. Set one in the "
            "strategy, such as daily_loss_limit_frac = 0.02 for 2 % of the equity at the session's start."
        )
    if not acknowledged:
        raise ConfigError(
            f"{what}: a short loses without bound when the price rises, and can be bought in. Say that you know: "
            "--acknowledge-short, acknowledged=('short',)."
        )
