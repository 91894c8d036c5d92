"""Equity and drawdown along time, thinned so that every peak and trough stays (rules R1, R2).

Equity has a switch between a linear and a logarithmic axis; on the latter equal distances are equal returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.research.plots.clock import clock_of
from workbench.research.plots.look import BLUE, BOX_EDGE, FAINT, INK, POINTS, RED
from workbench.research.thinning import extremes

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.research.result import Result


def _rows_of(result: Result, column: str) -> tuple[pd.DatetimeIndex, npt.NDArray[np.float64]]:
    """One column of equity, thinned, with the times of its rows."""
    values = result.equity[column].to_numpy()
    kept = extremes(values, POINTS)
    return clock_of(result).wall(pd.DatetimeIndex(result.equity.index[kept])), values[kept]


def add_equity(figure: go.Figure, result: Result, row: int) -> None:
    """Equity as a line into one row of panels, with the initial cash as a dotted one."""
    import plotly.graph_objects as go

    times, values = _rows_of(result, "equity")
    line = {"width": 1.6, "color": BLUE}
    hover = "equity %{y:,.2f}<extra></extra>"
    figure.add_trace(
        go.Scatter(x=times, y=values, mode="lines", name="equity", line=line, showlegend=False, hovertemplate=hover),
        row=row, col=1,
    )
    figure.add_hline(result.initial_cash, line={"width": 1, "color": FAINT, "dash": "dot"}, row=row, col=1)
    if (values > 0.0).all():
        _add_switch(figure, row)


def _add_switch(figure: go.Figure, row: int) -> None:
    """Two buttons behind the caption; a debt has no logarithm, so that there are none for one."""
    axis = "yaxis" if row == 1 else f"yaxis{row}"
    figure.update_layout(
        updatemenus=[
            *figure.layout.updatemenus,
            {
                "name": "scale", "type": "buttons", "direction": "right", "showactive": True, "active": 0,
                "buttons": [
                    {"label": label, "method": "relayout", "args": [{f"{axis}.type": kind, f"{axis}.autorange": True}]}
                    for label, kind in (("linear", "linear"), ("log", "log"))
                ],
                "x": 0, "xanchor": "left", "y": figure.layout[axis].domain[1], "yanchor": "bottom",
                "pad": {"l": 64, "b": 2},
                # plotly paints the button that is on nearly white.
                "bgcolor": BOX_EDGE, "bordercolor": BOX_EDGE, "font": {"size": 11, "color": INK},
            },
        ]
    )


def add_drawdown(figure: go.Figure, result: Result, row: int) -> None:
    """Drawdown as a filled line into one row of panels."""
    import plotly.graph_objects as go

    times, values = _rows_of(result, "drawdown_frac")
    figure.add_trace(
        go.Scatter(
            x=times, y=values, mode="lines", name="drawdown", line={"width": 1, "color": RED}, fill="tozeroy",
            fillcolor="rgba(196,84,74,0.20)", showlegend=False, hovertemplate="drawdown %{y:.2%}<extra></extra>",
        ),
        row=row, col=1,
    )
    figure.update_yaxes(tickformat=".1~%", row=row, col=1)
