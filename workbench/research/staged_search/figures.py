"""How a staged search shows itself: both parts as one figure, and a card in a notebook."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import pandas as pd

from workbench.research.plots.clock import clock_of
from workbench.research.plots.look import BLUE, FAINT, FRAME, POINTS, RED, style
from workbench.research.thinning import extremes
from workbench.research.wording import first_of, wording_of, written

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.research.result import Result
    from workbench.research.staged_search.answer import StagedSearch

#: What a table of both parts shows besides the statistic that ranks.
SHOWN = ("total_return_frac", "sharpe_ann", "max_drawdown_frac", "n_trades", "win_rate_frac", "charges")


def figure_of(found: StagedSearch) -> go.Figure:
    """Equity and drawdown of the locked strategy; each part begins with the initial cash."""
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.68, 0.32])
    _add_part(figure, found.in_sample, "in sample", FAINT)
    _add_part(figure, found.out_of_sample, "out of sample", BLUE)
    cash = found.out_of_sample.initial_cash
    figure.add_hline(cash, line={"width": 1, "color": FAINT, "dash": "dot"}, row=1, col=1)
    first = clock_of(found.out_of_sample).wall(pd.DatetimeIndex(found.out_of_sample.equity.index[:1]))[0]
    figure.add_vline(first, line={"width": 1, "color": FRAME}, row="all", col=1)
    titles = ["<b>Equity</b>, chosen in sample and run once out of sample", "<b>Drawdown</b>"]
    style(figure, found.out_of_sample, titles, 520)
    figure.update_yaxes(tickformat=".1~%", row=2, col=1)
    return figure


def _add_part(figure: go.Figure, result: Result, name: str, colour: str) -> None:
    import plotly.graph_objects as go

    panels = (("equity", colour, "%{y:,.2f}"), ("drawdown_frac", colour if colour == FAINT else RED, "%{y:.2%}"))
    for row, (column, ink, pattern) in enumerate(panels, start=1):
        values = result.equity[column].to_numpy()
        kept = extremes(values, POINTS)
        times = clock_of(result).wall(pd.DatetimeIndex(result.equity.index[kept]))
        figure.add_trace(
            go.Scatter(
                x=times, y=values[kept], mode="lines", name=name, line={"width": 1.5, "color": ink},
                showlegend=row == 1, hovertemplate=f"{column.removesuffix('_frac')} {name} {pattern}<extra></extra>",
            ),
            row=row, col=1,
        )  # fmt: skip


def card_of(found: StagedSearch) -> str:
    """A staged search as a piece of HTML; everything that a person wrote is escaped."""
    title = html.escape(f"{found.strategy.name} {found.strategy.version}")
    under = html.escape(
        f"{first_of(list(found.out_of_sample.bars))} · {found.strategy.timeframe} · "
        f"{found.out_of_sample.costs.name} costs · {len(found)} stage{'s' if len(found) > 1 else ''} by "
        f"{found.rank_by}{', plateau' if found.choose == 'plateau' else ''}"
    )
    said = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in found.words if sentence != found.verdict)
    stages = found.table.to_html(border=0, float_format=lambda value: f"{value:.4g}")
    return (
        "<div style='font-variant-numeric:tabular-nums;max-width:900px'>"
        f"<div style='font-size:15px'><b>{title}</b> <span style='opacity:.65'>{under}</span></div>"
        f"<div style='margin:8px 0;font-weight:600'>{html.escape(found.verdict)}</div>"
        f"{_parts(found)}<ul style='margin:8px 0'>{said}</ul>{stages}</div>"
    )


def _parts(found: StagedSearch) -> str:
    """Both parts side by side."""
    split = found.split
    heads = (
        ("in sample", split.in_sample_start, split.in_sample_end, split.n_in_sample),
        ("out of sample", split.out_of_sample_start, split.out_of_sample_end, split.n_out_of_sample),
    )
    cells = "".join(
        f"<th style='text-align:right'>{name}<br><span style='opacity:.65;font-weight:400'>{first:%Y-%m-%d} to "
        f"{last:%Y-%m-%d}, {n:,} sessions</span></th>"
        for name, first, last, n in heads
    )
    names = dict.fromkeys((found.rank_by.removeprefix("-"), *SHOWN))
    rows = "".join(
        f"<tr><td style='text-align:left'>{html.escape(wording_of(name).title)}</td>"
        + "".join(
            f"<td style='text-align:right'>{html.escape(written(name, one.stats[name]))}</td>"
            for one in (found.in_sample, found.out_of_sample)
        )
        + "</tr>"
        for name in names
    )
    return f"<table><tr><th></th>{cells}</tr>{rows}</table>"
