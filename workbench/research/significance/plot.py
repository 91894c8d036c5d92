"""The draws of the bootstrap as a figure, in the look of the others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from workbench.research.plots.look import AMBER, BLUE, FAINT, TEXT, caption, lay_out, safe

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.research.significance.answer import Significance

BARS = 60


def draws_figure(answer: Significance) -> go.Figure:
    """How the Sharpe ratios of all draws spread, the measured one, its interval as a band, and zero."""
    import plotly.graph_objects as go

    assert answer.bootstrap is not None and answer.sharpe_ann is not None, "there are draws"
    draws = answer.bootstrap.sharpe_draws * math.sqrt(answer.sessions_per_year)
    counts, edges = np.histogram(draws, bins=BARS)
    found = answer.sharpe_ann
    figure = go.Figure(
        go.Bar(
            x=(edges[:-1] + edges[1:]) / 2.0, y=counts / len(draws), width=np.diff(edges), marker={"color": BLUE},
            showlegend=False, hovertemplate="%{x:.2f}: %{y:.1%} of draws<extra></extra>",
        )
    )
    lay_out(figure, 360)
    figure.update_layout(hovermode="closest", bargap=0.04)
    figure.update_yaxes(tickformat=".0%")
    figure.update_xaxes(title={"text": "Sharpe ratio a year"})
    figure.add_vrect(found.low, found.high, fillcolor=AMBER, opacity=0.14, line={"width": 0}, layer="below")
    figure.add_vline(found.value, line={"width": 2, "color": AMBER})
    figure.add_vline(0.0, line={"width": 1, "color": FAINT, "dash": "dot"})
    span = f"{answer.confidence_frac:.0%} interval {found.low:.2f} to {found.high:.2f}".replace("-", "−")
    caption(figure, f"<b>{safe(answer.name)}</b> <span style='color:{TEXT}'>{span}</span>", 1.0)
    return figure
