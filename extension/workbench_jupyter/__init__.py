"""Workbench inside a Jupyter server: the runner is hosted, and everything can be seen and done over HTTP."""

from __future__ import annotations

from typing import Any

from workbench import __version__

__all__ = ["__version__"]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Where Jupyter finds the extension; nothing of it is loaded before."""
    from workbench_jupyter.app import WorkbenchApp

    return [{"module": "workbench_jupyter", "app": WorkbenchApp}]
