"""One stage's notebook, executed by papermill in a kernel of its own, which sees nothing of this process's secrets."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import threading
from collections.abc import Mapping
from typing import Any, cast

from workbench.market.home import home_folder
from workbench.promotion.places import found_file
from workbench.promotion.stages import Listed
from workbench.research.notebooks import own_kernel

#: What a kernel sees of the environment: where things are and how text is written; no token, no URL of a database.
SEEN = (
    "HOME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH",
    "TMPDIR", "TZ", "USER", "VIRTUAL_ENV", "WORKBENCH_CACHE", "XDG_CACHE_HOME",
)  # fmt: skip

#: How long a kernel that was told to end may take, s.
GRACE_S = 10.0


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """What of an environment a kernel may see."""
    return {name: environment[name] for name in SEEN if name in environment}


def execute(listed: Listed, folder: pathlib.Path, cell_s: float, stage_s: float) -> str:
    """Execute the notebook of a stage; what it wrote lies in the folder.

    Parameters
    ----------
    listed : Listed
        Which.
    folder : Path
        Of the run; gets the executed notebook.
    cell_s, stage_s : float
        Longest a cell and the whole may take, seconds. A cell is interrupted; beyond the whole the kernel is killed.

    Returns
    -------
    str
        What broke; empty when nothing did.
    """
    started: list[Any] = []
    target = folder / f"{listed.file}.ipynb"
    work = _Work(listed, folder, target, cell_s, _watched(started))
    work.start()
    work.join(stage_s)
    if work.is_alive():
        for manager in started:
            _kill(manager)
        work.join(GRACE_S)
        return f"not done after {stage_s:g} s: its kernel was killed. Raise time.stage_s, or give fewer bars"
    _sign(target)
    return work.error


class _Work(threading.Thread):
    """Papermill has an event loop of its own, which must not be that of a notebook that promotes."""

    def __init__(
        self, listed: Listed, folder: pathlib.Path, target: pathlib.Path, cell_s: float, manager: type[Any]
    ) -> None:
        super().__init__(daemon=True)
        self._source, self._folder, self._target = found_file(f"{listed.file}.ipynb"), folder, target
        self._cell_s, self._manager = cell_s, manager
        self.error = ""

    def run(self) -> None:
        import papermill
        from jupyter_core.utils import ensure_event_loop

        loop = ensure_event_loop()
        try:
            papermill.execute_notebook(
                self._source, self._target, parameters={"folder": str(self._folder)}, kernel_name="python3",
                progress_bar=False, execution_timeout=self._cell_s, kernel_manager_class=self._manager,
                cwd=str(self._folder),
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - whatever breaks a stage is its verdict
            self.error = _said(error)
        finally:
            loop.close()


def _said(error: BaseException) -> str:
    """What broke, without the traceback, which is in the notebook."""
    if name := getattr(error, "ename", ""):
        return f"{name}: {getattr(error, 'evalue', '')}".strip()
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0] if text else 'no message'}"


def _watched(started: list[Any]) -> type[Any]:
    """A manager of kernels that can be found when its kernel must be killed."""
    # A kernel begins in the folder of the run, and would look for calendars below it.
    environment = {**scrubbed(os.environ), "WORKBENCH_HOME": str(home_folder())}

    class Watched(own_kernel(environment)):  # type: ignore[misc]
        async def start_kernel(self, **options: Any) -> None:
            started.append(self)
            await super().start_kernel(**options)

    return Watched


def _kill(manager: Any) -> None:
    """The kernel and whatever it started, which is its process group."""
    pid = getattr(manager.provisioner, "pid", None)
    if pid:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(os.getpgid(pid), signal.SIGKILL)


def _sign(path: pathlib.Path) -> None:
    """Say that the outputs are ours, so that JupyterLab shows them as they are."""
    import nbformat
    from nbformat.sign import NotebookNotary

    if path.exists():
        make, read = cast("Any", NotebookNotary), cast("Any", nbformat.read)
        notary = make()
        try:
            notary.sign(read(path, as_version=4))
        finally:
            notary.store.close()
