"""The comparison of paper with backtest can fail: one changed number of either side is found, and named."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.promotion import markets
from tests.promotion.cases import DIP, text_of
from workbench.journal import tables
from workbench.journal.store import Store
from workbench.promotion.beside_backtest import compared
from workbench.promotion.case import Case
from workbench.promotion.given import given_of
from workbench.promotion.on_paper import traded_on_paper
from workbench.research.result import Result

#: A table, a column, and the kind of rows that must differ once one of its numbers is another.
CHANGES = [
    ("fills", "price", "fills"),
    ("fills", "charges", "fills"),
    ("orders", "qty", "orders"),
    ("equity_points", "cash", "equity"),
]


@pytest.fixture
def traded(tmp_path: pathlib.Path) -> Iterator[tuple[Store, str, Result]]:
    """A run on paper, its deployment, and the backtest of the same."""
    bars = markets.reverting(1, begin="2022-01-01", end="2022-04-30")
    case = Case(given_of(text_of(DIP), bars, None, 1e6, None), tmp_path)
    given, start = case.given, case.held_out_from
    with traded_on_paper(
        tmp_path / "p.db", case.strategy, case.data, given.costs, given.initial_cash, start
    ) as (store, ident):
        yield store, ident, case.held_out_result


def test_P1_every_changed_number_is_found(traded: tuple[Store, str, Result]) -> None:
    store, ident, result = traded
    found = compared(store, ident, result)
    assert not any(one.first for one in found) and all(one.on_paper for one in found)
    for table, column, kind in CHANGES:
        one = tables.metadata.tables[table]
        key = sa.select(sa.func.min(one.c.number if "number" in one.c else one.c[column])).scalar_subquery()
        where = one.c.number == key if "number" in one.c else one.c[column] == key
        with store.write() as connection:
            connection.execute(one.update().where(where).values({column: one.c[column] + 1e-9}))
        differing = [each.name for each in compared(store, ident, result) if each.first]
        assert kind in differing, (table, column)


@pytest.mark.parametrize("kind", ["orders", "equity_points"])
def test_P1_a_row_too_few_is_found(traded: tuple[Store, str, Result], kind: str) -> None:
    store, ident, result = traded
    table = tables.metadata.tables[kind]
    column = table.c.order_no if kind == "orders" else table.c.ts_ns
    with store.write() as connection:
        connection.execute(table.delete().where(column == sa.select(sa.func.max(column)).scalar_subquery()))
    (found,) = [one for one in compared(store, ident, result) if one.first]
    assert found.on_paper == found.in_backtest - 1 and "in the backtest only" in found.first
