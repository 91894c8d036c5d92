"""Where this project keeps its files, and how a file is replaced without ever being half written."""

from __future__ import annotations

import os
import pathlib
import secrets


def home_folder(home: str | pathlib.Path | None = None) -> pathlib.Path:
    """The folder given, else WORKBENCH_HOME, else ``./.workbench``; absolute, not created."""
    return pathlib.Path(home or os.environ.get("WORKBENCH_HOME") or ".workbench").expanduser().absolute()


def write_atomically(path: pathlib.Path, content: bytes) -> None:
    """Replace a file in one step: a reader, or a machine that loses power, sees the old file or the new one.

    The content goes to a temporary file in the same folder, is flushed to disk, and is renamed over the old file; then
    the folder is flushed, without which the rename itself could be lost.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not mkstemp: its files are readable by their owner alone, whatever the umask says.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
