"""``workbench demo`` and ``workbench version``."""

from __future__ import annotations

import pathlib
from typing import Annotated, Any

import typer

from workbench.cli.screen import results, say
from workbench.errors import ConfigError

commands = typer.Typer()

#: Libraries whose versions can matter to a result.
_LIBRARIES = ("numpy", "pandas", "numba", "pyarrow", "lark", "exchange-calendars", "vectorbt")


@commands.command()
def demo(
    folder: Annotated[
        pathlib.Path, typer.Argument(metavar="FOLDER", help="Where notebook, report and tables are left.")
    ] = pathlib.Path("output/demo"),
) -> None:
    """Research on real data that is there, with a report.

    The research notebook is executed on daily bars that come with the installation; notebook, report and tables are
    left in the folder.
    """
    try:
        from workbench.research.demo import run_demo
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("workbench."):
            raise
        raise ConfigError(
            f"this installation has no demo, {error.name} is absent. Install the whole package."
        ) from error
    run_demo(folder, say=_told)


@commands.command()
def version(
    everything: Annotated[bool, typer.Option("--all", help="Also the engine's hash and the libraries.")] = False,
) -> None:
    """Print the version."""
    import platform

    from workbench import __version__

    say(f"workbench {__version__}")
    if not everything:
        return
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as version_of

    from workbench.jit import engine_hash

    say(f"engine {engine_hash()}")
    say(f"python {platform.python_version()} on {platform.system()} {platform.machine()}")
    for name in _LIBRARIES:
        try:
            say(f"{name} {version_of(name)}")
        except PackageNotFoundError:
            say(f"{name} is not installed")


def _told(what: Any) -> None:
    """Show what the demo tells: lines, in which only ``bold`` is markup, and tables."""
    if isinstance(what, str):
        say(what.replace("[bold]", "").replace("[/bold]", ""))
    else:
        results().print(what)
