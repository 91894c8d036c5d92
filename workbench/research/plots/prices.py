"""Price with trades: candles, or a line in a band where bars are many, and a marker at both ends of each trade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from workbench.research.plots.clock import Clock, clock_of
from workbench.research.plots.look import AMBER, BLUE, BOX, BOX_EDGE, CLEAR, FAINT, GREEN, INK, POINTS, RED, safe
from workbench.research.thinning import envelope, extremes

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.research.result import Result

CANDLES = 400  # more bars than these are drawn as a line in the band from low to high
TRADES = 1500  # markers of the largest of them, when there are more


def busiest(result: Result) -> str:
    """The instrument with the most trades, the first by name where several have."""
    counts = result.trades["instrument"].value_counts()
    return max(result.bars, key=lambda name: int(counts.get(name, 0)))


def add_prices(figure: go.Figure, result: Result, shown: str) -> list[str]:
    """Prices and trades of every instrument, one of them visible; the owner of each trace."""
    points = max(400, POINTS // len(result.bars))
    owners: list[str] = []
    for name in result.bars:
        add_price(figure, result, name, points, visible=name == shown)
        owners += [name] * (len(figure.data) - len(owners))
    return owners


def add_price(figure: go.Figure, result: Result, name: str, points: int, visible: bool = True) -> None:
    """The price of one instrument and its trades into the first row of panels, as at most ``points`` of a line."""
    import plotly.graph_objects as go

    bars, clock = result.bars[name], clock_of(result)
    times = clock.opens(bars)
    common: dict[str, Any] = {"visible": visible, "showlegend": False}
    if len(bars) <= CANDLES:
        traces = [
            go.Candlestick(
                x=times, open=bars.open, high=bars.high, low=bars.low, close=bars.close, name="price",
                line={"width": 1},
                increasing={"line": {"color": GREEN}, "fillcolor": CLEAR},
                decreasing={"line": {"color": RED}, "fillcolor": RED}, **common,
            )
        ]
    else:
        starts, low, high = envelope(bars.low, bars.high, points // 2)
        kept = extremes(bars.close, points)
        edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        traces = [
            go.Scatter(x=times[starts], y=low, **edge, **common),
            go.Scatter(x=times[starts], y=high, fill="tonexty", fillcolor="rgba(123,135,148,0.20)", **edge, **common),
            go.Scatter(
                x=times[kept], y=bars.close[kept], mode="lines", name="close", line={"width": 1, "color": FAINT},
                hovertemplate="close %{y:,.5~f}<extra></extra>", **common,
            ),
        ]
    figure.add_traces(traces + _marks(result, name, clock, common), rows=1, cols=1)


def _marks(result: Result, name: str, clock: Clock, common: dict[str, Any]) -> list[Any]:
    """A line from entry to exit of each trade, and markers at both ends."""
    import plotly.graph_objects as go

    trades = result.trades[result.trades["instrument"] == name]
    if len(trades) > TRADES:
        trades = trades.loc[trades["net_pnl"].abs().nlargest(TRADES).index].sort_index()
    entry, exit_ = (clock.wall(pd.DatetimeIndex(trades[column])) for column in ("entry_ts", "exit_ts"))
    is_long, closed = (trades["direction"] == "LONG").to_numpy(), ~trades["is_open"].to_numpy()
    won = trades["net_pnl"].to_numpy() >= 0
    text = trades.assign(entry=entry.strftime(clock.pattern), exit=exit_.strftime(clock.pattern))
    traces = []
    for chosen, colour in ((closed & won, GREEN), (closed & ~won, RED)):
        x, y = _segments(entry[chosen], exit_[chosen], trades[chosen])
        line = {"width": 1, "color": colour, "dash": "dot"}
        traces.append(go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", opacity=0.7, **common))
    kinds = (
        ("long entry", is_long, entry, "entry_price", "triangle-up", BLUE, _ENTRY),
        ("short entry", ~is_long, entry, "entry_price", "triangle-down", AMBER, _ENTRY),
        ("exit with a gain", closed & won, exit_, "exit_price", "circle", GREEN, _EXIT),
        ("exit with a loss", closed & ~won, exit_, "exit_price", "circle", RED, _EXIT),
    )
    for kind, chosen, times, price, symbol, colour, template in kinds:
        if chosen.any():
            marker = {
                "symbol": symbol, "size": 9 if "entry" in kind else 7, "color": colour,
                "line": {"width": 1, "color": "rgba(255,255,255,0.6)"},
            }
            traces.append(
                go.Scatter(
                    x=times[chosen], y=trades[price][chosen], mode="markers", name=kind, marker=marker,
                    customdata=text.loc[chosen, _HOVER].to_numpy(dtype=object), hovertemplate=template,
                    **{**common, "showlegend": True},
                )
            )
    return traces


_HOVER = ["direction", "qty", "entry_price", "entry", "entry_reason", "exit_price", "exit", "exit_reason", "net_pnl",
          "return_frac", "charges", "bars_held"]
_ENTRY = (
    "<b>%{customdata[4]}</b><br>%{customdata[0]} %{customdata[1]:,} at %{customdata[2]:,.5~f}<br>"
    "%{customdata[3]}<extra></extra>"
)
_EXIT = (
    "<b>%{customdata[7]}</b><br>%{customdata[0]} %{customdata[1]:,}, out at %{customdata[5]:,.5~f}<br>"
    "%{customdata[6]}, in since %{customdata[3]}<br>"
    "net P&L %{customdata[8]:,.2f} (%{customdata[9]:.2%}), charges %{customdata[10]:,.2f}<br>"
    "%{customdata[11]} bars held<extra></extra>"
)


def _segments(entry: pd.DatetimeIndex, exit_: pd.DatetimeIndex, trades: pd.DataFrame) -> tuple[Any, Any]:
    """Points of separate lines from entry to exit, with a gap after each."""
    nothing = np.full(len(trades), np.datetime64("NaT", "ns"))
    x = np.stack([entry.to_numpy().astype("M8[ns]"), exit_.to_numpy().astype("M8[ns]"), nothing], axis=1).ravel()
    prices = [trades["entry_price"].to_numpy(), trades["exit_price"].to_numpy(), np.full(len(trades), np.nan)]
    return pd.DatetimeIndex(x), np.stack(prices, axis=1).ravel()


def add_menu(figure: go.Figure, result: Result, owners: list[str], shown: str) -> None:
    """A menu of instruments, which shows one's price and hides the others'."""
    rest = [True] * (len(figure.data) - len(owners))
    figure.layout.annotations[0].text = ""
    buttons = [
        {
            "label": safe(name), "method": "update",
            "args": [{"visible": [owner == name for owner in owners] + rest}, {"yaxis.autorange": True}],
        }
        for name in result.bars
    ]
    figure.update_layout(
        updatemenus=[
            *figure.layout.updatemenus,
            {
                "name": "instrument", "buttons": buttons, "active": list(result.bars).index(shown), "x": 0,
                "xanchor": "left", "y": 1.0, "yanchor": "bottom", "pad": {"b": 4}, "bgcolor": BOX,
                "bordercolor": BOX_EDGE, "font": {"size": 12, "color": INK}, "showactive": False,
            }
        ],
        margin={"t": 56},
    )
