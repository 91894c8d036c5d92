"""Cost models without a table: nothing at all, and basis points."""

from __future__ import annotations

from workbench.costs.model import CostModel, Rates, Schedule, amount, slippage


def none() -> CostModel:
    """No charges and no slippage."""
    return CostModel(name="none", schedules=(Schedule(rows=(Rates(),)),))


def bps(commission_bps: float = 0.0, slippage_bps: float = 0.0) -> CostModel:
    """Commission and slippage in basis points, the same for every product, exchange and date.

    Parameters
    ----------
    commission_bps : float
        Of the traded value of each fill, buys and sells, 0 to 1000; 10 is 0.1 %. Not rounded.
    slippage_bps : float
        Of the price, against the trader, 0 to 1000.

    Returns
    -------
    CostModel
    """
    commission = amount("bps", "commission_bps", commission_bps, 1000.0, "basis points: 10 is 0.1 %") / 1e4
    return CostModel(
        name="bps",
        slippage_frac=slippage("bps", slippage_bps),
        schedules=(Schedule(rows=(Rates(brokerage_frac=commission),)),),
        labels=(("brokerage", "commission"),),
    )
