"""Notebooks run by papermill: the kernel they run in, and the page that is made of one."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

PLOTLY = "application/vnd.plotly.v1+json"


def own_kernel(environment: Mapping[str, str] | None = None) -> Any:
    """A manager of kernels of this interpreter, whatever kernels are installed for the user under the name python3.

    Parameters
    ----------
    environment : mapping of str to str, optional
        All that a kernel sees of it; by default what this process has.
    """
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_core.paths import jupyter_runtime_dir

    # A socket's path has at most 103 characters on macOS; the kernel's part of it is 49 of them.
    short = len(jupyter_runtime_dir()) <= 53

    class OwnKernel(AsyncKernelManager):
        """Starts ``sys.executable``, and talks to it through files where it can: no port is opened."""

        transport = "ipc" if short else "tcp"

        @property
        def kernel_spec(self) -> KernelSpec:
            # A cell's errors come back with its outputs; what is silenced is how a kernel takes its end.
            quiet = "--IPKernelApp.log_level=CRITICAL"
            command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", quiet]
            return KernelSpec(argv=command, display_name="Python 3", language="python")

        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
            asked = options.pop("env", None) or {}
            seen = {**os.environ, **asked} if environment is None else dict(environment)
            # Figures as data: the page draws them with one plotly.js for all of them.
            await super().start_kernel(**options, env={**seen, "PLOTLY_RENDERER": "plotly_mimetype"})

    return OwnKernel


def notebook_html(notebook: Any, name: str) -> str:
    """An executed notebook as one page that opens without a network.

    Parameters
    ----------
    notebook : nbformat notebook
        With outputs. Not changed.
    name : str
        Title, where the first cell has no heading.

    Returns
    -------
    str
        HTML; plotly.js is in it when there is a figure.
    """
    from copy import deepcopy

    import nbconvert
    import plotly.io
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from plotly.offline import get_plotlyjs

    drawn, charts = deepcopy(notebook), 0
    drawn.cells = [cell for cell in drawn.cells if "injected-parameters" not in cell.metadata.get("tags", ())]
    for cell in drawn.cells:
        for output in cell.get("outputs", ()):
            figure = output.get("data", {}).pop(PLOTLY, None)
            if figure is not None:
                charts += 1
                output["data"]["text/html"] = plotly.io.to_html(
                    {"data": figure["data"], "layout": figure["layout"]}, include_plotlyjs=False, full_html=False,
                    div_id=f"chart-{charts}", config={"displaylogo": False, "responsive": True}, validate=False,
                )
    make: Any = nbconvert.HTMLExporter
    exporter = make(template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True)
    body, resources = exporter.from_notebook_node(drawn)
    template = Environment(
        loader=PackageLoader("workbench", "templates"), autoescape=True, undefined=StrictUndefined
    ).get_template("notebook.html.j2")
    return template.render(
        title=name, body=body, plotly_js=get_plotlyjs() if charts else "",
        highlighting="\n".join(resources["inlining"]["css"]),
    )
