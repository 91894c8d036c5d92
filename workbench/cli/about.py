"""``workbench demo`` and ``workbench version``."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from workbench.cli.screen import busy, say, show_table
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
    with busy("Running the demo"):
        done: Any = run_demo(folder)
    for title, figures in _figures(done):
        rows = [(name, _shown(value)) for name, value in figures.items()]
        show_table(title, ("key figure", ">value"), rows)
    say(f"The demo is in {folder.absolute()}")


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


def _figures(done: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Key figures of what the demo hands back: figures by name, or figures by name for each of several titles."""
    if not isinstance(done, Mapping):
        done = getattr(done, "stats", None) or {}
    flat = {name: value for name, value in done.items() if not isinstance(value, Mapping)}
    nested = [(str(name), value) for name, value in done.items() if isinstance(value, Mapping)]
    return [("Demo", flat), *nested] if flat else nested


def _shown(value: Any) -> str:
    if value is None:
        return "undefined"
    if isinstance(value, float):
        return f"{value:,.4f}" if abs(value) < 1000 else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
