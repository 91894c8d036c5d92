"""Notebooks hold no logic; those of research run from top to bottom in this interpreter, and are the demo."""

from __future__ import annotations

import ast
import json
import pathlib
import sys

import nbformat
import pytest

from tests.notebooks.stored import code_of, paths, tags_of
from tests.page import Page
from workbench.errors import ConfigError
from workbench.research.demo import NOTEBOOKS, Executed, execute, find_notebook, run_demo
from workbench.research.wording import KEY_FIGURES, wording_of

PATHS = paths()
#: The cell that takes the folder of the report, of those that write one.
FOLDERS = {path.stem: [cell.source for cell in code_of(path) if "parameters" in tags_of(cell)] for path in PATHS}


# --- as they are kept ---------------------------------------------------------------------------------------------


def test_the_demo_runs_every_notebook_that_writes_a_report() -> None:
    assert [name for name, taking in FOLDERS.items() if taking] == list(NOTEBOOKS)
    assert [find_notebook(name).stem for name in NOTEBOOKS] == list(NOTEBOOKS)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_runs_in_any_python_and_reaches_for_nothing(path: pathlib.Path) -> None:
    assert nbformat.read(path, as_version=4).metadata.kernelspec.name == "python3"
    assert "file:" not in path.read_text() and "http" not in path.read_text()


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_has_no_logic_of_its_own(path: pathlib.Path) -> None:
    banned = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.While, ast.If, ast.Try)
    nodes = [node for cell in code_of(path) for node in ast.walk(ast.parse(cell.source))]
    assert not [ast.unparse(node) for node in nodes if isinstance(node, banned)]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_can_be_given_its_folder(name: str) -> None:
    (taking,) = FOLDERS[name]
    assert taking.startswith("folder = ")


def test_an_unknown_notebook_is_refused() -> None:
    with pytest.raises(ConfigError, match="01_first_backtest"):
        find_notebook("99_none")


# --- as they run --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Executed], list[object]]:
    """The whole demo, once, and what it said."""
    said: list[object] = []
    return run_demo(tmp_path_factory.mktemp("demo") / "made", say=said.append), said


@pytest.mark.soak
def test_the_demo_leaves_pages_and_reports(demo: tuple[list[Executed], list[object]]) -> None:
    done, said = demo
    assert [one.name for one in done] == list(NOTEBOOKS)
    for one in done:
        assert one.report.stat().st_size > 1_000_000
        page = one.page.read_text(encoding="utf-8")
        assert not [target for target in Page(page).references if not target.startswith("#")]
        assert sum("Plotly.newPlot(" in script and len(script) < 1e6 for script in Page(page).scripts) >= 1
        assert one.stats["n_trades"] > 10
        assert set(KEY_FIGURES) <= set(one.stats)
    assert str(done[0].page.parent) in str(said[-1 - 2 * len(done)])
    assert str(done[0].report) in str(said[-2 * len(done)])


@pytest.mark.soak
def test_the_demo_shows_key_figures(demo: tuple[list[Executed], list[object]]) -> None:
    from rich.console import Console

    console = Console(width=160, record=True, file=None, quiet=False)
    with console.capture() as capture:
        for line in demo[1]:
            console.print(line)
    text = capture.get()
    for name in KEY_FIGURES:
        assert wording_of(name).title in text
    for one in demo[0]:
        assert one.strategy in text and one.hash[:8] in text


@pytest.mark.soak
def test_every_cell_ran_without_an_error(demo: tuple[list[Executed], list[object]]) -> None:
    for one in demo[0]:
        cells = code_of(one.page.with_suffix(".ipynb"))
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
        kinds = {output.output_type for cell in cells for output in cell.outputs}
        assert "error" not in kinds
        streams = [output.text for cell in cells for output in cell.outputs if output.get("name") == "stderr"]
        assert not streams


@pytest.mark.soak
def test_the_real_data_give_the_figures_that_are_known(demo: tuple[list[Executed], list[object]]) -> None:
    stats = demo[0][0].stats
    assert stats["n_sessions"] == 3270
    assert stats["n_trades"] == 31
    assert stats["initial_cash"] == 100_000


@pytest.mark.soak
def test_a_notebook_runs_in_this_interpreter(tmp_path: pathlib.Path) -> None:
    told = {"version": "1", "hash": "0", "stats": {}}
    cells = [
        nbformat.v4.new_code_cell("folder = ''", metadata={"tags": ["parameters"]}, id="a"),
        nbformat.v4.new_code_cell(
            "import json, os, pathlib, sys\n"
            f"told = {told!r} | {{'name': sys.executable, 'renderer': os.environ['PLOTLY_RENDERER']}}\n"
            "pathlib.Path(folder, 'stats.json').write_text(json.dumps(told))",
            id="b",
        ),
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "another", "language": "python"}}
    path = tmp_path / "who.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    done = execute(path, tmp_path / "out")
    assert done.strategy == f"{sys.executable} 1"
    assert json.loads((done.report.parent / "stats.json").read_text())["renderer"] == "plotly_mimetype"
