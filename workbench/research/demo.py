"""``workbench demo``: the research notebooks, executed, with a report of each result, in one folder.

How it works: papermill executes the notebooks that ship with the package, in kernels of this very interpreter, on
embedded data; nothing needs a network, a display or a setting. Each notebook writes its own report, so that what is
shown is what a user's notebook would do.
"""

from __future__ import annotations

import json
import os
import pathlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workbench.errors import ConfigError
from workbench.research.notebooks import notebook_html, own_kernel
from workbench.research.stats import Statistic
from workbench.research.wording import KEY_FIGURES, wording_of, written

PACKAGE = pathlib.Path(__file__).resolve().parents[1]

#: What the demo executes, in this order.
NOTEBOOKS = ("01_first_backtest", "02_portfolio", "03_intraday_nse", "04_staged_search")


@dataclass(frozen=True)
class Executed:
    """One executed notebook.

    Attributes
    ----------
    name : str
        Of the notebook.
    page : pathlib.Path
        The notebook with its outputs, as HTML.
    report : pathlib.Path
        The report of its result.
    strategy : str
        Name and version.
    stats : dict of str to float, int, str or None
        Statistics of rule R3.
    hash : str
        Of the result (R4).
    seconds : float
        How long it took.
    """

    name: str
    page: pathlib.Path
    report: pathlib.Path
    strategy: str
    stats: dict[str, Statistic]
    hash: str
    seconds: float


def run_demo(
    folder: str | os.PathLike[str] = "output/demo",
    notebooks: tuple[str, ...] = NOTEBOOKS,
    say: Callable[[Any], None] | None = None,
) -> list[Executed]:
    """Execute the research notebooks and leave pages and reports in a folder.

    Parameters
    ----------
    folder : str or path
        Made where it does not exist; files of the same names are replaced.
    notebooks : tuple of str
        Which, by name.
    say : callable, optional
        Given lines and rich tables to show; printed to the terminal by default.

    Returns
    -------
    list of Executed
        In the order of ``notebooks``.

    Raises
    ------
    ConfigError
        A notebook that is not there.
    """
    if say is None:
        say = _on_the_terminal()
    target = pathlib.Path(folder).expanduser().absolute()
    sources = [find_notebook(name) for name in notebooks]
    done = []
    for name, source in zip(notebooks, sources, strict=True):
        say(f"{name}: running")
        done.append(execute(source, target))
        say(f"{name}: done in {done[-1].seconds:.1f} s")
    say(_table(done))
    say(f"Reports and executed notebooks are in {target}; open one of these in a browser:")
    for one in done:
        say(f"  {one.report}")
        say(f"  {one.page}")
    return done


def _on_the_terminal() -> Callable[[Any], None]:
    """Prints lines as they are, long ones without breaking them, and tables."""
    from functools import partial

    from rich.console import Console

    return partial(Console(markup=False, highlight=False).print, soft_wrap=True)


def find_notebook(name: str) -> pathlib.Path:
    """A notebook that ships with the package, or lies in the checkout; ConfigError when there is none."""
    for folder in (PACKAGE / "notebooks", PACKAGE.parent / "notebooks"):
        path = folder / f"{name}.ipynb"
        if path.is_file():
            return path
    raise ConfigError(f"there is no notebook {name!r}; the demo has {', '.join(NOTEBOOKS)}.")


def execute(source: pathlib.Path, target: pathlib.Path) -> Executed:
    """Execute one notebook, write its page, and read back what it reported.

    Parameters
    ----------
    source : pathlib.Path
        A notebook with a parameter ``folder``, into which it writes a report.
    target : pathlib.Path
        Gets ``<name>.ipynb``, ``<name>.html`` and a folder ``<name>`` with the report.

    Returns
    -------
    Executed
    """
    import papermill

    name = source.stem
    report = target / name
    report.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    outcome = papermill.execute_notebook(
        source, target / f"{name}.ipynb", parameters={"folder": str(report)}, kernel_name="python3",
        progress_bar=False, kernel_manager_class=own_kernel(), cwd=str(target),
    )
    page = target / f"{name}.html"
    page.write_text(notebook_html(outcome, name), encoding="utf-8")
    seconds = time.monotonic() - began
    told = json.loads((report / "stats.json").read_text(encoding="utf-8"))
    return Executed(
        name, page, report / "report.html", f"{told['name']} {told['version']}", told["stats"], told["hash"], seconds
    )


def _table(done: list[Executed]) -> Any:
    """Key figures of each result, side by side."""
    from rich.table import Table

    table = Table(title="Key figures", title_justify="left", show_lines=False)
    table.add_column("")
    for one in done:
        table.add_column(one.strategy, justify="right")
    for name in KEY_FIGURES:
        table.add_row(wording_of(name).title, *(written(name, one.stats[name]) for one in done))
    table.add_row("Hash", *(one.hash[:8] for one in done))
    return table
