"""Whether a journal is what was written: every row follows from the one before, up to the head.

The rows are walked in their order, and each hash is made again (``journal.chain``). After a row that is wrong the walk
goes on from the hash that stands there, so that one edit is said once or twice and not for every row that follows. The
end is compared with the head in ``deployment_states``: a chain alone would not show that its last rows are gone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from workbench.journal.chain import FIRST, link
from workbench.journal.rows import journal_rows, numbers_beyond
from workbench.journal.tables import deployment_states

#: More than these are not listed: a journal with so many faults is not mended row by row.
MOST_FAULTS = 100

_COLUMNS = ("seq", "instant_ns", "at_ns", "kind", "body", "hash")
_HEAD = sa.select(deployment_states.c.head_seq, deployment_states.c.head_hash).where(
    deployment_states.c.deployment_id == sa.bindparam("deployment")
)


class Row(NamedTuple):
    """One row of a journal as it stands; types are those of the tables unless somebody meddled."""

    seq: int
    instant_ns: int
    at_ns: int
    kind: str
    body: str
    hash: str


class Head(NamedTuple):
    """The last row as its deployment remembers it; 0 and ``FIRST`` before there is one."""

    seq: int
    hash: str


def faults(connection: sa.Connection, deployment_id: str) -> list[str]:
    """Everything that is wrong with the journal of a deployment.

    Parameters
    ----------
    connection : sa.Connection
        In one transaction of ``Store.read``, so that rows and head are of one moment.
    deployment_id : str
        Whose journal.

    Returns
    -------
    list of str
        One sentence a fault, with the number of the row; empty when the journal is whole. At most ``MOST_FAULTS``, and
        a sentence that says that there are more.
    """
    found = connection.execute(_HEAD, {"deployment": deployment_id}).one_or_none()
    if found is None:
        return [f"There is no state of deployment {deployment_id!r}, so that the end of its journal is not known."]
    head = Head(*found)
    below, beyond = numbers_beyond(connection, deployment_id, head.seq)
    rows = map(Row._make, journal_rows(connection, deployment_id, _COLUMNS))
    added = [f"Row {number!r} is there, and rows are numbered from 1 to {head.seq}." for number in below + beyond]
    return (added + chain_faults(deployment_id, rows, head))[: MOST_FAULTS + 1]


def chain_faults(deployment_id: str, rows: Iterable[Row], head: Head) -> list[str]:
    """The same of rows in the order of their numbers, and of a head, wherever they come from."""
    sentences = list(itertools.islice(_walk(deployment_id, rows, head), MOST_FAULTS + 1))
    if len(sentences) > MOST_FAULTS:
        sentences[MOST_FAULTS] = f"There are more faults than these {MOST_FAULTS}."
    return sentences


def _walk(deployment_id: str, rows: Iterable[Row], head: Head) -> Iterator[str]:
    last = Head(0, FIRST)
    readable = _Readable(rows)
    for row in readable:
        number: object = row.seq
        if not isinstance(number, int) or number <= last.seq:
            yield f"Row {number!r} has a number that does not come after {last.seq}."
            continue
        if row.seq > last.seq + 1:
            # What should come before is gone, so that this row cannot be checked against it.
            yield _missing(last.seq + 1, row.seq - 1)
        elif wrong := _wrong(deployment_id, row, last.hash):
            yield wrong
        last = Head(row.seq, row.hash)
    if readable.refusal:
        yield f"A row after row {last.seq} cannot be read: {readable.refusal}."
        return
    if last.seq < head.seq:
        yield f"{_missing(last.seq + 1, head.seq)[:-1]} at the end: row {head.seq} was the last."
    elif last.seq > head.seq:
        yield f"Row {last.seq} is the last, and row {head.seq} should be: rows were added."
    elif last.hash != head.hash:
        yield f"Row {last.seq} is the last, and its hash is not the one that its deployment remembers."


def _wrong(deployment_id: str, row: Row, before: str) -> str | None:
    """What is wrong with a row that follows a hash."""
    try:
        made = link(before, deployment_id, row.seq, row.instant_ns, row.at_ns, row.kind, row.body)
    except (TypeError, ValueError):
        return f"Row {row.seq} holds what no row can hold."
    if made == row.hash:
        return None
    return f"Row {row.seq} does not follow from what stands before it: it, or row {row.seq - 1}, was changed."


def _missing(first: int, last: int) -> str:
    return f"Row {first} is missing." if first == last else f"Rows {first} to {last} are missing."


class _Readable:
    """Rows up to one that the database cannot read as text, and what it said then."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = rows
        self.refusal = ""

    def __iter__(self) -> Iterator[Row]:
        try:
            yield from self._rows
        except (sa.exc.DBAPIError, UnicodeDecodeError) as error:
            cause: Any = getattr(error, "orig", error)
            if "decode" not in str(cause):
                raise
            self.refusal = " ".join(str(cause).split())
