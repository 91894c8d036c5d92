"""Tables and facts as plain data, and plain data as JSON: times in ISO 8601 UTC, what is missing is null."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import pandas as pd


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
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return [plain(one) for one in value]
    if isinstance(value, pd.DataFrame):
        return rows_of(value)
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, pd.Timestamp):
        utc = value.tz_convert("UTC") if value.tz is not None else value
        return utc.isoformat().replace("+00:00", "Z")
    return value if isinstance(value, (str, int, bool)) else str(value)


def encoded(value: Any) -> bytes:
    """Plain data as JSON."""
    return orjson.dumps(plain(value), option=orjson.OPT_APPEND_NEWLINE)
