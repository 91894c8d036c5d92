"""The figures of a result: panels on one time axis, or one of them alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.research.plots.equity import add_drawdown, add_equity
from workbench.research.plots.instruments import add_exposure
from workbench.research.plots.look import POINTS, safe, style
from workbench.research.plots.prices import add_menu, add_price, add_prices, busiest

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.research.result import Result

SWITCH = 44  # pixels between price and equity, where the switch of the latter stands


def result_figure(result: Result, instrument: str | None = None) -> go.Figure:
    """Price with entries and exits, equity and drawdown in one figure.

    Parameters
    ----------
    result : Result
        Of one instrument or of several. Of several, the exposure by instrument is drawn too, and a menu chooses whose
        price is shown.
    instrument : str, optional
        Whose price is shown first; by default the one with the most trades.

    Returns
    -------
    plotly Figure
    """
    from plotly.subplots import make_subplots

    names = list(result.bars)
    shown = instrument or busiest(result)
    if shown not in result.bars:
        raise KeyError(f"the result has no instrument {shown!r}; it has {', '.join(names)}.")
    several = len(names) > 1
    heights, height = ([0.42, 0.24, 0.14, 0.20], 860) if several else ([0.54, 0.29, 0.17], 700)
    figure = make_subplots(
        rows=len(heights), cols=1, shared_xaxes=True, vertical_spacing=0.035, row_heights=heights
    )
    prices, equity = figure.layout.yaxis, figure.layout.yaxis2
    prices.domain = (equity.domain[1] + SWITCH / height, prices.domain[1])
    owners = add_prices(figure, result, shown)
    add_equity(figure, result, 2)
    add_drawdown(figure, result, 3)
    if several:
        add_exposure(figure, result, 4)
    titles = [f"<b>{safe(shown)}</b>", "<b>Equity</b>", "<b>Drawdown</b>", "<b>Exposure</b> by instrument, of equity"]
    style(figure, result, titles[: len(heights)], height)
    if several:
        add_menu(figure, result, owners, shown)
    return figure


def trades_on_price(result: Result, instrument: str | None = None) -> go.Figure:
    """The price of one instrument with the entries and exits of its trades; the busiest instrument by default."""
    from plotly.subplots import make_subplots

    shown = instrument or busiest(result)
    figure = make_subplots(rows=1, cols=1)
    add_price(figure, result, shown, POINTS)
    style(figure, result, [f"<b>{safe(shown)}</b>"], height=460)
    return figure


def equity_figure(result: Result) -> go.Figure:
    """Equity by base interval, with the initial cash as a line."""
    return _alone(result, add_equity, "<b>Equity</b>", 320)


def drawdown_figure(result: Result) -> go.Figure:
    """Drawdown from the highest equity so far."""
    return _alone(result, add_drawdown, "<b>Drawdown</b>", 240)


def exposure_figure(result: Result) -> go.Figure:
    """Value of each instrument's position as a fraction of equity; short ones below zero."""
    return _alone(result, add_exposure, "<b>Exposure</b> by instrument, of equity", 300)


def _alone(result: Result, add: Any, title: str, height: int) -> go.Figure:
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=1)
    add(figure, result, 1)
    style(figure, result, [title], height)
    return figure
