"""Where the notebooks of the stages and the styles of settings lie: in the package, or in a checkout beside it."""

from __future__ import annotations

import pathlib

from workbench.errors import ConfigError

_PACKAGE = pathlib.Path(__file__).resolve().parents[1]
_FOLDERS = (_PACKAGE / "templates" / "promotion", _PACKAGE.parent / "templates" / "promotion")


def found_file(name: str) -> pathlib.Path:
    """A file of the promotion's templates.

    Raises
    ------
    ConfigError
        The installation lacks it.
    """
    for folder in _FOLDERS:
        if (folder / name).is_file():
            return folder / name
    raise ConfigError(f"this installation of Workbench lacks templates/promotion/{name}. Install it again.")


def names_of(folder: str, suffix: str) -> tuple[str, ...]:
    """Names of the files of a folder, without their suffix, sorted."""
    found = {path.stem for place in _FOLDERS for path in (place / folder).glob(f"*{suffix}")}
    return tuple(sorted(found))
