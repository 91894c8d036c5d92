"""The database of a simulation: SQLite in memory, SQL as the library writes it, and faults at both ends of a write.

The library's own connection costs more than SQLite does, so that statements are compiled by the library once and then
handed to the driver. ``Image`` keeps the bytes of a database that was brought up and deployed to once.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData

Values = Mapping[str, Any]


class Watch(Protocol):
    """What may go wrong around a transaction; each of these raises, or does not."""

    def before_begin(self) -> None:
        """Nothing was begun."""

    def before_commit(self, changed: bool) -> None:
        """Everything was said, nothing is kept yet."""

    def after_commit(self, changed: bool) -> None:
        """It is kept."""

    def between_parts(self) -> None:
        """One part of a transaction of several was said, nothing is kept yet."""


class Text:
    """One statement as the driver takes it."""

    def __init__(self, compiled: Any) -> None:
        self.compiled = compiled
        self.sql, self.order = str(compiled), compiled.positiontup
        self.expands = bool(compiled.post_compile_params)
        columns = [one[0] for one in getattr(compiled, "_result_columns", ())]
        self.shape = SimpleResultMetaData(columns)
        flags = [one[3] for one in getattr(compiled, "_result_columns", ())]
        self.booleans = [at for at, kind in enumerate(flags) if isinstance(kind, sa.Boolean)]


class Answered:
    """What a statement without rows says."""

    def __init__(self, rowcount: int) -> None:
        self.rowcount = rowcount


class QuickConnection:
    """As much of ``sqlalchemy.Connection`` as the runner uses.

    Parameters
    ----------
    driver : sqlite3.Connection
        In autocommit.
    """

    dialect: sa.Dialect = SQLiteDialect_pysqlite(paramstyle="qmark")
    _texts: dict[Any, Text] = {}  # noqa: RUF012 - of the process: compiled once

    def __init__(self, driver: sqlite3.Connection) -> None:
        self.driver = driver

    def execute(self, statement: Any, values: Values | Sequence[Values] | None = None) -> Any:
        """Run one statement, for one set of values or for many."""
        many = isinstance(values, (list, tuple))
        first: Values = (values[0] if many else values) or {}  # type: ignore[index,assignment]
        key = statement._generate_cache_key()
        names = tuple(first)
        text = self._texts.get((key.key, names))
        if text is None:
            compiled = statement.compile(dialect=self.dialect, cache_key=key, column_keys=list(names) or None)
            text = self._texts[key.key, names] = Text(compiled)
        sets: Any = values if many else [first]
        drawn = [text.compiled.construct_params(one, extracted_parameters=key.bindparams) for one in sets]
        if text.expands:
            state = text.compiled._process_parameters_for_postcompile(drawn[0])
            named = drawn[0] | state.additional_parameters
            cursor = self.driver.execute(state.statement, [named[name] for name in state.positiontup])
        elif len(drawn) == 1:
            cursor = self.driver.execute(text.sql, [drawn[0][name] for name in text.order])
        else:
            cursor = self.driver.executemany(text.sql, [[one[name] for name in text.order] for one in drawn])
        if cursor.description is None:
            return Answered(cursor.rowcount)
        rows: list[Any] = cursor.fetchall()
        if text.booleans:
            rows = [[bool(v) if at in text.booleans else v for at, v in enumerate(row)] for row in rows]
        return IteratorResult(text.shape, iter([tuple(row) for row in rows]))

    def exec_driver_sql(self, sql: str, values: Any = ()) -> Any:
        """Run SQL as it stands."""
        if isinstance(values, list) and values and isinstance(values[0], tuple):
            return Answered(self.driver.executemany(sql, values).rowcount)
        return Answered(self.driver.execute(sql, values).rowcount)


class QuickStore:
    """``Store`` of one database in memory, with a watch that may break every write.

    Parameters
    ----------
    driver : sqlite3.Connection
        In autocommit.
    watch : Watch
        What goes wrong.
    """

    def __init__(self, driver: sqlite3.Connection, watch: Watch) -> None:
        self._driver, self._watch = driver, watch
        self._connection = QuickConnection(driver)
        self._is_shared = self._is_spoilt = False

    @contextlib.contextmanager
    def write(self) -> Iterator[Any]:
        """One transaction that may change, or a part of one; undone by an exception, which spoils the whole."""
        driver, watch = self._driver, self._watch
        if self._is_shared:
            try:
                yield self._connection
                watch.between_parts()
            except BaseException:
                self._is_spoilt = True
                raise
            return
        watch.before_begin()
        assert not driver.in_transaction, "a transaction inside another"
        driver.execute("BEGIN IMMEDIATE")
        before = driver.total_changes
        try:
            yield self._connection
            changed = driver.total_changes != before
            watch.before_commit(changed)
        except BaseException:
            driver.rollback()
            raise
        driver.commit()
        watch.after_commit(changed)

    @contextlib.contextmanager
    def together(self) -> Iterator[Any]:
        """One transaction of several: every ``write`` and ``read`` inside becomes a part of it."""
        if self._is_shared:
            yield self._connection
            return
        with self.write() as connection:
            self._is_shared, self._is_spoilt = True, False
            try:
                yield connection
                assert not self._is_spoilt, "a part of the transaction failed, and the others went on"
            finally:
                self._is_shared = False

    @contextlib.contextmanager
    def read(self) -> Iterator[Any]:
        """One snapshot, or what the transaction that is open has written so far."""
        driver = self._driver
        if self._is_shared:
            yield self._connection
            return
        assert not driver.in_transaction, "a transaction inside another"
        before = driver.total_changes
        yield self._connection
        assert driver.total_changes == before, "a reader has written"
