"""Tables of a result as files: CSV or Parquet, by the ending; never half written."""

from __future__ import annotations

import io
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.cli.options import one_of
from workbench.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from workbench.research.result import Result

TABLES = ("trades", "fills", "orders", "decisions", "equity", "notes", "stats")
FORMATS = ("csv", "parquet")
_ENDINGS = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}

#: Table and the file it goes to.
Outputs = list[tuple[str, pathlib.Path]]


def outputs(texts: Sequence[str], kind: str) -> Outputs:
    """What ``--output`` asks for.

    Parameters
    ----------
    texts : sequence of str
        ``PATH`` (the trades), ``TABLE=PATH``, or a folder (all tables).
    kind : str
        ``csv`` or ``parquet``, for folders.

    Raises
    ------
    ConfigError
        An ending or a table that does not exist, or two tables in one file. Raised before anything is run.
    """
    ending = one_of(kind, FORMATS, "--format")
    found: Outputs = []
    for text in texts:
        name, equals, rest = text.partition("=")
        if equals and name in TABLES:
            found.append((name, checked_path(rest)))
        elif text.endswith("/") or not pathlib.Path(text).suffix or pathlib.Path(text).is_dir():
            found += [(table, pathlib.Path(text).expanduser() / f"{table}.{ending}") for table in TABLES]
        else:
            found.append(("trades", checked_path(text)))
    paths = [path for _, path in found]
    for path in paths:
        if paths.count(path) > 1:
            raise ConfigError(f"--output names {path} twice.")
    return found


def checked_path(text: str) -> pathlib.Path:
    """A path whose ending says how to write it."""
    path = pathlib.Path(text).expanduser()
    if path.suffix.lower() not in _ENDINGS:
        raise ConfigError(f"--output {text!r}: the ending says how the table is written. End it in .csv or .parquet.")
    return path


def table_of(result: Result, name: str) -> pd.DataFrame:
    """A table of a result; ``stats`` are rows of statistic and value."""
    import pandas as pd

    if name == "stats":
        values: dict[str, Any] = result.stats
        return pd.DataFrame({"statistic": list(values), "value": [_text(value) for value in values.values()]})
    frame: pd.DataFrame = getattr(result, name)
    return frame if frame.index.name is None else frame.reset_index()


def write_table(frame: pd.DataFrame, path: pathlib.Path) -> None:
    """Write a table, replacing the file in one step.

    Raises
    ------
    ConfigError
        The path cannot be written to.
    """
    if _ENDINGS[path.suffix.lower()] == "csv":
        content = frame.to_csv(index=False).encode()
    else:
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        content = buffer.getvalue()
    _replace(path, content)


def write_text(text: str, path: pathlib.Path) -> None:
    """Write a text as UTF-8, replacing the file in one step; ConfigError when the path cannot be written to."""
    _replace(path, text.encode())


def _replace(path: pathlib.Path, content: bytes) -> None:
    from workbench.market.home import write_atomically

    try:
        write_atomically(path, content)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}.") from error


def _text(value: Any) -> str:
    """A statistic with all its digits; nothing where it is undefined."""
    return "" if value is None else repr(float(value)) if isinstance(value, float) else str(value)
