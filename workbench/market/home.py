"""Where this project keeps its files, and how a file is replaced without ever being half written."""

from __future__ import annotations

import os
import pathlib
import tempfile


def home_folder(home: str | pathlib.Path | None = None) -> pathlib.Path:
    """The folder given, else WORKBENCH_HOME, else ``./.workbench``; absolute, not created."""
    return pathlib.Path(home or os.environ.get("WORKBENCH_HOME") or ".workbench").expanduser().absolute()


def write_atomically(path: pathlib.Path, content: bytes) -> None:
    """Replace a file in one step: a reader, or a machine that loses power, sees the old file or the new one.

    The content goes to a temporary file in the same folder, is flushed to disk, and is renamed over the old file; then
    the folder is flushed, without which the rename itself could be lost.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        pathlib.Path(temporary).replace(path)
    except BaseException:
        pathlib.Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
