"""What a user's function returned, read as columns of numbers or refused with the way to mend it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.errors import ConfigError

Float64 = npt.NDArray[np.float64]

_HOW = "It returns a DataFrame with the index of the bars it was given and the boolean columns entry and exit."


def read_returned(
    returned: Any, stamps: npt.NDArray[np.int64], decisions: tuple[str, ...], skipped: set[str]
) -> dict[str, Float64]:
    """Columns of what a function returned, decisions first.

    Parameters
    ----------
    returned : Any
        A DataFrame, if all is well.
    stamps : int64[n]
        Of the bars that were given, ns UTC.
    decisions : tuple of str
        Names of conditions; the first two must be there.
    skipped : set of str
        Gets the names of columns that hold no numbers.

    Returns
    -------
    dict of str to float64[n]
        True is 1.0, false 0.0, missing NaN.

    Raises
    ------
    ConfigError
        It is no DataFrame, has another index, lacks a decision, or a decision is no condition.
    """
    if not isinstance(returned, pd.DataFrame):
        raise ConfigError(f"the function returned {type(returned).__name__}. {_HOW}")
    if not returned.columns.is_unique:
        raise ConfigError(f"the function returned two columns of one name: {list(map(str, returned.columns))}.")
    _check_index(returned.index, stamps)
    missing = [name for name in decisions[:2] if name not in returned.columns]
    if missing:
        raise ConfigError(f"the function returned no column {missing[0]!r}. {_HOW}")
    found = {name: _condition(returned[name], name) for name in decisions if name in returned.columns}
    for name, column in returned.items():
        if name in found:
            continue
        numbers = _numbers(column)
        if numbers is None:
            skipped.add(str(name))
        else:
            found[str(name)] = numbers
    return found


def _check_index(index: pd.Index, stamps: npt.NDArray[np.int64]) -> None:
    if len(index) != len(stamps):
        raise ConfigError(f"the function returned {len(index):,} rows for {len(stamps):,} bars. {_HOW}")
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
        raise ConfigError(f"the function returned an index of {index.dtype}, not the instants of the bars. {_HOW}")
    other = np.flatnonzero(index.as_unit("ns").asi8 != stamps)
    if len(other):
        at = int(other[0])
        raise ConfigError(f"the function returned {index[at]} in row {at}, where the bar is "
                          f"{pd.Timestamp(int(stamps[at]), tz='UTC')}. {_HOW}")


def _condition(column: pd.Series[Any], name: str) -> Float64:
    if column.dtype == np.bool_:
        return column.to_numpy(np.float64)
    try:
        return np.asarray(column.astype("boolean").to_numpy(np.float64, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"column {name!r} of what the function returned is no condition ({column.dtype}): {error}. "
                          "Its values are True, False or missing.") from error


def _numbers(column: pd.Series[Any]) -> Float64 | None:
    if not pd.api.types.is_numeric_dtype(column.dtype) or column.dtype.kind == "c":
        return None
    return np.array(column.to_numpy(np.float64, na_value=np.nan))
