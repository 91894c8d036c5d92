"""Outputs that are stored in the notebooks: what a reader sees without running anything.

``python -m tests.notebooks [NAME...]`` runs notebooks and stores what they show. Charts and widgets are not stored, for
they are megabytes and differ from run to run; their cells get the tag ``nbval-ignore-output``. A test then runs every
notebook under nbval against what is stored.
"""

from __future__ import annotations

import os
import pathlib
import tempfile

import nbformat
from nbclient import NotebookClient

from tests.tidy.source import ROOT

FOLDER = ROOT / "notebooks"
#: Of a cell whose output is not compared, and of one that is not run at all.
IGNORED, SKIPPED = "nbval-ignore-output", "nbval-skip"
#: What is drawn or alive, by the kind of its data.
_LIVELY = ("application/vnd.plotly", "application/vnd.jupyter.widget", "application/javascript", "application/vnd.vega")


def paths() -> list[pathlib.Path]:
    """Every notebook, in the order of their numbers."""
    return sorted(FOLDER.glob("*.ipynb"))


def code_of(path: pathlib.Path) -> list[nbformat.NotebookNode]:
    """Code cells of a notebook."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def tags_of(cell: nbformat.NotebookNode) -> list[str]:
    """Tags of a cell."""
    return list(cell.metadata.get("tags", []))


def surroundings(home: pathlib.Path) -> dict[str, str]:
    """The environment of a kernel whose outputs are stored or compared: no data of this machine, no charts as HTML."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WORKBENCH_") or "CACHE" in name}
    return {**kept, "WORKBENCH_HOME": str(home), "PLOTLY_RENDERER": "plotly_mimetype"}


def store(path: pathlib.Path) -> None:
    """Run a notebook in a folder of its own, and store what it shows."""
    notebook = nbformat.read(path, as_version=4)
    told = notebook.metadata.copy()
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook, timeout=900, resources={"metadata": {"path": folder}}, skip_cells_with_tag=SKIPPED,
            record_timing=False,
        )  # fmt: skip
        client.execute(env=surroundings(pathlib.Path(folder) / "home"))
    notebook.metadata = told
    for cell in notebook.cells:
        if cell.cell_type == "code":
            keep_what_is_still(cell)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def keep_what_is_still(cell: nbformat.NotebookNode) -> None:
    """Leave out charts and widgets, and say by a tag that the cell showed one."""
    still = [one for one in cell.outputs if not any(kind.startswith(_LIVELY) for kind in one.get("data", {}))]
    if len(still) < len(cell.outputs) and IGNORED not in tags_of(cell):
        cell.metadata["tags"] = [*tags_of(cell), IGNORED]
    cell.outputs = still
