"""Charts of a sweep: a statistic over two parameters, and all parameters at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from workbench.errors import ConfigError
from workbench.research.plots.look import BOX, CLEAR, FAINT, FONT, INK, TEXT, caption, lay_out, safe
from workbench.research.wording import wording_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.research.sweep.table import Sweep

#: Of parallel coordinates; more lines than this are a grey wall, so the best are shown.
LINES = 2000

#: Values of one parameter that are each written on its axis; of more, round numbers are.
WRITTEN = 12

#: Viridis without its ends, which are the page itself, in the dark and on white.
AREAS = ["#453882", "#38598c", "#2a788e", "#1f978b", "#35b779", "#74c94c", "#a9cf38"]
#: Of lines, which are thin: both ends have a contrast of 3 to white and to black, the middle stays behind.
LINE_SCALE: list[tuple[float, str]] = [(0.0, "#4478ac"), (0.5, "#8d959d"), (1.0, "#d0612a")]

#: Around what stands in the lines: dark text on light, as in the boxes that lie over a figure.
HALO = ", ".join([f"0 0 2px {BOX}"] * 6)

#: A field that is off has no value.
OFF = "off"


def heatmap(sweep: Sweep, x: str | None, y: str | None, statistic: str | None) -> go.Figure:
    """A statistic by two parameters; the first two unless given, the one that ranks unless given."""
    import plotly.graph_objects as go

    if len(sweep.parameters) < 2:
        raise ConfigError("a heatmap needs two parameters; with one, plot the table: sweep.table.plot(x=…, y=…).")
    across, up = _places(sweep, x, y)
    shown = statistic or sweep.rank_by.removeprefix("-")
    table = sweep.table
    for name, known in ((across, sweep.parameters), (up, sweep.parameters), (shown, tuple(table.columns))):
        if name not in known:
            raise ConfigError(f"{name!r} is not among {', '.join(known)}.")
    if across == up:
        raise ConfigError(f"a heatmap needs two parameters, not {across!r} twice.")
    columns, lines = _levels(table[across]), _levels(table[up])
    cells = np.full((len(lines), len(columns)), np.nan)
    # The table is ranked, so the first of each place is its best set.
    for column, line, value in zip(_codes(table[across]), _codes(table[up]), table[shown].astype(float), strict=True):
        if np.isnan(cells[line, column]):
            cells[line, column] = value
    figure = go.Figure(
        go.Heatmap(
            z=cells, x=columns, y=lines, colorscale=AREAS, colorbar=_colour_bar(shown, cells), hoverongaps=False,
            hovertemplate=f"{safe(across)} %{{x}}<br>{safe(up)} %{{y}}<br>"
            f"{safe(wording_of(shown).title)} %{{z:{_format(shown, cells)}}}<extra></extra>",
        )
    )  # fmt: skip
    lay_out(figure, 480)
    best = "; of several sets at one place the best" if len(sweep.parameters) > 2 else ""
    caption(figure, f"<b>{safe(wording_of(shown).title)}</b> by {safe(across)} and {safe(up)}{best}", 1.0)
    figure.update_layout(margin={"l": 72, "r": 24, "t": 52, "b": 56}, hovermode="closest")
    figure.update_xaxes(title_text=safe(across), type="category", showgrid=False)
    figure.update_yaxes(title_text=safe(up), type="category", side="left", showgrid=False, tickformat="")
    return figure


def _places(sweep: Sweep, x: str | None, y: str | None) -> tuple[str, str]:
    """What lies across and what upward: the first parameters that are not taken."""
    across = x or next(name for name in sweep.parameters if name != y)
    return across, y or next(name for name in sweep.parameters if name != across)


def parallel(sweep: Sweep) -> go.Figure:
    """Parallel coordinates of the best sets: parameters, then the statistic that ranks, which also colours."""
    import plotly.graph_objects as go

    name = sweep.rank_by.removeprefix("-")
    whole = sweep.table
    # The best are drawn last, over the others.
    table = whole.dropna(subset=[name]).head(LINES).iloc[::-1]
    values = table[name].to_numpy(np.float64)
    quiet: dict[str, Any] = {"family": FONT, "size": 11, "color": TEXT, "shadow": "none"}
    figure = go.Figure(
        go.Parcoords(
            line={
                "color": values, "colorscale": LINE_SCALE, "showscale": True,
                "reversescale": name != sweep.rank_by, "colorbar": _colour_bar(name, values),
            },
            dimensions=[*(_axis(one, table[one]) for one in sweep.parameters), _statistic(name, values)],
            labelfont={**quiet, "size": 12}, tickfont={**quiet, "color": INK, "shadow": HALO},
            # The ends of an axis have ticks of their own; plotly cannot leave these numbers out.
            rangefont={**quiet, "size": 1, "color": CLEAR},
            unselected={"line": {"color": FAINT, "opacity": 0.08}},
        )
    )  # fmt: skip
    lay_out(figure, 480)
    figure.update_layout(margin={"l": 72, "r": 24, "t": 96, "b": 32})
    few = f"the best {len(table):,} of {len(whole):,} sets" if len(table) < len(whole) else f"{len(whole):,} sets"
    caption(figure, f"<b>{safe(wording_of(name).title)}</b> of {few}", 1.0)
    figure.layout.annotations[-1].yshift = 44
    return figure


def _format(name: str, values: np.ndarray[Any, Any]) -> str:
    """How d3 writes a statistic: percent, whole counts, money with separators."""
    unit = wording_of(name).unit
    largest = np.nanmax(np.abs(values)) if np.isfinite(values).any() else 0.0
    if unit == "frac":
        return ",.0%" if largest >= 1 else ".2~%"
    return ",d" if unit in ("count", "sessions") else ",.0f" if largest >= 1000 else ".3~f"


def _colour_bar(name: str, values: np.ndarray[Any, Any]) -> dict[str, Any]:
    bar: dict[str, Any] = {
        "title": {"text": safe(wording_of(name).title), "side": "right"}, "tickformat": _format(name, values),
        "outlinewidth": 0, "thickness": 14, "tickcolor": FAINT,
    }  # fmt: skip
    whole = wording_of(name).unit in ("count", "sessions")
    finite = values[np.isfinite(values)]
    if whole and len(finite) and np.ptp(finite) < 8:
        bar["dtick"] = 1
    return bar


def _statistic(name: str, values: np.ndarray[Any, Any]) -> dict[str, object]:
    return {"label": safe(wording_of(name).title), "values": values, "tickformat": _format(name, values)}


def _axis(name: str, values: pd.Series[Any]) -> dict[str, object]:
    """One parameter: numbers on a scale, each written if they are few; anything else one below another."""
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if numeric and not values.isna().any():
        numbers = values.to_numpy(np.float64)
        axis: dict[str, object] = {"label": safe(name), "values": numbers}
        present = np.unique(numbers)
        if len(present) <= WRITTEN:
            return {**axis, "tickvals": present, "ticktext": [_text(value) for value in present.tolist()]}
        whole = bool((present == np.round(present)).all())
        return {**axis, "tickformat": ",d" if whole and np.ptp(present) >= 10 else ".4~r"}
    texts = [safe(text) for text in _levels(values)]
    return {"label": safe(name), "values": _codes(values), "tickvals": list(range(len(texts))), "ticktext": texts}


def _codes(values: pd.Series[Any]) -> list[int]:
    """Of each value its place among the levels."""
    place = {text: at for at, text in enumerate(_levels(values))}
    return [place[_text(value)] for value in values]


def _levels(values: pd.Series[Any]) -> list[str]:
    """Different values as texts: off first, then numbers by size, else by their texts."""
    present = pd.unique(values)
    ordered = sorted(present, key=lambda value: (0, 0.0, "") if _is_off(value) else _order(value))
    return [_text(value) for value in ordered]


def _order(value: Any) -> tuple[int, float, str]:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return (1, float(value), "") if number else (2, 0.0, str(value))


def _is_off(value: Any) -> bool:
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


def _text(value: Any) -> str:
    """A value as it would be typed; a whole number without decimals."""
    if _is_off(value):
        return OFF
    return f"{value:.10g}" if isinstance(value, float | np.floating) else str(value)
