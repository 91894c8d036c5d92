"""Caps on the size of positions, tripped on purpose: with one an entry is as small as it says, without it larger."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from workbench.promotion.case import Case
from workbench.promotion.checks import Check, said
from workbench.promotion.kept_limits import entry_orders
from workbench.promotion.tripping import BARS, alone
from workbench.research.backtest import backtest
from workbench.research.result import Result
from workbench.strategy import PercentOfEquity, Strategy

#: Sizes come from the price of the decision.
_ROUNDING_FRAC = 1e-9


def caps(case: Case) -> Iterator[Check]:
    """A check for every cap that is set."""
    side = "SHORT" if case.strategy.direction == "SHORT" else "LONG"
    cash = case.given.initial_cash
    for name, allowed in (
        ("max_symbol_alloc_frac", cash * (case.strategy.max_symbol_alloc_frac or 0.0)),
        ("max_symbol_exposure", case.strategy.max_symbol_exposure or 0.0),
    ):
        if getattr(case.strategy, name) is not None:
            yield _capped(case, side, name, allowed)
    if case.strategy.sector_cap_frac is not None:
        yield _sector(case, side, cash * case.strategy.sector_cap_frac)


def _large(strategy: Strategy, side: str, *kept: str) -> Strategy:
    """Always enters, with all there is."""
    return alone(strategy, side, *kept).replace(sizing=PercentOfEquity(1.0))


def _capped(case: Case, side: str, name: str, allowed: float) -> Check:
    with_cap, without = (_first_entries(case, _large(case.strategy, side, *kept)) for kept in ((name,), ()))
    most, free = (float(one.max()) if len(one) else 0.0 for one in (with_cap, without))
    return said(
        f"trip_{name}", most <= allowed * (1.0 + _ROUNDING_FRAC) and (most < free or free <= allowed),
        f"largest entry {most:,.0f}, without the cap {free:,.0f}", f"at most {allowed:,.0f}, and less than without it",
        "Report it: a cap does not act.",
    )  # fmt: skip


def _sector(case: Case, side: str, allowed: float) -> Check:
    """Of the entries of the first instant those of a sector are together within its cap."""
    sums = [
        _first_entries(case, _large(case.strategy, side, *kept)).groupby(lambda name: case.strategy.sectors[name]).sum()
        for kept in (("sector_cap_frac",), ())
    ]
    most, free = (float(one.max()) if len(one) else 0.0 for one in sums)
    return said(
        "trip_sector_cap_frac", most <= allowed * (1.0 + _ROUNDING_FRAC) and (most < free or free <= allowed),
        f"largest sector {most:,.0f}, without the cap {free:,.0f}", f"at most {allowed:,.0f}, and less than without it",
        "Report it: a cap does not act.",
    )  # fmt: skip


def _first_entries(case: Case, strategy: Strategy) -> pd.Series[float]:
    """Value of the entries of the first instant that has any, by instrument, at the price of their decision."""
    result = _run(case, strategy)
    orders = entry_orders(result)
    first = orders[orders["ts"] == orders["ts"].min()]
    closes = [_close_at(result, name, ts) for name, ts in zip(first["instrument"], first["ts"], strict=True)]
    return pd.Series(first["qty"].to_numpy() * closes, index=first["instrument"].to_numpy(), dtype=float)


def _close_at(result: Result, name: str, ts: pd.Timestamp) -> float:
    bars = result.bars[name]
    known = bars.grid.close_ns[bars.at] <= ts.value
    return float(bars.close[known][-1])


def _run(case: Case, strategy: Strategy) -> Result:
    return backtest(strategy, case.last_bars(BARS), case.given.initial_cash, case.given.costs)
