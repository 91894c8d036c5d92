"""Stage 5: what can be lost, by history, drawn again, and under stress; and every limit tripped on purpose.

Value at risk and expected shortfall are of one session, at 95 %: by history, and as the bound below which 95 of 100
resamplings of the sessions stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import plotly.graph_objects as go

from workbench.promotion.caps import caps
from workbench.promotion.case import Case
from workbench.promotion.checks import Check, at_most
from workbench.promotion.draws import drawn_sessions
from workbench.promotion.tripping import trips
from workbench.research.curve import FloatArray
from workbench.research.moments import tail_of
from workbench.research.plots import on_white

TAIL_FRAC, BOUND_FRAC = 0.05, 0.95
_SMALLER = "Make positions smaller, or stop losses sooner."


def checks(case: Case) -> Iterator[Check]:
    """Losses first, then limits."""
    asked, stats = case.settings.risk, case.result.stats
    yield at_most("drawdown", _loss(stats["max_drawdown_frac"]), asked.max_drawdown_frac, _SMALLER, "%")
    yield at_most("var_95", _loss(stats["var_95_frac"]), asked.max_var_95_frac, _SMALLER, "%")
    yield at_most("es_95", _loss(stats["es_95_frac"]), asked.max_es_95_frac, _SMALLER, "%")
    drawn = _tails(case)
    var, es = (None, None) if drawn is None else map(float, -np.quantile(drawn, 1.0 - BOUND_FRAC, axis=0))
    yield at_most("var_95_drawn", var, asked.max_var_95_frac, _SMALLER, "%")
    yield at_most("es_95_drawn", es, asked.max_es_95_frac, _SMALLER, "%")
    worst = worst_in_a_row(case.result.sessions.returns, asked.worst_sessions)
    yield at_most("worst_sessions", worst, asked.max_worst_sessions_frac, _SMALLER, "%")
    yield at_most("gap", largest_gap(case, asked.gap_frac), asked.max_gap_frac, _SMALLER, "%")
    yield from trips(case)
    yield from caps(case)


def figures(case: Case) -> Iterator[Any]:
    """How the sessions are spread, and the chart of the drawdown."""
    figure = go.Figure(go.Histogram(x=100.0 * case.result.sessions.returns, nbinsx=60))
    figure.update_layout(title="Returns of sessions, %", bargap=0.05, height=280)
    yield on_white(figure)


def _loss(frac: Any) -> float | None:
    return None if frac is None else -float(frac)


def _tails(case: Case) -> FloatArray | None:
    """Value at risk and expected shortfall of every resampling; None where a return is no number."""
    returns, asked = case.result.sessions.returns, case.settings.risk
    if not len(returns) or not np.isfinite(returns).all():
        return None
    drawn = drawn_sessions(returns, len(returns), asked.draws, asked.seed)
    return np.array([tail_of(one, TAIL_FRAC) for one in drawn])


def worst_in_a_row(returns: FloatArray, count: int) -> float | None:
    """What is lost when the worst sessions there were come one after the other; positive."""
    if not len(returns) or not np.isfinite(returns).all():
        return None
    return float(1.0 - np.prod(1.0 + np.sort(returns)[:count]))


def largest_gap(case: Case, gap_frac: float) -> float | None:
    """What of the account is lost when all positions open worse by a fraction, at the worst moment there was."""
    equity = case.result.equity
    sound = equity[equity["equity"] > 0]
    if len(sound) < len(equity) or not len(equity):
        return None
    return float((sound["position_value"].abs() / sound["equity"]).max() * gap_frac)
