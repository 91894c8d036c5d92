"""Where files are: the project's folder, what lies near a path that is wrong, and how a file is replaced whole."""

from __future__ import annotations

import difflib
import os
import pathlib
import secrets


def home_folder(home: str | pathlib.Path | None = None) -> pathlib.Path:
    """The folder given, else WORKBENCH_HOME, else ``./.workbench``; absolute, not created."""
    return pathlib.Path(home or os.environ.get("WORKBENCH_HOME") or ".workbench").expanduser().absolute()


def unreadable(path: pathlib.Path, error: OSError | UnicodeDecodeError) -> str:
    """Why a file cannot be read, as the end of a sentence, with the file or folder that was probably meant."""
    if isinstance(error, UnicodeDecodeError):
        return f"cannot be read: byte {error.start} is no UTF-8 text"
    if not isinstance(error, FileNotFoundError):
        return f"cannot be read: {(error.strerror or str(error)).lower()}"
    missing = path.absolute()
    while not missing.parent.exists():
        missing = missing.parent
    what = "there is no such file" + ("" if missing == path.absolute() else f", for there is no folder {missing}")
    try:
        there = sorted(one.name for one in missing.parent.iterdir())
    except OSError:
        there = []
    near = difflib.get_close_matches(missing.name, there, 3, 0.6)
    if not near:
        near = [name for name in there if missing.suffix and name.endswith(missing.suffix)][:3]
    return f"{what}; beside it there is {', '.join(near)}" if near else what


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
