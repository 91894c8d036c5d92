"""Charts of a result, as plotly figures: price with trades, equity, drawdown, exposure (rules R1, R2).

How it works: long series are thinned so that every peak and trough stays (``thinning``); times are written in the
exchange's zone; nights and weekends without a single bar are cut out of the time axis. Nothing is computed here that
the tables of a result do not hold.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.research.thinning import bucket_starts, envelope, extremes

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.market.bars import Bars
    from workbench.research.result import Result

INK, FAINT, GRID = "#27313d", "#7b8794", "#e8ebee"
BLUE, GREEN, RED, AMBER = "#38618c", "#3d8361", "#b5493f", "#c08a2d"
#: For instruments side by side.
PALETTE = (
    "#38618c", "#c08a2d", "#3d8361", "#8a5a83", "#b5493f", "#4f8a8b", "#8d7f5a", "#6b7fa3", "#d0a98f", "#7fa88b",
    "#a9879f", "#5d6b78",
)
OTHERS = "#c3cad1"

CANDLES = 400  # more bars than these are drawn as a line in the band from low to high
POINTS = 3000  # of a line
TRADES = 1500  # markers of the largest of them, when there are more
FONT = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"


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
    heights = [0.42, 0.24, 0.14, 0.20] if several else [0.54, 0.29, 0.17]
    figure = make_subplots(
        rows=len(heights), cols=1, shared_xaxes=True, vertical_spacing=0.035, row_heights=heights
    )
    owners = _add_prices(figure, result, shown)
    _add_equity(figure, result, 2)
    _add_drawdown(figure, result, 3)
    if several:
        _add_exposure(figure, result, 4)
    titles = [f"<b>{_safe(shown)}</b>", "<b>Equity</b>", "<b>Drawdown</b>", "<b>Exposure</b> by instrument, of equity"]
    _style(figure, result, titles[: len(heights)], height=860 if several else 700)
    if several:
        _add_menu(figure, result, owners, shown)
    return figure


def trades_on_price(result: Result, instrument: str | None = None) -> go.Figure:
    """The price of one instrument with the entries and exits of its trades; the busiest instrument by default."""
    from plotly.subplots import make_subplots

    shown = instrument or busiest(result)
    figure = make_subplots(rows=1, cols=1)
    _add_price(figure, result, shown, POINTS)
    _style(figure, result, [f"<b>{_safe(shown)}</b>"], height=460)
    return figure


def equity_figure(result: Result) -> go.Figure:
    """Equity by base interval, with the initial cash as a line."""
    return _alone(result, _add_equity, "<b>Equity</b>", 320)


def drawdown_figure(result: Result) -> go.Figure:
    """Drawdown from the highest equity so far."""
    return _alone(result, _add_drawdown, "<b>Drawdown</b>", 240)


def exposure_figure(result: Result) -> go.Figure:
    """Value of each instrument's position as a fraction of equity; short ones below zero."""
    return _alone(result, _add_exposure, "<b>Exposure</b> by instrument, of equity", 300)


def pnl_by_instrument_figure(result: Result) -> go.Figure:
    """Net P&L of all trades by instrument, open ones at their marks, largest first."""
    import plotly.graph_objects as go

    net = result.trades.groupby("instrument")["net_pnl"].agg(["sum", "size"])
    net = net.reindex(list(result.bars), fill_value=0).sort_values("sum")
    figure = go.Figure(
        go.Bar(
            x=net["sum"], y=[_safe(name) for name in net.index], orientation="h", customdata=net["size"],
            marker={"color": np.where(net["sum"] < 0, RED, GREEN)}, showlegend=False,
            hovertemplate="%{y}<br>net P&L %{x:,.2f}<br>%{customdata:,} trades<extra></extra>",
        )
    )
    _layout(figure, 90 + 22 * len(net))
    figure.update_layout(hovermode="closest", margin={"l": 130})
    figure.update_yaxes(showgrid=False, side="left")
    _caption(figure, "<b>Net P&L</b> by instrument", 1.0)
    return figure


def busiest(result: Result) -> str:
    """The instrument with the most trades, the first by name where several have."""
    counts = result.trades["instrument"].value_counts()
    return max(result.bars, key=lambda name: int(counts.get(name, 0)))


@dataclass(frozen=True)
class Clock:
    """Times of one result as a chart shows them: in the exchange's zone, and days only where bars are daily.

    Parameters
    ----------
    bars : Bars
        Any instrument's; they share calendar and timeframe.
    """

    bars: Bars

    def opens(self, bars: Bars) -> pd.DatetimeIndex:
        """Opening instant of each bar, or its session's date."""
        return bars.index.tz_localize(None) if self.bars.timeframe.is_daily else self.wall(bars.index)

    def wall(self, ts: pd.DatetimeIndex) -> pd.DatetimeIndex:
        """Instants as wall time, or as the date of the session they lie in."""
        if not self.bars.timeframe.is_daily:
            return ts.tz_convert(str(self.bars.calendar.zone)).tz_localize(None)
        # Sessions are named by the calendar, not by the date of an instant: an FX session opens the day before.
        first, last = ts.min(), ts.max()
        if ts.empty or pd.isna(first):
            return pd.DatetimeIndex(np.full(len(ts), np.datetime64("NaT", "ns")))
        table = self.bars.calendar.covering(first.value - 1, last.value + 1)
        row = np.searchsorted(table.close_ns, ts.as_unit("ns").asi8).clip(max=len(table) - 1)
        dates = table.date[row].astype("datetime64[D]").astype("datetime64[ns]")
        return pd.DatetimeIndex(np.where(ts.isna(), np.datetime64("NaT", "ns"), dates))

    def breaks(self) -> list[dict[str, Any]]:
        """Stretches of every week and day in which no session has an interval, for a plotly axis."""
        grid = self.bars.grid
        opens = self.wall(pd.DatetimeIndex(grid.open_ns, tz="UTC"))
        found: list[dict[str, Any]] = []
        if not (opens.day_of_week >= 5).any():
            found.append({"bounds": ["sat", "mon"]})
        if not self.bars.timeframe.is_daily:
            closes = self.wall(pd.DatetimeIndex(grid.close_ns, tz="UTC"))
            first = float((opens.hour + opens.minute / 60).min())
            last = float((closes.hour + closes.minute / 60).max())
            same_day = bool((opens.normalize() == (closes - pd.Timedelta(1, unit="ns")).normalize()).all())
            if same_day and 0 < first < last:
                # Equity is stamped at the close, and what lies on the edge of a break is not drawn.
                found.append({"bounds": [last + 0.02, first], "pattern": "hour"})
        return found

    @property
    def pattern(self) -> str:
        """Format of times in hovers."""
        return "%d %b %Y" if self.bars.timeframe.is_daily else "%d %b %Y %H:%M"


def _clock(result: Result) -> Clock:
    return Clock(next(iter(result.bars.values())))


def _safe(text: str) -> str:
    """Text that plotly will not read as markup."""
    return html.escape(str(text))


def _alone(result: Result, add: Any, title: str, height: int) -> go.Figure:
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=1)
    add(figure, result, 1)
    _style(figure, result, [title], height)
    return figure


def _add_prices(figure: go.Figure, result: Result, shown: str) -> list[str]:
    """Prices and trades of every instrument, one of them visible; the owner of each trace."""
    points = max(400, POINTS // len(result.bars))
    owners: list[str] = []
    for name in result.bars:
        _add_price(figure, result, name, points, visible=name == shown)
        owners += [name] * (len(figure.data) - len(owners))
    return owners


def _add_price(figure: go.Figure, result: Result, name: str, points: int, visible: bool = True) -> None:
    import plotly.graph_objects as go

    bars, clock = result.bars[name], _clock(result)
    times = clock.opens(bars)
    common: dict[str, Any] = {"visible": visible, "showlegend": False}
    if len(bars) <= CANDLES:
        traces = [
            go.Candlestick(
                x=times, open=bars.open, high=bars.high, low=bars.low, close=bars.close, name="price",
                line={"width": 1},
                increasing={"line": {"color": GREEN}, "fillcolor": "#ffffff"},
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
                x=times[kept], y=bars.close[kept], mode="lines", name="close", line={"width": 1, "color": "#56626f"},
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
                "line": {"width": 1, "color": "#ffffff"},
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


def _rows_of(result: Result, column: str) -> tuple[pd.DatetimeIndex, npt.NDArray[np.float64]]:
    """One column of equity, thinned, with the times of its rows."""
    values = result.equity[column].to_numpy()
    kept = extremes(values, POINTS)
    return _clock(result).wall(pd.DatetimeIndex(result.equity.index[kept])), values[kept]


def _add_equity(figure: go.Figure, result: Result, row: int) -> None:
    import plotly.graph_objects as go

    times, values = _rows_of(result, "equity")
    line = {"width": 1.6, "color": BLUE}
    hover = "equity %{y:,.2f}<extra></extra>"
    figure.add_trace(
        go.Scatter(x=times, y=values, mode="lines", name="equity", line=line, showlegend=False, hovertemplate=hover),
        row=row, col=1,
    )
    figure.add_hline(result.initial_cash, line={"width": 1, "color": FAINT, "dash": "dot"}, row=row, col=1)


def _add_drawdown(figure: go.Figure, result: Result, row: int) -> None:
    import plotly.graph_objects as go

    times, values = _rows_of(result, "drawdown_frac")
    figure.add_trace(
        go.Scatter(
            x=times, y=values, mode="lines", name="drawdown", line={"width": 1, "color": RED}, fill="tozeroy",
            fillcolor="rgba(181,73,63,0.18)", showlegend=False, hovertemplate="drawdown %{y:.2%}<extra></extra>",
        ),
        row=row, col=1,
    )
    figure.update_yaxes(tickformat=".1~%", row=row, col=1)


def _add_exposure(figure: go.Figure, result: Result, row: int) -> None:
    import plotly.graph_objects as go

    shares = exposures(result)
    largest = list(shares.abs().mean().sort_values(ascending=False).index[: len(PALETTE)])
    parts = {name: shares[name].to_numpy() for name in largest}
    if len(largest) < shares.shape[1]:
        parts[f"{shares.shape[1] - len(largest)} others"] = shares.drop(columns=largest).sum(axis=1).to_numpy()
    times = _clock(result).wall(pd.DatetimeIndex(shares.index))
    for i, (name, values) in enumerate(parts.items()):
        colour = PALETTE[i] if i < len(PALETTE) else OTHERS
        for sign, side in ((1, np.maximum(values, 0.0)), (-1, np.minimum(values, 0.0))):
            if not side.any():
                continue
            figure.add_trace(
                go.Scatter(
                    x=times, y=side, mode="lines", stackgroup="long" if sign > 0 else "short", name=_safe(name),
                    line={"width": 0, "color": colour, "shape": "hv"}, fillcolor=colour, showlegend=False,
                    hovertemplate=f"{_safe(name)} %{{y:.1%}}<extra></extra>",
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


def _style(figure: go.Figure, result: Result, titles: list[str], height: int) -> None:
    """Axes, captions and margins of panels that share the time axis."""
    clock = _clock(result)
    _layout(figure, height)
    hover = "%d %b %Y" if clock.bars.timeframe.is_daily else "%a %d %b %Y %H:%M"
    figure.update_xaxes(rangebreaks=clock.breaks(), rangeslider={"visible": False}, hoverformat=hover)
    for row, title in enumerate(titles, start=1):
        axis = figure.layout["yaxis" if row == 1 else f"yaxis{row}"]
        _caption(figure, title, axis.domain[1])
    zone = "session dates" if clock.bars.timeframe.is_daily else f"times in {clock.bars.calendar.zone}"
    figure.add_annotation(
        text=f"{_safe(zone)}", xref="paper", yref="paper", x=1, y=0, yshift=-24, xanchor="right", yanchor="top",
        showarrow=False, font={"size": 11, "color": FAINT},
    )


def _layout(figure: go.Figure, height: int) -> None:
    figure.update_layout(
        height=height, paper_bgcolor="#ffffff", plot_bgcolor="#ffffff", hovermode="x", dragmode="zoom",
        font={"family": FONT, "size": 12, "color": INK}, margin={"l": 24, "r": 72, "t": 52, "b": 48},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom", "font": {"size": 11},
                "traceorder": "normal"},
        hoverlabel={"bgcolor": "#ffffff", "bordercolor": "#c3cad1", "font": {"family": FONT, "color": INK}},
    )
    figure.update_xaxes(showgrid=True, gridcolor=GRID, linecolor="#c3cad1", ticks="outside", tickcolor="#c3cad1")
    # Prices and money stand at the right, where the latest of them are.
    figure.update_yaxes(side="right", gridcolor=GRID, zeroline=False, ticklabelstandoff=4)
    figure.for_each_yaxis(lambda axis: axis.update(tickformat=axis.tickformat or ",.7~r"))


def _caption(figure: go.Figure, text: str, top: float) -> None:
    figure.add_annotation(
        text=text, xref="paper", yref="paper", x=0, y=top, xanchor="left", yanchor="bottom", showarrow=False,
        font={"size": 13, "color": INK}, align="left", name="caption",
    )


def _add_menu(figure: go.Figure, result: Result, owners: list[str], shown: str) -> None:
    """A menu of instruments, which shows one's price and hides the others'."""
    rest = [True] * (len(figure.data) - len(owners))
    figure.layout.annotations[0].text = ""
    buttons = [
        {
            "label": _safe(name), "method": "update",
            "args": [{"visible": [owner == name for owner in owners] + rest}, {"yaxis.autorange": True}],
        }
        for name in result.bars
    ]
    figure.update_layout(
        updatemenus=[
            {
                "buttons": buttons, "active": list(result.bars).index(shown), "x": 0, "xanchor": "left", "y": 1.0,
                "yanchor": "bottom", "pad": {"b": 4}, "bgcolor": "#ffffff", "bordercolor": "#c3cad1",
                "font": {"size": 12}, "showactive": False,
            }
        ],
        margin={"t": 56},
    )
