"""The store: what was written is there, whole and bit for bit; what was not is not; what goes wrong has its type."""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3
import struct
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.postgres import address, empty_address, used_database
from workbench.errors import ConfigError, RetryableError
from workbench.journal import sqlite
from workbench.journal.sqlite import journal_choice
from workbench.journal.store import Store
from workbench.journal.tables import journal, limits

SHORT_S = 0.05
KEPT = ("sqlite", "postgres")
EVERY = ("memory", *KEPT)

DOUBLES = (
    0.0,
    0.1,
    -1.0,
    3.0,
    2.0**53,
    1.7976931348623157e308,
    2.2250738585072014e-308,
    5e-324,
    float("inf"),
    -float("inf"),
)


@pytest.fixture(params=EVERY)
def store(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[Store]:
    with Store.open(address(request.param, tmp_path), wait_s=SHORT_S) as opened:
        yield opened


@pytest.fixture(params=KEPT)
def url(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    return address(request.param, tmp_path)


@pytest.fixture
def postgres() -> Iterator[Store]:
    with Store.open(used_database(), wait_s=SHORT_S) as opened:
        yield opened


def put(connection: sa.Connection, name: str, value: float = 1.0) -> None:
    connection.execute(limits.insert(), {"owner": "me", "name": name, "value": value})


def put_all(store: Store, *names_: str) -> None:
    with store.write() as connection:
        for name in names_:
            put(connection, name)


def names(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(sa.select(limits.c.name).order_by(limits.c.name)).scalars())


def bits(value: float) -> bytes:
    return struct.pack(">d", value)


# --- what is written is there --------------------------------------------------------------------------------------


def test_a_double_comes_back_bit_for_bit(store: Store) -> None:
    with store.write() as connection:
        for place, value in enumerate(DOUBLES):
            put(connection, f"{place:02}", value)
    with store.read() as connection:
        found = connection.execute(sa.select(limits.c.value).order_by(limits.c.name)).scalars().all()
    assert [bits(value) for value in found] == [bits(value) for value in DOUBLES]


@pytest.mark.parametrize("kind", KEPT)
def test_any_double_comes_back_bit_for_bit(kind: str, tmp_path: pathlib.Path) -> None:
    with Store.open(address(kind, tmp_path)) as store:

        @settings(max_examples=25, deadline=None)
        @given(st.lists(st.floats(allow_nan=False).map(lambda value: value or 0.0), min_size=1, max_size=60))
        def same(values: list[float]) -> None:
            rows = [{"owner": "me", "name": f"{place:03}", "value": value} for place, value in enumerate(values)]
            with store.write() as connection:
                connection.execute(limits.delete())
                connection.execute(limits.insert(), rows)
                found = connection.execute(sa.select(limits.c.value).order_by(limits.c.name)).scalars().all()
            assert [bits(value) for value in found] == [bits(value) for value in values]

        same()


def test_only_sqlite_forgets_the_sign_of_a_zero(store: Store) -> None:
    # A zero of a column of doubles is kept there as a whole number; the two zeros are equal.
    with store.write() as connection:
        put(connection, "zero", -0.0)
        found = connection.execute(sa.select(limits.c.value)).scalar_one()
        is_sqlite = connection.dialect.name == "sqlite"
    assert found == 0.0
    assert bits(found) == bits(0.0 if is_sqlite else -0.0)


def test_sqlite_refuses_nan() -> None:
    with Store.open(":memory:") as store, pytest.raises(sa.exc.IntegrityError), store.write() as connection:
        put(connection, "nan", float("nan"))


def test_what_was_committed_is_there_after_opening_again(url: str) -> None:
    with Store.open(url) as store, store.write() as connection:
        put(connection, "a")
    with Store.open(url) as store:
        assert names(store) == ["a"]


def test_the_folder_is_made_and_the_path_is_absolute(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Store.open("deep/er/workbench.db") as by_path, Store.open("sqlite:///deep/er/workbench.db") as by_url:
        with by_path.write() as connection:
            put(connection, "a")
        assert by_path.path == by_url.path == tmp_path / "deep" / "er" / "workbench.db"
        assert names(by_url) == ["a"]


def test_memory_is_nobody_elses() -> None:
    with Store.open(":memory:") as one, Store.open("sqlite://") as other:
        with one.write() as connection:
            put(connection, "a")
        assert (names(one), names(other), one.path) == (["a"], [], None)


# --- one transaction -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_undoes_the_whole_block(store: Store, error: type[BaseException]) -> None:
    with store.write() as connection:
        put(connection, "before")

    def fails() -> None:
        with store.write() as connection:
            put(connection, "undone")
            connection.execute(limits.delete().where(limits.c.name == "before"))
            raise error

    with pytest.raises(error):
        fails()
    assert names(store) == ["before"]


def test_a_broken_key_stays_what_the_library_raises_and_undoes_the_block(store: Store) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        put_all(store, "a", "a")
    assert names(store) == []


def test_a_row_of_no_deployment_is_refused(store: Store) -> None:
    row = {"deployment_id": "none", "seq": 1, "instant_ns": 0, "at_ns": 0, "kind": "STARTED", "body": "{}", "hash": "0"}
    with pytest.raises(sa.exc.IntegrityError), store.write() as connection:
        connection.execute(journal.insert(), row)


def test_a_savepoint_undoes_a_part(store: Store) -> None:
    with store.write() as connection:
        put(connection, "kept")
        with connection.begin_nested() as part:
            put(connection, "undone")
            part.rollback()
    assert names(store) == ["kept"]


def test_reading_changes_nothing(store: Store) -> None:
    with pytest.raises(sa.exc.DBAPIError), store.read() as connection:
        put(connection, "a")
    with store.write() as connection:
        put(connection, "b")
    assert names(store) == ["b"]


def test_a_snapshot_does_not_see_what_comes_later(url: str) -> None:
    with Store.open(url) as one, Store.open(url, wait_s=SHORT_S) as other:
        with one.read() as connection:
            before = connection.execute(sa.select(sa.func.count()).select_from(limits)).scalar_one()
            # With a rollback journal the writer cannot even commit while somebody reads.
            with contextlib.suppress(RetryableError), other.write() as writing:
                put(writing, "later")
            after = connection.execute(sa.select(sa.func.count()).select_from(limits)).scalar_one()
        assert (before, after) == (0, 0)


def test_a_thread_has_one_transaction_at_a_time(store: Store) -> None:
    with store.write() as connection:
        with pytest.raises(AssertionError, match="another transaction"), store.read():
            pass
        with pytest.raises(AssertionError, match="inside a transaction"):
            store.close()
        put(connection, "a")
    assert names(store) == ["a"]


def test_transactions_together_are_one(store: Store) -> None:
    with store.together():
        with store.write() as connection:
            put(connection, "a")
        with store.together(), store.read() as connection:
            assert connection.execute(sa.select(limits.c.name)).scalars().all() == ["a"]
            put_all(store, "b")
    assert names(store) == ["a", "b"]


def in_two_parts(store: Store, *suppressed: type[Exception]) -> None:
    """A transaction whose second part fails."""
    with store.together():
        put_all(store, "a")
        with contextlib.suppress(*suppressed):
            put_all(store, "b", "b")


def test_of_transactions_together_all_are_undone(store: Store) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        in_two_parts(store)
    assert names(store) == []
    put_all(store, "c")
    assert names(store) == ["c"]


def test_who_goes_on_after_a_part_has_failed_keeps_nothing(store: Store) -> None:
    with pytest.raises(AssertionError, match="a part of the transaction failed"):
        in_two_parts(store, sa.exc.IntegrityError)
    assert names(store) == []


def test_committing_inside_the_block_is_a_bug(store: Store) -> None:
    with pytest.raises(AssertionError, match="ended inside its block"), store.write() as connection:
        connection.commit()
    assert names(store) == []


def test_a_closed_store_stays_closed(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(AssertionError, match="is closed"), store.read():
        pass


# --- others at the same time ---------------------------------------------------------------------------------------


def test_a_second_writer_that_waits_too_long_is_told_to_try_again(url: str) -> None:
    with Store.open(url) as one, Store.open(url, wait_s=SHORT_S) as other:
        with one.write() as connection:
            put(connection, "a", 1.0)
            with pytest.raises(RetryableError, match="try again"), other.write() as second:
                put(second, "a", 2.0)
        with other.write() as second:
            put(second, "b")
        assert names(one) == ["a", "b"]


def test_a_second_writer_of_sqlite_waits_where_it_begins_and_not_in_the_middle(tmp_path: pathlib.Path) -> None:
    url, begun = address("sqlite", tmp_path), []
    with Store.open(url) as one, Store.open(url, wait_s=SHORT_S) as other, one.write():
        with pytest.raises(RetryableError), other.write():
            begun.append("second")
        assert begun == []


def test_who_made_the_tables_and_finds_them_locked_is_told_to_try_again(tmp_path: pathlib.Path) -> None:
    with Store.open(tmp_path / "workbench.db", wait_s=0.05) as store:
        other = sqlite3.connect(tmp_path / "workbench.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RetryableError, match="in use by somebody else"):
            names(store)
        other.close()
        assert names(store) == []


def test_a_second_writer_waits_for_the_first(url: str) -> None:
    raised = limits.update().values(value=limits.c.value + 1)
    with Store.open(url, wait_s=30) as one, Store.open(url, wait_s=30) as other:
        with one.write() as connection:
            put(connection, "a", 0.0)
        begins = threading.Event()

        def second() -> None:
            begins.set()
            with other.write() as connection:
                connection.execute(raised)

        thread = threading.Thread(target=second)
        with one.write() as connection:
            connection.execute(raised)
            thread.start()
            assert begins.wait(30)
        thread.join()
        with one.read() as connection:
            assert connection.execute(sa.select(limits.c.value)).scalar_one() == 2.0


@pytest.mark.parametrize("kind", EVERY)
def test_threads_of_one_store_lose_nothing(kind: str, tmp_path: pathlib.Path) -> None:
    with Store.open(address(kind, tmp_path), wait_s=30) as store:
        with store.write() as connection:
            put(connection, "a", 0.0)

        def work() -> None:
            for _ in range(10):
                with store.write() as connection:
                    connection.execute(limits.update().values(value=limits.c.value + 1))

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with store.read() as connection:
            assert connection.execute(sa.select(limits.c.value)).scalar_one() == 30.0


def test_another_thread_of_memory_waits_its_turn() -> None:
    refused: list[RetryableError] = []
    with Store.open(":memory:", wait_s=SHORT_S) as store, store.write():

        def work() -> None:
            with pytest.raises(RetryableError, match="another thread") as raised, store.read():
                pass
            refused.append(raised.value)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(refused) == 1


def test_a_reader_that_stays_holds_up_a_commit_and_nothing_is_written(tmp_path: pathlib.Path) -> None:
    if journal_choice(sqlite3.sqlite_version_info)[0] == "WAL":
        pytest.skip("with a write-ahead log readers never hold up a writer")
    url = address("sqlite", tmp_path)
    with Store.open(url) as reader, Store.open(url, wait_s=SHORT_S) as writer:
        with reader.read() as connection:
            connection.execute(sa.select(limits)).all()
            with pytest.raises(RetryableError, match="try again"), writer.write() as writing:
                put(writing, "undone")
        with writer.write() as writing:
            put(writing, "kept")
        assert names(reader) == ["kept"]


@pytest.mark.parametrize("kind", KEPT)
def test_of_several_that_create_a_database_at_once_all_succeed(kind: str, tmp_path: pathlib.Path) -> None:
    url = empty_address(kind, tmp_path)
    failures: list[Exception] = []
    together = threading.Barrier(4)

    def opens(name: str) -> None:
        together.wait()
        try:
            with Store.open(url, wait_s=30) as store, store.write() as connection:
                put(connection, name)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test says it
            failures.append(error)

    threads = [threading.Thread(target=opens, args=(f"n{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with Store.open(url) as store:
        assert names(store) == ["n0", "n1", "n2", "n3"]


# --- what it is, in words ------------------------------------------------------------------------------------------


def test_a_write_ahead_log_is_used_only_where_it_is_safe() -> None:
    choices = [journal_choice(version)[0] for version in ((3, 40, 1), (3, 51, 2), (3, 51, 3), (3, 52, 0), (4, 0, 0))]
    assert choices == ["PERSIST", "PERSIST", "WAL", "WAL", "WAL"]


def mode_of(store: Store) -> str:
    with store.write() as connection:
        return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())


def test_with_a_write_ahead_log_a_reader_holds_up_nobody(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "WAL_IS_SAFE", (3, 0, 0))
    url = address("sqlite", tmp_path)
    with Store.open(url) as reader, Store.open(url, wait_s=SHORT_S) as writer:
        with reader.read() as connection:
            assert connection.execute(sa.select(limits)).all() == []
            put_all(writer, "later")
            assert connection.execute(sa.select(limits)).all() == []
        assert (names(reader), mode_of(writer)) == (["later"], "wal")
        assert "write-ahead log (WAL)" in writer.journal_mode()


def test_a_write_ahead_log_of_a_newer_library_is_ended_before_anything_is_written(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = address("sqlite", tmp_path)
    monkeypatch.setattr(sqlite, "WAL_IS_SAFE", (3, 0, 0))
    with Store.open(url) as newer:
        put_all(newer, "a")
        monkeypatch.setattr(sqlite, "WAL_IS_SAFE", (99, 0, 0))
        with pytest.raises(RetryableError, match=r"in use by somebody else|is open elsewhere"):
            Store.open(url, wait_s=SHORT_S)
    with Store.open(url) as older:
        put_all(older, "b")
        assert (names(older), mode_of(older)) == (["a", "b"], "persist")


def test_a_writer_of_sqlite_waits_for_the_disk(tmp_path: pathlib.Path) -> None:
    wanted = journal_choice(sqlite3.sqlite_version_info)[0]
    asked = ("synchronous", "foreign_keys", "mmap_size", "busy_timeout", "journal_mode")
    with Store.open(address("sqlite", tmp_path)) as store, store.write() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]
    assert found == [2, 1, 0, 5_000, wanted.lower()]


def test_a_writer_of_postgres_waits_for_the_disk(postgres: Store) -> None:
    with postgres.write() as connection:
        found = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in ("synchronous_commit", "lock_timeout")]
    assert found == ["on", "50ms"]


def test_the_store_says_how_it_keeps_a_commit(tmp_path: pathlib.Path) -> None:
    with Store.open(":memory:") as memory, Store.open(address("sqlite", tmp_path)) as file:
        assert "nothing is kept" in memory.journal_mode()
        assert journal_choice(sqlite3.sqlite_version_info)[1] in file.journal_mode()
        assert "synchronous FULL" in file.journal_mode()


def test_the_store_says_that_a_server_keeps_nothing(postgres: Store) -> None:
    assert "fsync off, so that a loss of power can damage everything" in postgres.journal_mode()


@pytest.mark.parametrize("url", ["sqlite:///file:x?mode=ro&uri=true", "sqlite:///x.db?timeout=3", "oracle://host/db"])
def test_a_url_that_would_be_half_understood_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"give (a|the) path"):
        Store.open(url)


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="is a folder"):
        Store.open(tmp_path)
    with pytest.raises(ConfigError, match="cannot be made"):
        Store.open(tmp_path / "file" / "workbench.db")
