"""Tables and facts as plain data, and plain data as JSON: times in ISO 8601 UTC, what is missing is null."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:  # a server starts without them
    import pandas as pd

#: What JSON knows as it is, and most of what there is.
_AS_IT_IS = frozenset({str, int, bool, type(None)})


def rows_of(frame: pd.DataFrame, index: str | None = None) -> list[dict[str, Any]]:
    """One object a row; ``index`` is the name under which the index is kept."""
    kept = frame.reset_index(names=index) if index else frame
    names = [str(name) for name in kept.columns]
    return [
        {name: plain(value) for name, value in zip(names, row, strict=True)}
        for row in kept.itertuples(index=False, name=None)
    ]


def plain(value: Any) -> Any:
    """A value as JSON knows it."""
    if type(value) in _AS_IT_IS:
        return value
    if type(value) is float:
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(one) for one in value]
    return _of_a_library(value)


def _of_a_library(value: Any) -> Any:
    """The same of what numpy and pandas make, and of everything else."""
    import numpy as np
    import pandas as pd

    if isinstance(value, np.ndarray):
        return [plain(one) for one in value]
    if isinstance(value, pd.DataFrame):
        return rows_of(value)
    if isinstance(value, np.generic):
        return plain(value.item())
    if value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, pd.Timestamp):
        utc = value.tz_convert("UTC") if value.tz is not None else value
        return utc.isoformat().replace("+00:00", "Z")
    return value if isinstance(value, (str, int, bool)) else str(value)


#: Times and what numpy makes are ours to write, so that they read the same wherever they stand.
_OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def encoded(value: Any) -> bytes:
    """Data as JSON; what JSON does not know becomes plain."""
    return orjson.dumps(value, default=plain, option=_OPTIONS)
