"""What goes wrong under the store has the type of what must be done about it, loses nothing and betrays nothing."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from tests.postgres import address, new_database, used_database
from workbench.errors import ConfigError, HaltError, RetryableError, UncertainCommit
from workbench.journal.store import Store
from workbench.journal.tables import limits

MANY = [{"owner": "me", "name": f"undone {number}", "value": 1.0} for number in range(3_000)]


@pytest.fixture
def postgres() -> Iterator[Store]:
    with Store.open(used_database()) as opened:
        yield opened


def put(store: Store, name: str, then: Callable[[sa.Connection], object] = lambda _: None) -> None:
    """Write one row, then do something in the same transaction."""
    with store.write() as connection:
        connection.execute(limits.insert(), {"owner": "me", "name": name, "value": 1.0})
        then(connection)


def names(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(sa.select(limits.c.name).order_by(limits.c.name)).scalars())


def pragma(text: str) -> Callable[[sa.Connection], object]:
    return lambda connection: connection.exec_driver_sql(f"PRAGMA {text}").scalar()


# --- SQLite --------------------------------------------------------------------------------------------------------


def no_more_pages(connection: sa.Connection) -> None:
    pragma(f"max_page_count = {pragma('page_count')(connection)}")(connection)


def test_a_full_disk_halts_and_loses_nothing(tmp_path: pathlib.Path) -> None:
    with Store.open(address("sqlite", tmp_path)) as store:
        put(store, "before", no_more_pages)
        with pytest.raises(HaltError, match="no room left"):
            put(store, "undone", lambda connection: connection.execute(limits.insert(), MANY))
        assert names(store) == ["before"]
        put(store, "room again", pragma("max_page_count = 100000"))
        assert names(store) == ["before", "room again"]


def test_a_full_disk_that_somebody_overlooks_is_seen_at_the_end(tmp_path: pathlib.Path) -> None:
    def overlooks(connection: sa.Connection) -> None:
        with contextlib.suppress(sa.exc.OperationalError):
            connection.execute(limits.insert(), MANY)

    with Store.open(address("sqlite", tmp_path)) as store:
        put(store, "before", no_more_pages)
        with pytest.raises(AssertionError, match="ended inside its block"):
            put(store, "undone", overlooks)
        assert names(store) == ["before"]


@contextlib.contextmanager
def ordinary_rights(*paths: pathlib.Path) -> Iterator[None]:
    """Be somebody who may read the paths and not write them; the administrator may write everything."""
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = os.geteuid()
    try:
        if before == 0:
            os.seteuid(65534)
        yield
    finally:
        os.seteuid(before)
        for path in paths:
            path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_file_that_may_only_be_read_halts_a_writer_and_loses_nothing() -> None:
    with tempfile.TemporaryDirectory() as name:  # not tmp_path, which only its owner may enter
        folder = pathlib.Path(name)
        path = folder / "workbench.db"
        with Store.open(path) as store:
            put(store, "before")
        with ordinary_rights(*folder.iterdir(), folder), Store.open(path) as store:
            with pytest.raises(HaltError, match="may only be read"):
                put(store, "undone")
            assert names(store) == ["before"]
        with Store.open(path) as store:
            assert names(store) == ["before"]


def test_a_database_that_cannot_be_created_halts() -> None:
    with tempfile.TemporaryDirectory() as name, ordinary_rights(pathlib.Path(name)):
        with pytest.raises(HaltError, match=r"new\.db cannot be used"):
            Store.open(pathlib.Path(name, "new.db"))
        with pytest.raises(ConfigError, match=r"folder of the database .* cannot be made"):
            Store.open(pathlib.Path(name, "deeper", "new.db"))


KILLED = """
import os, sys
from workbench.journal.store import Store
from workbench.journal.tables import limits
store = Store.open(sys.argv[1])
with store.write() as connection:
    connection.execute(limits.insert(), {"owner": "me", "name": "committed", "value": 1.0})
with store.write() as connection:
    # So little memory that unfinished pages are in the file already.
    connection.exec_driver_sql("PRAGMA cache_size = 1")
    connection.execute(limits.insert(), [{"owner": "me", "name": f"{n}", "value": 1.0} for n in range(3000)])
    connection.execute(limits.delete().where(limits.c.name == "committed"))
    os._exit(9)
"""


def test_a_process_killed_in_the_middle_leaves_what_was_committed(tmp_path: pathlib.Path) -> None:
    url = address("sqlite", tmp_path)
    done = subprocess.run([sys.executable, "-c", KILLED, url], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 9, done.stderr
    with Store.open(url) as store:
        assert names(store) == ["committed"]
        with store.read() as connection:
            assert pragma("integrity_check")(connection) == "ok"


def test_a_damaged_file_halts(tmp_path: pathlib.Path) -> None:
    url = address("sqlite", tmp_path)
    with Store.open(url) as store:
        put(store, "before", lambda connection: connection.execute(limits.insert(), MANY))
    whole = pathlib.Path(url).read_bytes()
    pathlib.Path(url).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(HaltError, match="the file is damaged"):
        Store.open(url)


# --- PostgreSQL ----------------------------------------------------------------------------------------------------


def test_a_connection_lost_in_the_middle_may_be_tried_again(postgres: Store) -> None:
    with pytest.raises(RetryableError, match="try again") as raised:
        put(postgres, "undone", lambda one: one.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())")))
    assert not isinstance(raised.value, UncertainCommit)
    put(postgres, "kept")
    assert names(postgres) == ["kept"]


LOST_AT_COMMIT = """
CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON limits DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION leave();
"""


def test_a_connection_lost_while_committing_leaves_it_open_whether_it_was_written() -> None:
    with Store.open(new_database()) as store:
        with store.write() as connection:
            connection.exec_driver_sql(LOST_AT_COMMIT)
        with pytest.raises(UncertainCommit, match="written whole, or not at all"):
            put(store, "who knows")
        assert names(store) == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("40001", RetryableError),  # a serialisation failure
        ("40P01", RetryableError),  # a deadlock
        ("53300", RetryableError),  # too many connections
        ("57P03", RetryableError),  # starting up
        ("53100", HaltError),  # the disk is full
        ("25006", HaltError),  # read only
        ("58030", HaltError),  # an error of the disk
        ("XX001", HaltError),  # damage
        ("22012", sa.exc.DBAPIError),  # a division by zero: a bug
    ],
)
def test_an_error_of_the_server_has_the_type_of_what_must_be_done(
    postgres: Store, code: str, kind: type[Exception]
) -> None:
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'on purpose' USING ERRCODE = '{code}'; END $$"
    with pytest.raises(kind, match="on purpose"):
        put(postgres, "undone", lambda connection: connection.exec_driver_sql(raising))
    assert names(postgres) == []


# --- passwords -----------------------------------------------------------------------------------------------------


def said(error: BaseException | None) -> Iterator[str]:
    """Everything that a traceback of an error would show."""
    while error is not None:
        yield f"{error!s} {error!r}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("postgresql://me:hunter2@127.0.0.1:1/db", RetryableError),  # nobody listens there
        ("postgresql:///db?host=127.0.0.1&port=1&user=me&password=hunter2", RetryableError),
        ("postgresql://me:x@hunter2@127.0.0.1:1/db", ConfigError),
        ("postgresql://me/x:hunter2@127.0.0.1:1/db", ConfigError),
        ("postgresql://me:x@127.0.0.1:hunter2/db", ConfigError),
        ("mysql://me:hunter2@127.0.0.1/db", ConfigError),
        ("://me:hunter2@127.0.0.1/db", ConfigError),
    ],
)
def test_no_message_shows_a_password(url: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as raised:
        Store.open(url)
    assert not [text for text in said(raised.value) if "hunter2" in text]


def test_the_name_of_a_store_shows_no_password() -> None:
    with Store.open(used_database().replace("tests@", "tests:hunter2@")) as store:
        assert repr(store).startswith("Store(the database postgresql://tests@")
        assert "hunter2" not in repr(store)
