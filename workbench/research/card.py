"""How a result shows itself in a notebook: title, key figures, a line of equity, all statistics on demand.

Colours are those of the page it stands in (``currentColor``), so that it can be read on white and on black.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np

from workbench.research.thinning import FloatArray, extremes
from workbench.research.wording import GROUPS, KEY_FIGURES, first_of, wording_of, written

if TYPE_CHECKING:
    from workbench.research.result import Result

WIDTH, HEIGHT, MARGIN = 640, 72, 3


def result_card(result: Result) -> str:
    """A result as a piece of HTML; everything that a person wrote is escaped."""
    strategy = result.strategy
    title = html.escape(f"{strategy.name} {strategy.version}")
    under = html.escape(f"{first_of(list(result.bars))} · {strategy.timeframe} · {result.costs.name} costs")
    stats = result.stats
    figures = "".join(
        "<div style='margin:0 26px 6px 0'>"
        f"<div style='opacity:.65;font-size:11px'>{wording_of(name).title}</div>"
        f"<div style='font-size:16px;font-weight:600'>{html.escape(written(name, stats[name]))}</div></div>"
        for name in KEY_FIGURES
    )
    groups = "".join(
        f"<div style='margin:0 36px 8px 0'><div style='font-weight:600;margin:6px 0 2px'>{group}</div><table>"
        + "".join(
            f"<tr title='{html.escape(word.meaning)} ({name})'>"
            f"<td style='text-align:left'>{html.escape(word.title)}</td>"
            f"<td style='text-align:right'>{html.escape(written(name, stats[name]))}</td></tr>"
            for name, word in members.items()
            if name in stats
        )
        + "</table></div>"
        for group, members in GROUPS.items()
        if any(name in stats for name in members)
    )
    row = "display:flex;flex-wrap:wrap;align-items:flex-start"
    return (
        "<div style='font-variant-numeric:tabular-nums;max-width:900px'>"
        f"<div style='font-size:15px'><b>{title}</b> <span style='opacity:.65'>{under}</span></div>"
        f"<div style='{row};margin:10px 0 2px'>{figures}</div>"
        f"{sparkline(result.equity['equity'].to_numpy(), result.initial_cash)}"
        f"<details><summary style='cursor:pointer;opacity:.8'>All statistics</summary><div style='{row}'>{groups}</div>"
        f"</details><div style='opacity:.55;font-size:11px'>hash {html.escape(result.hash)}</div></div>"
    )


def sparkline(equity: FloatArray, initial_cash: float) -> str:
    """Equity as a small SVG line, with the initial cash as a dotted one.

    Parameters
    ----------
    equity : float64[n]
        Money; nothing is drawn for fewer than two rows.
    initial_cash : float
        Money.

    Returns
    -------
    str
        An ``svg`` element, or nothing.
    """
    if len(equity) < 2:
        return ""
    kept = extremes(equity, 2 * WIDTH)
    low, high = min(float(equity.min()), initial_cash), max(float(equity.max()), initial_cash)
    span = (high - low) or 1.0
    x = kept / (len(equity) - 1) * WIDTH
    y = MARGIN + (high - equity[kept]) / span * (HEIGHT - 2 * MARGIN)
    start = MARGIN + (high - initial_cash) / span * (HEIGHT - 2 * MARGIN)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in np.column_stack([x, y]))
    line = "fill='none' stroke='currentColor' vector-effect='non-scaling-stroke'"
    return (
        f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img' aria-label='equity' preserveAspectRatio='none' "
        f"style='width:100%;max-width:{WIDTH}px;height:{HEIGHT}px;display:block'>"
        f"<line x1='0' x2='{WIDTH}' y1='{start:.1f}' y2='{start:.1f}' stroke-dasharray='2 3' opacity='.5' {line}/>"
        f"<polyline points='{points}' stroke-width='1.4' {line}/></svg>"
    )
