"""How every figure looks: colours, fonts, axes, captions and margins.

A figure has no background of its own: it stands on the page it is shown in, white or JupyterLab's dark. So lines and
text have a contrast of 4 to both, and what is only a hint (grid, frames) lets the page shine through.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from workbench.research.plots.clock import clock_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.research.result import Result

TEXT, FAINT = "#727d88", "#7b8794"
GRID, FRAME, CLEAR = "rgba(128,138,148,0.20)", "rgba(128,138,148,0.55)", "rgba(0,0,0,0)"
BLUE, GREEN, RED, AMBER = "#4478ac", "#3d8361", "#c4544a", "#c08a2d"
#: Boxes that lie over a figure (hovers, menus, switches) are light everywhere, with dark text.
INK, BOX, BOX_EDGE = "#27313d", "#ffffff", "#c3cad1"
POINTS = 3000  # of a line
FONT = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"


def safe(text: str) -> str:
    """Text that plotly will not read as markup."""
    return html.escape(str(text))


def style(figure: go.Figure, result: Result, titles: list[str], height: int) -> None:
    """Axes, captions and margins of panels that share the time axis."""
    clock = clock_of(result)
    lay_out(figure, height)
    hover = "%d %b %Y" if clock.bars.timeframe.is_daily else "%a %d %b %Y %H:%M"
    figure.update_xaxes(rangebreaks=clock.breaks(), rangeslider={"visible": False}, hoverformat=hover)
    for row, title in enumerate(titles, start=1):
        axis = figure.layout["yaxis" if row == 1 else f"yaxis{row}"]
        caption(figure, title, axis.domain[1])
    zone = "session dates" if clock.bars.timeframe.is_daily else f"times in {clock.bars.calendar.zone}"
    figure.add_annotation(
        text=f"{safe(zone)}", xref="paper", yref="paper", x=1, y=0, yshift=-24, xanchor="right", yanchor="top",
        showarrow=False, font={"size": 11, "color": FAINT},
    )


def lay_out(figure: go.Figure, height: int) -> None:
    """Colours, fonts, margins and the look of axes; height in pixels."""
    figure.update_layout(
        height=height, paper_bgcolor=CLEAR, plot_bgcolor=CLEAR, hovermode="x", dragmode="zoom",
        font={"family": FONT, "size": 12, "color": TEXT}, margin={"l": 24, "r": 72, "t": 52, "b": 48},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom", "font": {"size": 11},
                "traceorder": "normal"},
        hoverlabel={"bgcolor": BOX, "bordercolor": BOX_EDGE, "font": {"family": FONT, "color": INK}},
        modebar={"bgcolor": CLEAR, "color": FRAME, "activecolor": TEXT},
    )
    figure.update_xaxes(
        showgrid=True, gridcolor=GRID, linecolor=FRAME, zerolinecolor=FRAME, ticks="outside", tickcolor=FRAME
    )
    # Prices and money stand at the right, where the latest of them are.
    figure.update_yaxes(side="right", gridcolor=GRID, zeroline=False, ticklabelstandoff=4)
    figure.for_each_yaxis(lambda axis: axis.update(tickformat=axis.tickformat or ",.7~r"))


def caption(figure: go.Figure, text: str, top: float) -> None:
    """A title at the left, above the panel that ends at ``top`` (a fraction of the plotting area)."""
    figure.add_annotation(
        text=text, xref="paper", yref="paper", x=0, y=top, xanchor="left", yanchor="bottom", showarrow=False,
        font={"size": 13}, align="left", name="caption",
    )


def on_white(figure: go.Figure) -> go.Figure:
    """The same figure, with the darker text of a page that is white for certain."""
    return figure.update_layout(font={"color": INK})
