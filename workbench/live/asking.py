"""What people ask of the runner, as rows of ``commands``: written here, obeyed in ``commands``, answered in the row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

import sqlalchemy as sa

from workbench.journal import tables
from workbench.journal.chain import canonical


class Verb(Enum):
    """What can be asked."""

    PAUSE = "PAUSE"
    RESUME = "RESUME"
    STOP = "STOP"
    FLATTEN = "FLATTEN"
    RESOLVE = "RESOLVE"
    KILL = "KILL"
    ARM = "ARM"


class Asked(NamedTuple):
    """One command as it stands.

    Attributes
    ----------
    id : int
        Its number; commands are obeyed in this order.
    owner, deployment_id : str
        Whose, and about what; an empty id means everything of the owner.
    verb : str
        Of ``Verb``, or whatever somebody wrote.
    body : dict
        What was said besides: ``who``, ``why``, and the options of the verb.
    created_ns, done_ns : int
        When it was written and obeyed; 0 while it waits.
    answer : Answer or None
        What came of it.
    """

    id: int
    owner: str
    deployment_id: str
    verb: str
    body: Mapping[str, Any]
    created_ns: int
    done_ns: int
    answer: Answer | None

    @property
    def who(self) -> str:
        """Who asked."""
        return str(self.body.get("who") or self.owner)

    @property
    def why(self) -> str:
        """What they said."""
        return str(self.body.get("why") or "").strip()

    def by(self) -> dict[str, Any]:
        """Who asked, why, and the number of the command, as journals say it."""
        return {"who": self.who, "why": self.why, "command": self.id}


class Answer(NamedTuple):
    """What came of a command: whether it was done, and what that means, in words."""

    is_done: bool
    text: str

    def content(self) -> str:
        """As it is stored."""
        return canonical({"done": self.is_done, "said": self.text})


def ask(
    connection: sa.Connection, owner: str, deployment_id: str, verb: Verb, body: Mapping[str, Any], now_ns: int
) -> int:
    """Write a command for the runner.

    Parameters
    ----------
    connection : sa.Connection
        Of ``Store.write``.
    owner, deployment_id : str
        Whose, and about what; an empty id means everything of the owner.
    verb : Verb
        What.
    body : mapping
        ``who``, ``why`` and the options of the verb.
    now_ns : int
        When.

    Returns
    -------
    int
        Its number.
    """
    row = {
        "owner": owner,
        "deployment_id": deployment_id,
        "verb": verb.value,
        "body": canonical(dict(body)),
        "created_ns": now_ns,
        "done_ns": 0,
        "answer": "",
    }
    written = connection.execute(tables.commands.insert().values(row).returning(tables.commands.c.id))
    return int(written.scalar_one())


def waiting(connection: sa.Connection) -> list[Asked]:
    """Commands that wait, in the order in which they were written."""
    table = tables.commands
    return [_asked(row) for row in connection.execute(table.select().where(table.c.done_ns == 0).order_by(table.c.id))]


def asked(connection: sa.Connection, owner: str, number: int) -> Asked | None:
    """One command of an owner; None if they have none of that number."""
    table = tables.commands
    row = connection.execute(table.select().where(table.c.id == number, table.c.owner == owner)).one_or_none()
    return None if row is None else _asked(row)


def answered(connection: sa.Connection, number: int, answer: Answer, now_ns: int) -> None:
    """Write down what came of a command; in the transaction of its effect."""
    table = tables.commands
    changed = {"done_ns": max(now_ns, 1), "answer": answer.content()}
    connection.execute(table.update().where(table.c.id == number, table.c.done_ns == 0).values(changed))


def _asked(row: sa.Row[Any]) -> Asked:
    answer = _read(row.answer)
    return Asked(
        id=row.id,
        owner=row.owner,
        deployment_id=row.deployment_id,
        verb=row.verb,
        body=_read(row.body),
        created_ns=row.created_ns,
        done_ns=row.done_ns,
        answer=Answer(bool(answer.get("done")), str(answer.get("said", ""))) if row.done_ns else None,
    )


def _read(text: str) -> dict[str, Any]:
    """A body as it was meant; what nobody can read says nothing."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
