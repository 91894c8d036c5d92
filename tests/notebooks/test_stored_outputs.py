"""Every notebook, run under nbval, shows what is stored in it; and what is stored can be handed to anybody."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from tests.notebooks.stored import IGNORED, SKIPPED, code_of, keep_what_is_still, paths, surroundings, tags_of
from tests.tidy.source import ROOT

SANITIZE = pathlib.Path(__file__).with_name("sanitize.cfg")
#: Folders of people and machines, and addresses.
OF_A_MACHINE = re.compile(r"/(?:home|Users|root|tmp|work|private|var)/|file:|https?://|[A-Z]:\\")

each = pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)


@each
def test_a_notebook_is_kept_with_what_it_shows(path: pathlib.Path) -> None:
    nbformat.validate(nbformat.read(path, as_version=4))
    run = [cell for cell in code_of(path) if SKIPPED not in tags_of(cell)]
    assert [cell.execution_count for cell in run] == list(range(1, len(run) + 1)), "store it: python -m tests.notebooks"
    assert sum(bool(cell.outputs) and IGNORED not in tags_of(cell) for cell in run) >= 3, "a reader sees something"
    assert path.stat().st_size < 1_000_000


@each
def test_what_is_stored_says_nothing_of_a_machine(path: pathlib.Path) -> None:
    stored = [json.dumps(cell.outputs) for cell in code_of(path)]
    assert not [found[0] for text in stored if (found := OF_A_MACHINE.search(text))]
    kinds = {kind for cell in code_of(path) for one in cell.outputs for kind in one.get("data", {})}
    assert kinds <= {"text/plain", "text/html", "text/markdown", "image/svg+xml"}
    assert not [cell.id for cell in code_of(path) for one in cell.outputs if one.output_type == "error"]
    assert not [cell.id for cell in code_of(path) for one in cell.outputs if one.get("name") == "stderr"]


def test_a_chart_is_left_out_and_its_cell_says_so() -> None:
    chart, text = {"application/vnd.plotly.v1+json": {}, "text/html": "x"}, {"text/plain": "y"}
    outputs = [nbformat.v4.new_output("display_data", data) for data in (chart, text)]
    cell = nbformat.v4.new_code_cell("x", outputs=outputs)
    keep_what_is_still(cell)
    assert tags_of(cell) == [IGNORED] and [dict(one.data) for one in cell.outputs] == [text]
    keep_what_is_still(cell)
    assert tags_of(cell) == [IGNORED]


def under_nbval(path: pathlib.Path, folder: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """Run a copy of a notebook, cell by cell, beside what is stored in it."""
    copy = folder / path.name
    shutil.copyfile(path, copy)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "pytest.ini", "--nbval",
        "--nbval-current-env", "--nbval-sanitize-with", str(SANITIZE), "--nbval-cell-timeout", "600", "--color",
        "no", copy.name,
    ]  # fmt: skip
    environment = {**surroundings(folder / "home"), "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "extension")))}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=1200
    )


@pytest.mark.soak
@pytest.mark.timeout(1300)
@each
def test_a_notebook_shows_what_is_stored(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    done = under_nbval(path, tmp_path)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    cells = [cell for cell in code_of(path) if SKIPPED not in tags_of(cell)]
    assert re.search(rf"\b{len(cells)} passed", done.stdout)


@pytest.mark.soak
@pytest.mark.parametrize(("stored", "is_same"), [("0.1234567", True), ("0.1235567", False)])
def test_another_figure_is_noticed(stored: str, is_same: bool, tmp_path: pathlib.Path) -> None:
    output = nbformat.v4.new_output("execute_result", {"text/plain": stored}, execution_count=1)
    cell = nbformat.v4.new_code_cell("0.12345678", execution_count=1, outputs=[output])
    (tmp_path / "from").mkdir()
    path = tmp_path / "from" / "figure.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    assert (under_nbval(path, tmp_path).returncode == 0) is is_same
