"""Which orders of a paper account a bar reaches, at which price, and in which order they fill (rules F1 to F5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from workbench.brokers.paper_accounts import Account, Holding, Resting
from workbench.brokers.port import TradedBar
from workbench.engine.fills import market_price, touched
from workbench.schema import OrderKind


def working_in(account: Account, bars: Mapping[str, TradedBar]) -> list[Resting]:
    """Orders that work in these bars."""
    return [one for one in account.working.values() if _meets(one, bars.get(one.request.instrument))]


def hits(account: Account, live: Sequence[Resting], bars: Mapping[str, TradedBar]) -> list[tuple[Resting, float]]:
    """Stops and targets that bars reach, with their prices, by name; both of one position are judged together (F5)."""
    resting: dict[str, dict[str, Resting]] = {}
    for order in live:
        if order.request.kind != "open":
            resting.setdefault(order.request.instrument, {})[order.request.kind] = order
    config, found = account.terms.config[0], []
    for name in sorted(resting):
        held = account.holdings.get(name, Holding(0.0, 0, 0))
        if held.qty == 0.0:
            continue
        bar, orders, direction = bars[name], resting[name], 1 if held.qty > 0.0 else -1
        levels = [orders[kind].request.price if kind in orders else np.nan for kind in ("stop", "target")]
        prices, here = (bar.open, bar.high, bar.low), held.entry_ns == bar.open_ns
        kind, price = touched(config, levels[0], levels[1], prices, direction, here)
        if kind == OrderKind.STOP:
            price = market_price(price, -direction, float(config["slippage_frac"]))
        if kind != OrderKind.OPEN:
            found.append((orders["stop" if kind == OrderKind.STOP else "target"], price))
    return found


def _meets(order: Resting, bar: TradedBar | None) -> bool:
    """Whether an order works in a bar: decided before it opened, arrived before it closed."""
    if bar is None or order.request.decided_ns > bar.open_ns:
        return False
    # What answers to a fill of this very bar comes after its close only because bars are seen whole.
    answers = order.request.contingent or order.request.kind != "open"
    return answers or order.accepted_ns < bar.close_ns


def exit_order(order: Resting) -> tuple[str, int]:
    """Exits fill by instrument."""
    return order.request.instrument, order.request.number


def entry_order(order: Resting) -> int:
    """Entries fill as they were decided."""
    return order.request.number
