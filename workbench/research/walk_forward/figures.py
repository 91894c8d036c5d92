"""How a walk-forward shows itself: a figure, and a card in a notebook."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import pandas as pd

from workbench.research.card import sparkline
from workbench.research.plots.clock import clock_of
from workbench.research.plots.equity import add_drawdown, add_equity
from workbench.research.plots.look import AMBER, FRAME, safe, style
from workbench.research.wording import KEY_FIGURES, first_of, wording_of, written

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.research.walk_forward.answer import WalkForward


def figure_of(answer: WalkForward) -> go.Figure:
    """Equity out of sample with a mark where each fold begins, and drawdown."""
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.68, 0.32])
    shown: Any = answer  # it has the equity, bars and initial cash that these panels read of a result
    add_equity(figure, shown, 1)
    add_drawdown(figure, shown, 2)
    _add_borders(figure, answer)
    style(figure, shown, ["<b>Equity</b>", "<b>Drawdown</b>"], 560)
    return figure


def _add_borders(figure: go.Figure, answer: WalkForward) -> None:
    """A line through both panels at the first close of each fold, and a point that tells of it."""
    import plotly.graph_objects as go

    shown: Any = answer
    firsts = list(answer.borders)
    dates = clock_of(shown).wall(pd.DatetimeIndex(answer.equity.index[firsts]))
    for date in dates[1:]:
        figure.add_vline(date, line={"width": 1, "color": FRAME, "dash": "dot"}, row="all", col=1)
    figure.add_trace(
        go.Scatter(
            x=dates, y=answer.equity["equity"].to_numpy()[firsts], mode="markers", name="folds",
            marker={"size": 7, "color": AMBER}, showlegend=False, text=[_told(answer, at) for at in range(len(answer))],
            hovertemplate="%{text}<extra></extra>",
        ),
        row=1, col=1,
    )  # fmt: skip


def _told(answer: WalkForward, at: int) -> str:
    """What a fold traded, as markup for plotly."""
    row = answer.folds.iloc[at]
    chosen = "" if answer.strategies[at] is None else ", ".join(f"{name}={row[name]}" for name in answer.parameters)
    return safe(f"fold {at + 1}: {'; '.join(text for text in (chosen, row['note']) if text)}")


def card_of(answer: WalkForward) -> str:
    """A walk-forward as a piece of HTML; everything that a person wrote is escaped."""
    strategy = answer.strategy
    title = html.escape(f"{strategy.name} {strategy.version}")
    under = html.escape(
        f"{first_of(list(answer.bars))} · {strategy.timeframe} · {answer.costs.name} costs · "
        f"{len(answer)} fold{'s' if len(answer) > 1 else ''} by {answer.rank_by}, out of sample"
    )
    figures = {wording_of(name).title: written(name, answer.stats[name]) for name in KEY_FIGURES}
    figures["Efficiency"] = "–" if answer.efficiency is None else f"{answer.efficiency:.2f}".replace("-", "−")
    cells = "".join(
        "<div style='margin:0 26px 6px 0'>"
        f"<div style='opacity:.65;font-size:11px'>{html.escape(name)}</div>"
        f"<div style='font-size:16px;font-weight:600'>{html.escape(value)}</div></div>"
        for name, value in figures.items()
    )
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in answer.notes)
    table = answer.folds.drop(columns="note").to_html(border=0, float_format=lambda value: f"{value:.4g}")
    return (
        "<div style='font-variant-numeric:tabular-nums;max-width:900px'>"
        f"<div style='font-size:15px'><b>{title}</b> <span style='opacity:.65'>{under}</span></div>"
        f"<div style='display:flex;flex-wrap:wrap;align-items:flex-start;margin:10px 0 2px'>{cells}</div>"
        f"{sparkline(answer.equity['equity'].to_numpy(), answer.initial_cash)}"
        f"{table}{f'<ul>{notes}</ul>' if notes else ''}</div>"
    )
