"""A panel that lives in the page: the kernel makes it once and is never asked again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from workbench.live.client import Client
from workbench.live.wall import written_time
from workbench.panels.shown import Table, html_of

_HERE = Path(__file__).parent


def script(name: str) -> str:
    """A script of this folder as one module, with what all of them share before it.

    Handed to anywidget as text: of one that it is given as a file it watches the file, and never lets go of the widget.
    """
    return "\n".join((_HERE / part).read_text(encoding="utf-8") for part in ("server.js", name))


def stylesheet() -> str:
    """How panels look that are not drawn by the server's own scripts."""
    return (_HERE / "panel.css").read_text(encoding="utf-8")


class LivePanel(anywidget.AnyWidget):
    """A table of deployments, a journal or an exposure.

    Parameters
    ----------
    what : str
        ``deployments``, ``journal`` or ``exposure``.
    table : Table
        As it is now.
    client : Client
        Whose database it was read from.
    name : str
        Of a deployment, where it is about one.
    """

    _esm = script("panel.js")
    _css = stylesheet()
    what = traitlets.Unicode().tag(sync=True)
    name = traitlets.Unicode().tag(sync=True)
    at = traitlets.Unicode().tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    columns = traitlets.List(traitlets.Unicode()).tag(sync=True)
    rows = traitlets.List(traitlets.List(traitlets.Unicode())).tag(sync=True)
    numbers = traitlets.List(traitlets.Int()).tag(sync=True)
    empty = traitlets.Unicode().tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    database = traitlets.Unicode().tag(sync=True)

    def __init__(self, what: str, table: Table, client: Client, name: str = "") -> None:
        self.table = table
        super().__init__(
            what=what,
            name=name,
            at=written_time(),
            title=table.title,
            columns=list(table.columns),
            rows=table.rows,
            numbers=list(table.numbers),
            empty=table.empty,
            names=list(client.deployments()["name"]),
            database=repr(client.store).removeprefix("Store(").removesuffix(")"),
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The widget, and beside it what pages show that run no widgets."""
        found = super()._repr_mimebundle_(**kwargs)
        assert found is not None, "it has a view"
        note = f"not live here; shown is {self.at}"
        return {**found[0], "text/html": html_of(self.table, note), "text/plain": self._plain(note)}, found[1]

    def _plain(self, note: str) -> str:
        lines = ["  ".join(row) for row in self.rows] or [self.empty]
        return "\n".join([f"{self.title} ({note})", *lines])
