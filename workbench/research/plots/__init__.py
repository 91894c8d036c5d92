"""Charts of a result, as plotly figures: price with trades, equity, drawdown, exposure (rules R1, R2).

How it works: a figure is made of panels that share a time axis (``figures``). Long series are thinned so that every
peak and trough stays (``research.thinning``); times are written in the exchange's zone, and nights and weekends
without a single bar are cut out of the axis (``clock``). Nothing is computed here that the tables of a result do not
hold.
"""

from __future__ import annotations

from workbench.research.plots.clock import Clock, clock_of
from workbench.research.plots.figures import (
    drawdown_figure,
    equity_figure,
    exposure_figure,
    result_figure,
    trades_on_price,
)
from workbench.research.plots.instruments import exposures, pnl_by_instrument_figure
from workbench.research.plots.look import on_white
from workbench.research.plots.prices import busiest

__all__ = ["Clock", "busiest", "clock_of", "drawdown_figure", "equity_figure", "exposure_figure", "exposures",
           "on_white", "pnl_by_instrument_figure", "result_figure", "trades_on_price"]
