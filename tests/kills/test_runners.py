"""Two real processes on one database: never two that act, and who was taken over does nothing more (design §3)."""

from __future__ import annotations

import pathlib

import pytest
import sqlalchemy as sa

from tests.kills import books
from tests.kills.run import database
from tests.kills.runners import Rounds
from tests.operated import Operated, folder
from workbench.journal import tables
from workbench.journal.store import Store

__all__ = ["folder"]


@pytest.mark.soak
def test_P1_who_stood_still_past_its_lease_does_nothing_after_it_was_taken_over() -> None:
    with database("postgresql") as (url, place):
        at = Rounds(url, place, 1, 1)
        try:
            first, second = at.both()
            at.on_server(first, second)
            at.ended_well(second)
            assert (at.taken_over, at.violations) == (1, [])
            # That the check can fail: one more row, in the name of the first.
            with Store.open(f"{url}&application_name={first.name}") as store, store.write() as connection:
                connection.execute(tables.limits.insert(), {"owner": "me", "name": "late", "value": 1.0})
            found = at.written_after(first, second)
            assert found == [f"{first.name} wrote 1 rows of limits after {second.name} had taken over"]
        finally:
            at.close()


@pytest.mark.soak
def test_P1_on_sqlite_nobody_acts_while_the_first_stands_still() -> None:
    with database("sqlite") as (url, place):
        at = Rounds(url, place, 1, 1)
        try:
            first, second = at.both()
            at.on_file(first, second, goes_on=True)
            at.ended_well(second)
            assert (at.taken_over, at.violations) == (1, [])
        finally:
            at.close()


def test_books_that_are_wrong_are_told(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    ident = desk.deploy()
    desk.start()
    desk.run_to_position()
    assert books.faults(desk.store, ident) == []
    for what, change in {
        "fills say": "UPDATE fills SET qty = qty + 1",
        "executions of no order": "DELETE FROM orders",
        "never meant": "DELETE FROM intents",
        "taken twice": "INSERT INTO paper_orders SELECT broker_id || 'x', account, cid, place + 90, content, works "
        "FROM paper_orders",
        "passed twice": "INSERT INTO journal SELECT seq + 900, deployment_id, instant_ns, at_ns, kind, body, hash "
        "FROM journal WHERE kind = 'EVALUATED'",
    }.items():
        with desk.store.write() as connection:
            assert connection.execute(sa.text(change)).rowcount
        assert any(what in text for text in books.faults(desk.store, ident)), what
