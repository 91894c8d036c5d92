"""Charts of a sweep: a statistic over two parameters, and all parameters at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench.errors import ConfigError
from workbench.research.plots.look import lay_out, safe
from workbench.research.wording import wording_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.research.sweep.table import Sweep

#: Of parallel coordinates; more lines than this are a grey wall, so the best are shown.
LINES = 2000


def heatmap(sweep: Sweep, x: str | None, y: str | None, statistic: str | None) -> go.Figure:
    """A statistic by two parameters; the first two unless given, the one that ranks unless given."""
    import plotly.graph_objects as go

    if len(sweep.parameters) < 2:
        raise ConfigError("a heatmap needs two parameters; with one, plot the table: sweep.table.plot(x=…, y=…).")
    across, up = x or sweep.parameters[0], y or sweep.parameters[1]
    shown = statistic or sweep.rank_by.removeprefix("-")
    table = sweep.table
    for name, known in ((across, sweep.parameters), (up, sweep.parameters), (shown, tuple(table.columns))):
        if name not in known:
            raise ConfigError(f"{name!r} is not among {', '.join(known)}.")
    if across == up:
        raise ConfigError(f"a heatmap needs two parameters, not {across!r} twice.")
    # The table is ranked, so the first of each place is its best set.
    cells = table.pivot_table(index=up, columns=across, values=shown, aggfunc="first", sort=True, dropna=False)
    figure = go.Figure(
        go.Heatmap(
            z=cells.to_numpy(np.float64), x=[str(one) for one in cells.columns], y=[str(one) for one in cells.index],
            colorscale="Viridis", colorbar={"title": {"text": safe(wording_of(shown).title)}},
            hovertemplate=f"{safe(across)} %{{x}}<br>{safe(up)} %{{y}}<br>{safe(shown)} %{{z:.4g}}<extra></extra>",
        )
    )  # fmt: skip
    lay_out(figure, 480)
    figure.update_xaxes(title_text=safe(across), type="category")
    figure.update_yaxes(title_text=safe(up), type="category")
    return figure


def parallel(sweep: Sweep) -> go.Figure:
    """Parallel coordinates of the best sets: parameters, then the statistic that ranks, which also colours."""
    import plotly.graph_objects as go

    name = sweep.rank_by.removeprefix("-")
    table = sweep.table.dropna(subset=[name]).head(LINES)
    axes = [_axis(one, table[one]) for one in (*sweep.parameters, name)]
    figure = go.Figure(
        go.Parcoords(
            line={
                "color": table[name], "colorscale": "Viridis", "showscale": True,
                "reversescale": name != sweep.rank_by,
            },
            dimensions=axes,
        )
    )
    lay_out(figure, 480)
    figure.update_layout(margin={"l": 64, "r": 64, "t": 72, "b": 32})
    return figure


def _axis(name: str, values: pd.Series[float]) -> dict[str, object]:
    """One axis; what is not a number is numbered."""
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return {"label": safe(name), "values": values.to_numpy(np.float64)}
    codes, texts = pd.factorize(values.map(str), sort=True)
    named = [safe(text) for text in texts]
    return {"label": safe(name), "values": codes, "tickvals": list(range(len(texts))), "ticktext": named}
