"""Instruments side by side: the share of equity that each one's position is, and what each one earned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench.research.plots.clock import clock_of
from workbench.research.plots.look import GREEN, RED, caption, lay_out, safe
from workbench.research.thinning import bucket_starts

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.research.result import Result

#: For instruments side by side.
PALETTE = (
    "#4478ac", "#c08a2d", "#3d8361", "#8a5a83", "#c4544a", "#4f8a8b", "#8d7f5a", "#6b7fa3", "#d0a98f", "#7fa88b",
    "#a9879f", "#5d6b78",
)
OTHERS = "#c3cad1"


def add_exposure(figure: go.Figure, result: Result, row: int) -> None:
    """Exposures stacked into one row of panels, long ones upwards and short ones downwards; the largest by name."""
    import plotly.graph_objects as go

    shares = exposures(result)
    largest = list(shares.abs().mean().sort_values(ascending=False).index[: len(PALETTE)])
    parts = {name: shares[name].to_numpy() for name in largest}
    if len(largest) < shares.shape[1]:
        parts[f"{shares.shape[1] - len(largest)} others"] = shares.drop(columns=largest).sum(axis=1).to_numpy()
    times = clock_of(result).wall(pd.DatetimeIndex(shares.index))
    for i, (name, values) in enumerate(parts.items()):
        colour = PALETTE[i] if i < len(PALETTE) else OTHERS
        for sign, side in ((1, np.maximum(values, 0.0)), (-1, np.minimum(values, 0.0))):
            if not side.any():
                continue
            figure.add_trace(
                go.Scatter(
                    x=times, y=side, mode="lines", stackgroup="long" if sign > 0 else "short", name=safe(name),
                    line={"width": 0, "color": colour, "shape": "hv"}, fillcolor=colour, showlegend=False,
                    hovertemplate=f"{safe(name)} %{{y:.1%}}<extra></extra>",
                ),
                row=row, col=1,
            )
    figure.update_yaxes(tickformat=".0%", row=row, col=1)


def exposures(result: Result, rows: int = 600) -> pd.DataFrame:
    """Value of each instrument's position as a fraction of equity.

    Parameters
    ----------
    result : Result
        Any.
    rows : int
        At most so many rows: of each stretch of time the row whose positions are largest, so that no peak is lost.

    Returns
    -------
    DataFrame
        Signed fractions, index the closing instants of the chosen rows, a column an instrument.
    """
    from workbench.research.vectorbt_bridge import instants, marks

    equity = result.equity["equity"].to_numpy()
    closes = instants(result.equity.index)
    held = np.zeros((len(equity), len(result.bars)))
    column = {name: k for k, name in enumerate(result.bars)}
    fills = result.fills
    at = np.searchsorted(closes, instants(pd.DatetimeIndex(fills["ts"])), side="right")
    signed = np.where(fills["side"] == "BUY", fills["qty"], -fills["qty"])
    np.add.at(held, (at, fills["instrument"].map(column).to_numpy(dtype=np.int64)), signed)
    held = np.cumsum(held, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(held == 0.0, 0.0, held * marks(result).to_numpy()) / equity[:, None]
    gross = np.abs(shares).sum(axis=1)
    starts = bucket_starts(len(gross), rows)
    lengths = np.diff(np.append(starts, len(gross)))
    hits = np.flatnonzero(gross == np.repeat(np.maximum.reduceat(gross, starts), lengths)) if len(gross) else starts
    kept = hits[np.searchsorted(hits, starts)]
    return pd.DataFrame(shares[kept], index=result.equity.index[kept], columns=list(result.bars))


def pnl_by_instrument_figure(result: Result) -> go.Figure:
    """Net P&L of all trades by instrument, open ones at their marks, largest first."""
    import plotly.graph_objects as go

    net = result.trades.groupby("instrument")["net_pnl"].agg(["sum", "size"])
    net = net.reindex(list(result.bars), fill_value=0).sort_values("sum")
    figure = go.Figure(
        go.Bar(
            x=net["sum"], y=[safe(name) for name in net.index], orientation="h", customdata=net["size"],
            marker={"color": np.where(net["sum"] < 0, RED, GREEN), "line": {"width": 0}}, showlegend=False,
            hovertemplate="%{y}<br>net P&L %{x:,.2f}<br>%{customdata:,} trades<extra></extra>",
        )
    )
    lay_out(figure, 90 + 22 * len(net))
    figure.update_layout(hovermode="closest", margin={"l": 130})
    figure.update_yaxes(showgrid=False, side="left")
    caption(figure, "<b>Net P&L</b> by instrument", 1.0)
    return figure
