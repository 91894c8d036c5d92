"""Equity of a deployment as a figure that grows: the page says that there is news, and the kernel reads only that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets
import traitlets

from workbench.errors import WorkbenchError
from workbench.live.client import Client
from workbench.live.wall import written_time
from workbench.panels.curve import Curve
from workbench.panels.live import script, stylesheet
from workbench.panels.opened import opened
from workbench.research.plots.look import BLUE, FAINT, GREEN, RED, caption, lay_out, safe

if TYPE_CHECKING:
    import plotly.graph_objects as go

_HEIGHT = 430


class Relay(anywidget.AnyWidget):
    """Hears from the page that a deployment changed.

    Parameters
    ----------
    name : str
        Of the deployment.
    """

    _esm = script("relay.js")
    _css = stylesheet()
    name = traitlets.Unicode().tag(sync=True)
    at = traitlets.Unicode().tag(sync=True)

    def __init__(self, name: str) -> None:
        super().__init__(name=name, at=written_time())


class EquityPanel(ipywidgets.VBox):  # type: ignore[misc] # the library has no types
    """Equity and drawdown of a deployment, live.

    Parameters
    ----------
    name : str
        Of the deployment.
    client : Client or None
        Of the database; None for the one that the command line uses.

    Attributes
    ----------
    figure : plotly FigureWidget
        Equity, entries, exits, drawdown.
    """

    def __init__(self, name: str, client: Client | None = None) -> None:
        import plotly.graph_objects as go

        self._client = client
        with opened(client) as one:
            self.curve = Curve(one, name)
        self.figure = go.FigureWidget(_figure(self.curve))
        self.relay, self.said = Relay(name), ipywidgets.Label()
        self.relay.on_msg(self._told)
        super().__init__([self.figure, self.relay, self.said])
        self._draw()

    def refresh(self) -> int:
        """Read what is new and draw it; how many points that were."""
        with opened(self._client) as one:
            count = self.curve.read(one)
        self._draw()
        return count

    def _told(self, _widget: Any, _content: Any, _buffers: Any) -> None:
        """The deployment changed; the page says nothing more until it is answered."""
        try:
            self.refresh()
        except WorkbenchError as error:
            self.said.value = f"not read at {written_time()}: {error}"
        finally:
            self.relay.send({"is_drawn": True})

    def _draw(self) -> None:
        curve = self.curve
        self.relay.at = written_time()
        self.said.value = "" if len(curve.ts_ns) else "No point yet: a runner writes one at each bar."
        with self.figure.batch_update():
            _fill(self.figure, curve)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The widget, and beside it the figure for pages that run no widgets."""
        found = super()._repr_mimebundle_(**kwargs)
        still = _figure(self.curve, f" (not live here; shown is {self.relay.at})")
        _fill(still, self.curve)
        drawn = json.loads(still.to_json())
        return {**found, "application/vnd.plotly.v1+json": drawn, "text/plain": f"Equity of {self.curve.name}"}


def _figure(curve: Curve, note: str = "") -> go.Figure:
    """The empty figure: equity above, drawdown below, times of the exchange."""
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.09, row_heights=[0.68, 0.32])
    lay_out(figure, _HEIGHT)
    line = {"mode": "lines", "showlegend": False}
    figure.add_scatter(
        row=1, col=1, name="equity", line={"width": 1.6, "color": BLUE}, **line,
        hovertemplate="equity %{y:,.2f}<extra></extra>",
    )  # fmt: skip
    for name, symbol, colour in (("entry", "triangle-up", GREEN), ("exit", "x", RED)):
        figure.add_scatter(
            row=1, col=1, name=name, mode="markers", marker={"symbol": symbol, "size": 9, "color": colour},
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        row=2, col=1, name="drawdown", line={"width": 1, "color": RED}, fill="tozeroy",
        fillcolor="rgba(196,84,74,0.20)", hovertemplate="drawdown %{y:.2%}<extra></extra>", **line,
    )  # fmt: skip
    figure.add_hline(curve.initial_cash, line={"width": 1, "color": FAINT, "dash": "dot"}, row=1, col=1)
    figure.update_yaxes(tickformat=".1~%", row=2, col=1)
    figure.update_xaxes(hoverformat="%a %d %b %Y %H:%M")
    # Whoever has zoomed in stays there when the next point comes.
    figure.update_layout(uirevision=curve.name, autosize=True)
    titles = (f"<b>Equity of {safe(curve.name)}</b>{safe(note)}", f"<b>Drawdown</b> · times in {safe(curve.zone)}")
    for axis, title in zip((figure.layout.yaxis, figure.layout.yaxis2), titles, strict=True):
        caption(figure, title, axis.domain[1])
    return figure


def _fill(figure: go.Figure, curve: Curve) -> None:
    """Put what is known now into the figure."""
    equity, entries, exits, drawdown = figure.data
    for trace, values in ((equity, curve.equity), (drawdown, curve.drawdown_frac())):
        trace.x, trace.y = curve.line(values)
    for trace, fills in ((entries, curve.entries), (exits, curve.exits)):
        x, y, texts = curve.marks(fills)
        trace.x, trace.y, trace.text = x, y, [safe(text) for text in texts]
    figure.update_xaxes(rangebreaks=curve.breaks())
