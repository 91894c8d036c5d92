"""Bars that somebody else stores while a runner is at work: the history of a new deployment (rule B5).

What is stored when an interval passes is what counts, for a restart and a replay see nothing else. So a bar that is
there already, just so, needs no writing; another version of it, or one where there was none, is used from the
beginning: the runner writes nothing, forgets everything and begins again from the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from workbench.errors import RetryableError
from workbench.journal import tables

Key = tuple[str, str, int]  # instrument, timeframe, stamp

_TABLE = tables.bars
_USED = sa.select(_TABLE).where(
    _TABLE.c.instrument == sa.bindparam("name"),
    _TABLE.c.timeframe == sa.bindparam("frame"),
    _TABLE.c.ts_ns == sa.bindparam("stamp"),
    _TABLE.c.revision == 0,
)
_PRICES = ("open", "high", "low", "close", "volume")


def refuse_other_bars(connection: sa.Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """See that rows of ``bars``, some of which were there already, are there as they are meant.

    Raises
    ------
    RetryableError
        Another version was stored before, or it was told as late.
    """
    for row in rows:
        there = _stored(connection, (row["instrument"], row["timeframe"], row["ts_ns"]))
        same = there is not None and all(there[name] == row[name] for name in _PRICES)
        if row["revision"] == 0 and not (same and there["late"] == row["late"]):
            raise _begin_again(row["instrument"], row["timeframe"], row["ts_ns"])


def refuse_bars(connection: sa.Connection, keys: Iterable[Key]) -> None:
    """See that bars which were not there when an interval passed are not stored for it.

    Raises
    ------
    RetryableError
        One is.
    """
    for key in keys:
        there = _stored(connection, key)
        if there is not None and not there["late"]:
            raise _begin_again(*key)


def _stored(connection: sa.Connection, key: Key) -> Any:
    return connection.execute(_USED, dict(zip(("name", "frame", "stamp"), key, strict=True))).mappings().one_or_none()


def _begin_again(instrument: str, timeframe: str, ts_ns: int) -> RetryableError:
    return RetryableError(
        f"the {timeframe} bar {ts_ns} of {instrument} was stored by a new deployment as another one than was used. "
        "Nothing was written"
    )
